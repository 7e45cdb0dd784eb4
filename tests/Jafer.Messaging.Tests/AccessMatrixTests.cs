using Google.Protobuf;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Messaging.Tests.Attachments;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

/// <summary>The access table against the running service, cell by cell.</summary>
public sealed class AccessMatrixTests(MessagingFixture fixture)
{
    private static readonly byte[] s_file = TestFiles.Pdf();

    [Fact]
    public async Task EveryRpc_EveryRoleTokenAndOwner_AnswersAsTheTableSays()
    {
        var mesure = await fixture.OpenThreadAsync();
        var espace = await fixture.KnownEspaceAsync();
        var holders = new Dictionary<string, Guid>
        {
            [Roles.Juridiction] = mesure.JuridictionId,
            [Roles.Espace] = mesure.GestionnaireId,
            [Roles.Operateur] = MessagingFixture.OperatorId,
        };

        var organisations = new TestOrganisations();
        var here = organisations.Add(["69"], [espace.GestionnaireId], [espace.EspaceId]);
        var elsewhere = organisations.Add(["2A"], [], [TestMesure.NewId()]);
        await using var host = await fixture.StartReplicaAsync(organisations);

        // A file that no message names is its organisation's own: each holder has one, and another to discard, and so has the operator of
        // the territory.
        var files = new Dictionary<(Guid Holder, bool ToDiscard), string>();
        foreach (var (role, holder) in holders.Append(new(Roles.Operateur, here)))
        {
            foreach (var toDiscard in new[] { false, true })
            {
                files[(holder, toDiscard)] = (await new AttachmentService.AttachmentServiceClient(host.Channel(role, holder)).UploadAsync(Header(role), s_file)).AttachmentId;
            }
        }

        var faults = await new AccessMatrix(host, holders, RequestOf, here, elsewhere, (rpc, role) => role == Roles.Operateur ? OfFiles(rpc, role, here) : null)
            .FaultsAsync([MessagingService.Descriptor, AttachmentService.Descriptor, OperationsService.Descriptor]);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        IMessage? RequestOf(MethodDescriptor rpc, string role)
        {
            if (rpc.Service == AttachmentService.Descriptor && holders.TryGetValue(role, out var holder))
            {
                return OfFiles(rpc, role, holder);
            }

            if (rpc.Service != MessagingService.Descriptor || rpc.Name == "ListTemplates")
            {
                return null;
            }

            IMessage request = rpc.Name switch
            {
                "PostMessage" => Messages.Post(mesure, "bonjour"),
                "CheckThreadExport" => new CheckThreadExportRequest { MesureId = mesure.Id.ToString(), Sha256 = ByteString.CopyFrom(new byte[32]) },
                "MarkThreadRead" => Messages.Read(mesure, TestMesure.NewId().ToString()),
                "AcknowledgeMessage" => Messages.Acknowledge(mesure, TestMesure.NewId().ToString()),
                "WithdrawQuestion" => Messages.Withdraw(mesure, TestMesure.NewId().ToString()),
                "AssignParticipant" => Messages.Assign(mesure, "equipe"),
                "RemoveParticipant" => Messages.Remove(mesure, "equipe"),
                "GetThreadExport" => new GetThreadExportRequest { MesureId = mesure.Id.ToString(), Format = ExportFormat.Json },
                "HandOverMessages" => Messages.HandOver(mesure, mesure, TestMesure.NewId().ToString()),
                _ => Named(Rpcs.Empty(rpc)),
            };

            // The operator holds no thread of a mesure, and that of every espace.
            if (role == Roles.Operateur)
            {
                request.Descriptor.FindFieldByName("mesure_id")?.Accessor.SetValue(request, "");
                request.Descriptor.FindFieldByName("espace_id")?.Accessor.SetValue(request, espace.EspaceId.ToString());
            }

            return request;
        }

        IMessage? OfFiles(MethodDescriptor rpc, string role, Guid holder)
        {
            switch (rpc.Name)
            {
                case "UploadAttachment":
                    var upload = Header(role);
                    upload.Data = ByteString.CopyFrom(s_file);
                    return upload;
                case "ListAttachments":
                    return role == Roles.Operateur ? new ListAttachmentsRequest { EspaceId = espace.EspaceId.ToString() } : new ListAttachmentsRequest { MesureId = mesure.Id.ToString() };
                case "GetAttachment" or "GetAttachmentContent" or "DiscardAttachment":
                    var request = Rpcs.Empty(rpc);
                    request.Descriptor.FindFieldByName("attachment_id").Accessor.SetValue(request, files[(holder, rpc.Name == "DiscardAttachment")]);
                    return request;
                default:
                    return null;
            }
        }

        UploadAttachmentRequest Header(string role)
        {
            var header = Transfers.Header(mesure, s_file);
            if (role == Roles.Operateur)
            {
                (header.MesureId, header.EspaceId) = ("", espace.EspaceId.ToString());
            }

            return header;
        }

        IMessage Named(IMessage request)
        {
            request.Descriptor.FindFieldByName("mesure_id")?.Accessor.SetValue(request, mesure.Id.ToString());
            return request;
        }
    }

