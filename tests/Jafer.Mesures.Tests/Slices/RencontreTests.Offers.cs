using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.RencontreFixture;
using FreeSlot = Jafer.Contracts.Mesure.V1.FreeSlot;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Lost slots that are offered and taken, rencontres in doubt, the outlook and requests for sessions.</summary>
public sealed partial class RencontreTests
{
    [Fact]
    public async Task TakeFreeSlot_ManyAtOnceByEveryWay_ExactlyOneHasIt()
    {
        var espace = await rencontres.EspaceAsync(40);
        var slot = await FreedAsync(espace, 10);
        var ids = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            ids.Add(await rencontres.WaitingAsync(espace));
        }

        var outcomes = await Task.WhenAll(ids.Select((id, i) => Refusal.OrNullAsync(async () =>
        {
            if (i % 2 == 0)
            {
                await TakeAsync(slot, id);
            }
            else
            {
                await rencontres.Mesures.ScheduleRencontreAsync(new() { MesureId = id, FreeSlotId = slot.FreeSlotId, RequestId = NewId() });
            }
        })));

        Assert.Single(outcomes, o => o is null);
        Assert.All(outcomes.OfType<Refusal>(), r => Assert.Equal(StatusCode.FailedPrecondition, r.Code));
        Assert.All(outcomes.Where((o, i) => o is not null && i % 2 == 0), r => Assert.Equal(("SLOT_TAKEN", "TAKEN"), (r!.Reason, r.Metadata["state"])));
        var winner = ids[Array.IndexOf(outcomes, null)];
        var taken = Assert.Single(await SlotsAsync(espace, FreeSlotState.Taken));
        Assert.Equal((winner, Assert.Single((await jafer.GetAsync(winner)).Rencontres).RencontreId), (taken.TakenByMesureId, taken.TakenByRencontreId));
        Assert.Equal(1L, await jafer.Database.ReadAsync<long>($"select count(*) from rencontres where free_slot_id = '{slot.FreeSlotId}'"));
    }

    [Fact]
    public async Task TakeFreeSlot_OneCommand_BooksItsTimeLieuAndLengthOnceForARequest()
    {
        var espace = await rencontres.EspaceAsync(4);
        var slot = await FreedAsync(espace, 10);
        var id = await rencontres.WaitingAsync(espace, r => r.Decision.RencontreMinutes = 60);
        var request = new TakeFreeSlotRequest { FreeSlotId = slot.FreeSlotId, MesureId = id, RequestId = NewId() };

        var taken = await rencontres.AsEspace.TakeFreeSlotAsync(request);

        Assert.Equal((slot.StartTime, 60, slot.LieuId, MesureState.Programmee), (taken.StartTime, taken.DurationMinutes, taken.LieuId, taken.Mesure.State));
        Assert.Equal(taken, await rencontres.AsEspace.TakeFreeSlotAsync(request));
        var row = Assert.Single((await jafer.GetAsync(id)).Rencontres);
        Assert.Equal((taken.RencontreId, slot.FreeSlotId, slot.StartTime), (row.RencontreId, row.FreeSlotId, row.StartTime));
        var elsewhere = await rencontres.WaitingAsync();
        Assert.Equal(["free_slot_id"], (await Refusal.OfAsync(() => TakeAsync(slot, elsewhere))).Fields);
    }

    [Fact]
    public async Task Mesure_TermsAndPlace_AreToldToTheDirectory()
    {
        var espace = await rencontres.EspaceAsync(4);
        var slot = await FreedAsync(espace, 10);
        var id = await rencontres.WaitingAsync(espace, r =>
        {
            (r.Decision.TermStart, r.Decision.DurationMonths) = (TermStart.FirstRencontre, 6);
            r.Decision.Periodicity = new() { RencontreCount = 1, IntervalCount = 2, Unit = PeriodicityUnit.Week };
        });
        await IsKnownAsync("26 6 - - no");

        await TakeAsync(slot, id);
        await IsKnownAsync("26 6 - - first");
        await rencontres.BookAsync(id, 17);
        await IsKnownAsync("26 6 - - placed");
        await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = RencontreFixture.Today.ToProto(), DurationMonths = 9 }, RequestId = NewId() });
        await IsKnownAsync("26 6 - 9 placed");

        Task IsKnownAsync(string expected) => Eventually.BecomesAsync(
            () => rencontres.DirectoryDatabase.ReadAsync<string>($"""
                select coalesce((
                    select concat_ws(' ', rencontres_per_year, duration_months, coalesce(term_on::text, '-'), coalesce(revised_months::text, '-'),
                        case when placed_on is not null then 'placed' when scheduled_on is not null then 'first' else 'no' end)
                    from mesure_receptions where mesure_id = '{id}'), '')
                """),
            known => known == expected, expected);
    }

    [Fact]
    public async Task TakeFreeSlot_PlaceUsedOtherwiseMeanwhile_IsRefusedAndNobodyIsNamed()
    {
        var espace = await rencontres.EspaceAsync(1);
        var id = await rencontres.WaitingAsync(espace);
        var slot = await FreedAsync(espace, 10, close: true);
        await rencontres.BookAsync(await rencontres.WaitingAsync(espace), 10);

        Assert.Equal(["ESPACE_FULL"], (await Refusal.OfAsync(() => TakeAsync(slot, id))).Rules);
        Assert.Empty((await rencontres.AsEspace.ListSlotCandidatesAsync(new() { FreeSlotId = slot.FreeSlotId })).Candidates);
        Assert.Empty((await jafer.GetAsync(id)).Rencontres);
        Assert.Single(await SlotsAsync(espace));
    }

    [Fact]
    public async Task Offer_OfALostSlot_IsMadeWithinSecondsAndEndsBeforeParentsCannotBeTold()
    {
        var espace = await rencontres.EspaceAsync(4);
        var slot = await FreedAsync(espace, 10);

        var offered = (await Eventually.BecomesAsync(() => SlotsAsync(espace), s => s[0].OfferTime is not null, "the offer"))[0];

        Assert.Equal(1, offered.OfferCandidateCount);
        Assert.Equal(slot.StartTime.ToDateTimeOffset().AddDays(-2), offered.OfferExpireTime.ToDateTimeOffset());
        Assert.InRange(offered.OfferTime.ToDateTimeOffset() - slot.FreedTime.ToDateTimeOffset(), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        var court = new RencontreService.RencontreServiceClient(jafer.First.Channel("juridiction", Court));
        Assert.Null(Assert.Single((await court.ListFreeSlotsAsync(new() { EspaceId = espace.ToString() })).FreeSlots).OfferTime);

        // What is lost a day before is offered to nobody by software; by hand it is still taken.
        var late = await FreedAsync(espace, 1);
        var id = await rencontres.WaitingAsync(espace);
        Assert.Equal(("SLOT_TAKEN", "OFFER_EXPIRED"), Told(await Refusal.OfAsync(() => TakeAsync(late, id))));
        await Eventually.BecomesAsync(
            () => jafer.Database.ReadAsync<long>($"select count(*) from free_slots where id = '{late.FreeSlotId}' and offer_due_at is null"), n => n == 1, "nothing is left to do");
        await rencontres.Mesures.ScheduleRencontreAsync(new() { MesureId = id, FreeSlotId = late.FreeSlotId, RequestId = NewId() });

        static (string, string) Told(Refusal refusal) => (refusal.Reason, refusal.Metadata["state"]);
    }

    [Fact]
    public async Task ListSlotCandidates_UrgencyAgesAndWhoIsKeptApart_AreHeeded()
    {
        var espace = await rencontres.EspaceAsync(4, e => e.Modalites[0].MinAge = 3);
        var oldest = await rencontres.WaitingAsync(espace);
        var baby = await rencontres.WaitingAsync(espace, r => r.Children[0].BirthDate = Today.AddYears(-1).ToProto());
        var apart = await rencontres.WaitingAsync(espace, r => r.Decision.InterdictionDeContact = true);
        var ending = await rencontres.WaitingAsync(espace, r => r.Decision.DurationMonths = 1);
        var protection = await rencontres.WaitingAsync(espace, r => r.Decision.LegalBasis = LegalBasis.Article51511);
        // The visiteur of the one who is kept apart comes that morning with another child.
        var visiteur = (await jafer.GetAsync(apart)).Parties.Single(p => p.Role == PartyRole.Visiteur);
        var there = await rencontres.WaitingAsync(espace, r =>
        {
            var party = r.Parties.Single(p => p.Role == PartyRole.Visiteur);
            (party.GivenName, party.FamilyName) = (visiteur.GivenName, visiteur.FamilyName);
        });
        await rencontres.BookAsync(there, 10, 9, r => r.DurationMinutes = 60);
        var slot = await FreedAsync(espace, 10, close: true);

        var candidates = (await rencontres.AsEspace.ListSlotCandidatesAsync(new() { FreeSlotId = slot.FreeSlotId })).Candidates;

        Assert.Equal(
            [(protection, SlotUrgency.Protection), (ending, SlotUrgency.TermNear), (oldest, SlotUrgency.None)], candidates.Select(c => (c.Mesure.MesureId, c.Urgency)));
        Assert.Equal(["AGE_NOT_RECEIVED"], (await Refusal.OfAsync(() => TakeAsync(slot, baby))).Rules);
        Assert.Equal(["KEPT_APART"], (await Refusal.OfAsync(() => TakeAsync(slot, apart))).Rules);
    }

    [Fact]
    public async Task InOrderOfOffering_AnyMesures_IsTheOrderOfTheirClaims()
    {
        var (espace, random, day) = (NewId(), new Random(7), new DateOnly(2026, 4, 1));
        var ids = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            ids.Add(await rencontres.WaitingAsync());
        }

        await using var scope = jafer.First.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
        for (var round = 0; round < 25; round++)
        {
            foreach (var id in ids)
            {
                // Few values each, so that ties come.
                var (state, basis) = (random.Next(3) > 0 ? "EN_ATTENTE" : "EN_COURS", random.Next(3) > 0 ? "ARTICLE_373_2_9" : "ARTICLE_515_11");
                var term = random.Next(3) == 0 ? (DateOnly?)null : new DateOnly(2026, 5, 31).AddDays(random.Next(3));
                var transmitted = random.Next(4) == 0 ? (DateTimeOffset?)null : new DateTimeOffset(2026, 1, 1 + random.Next(3), 0, 0, 0, TimeSpan.Zero);
                await db.Database.ExecuteSqlAsync($"""
                    update mesures set espace_id = {Guid.Parse(espace)}, state = {state}, decision_legal_basis = {basis}, term = {term}, transmitted_at = {transmitted},
                        created_at = timestamptz '2026-01-02' where id = {Guid.Parse(id)}
                    """, TestContext.Current.CancellationToken);
            }

            var mesures = db.Mesures.AsNoTracking().Where(m => m.EspaceId == Guid.Parse(espace));
            var stored = await mesures.InOrderOfOffering(day).ToListAsync(TestContext.Current.CancellationToken);
            var claims = stored.Select(m => SlotClaim.Of(m, day)).ToList();
            Assert.Equal(claims.Order(), claims);
            var after = random.Next(claims.Count);
            Assert.Equal(
                stored.Skip(after + 1).Select(m => m.Id),
                (await mesures.After(claims[after], day).InOrderOfOffering(day).ToListAsync(TestContext.Current.CancellationToken)).Select(m => m.Id));
        }
    }

    [Fact]
    public async Task ListRencontresInDoubt_TwoAbsencesOrASuspension_IsToldAndFreesNothing()
    {
        var espace = await rencontres.EspaceAsync(10);
        var absent = await rencontres.WaitingAsync(espace, r => (r.Decision.DecisionDate, r.Decision.DurationMonths) = (Today.AddDays(-60).ToProto(), 12));
        foreach (var days in new[] { -20, -10 })
        {
            var missed = await rencontres.BookAsync(absent, days);
            await rencontres.Mesures.RecordRencontreOutcomeAsync(new() { MesureId = absent, RencontreId = missed, Outcome = RencontreOutcome.VisiteurAbsent, RequestId = NewId() });
        }

        var doubtful = await rencontres.BookAsync(absent, 10);
        await rencontres.BookAsync(absent, 40);
        var suspended = await rencontres.WaitingAsync(espace);
        var paused = await rencontres.BookAsync(suspended, 12);
        await rencontres.Mesures.SuspendMesureAsync(new() { MesureId = suspended, Reason = DifficultyReason.Incident, RequestId = NewId() });
        await rencontres.BookAsync(await rencontres.WaitingAsync(espace), 11);
        var request = new ListRencontresInDoubtRequest { EspaceId = espace.ToString() };

        var told = (await rencontres.AsEspace.ListRencontresInDoubtAsync(request)).Rencontres;

        Assert.Equal(
            [(doubtful, DoubtReason.VisiteurAbsences, 2), (paused, DoubtReason.Suspended, 0)], told.Select(r => (r.RencontreId, r.Reason, r.AbsenceCount)));
        Assert.Equal(At(-10, 10), told[0].SinceTime);
        Assert.Empty(await SlotsAsync(espace));
        request.PageSize = 1;
        var first = await rencontres.AsEspace.ListRencontresInDoubtAsync(request);
        request.PageToken = first.NextPageToken;
        Assert.Equal([paused], (await rencontres.AsEspace.ListRencontresInDoubtAsync(request)).Rencontres.Select(r => r.RencontreId));

        // Asked, the family says that it comes: no doubt is left. Or it does not: the slot is there for others.
        await rencontres.AsEspace.ConfirmRencontreAsync(new() { MesureId = absent, RencontreId = doubtful, PartyRole = PartyRole.Visiteur, RequestId = NewId() });
        await rencontres.AsEspace.CancelRencontreAsync(new() { MesureId = suspended, RencontreId = paused, Outcome = RencontreOutcome.CancelledByEspace, RequestId = NewId() });
        Assert.Empty((await rencontres.AsEspace.ListRencontresInDoubtAsync(new() { EspaceId = espace.ToString() })).Rencontres);
        Assert.Single(await SlotsAsync(espace));
    }

    [Fact]
    public async Task GetSlotOutlook_OfAQueue_TellsWeeksAndMissingSessionsThatCanBeAskedFor()
    {
        var espace = await rencontres.EspaceAsync(1, e =>
        {
            // One slot, on Wednesdays alone.
            e.Ouvertures.RemoveAt(0);
            (e.Ouvertures[0].EndTime, e.Ouvertures[0].SlotMinutes) = (new TimeOfDay { Hours = 11 }, 120);
        });
        var sessions = new SessionService.SessionServiceClient(rencontres.Channel("espace", Gestionnaire));
        var outlook = new GetSlotOutlookRequest { EspaceId = espace.ToString(), Modalite = Modalite.Visite };
        var quiet = await OutlookAsync(outlook);
        Assert.All(quiet.Weeks, w => Assert.True(w.Served));
        Assert.Equal((8, 0, 0, true, false), (quiet.Weeks.Count, quiet.WaitingCount, quiet.ExtraSessionsPerWeek, quiet.OpeningKnown, quiet.HasP80Days));

        var weekly = new Periodicity { RencontreCount = 1, IntervalCount = 1, Unit = PeriodicityUnit.Week };
        for (var i = 0; i < 4; i++)
        {
            await rencontres.WaitingAsync(espace, r => r.Decision.Periodicity = weekly);
        }

        await jafer.MesureInAsync(MesureState.Recue, r => r.EspaceId = espace.ToString());
        var crowded = await OutlookAsync(outlook);
        Assert.Equal((4, 1, false, 1), (crowded.WaitingCount, crowded.OnTheWayCount, crowded.HasP80Days, crowded.FamiliesPerSession));
        Assert.False(crowded.Weeks[7].Served);
        Assert.True(crowded.TargetReachable && crowded.ExtraSessionsPerWeek is > 0 and <= 5 && crowded.P80DaysWithExtra <= 60);
        Assert.Equal(["target_p80_days"], (await Refusal.OfAsync(sessions.GetSlotOutlookAsync(new() { EspaceId = espace.ToString(), Modalite = Modalite.Visite, TargetP80Days = 731 }))).Fields);

        var ask = new RequestExtraSessionsRequest
        {
            EspaceId = espace.ToString(),
            Modalite = Modalite.Visite,
            SessionsPerWeek = crowded.ExtraSessionsPerWeek,
            UntilDate = Today.AddDays(90).ToProto(),
            RequestId = NewId(),
        };
        var asked = await sessions.RequestExtraSessionsAsync(ask);
        Assert.Equal(asked, await sessions.RequestExtraSessionsAsync(ask));
        Assert.Equal(ExtraSessionState.Asked, asked.Request.State);
        ask.RequestId = NewId();
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(sessions.RequestExtraSessionsAsync(ask))).Reason);

        var answer = new AnswerExtraSessionsRequest { SessionRequestId = asked.Request.SessionRequestId, Answer = ExtraSessionState.Agreed, RequestId = NewId() };
        Assert.Equal("CALLER_FORBIDDEN", (await CodeOfAsync(sessions.AnswerExtraSessionsAsync(answer))).Reason);
        var other = new SessionService.SessionServiceClient(rencontres.PersonsChannel("espace", OtherGestionnaire));
        var person = new SessionService.SessionServiceClient(rencontres.PersonsChannel("espace", Gestionnaire));
        Assert.Equal("CALLER_FORBIDDEN", (await CodeOfAsync(other.AnswerExtraSessionsAsync(answer))).Reason);
        Assert.Equal(["answer"], (await Refusal.OfAsync(person.AnswerExtraSessionsAsync(new() { SessionRequestId = NewId(), Answer = ExtraSessionState.Asked, RequestId = NewId() }))).Fields);
        Assert.Equal(ExtraSessionState.Agreed, (await person.AnswerExtraSessionsAsync(answer)).Request.State);
        answer.RequestId = NewId();
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(person.AnswerExtraSessionsAsync(answer))).Reason);
        await sessions.RequestExtraSessionsAsync(ask);
        var listed = (await sessions.ListExtraSessionRequestsAsync(new() { EspaceId = espace.ToString() })).Requests;
        Assert.Equal([ExtraSessionState.Asked, ExtraSessionState.Agreed], listed.Select(r => r.State));
        var page = await sessions.ListExtraSessionRequestsAsync(new() { EspaceId = espace.ToString(), PageSize = 1 });
        Assert.Equal([listed[1]], (await sessions.ListExtraSessionRequestsAsync(new() { EspaceId = espace.ToString(), PageSize = 1, PageToken = page.NextPageToken })).Requests);
        Assert.Empty((await other.ListExtraSessionRequestsAsync(new() { EspaceId = espace.ToString() })).Requests);
        var byOperator = new SessionService.SessionServiceClient(rencontres.Channel("operateur", OtherCourt));
        Assert.Single((await byOperator.ListExtraSessionRequestsAsync(new() { EspaceId = espace.ToString(), States = { ExtraSessionState.Agreed } })).Requests);
    }

    // A directory that is slow for a moment is asked again, as the refusal says.
    private async Task<GetSlotOutlookResponse> OutlookAsync(GetSlotOutlookRequest request)
    {
        var sessions = new SessionService.SessionServiceClient(rencontres.Channel("espace", Gestionnaire));
        GetSlotOutlookResponse? outlook = null;
        await Eventually.BecomesAsync(
            async () => await Refusal.OrNullAsync(async () => outlook = await sessions.GetSlotOutlookAsync(request)), r => r?.Code != StatusCode.Unavailable, "the directory answers");
        return outlook!;
    }

    private async Task<TakeFreeSlotResponse> TakeAsync(FreeSlot slot, string id) =>
        await rencontres.AsEspace.TakeFreeSlotAsync(new() { FreeSlotId = slot.FreeSlotId, MesureId = id, RequestId = NewId() });
}
