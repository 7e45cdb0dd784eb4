using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Delays;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Simulation.Replay;

/// <summary>A figure as the books have it beside what a service reports.</summary>
/// <param name="Name">What is counted.</param>
/// <param name="Books">By the books.</param>
/// <param name="Services">By the services.</param>
internal readonly record struct Figure(string Name, string Books, string Services)
{
    /// <summary>Whether they are the same.</summary>
    public bool IsEqual => Books == Services;

    /// <summary>A figure of two numbers.</summary>
    public static Figure Of(string name, long books, long services) =>
        new(name, books.ToString("N0", CultureInfo.InvariantCulture), services.ToString("N0", CultureInfo.InvariantCulture));
}

/// <summary>
/// Puts what the services report beside what follows from the books. Nothing is compared within a tolerance; what a service withholds because
/// it would tell of few families must be withheld by the books too, and is counted apart.
/// </summary>
internal sealed class Reconciliation(ReplayPlan plan, Stage stage, IReadOnlyList<Life> lives, IReadOnlyDictionary<int, string> ids, Callers callers, DateOnly playedOn, int concurrency)
{
    private const int SampledHistories = 40;

    private static readonly (Worklist List, Func<Life, DateOnly, bool> On)[] s_ofEspaces =
    [
        (Worklist.DangersNonSignales, (_, _) => false),
        (Worklist.AAccuserReception, (l, _) => l.State == MesureState.Transmise),
        (Worklist.APrendreEnCharge, (l, _) => l.State == MesureState.Recue),
        (Worklist.AContacter, (l, _) => l.State == MesureState.PriseEnCharge),
        (Worklist.AProgrammer, (l, _) => l.State == MesureState.EnAttente || (l.State == MesureState.EnCours && l.Pending == 0)),
        (Worklist.IssueManquante, (l, _) => !l.IsClosed && l.Pending > 0 && l.Rencontres[^1] <= TimeProvider.System.GetUtcNow()),
        (Worklist.SansContact, (_, _) => false),
        (Worklist.SansPremiereRencontre, (l, t) => !l.IsClosed && l.FirstHeld is null && l.Ordered <= t.AddDays(-90)),
    ];

    private static readonly (Worklist List, Func<Life, DateOnly, bool> On)[] s_ofCourts =
    [
        (Worklist.DangersNonSignales, (_, _) => false),
        (Worklist.PrecisionDemandee, (_, _) => false),
        (Worklist.ACompleter, (_, _) => false),
        (Worklist.ATransmettre, (l, _) => l.State == MesureState.Completee),
        (Worklist.DifficultesAAccuser, (l, _) => l.Reply == JudgeReply.Silent),
        (Worklist.DifficultesARepondre, (l, _) => l.Reply == JudgeReply.Acknowledged),
        (Worklist.NonDelivree, (_, _) => false),
        (Worklist.SansPremiereRencontre, (l, t) => !l.IsClosed && l.FirstHeld is null && l.Ordered <= t.AddDays(-90)),
        (Worklist.TermeProche, (l, t) => !l.IsClosed && l.IsAtEspace && l.Term <= t.AddMonths(2)),
    ];

