using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>What stands behind the figures of a search: opening schedules, ways, publics and waits that were never declared.</summary>
public class SearchFiguresTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task SearchEspaces_OpeningSchedule_MovesTheFirstRencontreAndTellsTheLoad()
    {
        const Modalite M = Modalite.RemiseEnfant;
        var scheduled = Espace("o-scheduled", wait: 10, modalite: M);
        scheduled.Modalites[0].SlotsPerWeek = 0;
        scheduled.Ouvertures.Add(WeeklyOn(Today.AddDays(12), SchoolHolidayRule.Always));
        await directory.ImportAsync(scheduled, Espace("o-said", wait: 11, modalite: M));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M }, EspaceIds = { Id("o-scheduled"), Id("o-said") } };

        var results = (await SearchAsync(request)).Results;
        var coverage = await directory.Operateur.GetCoverageAsync(new() { Level = CoverageLevel.France, Modalite = M }, cancellationToken: Cancel);

        Assert.Equal([Id("o-said"), Id("o-scheduled")], results.Select(r => r.EspaceId));
        Assert.Equal((Today.AddDays(11).ToProto(), Today.AddDays(12).ToProto()), (results[0].ExpectedFirstVisitDate, results[1].ExpectedFirstVisitDate));
        Assert.Equal([(RankingReasonCode.Wait, 10), (RankingReasonCode.OpeningDay, 2)], results[1].Reasons.Select(r => (r.Code, r.Value)));
        Assert.Equal((49, false), (results[0].DemandBalance.CapacityCount, results[0].DemandBalance.ComputedFromSchedule));
        Assert.Equal((78, true), (results[1].DemandBalance.CapacityCount, results[1].DemandBalance.ComputedFromSchedule));
        Assert.Equal(16, coverage.Rows[0].ComputedSlotsPerWeek);
        Assert.True(coverage.Rows[0].SlotsPerWeek >= 26);
    }

    [Fact]
    public async Task SearchEspaces_SchoolHolidaysImported_AreSeenByTheNextSearch()
    {
        var outside = Espace("v-outside", wait: 500);
        outside.Ouvertures.Add(WeeklyOn(Today.AddDays(500), SchoolHolidayRule.OutsideHolidays));
        await directory.ImportAsync(outside);
        await directory.Database.RunAsync("delete from school_holidays where zone = 'A'");
        var before = await ExpectedAsync("v-outside");
        await directory.Database.RunAsync($"insert into school_holidays values ('A', '2099-2100', date '{Today.AddDays(499):yyyy-MM-dd}', date '{Today.AddDays(501):yyyy-MM-dd}', 'Essai', 'Essai')");

        Assert.Equal(Today.AddDays(500).ToProto(), before);
        Assert.Equal(Today.AddDays(507).ToProto(), await ExpectedAsync("v-outside"));
    }

    [Fact]
    public async Task SearchEspaces_CommuneWithoutCoordinates_SaysThatNothingIsKnownOfTheWay()
    {
        const Modalite M = Modalite.VisiteVisio;
        var island = Espace("c-island", "98411", modalite: M);
        (island.Departement, island.Agrements[0].Departement, island.Lieux[0].Latitude, island.Lieux[0].Longitude) = ("984", "984", -37.8, 77.5);
        await directory.ImportAsync(island, Espace("c-lyon", modalite: M));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M, VisiteurCommuneInsee = "98412" }, EspaceIds = { Id("c-island"), Id("c-lyon") } };

        var response = await SearchAsync(request);
        var checkedAlone = await CheckAsync("c-island", request.Mesure);
        request.Mesure.VisiteurCommuneInsee = "";
        var notGiven = await SearchAsync(request);

        Assert.Contains((SearchNoteCode.TravelUnknown, "984", 60), response.Notes.Select(Note));
        Assert.Equal([Id("c-island"), Id("c-lyon")], response.Results.Select(r => r.EspaceId));
        Assert.Null(response.Results[0].VisiteurTravel);
        Assert.Contains((RankingReasonCode.VisiteurTravelUnknown, 60), response.Results[0].Reasons.Select(r => (r.Code, r.Value)));
        Assert.Equal(response.Results[0].Reasons, checkedAlone.Result.Reasons);
        Assert.DoesNotContain(notGiven.Notes, n => n.Code == SearchNoteCode.TravelUnknown);
        Assert.DoesNotContain(notGiven.Results.SelectMany(r => r.Reasons), r => r.Code is RankingReasonCode.VisiteurTravelUnknown or RankingReasonCode.HoteTravelUnknown);
    }

    [Fact]
    public async Task SearchEspaces_VeryYoungChild_LeavesOutWhoSaidItsPublicsWithoutThem()
    {
        const Modalite M = Modalite.SortieAccompagnee;
        var receives = Espace("y-receives", wait: 1, modalite: M);
        receives.Modalites[0].AcceptedPublics.Add(PublicAccueilli.TresJeuneEnfant);
        var refuses = Espace("y-refuses", wait: 2, modalite: M);
        refuses.Modalites[0].AcceptedPublics.Add(PublicAccueilli.LienRompu);
        await directory.ImportAsync(receives, refuses, Espace("y-silent", wait: 3, modalite: M));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M, ChildAges = { 1, 5 } }, EspaceIds = { Id("y-receives"), Id("y-refuses"), Id("y-silent") }, Explain = true };

        var young = await SearchAsync(request);
        request.Mesure.ChildAges[0] = 2;
        var older = await SearchAsync(request);

        Assert.Equal([Id("y-receives"), Id("y-silent")], young.Results.Select(r => r.EspaceId));
        Assert.Equal((DesignationRule.NeedsMet, (int)BesoinAccueil.TresJeuneEnfant), young.ExcludedEspaces.Single().Findings.Select(f => (f.Rule, f.Value)).Single());
        Assert.Equal((int)BesoinAccueil.TresJeuneEnfant, young.Results[1].Warnings.Single(w => w.Code == ResultWarningCode.NeedUnknown).Value);
        Assert.Equal(3, older.TotalCount);
        Assert.DoesNotContain(older.Results.SelectMany(r => r.Warnings), w => w.Code == ResultWarningCode.NeedUnknown);
    }

    [Fact]
    public async Task SearchEspaces_WaitNeverDeclared_RanksAfterTheLongOnesOfMost()
    {
        const Modalite M = Modalite.VisiteDetention;
        var ids = Enumerable.Range(0, 10).Select(n => $"u{n}").ToArray();
        await directory.ImportAsync([.. ids.Select((id, n) => Espace(id, wait: 250 + 10 * n, modalite: M)), Espace("u-silent", wait: null, modalite: M)]);

        var results = (await SearchAsync(new() { Mesure = new() { Modalite = M }, EspaceIds = { ids.Select(Id), Id("u-silent") } })).Results;
        var silent = results.Single(r => r.EspaceId == Id("u-silent"));

        var standIn = silent.Reasons.Single(r => r.Code == RankingReasonCode.WaitUnknown).Value;
        Assert.InRange(standIn, 250, 330);
        Assert.Equal(
            results.Select(r => r.DeclaredWait?.Days ?? standIn).Order(), results.Select(r => r.DeclaredWait?.Days ?? standIn));
        Assert.Null(silent.ExpectedFirstVisitDate);
    }

    // From 10 h to 18 h on the weekday of a day, four families in slots of two hours.
    private static Ouverture WeeklyOn(DateOnly day, SchoolHolidayRule holidays) => new()
    {
        ExternalId = "1",
        LieuExternalId = "L1",
        Rrule = "FREQ=WEEKLY;BYDAY=" + "SU MO TU WE TH FR SA".Split(' ')[(int)day.DayOfWeek],
        StartDate = new DateOnly(2020, 1, 1).ToProto(),
        StartTime = new TimeOfDay { Hours = 10 },
        EndTime = new TimeOfDay { Hours = 18 },
        SlotMinutes = 120,
        Families = 4,
        SchoolHolidays = holidays,
        OpenOnPublicHolidays = true,
    };

    private static string Id(string espace) => IdOf(espace).ToString();

    private static (SearchNoteCode, string, int) Note(SearchNote note) => (note.Code, note.Departement, note.Value);

    private async Task<SearchEspacesResponse> SearchAsync(SearchEspacesRequest request) =>
        await directory.Court.SearchEspacesAsync(request, cancellationToken: Cancel);

    private async Task<CheckDesignationResponse> CheckAsync(string espace, MesureProfile mesure) =>
        await directory.Court.CheckDesignationAsync(new() { EspaceId = Id(espace), Mesure = mesure }, cancellationToken: Cancel);

    private async Task<Date> ExpectedAsync(string espace) =>
        Assert.Single((await SearchAsync(new() { Mesure = new() { Modalite = Modalite.Visite }, EspaceIds = { Id(espace) } })).Results).ExpectedFirstVisitDate;
}
