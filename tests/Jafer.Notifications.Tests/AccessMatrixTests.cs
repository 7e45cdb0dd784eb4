using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Notifications.Tests;

/// <summary>The access table against the running service, cell by cell.</summary>
public sealed class AccessMatrixTests(NotificationsFixture fixture)
{
    [Fact]
    public async Task EveryRpc_EveryRoleTokenAndOwner_AnswersAsTheTableSays()
    {
        var mesure = TestMesure.Create();
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted);
        var holders = new Dictionary<string, Guid>
        {
            [Roles.Juridiction] = mesure.JuridictionId,
            [Roles.Espace] = mesure.GestionnaireId,
            [Roles.Operateur] = TestMesure.NewId(),
        };
        var endpoints = new Dictionary<string, string>();
        foreach (var (role, organisation) in holders)
        {
            var created = await new WebhookService.WebhookServiceClient(fixture.Host.Channel(role, organisation)).CreateEndpointAsync(
                Created(), cancellationToken: TestContext.Current.CancellationToken);
            endpoints[role] = created.Endpoint.EndpointId;
        }

        var organisations = new TestOrganisations();
        var here = organisations.Add(["69"], [], [mesure.EspaceId]);
        var elsewhere = organisations.Add(["2A"], [], [TestMesure.NewId()]);
        await using var host = await fixture.StartReplicaAsync(b => b.Services.AddSingleton<IOrganisations>(organisations), ("Identity:Members", "directory"));
        var faults = await new AccessMatrix(host, holders, RequestOf, here, elsewhere)
            .FaultsAsync([NotificationService.Descriptor, WebhookService.Descriptor, NoticeService.Descriptor, OperationsService.Descriptor]);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        // One that is created is its creator's; one that is deleted would be missed by the next cell.
        IMessage? RequestOf(MethodDescriptor rpc, string role)
        {
            if (rpc.Name is "DeleteEndpoint" or "CreateEndpoint" || !holders.ContainsKey(role) || rpc.Service == OperationsService.Descriptor)
            {
                return null;
            }

            var request = Rpcs.Empty(rpc);
            request.Descriptor.FindFieldByName("mesure_id")?.Accessor.SetValue(request, mesure.Id.ToString());
            request.Descriptor.FindFieldByName("endpoint_id")?.Accessor.SetValue(request, endpoints[role]);
            switch (request)
            {
                case MarkNoticeOpenedRequest open: open.NoticeId = transmitted.EventId.ToString(); break;
                case UpdateEndpointRequest update:
                    (update.Endpoint, update.UpdateMask) = (new WebhookEndpoint { EndpointId = endpoints[role], ContactEmail = "autre@example.org" }, new FieldMask { Paths = { "contact_email" } });
                    break;
                case ReplayEventsRequest replay: replay.StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)); break;
            }

            return request.CalculateSize() == 0 ? null : request;
        }

        static CreateEndpointRequest Created() => new()
        {
            Endpoint = new WebhookEndpoint { Url = "https://example.org/crochet", ContactEmail = "integration@example.org" },
            RequestId = TestMesure.NewId().ToString(),
        };
    }
}
