using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>
/// By when who must act, as data: a row for each kind, which says from which milestone it counts and how long. What a mesure's
/// deadlines are follows from its status, its content and its open difficulties alone.
/// </summary>
internal static class DeadlineTable
{
    /// <summary>Number of this table: to be raised with every change, so that the deadlines of open mesures are computed anew.</summary>
    public const int Version = 6;

    /// <summary>The time of a deadline that does not exist.</summary>
    public static readonly DateTimeOffset Never = WorkingCalendar.Never;

    private const Holder Court = Holder.Juridiction;
    private const Holder Espace = Holder.Espace;

    // How long a family waits at an espace that declared no wait when the mesure came to it.
    private const int UsualWaitDays = 30;

    // How many working days after a rencontre its outcome is known, or the espace has been reminded of it often enough.
    private const int DaysUntilHeardOf = 10;

    // Hours of delivery are those at which the relay of e-CODEX warns and gives up. The other lengths are set by Jafer, from what
    // the peers that docs/mesure.md names do: no text fixes them but the decision's own days.
    private static readonly Row[] s_rows =
    [
        new(DeadlineKind.Transmit, Court, Delay.WorkingDays(2), s => When(s.Status.State == MesureState.Completee && s.Mesure.Decision.Rendered, s.Status.HolderSince)),
        new(DeadlineKind.DeliveryWarning, Court, Delay.Hours(12), Undelivered),
        new(DeadlineKind.DeliveryFailed, Court, Delay.Hours(24), Undelivered) { Escalates = true },
        new(DeadlineKind.Retrieval, Espace, Delay.WorkingDays(3), s => When(s.Status.State == MesureState.Transmise && s.Status.RetrievedAt is null, s.Known(s.Status.TransmittedAt))),
        new(DeadlineKind.Acknowledge, Espace, Delay.WorkingDays(5), s => When(s.Status.State == MesureState.Transmise, s.Known(s.Status.TransmittedAt))),
        new(DeadlineKind.TakeCharge, Espace, Delay.WorkingDays(10), s => When(s.Status.State == MesureState.Recue, s.Status.HolderSince)),
        new(DeadlineKind.ProvideInformation, Court, Delay.WorkingDays(5), s => When(s.Status.State == MesureState.PrecisionDemandee, s.Known(s.Status.HolderSince))),
        new(DeadlineKind.FirstContact, Espace, Delay.WorkingDays(3), FirstContact),
        new(DeadlineKind.ContactDeadline, Espace, Delay.None, s => When(
            s.Transmitted && !s.Status.EverScheduled && (s.Status.VisiteurContactAt is null || s.Status.HoteContactAt is null),
            s.Mesure.Decision.ContactDeadline is { } day ? s.Lieu.EndOf(day) : null)),
        new(DeadlineKind.Interview, Espace, Delay.Months(1), FirstInterview),
        new(DeadlineKind.RencontreOutcome, Espace, Delay.WorkingDays(2), Unreported),
        new(DeadlineKind.AcknowledgeDifficulty, Court, Delay.Hours(24), Unacknowledged) { Urgent = Delay.Hours(4) },
        new(DeadlineKind.EscalateDifficulty, Court, Delay.Hours(96), Unacknowledged) { Urgent = Delay.Hours(12), Escalates = true },
        new(DeadlineKind.AnswerDifficulty, Court, Delay.WorkingDays(10), s => s.Difficulties.Select(Known)) { Urgent = Delay.WorkingDays(2) },
        new(DeadlineKind.ExternalAlert, Espace, Delay.Hours(4), Untold) { AfterClosing = true },
        new(DeadlineKind.EscalateExternalAlert, Espace, Delay.Hours(12), Untold) { Escalates = true, AfterClosing = true },
        new(DeadlineKind.ExpiresBeforeVisit, Court, Delay.None, ExpiresBeforeVisit),
        new(DeadlineKind.TermInThreeMonths, Court, Delay.None, s => BeforeTerm(s, term => term.AddMonths(-3))),
        new(DeadlineKind.TermInOneMonth, Court, Delay.None, s => BeforeTerm(s, term => term.AddMonths(-1))),
        new(DeadlineKind.TermInOneWeek, Court, Delay.None, s => BeforeTerm(s, term => term.AddDays(-7))),
        new(DeadlineKind.TermPassed, Espace, Delay.None, s => When(s.Transmitted, s.Mesure.Term is { } term ? s.Lieu.EndOf(term) : null)),
    ];

    /// <summary>Every kind with who must act.</summary>
    public static IEnumerable<(DeadlineKind Kind, Holder MustAct)> Rows => s_rows.Select(r => (r.Kind, r.MustAct));

