using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>What the law asks a decision to fix, by its legal basis.</summary>
internal static class LegalBases
{
    /// <summary>Source of what is asked under 373-2-1 and 373-2-9.</summary>
    public const string Cpc1180_5 = "CPC art. 1180-5";

    /// <summary>
    /// How grave it is when the decision does not fix the duration of the mesure or the length of rencontres: asked for under
    /// 373-2-1 and 373-2-9 (CPC 1180-5), recommended under 371-4 (Civ. 1re, 13 June 2019, n° 18-12.389) and elsewhere, not
    /// asked of the juge des enfants (375-7), who fixes the frequency only.
    /// </summary>
    public static FindingSeverity? ForDurations(LegalBasis basis) => basis switch
    {
        LegalBasis.Article37321 or LegalBasis.Article37329 => FindingSeverity.Violation,
        LegalBasis.Article3757 => null,
        _ => FindingSeverity.Warning,
    };

    /// <summary>
    /// How grave it is when the decision does not fix the periodicity: asked for under 373-2-1 and 373-2-9 (CPC 1180-5) and
    /// under 375-7 (CPC 1199-3), recommended elsewhere.
    /// </summary>
    public static FindingSeverity ForPeriodicity(LegalBasis basis) => basis switch
    {
        LegalBasis.Article37321 or LegalBasis.Article37329 or LegalBasis.Article3757 => FindingSeverity.Violation,
        _ => FindingSeverity.Warning,
    };

    /// <summary>
    /// Where it comes from that a decision should fix the duration of the mesure, the periodicity or the length of rencontres.
    /// CPC 1180-5 speaks of 373-2-1 and 373-2-9 alone: elsewhere what it asks for is a model, and for grandparents the Cour de
    /// cassation has said that it does not bind.
    /// </summary>
    /// <param name="basis">The basis.</param>
    /// <param name="judgment">The judgment that quashed a decision under 1180-5 for want of it.</param>
    public static string Source(LegalBasis basis, string judgment) => basis switch
    {
        LegalBasis.Article37321 or LegalBasis.Article37329 => $"{Cpc1180_5} al. 1 ; {judgment}",
        LegalBasis.Article3757 => "C. civ. art. 375-7 al. 4 ; CPC art. 1199-3",
        LegalBasis.Article3714 => "C. civ. art. 371-4 ; Civ. 1re, 13 juin 2019, n° 18-12.389",
        LegalBasis.Article51511 => $"C. civ. art. 515-11 ; {Cpc1180_5} par analogie",
        _ => $"{Cpc1180_5} par analogie",
    };
}
