using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What time makes of the queue: stale places, decisions that end before a first rencontre, offers that nobody takes.</summary>
public sealed class StalePlacesTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private WorklistService.WorklistServiceClient Of(string role, Guid organisation) => new(jafer.Host.Channel(role, organisation));

    private WorklistService.WorklistServiceClient AsCourt => Of("juridiction", Court);

    private WorklistService.WorklistServiceClient AsEspace => Of("espace", Gestionnaire);

    [Fact]
    public async Task ListClosureProposals_StalePlaces_AreNamedAndCloseByTheirReasonAlone()
    {
        var silent = await jafer.TransmittedAsync(r => r.Decision.ContactDeadline = jafer.Clock.GetUtcNow().Date.ToDate(9));
        var called = await jafer.TransmittedAsync(r => r.Decision.ContactDeadline = jafer.Clock.GetUtcNow().Date.ToDate(9));
        await jafer.AsEspace.AcknowledgeMesureAsync(new() { MesureId = called, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new() { MesureId = called, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        var over = await jafer.TransmittedAsync(r => (r.Decision.DecisionDate, r.Decision.DurationMonths) = (jafer.Clock.GetUtcNow().Date.ToDate(0), 1));
        Assert.Empty(await ProposalsAsync(AsEspace, 0, silent, called, over));

        jafer.Clock.Advance(TimeSpan.FromDays(40));
        await jafer.TransmittedAsync();

        foreach (var (client, size) in new[] { (AsEspace, 0), (AsCourt, 1), (AsEspace, 2), (Of("operateur", OtherCourt), 0) })
        {
            var proposals = await ProposalsAsync(client, size, silent, called, over);
            Assert.Equal(
                new[] { (silent, ClosureReason.SansSuiteAbsenceDeContactDesDeux), (called, ClosureReason.SansSuiteAbsenceDeContactVisiteur), (over, ClosureReason.ArriveeATerme) }.OrderBy(p => p.Item1, StringComparer.Ordinal),
                proposals.Select(p => (p.Mesure.MesureId, p.Reason)).OrderBy(p => p.MesureId, StringComparer.Ordinal));
            Assert.Equal(proposals.OrderBy(p => p.SinceTime), proposals);
        }

        Assert.Empty(await ProposalsAsync(Of("espace", OtherGestionnaire), 0, silent, called, over));
        // Nothing was closed by itself; one command does it.
        Assert.NotEqual(MesureState.Cloturee, (await jafer.GetAsync(silent)).Summary.State);
        foreach (var proposal in await ProposalsAsync(AsEspace, 0, silent, called, over))
        {
            await jafer.AsEspace.CloseMesureAsync(new() { MesureId = proposal.Mesure.MesureId, Reason = proposal.Reason, RequestId = NewId() });
        }

        Assert.Empty(await ProposalsAsync(AsEspace, 0, silent, called, over));
    }

    [Fact]
    public async Task ListWorkItems_WillExpireBeforeAFirstRencontre_StandsThereUntilOneIsBooked()
    {
        var id = await jafer.TransmittedAsync(r => (r.Decision.DecisionDate, r.Decision.DurationMonths) = (jafer.Clock.GetUtcNow().Date.ToDate(0), 2));
        await jafer.AsEspace.AcknowledgeMesureAsync(new() { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.TakeChargeAsync(new() { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new() { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        Assert.Empty(await IdsAsync(AsEspace, Worklist.ExpireAvantRencontre, id));

        var term = (await jafer.GetAsync(id)).Summary.TermDate;
        jafer.Clock.Advance(new DateTimeOffset(term.Year, term.Month, term.Day, 12, 0, 0, TimeSpan.Zero).AddDays(-25) - jafer.Clock.GetUtcNow());
        foreach (var client in new[] { AsCourt, AsEspace, Of("operateur", OtherCourt) })
        {
            Assert.Equal([id], await IdsAsync(client, Worklist.ExpireAvantRencontre, id));
        }

        // Whatever moved the clock before: on a Sunday nobody is told.
        jafer.ToWorkingTime();
        await jafer.Sweep.SweepAsync(TestContext.Current.CancellationToken);
        await jafer.Sweep.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Single(await jafer.ToldAsync(id), "EXPIRES_BEFORE_VISIT");
        await jafer.AsEspace.ScheduleRencontreAsync(
            new() { MesureId = id, StartTime = jafer.Clock.GetUtcNow().AddDays(3).ToProto(), DurationMinutes = 120, RequestId = NewId() });
        Assert.Empty(await IdsAsync(AsCourt, Worklist.ExpireAvantRencontre, id));
    }

    [Fact]
    public async Task Offer_NobodyTakesIt_ExpiresOnceAndOfWhatFitsNobodyIsLookedAtAgain()
    {
        var ct = TestContext.Current.CancellationToken;
        var id = await jafer.TransmittedAsync(r => (r.Decision.DecisionDate, r.Decision.DurationMonths) = (jafer.Clock.GetUtcNow().Date.ToDate(0), 12));
        await jafer.AsEspace.AcknowledgeMesureAsync(new() { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.TakeChargeAsync(new() { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new() { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        var rencontres = new RencontreService.RencontreServiceClient(jafer.Host.Channel("espace", Gestionnaire));
        var lost = await jafer.AsEspace.ScheduleRencontreAsync(
            new() { MesureId = id, StartTime = jafer.Clock.GetUtcNow().AddDays(5).ToProto(), DurationMinutes = 120, RequestId = NewId() });
        // A second rencontre stays booked, so that nobody waits.
        var kept = await jafer.AsEspace.ScheduleRencontreAsync(
            new() { MesureId = id, StartTime = jafer.Clock.GetUtcNow().AddDays(30).ToProto(), DurationMinutes = 120, RequestId = NewId() });
        var slot = (await rencontres.CancelRencontreAsync(
            new() { MesureId = id, RencontreId = lost.RencontreId, Outcome = RencontreOutcome.CancelledByHote, RequestId = NewId() })).FreeSlots[0].FreeSlotId;

        await jafer.Offers.SweepAsync(ct);
        Assert.Empty(await ToldOfAsync());
        await rencontres.CancelRencontreAsync(new() { MesureId = id, RencontreId = kept.RencontreId, Outcome = RencontreOutcome.CancelledByHote, RequestId = NewId() });
        await jafer.Offers.SweepAsync(ct);
        Assert.Empty(await ToldOfAsync());
        jafer.Clock.Advance(TimeSpan.FromMinutes(16));
        await jafer.Offers.SweepAsync(ct);
        await jafer.Offers.SweepAsync(ct);
        Assert.Equal(["mesure.slot-offered.v1"], await ToldOfAsync());

        jafer.Clock.Advance(TimeSpan.FromDays(3));
        await jafer.Offers.SweepAsync(ct);
        await jafer.Offers.SweepAsync(ct);
        Assert.Equal(["mesure.slot-offered.v1", "mesure.slot-offer-expired.v1"], await ToldOfAsync());
        var late = await Refusal.OfAsync(rencontres.TakeFreeSlotAsync(new() { FreeSlotId = slot, MesureId = id, RequestId = NewId() }));
        Assert.Equal(("SLOT_TAKEN", "OFFER_EXPIRED"), (late.Reason, late.Metadata["state"]));
        await jafer.AsEspace.ScheduleRencontreAsync(new() { MesureId = id, FreeSlotId = slot, RequestId = NewId() });

        Task<IReadOnlyList<string>> ToldOfAsync() =>
            jafer.Database.ReadAllAsync<string>($"select type from probe.told where payload->>'aggregateId' = '{slot}' and type like '%offer%' order by id");
    }

    private static async Task<List<string>> IdsAsync(WorklistService.WorklistServiceClient client, Worklist worklist, string among) =>
        [.. (await client.ListWorkItemsAsync(new ListWorkItemsRequest { Worklist = worklist, PageSize = 200 })).Items.Select(i => i.Mesure.MesureId).Where(id => id == among)];

    private static async Task<List<ClosureProposal>> ProposalsAsync(WorklistService.WorklistServiceClient client, int size, params string[] among)
    {
        var proposals = new List<ClosureProposal>();
        var request = new ListClosureProposalsRequest { PageSize = size };
        do
        {
            var page = await client.ListClosureProposalsAsync(request);
            proposals.AddRange(page.Proposals);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return [.. proposals.Where(p => among.Contains(p.Mesure.MesureId))];
    }
}
