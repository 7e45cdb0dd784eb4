using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>From a cancelled rencontre over the broker to the feed of the espace's software, and back with the family that takes the slot.</summary>
[Collection(NotificationBeside.Together)]
public sealed class OfferFeedTests(MesuresFixture jafer, NotificationBeside notification)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CancelRencontre_FamiliesWait_IsOfferedOnTheFeedWithinSecondsAndTakenByOneCall()
    {
        var rencontres = new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", Gestionnaire));
        var feed = new NotificationService.NotificationServiceClient(notification.Channel("espace", Gestionnaire));
        // An espace of its own: others of this database lose rencontres at the same time.
        var espace = NewId();
        await jafer.Database.RunAsync($"""
            insert into espaces select (jsonb_populate_record(e, jsonb_build_object('id', '{espace}'))).* from espaces e where e.id = '{Espace}'
            """);
        var lost = await jafer.MesureInAsync(MesureState.EnAttente, r => r.EspaceId = espace);
        var waiting = await jafer.MesureInAsync(MesureState.EnAttente, r => r.EspaceId = espace);
        var booked = await jafer.AsEspace.ScheduleRencontreAsync(
            new() { MesureId = lost, StartTime = Requests.Planned(9).StartTime, DurationMinutes = 120, RequestId = NewId() }, cancellationToken: Ct);

        var before = TimeProvider.System.GetUtcNow();
        var slot = (await rencontres.CancelRencontreAsync(
            new() { MesureId = lost, RencontreId = booked.RencontreId, Outcome = RencontreOutcome.CancelledByHote, RequestId = NewId() }, cancellationToken: Ct)).FreeSlots[0];
        var offered = await Eventually.BecomesAsync(() => ToldAsync("mesure.slot-offered.v1"), e => e is not null, "the offer on the feed");

        // Seconds; the bound leaves room for a machine under load.
        Assert.InRange(TimeProvider.System.GetUtcNow() - before, TimeSpan.Zero, TimeSpan.FromSeconds(25));
        Assert.True(offered!.ActionRequired);
        Assert.Equal((espace, "VISITE", 2d), (Data("espaceId").StringValue, Data("modalite").StringValue, Data("candidateCount").NumberValue));
        Assert.Equal(slot.StartTime.ToDateTimeOffset().AddDays(-2), DateTimeOffset.Parse(Data("expiresAt").StringValue, System.Globalization.CultureInfo.InvariantCulture));
        var candidates = (await rencontres.ListSlotCandidatesAsync(new() { FreeSlotId = slot.FreeSlotId }, cancellationToken: Ct)).Candidates;
        Assert.Equal([lost, waiting], candidates.Select(c => c.Mesure.MesureId));
        await rencontres.TakeFreeSlotAsync(new() { FreeSlotId = slot.FreeSlotId, MesureId = waiting, RequestId = NewId() }, cancellationToken: Ct);
        var taken = await Eventually.BecomesAsync(() => ToldAsync("mesure.slot-taken.v1"), e => e is not null, "that it was taken");
        Assert.Equal(waiting, taken!.Data.Fields["mesureId"].StringValue);

        Google.Protobuf.WellKnownTypes.Value Data(string name) => offered.Data.Fields[name];

        async Task<Event?> ToldAsync(string type)
        {
            var request = new ListEventsRequest { Types_ = { type }, PageSize = 500 };
            var page = await feed.ListEventsAsync(request, cancellationToken: Ct);
            return page.Events.FirstOrDefault(e => e.AggregateId == slot.FreeSlotId);
        }
    }
}
