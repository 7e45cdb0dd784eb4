using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>Codes that the transmission shares with the check.</summary>
internal static class DesignationRules
{
    /// <summary>The espace has no valid agrément on the decision date.</summary>
    public const string AgrementInvalid = "AGREMENT_INVALID";

    /// <summary>Where the rule comes from that an espace needs an agrément.</summary>
    public const string AgrementSource = "CASF art. D216-1 à D216-7";
}

/// <summary>The judge designates one espace (C. civ. 373-2-1, 373-2-9).</summary>
internal sealed class EspaceIsNamed : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.EspaceId is not null ? null : new(
        "ESPACE_MISSING", FindingSeverity.Warning, "summary.espace_id",
        "No espace is named yet; transmission needs one.", "Aucun espace de rencontre n'est encore désigné.", "C. civ. art. 373-2-1 et 373-2-9");
}

/// <summary>Only an espace with a valid agrément may be designated (CASF D216-1 and following).</summary>
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

        return content.Decision.Date is { } decided && !espace.ApprovedOn(decided)
            ? new(DesignationRules.AgrementInvalid, FindingSeverity.Violation, "summary.espace_id",
                "The espace has no valid agrément on the decision date.", "L'espace de rencontre n'a pas d'agrément valide à la date de la décision.", DesignationRules.AgrementSource)
            : null;
    }
}

/// <summary>
/// A mesure of six months with five months of waiting leaves one month of visits: the judge should know before signing.
/// </summary>
internal sealed class TermLeavesRoomForVisits : IContentRule
{
    public RuleFinding? Look(CheckedContent content) =>
        content.ExpectedFirstVisit is { } first && content.Decision.Term(first) is { } term && term < first.AddMonths(2) ? new(
            "TERM_TOO_SHORT_FOR_WAIT", FindingSeverity.Warning, "decision.duration_months",
            "By the expected date of the first rencontre less than two months of the mesure are left.",
            "À la date attendue de la première rencontre, il restera moins de deux mois de mesure.", "CPC art. 1180-5") : null;
}
