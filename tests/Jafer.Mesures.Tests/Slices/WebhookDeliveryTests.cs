using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>From a transmission over the broker to the espace's webhook, and its answer back to the mesure.</summary>
[Collection(NotificationBeside.Together)]
public sealed class WebhookDeliveryTests(MesuresFixture jafer, NotificationBeside notification)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TransmitMesure_AnsweredByTheEspacesWebhook_IsDelivered()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var id = await jafer.MesureInAsync(MesureState.Completee);
        receiver.Answer = (call, http) =>
        {
            http.Response.StatusCode = call.Data("mesureId") == id ? 200 : 500;
            return Task.CompletedTask;
        };
        var webhooks = new WebhookService.WebhookServiceClient(notification.Channel("espace", Gestionnaire));
        await webhooks.CreateEndpointAsync(
            new CreateEndpointRequest
            {
                Endpoint = new WebhookEndpoint { Url = receiver.Address.ToString(), ContactEmail = "si@association.test", Types_ = { "mesure.mesure-transmitted.v1" } },
                RequestId = NewId(),
            },
            cancellationToken: Ct);

        await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() }, cancellationToken: Ct);

        var proof = (await Eventually.BecomesAsync(async () => (await jafer.GetAsync(id)).Transmission, t => t.Delivered is not null, "the proof of delivery")).Delivered;
        Assert.Equal((Gestionnaire.ToString(), DeliveryChannel.Webhook, false), (proof.OrganisationId, proof.Channel, proof.OnBehalf));
        Assert.InRange(proof.OccurredTime.ToDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-2), TimeProvider.System.GetUtcNow());
        Assert.Single(receiver.Calls, c => c.Data("mesureId") == id);
        var acts = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id }, cancellationToken: Ct)).Events.Select(e => e.Act);
        Assert.Contains(MesureAct.Deliver, acts);
    }
}
