using System.Text.RegularExpressions;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>
/// The decision fixes the duration of the mesure (CPC 1180-5 al. 1). An order without it was quashed: Civ. 1re,
/// 28 January 2015, n° 13-27.983.
/// </summary>
internal sealed class DurationIsFixed : IContentRule
{
    public RuleFinding? Look(CheckedContent content) =>
        content.Decision.DurationMonths is not null || LegalBases.ForDurations(content.Decision.LegalBasis) is not { } severity ? null : new(
            "DURATION_MISSING", severity, "decision.duration_months",
            "The decision does not fix the duration of the mesure.", "La décision ne fixe pas la durée de la mesure.",
            LegalBases.Source(content.Decision.LegalBasis, "Civ. 1re, 28 janv. 2015, n° 13-27.983"));
}

/// <summary>
/// The decision fixes the periodicity of rencontres (CPC 1180-5 al. 1; for the juge des enfants CPC 1199-3). Civ. 1re,
/// 4 May 2017, n° 16-16.709.
/// </summary>
internal sealed class PeriodicityIsFixed : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision.PeriodicityCount is not null ? null : new(
        "PERIODICITY_MISSING", LegalBases.ForPeriodicity(content.Decision.LegalBasis), "decision.periodicity",
        "The decision does not fix the periodicity of the rencontres.", "La décision ne fixe pas la périodicité des rencontres.",
        LegalBases.Source(content.Decision.LegalBasis, "Civ. 1re, 4 mai 2017, n° 16-16.709"));
}

/// <summary>
/// The decision fixes the length of rencontres (CPC 1180-5 al. 1; Civ. 1re, 4 May 2017, n° 16-16.709). A remise de l'enfant is
/// a mesure like another, with the same content.
/// </summary>
internal sealed class RencontreLengthIsFixed : IContentRule
{
    public RuleFinding? Look(CheckedContent content) =>
        content.Decision.RencontreMinutes is not null || LegalBases.ForDurations(content.Decision.LegalBasis) is not { } severity ? null : new(
            "RENCONTRE_LENGTH_MISSING", severity, "decision.rencontre_minutes",
            "The decision does not fix the length of the rencontres.", "La décision ne fixe pas la durée des rencontres.",
            LegalBases.Source(content.Decision.LegalBasis, "Civ. 1re, 4 mai 2017, n° 16-16.709"));
}

/// <summary>
/// "Selon les modalités du service" is no periodicity: Civ. 1re, 10 June 2015, n° 14-12.592; the judge may not defer to the
/// rules of the espace: 18 May 2022, n° 20-20.616; 22 November 2023, n° 22-11.806. Where the formula only stands in the words of
/// the decision, a person must read what it is about: worth a second look.
/// </summary>
internal sealed partial class TermsAreNotLeftToTheService : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision switch
    {
        { LegalBasis: not (LegalBasis.Article37321 or LegalBasis.Article37329) } => null,
        { TermsLeftToService: true } => Finding(
            FindingSeverity.Violation, "decision.terms_left_to_service",
            "The decision leaves to the service what the judge must fix.", "La décision s'en remet aux modalités du service."),
        var decision when Formula().IsMatch(decision.Restrictions) => Finding(
            FindingSeverity.Warning, "decision.restrictions",
            "The words of the decision seem to leave to the service what the judge must fix.", "Les termes de la décision semblent s'en remettre aux modalités du service."),
        _ => null,
    };

    private static RuleFinding Finding(FindingSeverity severity, string field, string text, string textFr) => new(
        "TERMS_LEFT_TO_SERVICE", severity, field, text, textFr, "Civ. 1re, 10 juin 2015, n° 14-12.592 ; 18 mai 2022, n° 20-20.616 ; 22 nov. 2023, n° 22-11.806");

    [GeneratedRegex(
        @"\b(selon|suivant|dans|en\s+fonction\s+des?|aux?|à)\s+((les|ses|le|la|son|sa)\s+|l['’]\s*)?(modalités|disponibilités|possibilités|conditions|règles|règlement|calendrier|planning|rythme|horaires|fonctionnement|organisation|usages|convenance|appréciation|discrétion|capacités)\b[^.;]{0,80}\b(service|espace|association|structure|lieu|centre|point[\s-]+rencontre)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Formula();
}

/// <summary>An outing is possible only when the decision grants it (practice of the espaces; the modalité must not promise more).</summary>
internal sealed class OutingIsGranted : IContentRule
{
    public RuleFinding? Look(CheckedContent content) =>
        content.Decision.OutingGranted || content.Decision.Modalite is not (Modalite.VisiteAvecSortie or Modalite.SortieAccompagnee) ? null : new(
            "OUTING_NOT_GRANTED", FindingSeverity.Violation, "decision.outing_granted",
            "The modalité includes an outing that the decision does not grant.", "La modalité comporte une sortie que la décision n'autorise pas.",
            LegalBases.Cpc1180_5);
}

/// <summary>
/// A third party is present as the decision asks (CASF R223-29 to R223-31 tell continuous from intermittent presence): a
/// modalité that says otherwise is worth a second look.
/// </summary>
internal sealed class ThirdPartyPresenceFitsTheModalite : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => (content.Decision.Modalite, content.Decision.ThirdPartyPresence) switch
    {
        (Modalite.VisitePresenceContinue, ThirdPartyPresence.None or ThirdPartyPresence.Intermittent)
            or (Modalite.VisitePresenceIntermittente, ThirdPartyPresence.None or ThirdPartyPresence.Continuous) => new(
                "THIRD_PARTY_PRESENCE_CONTRADICTS_MODALITE", FindingSeverity.Warning, "decision.third_party_presence",
                "The modalité says another presence of a third party than the decision.", "La modalité prévoit une autre présence d'un tiers que la décision.",
                "CASF art. R223-29 à R223-31"),
        _ => null,
    };
}

