using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>The legal basis decides which content the law asks for: without it nothing can be checked.</summary>
internal sealed class LegalBasisIsGiven : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision.LegalBasis != LegalBasis.Unspecified ? null : new(
        "LEGAL_BASIS_MISSING", FindingSeverity.Incomplete, "decision.legal_basis",
        "The legal basis is missing.", "Le fondement juridique n'est pas indiqué.", LegalBases.Cpc1180_5);
}

/// <summary>Visit or handover: the espace must know which (CPC 1180-5 speaks of both).</summary>
internal sealed class ModaliteIsGiven : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision.Modalite != Modalite.Unspecified ? null : new(
        "MODALITE_MISSING", FindingSeverity.Incomplete, "decision.modalite",
        "The modalité is missing.", "La modalité (visite, remise de l'enfant…) n'est pas indiquée.", LegalBases.Cpc1180_5);
}

/// <summary>The RG number ties the mesure to its case and finds duplicates.</summary>
internal sealed class RgNumberIsGiven : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Decision.RgNumber.Length > 0 ? null : new(
        "RG_NUMBER_MISSING", FindingSeverity.Incomplete, "decision.rg_number",
        "The RG number is missing.", "Le numéro de répertoire général n'est pas indiqué.", "CPC art. 726");
}

/// <summary>Without the hôte nobody can be called.</summary>
internal sealed class HoteIsGiven : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Parties.Contains(PartyRole.Hote) ? null : new(
        "HOTE_MISSING", FindingSeverity.Incomplete, "parties",
        "The hôte is missing.", "La personne chez qui l'enfant réside (hôte) n'est pas indiquée.", LegalBases.Cpc1180_5);
}

/// <summary>Without the visiteur nobody can be called.</summary>
internal sealed class VisiteurIsGiven : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Parties.Contains(PartyRole.Visiteur) ? null : new(
        "VISITEUR_MISSING", FindingSeverity.Incomplete, "parties",
        "The visiteur is missing.", "La personne qui rencontre l'enfant (visiteur) n'est pas indiquée.", LegalBases.Cpc1180_5);
}

/// <summary>A mesure is about at least one child.</summary>
internal sealed class ChildrenAreGiven : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.ChildCount > 0 ? null : new(
        "CHILDREN_MISSING", FindingSeverity.Incomplete, "children",
        "No child is named.", "Aucun enfant n'est indiqué.", LegalBases.Cpc1180_5);
}