    // What the step of a life is in the history, and in the feeds.
    private static readonly (string Type, MesureAct Act, Func<Life, long> Of, bool EspaceToo)[] s_events =
    [
        ("mesure.mesure-created.v1", MesureAct.Create, l => l.Court is null ? 0 : 1, false),
        ("mesure.mesure-completed.v1", MesureAct.Complete, l => l.Court is null ? 0 : 1, false),
        ("mesure.mesure-transmitted.v1", MesureAct.Transmit, l => l.Count(StepKind.Transmit), true),
        ("mesure.mesure-retrieved.v1", MesureAct.Retrieve, l => l.IsAtEspace ? 1 : 0, true),
        ("mesure.mesure-acknowledged.v1", MesureAct.Acknowledge, l => l.Count(StepKind.Acknowledge), true),
        ("mesure.charge-taken.v1", MesureAct.TakeCharge, l => l.Count(StepKind.TakeCharge), true),
        ("mesure.contact-recorded.v1", MesureAct.ContactReached, l => l.Count(StepKind.Contact), true),
        ("mesure.interview-recorded.v1", MesureAct.Interview, l => l.Count(StepKind.Interview), true),
        ("mesure.rencontre-scheduled.v1", MesureAct.ScheduleRencontre, l => l.Count(StepKind.Schedule), true),
        ("mesure.rencontre-held.v1", MesureAct.RencontreHeld, l => l.Count(StepKind.Held), true),
        ("mesure.rencontre-not-held.v1", MesureAct.RencontreNotHeld, l => l.Count(StepKind.NotHeld), true),
        ("mesure.remise-return-recorded.v1", MesureAct.RecordRemiseReturn, l => l.Count(StepKind.Returned), true),
        ("mesure.difficulty-reported.v1", MesureAct.ReportDifficulty, l => l.Count(StepKind.Difficulty), true),
        ("mesure.difficulty-acknowledged.v1", MesureAct.AcknowledgeDifficulty, l => l.Reply is JudgeReply.Acknowledged or JudgeReply.Answered ? 1 : 0, true),
        ("mesure.difficulty-answered.v1", MesureAct.AnswerDifficulty, l => l.Reply == JudgeReply.Answered ? 1 : 0, true),
        ("mesure.mesure-closed.v1", MesureAct.Close, l => l.IsClosed ? 1 : 0, true),
        ("mesure.rencontre-cancelled.v1", MesureAct.CancelRencontre, _ => 0, true),
        ("mesure.mesure-suspended.v1", MesureAct.Suspend, _ => 0, true),
    ];

    private static readonly string[] s_declared = ["PERSONNEL", "ETP", "RESSOURCES"];

    private static DateOnly Today => TimeProvider.System.TodayInParis();

    private readonly Caller[] _espaces = [.. lives.Where(l => l.IsAtEspace).Select(l => stage.GestionnaireOf(l.Site)).Distinct()];
    private readonly Caller[] _courts = [.. lives.Where(l => l.Court is not null).Select(l => Stage.CourtOf(l.Court!)).Distinct()];

    /// <summary>Figures of each group, and the seconds until they were equal or given up.</summary>
    public List<(string What, int Count, double Seconds)> Times { get; } = [];

    /// <summary>The gestionnaires that played.</summary>
    public IReadOnlyCollection<Caller> Gestionnaires => _espaces;

    /// <summary>For each year the figures of the survey by code: as the books have them, and as the returns of all gestionnaires sum up.</summary>
    public SortedDictionary<int, Dictionary<string, (long Books, long Returns)>> SurveyFigures { get; } = [];

    /// <summary>The figures, each group asked again until it is equal or <paramref name="patience"/> has passed without any change.</summary>
    /// <param name="patience">How long services may take to follow.</param>
    /// <param name="say">Tells what is being compared.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<List<Figure>> CompareAsync(TimeSpan patience, Action<string> say, CancellationToken ct)
    {
        var figures = new List<Figure>();
        foreach (var (what, ask) in ((string, Func<CancellationToken, Task<List<Figure>>>)[])
            [
                ("outboxes and dead letters", OutboxesAsync), ("intake", IntakeAsync), ("mesures", MesuresAsync), ("worklists", WorklistsAsync), ("histories", HistoriesAsync),
                ("feeds", FeedsAsync), ("delays", DelaysAsync), ("impact", ImpactAsync), ("survey", SurveyAsync), ("observed waits", WaitsAsync),
            ])
        {
            say($"comparing {what}");
            var start = TimeProvider.System.GetTimestamp();
            var settled = await SettleAsync(ask, patience, ct);
            figures.AddRange(settled);
            Times.Add((what, settled.Count, TimeProvider.System.GetElapsedTime(start).TotalSeconds));
        }
        return figures;
    }

    /// <summary>A table of the figures as Markdown, those that differ first.</summary>
    public static string Table(IEnumerable<Figure> figures)
    {
        var text = new StringBuilder("| Figure | Books | Services | |\n|---|---|---|---|\n");
        foreach (var figure in figures.OrderBy(f => f.IsEqual))
            text.Append(CultureInfo.InvariantCulture, $"| {figure.Name} | {figure.Books} | {figure.Services} | {(figure.IsEqual ? "equal" : "**differs**")} |\n");
        return text.ToString();
    }

