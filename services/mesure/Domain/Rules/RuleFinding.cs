using Jafer.Contracts.Mesure.V1;
using DesignationRule = Jafer.Contracts.Directory.V1.DesignationRule;
using ResultWarningCode = Jafer.Contracts.Directory.V1.ResultWarningCode;

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
    /// <summary>Mesures that it is about, all of the court of the one that is checked.</summary>
    public IReadOnlyList<Guid> MesureIds { get; init; } = [];

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
    Decision Decision, IReadOnlyCollection<PartyRole> Parties, int ChildCount, Guid? EspaceId, EspaceView? Espace, DateOnly? ExpectedFirstVisit)
{
    /// <summary>Today in Paris: a decision that is being prepared counts as rendered today.</summary>
    public DateOnly Today { get; init; }

    /// <summary>Rules of designation that the espace does not meet, as the directory says; empty when it was not asked.</summary>
    public IReadOnlyList<UnmetRule> Unmet { get; init; } = [];

    /// <summary>What else the directory says should be known of the espace; empty when it was not asked.</summary>
    public IReadOnlyList<ResultWarningCode> OfTheEspace { get; init; } = [];

    /// <summary>Other open mesures of the court that seem to be about the same case or family.</summary>
    public RelatedMesures Related { get; init; } = RelatedMesures.None;
}

/// <summary>A rule of designation that an espace does not meet.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Source">Where it comes from, as the directory says.</param>
internal readonly record struct UnmetRule(DesignationRule Rule, string Source);

/// <summary>Other open mesures of the same court.</summary>
/// <param name="Duplicates">Same RG number and a child in common.</param>
/// <param name="Siblings">Same RG number, a child in common, or both parties the same.</param>
internal sealed record RelatedMesures(IReadOnlyList<Guid> Duplicates, IReadOnlyList<Guid> Siblings)
{
    public static readonly RelatedMesures None = new([], []);
}

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
        new ThirdPartyPresenceFitsTheModalite(), new ParentalAuthorityFitsTheBasis(), new EspaceIsNamed(), new EspaceIsApprovedOnTheDecisionDate(),
        new EspaceIsNotClosed(),
        .. EspaceMeets.All, .. DesignatedEspaceHasRoom.All, new TermLeavesRoomForVisits(), new MesureIsNoDuplicate(), new SiblingCaseIsKnown(),
    ];

    /// <summary>Everything that the rules find, the gravest first.</summary>
    public static IReadOnlyList<RuleFinding> Run(CheckedContent content) =>
        [.. Rules.Select(r => r.Look(content)).OfType<RuleFinding>().OrderBy(f => f.Severity switch
        {
            FindingSeverity.Incomplete => 0,
            FindingSeverity.Violation => 1,
            _ => 2,
        })];

    /// <summary>
    /// Of the defects of a decision those that are left once a later decision changed its terms. Those of the espace are mended by
    /// no change of terms.
    /// </summary>
    /// <param name="defects">Codes of the rules that it violated.</param>
    /// <param name="terms">The terms after the change.</param>
    public static string[] LeftOf(IReadOnlyCollection<string> defects, Decision terms)
    {
        var found = Run(new CheckedContent(terms, [], 0, null, null, null)).Where(f => f.Severity == FindingSeverity.Violation).Select(f => f.Code).ToHashSet();
        return [.. defects.Where(d => found.Contains(d) || DesignationRules.IsOfTheEspace(d))];
    }
}
