using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // What a client catches.

namespace Jafer.Simulation.Replay;

/// <summary>What became of the items that espaces' software pushed.</summary>
internal sealed class Pushed
{
    private long _applied, _duplicates, _waited;

    /// <summary>Items that are part of a history.</summary>
    public long Applied => _applied;

    /// <summary>Items that had come before.</summary>
    public long Duplicates => _duplicates;

    /// <summary>Items that came before earlier ones and waited for them.</summary>
    public long Waited => _waited;

    /// <summary>What was refused, as text.</summary>
    public ConcurrentQueue<string> Wrong { get; } = [];

    /// <summary>Counts an answer.</summary>
    public void Add(ReportStatusResponse answer, IReadOnlyList<Told> batch)
    {
        for (var i = 0; i < answer.Results.Count; i++)
        {
            var result = answer.Results[i];
            switch (result.Result)
            {
                case IntakeResult.Applied: Interlocked.Increment(ref _applied); break;
                case IntakeResult.Duplicate: Interlocked.Increment(ref _duplicates); break;
                case IntakeResult.Held: Interlocked.Increment(ref _waited); break;
                default:
                    Wrong.Enqueue($"mesure {batch[i].Life.Number}, item {batch[i].Sequence} ({batch[i].Life.Steps[batch[i].Step].Kind}): {result.Result} {result.Reason} {result.Description} {string.Join(", ", result.Violations.Select(v => v.Field))}");
                    break;
            }
        }
        Interlocked.Add(ref _applied, answer.ReleasedItems.Count(r => r.Result.Result == IntakeResult.Applied));
        foreach (var released in answer.ReleasedItems.Where(r => r.Result.Result != IntakeResult.Applied))
            Wrong.Enqueue($"item {released.ExternalId}: {released.Result.Result} {released.Result.Reason} {released.Result.Description}");
    }
}

/// <summary>
/// Plays the year through the running services: an operator imports the espaces, courts order and transmit, espaces' software reads, registers
/// and pushes its journal, judges answer and close. Every id follows from the plan: the same call again changes nothing.
/// </summary>
internal sealed class Player(ReplayPlan plan, Stage stage, IReadOnlyList<Life> lives, Callers callers, int concurrency, Action<string> say)
{
    /// <summary>Name of the software of all espaces.</summary>
    public const string Software = "replay";

    private readonly ConcurrentDictionary<int, string> _mesures = [];
    private readonly ConcurrentDictionary<int, string> _children = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private string _phase = "";
    private int _done, _all;
    private long _saidAt, _phaseAt;

    /// <summary>Ids of the mesures by their numbers.</summary>
    public IReadOnlyDictionary<int, string> Mesures => _mesures;

    /// <summary>What became of what was pushed.</summary>
    public Pushed Pushed { get; } = new();

    /// <summary>Seconds of each phase.</summary>
    public List<(string Phase, int Count, double Seconds)> Times { get; } = [];

    /// <summary>Plays everything.</summary>
    public async Task PlayAsync(CancellationToken ct)
    {
        await PhaseAsync("espaces imported", [.. stage.Imports(plan, lives).Chunk(40)], ImportAsync, ct);
        await AwaitProjectionAsync(ct);
        await PhaseAsync("mesures ordered, transmitted and read", lives, OpenAsync, ct);
        var draw = new Draw(plan.Seed);
        var journals = lives.Where(l => l.IsAtEspace).GroupBy(l => stage.GestionnaireOf(l.Site))
            .Select(g => (Gestionnaire: g.Key, Batches: Pushes.Of(g, draw))).OrderByDescending(j => j.Batches.Sum(b => b.Length)).ToArray();
        await PhaseAsync("items pushed", journals, PushAsync, ct, journals.Sum(j => j.Batches.Sum(b => b.Length)));
        await PhaseAsync("judges' acts", [.. lives.Where(l => l.Reply is JudgeReply.Acknowledged or JudgeReply.Answered || l.Count(StepKind.CloseByCourt) > 0)], JudgeAsync, ct);
    }

