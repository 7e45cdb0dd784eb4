using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>
/// One version of the terms of a mesure. Kept from the first modification on; version 1 is what was ordered. All of its content
/// may be personal data.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class DecisionVersion
{
    public required Guid MesureId { get; init; }

    /// <summary>From 1, without gap.</summary>
    public required int Number { get; init; }

    /// <summary>Day of the decision; null for terms that have none.</summary>
    public required DateOnly? DecidedOn { get; init; }

    /// <summary>First day on which it holds; null for the first version, which holds from the beginning.</summary>
    public required DateOnly? EffectiveOn { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    [Sealed(DataCategory.Decision)]
    public required Decision Content { get; init; }
}

/// <summary>What a later decision changes; null leaves as it is.</summary>
/// <param name="DecidedOn">Day of that decision.</param>
/// <param name="EffectiveOn">First day on which the new terms hold.</param>
internal sealed record DecisionChange(DateOnly DecidedOn, DateOnly EffectiveOn)
{
    public Modalite? Modalite { get; init; }

    public int? DurationMonths { get; init; }

    public (int Count, int Interval, PeriodicityUnit Unit)? Periodicity { get; init; }

    public int? RencontreMinutes { get; init; }

    public bool? OutingGranted { get; init; }

    public bool? RemiseGranted { get; init; }

    public bool? InterdictionDeContact { get; init; }

    /// <summary>Free text of the decision; may hold personal data.</summary>
    public string? Restrictions { get; init; }

    /// <summary>The terms after the change.</summary>
    public Decision ApplyTo(Decision terms) => terms with
    {
        Modalite = Modalite ?? terms.Modalite,
        DurationMonths = DurationMonths ?? terms.DurationMonths,
        PeriodicityCount = Periodicity?.Count ?? terms.PeriodicityCount,
        PeriodicityInterval = Periodicity?.Interval ?? terms.PeriodicityInterval,
        PeriodicityUnit = Periodicity?.Unit ?? terms.PeriodicityUnit,
        RencontreMinutes = RencontreMinutes ?? terms.RencontreMinutes,
        TermsLeftToService = terms.TermsLeftToService && Periodicity is null && RencontreMinutes is null,
        OutingGranted = OutingGranted ?? terms.OutingGranted,
        RemiseGranted = RemiseGranted ?? terms.RemiseGranted,
        InterdictionDeContact = InterdictionDeContact ?? terms.InterdictionDeContact,
        Restrictions = Restrictions ?? terms.Restrictions,
    };
}

/// <summary>Which version of the terms holds when.</summary>
internal static class DecisionVersions
{
    /// <summary>
    /// The terms in force on a day: those of the last version that holds by then, since the judge who decided last knew of all
    /// before.
    /// </summary>
    /// <param name="versions">All versions, in any order; empty while the terms were never modified.</param>
    /// <param name="day">The day.</param>
    /// <param name="unmodified">The terms of a mesure without versions.</param>
    public static Decision InForceOn(this IEnumerable<DecisionVersion> versions, DateOnly day, Decision unmodified) =>
        versions.Where(v => v.EffectiveOn is null || v.EffectiveOn <= day).MaxBy(v => v.Number)?.Content ?? unmodified;
}
