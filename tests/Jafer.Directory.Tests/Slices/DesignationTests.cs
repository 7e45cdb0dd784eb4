using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>What a search says besides its results, and the check of one espace.</summary>
public class DesignationTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private const string Tarbes = "65440";
    private const string Pau = "64445";
    private const string Toulouse = "31555";
    private const string Auch = "32013";
    private const string Mamoudzou = "97611";

    // Seed 000: in 2024 there was no espace in Hautes-Pyrénées, its inhabitants had to go to a neighbour; one opened in 2025.
    [Fact]
    public async Task SearchEspaces_HautesPyrenees_IsSentToNeighboursIn2024AndStaysAtHomeIn2025()
    {
        const Modalite M = Modalite.RemiseEnfant;
        var local = Espace("65-tarbes", Tarbes, wait: 40, modalite: M);
        local.Agrements[0].StartDate = new DateOnly(2025, 3, 1).ToProto();
        await directory.ImportAsync(local, Espace("65-pau", Pau, wait: 40, modalite: M), Espace("65-toulouse", Toulouse, wait: 40, modalite: M), Espace("65-auch", Auch, wait: 40, modalite: M));
        var request = new SearchEspacesRequest
        {
            Mesure = new() { Modalite = M, HoteCommuneInsee = Tarbes, VisiteurCommuneInsee = "65059", DecisionDate = new DateOnly(2024, 10, 1).ToProto() },
            Explain = true,
        };

        var before = await SearchAsync(request);
        request.Mesure.DecisionDate = new DateOnly(2025, 10, 1).ToProto();
        var after = await SearchAsync(request);

        Assert.Equal(IdOf("65-pau"), Guid.Parse(before.Results[0].EspaceId));
        Assert.Equal(["31", "32", "64"], before.Results.Select(r => r.Departement).Order());
        Assert.Equal((SearchNoteCode.NoneSuitableInDepartement, "65", 1), Note(before.Notes.Single(n => n.Departement == "65")));
        var left = before.ExcludedEspaces[0];
        Assert.Equal(IdOf("65-tarbes"), Guid.Parse(left.EspaceId));
        var finding = Assert.Single(left.Findings);
        Assert.Equal((DesignationRule.AgrementValid, "CASF D216-1", new DateOnly(2025, 3, 1).ToProto()), (finding.Rule, finding.LegalSource, finding.Date));
        Assert.Equal(IdOf("65-tarbes"), Guid.Parse(after.Results[0].EspaceId));
        Assert.Equal(0, after.Results[0].HoteTravel.Minutes);
        Assert.DoesNotContain(after.ExcludedEspaces, e => e.EspaceId == left.EspaceId);
        Assert.DoesNotContain(after.Notes, n => n.Departement == "65");
    }

    [Fact]
    public async Task SearchEspaces_Mayotte_IsExplainedAndNotEmpty()
    {
        await directory.ImportAsync(Espace("976-lyon", modalite: Modalite.VisiteVisio));

        var response = await SearchAsync(new() { Mesure = new() { Modalite = Modalite.VisiteVisio, HoteCommuneInsee = Mamoudzou, VisiteurCommuneInsee = Mamoudzou } });
        var nothing = await SearchAsync(new() { Mesure = new() { Modalite = Modalite.VisiteVisio, HoteCommuneInsee = Mamoudzou, Languages = { "swb" }, DecisionDate = new DateOnly(2001, 1, 1).ToProto() } });

        Assert.Equal([(SearchNoteCode.NoEspaceInDepartement, "976", 0), (SearchNoteCode.NoneReachable, "", 0)], response.Notes.Select(Note));
        Assert.Equal(RankingReasonCode.Unreachable, Assert.Single(response.Results).Reasons[0].Code);
        Assert.Empty(nothing.Results);
        Assert.Equal([(SearchNoteCode.NoEspaceInDepartement, "976", 0), (SearchNoteCode.NoneReachable, "", 0)], nothing.Notes.Select(Note));
    }

    [Fact]
    public async Task SearchEspaces_NeitherCommuneGiven_IsExplainedByTheCourtAndSaysNothingOfWays()
    {
        const Modalite M = Modalite.VisiteDetention;
        await directory.ImportAsync(Espace("nc-one", "73065", wait: 5, modalite: M), Espace("nc-two", "29019", wait: 5, modalite: M));

        var response = await SearchAsync(new() { Mesure = new() { Modalite = M, CourtCode = "tj97611" }, Explain = true, Facets = true });

        Assert.Equal([(SearchNoteCode.NoEspaceInDepartement, "976", 0)], response.Notes.Select(Note));
        Assert.Contains(Id("nc-one"), response.Results.Select(r => r.EspaceId));
        Assert.DoesNotContain("ravel", response.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task SearchEspaces_ParentProtected_NothingInTheWholeAnswerSpeaksOfTheirWay()
    {
        const Modalite M = Modalite.VisitePresenceContinue;
        var served = Espace("pp-served", "73065", modalite: M);
        served.Accueil = new Accueil { CommuneInsees = { "73065" } };
        var full = Espace("pp-full", "38185", modalite: M);
        full.Modalites[0].State = ModaliteState.Complete;
        await directory.ImportAsync(served, full, Espace("pp-island", "2A004", modalite: M));
        var request = new SearchEspacesRequest
        {
            Mesure = new() { Modalite = M, VisiteurCommuneInsee = "73065", CourtCode = "tj73065" },
            EspaceIds = { Id("pp-served"), Id("pp-full"), Id("pp-island") },
            Explain = true,
            Facets = true,
        };

        var response = await SearchAsync(request);
        var one = await CheckAsync("pp-served", request.Mesure);

        Assert.Equal((2, 1), (response.Results.Count, response.ExcludedEspaces.Count));
        Assert.All(response.Results, r => Assert.NotNull(r.VisiteurTravel));
        Assert.DoesNotContain("hote", response.ToString() + one, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(response.Results[0].Warnings, w => w.Code == ResultWarningCode.CommuneNotServed);
    }

    [Fact]
    public async Task SearchEspaces_NearestFarAway_SaysHowFar()
    {
        await directory.ImportAsync(Espace("far", "67482", modalite: Modalite.SortieAccompagnee));

        var response = await SearchAsync(new() { Mesure = new() { Modalite = Modalite.SortieAccompagnee, HoteCommuneInsee = "29019", VisiteurCommuneInsee = "67482" } });

        var note = response.Notes.Single(n => n.Code == SearchNoteCode.NearestIsFar);
        Assert.Equal("29", note.Departement);
        Assert.Equal(response.Results[0].HoteTravel.Minutes, note.Value);
    }

    [Fact]
    public async Task SearchEspaces_Shortlist_SaysNothingOfEspacesThatNobodyLookedAt()
    {
        const Modalite M = Modalite.VisitePresenceContinue;
        await directory.ImportAsync(Espace("sl-home", "69123", modalite: M), Espace("sl-away", "29019", modalite: M));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M, HoteCommuneInsee = "69123", VisiteurCommuneInsee = "2A004" }, EspaceIds = { Id("sl-away") } };

        var response = await SearchAsync(request);
        request.Mesure.VisiteurCommuneInsee = Mamoudzou;
        var noneThere = await SearchAsync(request);

        // Lyon has one that suits, and nearer: the shortlist alone does not hold it.
        Assert.Equal([Id("sl-away")], response.Results.Select(r => r.EspaceId));
        Assert.DoesNotContain(response.Notes, n => n.Departement == "69" || n.Code is SearchNoteCode.NoneReachable or SearchNoteCode.NearestIsFar);
        Assert.Equal([(SearchNoteCode.NoEspaceInDepartement, "976", 0)], noneThere.Notes.Select(Note));
    }

    [Theory]
    [InlineData("ar", "ara")]
    [InlineData("ara", "ar")]
    [InlineData("ger", "de")]
    [InlineData("de", "deu")]
    public async Task SearchEspaces_LanguageUnderAnotherCodeOfIt_IsTheSame(string spoken, string asked)
    {
        const Modalite M = Modalite.VisiteAvecSortie;
        var espace = Espace($"lang-{spoken}-{asked}", modalite: M);
        espace.Accueil = new Accueil { Languages = { spoken } };
        await directory.ImportAsync(espace);
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M, Languages = { asked, "fre" } }, EspaceIds = { Id(espace.ExternalId) } };

        var found = await SearchAsync(request);
        request.Mesure.Languages[0] = "tr";
        var other = await SearchAsync(request);

        Assert.Equal(espace.Name, Assert.Single(found.Results).Name);
        Assert.Empty(other.Results);
    }

    [Fact]
    public async Task CheckDesignation_FileOnWhichThePrefetMayStillDecide_WarnsAndSilenceGrantsItOnlyFromItsDay()
    {
        var open = Espace("a-open");
        open.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-1).ToProto() };
        await directory.ImportAsync(open);
        var granted = Today.AddMonths(-1).AddMonths(2).AddDays(1);
        var request = new CheckDesignationRequest { EspaceId = Id("a-open"), Mesure = new() { Modalite = Modalite.Visite, DecisionDate = granted.AddDays(-1).ToProto() } };

        var before = await directory.Court.CheckDesignationAsync(request, cancellationToken: Cancel);
        request.Mesure.DecisionDate = granted.ToProto();
        var after = await directory.Court.CheckDesignationAsync(request, cancellationToken: Cancel);

        Assert.Equal((DesignationRule.AgrementValid, granted.ToProto()), (Assert.Single(before.Findings) is var f ? (f.Rule, f.Date) : default));
        Assert.True(after.Designable);
        Assert.Equal(granted.ToProto(), after.Warnings.Single(w => w.Code == ResultWarningCode.AgrementPending).Date);
    }

    [Fact]
    public async Task SearchEspaces_ShortlistAndExclusion_HoldWhatIsAskedFor()
    {
        const Modalite M = Modalite.VisiteDetention;
        await directory.ImportAsync([.. Enumerable.Range(0, 6).Select(n => Espace($"s{n}", wait: 10 + n, modalite: M))]);
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M }, EspaceIds = { Id("s4"), Id("s1"), Id("s3") }, ExcludingEspaceIds = { Id("s1") }, Explain = true };

        var response = await SearchAsync(request);

        Assert.Equal([Id("s3"), Id("s4")], response.Results.Select(r => r.EspaceId));
        Assert.Equal(2, response.TotalCount);
        var left = Assert.Single(response.ExcludedEspaces);
        Assert.Equal((Id("s1"), DesignationRule.NotExcludedByCaller), (left.EspaceId, Assert.Single(left.Findings).Rule));
    }

    [Fact]
    public async Task SearchEspaces_ExplainAndFacets_ShareOutAllEspacesAndCountThem()
    {
        const Modalite M = Modalite.VisiteTiers;
        var full = Espace("f-full", "38185", modalite: M);
        full.Modalites[0].State = ModaliteState.Complete;
        var suspended = Espace("f-suspended", modalite: M);
        suspended.State = EspaceState.Suspendu;
        var waiting = Espace("f-list", modalite: M);
        waiting.Modalites[0].State = ModaliteState.ListeAttente;
        waiting.Modalites[0].WaitingFamilies = 7;
        var both = Espace("f-both", modalite: M);
        both.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.VisiteAvecSortie, State = ModaliteState.Ouverte, MaxAge = 17 });
        await directory.ImportAsync(full, suspended, waiting, both, Espace("f-open", modalite: M), Espace("f-small", "73065", modalite: M));
        var ids = new[] { full, suspended, waiting, both }.Select(e => Id(e.ExternalId)).Concat([Id("f-open"), Id("f-small")]).ToArray();
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M, HoteCommuneInsee = "69123", ChildAges = { 3, 5 } }, EspaceIds = { ids }, Explain = true, Facets = true };

        var response = await SearchAsync(request);

        Assert.Equal(ids.Order(), response.Results.Select(r => r.EspaceId).Concat(response.ExcludedEspaces.Select(e => e.EspaceId)).Order());
        Assert.Equal([Id("f-suspended"), Id("f-full")], response.ExcludedEspaces.Select(e => e.EspaceId));
        Assert.Equal([DesignationRule.EspaceOpen, DesignationRule.ModaliteOpen], response.ExcludedEspaces.Select(e => Assert.Single(e.Findings).Rule));
        Assert.Equal((true, false), (response.ExcludedEspaces[1].HoteTravel.Reachable, response.ExcludedEspaces[1].VisiteurTravel is not null));
        Assert.Equal(
            [
                (FacetKind.Modalite, "VISITE_TIERS", 4), (FacetKind.Modalite, "VISITE_AVEC_SORTIE", 1), (FacetKind.Departement, "69", 3), (FacetKind.Departement, "73", 1),
                (FacetKind.CapacityStatus, "OPEN", 3), (FacetKind.CapacityStatus, "WAITING_LIST", 1),
            ],
            response.Facets.Select(f => (f.Kind, f.Value, f.Count)));
        Assert.Equal((ResultWarningCode.WaitingList, 7), response.Results.Single(r => r.EspaceId == Id("f-list")).Warnings.Select(w => (w.Code, w.Value)).Single());

        request.PageSize = 1;
        request.PageToken = (await SearchAsync(request)).NextPageToken;
        var second = await SearchAsync(request);
        Assert.Empty(second.ExcludedEspaces);
        Assert.Empty(second.Facets);
        Assert.Empty(second.Notes);
        Assert.Equal(4, second.TotalCount);
    }

    [Fact]
    public async Task SearchEspaces_EveryNeed_LeavesOutWhoSaidOtherwiseAndWarnsOfTheSilent()
    {
        const Modalite M = Modalite.VisitePresenceIntermittente;
        var whole = Espace("n-whole", modalite: M);
        whole.Lieux[0].WheelchairAccessible = true;
        whole.Lieux[0].StaggeredArrivals = true;
        whole.Lieux[0].Dessertes.Add(new Desserte { Mode = TransportMode.Tramway, Line = "T1", Stop = "Arrêt fictif", WalkMinutes = 20 });
        whole.Accueil = new() { Languages = { "ar", "fsl" }, PrecariousnessSupport = true, CourtCodes = { "tj13055" }, CourAppelNames = { "Cour d'appel de Grenoble" }, Exclusions = { "Exclusion fictive." } };
        whole.Modalites[0].AcceptedPublics.Add([PublicAccueilli.EnfantHandicap, PublicAccueilli.LienRompu]);
        whole.Modalites[0].MaxSiblings = 3;
        (whole.Modalites[0].MinRencontreMinutes, whole.Modalites[0].MaxRencontreMinutes) = (60, 120);
        whole.Modalites[0].Periodicities.Add(new Periodicity { RencontreCount = 2, IntervalCount = 4, Unit = PeriodicityUnit.Week });
        var refuses = whole.Clone();
        (refuses.ExternalId, refuses.Lieux[0].WheelchairAccessible) = ("n-refuses", false);
        await directory.ImportAsync(whole, refuses, Espace("n-silent", wait: 61, modalite: M));
        var request = new SearchEspacesRequest
        {
            Mesure = new()
            {
                Modalite = M,
                CourtCode = "tj69123",
                ChildCount = 3,
                RencontreMinutes = 90,
                DurationMonths = 6,
                Languages = { "fr", "ar" },
                Periodicity = new() { RencontreCount = 1, IntervalCount = 2, Unit = PeriodicityUnit.Week },
                Besoins = { BesoinAccueil.FauteuilRoulant, BesoinAccueil.SansVoiture, BesoinAccueil.ParentsSepares, BesoinAccueil.EnfantHandicap, BesoinAccueil.GrandePrecarite, BesoinAccueil.LienRompu },
            },
            Explain = true,
        };

        var response = await SearchAsync(request);
        request.Mesure.CourtCode = "tj38185";
        var ofTheCourAppel = await SearchAsync(request);

        Assert.Equal([Id("n-whole"), Id("n-silent")], response.Results.Select(r => r.EspaceId));
        Assert.Equal([ResultWarningCode.CourtNotServed], response.Results[0].Warnings.Select(w => w.Code));
        Assert.Empty(ofTheCourAppel.Results[0].Warnings);
        Assert.Equal(["Exclusion fictive."], response.Results[0].Exclusions);
        Assert.Single(response.Results[0].Lieu.Dessertes);
        Assert.Equal(
            [(ResultWarningCode.NeedUnknown, 1), (ResultWarningCode.NeedUnknown, 2), (ResultWarningCode.NeedUnknown, 3), (ResultWarningCode.NeedUnknown, 5),
                (ResultWarningCode.NeedUnknown, 6), (ResultWarningCode.NeedUnknown, 7), (ResultWarningCode.NeedUnknown, 0)],
            response.Results[1].Warnings.Select(w => (w.Code, w.Value)));
        var left = response.ExcludedEspaces.Single(e => e.EspaceId == Id("n-refuses"));
        Assert.Equal([(DesignationRule.NeedsMet, (int)BesoinAccueil.FauteuilRoulant)], left.Findings.Select(f => (f.Rule, f.Value)));
    }

    [Fact]
    public async Task SearchEspaces_ReopeningClosureAndStaleState_AreInStatusDateAndReasons()
    {
        const Modalite M = Modalite.VisitePresenceContinue;
        var reopens = Espace("c-reopens", wait: 10, modalite: M);
        (reopens.Modalites[0].State, reopens.Modalites[0].ReopeningDate) = (ModaliteState.Fermee, Today.AddDays(30).ToProto());
        var closes = Espace("c-closes", wait: 10, modalite: M);
        closes.Fermetures.Add(new Fermeture { StartDate = Today.AddDays(5).ToProto(), EndDate = Today.AddDays(25).ToProto(), Reason = FermetureReason.Conges });
        await directory.ImportAsync(reopens, closes);

        var results = (await SearchAsync(new() { Mesure = new() { Modalite = M, DurationMonths = 2 }, EspaceIds = { Id("c-reopens"), Id("c-closes") } })).Results;

        Assert.Equal([Id("c-closes"), Id("c-reopens")], results.Select(r => r.EspaceId));
        Assert.Equal((CapacityStatus.Open, Today.AddDays(26).ToProto(), null), (results[0].CapacityStatus, results[0].ExpectedFirstVisitDate, results[0].ReopeningDate));
        Assert.Equal([(RankingReasonCode.Closure, 16), (RankingReasonCode.Wait, 10)], results[0].Reasons.Select(r => (r.Code, r.Value)));
        Assert.Equal(Today.AddDays(25).ToProto(), results[0].Warnings.Single(w => w.Code == ResultWarningCode.ClosureAhead).Date);
        Assert.Equal(
            (CapacityStatus.ClosedUntil, Today.AddDays(40).ToProto(), Today.AddDays(30).ToProto()),
            (results[1].CapacityStatus, results[1].ExpectedFirstVisitDate, results[1].ReopeningDate));
        Assert.Equal(40, results[1].Warnings.Single(w => w.Code == ResultWarningCode.TermTooShort).Value);
    }

    [Fact]
    public async Task CheckDesignation_EachEspace_AgreesWithTheSearch()
    {
        const Modalite M = Modalite.Visite;
        var young = Espace("k-young", modalite: M);
        (young.Modalites[0].MinAge, young.Modalites[0].MaxAge) = (0, 3);
        young.Agrements[0].EndDate = Today.AddDays(-1).ToProto();
        await directory.ImportAsync(young, Espace("k-fits", modalite: M), Espace("k-other", modalite: Modalite.VisiteAvecSortie));
        var mesure = new MesureProfile { Modalite = M, ChildAges = { 8 }, HoteCommuneInsee = "69123" };
        var found = await SearchAsync(new() { Mesure = mesure, EspaceIds = { Id("k-young"), Id("k-fits"), Id("k-other") }, Explain = true });

        var fits = await CheckAsync("k-fits", mesure);
        var refused = await CheckAsync("k-young", mesure);
        var other = await CheckAsync("k-other", mesure);

        Assert.True(fits.Designable);
        Assert.Empty(fits.Findings);
        Assert.Equal(Assert.Single(found.Results), fits.Result);
        Assert.Equal(fits.Result.Warnings, fits.Warnings);
        Assert.False(refused.Designable);
        Assert.Equal([DesignationRule.AgrementValid, DesignationRule.AgesReceived], refused.Findings.Select(f => f.Rule));
        Assert.Equal(found.ExcludedEspaces.Single(e => e.EspaceId == Id("k-young")).Findings, refused.Findings);
        Assert.NotNull(refused.Result);
        Assert.Equal([DesignationRule.ModaliteOffered], other.Findings.Select(f => f.Rule));
        Assert.Null(other.Result);
    }

    [Fact]
    public async Task CheckDesignation_BadInputOrUnknownEspace_IsRefused()
    {
        var bad = await Refusal.OfAsync(directory.Court.CheckDesignationAsync(new()
        {
            EspaceId = "x",
            Mesure = new()
            {
                Modalite = Modalite.Visite,
                RencontreMinutes = 3,
                DurationMonths = 61,
                ChildCount = 21,
                Languages = { "ar", "FR", "français" },
                Besoins = { BesoinAccueil.Unspecified, (BesoinAccueil)99 },
                Periodicity = new() { RencontreCount = 0, IntervalCount = 13 },
            },
        }, cancellationToken: Cancel));
        var unknown = await Refusal.OfAsync(directory.Court.CheckDesignationAsync(new() { EspaceId = NewId(), Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: Cancel));

        Assert.Equal(
            ["espace_id", "mesure.periodicity.rencontre_count", "mesure.periodicity.interval_count", "mesure.periodicity.unit", "mesure.rencontre_minutes", "mesure.duration_months",
                "mesure.languages[1]", "mesure.languages[2]", "mesure.besoins[0]", "mesure.besoins[1]", "mesure.child_count"],
            bad.Fields);
        Assert.Equal(("RESOURCE_NOT_FOUND", StatusCode.NotFound), (unknown.Reason, unknown.Code));
    }

    [Fact]
    public async Task SearchEspaces_BadListsAndAsOf_AreRefusedTogether()
    {
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.Visite }, AsOfDate = Today.AddDays(1).ToProto(), ExcludingEspaceIds = { "x" } };
        request.EspaceIds.Add(Enumerable.Range(0, 21).Select(_ => NewId()));

        Assert.Equal(
            ["as_of_date", "espace_ids", .. Enumerable.Range(0, 20).Select(i => $"espace_ids[{i}]"), "excluding_espace_ids[0]"],
            (await Refusal.OfAsync(directory.Court.SearchEspacesAsync(request, cancellationToken: Cancel))).Fields);
    }

    [Fact]
    public async Task SearchEspaces_UnknownIds_AreRefusedWhereTheyWouldBePassedOver()
    {
        await directory.ImportAsync(Espace("known"));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.Visite }, EspaceIds = { Id("known") }, ExcludingEspaceIds = { NewId() } };

        Assert.Equal(Id("known"), Assert.Single((await SearchAsync(request)).Results).EspaceId);
        request.EspaceIds.Add(NewId());
        Assert.Equal(["espace_ids[1]"], (await Refusal.OfAsync(directory.Court.SearchEspacesAsync(request, cancellationToken: Cancel))).Fields);
    }

    private static string Id(string espace) => IdOf(espace).ToString();

    private static (SearchNoteCode, string, int) Note(SearchNote note) => (note.Code, note.Departement, note.Value);

    private async Task<SearchEspacesResponse> SearchAsync(SearchEspacesRequest request) =>
        await directory.Court.SearchEspacesAsync(request, cancellationToken: Cancel);

    private async Task<CheckDesignationResponse> CheckAsync(string espace, MesureProfile mesure) =>
        await directory.Court.CheckDesignationAsync(new() { EspaceId = Id(espace), Mesure = mesure }, cancellationToken: Cancel);
}