    private async Task PhaseAsync<T>(string phase, IReadOnlyList<T> what, Func<T, CancellationToken, Task> play, CancellationToken ct, int? weight = null)
    {
        (_phase, _done, _all, _phaseAt) = (phase, 0, weight ?? what.Count, _watch.ElapsedMilliseconds);
        await Parallel.ForEachAsync(what, new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = ct }, async (one, token) =>
        {
            await play(one, token);
            if (weight is null)
                Progress(1);
        });
        Times.Add((phase, _all, (_watch.ElapsedMilliseconds - _phaseAt) / 1000.0));
    }

    private void Progress(int done)
    {
        var sum = Interlocked.Add(ref _done, done);
        var now = _watch.ElapsedMilliseconds;
        var said = Interlocked.Read(ref _saidAt);
        if ((now - said < 500 && sum != _all) || Interlocked.CompareExchange(ref _saidAt, now, said) != said)
            return;
        var seconds = Math.Max(0.001, (now - _phaseAt) / 1000.0);
        say(string.Create(CultureInfo.InvariantCulture, $"{_phase}: {sum:N0} of {_all:N0}, {sum / seconds:N0} a second, {(_all - sum) * seconds / Math.Max(1, sum):0} s to go"));
    }

    private Task ImportAsync(EspaceImport[] espaces, CancellationToken ct)
    {
        var request = new ImportEspacesRequest { Source = Generator.Source, RequestId = plan.IdOf($"import:{espaces[0].ExternalId}") };
        request.Espaces.AddRange(espaces);
        return callers.CallAsync("directory", Stage.Operator, (c, o) => new DirectoryService.DirectoryServiceClient(c).ImportEspacesAsync(request, o), ct);
    }

    // A gestionnaire is refused the delays of an espace that the mesure service does not know yet.
    private async Task AwaitProjectionAsync(CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        foreach (var site in lives.Select(l => l.Site).Distinct())
        {
            while (true)
            {
                try
                {
                    await callers.CallAsync(
                        "mesure", stage.GestionnaireOf(site), (c, o) => new DelaysService.DelaysServiceClient(c).GetDelaysAsync(new GetDelaysRequest { EspaceId = stage.EspaceOf(site).ToString() }, o), ct);
                    break;
                }
                catch (RpcException e) when (e.StatusCode is StatusCode.PermissionDenied or StatusCode.NotFound && watch.Elapsed < TimeSpan.FromMinutes(2))
                {
                    await Task.Delay(200, ct);
                }
            }
        }
    }

    private async Task OpenAsync(Life life, CancellationToken ct)
    {
        var espace = stage.EspaceOf(life.Site).ToString();
        if (life.Court is null)
        {
            var registered = await callers.CallAsync("mesure", stage.GestionnaireOf(life.Site), (c, o) => new MesureService.MesureServiceClient(c).RegisterNonJudicialMesureAsync(Registration(life, espace), o), ct);
            _mesures[life.Number] = registered.Mesure.MesureId;
        }
        else
        {
            var court = Stage.CourtOf(life.Court);
            var created = await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).CreateMesureAsync(Draft(life, espace), o), ct);
            var id = _mesures[life.Number] = created.Mesure.MesureId;
            await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).CompleteMesureAsync(
                new CompleteMesureRequest { MesureId = id, RequestId = plan.IdOf($"complete:{life.Number}") }, o), ct);
            if (!life.IsAtEspace)
                return;
            await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).TransmitMesureAsync(
                new TransmitMesureRequest { MesureId = id, OccurredTime = life.Steps[0].At.ToProto(), RequestId = plan.IdOf($"transmit:{life.Number}") }, o), ct);
        }
        var read = await callers.CallAsync("mesure", stage.GestionnaireOf(life.Site), (c, o) => new MesureService.MesureServiceClient(c).GetMesureAsync(
            new GetMesureRequest { MesureId = _mesures[life.Number] }, o), ct);
        _children[life.Number] = read.Mesure.Children[0].ChildId;
    }

    // One batch after the other: each is answered before the next one goes.
    private async Task PushAsync((Caller Gestionnaire, List<Told[]> Batches) journal, CancellationToken ct)
    {
        foreach (var (number, batch) in journal.Batches.Index())
        {
            var request = new ReportStatusRequest { RequestId = plan.IdOf($"push:{journal.Gestionnaire.Key}:{number}") };
            request.Items.AddRange(batch.Select(Item));
            var answer = await callers.CallAsync("mesure", journal.Gestionnaire, (c, o) => new IntakeService.IntakeServiceClient(c).ReportStatusAsync(request, o), ct);
            Pushed.Add(answer, batch);
            Progress(batch.Length);
        }
    }

    private async Task JudgeAsync(Life life, CancellationToken ct)
    {
        var (court, id) = (Stage.CourtOf(life.Court!), _mesures[life.Number]);
        if (life.Count(StepKind.CloseByCourt) > 0)
        {
            await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).CloseMesureAsync(
                new CloseMesureRequest { MesureId = id, Reason = life.Reason, OccurredTime = life.Steps[^1].At.ToProto(), RequestId = plan.IdOf($"close:{life.Number}") }, o), ct);
            return;
        }
        var read = await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).GetMesureAsync(new GetMesureRequest { MesureId = id }, o), ct);
        var difficulty = read.Mesure.Difficulties.Single().DifficultyId;
        await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).AcknowledgeDifficultyAsync(
            new AcknowledgeDifficultyRequest { MesureId = id, DifficultyId = difficulty, RequestId = plan.IdOf($"saw:{life.Number}") }, o), ct);
        if (life.Reply == JudgeReply.Answered)
        {
            await callers.CallAsync("mesure", court, (c, o) => new MesureService.MesureServiceClient(c).AnswerDifficultyAsync(
                new AnswerDifficultyRequest { MesureId = id, DifficultyId = difficulty, Answer = DifficultyAnswer.Maintain, RequestId = plan.IdOf($"answer:{life.Number}") }, o), ct);
        }
    }

    private StatusItem Item(Told told)
    {
        var life = told.Life;
        var step = life.Steps[told.Step];
        var rencontre = $"r{step.Rencontre + 1}";
        var item = new StatusItem
        {
            SourceSystem = Software,
            ExternalId = string.Create(CultureInfo.InvariantCulture, $"{plan.Seed}/{life.Number}/{told.Sequence}"),
            Sequence = told.Sequence,
            MesureId = _mesures[life.Number],
            OccurredTime = step.At.ToProto(),
        };
        switch (step.Kind)
        {
            case StepKind.Acknowledge: item.Acknowledged = new(); break;
            case StepKind.TakeCharge: item.ChargeTaken = new(); break;
            case StepKind.Contact: item.Contact = new() { PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, Channel = ContactChannel.Telephone }; break;
            case StepKind.Interview: item.Interview = new() { PartyRole = PartyRole.Visiteur }; break;
            case StepKind.Schedule:
                var start = life.Rencontres[step.Rencontre];
                item.RencontreScheduled = new() { ExternalRencontreId = rencontre, StartTime = start.ToProto(), DurationMinutes = 60, OverCapacity = true };
                if (life.Handover)
                    item.RencontreScheduled.ReturnTime = start.AddHours(2).ToProto();
                break;
            case StepKind.Held:
                item.RencontreOutcome = new() { ExternalRencontreId = rencontre, Outcome = RencontreOutcome.Held, VisiteurPresent = true, PresentChildIds = { _children[life.Number] } };
                break;
            case StepKind.Returned: item.RemiseReturn = new() { ExternalRencontreId = rencontre, Outcome = RencontreOutcome.Held }; break;
            case StepKind.NotHeld: item.RencontreOutcome = new() { ExternalRencontreId = rencontre, Outcome = RencontreOutcome.VisiteurAbsent }; break;
            case StepKind.Difficulty: item.DifficultyReported = new() { Reason = DifficultyReason.Other, Comment = "Trois rencontres de suite n'ont pas été tenues (fictif)." }; break;
            case StepKind.Close: item.Closed = new() { Reason = life.Reason }; break;
            default: throw new InvalidOperationException($"{step.Kind} is not told to the intake");
        }
        return item;
    }

    private CreateMesureRequest Draft(Life life, string espace)
    {
        var request = new CreateMesureRequest
        {
            Decision = new Decision
            {
                Nature = DecisionNature.Jugement,
                RgNumber = string.Create(CultureInfo.InvariantCulture, $"{life.Ordered.Year % 100:D2}/{life.Number:D6}"),
                DecisionDate = life.Ordered.ToProto(),
                // The only basis under which the law asks for no duration.
                LegalBasis = life.Months > 0 ? LegalBasis.Article37329 : LegalBasis.Article3757,
                JudgeName = "Juge fictive",
                ParentalAuthority = ParentalAuthority.Joint,
                DurationMonths = life.Months,
                TermStart = life.TermStart,
                Periodicity = Rhythm(life),
                RencontreMinutes = 60,
                Modalite = life.Modalite,
            },
            EspaceId = espace,
            RequestId = plan.IdOf($"create:{life.Number}"),
        };
        request.Decision.Situations.AddRange(life.Situations);
        // Of a single one it goes without saying.
        if (life.Situations.Count > 1)
            request.Decision.PrincipalSituation = life.Situations[0];
        request.Parties.AddRange(Parties(life));
        request.Children.Add(ChildOf(life));
        return request;
    }

    private RegisterNonJudicialMesureRequest Registration(Life life, string espace)
    {
        var request = new RegisterNonJudicialMesureRequest
        {
            EspaceId = espace,
            Origin = life.Origin,
            Agreement = new Agreement { AgreementDate = life.Ordered.ToProto(), Modalite = life.Modalite, DurationMonths = life.Months, Periodicity = Rhythm(life), RencontreMinutes = 60 },
            OccurredTime = life.Steps[0].At.ToProto(),
            RequestId = plan.IdOf($"register:{life.Number}"),
        };
        request.Parties.AddRange(Parties(life));
        request.Children.Add(ChildOf(life));
        return request;
    }

    private static Periodicity Rhythm(Life life) => life.Interval switch
    {
        7 => new() { RencontreCount = 1, IntervalCount = 1, Unit = PeriodicityUnit.Week },
        30 => new() { RencontreCount = 1, IntervalCount = 1, Unit = PeriodicityUnit.Month },
        _ => new() { RencontreCount = 1, IntervalCount = 2, Unit = PeriodicityUnit.Week },
    };

    private static IEnumerable<Party> Parties(Life life) => new[] { PartyRole.Hote, PartyRole.Visiteur }.Select(role => new Party
    {
        Role = role,
        Kind = PartyKind.Parent,
        GivenName = role.ToString(),
        FamilyName = FamilyOf(life, role.ToString()),
    });

    private static Child ChildOf(Life life) => new() { GivenName = "Enfant", FamilyName = FamilyOf(life, "Enfant"), BirthDate = life.Ordered.AddYears(-life.ChildAge).ToProto() };

    // No two families of the replay are taken for one.
    private static string FamilyOf(Life life, string who) => string.Create(CultureInfo.InvariantCulture, $"Fictif {who} {life.Number}");
}
