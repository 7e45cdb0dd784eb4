namespace Jafer.Simulation;

/// <summary>How judges choose an espace.</summary>
internal enum Rule
{
    /// <summary>The nearest one to the hôte that takes the mesure.</summary>
    Nearest,

    /// <summary>The least of declared wait and travel.</summary>
    Declared,

    /// <summary>The least of forecast wait and travel: Jafer's ranking.</summary>
    Forecast,
}

/// <summary>What is done differently from <see cref="Calendar.PolicyFirst"/> on.</summary>
/// <param name="Name">Name in the results.</param>
/// <param name="Title">Title in the report.</param>
internal sealed record Policy(string Name, string Title)
{
    /// <summary>How judges who comply choose.</summary>
    public Rule Rule { get; init; }

    /// <summary>Days between two declarations of an espace; the figure declared is exact on its day.</summary>
    public int DeclaredEvery { get; init; } = 180;

    /// <summary>Whether lost slots that are known early go to who waits.</summary>
    public bool LostSlots { get; init; }

    /// <summary>Whether mesures are transmitted on the day of the order with a booked interview.</summary>
    public bool SameDay { get; init; }

    /// <summary>Whether families in the queue are asked whether they still wait.</summary>
    public bool Hygiene { get; init; }

    /// <summary>Whether espaces are asked for extra sessions.</summary>
    public bool Extra { get; init; }

    /// <summary>Share of judges' choices that follow the ranking and the same-day transmission.</summary>
    public double Compliance { get; init; } = 1;

    /// <summary>Share of espaces that are connected: the others confirm their queue once a year and use no lever.</summary>
    public double Connected { get; init; } = 1;

    /// <summary>Whether only espaces of the hôte's département may be chosen, where it has one.</summary>
    public bool DepartementOnly { get; init; }

    /// <summary>Days of waiting that count as one hour more of travel of both parents together.</summary>
    public double DaysPerTravelHour { get; init; } = Directory.Domain.Ranking.DefaultDaysPerTravelHour;

    /// <summary>Whether every espace has room for all: what acts on the queue alone can gain no more than this.</summary>
    public bool Unlimited { get; init; }

    /// <summary>The main policies, in the order of the report.</summary>
    public static readonly Policy[] Main =
    [
        new("nearest", "nearest espace (base)"),
        new("declared", "declared waits, every 180 days") { Rule = Rule.Declared },
        new("ranking", "Jafer's ranking") { Rule = Rule.Forecast },
        new("slots", "lost slots") { LostSlots = true },
        new("same-day", "same-day transmission with a booked interview") { SameDay = true },
        new("hygiene", "queue hygiene") { Hygiene = true },
        new("extra", "extra sessions where asked") { Extra = true },
        new("all", "all together") { Rule = Rule.Forecast, LostSlots = true, SameDay = true, Hygiene = true, Extra = true },
    ];

    /// <summary>All that have a name.</summary>
    public static IEnumerable<Policy> Everything => [.. Main, .. Steps, .. Variants];

    /// <summary>The base that others are compared with.</summary>
    public static Policy Base => Main[0];

    /// <summary>All levers.</summary>
    public static Policy All => Main[^1];

    /// <summary>One lever after the other: what each adds to those before.</summary>
    public static readonly Policy[] Steps =
    [
        new("ranking+slots", "ranking, lost slots") { Rule = Rule.Forecast, LostSlots = true },
        new("ranking+slots+same-day", "ranking, lost slots, same day") { Rule = Rule.Forecast, LostSlots = true, SameDay = true },
        new("ranking+slots+same-day+hygiene", "ranking, lost slots, same day, hygiene") { Rule = Rule.Forecast, LostSlots = true, SameDay = true, Hygiene = true },
    ];

    /// <summary>What is varied around the main policies.</summary>
    public static readonly Policy[] Variants =
    [
        new("declared-90", "declared waits, every 90 days") { Rule = Rule.Declared, DeclaredEvery = 90 },
        new("declared-365", "declared waits, every 365 days") { Rule = Rule.Declared, DeclaredEvery = 365 },
        new("unlimited", "room for all everywhere (ceiling)") { Unlimited = true },
        .. new[] { 0.25, 0.5, 0.75 }.SelectMany(c => new[] { Main[2], All }.Select(p => p with { Name = FormattableString.Invariant($"{p.Name}@compliance={c}"), Title = FormattableString.Invariant($"{p.Title}, {100 * c} % of judges comply"), Compliance = c })),
        .. new[] { 0.25, 0.5, 0.75 }.SelectMany(c => new[] { Main[2], All }.Select(p => p with { Name = FormattableString.Invariant($"{p.Name}@connected={c}"), Title = FormattableString.Invariant($"{p.Title}, {100 * c} % of espaces connected"), Connected = c })),
        All with { Name = "all@half", Title = "all together, half of judges and half of espaces", Compliance = 0.5, Connected = 0.5 },
        .. new[] { Main[2], All }.Select(p => p with { Name = p.Name + "@departement", Title = p.Title + ", within the département only", DepartementOnly = true }),
        .. new[] { 14.0, 28, 56, 224 }.SelectMany(d => new[] { Main[2], All }.Select(p => p with { Name = FormattableString.Invariant($"{p.Name}@days={d}"), Title = FormattableString.Invariant($"{p.Title}, {d} days per hour"), DaysPerTravelHour = d })),
    ];
}
