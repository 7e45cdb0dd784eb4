using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class ScheduleTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task ListOuverturesOn_WindowWithHolidaysAndClosure_ShowsTheDaysLeft()
    {
        var import = EspaceContentTests.Whole("open");
        import.Fermetures[0] = new Fermeture { StartDate = Day(2026, 11, 14), EndDate = Day(2026, 11, 14), Reason = FermetureReason.Formation };
        await directory.ImportAsync(import);
        var request = new ListOuverturesOnRequest { EspaceId = IdOf("open").ToString(), Modalite = Modalite.Visite, StartDate = Day(2026, 10, 10), EndDate = Day(2026, 11, 30), PageSize = 2 };
        var openings = new List<OuvertureOn>();
        do
        {
            var page = await directory.Court.ListOuverturesOnAsync(request, cancellationToken: Cancel);
            Assert.Empty(page.UnknownSchoolYears);
            openings.AddRange(page.Ouvertures);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        // Toussaint from 17 October to 1 November; Paris leaves summer time on 25 October.
        Assert.Equal(
            ["2026-10-10T07:30:00Z", "2026-11-07T08:30:00Z", "2026-11-21T08:30:00Z", "2026-11-28T08:30:00Z"],
            openings.Select(o => o.StartTime.ToDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.All(openings, o => Assert.Equal(("samedi", "L1", "Europe/Paris", 20), (o.ExternalId, o.LieuExternalId, o.TimeZone, o.SlotCount)));
        Assert.Equal(20, (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf("open").ToString() }, cancellationToken: Cancel)).Espace.Modalites[0].ScheduledSlotsPerWeek);
    }

    [Fact]
    public async Task ListOuverturesOn_SchoolYearThatNobodyPublished_SaysSo()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("later"));

        var answer = await directory.Court.ListOuverturesOnAsync(
            new() { EspaceId = IdOf("later").ToString(), StartDate = Day(2031, 10, 1), EndDate = Day(2031, 10, 31) }, cancellationToken: Cancel);

        Assert.Equal(["2031-2032"], answer.UnknownSchoolYears);
        Assert.Equal(4, answer.Ouvertures.Count);
    }

    // Zones of which the calendar that comes with the service holds no year 2025-2026, or none at all.
    [Theory]
    [InlineData("2A", "2A004", true)]
    [InlineData("975", "97502", true)]
    [InlineData("987", "98735", true)]
    [InlineData("988", "98818", false)]
    public async Task ListOuverturesOn_ZoneWithoutThatYear_SaysSoAndNeverThatThereAreNoHolidays(string departement, string commune, bool laterYearKnown)
    {
        var import = EspaceContentTests.Whole("zone-" + departement);
        (import.Departement, import.Agrements[0].Departement, import.Lieux[0].CommuneInsee) = (departement, departement, commune);
        await directory.ImportAsync(import);

        var february = await OpeningsAsync(Day(2026, 2, 1), Day(2026, 2, 28));
        var november = await OpeningsAsync(Day(2026, 11, 1), Day(2026, 11, 30));

        Assert.Equal(["2025-2026"], february.UnknownSchoolYears);
        Assert.Equal(4, february.Ouvertures.Count);
        Assert.Equal(laterYearKnown ? [] : ["2026-2027"], november.UnknownSchoolYears);

        async Task<ListOuverturesOnResponse> OpeningsAsync(Date from, Date to) => await directory.Court.ListOuverturesOnAsync(
            new() { EspaceId = IdOf("zone-" + departement).ToString(), StartDate = from, EndDate = to }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task ListOuverturesOn_BadInput_IsRefused()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("window"));
        var id = IdOf("window").ToString();
        Assert.Equal(["espace_id", "modalite", "start_date", "page_size"], (await Refusal.OfAsync(directory.Court.ListOuverturesOnAsync(
            new() { EspaceId = "x", Modalite = (Modalite)99, StartDate = new Date(), PageSize = -1 }, cancellationToken: Cancel))).Fields);
        Assert.Equal(["end_date"], (await Refusal.OfAsync(directory.Court.ListOuverturesOnAsync(
            new() { EspaceId = id, StartDate = Day(2026, 1, 1), EndDate = Day(2027, 2, 6) }, cancellationToken: Cancel))).Fields);
        Assert.Equal(["end_date"], (await Refusal.OfAsync(directory.Court.ListOuverturesOnAsync(
            new() { EspaceId = id, StartDate = Day(2026, 1, 2), EndDate = Day(2026, 1, 1) }, cancellationToken: Cancel))).Fields);
        Assert.Equal("RESOURCE_NOT_FOUND", (await Refusal.OfAsync(directory.Court.ListOuverturesOnAsync(new() { EspaceId = NewId() }, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task SchoolHolidays_CarriedWithTheService_CoverThisYearAndTheNext()
    {
        var all = new List<SchoolHoliday>();
        var request = new ListSchoolHolidaysRequest { PageSize = 50 };
        do
        {
            var page = await directory.Court.ListSchoolHolidaysAsync(request, cancellationToken: Cancel);
            all.AddRange(page.Holidays);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(all.OrderBy(h => (h.StartDate.Year, h.StartDate.Month, h.StartDate.Day, h.Zone)), all);
        foreach (var year in new[] { "2025-2026", "2026-2027" })
            Assert.All(new[] { "A", "B", "C", "971", "972", "973", "974", "976" }, zone => Assert.True(all.Count(h => h.Zone == zone && h.SchoolYear == year) >= 5, $"{zone} {year}"));
        Assert.All(all, h => Assert.NotEmpty(h.Source));
        var hiver = all.Single(h => h is { Zone: "A", SchoolYear: "2026-2027", Name: "Vacances d'hiver" });
        Assert.Equal((Day(2027, 2, 13), Day(2027, 2, 28)), (hiver.StartDate, hiver.EndDate));
    }

    [Fact]
    public async Task ImportSchoolHolidays_WholeYear_ReplacesItAndNothingElse()
    {
        await using var own = new DirectoryFixture();
        await own.InitializeAsync();
        var request = new ImportSchoolHolidaysRequest { RequestId = NewId() };
        request.Holidays.Add(Holiday("A", "2027-2028", Day(2027, 10, 23), Day(2027, 11, 7)));
        request.Holidays.Add(Holiday("B", "2027-2028", Day(2027, 10, 23), Day(2027, 11, 7)));
        var before = await own.Database.ReadAsync<long>("select count(*) from school_holidays where school_year <> '2027-2028'");

        var first = await own.Operateur.ImportSchoolHolidaysAsync(request, cancellationToken: Cancel);
        request.RequestId = NewId();
        var again = await own.Operateur.ImportSchoolHolidaysAsync(request, cancellationToken: Cancel);

        Assert.Equal((2, 2), (first.HolidayCount, again.HolidayCount));
        Assert.Equal(["2027-2028"], first.SchoolYears);
        Assert.Equal(2, await own.Database.ReadAsync<long>("select count(*) from school_holidays where school_year = '2027-2028'"));
        Assert.Equal(before, await own.Database.ReadAsync<long>("select count(*) from school_holidays where school_year <> '2027-2028'"));
    }

    [Fact]
    public async Task ImportVacances_FileOfTheRepository_IsTakenAsItStands()
    {
        var path = Path.GetTempFileName();
        await using (var file = File.Create(path))
            await Reference.ReferenceData.Resource("vacances-scolaires.csv").CopyToAsync(file, Cancel);
        var request = await Jafer.Cli.Files.SchoolHolidayFile.ReadAsync(path, Cancel);
        request.RequestId = NewId();
        File.Delete(path);

        var answer = await directory.Operateur.ImportSchoolHolidaysAsync(request, cancellationToken: Cancel);

        Assert.Equal(["2025-2026", "2026-2027", "2027-2028"], answer.SchoolYears);
        Assert.Equal(request.Holidays.Count, answer.HolidayCount);
    }

    [Fact]
    public async Task ImportVacances_FileWithMistakes_NamesEveryLine()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "zone,annee_scolaire,nom,debut,fin,source\nA,2026-2027,Noël,19/12/2026,2027-01-03,essai\nB\n", Cancel);
        await File.AppendAllTextAsync(path, "C,2026-2027,Noël,2026-12-19,2027-01-03,essai\n", System.Text.Encoding.Latin1, Cancel);

        var error = await Assert.ThrowsAsync<Jafer.Cli.UsageException>(() => Jafer.Cli.Files.SchoolHolidayFile.ReadAsync(path, Cancel));
        File.Delete(path);

        Assert.Equal(
            [$"{path}:2 debut: must be a day such as 2026-10-17", $"{path}:3: must have 6 cells", $"{path}:4 nom: is not written in UTF-8"],
            error.Message.Split('\n'));
    }

    [Fact]
    public async Task ImportSchoolHolidays_BadInput_RefusesWithEveryField()
    {
        var request = new ImportSchoolHolidaysRequest();
        request.Holidays.Add(new SchoolHoliday { Zone = "D", SchoolYear = "2026-2028", StartDate = Day(2026, 10, 2), EndDate = Day(2026, 10, 1) });
        request.Holidays.Add(Holiday("A", "2028-2029", Day(2028, 10, 21), Day(2028, 11, 5)));
        request.Holidays.Add(Holiday("A", "2028-2029", Day(2028, 11, 5), Day(2028, 11, 6)));
        request.Holidays.Add(Holiday("B", "2028-2029", Day(2030, 11, 5), Day(2030, 11, 6)));

        Assert.Equal(
            [
                "holidays[0].zone", "holidays[0].name", "holidays[0].source", "holidays[0].end_date", "holidays[0].school_year",
                "holidays[2]", "holidays[3].start_date", "request_id",
            ],
            (await Refusal.OfAsync(directory.Operateur.ImportSchoolHolidaysAsync(request, cancellationToken: Cancel))).Fields);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Court.ImportSchoolHolidaysAsync(request, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task DeclareYear_TwiceWithItsEtag_ReplacesTheFirst()
    {
        await directory.ImportAsync(Espace("year"));
        var client = directory.Gestionnaire("G-year");
        var first = (await client.DeclareYearAsync(Year("G-year", Today.Year - 1), cancellationToken: Cancel)).Declaration;
        var request = Year("G-year", Today.Year - 1);
        request.Declaration.Etag = first.Etag;
        request.Declaration.Personnels.RemoveAt(0);
        request.Declaration.Ressources[0].AmountEuros = 90_000;
        var second = (await client.DeclareYearAsync(request, cancellationToken: Cancel)).Declaration;
        request.RequestId = NewId();
        var stale = await Refusal.OfAsync(client.DeclareYearAsync(request, cancellationToken: Cancel));
        await client.DeclareYearAsync(Year("G-year", Today.Year), cancellationToken: Cancel);

        Assert.Equal(("1", "2", "ETAG_MISMATCH"), (first.Etag, second.Etag, stale.Reason));
        var list = await client.ListYearlyDeclarationsAsync(new() { GestionnaireId = Id("G-year"), PageSize = 1 }, cancellationToken: Cancel);
        Assert.Equal(Today.Year, Assert.Single(list.Declarations).Year);
        var rest = await client.ListYearlyDeclarationsAsync(new() { GestionnaireId = Id("G-year"), PageSize = 1, PageToken = list.NextPageToken }, cancellationToken: Cancel);
        Assert.Equal(second, Assert.Single(rest.Declarations));
        Assert.Empty(rest.NextPageToken);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Gestionnaire("G-other").ListYearlyDeclarationsAsync(new() { GestionnaireId = Id("G-year") }, cancellationToken: Cancel))).Reason);
        Assert.Single((await directory.Client(Roles.Statisticien, StableIds.For("sser")).ListYearlyDeclarationsAsync(new() { GestionnaireId = Id("G-year"), PageSize = 1 }, cancellationToken: Cancel)).Declarations);
    }

    [Fact]
    public async Task DeclareYear_Corrected_KeepsWhatWasSaidAndByWhom()
    {
        await directory.ImportAsync(Espace("kept-year"));
        var client = directory.Gestionnaire("G-kept-year");
        var first = (await client.DeclareYearAsync(Year("G-kept-year", 2024), cancellationToken: Cancel)).Declaration;
        var correction = Year("G-kept-year", 2024);
        correction.Declaration.OpeningDays = 7;
        var second = (await directory.Operateur.DeclareYearAsync(correction, cancellationToken: Cancel)).Declaration;
        await client.DeclareYearAsync(Year("G-kept-year", 2023), cancellationToken: Cancel);

        var list = await client.ListYearlyDeclarationsAsync(new() { GestionnaireId = Id("G-kept-year") }, cancellationToken: Cancel);
        Assert.Equal([(2024, 7), (2023, 120)], list.Declarations.Select(d => (d.Year, d.OpeningDays)));
        var (all, token) = (new List<YearlyDeclaration>(), "");
        do
        {
            var page = await client.ListYearlyDeclarationsAsync(
                new() { GestionnaireId = Id("G-kept-year"), IncludeSuperseded = true, PageSize = 1, PageToken = token }, cancellationToken: Cancel);
            all.AddRange(page.Declarations);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        Assert.Equal([(2024, "2", false), (2024, "1", true), (2023, "1", false)], all.Select(d => (d.Year, d.Etag, d.Superseded)));
        Assert.Equal([StableIds.For("organisation:operateur:national").ToString(), Id("G-kept-year")], all.Take(2).Select(d => d.OrganisationId));
        first.Superseded = true;
        Assert.Equal([second, first], all.Take(2));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => directory.Database.RunAsync("update yearly_declaration_changes set year = 2000"));
    }

    [Fact]
    public async Task DeclareYear_BadInput_RefusesWithEveryField()
    {
        var request = Year("G-nobody", Today.Year + 1);
        request.Declaration.Personnels.Add(new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.Psychologue, HeadCount = -1, FullTimeEquivalent = double.NaN });
        request.Declaration.Personnels[1].FullTimeEquivalent = 9;
        request.Declaration.Ressources.Add(new Ressource { Funder = Funder.Caf, AmountEuros = -1 });
        request.Declaration.OpeningDays = 367;
        request.Declaration.Etag = "x";
        (request.GestionnaireId, request.RequestId) = ("1", "1");

        Assert.Equal(
            [
                "gestionnaire_id", "declaration.year", "declaration.opening_days", "declaration.personnels[1].full_time_equivalent", "declaration.personnels[2]",
                "declaration.personnels[2].head_count", "declaration.personnels[2].full_time_equivalent", "declaration.ressources[2].funder",
                "declaration.ressources[2].amount_euros", "declaration.etag", "request_id",
            ],
            (await Refusal.OfAsync(directory.Operateur.DeclareYearAsync(request, cancellationToken: Cancel))).Fields);
        Assert.Equal("RESOURCE_NOT_FOUND", (await Refusal.OfAsync(directory.Operateur.DeclareYearAsync(Year("G-nobody", Today.Year), cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Gestionnaire("G-other").DeclareYearAsync(Year("G-nobody", Today.Year), cancellationToken: Cancel))).Reason);
    }

    private static string Id(string gestionnaire) => StableIds.Gestionnaire("test", gestionnaire).ToString();

    private static DeclareYearRequest Year(string gestionnaire, int year) => new()
    {
        GestionnaireId = Id(gestionnaire),
        Declaration = new YearlyDeclaration
        {
            Year = year,
            OpeningHours = 620,
            OpeningDays = 120,
            Personnels =
            {
                new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.TravailleurSocial, HeadCount = 4, FullTimeEquivalent = 2.4 },
                new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.Psychologue, HeadCount = 1, FullTimeEquivalent = 0.3 },
            },
            Ressources = { new Ressource { Funder = Funder.Caf, AmountEuros = 120_000 }, new Ressource { Funder = Funder.Etat, AmountEuros = 40_000 } },
        },
        RequestId = NewId(),
    };

    private static SchoolHoliday Holiday(string zone, string year, Date from, Date to) =>
        new() { Zone = zone, SchoolYear = year, Name = "Vacances de la Toussaint", StartDate = from, EndDate = to, Source = "essai" };

    private static Date Day(int year, int month, int day) => new DateOnly(year, month, day).ToProto();
}
