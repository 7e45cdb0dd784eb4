using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Domain;

/// <summary>What a lieu is known to offer to those who come.</summary>
[Flags]
internal enum LieuAccess : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A wheelchair user can enter and use the rooms.</summary>
    Wheelchair = 1,

    /// <summary>The parents need not meet: separate entrances or staggered arrivals.</summary>
    ParentsApart = 2,

    /// <summary>A stop of public transport lies within a walk.</summary>
    WithoutCar = 4,

    /// <summary>Toilets for wheelchair users.</summary>
    AdaptedToilets = 8,

    /// <summary>An induction loop for the hard of hearing.</summary>
    InductionLoop = 16,

    /// <summary>Guidance for the blind and partially sighted.</summary>
    VisualGuidance = 32,

    /// <summary>A reserved parking space.</summary>
    ReservedParking = 64,

    /// <summary>
    /// Something at all was said of access, so that what was not said is not there. Without it, nothing is known.
    /// </summary>
    Described = 128,
}

/// <summary>A lieu d'accueil as a search sees it.</summary>
/// <param name="Commune">Number of its commune, as <see cref="TravelCache"/> gave it.</param>
/// <param name="Access">What it offers.</param>
internal readonly record struct LieuFacts(int Commune, LieuAccess Access)
{
    /// <summary>Longest walk from a stop, in minutes, at which a lieu counts as reached without a car.</summary>
    public const int LongestWalk = 20;

    /// <summary>True when the lieu is known to offer this.</summary>
    public bool Has(LieuAccess access) => (Access & access) == access;
}

/// <summary>Days on which an espace may be designated, with the lieux that the agrément covers.</summary>
/// <param name="Days">The days.</param>
/// <param name="Lieux">One bit for each lieu, by its position.</param>
internal readonly record struct AgrementFacts(Period Days, ulong Lieux)
{
    /// <summary>Whether the préfet has not decided: from the first of these days on his silence grants it.</summary>
    public bool BySilence { get; init; }
}

/// <summary>Days on which an espace, or one of its lieux, is closed, both included.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day.</param>
/// <param name="Lieux">The lieux that are closed, one bit each.</param>
internal readonly record struct Closure(DateOnly From, DateOnly To, ulong Lieux);

/// <summary>What a search looks at of an espace, whatever the modalité. Immutable.</summary>
internal sealed class EspaceFacts
{
    /// <summary>Lieux that one bit each can stand for: more than an espace may have.</summary>
    public const int MaxLieux = 64;

    /// <summary>The espace.</summary>
    public required Guid Id { get; init; }

    /// <summary>Code of its département.</summary>
    public required string Departement { get; init; }

    /// <summary>Whether it receives mesures.</summary>
    public required EspaceState State { get; init; }

    /// <summary>Periods in which it may be designated.</summary>
    public required AgrementFacts[] Agrements { get; init; }

    /// <summary>Its lieux, at least one.</summary>
    public required LieuFacts[] Lieux { get; init; }

    /// <summary>Exceptional closures in the order of their first days.</summary>
    public Closure[] Closures { get; init; } = [];

    /// <summary>Languages spoken besides French, as <see cref="LanguageCodes"/> compares them; empty when nothing was said.</summary>
    public string[] Languages { get; init; } = [];

    /// <summary>Whether an interpreter can be called in.</summary>
    public bool Interpreter { get; init; }

    /// <summary>Whether families in great precariousness are helped to come.</summary>
    public bool PrecariousnessSupport { get; init; }

    /// <summary>Codes of the courts that it says it serves; empty for all.</summary>
    public string[] Courts { get; init; } = [];

    /// <summary>INSEE codes of the communes that it says it serves; empty for all.</summary>
    public string[] Communes { get; init; } = [];

    /// <summary>All its lieux, one bit each.</summary>
    public ulong AllLieux => Lieux.Length >= MaxLieux ? ulong.MaxValue : (1UL << Lieux.Length) - 1;

    /// <summary>The lieux in which it may be designated by a decision of a day; 0 when it may not be at all.</summary>
    public ulong CoveredLieux(DateOnly decision)
    {
        var covered = 0UL;
        foreach (var agrement in Agrements)
        {
            if (agrement.Days.Contains(decision))
                covered |= agrement.Lieux;
        }
        return covered & AllLieux;
    }

    /// <summary>The day itself, or the first one after it on which the lieu is not closed.</summary>
    /// <param name="lieu">Position of the lieu.</param>
    /// <param name="day">The day.</param>
    public DateOnly FirstOpenDay(int lieu, DateOnly day)
    {
        // They stand in the order of their first days: one that was passed by ends before the day, or begins after it.
        foreach (var closure in Closures)
        {
            if ((closure.Lieux >> lieu & 1) != 0 && closure.From <= day && day <= closure.To)
                day = closure.To.PlusDays(1);
        }
        return day;
    }
}
