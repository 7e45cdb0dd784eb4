using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Documents;
using Jafer.ServiceDefaults.Printing;
using Xunit;
using static Jafer.Mesures.Tests.Documents.Samples;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>What a parent reads.</summary>
public sealed class ParentNoticeTests
{
    [Fact]
    public void Write_WithAnAppointment_SaysWhenOnTheClockOfThePlaceAndOnlyThatPlace()
    {
        var text = Text(ParentNotice.Write(Ordered, Hote, Espace, Booked, Now));

        Assert.Contains("mardi 1er décembre 2026 à 14 h 30", text, StringComparison.Ordinal);
        Assert.Contains("12 rue des Tilleuls, Villeurbanne", text, StringComparison.Ordinal);
        Assert.Contains("Métro A, arrêt République, à 6 minutes à pied", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Givors", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WithoutAppointment_SaysToCallAndUntilWhen()
    {
        var text = Text(ParentNotice.Write(Ordered, Visiteur, Espace, null, Now));

        Assert.Contains("Appelez l'espace : 04\u00a078\u00a000\u00a000\u00a000", text, StringComparison.Ordinal);
        Assert.Contains("au plus tard le vendredi 11 décembre 2026", text, StringComparison.Ordinal);
        Assert.Contains("Givors", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NoDeadlineInTheDecision_SaysTheRuleOfTheEspace() => Assert.Contains(
        "dans les 15 jours", Text(ParentNotice.Write(Ordered with { ContactDeadline = null }, Visiteur, Espace, null, Now)), StringComparison.Ordinal);

    [Theory]
    [InlineData(PartyRole.Hote, PartyKind.Parent, 2, "Vous y amenez vos enfants, et vous venez les rechercher.")]
    [InlineData(PartyRole.Hote, PartyKind.Tiers, 1, "Vous y amenez l'enfant, et vous venez le rechercher.")]
    [InlineData(PartyRole.Visiteur, PartyKind.Parent, 1, "Vous y rencontrez votre enfant.")]
    [InlineData(PartyRole.Visiteur, PartyKind.GrandParent, 3, "Vous y rencontrez les enfants.")]
    public void Write_EachReader_IsToldTheirOwnPart(PartyRole role, PartyKind kind, int children, string expected) => Assert.Contains(
        expected, Text(ParentNotice.Write(Ordered with { ChildCount = children }, new NoticeReader(role, kind, "A", "B"), Espace, null, Now)), StringComparison.Ordinal);

    [Theory]
    [InlineData(PartyRole.Hote, 1, "L'enfant passe d'un adulte à l'autre dans un espace de rencontre. Vous y amenez votre enfant, et vous venez le rechercher.")]
    [InlineData(PartyRole.Visiteur, 2, "Les enfants passent d'un adulte à l'autre dans un espace de rencontre. Vous y venez chercher vos enfants, et vous les ramenez.")]
    public void Write_ARemise_SaysWhoBringsAndWhoFetches(PartyRole role, int children, string expected) => Assert.Contains(
        expected,
        Text(ParentNotice.Write(Ordered with { Modalite = Contracts.Type.V1.Modalite.RemiseEnfant, ChildCount = children }, new NoticeReader(role, PartyKind.Parent, "A", "B"), Espace, null, Now)),
        StringComparison.Ordinal);

    [Fact]
    public void Write_GoesOnFromAnotherEspace_SaysSinceWhenTheDurationRuns() => Assert.Contains(
        "à partir du 5 janvier 2026", Text(ParentNotice.Write(Ordered with { DurationFrom = new DateOnly(2026, 1, 5) }, Hote, Espace, null, Now)), StringComparison.Ordinal);

    [Fact]
    public void Write_WithoutTheDirectory_SaysWhomToAsk()
    {
        var text = Text(Notices["notice-sans-annuaire"]);

        Assert.Contains("Demandez le numéro au greffe", text, StringComparison.Ordinal);
        Assert.Contains("L'adresse n'est pas disponible en ce moment.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Any_SaysThatItIsFreeWhatToBringAndWhereHelpIs()
    {
        foreach (var (name, notice) in Notices)
        {
            var text = Text(notice);
            Assert.All(
                ["gratuit", "pièce d'identité", "Un espace de rencontre, c'est quoi ?", "www.justice.fr", "www.caf.fr", "www.msa.fr", "3919", Ordered.Reference],
                part => Assert.True(text.Contains(part, StringComparison.Ordinal), $"{name} lacks {part}"));
        }
    }

    [Fact]
    public void Write_AFictiveEspace_IsSaidToBe() => Assert.Contains("Le Pont (fictif)", Text(Notices["notice-visiteur"]), StringComparison.Ordinal);

    [Fact]
    public void Write_Any_IsInShortSentences()
    {
        foreach (var notice in Notices.Values)
        {
            var sentences = notice.Blocks.SelectMany(Lines).SelectMany(l => l.Split(['.', '?', '!', ':'], StringSplitOptions.RemoveEmptyEntries));

            Assert.All(sentences, s => Assert.True(s.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length <= 20, s));
        }
    }

    /// <summary>A prison would say where the other party is.</summary>
    [Fact]
    public void Write_VisiteInDetention_SaysNothingOfIt()
    {
        foreach (var reader in new[] { Hote, Visiteur })
        {
            var text = Text(ParentNotice.Write(Ordered with { Modalite = Contracts.Type.V1.Modalite.VisiteDetention }, reader, Espace, null, Now));

            Assert.DoesNotContain("prison", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("détention", text, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static string Text(PrintedDocument document) => string.Join('\n', document.Blocks.SelectMany(Lines));

    private static IEnumerable<string> Lines(Block block) => block switch
    {
        Heading heading => [heading.Text],
        Paragraph paragraph => [paragraph.Text.ToString()],
        Callout callout => callout.Lines.Select(l => l.ToString()),
        Points points => points.Items.Select(i => i.ToString()),
        Values values => values.Items.Select(i => $"{i.Name} : {i.Value}"),
        _ => [],
    };
}
