using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;
using DecisionVersion = Jafer.Mesures.Domain.DecisionVersion;
using Difficulty = Jafer.Mesures.Domain.Difficulty;
using InformationExchange = Jafer.Mesures.Domain.InformationExchange;
using Interview = Jafer.Mesures.Domain.Interview;
using Mesure = Jafer.Mesures.Domain.Mesure;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>Properties of the state machine: any sequence of acts, permitted or not.</summary>
public sealed class StateMachineTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid s_organisation = new("0198a000-0000-7000-8000-000000000001");
    private static readonly EspaceView s_espace = new()
    {
        Id = new Guid("0198a000-0000-7000-8000-000000000002"),
        GestionnaireId = new Guid("0198a000-0000-7000-8000-000000000003"),
        State = "OUVERT",
        AgrementPeriods = [new ApprovedPeriod(new DateOnly(2013, 9, 1), null)],
        TimeZone = "Europe/Paris",
        Version = 1,
    };

    private static readonly EspaceView s_otherEspace = new()
    {
        Id = new Guid("0198a000-0000-7000-8000-000000000004"),
        GestionnaireId = new Guid("0198a000-0000-7000-8000-000000000005"),
        State = "OUVERT",
        AgrementPeriods = s_espace.AgrementPeriods,
        TimeZone = "Europe/Paris",
        Version = 1,
    };

    private static readonly MesureAct[] s_acts = [.. Enum.GetValues<MesureAct>().Where(a => a is not (MesureAct.Unspecified or MesureAct.Create or MesureAct.Register))];

    private static Arbitrary<MesureAct[]> Sequences => Gen.Elements(s_acts).ArrayOf().Resize(60).ToArbitrary();

    [Fact]
    public void AnySequenceOfActs_StatesAndRefusals_FollowTheTable() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            var before = run.Mesure.Status.State;
            var possible = Transitions.Find(before, act) is not null;
            var done = run.Try(act);
            var after = run.Mesure.Status.State;
            var expected = Transitions.Find(before, act)?.State;
            if ((!done && after != before) || (done && !possible) || (done && expected is { } state && state != after))
            {
                return false;
            }
        }

        return true;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnySequenceOfActs_StoredStatus_IsTheFoldOfItsFacts() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            run.Try(act);
        }

        return MesureStatus.Fold(run.Mesure.NewFacts) == run.Mesure.Status;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Fold_FactsInAnyOrder_GivesTheSameStatus() => Prop.ForAll(Sequences, Gen.Choose(0, int.MaxValue).ToArbitrary(), (acts, seed) =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            run.Try(act);
        }

        var shuffled = run.Mesure.NewFacts.ToArray();
        new Random(seed).Shuffle(shuffled);
        return MesureStatus.Fold(shuffled) == run.Mesure.Status;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnySequenceOfActs_CountAndNextStart_AreThoseOfTheRencontres() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            run.Try(act);
        }

        // Half of the acts lead nowhere near a rencontre: begin where they count.
        foreach (var act in new[] { MesureAct.Complete, MesureAct.Transmit, MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactReached }.Concat(acts))
        {
            run.Try(act);
        }

        DateTimeOffset? next = run.PendingStarts.Count == 0 ? null : run.PendingStarts.Min();
        return run.Mesure.Status.PendingRencontres == run.Scheduled && (run.Mesure.Status.ClosedAt is not null || run.Mesure.NextRencontreAt == next);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnySequenceOfActs_Versions_HaveNoGap() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            run.Try(act);
        }

        return run.Mesure.NewFacts.Select(f => f.Version).SequenceEqual(Enumerable.Range(1, run.Mesure.NewFacts.Count).Select(i => (long)i))
            && run.Mesure.Version == run.Mesure.NewFacts.Count;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnySequenceOfActs_EveryFact_HasAnEventWithoutText() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            run.Try(act);
        }

        return run.Mesure.NewFacts.All(f =>
        {
            var e = Mesures.MesureEvents.From(run.Mesure, f);
            var json = System.Text.Json.JsonSerializer.Serialize(e, e.GetType(), ServiceDefaults.Messaging.EventTypes.Json);
            return e.EventId == f.Id && e.AggregateVersion == f.Version && !json.Contains(Run.Secret, StringComparison.Ordinal);
        });
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Transitions_EveryAct_StandsInTheTable()
    {
        var rows = Transitions.Rows.Select(r => r.Act).ToHashSet();

        Assert.Equal(Enum.GetValues<MesureAct>().Where(a => a != MesureAct.Unspecified).ToHashSet(), rows);
    }

    [Fact]
    public void Transitions_ClosedMesure_AllowsWhatHadBegunCorrectionsAnAlertAndTheReleaseAlone() =>
        Assert.Equal(
            [
                MesureAct.RencontreHeld, MesureAct.RencontreNotHeld, MesureAct.ExternalAlert, MesureAct.Reopen, MesureAct.RecordRemiseReturn, MesureAct.ReleaseRencontre,
                MesureAct.CorrectRencontreOutcome, MesureAct.Purge,
            ],
            Transitions.Rows.Where(r => r.From == MesureState.Cloturee).Select(r => r.Act).Order());

    [Fact]
    public void Transitions_EveryStateInUse_CanBeReachedAndClosed()
    {
        var reached = new HashSet<MesureState> { MesureState.Unspecified };
        for (var before = 0; before != reached.Count;)
        {
            before = reached.Count;
            reached.UnionWith(Transitions.Rows.Where(r => reached.Contains(r.From)).Select(r => r.To.State ?? MesureState.EnAttente).ToList());
        }

        Assert.Equal(Enum.GetValues<MesureState>().Except([MesureState.PriseEnCharge]).ToHashSet(), reached.Except([MesureState.PriseEnCharge]).ToHashSet());
        Assert.All(reached.Except([MesureState.Unspecified, MesureState.Cloturee]), s => Assert.NotNull(Transitions.Find(s, MesureAct.Close)));
    }

    [Fact]
    public void AnySequenceOfActs_ClosedAndReopened_StandsWhereItStood() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts.Where(a => a is not (MesureAct.Close or MesureAct.Revoke or MesureAct.Redesignate)))
        {
            run.Try(act);
        }

        var before = run.Mesure.Status;
        var next = run.Mesure.NextRencontreAt;
        if (!run.Try(MesureAct.Close))
        {
            return before.DangersUntold > 0;
        }

        return run.Try(MesureAct.Reopen)
            && (run.Mesure.Status with { HolderSince = default, HolderRecordedAt = default, StateBeforeClosing = default, HolderBeforeClosing = default })
                == (before with { HolderSince = default, HolderRecordedAt = default, StateBeforeClosing = default, HolderBeforeClosing = default })
            && run.Mesure.NextRencontreAt == next && run.Mesure.ClosureReason == ClosureReason.Unspecified;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnySequenceOfActs_DangerOfWhichNobodyWasTold_KeepsTheMesureOpen() => Prop.ForAll(Sequences, acts =>
    {
        var run = new Run();
        foreach (var act in acts)
        {
            var untold = run.Mesure.Status.DangersUntold > 0;
            if (run.Try(act) && untold && act == MesureAct.Close)
            {
                return false;
            }
        }

        return run.Mesure.Status.DangersUntold == run.DangersUntold;
    }).QuickCheckThrowOnFailure();

    /// <summary>A mesure on which acts are tried, with what they need.</summary>
    private sealed class Run
    {
        public const string Secret = "SECRET-DUPONT";
        private readonly List<Rencontre> _rencontres = [];
        private readonly List<Difficulty> _difficulties = [];
        private readonly List<DecisionVersion> _versions = [];
        private readonly List<Interview> _interviews = [];
        private InformationExchange? _question;
        private DateTimeOffset _now = s_start;
        private DateOnly _lastDay = new(2026, 1, 1);

        public Run() => Mesure = Mesure.Create(
            new Guid("0198a000-0000-7000-8000-00000000000a"), "TJ-2026-000001", s_organisation,
            new Decision
            {
                RgNumber = Secret,
                JudgeName = Secret,
                Restrictions = Secret,
                Date = new DateOnly(2026, 1, 5),
                LegalBasis = LegalBasis.Article37329,
                DurationMonths = 24,
                Modalite = Contracts.Type.V1.Modalite.Visite,
            },
            s_espace.Id, Acting());

        public Mesure Mesure { get; }

        public int DangersUntold => _difficulties.Count(d => d is { Reason: DifficultyReason.Danger, AlertedAt: null });

        private List<Rencontre> Pending => [.. _rencontres.Where(r => r.Outcome == RencontreOutcome.Scheduled)];

        public bool Try(MesureAct act)
        {
            try
            {
                switch (act)
                {
                    case MesureAct.Update: Mesure.Update(null, (false, null), Acting()); break;
                    case MesureAct.Complete: Mesure.Complete([], Acting()); break;
                    case MesureAct.Transmit: Mesure.Transmit(s_espace, Acting()); break;
                    case MesureAct.Deliver: return Mesure.Deliver(DeliveryChannel.Feed, Acting());
                    case MesureAct.Retrieve: return Mesure.Retrieve(Acting());
                    case MesureAct.Acknowledge: Mesure.Acknowledge(Acting()); break;
                    case MesureAct.RequestInformation: _question = Mesure.RequestInformation(InformationReason.Other, Secret, Acting()); break;
                    case MesureAct.ProvideInformation:
                        Mesure.ProvideInformation(_question ?? new InformationExchange { Id = default, MesureId = default, Reason = InformationReason.Other, Question = "", RequestedAt = default }, Secret, Acting());
                        break;
                    case MesureAct.TakeCharge: Mesure.TakeCharge(Acting()); break;
                    case MesureAct.ContactReached: Mesure.RecordContact(PartyRole.Visiteur, true, ContactChannel.Telephone, Acting()); break;
                    case MesureAct.ContactAttempted: Mesure.RecordContact(PartyRole.Hote, false, ContactChannel.Unspecified, Acting()); break;
                    case MesureAct.Interview: Mesure.RecordInterview(PartyRole.Enfant, null, Acting()); break;
                    case MesureAct.BookInterview: _interviews.Add(Mesure.BookInterview(PartyRole.Hote, null, new SlotContent(_now, 45, "Europe/Paris", null, PartyRole.Hote), Acting())); break;
                    case MesureAct.ReleaseInterview: Mesure.ReleaseInterview(Booked(), InterviewReleaseReason.PartyCancelled, Acting()); break;
                    case MesureAct.ScheduleRencontre: _rencontres.Add(Mesure.ScheduleRencontre(Next(), 60, TimeZoneInfo.Utc, null, Acting(), Terms())); break;
                    case MesureAct.ConfirmRencontre: Mesure.ConfirmRencontre(Any(r => r.HoteConfirmedAt is null), PartyRole.Hote, Acting()); break;
                    case MesureAct.CancelRencontre:
                        var cancelled = Any(r => r.StartsAt > _now.AddHours(1));
                        Mesure.CancelRencontre(cancelled, RencontreOutcome.CancelledByHote, Others(cancelled), Acting());
                        break;
                    case MesureAct.MoveRencontre:
                        var moved = Any(r => r.StartsAt > _now.AddHours(1));
                        _rencontres.Add(Mesure.MoveRencontre(moved, new PlannedRencontre(Next(), 60, TimeZoneInfo.Utc, null), Terms(), Others(moved), Acting()));
                        break;
                    case MesureAct.RecordRemiseReturn:
                        var remise = _rencontres.Find(r => r is { Outcome: RencontreOutcome.Held, ReturnOutcome: RencontreOutcome.Scheduled }) ?? throw DomainError.Invalid("rencontre_id", "none");
                        Mesure.RecordReturn(remise, RencontreOutcome.Held, Others(remise), Acting());
                        break;
                    case MesureAct.CorrectRencontreOutcome:
                        var wrong = _rencontres.Find(r => r.HasOutcome) ?? throw DomainError.Invalid("rencontre_id", "none");
                        var right = wrong.Outcome == RencontreOutcome.Held ? RencontreOutcome.VisiteurAbsent : RencontreOutcome.Held;
                        var first = _rencontres.Where(r => r != wrong && r.Outcome == RencontreOutcome.Held).MinBy(r => r.StartsAt);
                        Mesure.CorrectOutcome(wrong, right, right == RencontreOutcome.Held, [], first, Others(wrong), Acting());
                        break;
                    case MesureAct.ReleaseRencontre: Mesure.ReleaseRencontre(Any(_ => true), Acting()); break;
                    case MesureAct.RencontreHeld: Outcome(RencontreOutcome.Held); break;
                    case MesureAct.RencontreNotHeld: Outcome(RencontreOutcome.VisiteurAbsent); break;
                    case MesureAct.ReportDifficulty:
                        _difficulties.Add(Mesure.ReportDifficulty(_difficulties.Count % 2 == 0 ? DifficultyReason.Capacity : DifficultyReason.Danger, Secret, Acting()));
                        break;
                    case MesureAct.Suspend: _difficulties.Add(Mesure.Suspend(DifficultyReason.Incident, Secret, Acting())); break;
                    case MesureAct.Resume: Mesure.Resume(Acting()); break;
                    case MesureAct.ProposeClosure: _difficulties.Add(Mesure.ProposeClosure(ClosureReason.SansSuiteRefusHote, Secret, Acting())); break;
                    case MesureAct.ExternalAlert:
                        Mesure.RecordExternalAlert(Open(d => d is { Reason: DifficultyReason.Danger, AlertedAt: null }), ExternalAlertRecipient.Parquet, ExternalAlertKind.Signalement, Acting());
                        break;
                    case MesureAct.Modify:
                        var change = new DecisionChange(new DateOnly(2026, 1, 6), new DateOnly(2026, 1, 7)) { RencontreMinutes = 60 + _versions.Count, Restrictions = Secret };
                        _versions.AddRange(Mesure.Modify(change, _versions, Pending, null, Acting()).Added);
                        break;
                    case MesureAct.Reopen: Mesure.Reopen(Mesure.NewFacts, [.. _rencontres.Select(r => r.PendingStart()).OfType<DateTimeOffset>()], true, Secret, Acting()); break;
                    case MesureAct.AcknowledgeDifficulty: Mesure.AcknowledgeDifficulty(Open(d => d.State == DifficultyState.Open), Acting()); break;
                    case MesureAct.AnswerDifficulty: Mesure.AnswerDifficulty(Open(d => d.State != DifficultyState.Answered), DifficultyAnswer.Maintain, Secret, Acting()); break;
                    case MesureAct.AttachDecision: Mesure.AttachDecision(new Guid("0198a000-0000-7000-8000-00000000000c"), null, 1, new byte[32], Acting()); break;
                    case MesureAct.Close: Mesure.Close(ClosureReason.Autre, Secret, ClosureDestination.Inconnue, Acting()); break;
                    case MesureAct.Revoke: Mesure.Revoke(new DateOnly(2026, 1, 5), Secret, Acting()); break;
                    case MesureAct.Redesignate: Mesure.Redesignate(new Guid("0198a000-0000-7000-8000-00000000000b"), "TJ-2026-000002", s_otherEspace, new DateOnly(2026, 1, 5), null, Secret, Acting()); break;
                    case MesureAct.Purge: Mesure.EraseFiles(_now); break;
                    case MesureAct.AgrementRetire:
                        _lastDay = _lastDay.AddDays(1);
                        return Mesure.WarnOfAgrement(s_espace.Id, null, _lastDay, _now, _now);
                    default: throw new ArgumentOutOfRangeException(nameof(act), act, null);
                }

                return true;
            }
            catch (DomainError)
            {
                return false;
            }
        }

        /// <summary>Starts of what has no outcome yet, as the rows say.</summary>
        public IReadOnlyList<DateTimeOffset> PendingStarts => [.. _rencontres.Select(r => r.PendingStart()).OfType<DateTimeOffset>()];

        public int Scheduled => _rencontres.Count(r => r.Outcome == RencontreOutcome.Scheduled);

        // By turns one that has begun, one of tomorrow, and a remise.
        private DateTimeOffset Next() => _rencontres.Count % 2 == 0 ? _now : _now.AddDays(1);

        private BookingTerms Terms() => _rencontres.Count % 3 == 0
            ? BookingTerms.None
            : new BookingTerms { Kind = RencontreKind.Remise, ReturnsAt = Next().AddDays(2) };

        private Rencontre Any(Predicate<Rencontre> which) =>
            _rencontres.Find(r => r.Outcome == RencontreOutcome.Scheduled && which(r)) ?? _rencontres.LastOrDefault() ?? throw DomainError.Invalid("rencontre_id", "none");

        private List<DateTimeOffset> Others(Rencontre rencontre) => [.. _rencontres.Where(r => r != rencontre).Select(r => r.PendingStart()).OfType<DateTimeOffset>()];

        private void Outcome(RencontreOutcome outcome)
        {
            var rencontre = _rencontres.Find(r => r.Outcome == RencontreOutcome.Scheduled) ?? _rencontres.LastOrDefault()
                ?? throw DomainError.Invalid("rencontre_id", "none");
            Mesure.RecordOutcome(
                rencontre, outcome, true, [], Others(rencontre), Acting());
        }

        private Interview Booked() => _interviews.Find(i => i.State == InterviewState.Booked) ?? throw DomainError.Invalid("interview_id", "none");

        private Difficulty Open(Func<Difficulty, bool> which) => _difficulties.FirstOrDefault(which) ?? throw DomainError.Invalid("difficulty_id", "none");

        private Acting Acting()
        {
            _now = _now.AddMinutes(10);
            return new Acting(s_organisation, "test", _now, _now);
        }
    }
}
