using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Domain;

/// <summary>A rule of designation that an espace does not meet.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="LegalSource">Where it comes from.</param>
/// <param name="Date">Date that matters; null when there is none.</param>
/// <param name="Value">Figure that matters; 0 when there is none.</param>
internal readonly record struct Finding(DesignationRule Rule, string LegalSource, DateOnly? Date, int Value);

/// <summary>What stands against an espace by one rule: a date and a figure.</summary>
internal readonly record struct Obstacle(DateOnly? Date = null, int Value = 0);

/// <summary>The part of the needs that a rule looks at: equal keys are met by the same offers.</summary>
/// <param name="Number">Numbers, packed.</param>
/// <param name="Text">Texts, joined.</param>
internal readonly record struct NeedKey(long Number, string Text = "");

/// <summary>
/// A rule that decides whether an espace may be designated for a mesure and can take it. Rules are data: a search, the
/// explanation of who was left out and the check of one espace go through the same list.
/// </summary>
/// <param name="Code">Its code.</param>
/// <param name="LegalSource">The article, or <see cref="DesignationRules.OfTheEspace"/>.</param>
/// <param name="Key">What it looks at; null when it does not apply to the mesure.</param>
/// <param name="Against">What stands against the espace; null when the rule is met. No offer: the espace does not know the modalité.</param>
internal sealed record Rule(
    DesignationRule Code, string LegalSource, Func<MesureNeeds, NeedKey?> Key, Func<EspaceFacts, Offer?, MesureNeeds, Obstacle?> Against);

/// <summary>The rules of designation.</summary>
internal static class DesignationRules
{
    /// <summary>Source of the rules that an espace sets by what it can do.</summary>
    public const string OfTheEspace = "capacité de l'espace";

    /// <summary>Only an espace with an agrément may be designated.</summary>
    public const string Agrement = "CASF D216-1";

    /// <summary>The judge has the visit or the handover take place in an espace that the judge designates.</summary>
    public const string Designation = "C. civ. 373-2-9, 373-2-1";

    /// <summary>The judge fixes duration, periodicity and length, which the espace must be able to keep.</summary>
    public const string Content = "CPC 1180-5";

    /// <summary>Source of what the caller asked for.</summary>
    public const string OfTheCaller = "demande de l'appelant";

