using Google.Protobuf;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;

namespace Jafer.Directory.Tests.Demonstration;

public class GeneratorTests
{
    private static readonly DateOnly Today = new(2026, 11, 21);
    private static readonly List<EspaceImport> All = Of(Generator.DefaultSeed);

    [Fact]
    public void Espaces_SameSeed_AreTheSameToTheByte() =>
        Assert.Equal(All.Select(e => e.ToByteString()), Of(Generator.DefaultSeed).Select(e => e.ToByteString()));

    [Fact]
    public void Espaces_OtherSeed_AreOthers() =>
        Assert.NotEqual(All.Select(e => e.ToByteString()), Of(1).Select(e => e.ToByteString()));

    [Fact]
    public void Espaces_All_AreTheAssociationsAndLieuxLabelledFictive()
    {
        Assert.Equal((197, 278), (All.Count, All.Sum(e => e.Lieux.Count)));
        Assert.All(All, e =>
        {
            Assert.True(e.Fictive);
            Assert.Contains("fictif", e.Name, StringComparison.Ordinal);
            Assert.Contains("fictive", e.Gestionnaire.Name, StringComparison.Ordinal);
            Assert.All(e.Gestionnaire.Contacts, c => Assert.EndsWith(".example.org", c.Email, StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Espaces_Sirets_HaveAValidKeyAndBelongToNobody()
    {
        Assert.All(All, e => Assert.True(Siret.IsValid(e.Gestionnaire.Siret)));
        Assert.All(All, e => Assert.StartsWith("000", e.Gestionnaire.Siret, StringComparison.Ordinal));
        Assert.Equal(All.Count, All.Select(e => e.Gestionnaire.Siret).Distinct().Count());
    }

    [Fact]
    public void Espaces_EveryDepartement_HasOneThatMayBeDesignated() =>
        Assert.All(All.GroupBy(e => e.Departement), g =>
            Assert.Contains(g, e => e.Agrements.Any(a => ImportChecks.ToDomain(a).IsValidOn(Today.AddDays(-1)))));

    [Fact]
    public void Espaces_FirstOfTheRhone_TakesVisitsOfEveryAge()
    {
        var visite = All.Single(e => e.ExternalId == "A69-1").Modalites.Single(m => m.Modalite == Modalite.Visite);

        Assert.NotEqual(ModaliteState.Complete, visite.State);
        Assert.Equal((0, 17), (visite.MinAge, visite.MaxAge));
    }

    [Fact]
    public void Espaces_Together_ShowEveryKindOfCase()
    {
        var modalites = All.SelectMany(e => e.Modalites).ToList();
        Assert.Equal(Enum.GetValues<Modalite>()[1..], modalites.Select(m => m.Modalite).Distinct().Order());
        Assert.Equal(Enum.GetValues<ModaliteState>()[1..^1], modalites.Select(m => m.State).Distinct().Order());
        Assert.Equal(Enum.GetValues<AgrementState>()[1..].Where(s => s != AgrementState.ReputeAcquis), All.SelectMany(e => e.Agrements).Select(a => a.State).Distinct().Order());
        Assert.Contains(modalites, m => m.DeclaredWait is null);
        var stale = modalites.Count(m => m.DeclaredWait is { AsOfDate: { } day } && new Wait(0, new(day.Year, day.Month, day.Day)).IsStaleOn(Today));
        Assert.InRange(stale, modalites.Count / 20, modalites.Count / 5);
        var median = modalites.Where(m => m is { Modalite: Modalite.Visite, DeclaredWait: not null }).Select(m => m.DeclaredWait.Days).Order().ElementAt(94);
        Assert.InRange(median, 50, 75); // 61 days in the invented associations
    }

    [Fact]
    public void Espaces_Together_HoldEverythingThatAnEspaceIs()
    {
        Assert.All(All, e =>
        {
            Assert.NotEmpty(e.Accueil.Entretiens);
            Assert.All(e.Lieux, l => Assert.Contains(e.Ouvertures, o => o.LieuExternalId == l.ExternalId));
            Assert.All(e.Ouvertures, o => Assert.True(ServiceDefaults.Time.Recurrence.TryParse(o.Rrule, new(2026, 1, 5), out _, out _)));
        });
        Assert.InRange(All.Count(e => ImportChecks.ToDate(e.ConfirmedDate) < Today.AddDays(-90)), All.Count / 10, All.Count / 4);
        Assert.Contains(All, e => e.Fermetures.Any(f => f.Reason != FermetureReason.Conges));
        Assert.Contains(All, e => e.Accueil.Exclusions.Count > 0);
        Assert.Contains(All.SelectMany(e => e.Lieux), l => l.Dessertes.Count == 0);
        Assert.Contains(All.SelectMany(e => e.Modalites), m => m.ReopeningDate is not null);
        Assert.Equal(Enum.GetValues<PublicAccueilli>()[1..], All.SelectMany(e => e.Modalites).SelectMany(m => m.AcceptedPublics).Distinct().Order());
    }

    private static List<EspaceImport> Of(int seed) => [.. new Generator(seed, Today).Espaces()];
}
