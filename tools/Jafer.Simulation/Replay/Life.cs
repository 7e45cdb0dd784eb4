using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;

namespace Jafer.Simulation.Replay;

/// <summary>What is replayed.</summary>
/// <param name="Seed">Seed of the simulated year, and of what the replay draws itself.</param>
/// <param name="Fraction">Share of the gestionnaires, above 0 to 1, of which all mesures are replayed: which ones follows from the seed.</param>
/// <param name="LastDay">The day on which the last day of the simulated year falls; in the past.</param>
internal sealed record ReplayPlan(int Seed, double Fraction, DateOnly LastDay)
{
    /// <summary>Under which the year was simulated.</summary>
    public Policy Policy { get; init; } = Policy.Base;

    /// <summary>The day of the calendar on which a day of the simulation falls.</summary>
    public DateOnly DateOf(int day) => LastDay.AddDays(day - (Calendar.YearEnd - 1));

    /// <summary>An id that the same replay always gives to the same act, so that a repeated act is done once.</summary>
    public string IdOf(string act) => StableIds.For($"replay:{Policy.Name}:{Seed}:{Fraction:R}:{LastDay:yyyy-MM-dd}:{act}").ToString();
}

/// <summary>What somebody does or tells.</summary>
internal enum StepKind
{
    /// <summary>The court transmits.</summary>
    Transmit,

    /// <summary>The espace registers what no judge ordered.</summary>
    Register,

    /// <summary>The espace acknowledges.</summary>
    Acknowledge,

    /// <summary>The espace takes charge.</summary>
    TakeCharge,

    /// <summary>A parent was reached.</summary>
    Contact,

    /// <summary>The interview took place.</summary>
    Interview,

    /// <summary>A rencontre is booked.</summary>
    Schedule,

    /// <summary>A rencontre was held.</summary>
    Held,

    /// <summary>A child was brought back after a handover.</summary>
    Returned,

    /// <summary>A rencontre was not held.</summary>
    NotHeld,

    /// <summary>The espace refers a difficulty.</summary>
    Difficulty,

    /// <summary>The espace closes.</summary>
    Close,

    /// <summary>The court closes.</summary>
    CloseByCourt,
}

/// <summary>What the judge does about a difficulty.</summary>
internal enum JudgeReply
{
    /// <summary>There is no difficulty.</summary>
    None,

    /// <summary>Nothing yet.</summary>
    Silent,

    /// <summary>Acknowledges it.</summary>
    Acknowledged,

    /// <summary>Answers that the mesure is maintained.</summary>
    Answered,
}

/// <summary>A step of a mesure.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">Business time.</param>
/// <param name="Rencontre">Number of the rencontre that it is about, from 0; -1 for none.</param>
internal readonly record struct Step(StepKind Kind, DateTimeOffset At, int Rencontre = -1);

/// <summary>
/// A mesure as it is replayed: the acts of the books up to the end of the year, with what the books leave to the software of an espace (when
/// it acknowledges, how it books one rencontre after the other). The figures that services must report follow from it.
/// </summary>
internal sealed class Life
{
    private const int RencontresLostBeforeReferral = 3;

    private static readonly TimeZoneInfo s_paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    private readonly List<Step> _steps = [];
    private readonly List<DateTimeOffset> _rencontres = [];

    private Life(int number, int site, string? court, bool handover, DateOnly ordered) =>
        (Number, Site, Court, Handover, Ordered) = (number, site, court, handover, ordered);

    /// <summary>Number of the mesure in the books.</summary>
    public int Number { get; }

    /// <summary>Number of its espace.</summary>
    public int Site { get; }

    /// <summary>Code of the court; null where no judge ordered it.</summary>
    public string? Court { get; }

    /// <summary>Whether it is for handovers.</summary>
    public bool Handover { get; }

    /// <summary>Day of the decision, or of the agreement.</summary>
    public DateOnly Ordered { get; }

    /// <summary>Days from one rencontre to the next.</summary>
    public int Interval { get; private init; }

    /// <summary>Particular situations that the judge keeps, the principal one first: as often as published for 2024, at times a second one.</summary>
    public IReadOnlyList<SituationParticuliere> Situations { get; private init; } = [];

    /// <summary>Who sent the family where no judge did, as often as published for 2024. A prolongement has none here: it would follow a mesure.</summary>
    public NonJudicialOrigin Origin { get; private init; }

