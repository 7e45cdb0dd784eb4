using Google.Protobuf;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

/// <summary>The access table against the running service, cell by cell.</summary>
public sealed class AccessMatrixTests(MessagingFixture fixture) : IClassFixture<MessagingFixture>
{
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

        var faults = await new AccessMatrix(fixture.Host, holders, RequestOf)
            .FaultsAsync([MessagingService.Descriptor, AttachmentService.Descriptor, OperationsService.Descriptor]);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        IMessage? RequestOf(MethodDescriptor rpc, string role)
        {
            // An attachment is seen by who sees its thread, which AttachmentTests show.
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

        IMessage Named(IMessage request)
        {
            request.Descriptor.FindFieldByName("mesure_id")?.Accessor.SetValue(request, mesure.Id.ToString());
            return request;
        }
    }
}