    private static readonly Rule[] s_all =
    [
        new(DesignationRule.AgrementValid, Agrement, n => new(n.Decision.DayNumber), static (espace, _, needs) =>
        {
            DateOnly? before = null, after = null;
            foreach (var (days, _) in espace.Agrements)
            {
                if (days.Contains(needs.Decision))
                    return null;
                if (days.To < needs.Decision && !(days.To < before))
                    before = days.To;
                if (days.From > needs.Decision && !(days.From > after))
                    after = days.From;
            }
            return new(before ?? after);
        }),
        new(DesignationRule.EspaceOpen, OfTheEspace, Always, static (espace, _, _) => espace.State == EspaceState.Ouvert ? null : default(Obstacle)),
        new(DesignationRule.ModaliteOffered, Designation, Always, static (_, offer, _) =>
            offer is null or { State: ModaliteState.Fermee, ReopensOn: null } or { State: ModaliteState.Unspecified } ? default(Obstacle) : null),
        new(DesignationRule.ModaliteOpen, OfTheEspace, Always, static (_, offer, _) =>
            offer is { State: ModaliteState.Complete, ReopensOn: null } ? new Obstacle(offer.ConfirmedOn) : null),
        new(DesignationRule.AgesReceived, OfTheEspace,
            n => n is { YoungestAge: { } youngest, OldestAge: { } oldest } ? new NeedKey(youngest * 32 + oldest) : null,
            static (_, offer, needs) => offer is null ? null
                : needs.YoungestAge < offer.MinAge ? new Obstacle(Value: offer.MinAge)
                : needs.OldestAge > offer.MaxAge ? new Obstacle(Value: offer.MaxAge) : null),
        new(DesignationRule.SiblingsReceived, OfTheEspace, n => n.Children > 0 ? new NeedKey(n.Children) : null, static (_, offer, needs) =>
            offer is { MaxSiblings: > 0 and var most } && needs.Children > most ? new Obstacle(Value: most) : null),
        new(DesignationRule.SituationsReceived, OfTheEspace, n => n.Situations != 0 ? new NeedKey(n.Situations) : null, static (_, offer, needs) =>
            offer is not null && (needs.Situations & ~offer.Situations) is not 0 and var missing
                ? new Obstacle(Value: System.Numerics.BitOperations.TrailingZeroCount(missing)) : null),
        new(DesignationRule.ProtectionOrderReceived, OfTheEspace, n => n.ProtectionOrder ? new NeedKey(1) : null, static (_, offer, needs) =>
            offer is { ProtectionOrder: false } && needs.ProtectionOrder ? default(Obstacle) : null),
        new(DesignationRule.LengthOffered, Content, n => n.Minutes > 0 ? new NeedKey(n.Minutes) : null, static (_, offer, needs) =>
            offer is null || needs.Minutes == 0 ? null
                : needs.Minutes < offer.MinMinutes ? new Obstacle(Value: offer.MinMinutes)
                : offer.MaxMinutes > 0 && needs.Minutes > offer.MaxMinutes ? new Obstacle(Value: offer.MaxMinutes) : null),
        new(DesignationRule.PeriodicityOffered, Content,
            n => n.Frequency is { } f ? new NeedKey((f.Rencontres * 1000L + f.Intervals) * 10 + (int)f.Unit) : null,
            static (_, offer, needs) => offer is { Frequencies.Length: > 0 } && needs.Frequency is { } wished && !offer.Frequencies.Contains(wished)
                ? default(Obstacle) : null),
        new(DesignationRule.LanguagesSpoken, OfTheEspace, n => n.Languages.Length > 0 ? new NeedKey(0, string.Join(',', n.Languages)) : null,
            static (espace, _, needs) => SpeaksAll(espace, needs) == false ? default(Obstacle) : null),
        new(DesignationRule.NeedsMet, OfTheEspace, n => n.Besoins != 0 ? new NeedKey((long)n.Besoins << 32 | (uint)n.Decision.DayNumber) : new NeedKey(n.Decision.DayNumber), NeedNotMet),
        // Kept by no index: the list differs from call to call. See OfferIndex.Matching.
        new(DesignationRule.NotExcludedByCaller, OfTheCaller, _ => null, static (espace, _, needs) =>
            needs.Excluded.Contains(espace.Id) ? default(Obstacle) : null),
    ];

    private static readonly (BesoinAccueil Need, LieuAccess Access)[] s_places =
    [
        (BesoinAccueil.FauteuilRoulant, LieuAccess.Wheelchair),
        (BesoinAccueil.SansVoiture, LieuAccess.WithoutCar),
        (BesoinAccueil.ParentsSepares, LieuAccess.ParentsApart),
    ];

    private static readonly (BesoinAccueil Need, PublicAccueilli Public)[] s_publics =
    [
        (BesoinAccueil.EnfantHandicap, PublicAccueilli.EnfantHandicap),
        (BesoinAccueil.ParentHandicap, PublicAccueilli.ParentHandicap),
        (BesoinAccueil.GrandePrecarite, PublicAccueilli.GrandePrecarite),
        (BesoinAccueil.LienRompu, PublicAccueilli.LienRompu),
        (BesoinAccueil.ParentMineur, PublicAccueilli.ParentMineur),
    ];

    /// <summary>Every rule, in the order in which findings are told.</summary>
    public static ReadOnlySpan<Rule> All => s_all;

    /// <summary>Every rule that stands against an espace; empty when it may be designated and can take the mesure.</summary>
    /// <param name="espace">The espace.</param>
    /// <param name="offer">What it says of the modalité; null when it does not know it.</param>
    /// <param name="needs">What the mesure asks.</param>
    public static List<Finding> Findings(EspaceFacts espace, Offer? offer, MesureNeeds needs)
    {
        var findings = new List<Finding>();
        foreach (var rule in s_all)
        {
            if (rule.Against(espace, offer, needs) is { } obstacle)
                findings.Add(new(rule.Code, rule.LegalSource, obstacle.Date, obstacle.Value));
        }
        return findings;
    }