    private static async Task<List<Figure>> SettleAsync(Func<CancellationToken, Task<List<Figure>>> ask, TimeSpan patience, CancellationToken ct)
    {
        var figures = await ask(ct);
        var changed = TimeProvider.System.GetTimestamp();
        while (figures.Exists(f => !f.IsEqual) && TimeProvider.System.GetElapsedTime(changed) < patience)
        {
            await Task.Delay(500, ct);
            var again = await ask(ct);
            if (!again.SequenceEqual(figures))
                changed = TimeProvider.System.GetTimestamp();
            figures = again;
        }
        return figures;
    }

    private async Task<List<Figure>> OutboxesAsync(CancellationToken ct)
    {
        var figures = new List<Figure>();
        foreach (var service in (string[])["directory", "mesure", "messaging", "notification"])
        {
            var outbox = await callers.CallAsync(service, Stage.Operator, (c, o) => new OperationsService.OperationsServiceClient(c).GetOutboxAsync(new(), o), ct);
            figures.Add(Figure.Of($"{service}: messages not yet sent", 0, outbox.PendingCount));
            figures.Add(Figure.Of($"{service}: messages given up", 0, outbox.ParkedCount));
            figures.Add(new($"{service}: messages that could not be applied", "0", outbox.HasFailedCount ? outbox.FailedCount.ToString(CultureInfo.InvariantCulture) : "unknown"));
        }
        return figures;
    }

    private async Task<List<Figure>> IntakeAsync(CancellationToken ct)
    {
        var figures = new List<Figure>();
        foreach (var result in (IntakeResult[])[IntakeResult.Held, IntakeResult.Superseded, IntakeResult.Refused])
        {
            var counts = await ForEachAsync(_espaces, async caller => (long)(await callers.CallAsync("mesure", caller, (c, o) => new IntakeService.IntakeServiceClient(c).ListIntakeItemsAsync(
                new ListIntakeItemsRequest { SourceSystem = Player.Software, Result = result, PageSize = 500 }, o), ct)).Items.Count, ct);
            figures.Add(Figure.Of($"items of the intake {result.ToCode()}", 0, counts.Sum()));
        }
        return figures;
    }

