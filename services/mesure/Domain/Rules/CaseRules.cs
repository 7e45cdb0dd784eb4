using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>
/// One mesure for one case and child: two would be waited for and counted twice. A case has one number in the register of its
/// court (CPC 726). Names only mesures of the same court; what others hold is not told.
/// </summary>
internal sealed class MesureIsNoDuplicate : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Related.Duplicates.Count == 0 ? null : new(
        "DUPLICATE", FindingSeverity.Warning, "decision.rg_number",
        "An open mesure of this court has the same RG number and the same child.",
        "Une mesure ouverte de cette juridiction porte le même numéro RG et concerne le même enfant.", "CPC art. 726")
    {
        MesureIds = content.Related.Duplicates,
    };
}

/// <summary>
/// Siblings are not parted (C. civ. 371-5): another open mesure of the same case, child or parents should be known to whoever
/// designates an espace. Names only mesures of the same court; what others hold is not told.
/// </summary>
internal sealed class SiblingCaseIsKnown : IContentRule
{
    public RuleFinding? Look(CheckedContent content) => content.Related.Siblings.Count == 0 ? null : new(
        "SIBLING_CASE", FindingSeverity.Warning, "children",
        "Another open mesure of this court seems to be about the same family.",
        "Une autre mesure ouverte de cette juridiction semble concerner la même famille.", "C. civ. art. 371-5")
    {
        MesureIds = content.Related.Siblings,
    };
}