    /// <summary>Its modalité.</summary>
    public Modalite Modalite => Handover ? Modalite.RemiseEnfant : Modalite.Visite;

    /// <summary>Why it was closed; unspecified while it is open.</summary>
    public ClosureReason Reason { get; private set; }

    /// <summary>What the judge does about its difficulty.</summary>
    public JudgeReply Reply { get; private set; }

    /// <summary>Months of the duration that the decision orders; 0 for none.</summary>
    public int Months { get; private set; }

    /// <summary>From when they count.</summary>
    public TermStart TermStart { get; private set; }

    /// <summary>The steps in the order in which they happen.</summary>
    public IReadOnlyList<Step> Steps => _steps;

    /// <summary>The rencontres that were booked, with their starts.</summary>
    public IReadOnlyList<DateTimeOffset> Rencontres => _rencontres;

    /// <summary>How old its child is on the day of the decision.</summary>
    public int ChildAge => 3 + (Number % 10);

    /// <summary>Whether it is closed.</summary>
    public bool IsClosed => Reason != ClosureReason.Unspecified;

    /// <summary>Whether its espace has it.</summary>
    public bool IsAtEspace => Court is null || Count(StepKind.Transmit) > 0;

    /// <summary>Day of the first rencontre held; null when none was.</summary>
    public DateOnly? FirstHeld => _steps.FirstOrDefault(s => s.Kind == StepKind.Held) is { Kind: StepKind.Held } held ? DayOf(_rencontres[held.Rencontre]) : null;

    /// <summary>Last day of the mesure as the mesure service computes it; null while it cannot be known.</summary>
    public DateOnly? Term => Months == 0 ? null : (TermStart == TermStart.Decision ? Ordered : FirstHeld)?.AddMonths(Months);

    /// <summary>Rencontres without outcome.</summary>
    public int Pending => Count(StepKind.Schedule) - Count(StepKind.Held) - Count(StepKind.NotHeld);

    /// <summary>Difficulties that the judge has not answered.</summary>
    public int OpenDifficulties => Reply is JudgeReply.Silent or JudgeReply.Acknowledged ? 1 : 0;

    /// <summary>Where it stands at the end of the year.</summary>
    public MesureState State => IsClosed ? MesureState.Cloturee
        : !IsAtEspace ? MesureState.Completee
        : Count(StepKind.Acknowledge) + Count(StepKind.Register) == 0 ? MesureState.Transmise
        : Count(StepKind.TakeCharge) == 0 ? MesureState.Recue
        : Count(StepKind.Held) > 0 ? MesureState.EnCours
        : Pending > 0 ? MesureState.Programmee
        : Count(StepKind.Contact) > 0 ? MesureState.EnAttente : MesureState.PriseEnCharge;

    /// <summary>Day of the first step of a kind; null when there is none.</summary>
    public DateOnly? DayOf(StepKind kind) => _steps.FirstOrDefault(s => s.Kind == kind) is { At.Year: > 1 } step ? DayOf(step.At) : null;

    /// <summary>How many steps of a kind there are.</summary>
    public int Count(StepKind kind) => _steps.Count(s => s.Kind == kind);

