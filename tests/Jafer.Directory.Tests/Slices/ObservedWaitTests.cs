using System.Globalization;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>The waits that Jafer observes itself, from what the mesure service tells. Each test has a modalité, and so a région, of its own.</summary>
public class ObservedWaitTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private const Modalite Own = Modalite.VisitePresenceContinue;

    private WaitService.WaitServiceClient Waits { get; } = new(directory.Host.Channel(Roles.Juridiction, StableIds.Court("tj69123")));

    // At noon, so that the hour of summer moves no day.
    private static readonly DateTimeOffset s_begin = new(Today.AddDays(-100).ToDateTime(new TimeOnly(12, 0)), TimeSpan.Zero);

    [Fact]
    public async Task SearchEspaces_FirstRencontresSeen_ShowsTheObservedWaitBesideTheDeclaredOne()
    {
        await directory.ImportAsync(Espace("o-seen", wait: 30), Espace("o-few", wait: 30), Espace("o-much", wait: 30));
        // Six at the one, of which one had a later rencontre told before the first, and one is closed without any; four at another; and
        // 31 at a third, so that the région saw 40.
        var (seen, few, much) = (Mesures(6, "o-seen"), Mesures(4, "o-few"), Mesures(31, "o-much"));
        await directory.Host.PublishAsync<DirectoryDbContext>(
        [
            .. seen.Concat(few).Select(m => m.Transmitted(s_begin)),
            Held(seen[0], 80), .. seen[..5].Select((m, i) => Held(m, 10 * (i + 1))), Held(seen[1], 90), Closed(seen[5]), .. few.Select(m => Held(m, 5)),
            .. much.Select(m => m.Transmitted(s_begin)), .. much.Select(m => Held(m, 70)),
        ]);

        // A third of the figures is its own, the rest its région's: 40 of which three quarters passed on day 70.
        await ShowsAsync("o-seen", Modalite.Visite, (70, 70, 70, 5));
        var found = await directory.Court.SearchEspacesAsync(
            new() { Mesure = new() { Modalite = Modalite.Visite }, EspaceIds = { IdOf("o-seen").ToString(), IdOf("o-few").ToString() } }, cancellationToken: Cancel);
        var result = found.Results.Single(r => r.EspaceId == IdOf("o-seen").ToString());
        Assert.Equal((30, "aalen-johansen-24-months"), (result.DeclaredWait.Days, result.ObservedWait.Method));
        Assert.Equal((1 / 3d, WaitTrend.Steady), (result.ObservedWait.OwnWeight, result.ObservedWait.Trend));
        Assert.Equal((Today.AddMonths(-24).AddDays(1).ToProto(), Today.ToProto()), (result.ObservedWait.WindowStartDate, result.ObservedWait.WindowEndDate));
        // Four are too few to be told: what is shown is the région's.
        var ofRegion = found.Results.Single(r => r.EspaceId == IdOf("o-few").ToString()).ObservedWait;
        Assert.Equal((0, 0d, 70, WaitTrend.Unspecified), (ofRegion.SampleSize, ofRegion.OwnWeight, ofRegion.MedianDays, ofRegion.Trend));

        // Nor is its queue looked at; that of the other counts beside the wait that it declared.
        var unseen = found.Results.Single(r => r.EspaceId == IdOf("o-few").ToString());
        Assert.Equal((ForecastBasis.DeclaredWait, 0, Today.AddDays(30).ToProto()), (unseen.Forecast.Basis, unseen.Forecast.PastForecastCount, unseen.ExpectedFirstVisitDate));
        Assert.Equal((Today.AddDays(15).ToProto(), Today.AddDays(58).ToProto()), (unseen.Forecast.EarliestDate, unseen.Forecast.LatestDate));
        Assert.Equal(ForecastBasis.DeclaredWaitAndQueue, result.Forecast.Basis);
        Assert.NotEqual(unseen.ExpectedFirstVisitDate, result.ExpectedFirstVisitDate);
    }

    [Fact]
    public async Task GetObservedWaits_StepsToldInAnyOrder_TellsEachOfThem()
    {
        await directory.ImportAsync(Espace("o-steps", modalite: Modalite.VisiteTiers), Espace("o-steps-2", modalite: Modalite.VisiteTiers));
        var court = StableIds.Court("tj75056");
        var mesures = Mesures(8, "o-steps", modalite: Modalite.VisiteTiers, court: court);
        await directory.Host.PublishAsync<DirectoryDbContext>(
        [
            .. mesures.Select(m => m.Transmitted(s_begin)),
            // A later contact told first, an attempt that reached nobody, a series of which the second date is told first.
            .. mesures.Select(m => m.Contact("ESPACE", s_begin.AddDays(12))), .. mesures.Select(m => m.Contact("FAMILLE", s_begin.AddDays(2))),
            .. mesures.Select(m => m.Contact("ESPACE", s_begin.AddDays(10))),
            .. mesures[..7].Select(m => m.Scheduled(s_begin.AddDays(54), s_begin.AddDays(30))), .. mesures[..7].Select(m => m.Scheduled(s_begin.AddDays(40), s_begin.AddDays(30))),
            .. mesures[..7].Select(m => m.Scheduled(s_begin.AddDays(35), s_begin.AddDays(33))), .. mesures[..7].Select(m => Held(m, 54)),
        ]);
        var request = new GetObservedWaitsRequest { EspaceId = IdOf("o-steps").ToString(), Modalite = Modalite.VisiteTiers };
        var told = await Eventually.BecomesAsync(
            async () => await Waits.GetObservedWaitsAsync(request), t => t.Rows.Count == 6 && t.Rows.All(r => r.Points.Any(i => i.PassedShare == 0.875)), "seven of eight passed each step");

        Assert.Equal(
            [(WaitStart.Transmission, WaitEnd.Scheduled, 30), (WaitStart.Transmission, WaitEnd.Planned, 40), (WaitStart.Transmission, WaitEnd.Held, 54),
             (WaitStart.FirstContact, WaitEnd.Scheduled, 20), (WaitStart.FirstContact, WaitEnd.Planned, 30), (WaitStart.FirstContact, WaitEnd.Held, 44)],
            told.Rows.Select(r => (r.Start, r.End, r.Median.Days)));
        // One of eight still waits: its number would tell of a family, the figures do not.
        var held = told.Rows.Single(r => r is { Start: WaitStart.Transmission, End: WaitEnd.Held });
        Assert.Equal((true, 0, 0, false, 1d), (held.CountsWithheld, held.PassedCount, held.WaitingCount, held.Suppressed, held.EventualShare));
        Assert.Equal([(30, 0d, 1d), (60, 0.875, 0.125), (90, 0.875, 0.125)], held.Points.Select(i => (i.Days, i.PassedShare, i.WaitingShare)));
        Assert.InRange(held.Points[1].PassedLowShare, 0.3, 0.87);
        Assert.Equal((54, 1.0), (held.Pooled.MedianDays, Math.Round(held.Pooled.OwnWeight + (10d / 17), 12)));

        // The same mesures are those of their court, their département and région; another court and espace have none.
        foreach (var same in new GetObservedWaitsRequest[] { new() { JuridictionId = court.ToString() }, new() { Departement = "69" }, new() { Region = "84" }, new() })
        {
            (same.Modalite, same.Start, same.End) = (Modalite.VisiteTiers, WaitStart.Transmission, WaitEnd.Held);
            Assert.Equal(54, Assert.Single((await Waits.GetObservedWaitsAsync(same)).Rows).Median.Days);
        }
        Assert.Empty((await Waits.GetObservedWaitsAsync(new() { EspaceId = IdOf("o-steps-2").ToString() })).Rows);
        Assert.Empty((await Waits.GetObservedWaitsAsync(new() { JuridictionId = StableIds.Court("tj69123").ToString(), Modalite = Modalite.VisiteTiers })).Rows);
    }

    [Fact]
    public async Task GetObservedWaits_SameStoriesToldInAnotherOrder_GivesTheSameFigures()
    {
        const Modalite handover = Modalite.RemiseEnfant;
        var random = new Random(8);
        await directory.ImportAsync(Espace("o-ordered", modalite: handover), Espace("o-shuffled", modalite: handover));
        await TellAsync("o-ordered", steps => steps);
        await TellAsync("o-shuffled", steps => [.. steps.OrderBy(_ => random.Next())]);

        var rows = await Eventually.BecomesAsync(
            async () => (Ordered: await RowsAsync("o-ordered"), Shuffled: await RowsAsync("o-shuffled")), r => r.Ordered.Count == 6 && r.Ordered.Equals(r.Shuffled), "the same figures of both");

        // Of sixteen twelve met, one of them only after its outcome was corrected, and one was closed.
        var held = rows.Ordered.Single(r => r is { Start: WaitStart.Transmission, End: WaitEnd.Held });
        Assert.Equal((1 / 16d, 3 / 16d), (held.Points[^1].EndedShare, held.Points[^1].WaitingShare), (x, y) => Math.Abs(x.Item1 - y.Item1) + Math.Abs(x.Item2 - y.Item2) < 1e-9);

        // What is told late has a later version and its own day: the transmission alone comes before all else.
        async Task TellAsync(string espace, Func<Func<DomainEvent>[], Func<DomainEvent>[]> order)
        {
            var mesures = Mesures(16, espace, modalite: handover);
            var steps = mesures.SelectMany((mesure, i) => Story(mesure, i)).ToArray();
            await directory.Host.PublishAsync<DirectoryDbContext>([.. mesures.Select((mesure, i) => mesure.Transmitted(s_begin.AddDays(i % 4))), .. order(steps).Select(step => step())]);
        }

        async Task<Google.Protobuf.Collections.RepeatedField<ObservedWaitRow>> RowsAsync(string espace) =>
            (await Waits.GetObservedWaitsAsync(new() { EspaceId = IdOf(espace).ToString(), Modalite = handover })).Rows;

        static IEnumerable<Func<DomainEvent>> Story(TestMesure mesure, int i) =>
        [
            () => mesure.Contact("FAMILLE", s_begin.AddDays(5 + i)), () => mesure.Contact("ESPACE", s_begin.AddDays(3 + i)),
            () => mesure.Scheduled(s_begin.AddDays(30 + i), s_begin.AddDays(12 + i)),
            .. i < 11 ? [() => Held(mesure, 30 + (2 * i)), () => Held(mesure, 60 + i)]
                : i == 11 ? [() => Corrected(mesure, 50, "VISITEUR_ABSENT", "HELD")]
                : i == 12 ? [() => Closed(mesure)]
                : Array.Empty<Func<DomainEvent>>(),
        ];
    }

    [Fact]
    public async Task GetObservedWaits_FewSeen_TellsNothingOfThem()
    {
        await directory.ImportAsync(Espace("o-four", modalite: Modalite.VisiteDetention));
        var mesures = Mesures(6, "o-four", modalite: Modalite.VisiteDetention);
        await directory.Host.PublishAsync<DirectoryDbContext>([.. mesures.Select(m => m.Transmitted(s_begin)), .. mesures[..4].Select(m => Held(m, 30))]);
        var request = new GetObservedWaitsRequest { EspaceId = IdOf("o-four").ToString(), Start = WaitStart.Transmission, End = WaitEnd.Held };

        var row = await Eventually.BecomesAsync(async () => (await Waits.GetObservedWaitsAsync(request)).Rows.SingleOrDefault(), r => r is not null, "a row");

        Assert.Equal(new ObservedWaitRow { Modalite = Modalite.VisiteDetention, Start = WaitStart.Transmission, End = WaitEnd.Held, Suppressed = true }, row);
    }

    [Fact]
    public async Task GetObservedWaits_AskedBadly_SaysWhere()
    {
        var bad = await Refusal.OfAsync(Waits.GetObservedWaitsAsync(
            new() { EspaceId = "x", Departement = "00", Region = "00", JuridictionId = "x", Modalite = (Modalite)99, Start = (WaitStart)99, End = (WaitEnd)99 }));
        var two = await Refusal.OfAsync(Waits.GetObservedWaitsAsync(new() { Departement = "69", Region = "84" }));
        var unknown = await Refusal.OfAsync(Waits.GetObservedWaitsAsync(new() { EspaceId = TestMesure.NewId().ToString() }));

        Assert.Equal(["departement", "end", "espace_id", "juridiction_id", "modalite", "region", "start"], bad.Fields.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(["region"], two.Fields);
        Assert.Equal("RESOURCE_NOT_FOUND", unknown.Reason);
    }

    [Fact]
    public async Task SearchEspaces_TransmittedSinceTheWaitWasDeclared_SendsTheNextOneElsewhere()
    {
        // Ten slots a week: about one mesure begins in a week, and each that is transmitted adds six days to the wait.
        const Modalite queue = Modalite.SortieAccompagnee;
        var (near, other) = (Espace("o-near", wait: 30, modalite: queue), Espace("o-other", wait: 40, modalite: queue));
        (near.Modalites[0].SlotsPerWeek, other.Modalites[0].SlotsPerWeek) = (10, 10);
        await directory.ImportAsync(near, other);
        Assert.Equal([IdOf("o-near"), IdOf("o-other")], await FoundAsync());

        await directory.Host.PublishAsync<DirectoryDbContext>([.. Mesures(4, "o-near", modalite: queue).Select(m => m.Transmitted())]);

        // Two of the four already turn the order about: waits for all of them.
        var reasons = await Eventually.BecomesAsync(
            async () => (await ResultAsync("o-near", queue)).Reasons.ToDictionary(r => r.Code, r => r.Value),
            told => told.GetValueOrDefault(RankingReasonCode.QueueChange) is >= 20 and <= 30, "four mesures ahead");
        Assert.Equal([IdOf("o-other"), IdOf("o-near")], await FoundAsync());
        Assert.Equal(30, reasons[RankingReasonCode.Wait]);
        Assert.Equal(Today.AddDays(30 + reasons[RankingReasonCode.QueueChange]).ToProto(), (await ResultAsync("o-near", queue)).ExpectedFirstVisitDate);

        async Task<Guid[]> FoundAsync() => [.. (await directory.Court.SearchEspacesAsync(new() { Mesure = new() { Modalite = queue } })).Results.Select(r => Guid.Parse(r.EspaceId))];
    }

    [Fact]
    public async Task SearchEspaces_ClosingTakenBackOrOutcomeCorrected_FollowsWhatIsTrue()
    {
        await directory.ImportAsync(Espace("o-true", modalite: Own));
        var mesures = Mesures(6, "o-true", modalite: Own);
        await directory.Host.PublishAsync<DirectoryDbContext>(
            [.. mesures.Select(m => m.Transmitted(s_begin)), .. mesures[..5].Select((m, i) => Held(m, 10 * (i + 1))), Closed(mesures[5])]);
        await ShowsAsync("o-true", Own, (30, 40, 50, 5));

        await directory.Host.PublishAsync<DirectoryDbContext>(mesures[5].Reopened());
        await ShowsAsync("o-true", Own, (30, 50, 0, 6));

        await directory.Host.PublishAsync<DirectoryDbContext>(Corrected(mesures[5], 1, "VISITEUR_ABSENT", "HELD"));
        await ShowsAsync("o-true", Own, (20, 40, 50, 6));

        await directory.Host.PublishAsync<DirectoryDbContext>(
            Corrected(mesures[0], 10, "HELD", "VISITEUR_ABSENT"), Held(mesures[0], 60));
        await ShowsAsync("o-true", Own, (30, 50, 60, 6));
    }

    [Fact]
    public async Task SearchEspaces_MesuresThatNoJudgeOrdered_AreNotObserved()
    {
        await directory.ImportAsync(Espace("o-free", modalite: Modalite.VisiteVisio));
        var mesures = Mesures(5, "o-free", ordered: false, modalite: Modalite.VisiteVisio);
        await directory.Host.PublishAsync<DirectoryDbContext>([.. mesures.Select(m => m.Created()), .. mesures.Select(m => Held(m, 5))]);

        await Eventually.BecomesAsync(async () => (await ResultAsync("o-free", Modalite.VisiteVisio)).DemandBalance.ReceivedCount, count => count == 5, "five mesures received");
        Assert.Null((await ResultAsync("o-free", Modalite.VisiteVisio)).ObservedWait);
    }

    [Fact]
    public async Task Demand_TermsAndPlaces_AreNotedAsTheyAreTold()
    {
        await directory.ImportAsync(Espace("o-placed"));
        var (mesure, free) = (Mesures(1, "o-placed")[0], Mesures(1, "o-placed", ordered: false)[0]);
        var transmitted = mesure.Transmitted(s_begin) with { DurationMonths = 6, RencontresPerYear = 24 };
        var (slot, series) = (mesure.Scheduled(s_begin.AddDays(40), s_begin.AddDays(30)), mesure.Scheduled(s_begin.AddDays(60), s_begin.AddDays(50)));
        var first = mesure.Modified() with { OccurredAt = s_begin.AddDays(70), DurationMonths = 9, TermDate = new(2027, 3, 1), RencontresPerYear = 12 };
        var second = mesure.Modified() with { OccurredAt = s_begin.AddDays(80), DurationMonths = 12, TermDate = new(2027, 6, 1), RencontresPerYear = 26 };

        // A freed slot is a rencontre, and no place; what was modified last holds, though it is told first.
        await directory.Host.PublishAsync<DirectoryDbContext>(transmitted, slot with { FreeSlotId = TestMesure.NewId() });
        await NotedAsync(mesure, $"24 6 - - - - {Day(30)} -");
        await directory.Host.PublishAsync<DirectoryDbContext>(second, series, first);
        await NotedAsync(mesure, $"26 6 - {Day(80)} 12 2027-06-01 {Day(30)} {Day(50)}");

        // What no judge ordered takes a place as well.
        await directory.Host.PublishAsync<DirectoryDbContext>(
            free.Created() with { OccurredAt = s_begin, TermDate = new(2027, 1, 4) }, free.Scheduled(s_begin.AddDays(9), s_begin.AddDays(2)), free.Contact("ESPACE", s_begin.AddDays(1)));
        await NotedAsync(free, $"- - 2027-01-04 - - - {Day(2)} {Day(2)}");

        string Day(int days) => s_begin.AddDays(days).DayInParis().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Task NotedAsync(TestMesure of, string expected) => Eventually.BecomesAsync(
            () => directory.Database.ReadAsync<string>($"""
                select coalesce((select concat_ws(' ', coalesce(rencontres_per_year::text, '-'), coalesce(duration_months::text, '-'), coalesce(term_on::text, '-'), coalesce(revised_on::text, '-'),
                    coalesce(revised_months::text, '-'), coalesce(revised_term_on::text, '-'), coalesce(scheduled_on::text, '-'), coalesce(placed_on::text, '-'))
                    from mesure_receptions where mesure_id = '{of.Id}'), '')
                """),
            noted => noted == expected, expected);
    }

    private async Task ShowsAsync(string espace, Modalite modalite, (int, int, int, int) expected) => await Eventually.BecomesAsync(
        async () => (await ResultAsync(espace, modalite)).ObservedWait is { } o ? (o.MedianDays, o.P80Days, o.P90Days, o.SampleSize) : default, seen => seen == expected, $"{expected} seen");

    private async Task<EspaceResult> ResultAsync(string espace, Modalite modalite) => (await directory.Court.CheckDesignationAsync(
        new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = modalite } }, cancellationToken: Cancel)).Result;

    private static TestMesure[] Mesures(int count, string espace, bool ordered = true, Modalite modalite = Modalite.Visite, Guid? court = null) =>
    [
        .. Enumerable.Range(0, count).Select(_ => new TestMesure(ordered ? court ?? StableIds.Court("tj69123") : null, StableIds.Gestionnaire("test", "G-" + espace))
        {
            EspaceId = IdOf(espace),
            Modalite = modalite.ToCode(),
        }),
    ];

    // They came a hundred days ago; what follows comes so many days later.
    private static RencontreHeld Held(TestMesure mesure, int days) => mesure.Held(RencontreOf(mesure, days), s_begin.AddDays(days));

    private static RencontreOutcomeCorrected Corrected(TestMesure mesure, int days, string before, string after) =>
        mesure.Corrected(RencontreOf(mesure, days), s_begin.AddDays(days), before, after);

    private static MesureClosed Closed(TestMesure mesure) => mesure.Closed() with { OccurredAt = s_begin };

    private static Guid RencontreOf(TestMesure mesure, int days) => StableIds.For($"{mesure.Id}:{days}");
}
