using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>One thing that a rule found.</summary>
/// <param name="Code">Stable code.</param>
/// <param name="Severity">How grave.</param>
/// <param name="Field">Path in Mesure.</param>
/// <param name="Description">English, without personal data.</param>
/// <param name="DescriptionFr">French.</param>
/// <param name="Source">Article or judgment.</param>
internal sealed record RuleFinding(string Code, FindingSeverity Severity, string Field, string Description, string DescriptionFr, string Source)
{
    /// <summary>Whether it stands against completing: what the law asks for does so only before the decision is rendered.</summary>
    public bool Blocks(bool rendered) => Severity switch
    {
        FindingSeverity.Incomplete => true,
        FindingSeverity.Violation => !rendered,
        _ => false,
    };
}

/// <summary>What the rules look at.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Parties">Roles that are filled.</param>
/// <param name="ChildCount">Number of children.</param>
/// <param name="EspaceId">Designated espace; null when none is named.</param>
/// <param name="Espace">That espace as this service knows it; null when unknown.</param>
/// <param name="ExpectedFirstVisit">Forecast of the first rencontre; null when there is none.</param>
internal sealed record CheckedContent(
    Decision Decision, IReadOnlyCollection<PartyRole> Parties, int ChildCount, Guid? EspaceId, EspaceView? Espace, DateOnly? ExpectedFirstVisit);

/// <summary>A rule on the content of a mesure: looks at it and says what is wrong, or nothing.</summary>
internal interface IContentRule
{
    /// <summary>What is wrong; null when nothing is.</summary>
    RuleFinding? Look(CheckedContent content);
}

/// <summary>Every rule, and the look at a mesure through all of them.</summary>
internal static class MesureCheck
{
    /// <summary>The rules, in the order in which a person would read a decision.</summary>
    public static IReadOnlyList<IContentRule> Rules { get; } =
    [
        new LegalBasisIsGiven(), new ModaliteIsGiven(), new RgNumberIsGiven(), new HoteIsGiven(), new VisiteurIsGiven(), new ChildrenAreGiven(),
        new DurationIsFixed(), new PeriodicityIsFixed(), new RencontreLengthIsFixed(), new TermsAreNotLeftToTheService(),
        new OutingIsGranted(), new TiersDeConfianceConsents(), new TiersDeConfianceHasASubsidiaryEspace(),
        new ParentalAuthorityFitsTheBasis(), new EspaceIsNamed(), new EspaceIsApprovedOnTheDecisionDate(), new TermLeavesRoomForVisits(),
    ];

    /// <summary>Everything that the rules find, the gravest first.</summary>
    public static IReadOnlyList<RuleFinding> Run(CheckedContent content) =>
        [.. Rules.Select(r => r.Look(content)).OfType<RuleFinding>().OrderBy(f => f.Severity switch
        {
            FindingSeverity.Incomplete => 0,
            FindingSeverity.Violation => 1,
            _ => 2,
        })];
}