/// <summary>A tiers de confiance consents in writing (CPC 1180-5-1, décret 2020-930).</summary>
internal sealed class TiersDeConfianceConsents : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision.TiersDeConfianceName is null || content.Decision.TiersDeConfianceConsent ? null : new(
        "TIERS_DE_CONFIANCE_CONSENT_MISSING", FindingSeverity.Violation, "decision.tiers_de_confiance.written_consent",
        "The written consent of the tiers de confiance is missing.", "L'accord écrit du tiers de confiance manque.", "CPC art. 1180-5-1");
}

/// <summary>Beside a tiers de confiance the judge names an espace in subsidiary order (CPC 1180-5-1).</summary>
internal sealed class TiersDeConfianceHasASubsidiaryEspace : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision.TiersDeConfianceName is null || content.Decision.SubsidiaryEspaceId is not null ? null : new(
        "SUBSIDIARY_ESPACE_MISSING", FindingSeverity.Violation, "decision.subsidiary_espace_id",
        "No espace is designated in subsidiary order.", "Aucun espace de rencontre n'est désigné à titre subsidiaire.", "CPC art. 1180-5-1");
}

/// <summary>
/// 373-2-1 is for the parent who does not exercise parental authority, 373-2-9 for parents who both do. A contradiction is
/// worth a second look; it does not make the order void.
/// </summary>
internal sealed class ParentalAuthorityFitsTheBasis : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => (content.Decision.LegalBasis, content.Decision.ParentalAuthority) switch
    {
        (LegalBasis.Article37321, ParentalAuthority.Joint) => Finding(
            "Article 373-2-1 is for a parent without parental authority, yet it is joint.",
            "L'article 373-2-1 vise le parent qui n'exerce pas l'autorité parentale, or elle est conjointe.", "C. civ. art. 373-2-1"),
        (LegalBasis.Article37329, ParentalAuthority.OneParent or ParentalAuthority.Withdrawn) => Finding(
            "Article 373-2-9 is for parents who both exercise parental authority.",
            "L'article 373-2-9 vise des parents exerçant en commun l'autorité parentale.", "C. civ. art. 373-2-9"),
        _ => null,
    };

    private static RuleFinding Finding(string text, string textFr, string source) =>
        new("PARENTAL_AUTHORITY_CONTRADICTS_BASIS", FindingSeverity.Warning, "decision.parental_authority", text, textFr, source);
}
