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
/// <param name="Against">What stands against the espace, the first thing of several; null when the rule is met. No offer: the espace does not know the modalité.</param>
internal sealed record Rule(
    DesignationRule Code, string LegalSource, Func<MesureNeeds, NeedKey?> Key, Func<EspaceFacts, Offer?, MesureNeeds, Obstacle?> Against)
{
    /// <summary>All that stands against the espace, of a rule that can fail in several ways; null where one thing is all.</summary>
    public Func<EspaceFacts, Offer?, MesureNeeds, IEnumerable<Obstacle>>? Each { get; init; }
}

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
                : needs.OldestAge > offer.MaxAge ? new Obstacle(Value: offer.MaxAge) : null)
        {
            Each = Ages,
        },
        new(DesignationRule.SiblingsReceived, OfTheEspace, n => n.Children > 0 ? new NeedKey(n.Children) : null, static (_, offer, needs) =>
            offer is { MaxSiblings: > 0 and var most } && needs.Children > most ? new Obstacle(Value: most) : null),
        new(DesignationRule.SituationsReceived, OfTheEspace, n => n.Situations != 0 ? new NeedKey(n.Situations) : null, static (_, offer, needs) =>
            offer is not null && (needs.Situations & ~offer.Situations) is not 0 and var missing
                ? new Obstacle(Value: System.Numerics.BitOperations.TrailingZeroCount(missing)) : null)
        {
            Each = Situations,
        },
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
        new(DesignationRule.NeedsMet, OfTheEspace, n => n.Besoins != 0 ? new NeedKey((long)n.Besoins << 32 | (uint)n.Decision.DayNumber) : new NeedKey(n.Decision.DayNumber), NeedNotMet)
        {
            Each = static (espace, offer, needs) => NeedsNotMet(espace, offer, needs).Select(need => new Obstacle(Value: (int)need)),
        },
        // Kept by no index: the list differs from call to call. See OfferIndex.Matching.
        new(DesignationRule.NotExcludedByCaller, OfTheCaller, _ => null, static (espace, _, needs) =>
            needs.Excluded.Contains(espace.Id) ? default(Obstacle) : null),
    ];

    private static readonly (BesoinAccueil Need, LieuAccess Access)[] s_places =
    [
        (BesoinAccueil.FauteuilRoulant, LieuAccess.Wheelchair),
        (BesoinAccueil.SansVoiture, LieuAccess.WithoutCar),
        (BesoinAccueil.ParentsSepares, LieuAccess.ParentsApart),
        (BesoinAccueil.SanitairesAdaptes, LieuAccess.AdaptedToilets),
        (BesoinAccueil.BoucleMagnetique, LieuAccess.InductionLoop),
        (BesoinAccueil.GuidageVisuel, LieuAccess.VisualGuidance),
        (BesoinAccueil.StationnementReserve, LieuAccess.ReservedParking),
    ];

    private static readonly (BesoinAccueil Need, PublicAccueilli Public)[] s_publics =
    [
        (BesoinAccueil.EnfantHandicap, PublicAccueilli.EnfantHandicap),
        (BesoinAccueil.ParentHandicap, PublicAccueilli.ParentHandicap),
        (BesoinAccueil.GrandePrecarite, PublicAccueilli.GrandePrecarite),
        (BesoinAccueil.LienRompu, PublicAccueilli.LienRompu),
        (BesoinAccueil.ParentMineur, PublicAccueilli.ParentMineur),
        (BesoinAccueil.TresJeuneEnfant, PublicAccueilli.TresJeuneEnfant),
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
            if (rule.Against(espace, offer, needs) is not { } first)
                continue;
            foreach (var obstacle in rule.Each?.Invoke(espace, offer, needs) ?? [first])
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
    public static ulong SuitableLieux(EspaceFacts espace, MesureNeeds needs)
    {
        var possible = espace.CoveredLieux(needs.Decision);
        var known = possible;
        foreach (var (need, access) in s_places)
        {
            if (!needs.Needs(need))
                continue;
            var (has, silent) = LieuxWith(espace, access);
            known &= has;
            possible &= has | silent;
        }
        return known != 0 ? known : possible;
    }

    // The lieux known to offer this, and those of which nothing is known.
    private static (ulong Has, ulong Silent) LieuxWith(EspaceFacts espace, LieuAccess access)
    {
        ulong has = 0, silent = 0;
        for (var lieu = 0; lieu < espace.Lieux.Length; lieu++)
        {
            if (espace.Lieux[lieu].Has(access))
                has |= 1UL << lieu;
            else if (!espace.Lieux[lieu].Has(LieuAccess.Described))
                silent |= 1UL << lieu;
        }
        return (has, silent);
    }

    private static NeedKey? Always(MesureNeeds needs) => new NeedKey(0);

    private static IEnumerable<Obstacle> Ages(EspaceFacts espace, Offer? offer, MesureNeeds needs)
    {
        if (needs.YoungestAge < offer?.MinAge)
            yield return new(Value: offer.MinAge);
        if (needs.OldestAge > offer?.MaxAge)
            yield return new(Value: offer.MaxAge);
    }

    private static IEnumerable<Obstacle> Situations(EspaceFacts espace, Offer? offer, MesureNeeds needs)
    {
        for (var missing = offer is null ? 0 : needs.Situations & ~offer.Situations; missing != 0; missing &= missing - 1)
            yield return new(Value: System.Numerics.BitOperations.TrailingZeroCount(missing));
    }

    // Most mesures name no need: then an agrément that covers none of the lieux is all that can fail.
    private static Obstacle? NeedNotMet(EspaceFacts espace, Offer? offer, MesureNeeds needs)
    {
        if (needs.Besoins == 0)
            return LookedAt(espace, needs) == 0 ? default(Obstacle) : null;
        foreach (var need in NeedsNotMet(espace, offer, needs))
            return new(Value: (int)need);
        return null;
    }

    /// <summary>The needs that no single lieu meets together with those before, then the publics that are not received.</summary>
    private static IEnumerable<BesoinAccueil> NeedsNotMet(EspaceFacts espace, Offer? offer, MesureNeeds needs)
    {
        var possible = LookedAt(espace, needs);
        if (possible == 0)
            yield return BesoinAccueil.Unspecified;
        foreach (var (need, access) in s_places)
        {
            if (possible == 0 || !needs.Needs(need))
                continue;
            var (has, silent) = LieuxWith(espace, access);
            if ((possible & (has | silent)) == 0)
                yield return need;
            else
                possible &= has | silent;
        }
        foreach (var (need, receives) in s_publics)
        {
            if (offer is not null && needs.Needs(need) && Receives(offer, need, receives) == false)
                yield return need;
        }
    }

    // Without any agrément that day a rule of its own says so, and all lieux are looked at.
    private static ulong LookedAt(EspaceFacts espace, MesureNeeds needs) =>
        espace.CoveredLieux(needs.Decision) is not 0 and var covered ? covered
        : Array.Exists(espace.Agrements, a => a.Days.Contains(needs.Decision)) ? 0 : espace.AllLieux;

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
