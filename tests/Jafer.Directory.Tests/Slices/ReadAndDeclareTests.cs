using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class ReadAndDeclareTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task DeclareWait_OwnEspace_ReplacesTheWaitAndKeepsTheHistory()
    {
        await directory.ImportAsync(Espace("declares", wait: 60));

        var response = await DeclareAsync("declares", 45);

        Assert.Equal((45, FigureSource.Pushed, false), (response.DeclaredWait.Days, response.DeclaredWait.Source, response.DeclaredWait.Stale));
        Assert.Equal("2", response.Etag);
        Assert.Equal([60, 45], await directory.Database.ReadAllAsync<int>(
            $"select days from wait_declarations where espace_id = '{IdOf("declares")}' order by id"));
        Assert.Equal(1, await directory.Database.ReadAsync<long>($"select count(*) from journal.entries where 'espaces/{IdOf("declares")}' = any(resources)"));
    }

    [Fact]
    public async Task DeclareWait_EarlierDay_IsKeptAndDoesNotReplace()
    {
        await directory.ImportAsync(Espace("earlier", wait: 60));

        var response = await DeclareAsync("earlier", 200, r => r.AsOfDate = Today.AddDays(-10).ToProto());

        Assert.Equal((60, FigureSource.Imported), (response.DeclaredWait.Days, response.DeclaredWait.Source));
        Assert.Equal(2, await directory.Database.ReadAsync<long>($"select count(*) from wait_declarations where espace_id = '{IdOf("earlier")}'"));
    }

    [Fact]
    public async Task DeclareWait_OldDay_IsStaleAtOnce()
    {
        await directory.ImportAsync(Espace("old", wait: null));

        var response = await DeclareAsync("old", 10, r => r.AsOfDate = Today.AddDays(-31).ToProto());

        Assert.True(response.DeclaredWait.Stale);
    }

    [Fact]
    public async Task DeclareWait_AnotherGestionnairesOrNoEspace_GivesTheSameRefusal()
    {
        await directory.ImportAsync(Espace("mine"), Espace("theirs"));
        var request = new DeclareWaitRequest { EspaceId = IdOf("theirs").ToString(), Modalite = Modalite.Visite, RequestId = NewId() };

        var other = await Refusal.OfAsync(directory.Gestionnaire("G-mine").DeclareWaitAsync(request, cancellationToken: Cancel));
        request.EspaceId = NewId();
        var absent = await Refusal.OfAsync(directory.Gestionnaire("G-mine").DeclareWaitAsync(request, cancellationToken: Cancel));
        var absentForAll = await Refusal.OfAsync(directory.Operateur.DeclareWaitAsync(request, cancellationToken: Cancel));

        Assert.Equal(("CALLER_FORBIDDEN", StatusCode.PermissionDenied), (other.Reason, other.Code));
        Assert.Equal((other.Reason, other.Message), (absent.Reason, absent.Message));
        Assert.Equal("RESOURCE_NOT_FOUND", absentForAll.Reason);
    }

    [Fact]
    public async Task DeclareWait_StaleEtag_IsAbortedWithTheCurrentOne()
    {
        await directory.ImportAsync(Espace("etag"));
        await DeclareAsync("etag", 1, r => r.Etag = "1");

        var refusal = await Refusal.OfAsync(() => DeclareAsync("etag", 2, r => r.Etag = "1"));

        Assert.Equal(("ETAG_MISMATCH", StatusCode.Aborted, "2"), (refusal.Reason, refusal.Code, refusal.Metadata["etag"]));
    }

    [Fact]
    public async Task DeclareWait_SameRequestId_GivesTheFirstAnswerAndRefusesOtherContent()
    {
        await directory.ImportAsync(Espace("repeat"));
        var id = NewId();
        var first = await DeclareAsync("repeat", 33, r => (r.RequestId, r.Etag) = (id, "1"));
        var second = await DeclareAsync("repeat", 33, r => (r.RequestId, r.Etag) = (id, "1"));
        var reused = await Refusal.OfAsync(() => DeclareAsync("repeat", 34, r => (r.RequestId, r.Etag) = (id, "1")));

        Assert.Equal(first, second);
        Assert.Equal("REQUEST_ID_REUSED", reused.Reason);
        Assert.Equal(1, await directory.Database.ReadAsync<long>($"select count(*) from wait_declarations where espace_id = '{IdOf("repeat")}' and days = 33"));
    }

    [Fact]
    public async Task DeclareWait_ModaliteNotOffered_StateForbids()
    {
        var espace = Espace("closed-modalite");
        espace.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Fermee });
        await directory.ImportAsync(espace);

        foreach (var modalite in new[] { Modalite.RemiseEnfant, Modalite.VisiteVisio })
        {
            var refusal = await Refusal.OfAsync(() => DeclareAsync("closed-modalite", 5, r => r.Modalite = modalite));
            Assert.Equal(("STATE_FORBIDS", "DECLARE_WAIT"), (refusal.Reason, refusal.Metadata["act"]));
        }
    }

    [Fact]
    public async Task DeclareWait_BadInput_RefusesWithEveryField()
    {
        var refusal = await Refusal.OfAsync(directory.Operateur.DeclareWaitAsync(
            new() { EspaceId = "x", Days = 1501, AsOfDate = Today.AddDays(2).ToProto(), Etag = "W/1" }, cancellationToken: Cancel));

        Assert.Equal(["espace_id", "modalite", "days", "as_of_date", "etag", "request_id"], refusal.Fields);
    }

    [Fact]
    public async Task GetEspace_Imported_ReturnsWhatWasImported()
    {
        var import = Espace("whole", "97411");
        import.AlertText = "Sur rendez-vous.";
        import.Lieux[0].WheelchairAccessible = import.Lieux[0].SeparateEntrances = true;
        import.Lieux[0].Name = "Bus 2";
        import.Lieux[0].AddressLine = "1 rue fictive";
        await directory.ImportAsync(import);

        var espace = (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf("whole").ToString() }, cancellationToken: Cancel)).Espace;

        Assert.Equal(StableIds.Gestionnaire("test", "G-whole").ToString(), espace.GestionnaireId);
        Assert.Equal((import.Gestionnaire.Name, import.Name, "974", true, EspaceState.Ouvert, import.AlertText),
            (espace.GestionnaireName, espace.Name, espace.Departement, espace.Fictive, espace.State, espace.AlertText));
        var lieu = import.Lieux[0].Clone();
        (lieu.LieuId, lieu.CommuneName, lieu.TimeZone) = (StableIds.Lieu(IdOf("whole"), "L1").ToString(), "Saint-Denis", "Indian/Reunion");
        (lieu.Latitude, lieu.Longitude) = (espace.Lieux[0].Latitude, espace.Lieux[0].Longitude);
        Assert.Equal(lieu, Assert.Single(espace.Lieux));
        Assert.Equal("1", espace.Etag);
        Assert.Equal(espace.CreateTime, espace.UpdateTime);
    }

    [Fact]
    public async Task GetEspace_NotThereOrNoId_IsRefused()
    {
        var id = NewId();
        var absent = await Refusal.OfAsync(directory.Court.GetEspaceAsync(new() { EspaceId = id }, cancellationToken: Cancel));
        var bad = await Refusal.OfAsync(directory.Court.GetEspaceAsync(new(), cancellationToken: Cancel));

        Assert.Equal(("RESOURCE_NOT_FOUND", $"espaces/{id}"), (absent.Reason, absent.Metadata["resource"]));
        Assert.Equal(["espace_id"], bad.Fields);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task ListEspaces_Filtered_PagesAddUpInTheOrderOfIds(int pageSize)
    {
        await directory.ImportAsync([.. Enumerable.Range(0, 6).Select(n => Espace($"list{n}", "97611")), Espace("elsewhere", "05061")]);

        var all = await PagesAsync(new ListEspacesRequest { Departement = "976", PageSize = pageSize });
        var one = await PagesAsync(new ListEspacesRequest { GestionnaireId = StableIds.Gestionnaire("test", "G-list3").ToString(), PageSize = pageSize });

        Assert.Equal(Enumerable.Range(0, 6).Select(n => IdOf($"list{n}")).Order(), all);
        Assert.Equal([IdOf("list3")], one);
    }

    [Fact]
    public async Task ListEspaces_BadInput_RefusesWithEveryField()
    {
        var refusal = await Refusal.OfAsync(directory.Court.ListEspacesAsync(
            new() { Departement = "99", GestionnaireId = "x", PageSize = -1 }, cancellationToken: Cancel));
        var token = await Refusal.OfAsync(directory.Court.ListEspacesAsync(new() { PageToken = "AAAA" }, cancellationToken: Cancel));

        Assert.Equal(["departement", "gestionnaire_id", "page_size"], refusal.Fields);
        Assert.Equal("PAGE_TOKEN_INVALID", token.Reason);
    }

    [Fact]
    public async Task ListContacts_OwnOperatorAndServices_OthersAreRefused()
    {
        await directory.ImportAsync(Espace("contacts"), Espace("stranger"));
        var organisation = StableIds.Gestionnaire("test", "G-contacts");
        var request = new ListContactsRequest { OrganisationId = organisation.ToString() };

        foreach (var client in new[] { directory.Gestionnaire("G-contacts"), directory.Operateur, directory.Client(Roles.Systeme, StableIds.For("organisation:service:notification")) })
        {
            var contact = Assert.Single((await client.ListContactsAsync(request, cancellationToken: Cancel)).Contacts);
            Assert.Equal(new Contact { ExternalId = "1", Email = "contacts@example.org", Role = ContactRole.Suivi }, contact);
        }

        var stranger = await Refusal.OfAsync(directory.Gestionnaire("G-stranger").ListContactsAsync(request, cancellationToken: Cancel));
        var bad = await Refusal.OfAsync(directory.Operateur.ListContactsAsync(new() { PageSize = -1 }, cancellationToken: Cancel));
        Assert.Equal("CALLER_FORBIDDEN", stranger.Reason);
        Assert.Equal(["organisation_id", "page_size"], bad.Fields);
    }

    [Fact]
    public async Task ReplaceContacts_OfACourt_ListsThoseAndNoOthers()
    {
        var court = StableIds.Court("tj13055");
        var client = directory.Client(Roles.Juridiction, court);
        Contact greffe = new() { ExternalId = "greffe", Email = "greffe@example.org", Role = ContactRole.Suivi };
        Contact judge = new() { ExternalId = "cabinet", Email = "cabinet@example.org", Role = ContactRole.Direction };
        foreach (var contacts in new Contact[][] { [greffe], [greffe, judge], [judge] })
        {
            var request = new ReplaceContactsRequest { OrganisationId = court.ToString(), RequestId = NewId() };
            request.Contacts.Add(contacts);
            Assert.Equal(contacts.Length, (await client.ReplaceContactsAsync(request, cancellationToken: Cancel)).ContactCount);
            var listed = await client.ListContactsAsync(new() { OrganisationId = court.ToString() }, cancellationToken: Cancel);
            Assert.Equal(contacts.OrderBy(c => c.ExternalId, StringComparer.Ordinal), listed.Contacts);
        }
    }

    [Fact]
    public async Task ReplaceContacts_OfTheOperator_AreGivenToServicesAndGuardedByTheirEtag()
    {
        var operatorId = new EscalationOptions().OperatorId;
        var client = directory.Client(Roles.Operateur, operatorId);
        ReplaceContactsRequest To(string email, string etag) => new()
        {
            OrganisationId = operatorId.ToString(),
            Contacts = { new Contact { ExternalId = "astreinte", Email = email, Role = ContactRole.Suivi } },
            Etag = etag,
            RequestId = NewId(),
        };

        var before = await client.ListContactsAsync(new() { OrganisationId = operatorId.ToString() }, cancellationToken: Cancel);
        var first = await client.ReplaceContactsAsync(To("astreinte@example.org", before.Etag), cancellationToken: Cancel);
        var notification = directory.Client(Roles.Systeme, StableIds.For("organisation:service:notification"));
        var listed = await notification.ListContactsAsync(new() { OrganisationId = operatorId.ToString() }, cancellationToken: Cancel);
        Assert.Equal(("astreinte@example.org", first.Etag), (Assert.Single(listed.Contacts).Email, listed.Etag));

        var second = await client.ReplaceContactsAsync(To("garde@example.org", first.Etag), cancellationToken: Cancel);
        Assert.NotEqual(first.Etag, second.Etag);
        Assert.Equal(second.Etag, (await client.ReplaceContactsAsync(To("garde@example.org", ""), cancellationToken: Cancel)).Etag);
        var stale = await Refusal.OfAsync(client.ReplaceContactsAsync(To("autre@example.org", first.Etag), cancellationToken: Cancel));
        var others = await Refusal.OfAsync(directory.Court.ReplaceContactsAsync(To("autre@example.org", ""), cancellationToken: Cancel));
        Assert.Equal(("ETAG_MISMATCH", "CALLER_FORBIDDEN"), (stale.Reason, others.Reason));
    }

    [Fact]
    public async Task ReplaceContacts_OthersUnknownOrBad_AreRefused()
    {
        Contact greffe = new() { ExternalId = "greffe", Email = "greffe@example.org", Role = ContactRole.Suivi };
        ReplaceContactsRequest For(Guid organisation) => new() { OrganisationId = organisation.ToString(), Contacts = { greffe }, RequestId = NewId() };

        var other = await Refusal.OfAsync(directory.Court.ReplaceContactsAsync(For(StableIds.Court("tj75056")), cancellationToken: Cancel));
        var absent = await Refusal.OfAsync(directory.Operateur.ReplaceContactsAsync(For(StableIds.Court("tj-none")), cancellationToken: Cancel));
        var bad = await Refusal.OfAsync(directory.Operateur.ReplaceContactsAsync(
            new() { Contacts = { greffe, new Contact { ExternalId = "greffe", Email = "x" } } }, cancellationToken: Cancel));
        var none = await Refusal.OfAsync(directory.Operateur.ReplaceContactsAsync(
            new() { OrganisationId = NewId(), RequestId = NewId() }, cancellationToken: Cancel));

        Assert.Equal(("CALLER_FORBIDDEN", "RESOURCE_NOT_FOUND"), (other.Reason, absent.Reason));
        Assert.Equal(["organisation_id", "contacts[1].external_id", "contacts[1].email", "contacts[1].role", "request_id"], bad.Fields);
        Assert.Equal(["contacts"], none.Fields);
    }

    [Fact]
    public async Task ListCourts_AllPages_HasEveryCourtWithItsStableId()
    {
        var courts = new List<Court>();
        var request = new ListCourtsRequest { PageSize = 60 };
        do
        {
            var page = await directory.Court.ListCourtsAsync(request, cancellationToken: Cancel);
            courts.AddRange(page.Courts);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(174, courts.Count);
        Assert.Equal(courts.Select(c => c.Code).Distinct().Order(StringComparer.Ordinal), courts.Select(c => c.Code));
        Assert.All(courts, c => Assert.Equal(StableIds.Court(c.Code).ToString(), c.OrganisationId));
        Assert.Equal(["tj69123", "tj69264"],
            (await directory.Court.ListCourtsAsync(new() { Departement = "69" }, cancellationToken: Cancel)).Courts.Select(c => c.Code));
    }

    [Fact]
    public async Task ListCourts_BadInput_RefusesWithEveryField()
    {
        var refusal = await Refusal.OfAsync(directory.Court.ListCourtsAsync(new() { Departement = "1", PageSize = -2 }, cancellationToken: Cancel));
        Assert.Equal(["departement", "page_size"], refusal.Fields);
    }

    [Theory]
    [InlineData("saint etienne", "42218")]
    [InlineData("SAINT-ÉTIENNE", "42218")]
    [InlineData("l hay les ro", "94038")]
    [InlineData("chambéry", "73065")]
    public async Task ListCommunes_BeginningOfAName_IgnoresCaseAndAccents(string prefix, string insee)
    {
        var communes = (await directory.Court.ListCommunesAsync(new() { NamePrefix = prefix }, cancellationToken: Cancel)).Communes;

        Assert.Equal(insee, communes[0].Insee);
        Assert.Equal(communes.OrderByDescending(c => c.Population).Select(c => c.Insee), communes.Select(c => c.Insee));
    }

    [Fact]
    public async Task ListCommunes_PostalCode_HasItsCommunesWithTheProbableCourt()
    {
        var commune = Assert.Single((await directory.Court.ListCommunesAsync(new() { PostalCode = "20000" }, cancellationToken: Cancel)).Communes);

        Assert.Equal(("2A004", "Ajaccio", "2A", "tj2a004"), (commune.Insee, commune.Name, commune.Departement, commune.ProbableCourtCode));
        Assert.Contains("20090", commune.PostalCodes);
    }

    [Fact]
    public async Task ListCommunes_AllPages_HaveNoRepetition()
    {
        var found = new List<string>();
        var request = new ListCommunesRequest { NamePrefix = "saint-m", PageSize = 100 };
        do
        {
            var page = await directory.Court.ListCommunesAsync(request, cancellationToken: Cancel);
            found.AddRange(page.Communes.Select(c => c.Insee));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(await directory.Database.ReadAsync<long>("select count(*) from communes where search_name like 'saint m%'"), found.Count);
        Assert.Equal(found.Distinct().Count(), found.Count);
    }

    [Fact]
    public async Task ListCommunes_BadInput_RefusesWithEveryField()
    {
        var neither = await Refusal.OfAsync(directory.Court.ListCommunesAsync(new() { PageSize = -1 }, cancellationToken: Cancel));
        var both = await Refusal.OfAsync(directory.Court.ListCommunesAsync(new() { PostalCode = "7300A", NamePrefix = "%%" }, cancellationToken: Cancel));

        Assert.Equal(["postal_code", "name_prefix", "page_size"], neither.Fields);
        Assert.Equal(["postal_code", "name_prefix"], both.Fields);
    }

    [Fact]
    public async Task ImportEspaces_NotAnOperator_IsRefused()
    {
        foreach (var client in new[] { directory.Court, directory.Gestionnaire("G-x"), directory.Client(Roles.Statisticien, StableIds.For("organisation:statisticien:sser")) })
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(client.ImportEspacesAsync(Request(Espace("x")), cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task AnyRpc_WithoutToken_IsRefused()
    {
        var client = new DirectoryService.DirectoryServiceClient(directory.Host.Channel(null));
        foreach (var call in new Func<Task>[]
        {
            () => client.SearchEspacesAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.GetEspaceAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.ListEspacesAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.DeclareWaitAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.ImportEspacesAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.ListCourtsAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.ListCommunesAsync(new(), cancellationToken: Cancel).ResponseAsync,
            () => client.ListContactsAsync(new(), cancellationToken: Cancel).ResponseAsync,
        })
        {
            Assert.Equal(("TOKEN_MISSING", StatusCode.Unauthenticated), await Refusal.OfAsync(call) is var r ? (r.Reason, r.Code) : default);
        }
    }

    [Fact]
    public async Task RepublishState_Operator_PublishesEveryOrganisationAndEspace()
    {
        await directory.ImportAsync(Espace("published"));
        var operations = new OperationsService.OperationsServiceClient(directory.Host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")));

        var response = await operations.RepublishStateAsync(new() { RequestId = NewId() }, cancellationToken: Cancel);

        Assert.Equal(
            await directory.Database.ReadAsync<long>("select (select count(*) from courts) + (select count(*) from gestionnaires) + (select count(*) from espaces)"),
            response.EventCount);
    }

    private async Task<DeclareWaitResponse> DeclareAsync(string espace, int days, Action<DeclareWaitRequest>? change = null)
    {
        var request = new DeclareWaitRequest { EspaceId = IdOf(espace).ToString(), Modalite = Modalite.Visite, Days = days, RequestId = NewId() };
        change?.Invoke(request);
        return await directory.Gestionnaire("G-" + espace).DeclareWaitAsync(request, cancellationToken: Cancel);
    }

    private async Task<List<Guid>> PagesAsync(ListEspacesRequest request)
    {
        var ids = new List<Guid>();
        do
        {
            var page = await directory.Court.ListEspacesAsync(request, cancellationToken: Cancel);
            Assert.InRange(page.Espaces.Count, 1, request.PageSize);
            ids.AddRange(page.Espaces.Select(e => Guid.Parse(e.EspaceId)));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return ids;
    }
}