    /// <summary>The calendar of a deadline: that of whoever must act.</summary>
    /// <param name="mustAct">Who must act.</param>
    /// <param name="reference">Reference of the mesure, which begins with the code of the court.</param>
    /// <param name="timeZone">IANA zone of the espace; null while it is not known.</param>
    /// <param name="departement">Its département; null while it is not known.</param>
    public static WorkingCalendar CalendarOf(Holder mustAct, string reference, string? timeZone, string? departement) =>
        mustAct == Court ? WorkingCalendar.OfCourt(Communes.OfCourt(reference), departement) : WorkingCalendar.Of(timeZone, departement);

    /// <summary>Whether a deadline that has passed is told beyond who must act.</summary>
    public static bool Escalates(DeadlineKind kind) => s_rows.Any(r => r.Kind == kind && r.Escalates);

    /// <summary>Whether the difficulties of a mesure are looked at: while it is open, and as long as nobody outside was told of a danger.</summary>
    public static bool AsksForDifficulties(MesureStatus status) => status.OpenDifficulties > 0 && (status.ClosedAt is null || status.DangersUntold > 0);

    /// <summary>Whether the booked interviews of a mesure are looked at: until a party was reached.</summary>
    public static bool AsksForInterviews(MesureStatus status) =>
        status is { State: MesureState.Recue or MesureState.PriseEnCharge, InterviewBookedAt: not null };

    /// <summary>
    /// The deadlines of a mesure, the next first: each kind at most once, but those of difficulties and of missing outcomes once for
    /// each time at which one of them is due. An older one that nobody sees to hides no newer one. A closed mesure has those of dangers alone.
    /// </summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="difficulties">Its difficulties; answered ones do not count.</param>
    /// <param name="interviews">Its interviews, where they are asked for; those that are booked count.</param>
    public static IReadOnlyList<Deadline> Of(Mesure mesure, IEnumerable<Difficulty> difficulties, IEnumerable<Interview> interviews)
    {
        var subject = new Subject(mesure, [.. difficulties.Where(d => d.State != DifficultyState.Answered)], [.. interviews.Where(i => i.State == InterviewState.Booked)]);
        return [.. s_rows.Where(row => mesure.Status.ClosedAt is null || row.AfterClosing).SelectMany(row => row.For(subject)).OrderBy(d => d.DueAt).ThenBy(d => d.Kind)];
    }

    private static IEnumerable<Milestone> When(bool runs, DateTimeOffset? at) => runs && at is { } instant ? [new Milestone(instant, false)] : [];

    // The family waits from the reception on, whenever the espace takes charge, unless it has a date: one that is lost makes it wait
    // again, one that was kept leaves as long to go on from there. Whoever asked the espace by themselves was heard.
    private static IEnumerable<Milestone> FirstContact(Subject s) => When(
        s.Booked.Count == 0
            && (s.Status is { State: MesureState.PriseEnCharge, Holder: Holder.Espace }
                || (s.Status is { State: MesureState.Recue, FirstAttemptAt: null } && s.Mesure.Nature == MesureNature.Judiciaire)),
        s.Status.InterviewAt > s.Status.HolderSince ? s.Status.InterviewAt : s.Status.HolderSince);

    // An older version beside this one knows the earliest start alone.
    private static IEnumerable<Milestone> Unreported(Subject s) =>
        s.Mesure.NextRencontreAt is { } next ? s.Mesure.PendingStarts.Where(p => p > next).Prepend(next).Select(p => new Milestone(p, false)) : [];

    // A date of which nothing is heard once it has passed: nobody else would see that the family waits.
    private static IEnumerable<Milestone> FirstInterview(Subject s) => s.Booked.Count > 0
        ? [new Milestone(s.Booked.Min(i => i.StartsAt), false) { Delay = Delay.WorkingDays(2) }]
        : When(s.Status is { State: MesureState.EnAttente, InterviewAt: null }, Earliest(s.Status.VisiteurContactAt, s.Status.HoteContactAt));

    // However the mesure ended: the child is in danger all the same.
    private static IEnumerable<Milestone> Untold(Subject s) =>
        s.Difficulties.Where(d => d is { Reason: DifficultyReason.Danger, AlertedAt: null }).Select(d => new Milestone(d.ReportedAt, true));

    private static IEnumerable<Milestone> Undelivered(Subject s) =>
        When(s.Status is { State: MesureState.Transmise, DeliveredAt: null, RetrievedAt: null }, s.Known(s.Status.TransmittedAt));

    private static IEnumerable<Milestone> Unacknowledged(Subject s) => s.Difficulties.Where(d => d.State == DifficultyState.Open).Select(Known);

