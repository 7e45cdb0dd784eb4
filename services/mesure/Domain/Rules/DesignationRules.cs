using System.Globalization;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using DesignationRule = Jafer.Contracts.Directory.V1.DesignationRule;
using ResultWarningCode = Jafer.Contracts.Directory.V1.ResultWarningCode;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>Codes that the transmission shares with the check.</summary>
internal static class DesignationRules
{
    /// <summary>The espace has no valid agrément on the decision date.</summary>
    public const string AgrementInvalid = "AGREMENT_INVALID";

    /// <summary>The espace is closed, for good or for a time.</summary>
    public const string EspaceClosed = "ESPACE_CLOSED";

    /// <summary>Where the rule comes from that an espace needs an agrément.</summary>
    public const string AgrementSource = "CASF art. D216-1 à D216-7";

    /// <summary>Where the rule comes from that the rencontre takes place in the espace that the judge designates.</summary>
    public const string DesignationSource = "C. civ. art. 373-2-1 et 373-2-9";

    /// <summary>Whether a defect is the espace's: with another espace it is judged anew.</summary>
    public static bool IsOfTheEspace(string code) => code is AgrementInvalid or EspaceClosed;

    /// <summary>The defects of an espace as it is now, designated by a decision of that day.</summary>
    public static IEnumerable<string> DefectsOf(EspaceView espace, DateOnly decided)
    {
        if (!espace.ApprovedOn(decided))
        {
            yield return AgrementInvalid;
        }

        if (espace.Closed)
        {
            yield return EspaceClosed;
        }
    }
}

/// <summary>The judge designates one espace (C. civ. 373-2-1, 373-2-9).</summary>
internal sealed class EspaceIsNamed : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.EspaceId is not null ? null : new(
        "ESPACE_MISSING", FindingSeverity.Warning, "summary.espace_id",
        "No espace is named yet; transmission needs one.", "Aucun espace de rencontre n'est encore désigné.", DesignationRules.DesignationSource);
}

/// <summary>
/// Only an espace with a valid agrément on the decision date may be designated (CASF D216-1 and following). A decision that is
/// being prepared counts as rendered today, so that an espace without agrément is found before anybody signs.
/// </summary>
internal sealed class EspaceIsApprovedOnTheDecisionDate : IContentRule
{
    public RuleFinding? Look(CheckedContent content)
    {
        if (content.EspaceId is null)
        {
            return null;
        }

        if (content.Espace is not { } espace)
        {
            return new("ESPACE_UNKNOWN", FindingSeverity.Incomplete, "summary.espace_id",
                "This espace is not known to Jafer.", "Cet espace de rencontre est inconnu de Jafer.", "CASF art. D216-1");
        }

        var (day, dayFr) = content.Decision.Rendered ? ("on the decision date", "à la date de la décision") : ("today", "à ce jour");
        return espace.ApprovedOn(content.Decision.Date ?? content.Today) ? null : new(
            DesignationRules.AgrementInvalid, FindingSeverity.Violation, "summary.espace_id",
            $"The espace has no valid agrément {day}.", $"L'espace de rencontre n'a pas d'agrément valide {dayFr}.", DesignationRules.AgrementSource);
    }
}

/// <summary>
/// The visit takes place in the espace that the judge designates (C. civ. 373-2-1, 373-2-9): one that is closed, for good or for a
/// time, receives nobody. Judged by what the directory told last, so that it holds while the directory is away.
/// </summary>
internal sealed class EspaceIsNotClosed : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Espace is not { Closed: true } ? null : new(
        DesignationRules.EspaceClosed, FindingSeverity.Violation, "summary.espace_id",
        "The espace is closed, for good or for a time, and receives no mesure.",
        "L'espace de rencontre est fermé, définitivement ou temporairement, et ne reçoit pas de mesure.", DesignationRules.DesignationSource);
}

/// <summary>
/// What stands against the espace in the directory: each rule of designation that it does not meet, beside the agrément and whether
/// it is closed, which this service judges itself. The conditions of an espace bind nobody by law, so they warn (domain rule of CheckDesignation;
/// for the agrément CASF D216-1 and following).
/// </summary>
internal sealed class EspaceMeets : IContentRule
{
    private readonly DesignationRule _rule;
    private readonly string _field;
    private readonly string _description;
    private readonly string _descriptionFr;