    private async Task<List<Figure>> MesuresAsync(CancellationToken ct)
    {
        var byId = lives.Where(l => ids.ContainsKey(l.Number)).ToDictionary(l => ids[l.Number]);
        var seen = new ConcurrentDictionary<string, bool>();
        var (wrong, unknown) = (0L, 0L);
        var states = new ConcurrentDictionary<(MesureState, bool), int>();
        await ForEachAsync([.. _espaces, .. _courts], async caller =>
        {
            var token = "";
            do
            {
                var request = new ListMesuresRequest { PageSize = 200, PageToken = token };
                var page = await callers.CallAsync("mesure", caller, (c, o) => new MesureService.MesureServiceClient(c).ListMesuresAsync(request, o), ct);
                foreach (var mesure in page.Mesures)
                {
                    if (!byId.TryGetValue(mesure.MesureId, out var life))
                    {
                        Interlocked.Increment(ref unknown);
                        continue;
                    }
                    seen[mesure.MesureId] = true;
                    if (!IsAsInTheBooks(mesure, life))
                        Interlocked.Increment(ref wrong);
                    states.AddOrUpdate((mesure.State, caller.Role == "espace"), 1, (_, n) => n + 1);
                }
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            return 0;
        }, ct);

        var figures = new List<Figure>
        {
            Figure.Of("mesures", lives.Count, seen.Count),
            Figure.Of("mesures that are not the replay's", 0, unknown),
            Figure.Of("mesures whose state, espace, term, difficulties or next rencontre differ", 0, wrong),
        };
        foreach (var state in lives.Select(l => l.State).Distinct().Order())
        {
            if (state != MesureState.Completee)
                figures.Add(Figure.Of($"mesures {state.ToCode()}, by their espaces", lives.Count(l => l.State == state), states.GetValueOrDefault((state, true))));
            figures.Add(Figure.Of($"mesures {state.ToCode()}, by their courts", lives.Count(l => l.State == state && l.Court is not null), states.GetValueOrDefault((state, false))));
        }
        return figures;
    }

    private bool IsAsInTheBooks(MesureSummary mesure, Life life) =>
        mesure.State == life.State
        && mesure.EspaceId == stage.EspaceOf(life.Site).ToString()
        && mesure.Modalite == life.Modalite
        && mesure.Nature == (life.Court is null ? MesureNature.NonJudiciaire : MesureNature.Judiciaire)
        && mesure.OpenDifficultyCount == life.OpenDifficulties
        && mesure.DefectCount == 0
        && Equals(mesure.TermDate, life.Term?.ToProto())
        && Equals(mesure.NextRencontreTime, life.Pending > 0 && !life.IsClosed ? life.Rencontres[^1].ToProto() : null);

    private async Task<List<Figure>> WorklistsAsync(CancellationToken ct)
    {
        var found = new ConcurrentDictionary<(string, Worklist), int>();
        await ForEachAsync([.. _espaces, .. _courts], async caller =>
        {
            var lists = await callers.CallAsync("mesure", caller, (c, o) => new WorklistService.WorklistServiceClient(c).GetWorklistsAsync(new(), o), ct);
            foreach (var list in lists.Worklists)
                found.AddOrUpdate((caller.Role, list.Worklist), list.Count, (_, n) => n + list.Count);
            return 0;
        }, ct);
        return
        [
            .. s_ofEspaces.Select(w => Figure.Of($"worklist {w.List.ToCode()} of espaces", lives.Count(l => l.IsAtEspace && w.On(l, Today)), found.GetValueOrDefault(("espace", w.List)))),
            .. s_ofCourts.Select(w => Figure.Of($"worklist {w.List.ToCode()} of courts", lives.Count(l => l.Court is not null && w.On(l, Today)), found.GetValueOrDefault(("juridiction", w.List)))),
        ];
    }

    private async Task<List<Figure>> HistoriesAsync(CancellationToken ct)
    {
        var sample = lives.Where(l => l.IsAtEspace && ids.ContainsKey(l.Number)).OrderByDescending(l => l.Steps.Count).Chunk(Math.Max(1, lives.Count / SampledHistories)).Select(c => c[0]).ToList();
        var acts = new ConcurrentDictionary<MesureAct, int>();
        var wrongTimes = 0;
        await ForEachAsync(sample, async life =>
        {
            var request = new ListMesureEventsRequest { MesureId = ids[life.Number], PageSize = 500 };
            var page = await callers.CallAsync("mesure", stage.GestionnaireOf(life.Site), (c, o) => new MesureService.MesureServiceClient(c).ListMesureEventsAsync(request, o), ct);
            foreach (var e in page.Events)
                acts.AddOrUpdate(e.Act, 1, (_, n) => n + 1);
            var times = page.Events.Where(e => e.SourceSystem == Player.Software).Select(e => e.OccurredTime.ToDateTimeOffset());
            if (!times.SequenceEqual(life.Steps.Where(s => Pushes.IsTold(s.Kind)).Select(s => s.At)))
                Interlocked.Increment(ref wrongTimes);
            return 0;
        }, ct);
        return
        [
            Figure.Of($"of {sample.Count} histories, those in another order or at other times", 0, wrongTimes),
            .. s_events.Select(e => Figure.Of($"{e.Act.ToCode()} in {sample.Count} histories", sample.Sum(e.Of), acts.GetValueOrDefault(e.Act))),
            Figure.Of($"REGISTER in {sample.Count} histories", sample.Sum(l => l.Count(StepKind.Register)), acts.GetValueOrDefault(MesureAct.Register)),
        ];
    }

    private readonly ConcurrentDictionary<Caller, (string Token, Dictionary<string, long> Counts, long HeldInYear)> _read = [];

    // With the types named, so that reading proves no delivery; each look goes on where the one before ended.
    private async Task<List<Figure>> FeedsAsync(CancellationToken ct)
    {
        await ForEachAsync([.. _espaces, .. _courts], async caller =>
        {
            var (token, counts, heldInYear) = _read.GetOrAdd(caller, _ => ("", [], 0));
            while (true)
            {
                var request = new ListEventsRequest { ResumeToken = token, PageSize = 500 };
                request.Types_.AddRange(s_events.Select(e => e.Type));
                var page = await callers.CallAsync("notification", caller, (c, o) => new NotificationService.NotificationServiceClient(c).ListEventsAsync(request, o), ct);
                foreach (var e in page.Events)
                {
                    counts[e.Type] = counts.GetValueOrDefault(e.Type) + 1;
                    heldInYear += e.Type == "mesure.rencontre-held.v1" && IsInYear(Life.DayOf(e.OccurredTime.ToDateTimeOffset())) ? 1 : 0;
                }
                token = page.ResumeToken;
                if (!page.More)
                    break;
            }
            _read[caller] = (token, counts, heldInYear);
            return 0;
        }, ct);

        var figures = new List<Figure>();
        foreach (var (type, _, of, espaceToo) in s_events)
        {
            var ofEspaces = espaceToo ? lives.Where(l => l.IsAtEspace).Sum(of) : type == "mesure.mesure-created.v1" ? lives.Sum(l => l.Count(StepKind.Register)) : 0;
            figures.Add(Figure.Of($"{type} in the feeds of espaces", ofEspaces, Found("espace", type)));
            figures.Add(Figure.Of($"{type} in the feeds of courts", lives.Where(l => l.Court is not null).Sum(of), Found("juridiction", type)));
        }
        figures.Add(Figure.Of("rencontres held in the year", lives.Sum(l => l.Steps.Count(s => s.Kind == StepKind.Held && IsInYear(Life.DayOf(s.At)))), _read.Where(r => r.Key.Role == "espace").Sum(r => r.Value.HeldInYear)));
        return figures;

        long Found(string role, string type) => _read.Where(r => r.Key.Role == role).Sum(r => r.Value.Counts.GetValueOrDefault(type));
    }

    private bool IsInYear(DateOnly day) => day > plan.LastDay.AddDays(Calendar.YearFirst - Calendar.YearEnd) && day <= plan.LastDay;

    private async Task<List<Figure>> DelaysAsync(CancellationToken ct)
    {
        // A month counts once its last decision is a day old.
        var judicial = lives.Where(l => l.Court is not null && l.Ordered < new DateOnly(Today.Year, Today.Month, 1)).ToList();
        var (books, services) = (new Dictionary<DelaySegment, (long, long, long)>(), new ConcurrentDictionary<DelaySegment, (long, long, long)>());
        var wrong = 0;
        await ForEachAsync([.. _espaces, .. _courts], async caller =>
        {
            var answer = await callers.CallAsync("mesure", caller, (c, o) => new DelaysService.DelaysServiceClient(c).GetDelaysAsync(new GetDelaysRequest { MaturityDays = 1 }, o), ct);
            // A gestionnaire learns of a mesure when it is transmitted.
            var own = judicial.Where(l => caller.Role == "juridiction" ? l.Court == caller.Key : l.IsAtEspace && stage.GestionnaireOf(l.Site) == caller).ToList();
            foreach (var segment in System.Enum.GetValues<DelaySegment>().Where(s => s != DelaySegment.Unspecified))
            {
                var counts = Counts(own, segment);
                var row = answer.Rows.SingleOrDefault(r => r.Segment == segment) ?? new DelayRow();
                var estimate = CumulativeIncidence.Of(counts);
                if ((row.ObservedCount, row.WaitingCount, row.ClosedCount) != (counts.Passed, counts.Waiting, counts.Ended)
                    || (row.HasMedianDays ? row.MedianDays : null as int?) != estimate.Quantile(0.5)?.Days || (row.HasP90Days ? row.P90Days : null as int?) != estimate.Quantile(0.9)?.Days)
                {
                    Interlocked.Increment(ref wrong);
                }
                if (caller.Role == "juridiction")
                    services.AddOrUpdate(segment, (row.ObservedCount, row.WaitingCount, row.ClosedCount), (_, s) => (s.Item1 + row.ObservedCount, s.Item2 + row.WaitingCount, s.Item3 + row.ClosedCount));
            }
            return 0;
        }, ct);
        var figures = new List<Figure> { Figure.Of("segments of courts and gestionnaires of which a count, the median or P90 differ", 0, wrong) };
        foreach (var segment in System.Enum.GetValues<DelaySegment>().Where(s => s != DelaySegment.Unspecified))
        {
            var counts = Counts(judicial, segment);
            books[segment] = (counts.Passed, counts.Waiting, counts.Ended);
            var found = services.GetValueOrDefault(segment);
            figures.Add(Figure.Of($"delay {segment.ToCode()}: passed", counts.Passed, found.Item1));
            figures.Add(Figure.Of($"delay {segment.ToCode()}: waiting", counts.Waiting, found.Item2));
            figures.Add(Figure.Of($"delay {segment.ToCode()}: closed", counts.Ended, found.Item3));
        }
        var nation = await callers.CallAsync("mesure", Stage.Operator, (c, o) => new DelaysService.DelaysServiceClient(c).GetDelaysAsync(new GetDelaysRequest { MaturityDays = 1 }, o), ct);
        foreach (var row in nation.Rows.Where(r => !r.CountsWithheld && !r.Suppressed))
        {
            var counts = Counts(judicial, row.Segment);
            figures.Add(new($"delay {row.Segment.ToCode()}, nation: passed, waiting, closed, median, P90",
                $"{counts.Passed}, {counts.Waiting}, {counts.Ended}, {CumulativeIncidence.Of(counts).Quantile(0.5)?.Days}, {CumulativeIncidence.Of(counts).Quantile(0.9)?.Days}",
                $"{row.ObservedCount}, {row.WaitingCount}, {row.ClosedCount}, {(row.HasMedianDays ? row.MedianDays : null as int?)}, {(row.HasP90Days ? row.P90Days : null as int?)}"));
        }
        return figures;
    }

    // docs/mesure.md: segments by days of Paris, an inverted order counts 0, a step that was skipped is neither passed nor waited for.
    private DelayCounts Counts(IEnumerable<Life> of, DelaySegment segment)
    {
        var counts = new DelayCounts();
        foreach (var life in of)
        {
            DateOnly?[] at =
            [
                life.Ordered, life.DayOf(StepKind.Transmit), Received(life), life.DayOf(StepKind.Contact), life.DayOf(StepKind.Schedule), life.FirstHeld,
            ];
            var (from, to) = segment == DelaySegment.Whole ? (0, 5) : ((int)segment - 1, (int)segment);
            if (at[from] is not { } began)
                continue;
            if (at[to] is { } ended)
                counts.Add(Math.Max(0, ended.DayNumber - began.DayNumber), DelayOutcome.Passed);
            else if (at[to..].Any(a => a is not null))
                continue;
            else if (life.IsClosed)
                counts.Add(Math.Max(0, Life.DayOf(life.Steps[^1].At).DayNumber - began.DayNumber), DelayOutcome.Ended);
            else
                counts.Add(Math.Max(0, Today.DayNumber - began.DayNumber), DelayOutcome.Waiting);
        }
        return counts;
    }

    // Every transmission is read on the day of the replay; most were acknowledged before.
    private DateOnly? Received(Life life) => life.DayOf(StepKind.Acknowledge) ?? (life.IsAtEspace ? playedOn : null);

    private async Task<List<Figure>> ImpactAsync(CancellationToken ct)
    {
        var found = new ConcurrentDictionary<DateOnly, int>();
        var returned = 0;
        await ForEachAsync(_espaces, async caller =>
        {
            var answer = await callers.CallAsync("mesure", caller, (c, o) => new ImpactService.ImpactServiceClient(c).GetImpactAsync(new GetImpactRequest { Grouping = ImpactGrouping.Month }, o), ct);
            foreach (var row in answer.Rows)
            {
                found.AddOrUpdate(new DateOnly(row.MonthDate.Year, row.MonthDate.Month, 1), row.EndedCount, (_, n) => n + row.EndedCount);
                Interlocked.Add(ref returned, row.ReturnedCount);
            }
            return 0;
        }, ct);
        var closed = lives.Where(l => l.IsClosed && l.IsAtEspace).CountBy(l => Life.DayOf(l.Steps[^1].At) is var day ? new DateOnly(day.Year, day.Month, 1) : default).ToDictionary();
        return
        [
            .. closed.Keys.Union(found.Keys).Order().Select(m => Figure.Of(string.Create(CultureInfo.InvariantCulture, $"mesures that ended in {m:yyyy-MM}"), closed.GetValueOrDefault(m), found.GetValueOrDefault(m))),
            Figure.Of("families that came back", 0, returned),
        ];
    }

    // The return of each gestionnaire, for each year of the calendar that was played to its end or until now.
    private async Task<List<Figure>> SurveyAsync(CancellationToken ct)
    {
        var figures = new List<Figure>();
        // A year whose campaign is closed stays as it was told; that of the replay itself is compared as it stands.
        var campaigns = await callers.CallAsync("mesure", Stage.Statistician, (c, o) => new SurveyService.SurveyServiceClient(c).ListSurveyCampaignsAsync(new ListSurveyCampaignsRequest { PageSize = 200 }, o), ct);
        var told = campaigns.Campaigns.Where(c => c.State == SurveyCampaignState.Closed).Select(c => c.Year).ToHashSet();
        foreach (var year in Enumerable.Range(plan.LastDay.Year - 1, Today.Year - plan.LastDay.Year + 2).Where(y => y == plan.LastDay.Year || !told.Contains(y)))
        {
            var (found, unexplained) = (new ConcurrentDictionary<string, long>(), 0L);
            await ForEachAsync(_espaces, async caller =>
            {
                var sser = await ReturnAsync(caller, year, told.Contains(year), ct);
                // Staff and resources are nobody's in the books.
                foreach (var figure in sser.Figures.Where(f => !s_declared.Any(d => f.Code.StartsWith(d, StringComparison.Ordinal))))
                    found.AddOrUpdate(figure.Code, figure.Value, (_, n) => n + figure.Value);
                Interlocked.Add(ref unexplained, sser.Equation.Unexplained);
                return 0;
            }, ct);
            var books = new SurveyBooks(lives).Of(year);
            SurveyFigures[year] = books.Keys.Union(found.Keys).ToDictionary(c => c, c => (books.GetValueOrDefault(c), found.GetValueOrDefault(c)));
            figures.AddRange(books.Keys.Union(found.Keys).Order(StringComparer.Ordinal).Select(code => Figure.Of(string.Create(CultureInfo.InvariantCulture, $"survey of {year}: {code}"), books.GetValueOrDefault(code), found.GetValueOrDefault(code))));
            figures.Add(Figure.Of(string.Create(CultureInfo.InvariantCulture, $"survey of {year}: stocks that nothing explains"), 0, unexplained));
        }
        return figures;
    }

    private async Task<SserReturn> ReturnAsync(Caller caller, int year, bool isClosed, CancellationToken ct)
    {
        if (isClosed)
        {
            return (await callers.CallAsync("mesure", caller, (c, o) => new SurveyService.SurveyServiceClient(c).GetSserReturnAsync(
                new GetSserReturnRequest { GestionnaireId = caller.Id.ToString(), Year = year }, o), ct)).SserReturn;
        }
        // Asked again it is another request: what came meanwhile counts.
        var request = new GenerateSserReturnRequest { GestionnaireId = caller.Id.ToString(), Year = year, RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString() };
        return (await callers.CallAsync("mesure", caller, (c, o) => new SurveyService.SurveyServiceClient(c).GenerateSserReturnAsync(request, o), ct)).SserReturn;
    }

    private async Task<List<Figure>> WaitsAsync(CancellationToken ct)
    {
        var followed = lives.Where(l => l.Court is not null && l.IsAtEspace).ToList();
        var cells = new List<(string Name, GetObservedWaitsRequest Request, List<Life> Lives)> { ("nation", new(), followed) };
        foreach (var departement in Largest(followed, l => stage.DepartementOf(l.Site)))
            cells.Add(($"département {departement.Key}", new() { Departement = departement.Key }, [.. departement]));
        foreach (var court in Largest(followed, l => l.Court!))
            cells.Add(($"court {court.Key}", new() { JuridictionId = Stage.CourtOf(court.Key).Id.ToString() }, [.. court]));
        foreach (var espace in Largest(followed, l => stage.EspaceOf(l.Site)))
            cells.Add(($"espace {espace.Key}", new() { EspaceId = espace.Key.ToString() }, [.. espace]));

        var figures = new List<Figure>();
        foreach (var (name, request, of) in cells)
        {
            var answer = await callers.CallAsync("directory", Stage.Operator, (c, o) => new WaitService.WaitServiceClient(c).GetObservedWaitsAsync(request, o), ct);
            foreach (var modalite in (ReadOnlySpan<Modalite>)[Modalite.Visite, Modalite.RemiseEnfant])
            {
                foreach (var start in (ReadOnlySpan<WaitStart>)[WaitStart.Transmission, WaitStart.FirstContact])
                {
                    foreach (var end in (ReadOnlySpan<WaitEnd>)[WaitEnd.Scheduled, WaitEnd.Planned, WaitEnd.Held])
                    {
                        var row = answer.Rows.SingleOrDefault(r => r.Modalite == modalite && r.Start == start && r.End == end);
                        figures.Add(new($"observed wait, {name}, {modalite.ToCode()}, {start.ToCode()} to {end.ToCode()}", Seen([.. of.Where(l => l.Modalite == modalite)], start, end), Shown(row)));
                    }
                }
            }
        }
        return figures;

        static IEnumerable<IGrouping<T, Life>> Largest<T>(IEnumerable<Life> of, Func<Life, T> by) => of.GroupBy(by).OrderByDescending(g => g.Count()).Take(6);

        static string Shown(ObservedWaitRow? row) => row is null ? "nothing" : row.Suppressed ? "fewer than five"
            : $"{(row.CountsWithheld ? "withheld" : $"{row.PassedCount}, {row.WaitingCount}, {row.EndedCount}")}; {row.Median?.Days}, {row.P80?.Days}, {row.P90?.Days}";
    }

    // docs/delays.md: transmissions of 24 months; a step told late or never cannot lie after the one that it leads to.
    private static string Seen(List<Life> of, WaitStart start, WaitEnd end)
    {
        var counts = new DelayCounts();
        foreach (var life in of)
        {
            var transmitted = life.DayOf(StepKind.Transmit)!.Value;
            var began = start == WaitStart.FirstContact ? life.DayOf(StepKind.Contact) : transmitted;
            if (transmitted < Today.AddMonths(-24).AddDays(1) || began is not { } day)
                continue;
            var step = end switch
            {
                WaitEnd.Scheduled => life.DayOf(StepKind.Schedule),
                WaitEnd.Planned => life.Rencontres.Count > 0 ? Life.DayOf(life.Rencontres[0]) : null as DateOnly?,
                _ => null,
            };
            var passed = step is { } s && !(life.FirstHeld < s) ? s : life.FirstHeld;
            if (passed is { } on && on <= Today)
                counts.Add(Math.Max(0, on.DayNumber - day.DayNumber), DelayOutcome.Passed);
            else if (life.IsClosed)
                counts.Add(Math.Max(0, Life.DayOf(life.Steps[^1].At).DayNumber - day.DayNumber), DelayOutcome.Ended);
            else
                counts.Add(Today.DayNumber - day.DayNumber, DelayOutcome.Waiting);
        }
        if (counts.Count == 0)
            return "nothing";
        if (counts.Passed < 5)
            return "fewer than five";
        var estimate = CumulativeIncidence.Of(counts);
        return $"{(counts.Waiting is > 0 and < 5 || counts.Ended is > 0 and < 5 ? "withheld" : $"{counts.Passed}, {counts.Waiting}, {counts.Ended}")}; {estimate.Quantile(0.5)?.Days}, {estimate.Quantile(0.8)?.Days}, {estimate.Quantile(0.9)?.Days}";
    }

    private async Task<List<TResult>> ForEachAsync<T, TResult>(IEnumerable<T> of, Func<T, Task<TResult>> ask, CancellationToken ct)
    {
        var results = new ConcurrentBag<TResult>();
        await Parallel.ForEachAsync(of, new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = ct }, async (one, _) => results.Add(await ask(one)));
        return [.. results];
    }
}