    // The court missed nothing before Jafer could tell it.
    private static Milestone Known(Difficulty difficulty) => new(Later(difficulty.ReportedAt, difficulty.RecordedAt), difficulty.Urgent);

    // A mesure that was transmitted, or told to Jafer, with less time left has no warning to miss: the next one comes.
    private static IEnumerable<Milestone> BeforeTerm(Subject s, Func<DateOnly, DateOnly> before) =>
        s.Transmitted && s.Mesure.Term is { } term && s.Court.StartOf(before(term)) is var at ? When(at >= Later(s.Mesure.CreatedAt, s.Status.TransmittedAt), at) : [];

    // Nothing was held, and less is left of the term than a family waits at the espace: visits would begin when the decision has
    // ended. Whoever transmits is left a week to see to it; what is scheduled within the term, ten days to be heard of.
    private static IEnumerable<Milestone> ExpiresBeforeVisit(Subject s)
    {
        if (!s.Transmitted || s.Status.FirstHeldRencontreAt is not null || s.Mesure.Term is not { } term)
        {
            return [];
        }

        var end = s.Lieu.EndOf(term);
        var due = Later(
            s.Court.StartOf(term.AddDays(-Math.Min(s.Mesure.EspaceWaitDays ?? UsualWaitDays, term.DayNumber))),
            s.Court.AfterWorkingDays(Later(s.Mesure.CreatedAt, s.Status.TransmittedAt), 5));
        var last = s.Mesure.PendingStarts.Where(p => p < end).Select(p => (DateTimeOffset?)p).Max() ?? (s.Mesure.NextRencontreAt < end ? s.Mesure.NextRencontreAt : null);
        return last is { } start ? When(s.Court.AfterWorkingDays(start, DaysUntilHeardOf) < end, Later(due, s.Court.AfterWorkingDays(start, DaysUntilHeardOf))) : [new Milestone(due, false)];
    }

    private static DateTimeOffset Later(DateTimeOffset at, DateTimeOffset? recorded) => recorded > at ? recorded.Value : at;

    private static DateTimeOffset? Earliest(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b : a;

    /// <summary>What the rows look at.</summary>
    private sealed record Subject(Mesure Mesure, IReadOnlyList<Difficulty> Difficulties, IReadOnlyList<Interview> Booked)
    {
        public MesureStatus Status => Mesure.Status;

        public bool Transmitted => Status.State is not (MesureState.Ordonnee or MesureState.Completee);

        /// <summary>From when on whoever holds the mesure since then can be late: not before Jafer could tell them.</summary>
        /// <param name="since">Business time.</param>
        public DateTimeOffset? Known(DateTimeOffset? since) => since is { } at ? Later(at, Status.HolderRecordedAt) : null;

        public WorkingCalendar Lieu { get; } = CalendarOf(Espace, Mesure.Reference, Mesure.EspaceTimeZone, Mesure.EspaceDepartement);

        public WorkingCalendar Court { get; } = CalendarOf(DeadlineTable.Court, Mesure.Reference, Mesure.EspaceTimeZone, Mesure.EspaceDepartement);
    }

    /// <summary>A moment from which a deadline counts.</summary>
    private readonly record struct Milestone(DateTimeOffset At, bool Urgent)
    {
        /// <summary>How long after it; null for what its row says.</summary>
        public Delay? Delay { get; init; }
    }

    private sealed record Row(DeadlineKind Kind, Holder MustAct, Delay Delay, Func<Subject, IEnumerable<Milestone>> From)
    {
        public Delay? Urgent { get; init; }

        public bool Escalates { get; init; }

        /// <summary>Whether it runs on when the mesure is closed.</summary>
        public bool AfterClosing { get; init; }

        /// <summary>What the milestones give, each time once.</summary>
        public IEnumerable<Deadline> For(Subject subject)
        {
            // What no judge ordered, the espace decides.
            var mustAct = subject.Mesure.Nature == MesureNature.Judiciaire ? MustAct : Espace;
            var calendar = mustAct == Court ? subject.Court : subject.Lieu;
            return From(subject)
                .Select(m => (m.Urgent, DueAt: (m.Delay ?? (m.Urgent && Urgent is { } urgent ? urgent : Delay)).After(m.At, calendar)))
                .Where(d => d.DueAt < Never)
                .GroupBy(d => d.DueAt, d => d.Urgent)
                .Select(due => new Deadline
                {
                    MesureId = subject.Mesure.Id,
                    Kind = Kind,
                    MustAct = mustAct,
                    DueAt = due.Key,
                    Urgent = due.Any(urgent => urgent),
                    RemindAt = ReminderTable.Of(Kind, due.Any(urgent => urgent)).First(due.Key, calendar).At,
                });
        }
    }
}