    /// <summary>Day in Paris.</summary>
    public static DateOnly DayOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, s_paris).DateTime);

    /// <summary>The mesures of a plan: those that were open at any time in the counted year, each up to its end.</summary>
    /// <param name="territory">Where everything is.</param>
    /// <param name="demand">The mesures.</param>
    /// <param name="books">What became of them, with the dated acts.</param>
    /// <param name="plan">What is replayed.</param>
    /// <param name="stage">Where.</param>
    public static List<Life> Of(Territory territory, Demand demand, Books books, ReplayPlan plan, Stage stage)
    {
        var acts = new Dictionary<int, List<Act>>();
        var draw = new Draw(plan.Seed);
        var played = stage.Played(plan, draw);
        foreach (var act in books.Acts ?? throw new InvalidOperationException("the run kept no acts"))
        {
            var m = act.Mesure;
            if (!played[act.Site] || demand.Day[m] >= Calendar.YearEnd || (books.Closed[m] is >= 0 and var closed && closed < Calendar.YearFirst))
                continue;
            if (!acts.TryGetValue(m, out var of))
                acts[m] = of = [];
            of.Add(act);
        }
        return [.. acts.OrderBy(a => a.Key).Select(a => Of(territory, demand, plan, draw, a.Key, a.Value))];
    }

    private static Life Of(Territory territory, Demand demand, ReplayPlan plan, Draw draw, int m, List<Act> acts)
    {
        // Where no court is known to be the probable one, the first decides.
        var court = demand.Judicial[m] ? "tj" + territory.Courts[Math.Max(0, territory.Communes[demand.Hote[m]].Court)].ToLowerInvariant() : null;
        var life = new Life(m, acts[0].Site, court, demand.Handover[m], plan.DateOf(demand.Day[m]))
        {
            Interval = demand.Interval[m],
            Situations = court is null || !draw.Chance(0.60, Habits.Situation, m) ? [] : SituationsOf(draw, m),
            Origin = court is not null ? NonJudicialOrigin.Unspecified : draw.Unit(Habits.Origin, m) switch
            {
                < 12 / 54d => NonJudicialOrigin.Avocat,
                < 23 / 54d => NonJudicialOrigin.Ase,
                < 32 / 54d => NonJudicialOrigin.BoucheAOreille,
                _ => NonJudicialOrigin.Autre,
            },
        };
        life.Live(acts, plan, draw);
        life.Order(demand.Terms[m]);
        return life;
    }

    private static SituationParticuliere[] SituationsOf(Draw draw, int m)
    {
        var principal = draw.Unit(Habits.Principal, m) switch
        {
            < 0.67 => SituationParticuliere.ViolencesIntrafamiliales,
            < 0.79 => SituationParticuliere.TroublesPsychiatriques,
            _ => SituationParticuliere.Addiction,
        };
        var second = principal == SituationParticuliere.Addiction ? SituationParticuliere.ViolencesIntrafamiliales : SituationParticuliere.Addiction;
        return draw.Chance(0.25, Habits.Second, m) ? [principal, second] : [principal];
    }

    private void Live(List<Act> acts, ReplayPlan plan, Draw draw)
    {
        // What follows the year is only looked at to know for when the next rencontre is booked.
        var rencontres = new Queue<Act>(acts.Where(a => a.Kind is ActKind.Held or ActKind.NotHeld));
        var received = false;
        var booked = false;
        var lostInARow = 0;
        var closed = acts.Find(a => a.Kind == ActKind.Closed && a.Day < Calendar.YearEnd);
        foreach (var act in acts.TakeWhile(a => a.Day < Calendar.YearEnd))
        {
            switch (act.Kind)
            {
                case ActKind.Transmitted when Court is null:
                    Add(act.Day, StepKind.Register);
                    break;
                case ActKind.Transmitted:
                    Add(act.Day, StepKind.Transmit);
                    break;
                case ActKind.Contacted:
                    Receive(act.Day);
                    Add(act.Day, StepKind.Contact);
                    break;
                case ActKind.Ready:
                    Add(act.Day, StepKind.Interview);
                    break;
                case ActKind.Booked:
                    booked = true;
                    Book(act.Day);
                    break;
                case ActKind.SlotGiven:
                    Book(act.Day);
                    break;
                case ActKind.Held or ActKind.NotHeld:
                    var held = act.Kind == ActKind.Held;
                    Add(act.Day, held ? StepKind.Held : StepKind.NotHeld, _rencontres.Count - 1);
                    if (held && Handover)
                        Add(act.Day, StepKind.Returned, _rencontres.Count - 1);
                    lostInARow = held ? 0 : lostInARow + 1;
                    if (lostInARow == RencontresLostBeforeReferral && Court is not null && closed.Kind != ActKind.Closed && Reply == JudgeReply.None)
                    {
                        Add(act.Day, StepKind.Difficulty);
                        Reply = draw.Unit(Habits.Reply, Number) switch { < 0.5 => JudgeReply.Answered, < 0.75 => JudgeReply.Acknowledged, _ => JudgeReply.Silent };
                    }
                    if (booked)
                        Book(act.Day);
                    break;
                case ActKind.Closed:
                    Receive(act.Day);
                    Reason = act.Reason;
                    Add(act.Day, act.Reason is ClosureReason.JugeRapportee or ClosureReason.JugeModification ? StepKind.CloseByCourt : StepKind.Close);
                    break;
                default:
                    break;
            }
        }
        Receive(Calendar.YearEnd - 1);

        // An espace acknowledges and takes charge within days, before it hears of anybody. What comes later than the year is not told.
        void Receive(int until)
        {
            var came = acts.Find(a => a.Kind == ActKind.Transmitted && a.Day < Calendar.YearEnd);
            if (received || came.Kind != ActKind.Transmitted)
                return;
            received = true;
            var ended = until == Calendar.YearEnd - 1 && acts.TrueForAll(a => a.Day >= Calendar.YearEnd || a.Kind is not (ActKind.Contacted or ActKind.Closed));
            var acknowledged = came.Day + (int)(5 * draw.Unit(Habits.Acknowledged, Number));
            var taken = acknowledged + (int)(5 * draw.Unit(Habits.TakenCharge, Number));
            if (Court is not null && (!ended || acknowledged <= until))
                Add(Math.Min(acknowledged, until), StepKind.Acknowledge);
            if (!ended || taken <= until)
                Add(Math.Min(taken, until), StepKind.TakeCharge);
        }

        void Book(int day)
        {
            if (!rencontres.TryDequeue(out var next))
                return;
            _rencontres.Add(At(plan.DateOf(next.Day), new TimeOnly(14, 0)));
            Add(day, StepKind.Schedule, _rencontres.Count - 1);
        }

        // What became of a rencontre is told once it is over; all else in the morning, or after that.
        void Add(int day, StepKind kind, int rencontre = -1)
        {
            var on = plan.DateOf(day);
            var at = At(on, new TimeOnly(kind is StepKind.Held or StepKind.NotHeld ? 17 : 9, 0));
            if (_steps.Count > 0 && _steps[^1].At >= at)
                at = _steps[^1].At.AddMinutes(1);
            _steps.Add(new(kind, at, rencontre));
        }
    }

    // The books count the term from the first rencontre planned and on another calendar. The decision orders a duration by which Jafer's own
    // rule of the term admits what happened; where no whole number of months does, it orders none.
    private void Order(int months)
    {
        var last = _rencontres.Count == 0 ? (DateOnly?)null : DayOf(_rencontres[^1]);
        DateOnly? ended = Reason == ClosureReason.ArriveeATerme ? DayOf(_steps[^1].At) : null;
        foreach (var (start, count) in Candidates())
        {
            var from = start == TermStart.Decision ? Ordered : FirstHeld;
            if (from is { } day ? !(day.AddMonths(count) < last) && !(ended < day.AddMonths(count)) : ended is null)
            {
                (TermStart, Months) = (start, count);
                return;
            }
        }

        IEnumerable<(TermStart Start, int Months)> Candidates()
        {
            // What no judge ordered counts from the agreement.
            if (Court is not null)
            {
                foreach (var count in (int[])[months, months - 1, months + 1])
                {
                    if (count is > 0 and <= 60)
                        yield return (TermStart.FirstRencontre, count);
                }
            }
            if (last is null && ended is null)
            {
                yield return (TermStart.Decision, Math.Min(60, months + 12));
                yield break;
            }
            for (var count = 1; count <= 60; count++)
                yield return (TermStart.Decision, count);
        }
    }

    private static DateTimeOffset At(DateOnly day, TimeOnly time)
    {
        var local = day.ToDateTime(time);
        return new DateTimeOffset(local, s_paris.GetUtcOffset(local)).ToUniversalTime();
    }
}

/// <summary>What the replay draws beyond the simulation.</summary>
internal static class Habits
{
    public const Purpose Chosen = (Purpose)1001;
    public const Purpose Acknowledged = (Purpose)1002;
    public const Purpose TakenCharge = (Purpose)1003;
    public const Purpose Reply = (Purpose)1004;
    public const Purpose Late = (Purpose)1005;
    public const Purpose LateBy = (Purpose)1006;
    public const Purpose Twice = (Purpose)1007;
    public const Purpose TwiceBy = (Purpose)1008;
    public const Purpose Shuffled = (Purpose)1009;
    public const Purpose Situation = (Purpose)1010;
    public const Purpose Principal = (Purpose)1011;
    public const Purpose Second = (Purpose)1012;
    public const Purpose Origin = (Purpose)1013;
}