    /// <summary>The needs that cannot be checked because the espace has not said; a language is <see cref="BesoinAccueil.Unspecified"/>.</summary>
    /// <param name="offer">What the espace says.</param>
    /// <param name="lieu">Position of the lieu chosen.</param>
    /// <param name="needs">What the mesure asks.</param>
    public static List<BesoinAccueil> Unknown(Offer offer, int lieu, MesureNeeds needs)
    {
        var unknown = new List<BesoinAccueil>();
        foreach (var (need, access) in s_places)
        {
            if (needs.Needs(need) && !offer.Espace.Lieux[lieu].Has(access) && !offer.Espace.Lieux[lieu].Has(LieuAccess.Described))
                unknown.Add(need);
        }
        foreach (var (need, receives) in s_publics)
        {
            if (needs.Needs(need) && Receives(offer, need, receives) is null)
                unknown.Add(need);
        }
        unknown.Sort();
        if (SpeaksAll(offer.Espace, needs) is null)
            unknown.Add(BesoinAccueil.Unspecified);
        return unknown;
    }

    /// <summary>
    /// The lieux in which the mesure may be held: covered by the agrément on the decision date and known to meet the needs; where
    /// none is known to, those of which nothing is known. 0 when there is none.
    /// </summary>
    public static ulong SuitableLieux(EspaceFacts espace, MesureNeeds needs) => SuitableLieux(espace, needs, out _);

    private static ulong SuitableLieux(EspaceFacts espace, MesureNeeds needs, out BesoinAccueil missing)
    {
        missing = BesoinAccueil.Unspecified;
        var possible = espace.CoveredLieux(needs.Decision);
        var known = possible;
        foreach (var (need, access) in s_places)
        {
            if (!needs.Needs(need))
                continue;
            ulong has = 0, silent = 0;
            for (var lieu = 0; lieu < espace.Lieux.Length; lieu++)
            {
                if (espace.Lieux[lieu].Has(access))
                    has |= 1UL << lieu;
                else if (!espace.Lieux[lieu].Has(LieuAccess.Described))
                    silent |= 1UL << lieu;
            }
            known &= has;
            if (possible != 0 && (possible & (has | silent)) == 0)
                missing = need;
            possible &= has | silent;
        }
        return known != 0 ? known : possible;
    }

    private static NeedKey? Always(MesureNeeds needs) => new NeedKey(0);

    private static Obstacle? NeedNotMet(EspaceFacts espace, Offer? offer, MesureNeeds needs)
    {
        // Without any agrément that day, that is what stands against it, and no place has to be looked for.
        if (espace.CoveredLieux(needs.Decision) == 0 && !Array.Exists(espace.Agrements, a => a.Days.Contains(needs.Decision)))
            return null;
        if (SuitableLieux(espace, needs, out var missing) == 0)
            return new(Value: (int)missing);
        if (offer is null)
            return null;
        foreach (var (need, receives) in s_publics)
        {
            if (needs.Needs(need) && Receives(offer, need, receives) == false)
                return new(Value: (int)need);
        }
        return null;
    }

    /// <summary>Whether a public is received; null when the espace has not said.</summary>
    private static bool? Receives(Offer offer, BesoinAccueil need, PublicAccueilli receives) =>
        (offer.Publics >> (int)receives & 1) != 0 || (need == BesoinAccueil.GrandePrecarite && offer.Espace.PrecariousnessSupport) ? true
        : offer.Publics != 0 ? false : null;

    /// <summary>Whether all languages asked for are spoken or interpreted; null when the espace has not said.</summary>
    private static bool? SpeaksAll(EspaceFacts espace, MesureNeeds needs)
    {
        if (espace.Interpreter || needs.Languages.Length == 0)
            return true;
        if (espace.Languages.Length == 0)
            return null;
        foreach (var language in needs.Languages)
        {
            if (!espace.Languages.Contains(language))
                return false;
        }
        return true;
    }
}