    private EspaceMeets(DesignationRule rule, string field, string description, string descriptionFr) =>
        (_rule, _field, _description, _descriptionFr) = (rule, field, description, descriptionFr);

    /// <summary>One for each rule of the directory that a mesure can fail.</summary>
    public static IReadOnlyList<IContentRule> All { get; } =
    [
        new EspaceMeets(DesignationRule.AgrementValid, "summary.espace_id",
            "The directory knows no valid agrément of the espace for this mesure.", "L'annuaire ne connaît pas d'agrément valide de l'espace de rencontre pour cette mesure."),
        new EspaceMeets(DesignationRule.EspaceOpen, "summary.espace_id",
            "The espace receives no mesure.", "L'espace de rencontre ne reçoit pas de mesure."),
        new EspaceMeets(DesignationRule.ModaliteOffered, "decision.modalite",
            "The espace does not offer the modalité.", "L'espace de rencontre ne propose pas cette modalité."),
        new EspaceMeets(DesignationRule.ModaliteOpen, "decision.modalite",
            "The modalité takes no mesure for the moment.", "La modalité ne reçoit pas de nouvelle mesure pour le moment."),
        new EspaceMeets(DesignationRule.AgesReceived, "children",
            "A child is too young or too old for the espace.", "Un enfant est trop jeune ou trop âgé pour l'espace de rencontre."),
        new EspaceMeets(DesignationRule.SiblingsReceived, "children",
            "The espace does not receive so many children together.", "L'espace de rencontre ne reçoit pas autant d'enfants ensemble."),
        new EspaceMeets(DesignationRule.SituationsReceived, "decision.situations",
            "The espace does not receive a particular situation of the decision.", "L'espace de rencontre ne reçoit pas une situation particulière retenue."),
        new EspaceMeets(DesignationRule.ProtectionOrderReceived, "decision.legal_basis",
            "The espace does not receive families under an ordonnance de protection.", "L'espace de rencontre ne reçoit pas de famille sous ordonnance de protection."),
        new EspaceMeets(DesignationRule.LengthOffered, "decision.rencontre_minutes",
            "The espace does not offer rencontres of this length.", "L'espace de rencontre ne propose pas de rencontre de cette durée."),
        new EspaceMeets(DesignationRule.PeriodicityOffered, "decision.periodicity",
            "The espace does not offer rencontres so often.", "L'espace de rencontre ne propose pas de rencontre à cette fréquence."),
        new EspaceMeets(DesignationRule.LanguagesSpoken, "parties",
            "A language is not spoken there and no interpreter comes.", "Une langue n'y est pas parlée et aucun interprète n'intervient."),
        new EspaceMeets(DesignationRule.NeedsMet, "parties",
            "A need of the family is not met there.", "Un besoin de la famille n'y est pas pris en compte."),
    ];

    public RuleFinding? Look(CheckedContent content)
    {
        var unmet = content.Unmet.Where(u => u.Rule == _rule).ToList();
        IContentRule? here = _rule switch
        {
            DesignationRule.AgrementValid => new EspaceIsApprovedOnTheDecisionDate(),
            DesignationRule.EspaceOpen => new EspaceIsNotClosed(),
            _ => null,
        };
        if (unmet.Count == 0 || here?.Look(content) is not null)
        {
            return null;
        }

        return new($"ESPACE_{_rule.ToCode()}_UNMET", FindingSeverity.Warning, _field, _description, _descriptionFr, unmet[0].Source);
    }
}

/// <summary>
/// Whether there is room where the judge designates, as the directory says at the moment of choice: a place held for another, places that
/// were taken, more mesures than places. An espace that is full may be designated all the same, so they warn (domain rule of
/// CheckDesignation; its source is the espace's own capacity).
/// </summary>
internal sealed class DesignatedEspaceHasRoom : IContentRule
{
    private readonly ResultWarningCode _warning;
    private readonly string _description;
    private readonly string _descriptionFr;

    private DesignatedEspaceHasRoom(ResultWarningCode warning, string description, string descriptionFr) =>
        (_warning, _description, _descriptionFr) = (warning, description, descriptionFr);