    [Fact]
    public async Task AnyRpc_NamesAPartOfAnothersThread_AnswersAsIfThereWereNone()
    {
        var (mesure, theirs) = (await fixture.OpenThreadAsync(), await fixture.OpenThreadAsync());
        var message = (await fixture.Client(Roles.Juridiction, theirs.JuridictionId).PostMessageAsync(
            Messages.Post(theirs, "bonjour"), cancellationToken: TestContext.Current.CancellationToken)).MessageId;
        var file = (await new AttachmentService.AttachmentServiceClient(fixture.Host.Channel(Roles.Juridiction, theirs.JuridictionId))
            .UploadAsync(Transfers.Header(theirs, s_file), s_file)).AttachmentId;
        var holders = new Dictionary<string, Guid> { [Roles.Juridiction] = mesure.JuridictionId, [Roles.Espace] = mesure.GestionnaireId };
        var matrix = new AccessMatrix(fixture.Host, holders, (_, _) => null, TestMesure.NewId(), TestMesure.NewId());

        var faults = await matrix.PartsOfAnotherAsync([MessagingService.Descriptor, AttachmentService.Descriptor], RequestOf, new Dictionary<string, string>
        {
            ["mesure_id"] = theirs.Id.ToString(),
            ["message_id"] = message,
            ["question_message_id"] = message,
            ["corrects_message_id"] = message,
            ["answers_message_id"] = message,
            ["last_message_id"] = message,
            ["from_mesure_id"] = theirs.Id.ToString(),
            ["attachment_id"] = file,
            ["attachment_ids"] = file,
        });

        Assert.True(faults.Count == 0, string.Join("\n", faults));
        Assert.Superset(
            new HashSet<string> { "PostMessage.mesure_id", "PostMessage.answers_message_id", "PostMessage.corrects_message_id", "PostMessage.attachment_ids", "AcknowledgeMessage.message_id", "GetAttachmentContent.attachment_id" },
            matrix.Named.ToHashSet());

        IMessage? RequestOf(MethodDescriptor rpc)
        {
            switch (rpc.Name)
            {
                case "PostMessage": return Messages.Post(mesure, "bonjour");
                case "MarkThreadRead": return Messages.Read(mesure, TestMesure.NewId().ToString());
                case "AcknowledgeMessage": return Messages.Acknowledge(mesure, TestMesure.NewId().ToString());
                case "WithdrawQuestion": return Messages.Withdraw(mesure, TestMesure.NewId().ToString());
                case "HandOverMessages": return Messages.HandOver(mesure, mesure, TestMesure.NewId().ToString());
                case "UploadAttachment": return Transfers.Header(mesure, s_file);
                default:
                    var request = Rpcs.Empty(rpc);
                    request.Descriptor.FindFieldByName("mesure_id")?.Accessor.SetValue(request, mesure.Id.ToString());
                    request.Descriptor.FindFieldByName("request_id")?.Accessor.SetValue(request, TestMesure.NewId().ToString());
                    return request;
            }
        }
    }
}
