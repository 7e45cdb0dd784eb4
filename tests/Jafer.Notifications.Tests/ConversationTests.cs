using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Notifications.Tests;

/// <summary>Messaging and notification together: what is posted in the one arrives in the other.</summary>
public sealed class ConversationTests(NotificationsFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostedAndRead_InTheThread_ArriveInBothFeedsWithoutTheText()
    {
        await fixture.Host.ReadyAsync();
        await using var messaging = await MessagingHost.StartAsync(fixture.Prefix);
        var mesure = TestMesure.Create();
        using var watch = fixture.Court(mesure).WatchEvents(new WatchEventsRequest(), cancellationToken: Ct);
        await messaging.Host.PublishAsync<MessagingDbContext>(mesure.Transmitted());
        await watch.NextEventsAsync(1);
        var espace = new MessagingService.MessagingServiceClient(messaging.Host.Channel(Roles.Espace, mesure.GestionnaireId));
        var court = new MessagingService.MessagingServiceClient(messaging.Host.Channel(Roles.Juridiction, mesure.JuridictionId));

        await Eventually.BecomesAsync(
            () => messaging.Database.ReadAsync<long>($"select count(*) from threads where thread_id = '{mesure.Id}'"), n => n == 1, "the thread to open");

        var posted = await espace.PostMessageAsync(
            new PostMessageRequest { MesureId = mesure.Id.ToString(), Body = "zizanie", RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct);
        await court.MarkThreadReadAsync(
            new MarkThreadReadRequest { MesureId = mesure.Id.ToString(), MessageId = posted.MessageId, RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct);

        var told = (await watch.NextEventsAsync(2)).Select(r => r.Event).ToList();
        Assert.Equal(["messaging.message-posted.v1", "messaging.thread-read.v1"], told.Select(e => e.Type));
        Assert.Equal([true, false], told.Select(e => e.ActionRequired));
        Assert.All(told, e => Assert.Equal((posted.Position, posted.MessageId), (e.AggregateVersion, e.Data.Fields["messageId"].StringValue)));
        Assert.Equal(mesure.JuridictionId.ToString(), told[1].Data.Fields["readerOrganisationId"].StringValue);
        Assert.Equal([false, false], (await fixture.Espace(mesure).AllEventsAsync()).Skip(1).Select(e => e.ActionRequired));
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>("select count(*) from feed_events where data::text like '%zizanie%'"));
    }
}