    /// <summary>One for each warning of the directory that speaks of room.</summary>
    public static IReadOnlyList<IContentRule> All { get; } =
    [
        new DesignatedEspaceHasRoom(ResultWarningCode.LastPlaceHeld,
            "The last free place of the espace is held for another mesure, which is about to be transmitted.",
            "La dernière place libre de l'espace de rencontre est retenue pour une autre mesure, sur le point d'être transmise."),
        new DesignatedEspaceHasRoom(ResultWarningCode.FreePlacesTaken,
            "The free places that the espace declared were taken by mesures transmitted since.",
            "Les places libres déclarées par l'espace de rencontre ont été prises depuis par d'autres mesures."),
        new DesignatedEspaceHasRoom(ResultWarningCode.DemandAboveCapacity,
            "More mesures come to the espace than places become free there: its wait grows.",
            "L'espace de rencontre reçoit plus de mesures qu'il ne s'y libère de places : l'attente s'y allonge."),
    ];

    public RuleFinding? Look(CheckedContent content) => !content.OfTheEspace.Contains(_warning) ? null : new(
        $"ESPACE_{_warning.ToCode()}", FindingSeverity.Warning, "summary.espace_id", _description, _descriptionFr, "capacité de l'espace");
}

/// <summary>
/// A mesure of six months with five months of waiting leaves one month of visits (CPC 1180-5: the judge fixes the duration): the
/// judge should know before signing. Said when less than two months and less than half of the duration are left; a decision that
/// is being prepared counts from today.
/// </summary>
internal sealed class TermLeavesRoomForVisits : IContentRule
{
    private static readonly string[] s_numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    private static readonly string[] s_numbersFr = ["un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"];

    public RuleFinding? Look(CheckedContent content)
    {
        var decision = content.Decision with { Date = content.Decision.Date ?? content.Today };
        if (content.ExpectedFirstVisit is not { } first || decision.Term(first) is not { } term || decision.DurationMonths is not { } months
            || (decision.DurationFrom is null && decision.TermStart == TermStart.FirstRencontre))
        {
            return null;
        }

        var from = decision.DurationFrom ?? decision.Date!.Value;
        if (term >= first.AddMonths(2) || (term.DayNumber - first.DayNumber) * 2 >= term.DayNumber - from.DayNumber)
        {
            return null;
        }

        var (wait, left) = (Span(from, first), Span(first, term));
        return new(
            "TERM_TOO_SHORT_FOR_WAIT", FindingSeverity.Warning, "decision.duration_months",
            $"{(An(months) ? "An" : "A")} {Number(months)}-month mesure, {(An(wait.Count) ? "an" : "a")} {Number(wait.Count)}-{(wait.Months ? "month" : "day")} wait: "
                + (left.Count > 0 ? $"visits for {Number(left.Count)} {(left.Months ? "month" : "day")}{(left.Count > 1 ? "s" : "")}." : "no visit before the term."),
            $"Une mesure {(months == 1 ? "d'un" : $"de {NumberFr(months)}")} mois, {NumberFr(wait.Count)} {(wait.Months ? "mois" : wait.Count > 1 ? "jours" : "jour")} d'attente : "
                + (left.Count > 0 ? $"{NumberFr(left.Count)} {(left.Months ? "mois" : left.Count > 1 ? "jours" : "jour")} de visites." : "aucune visite avant le terme."),
            LegalBases.Cpc1180_5);
    }

    /// <summary>Whole months between two days, or days when there is none; nothing when the second comes first.</summary>
    private static (int Count, bool Months) Span(DateOnly from, DateOnly to)
    {
        var months = ((to.Year - from.Year) * 12) + to.Month - from.Month;
        months -= from.AddMonths(Math.Max(months, 0)) > to ? 1 : 0;
        return months > 0 ? (months, true) : (Math.Max(0, to.DayNumber - from.DayNumber), false);
    }

    // The numbers up to 89 that begin with a vowel: an eight-month wait.
    private static bool An(int n) => n is 8 or 11 or 18 or (>= 80 and <= 89);

    private static string Number(int n) => Word(n, s_numbers);

    private static string NumberFr(int n) => Word(n, s_numbersFr);

    private static string Word(int n, string[] words) => n >= 1 && n <= words.Length ? words[n - 1] : n.ToString(CultureInfo.InvariantCulture);
}
