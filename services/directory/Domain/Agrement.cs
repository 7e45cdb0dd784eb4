namespace Jafer.Directory.Domain;

/// <summary>State of an agrément on a given day (CASF art. L216-1?, D216-1 to D216-7).</summary>
internal enum AgrementState
{
    /// <summary>The full file lies with the préfet, who has not answered.</summary>
    Demande,

    /// <summary>Granted by an express decision.</summary>
    Accorde,

    /// <summary>Granted by two months of silence.</summary>
    ReputeAcquis,

    /// <summary>Refused by a reasoned decision.</summary>
    Refuse,

    /// <summary>Withdrawn.</summary>
    Retire,
}

/// <summary>
/// The agrément that the préfet of a département gives to an espace de rencontre: without it no judge may designate the espace.
/// It holds dates only; the state is what they say on the day asked.
/// </summary>
/// <param name="DossierCompletLe">Day on which the full file reached the préfet; null when only the decision is known.</param>
/// <param name="AccordeLe">Day of the decision that grants it; null when there is none.</param>
/// <param name="RefuseLe">Day of the decision that refuses it; null when there is none.</param>
/// <param name="RetireLe">Day from which it is withdrawn; null when it is not.</param>
/// <param name="ValableDu">First day of validity when the decision names one, else the day of the decision.</param>
/// <param name="ValableAu">Last day of validity; null when it has no term.</param>
internal sealed record Agrement(
    DateOnly? DossierCompletLe = null,
    DateOnly? AccordeLe = null,
    DateOnly? RefuseLe = null,
    DateOnly? RetireLe = null,
    DateOnly? ValableDu = null,
    DateOnly? ValableAu = null)
{
    /// <summary>Months of silence after which a full file is granted (CASF R216-2).</summary>
    public const int MonthsOfSilence = 2;

    /// <summary>The day on which silence grants the agrément, whether or not a decision comes before; null without a full file.</summary>
    public DateOnly? SilenceAcquiseLe => DossierCompletLe?.AddMonths(MonthsOfSilence);

    /// <summary>The state on a day; null before anything happened. A decision on the last day of silence still comes in time.</summary>
    public AgrementState? StateOn(DateOnly day)
    {
        if (RetireLe <= day)
            return AgrementState.Retire;
        if (RefuseLe <= day && !(AccordeLe <= day && AccordeLe > RefuseLe))
            return AgrementState.Refuse;
        if (AccordeLe <= day)
            return AgrementState.Accorde;
        if (SilenceAcquiseLe < day)
            return AgrementState.ReputeAcquis;
        return DossierCompletLe <= day ? AgrementState.Demande : null;
    }

    /// <summary>True when the espace may be designated by a decision of this day.</summary>
    public bool IsValidOn(DateOnly day) => day >= FirstDayFor(StateOn(day)) && !(day > ValableAu);

    /// <summary>The last day on which it is valid as far as is known on the given day, provided that it is valid then; null without term.</summary>
    public DateOnly? LastValidDay => (RetireLe?.AddDays(-1), ValableAu) switch
    {
        ({ } withdrawn, { } term) => withdrawn < term ? withdrawn : term,
        var (withdrawn, term) => withdrawn ?? term,
    };

    private DateOnly? FirstDayFor(AgrementState? state) => state switch
    {
        // An express grant after the silence confirms what silence had given: no gap between the two.
        AgrementState.Accorde when SilenceAcquiseLe < AccordeLe => SilenceAcquiseLe,
        AgrementState.Accorde => ValableDu ?? AccordeLe,
        AgrementState.ReputeAcquis => SilenceAcquiseLe?.AddDays(1),
        _ => null,
    };
}
