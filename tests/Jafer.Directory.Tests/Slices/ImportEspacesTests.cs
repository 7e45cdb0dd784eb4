using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class ImportEspacesTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task ImportEspaces_SameContentTwice_ChangesNothing()
    {
        var first = await directory.ImportAsync(Espace("same"), Espace("same2"));
        var before = await EtagAsync("same");
        var second = await directory.ImportAsync(Espace("same"), Espace("same2"));

        Assert.Equal(new ImportEspacesResponse { CreatedCount = 2 }, first);
        Assert.Equal(new ImportEspacesResponse { UnchangedCount = 2 }, second);
        Assert.Equal(before, await EtagAsync("same"));
    }

    [Fact]
    public async Task ImportEspaces_SameContentAfterALaterDeclaration_KeepsTheDeclaration()
    {
        var espace = Espace("kept", wait: 90);
        espace.Modalites[0].DeclaredWait.AsOfDate = Today.AddDays(-3).ToProto();
        await directory.ImportAsync(espace);
        await directory.Gestionnaire("G-kept").DeclareWaitAsync(
            new() { EspaceId = IdOf("kept").ToString(), Modalite = Modalite.Visite, Days = 30, RequestId = NewId() }, cancellationToken: Cancel);

        var again = await directory.ImportAsync(espace);

        Assert.Equal(1, again.UnchangedCount);
        Assert.Equal(30, (await GetAsync("kept")).Modalites[0].DeclaredWait.Days);
    }

    [Fact]
    public async Task ImportEspaces_ChangedContent_ReplacesAllPartsAndRaisesTheVersion()
    {
        var espace = Espace("changed");
        espace.Lieux.Add(new Lieu { ExternalId = "L2", Name = "Annexe fictive", CommuneInsee = "69266", Latitude = 45.77, Longitude = 4.88 });
        await directory.ImportAsync(espace);
        var before = await GetAsync("changed");

        espace.Name = "Autre nom fictif";
        espace.Lieux.RemoveAt(0);
        espace.Agrements.Insert(0, new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-1).ToProto() });
        espace.Modalites[0].MinAge = 3;
        espace.Modalites[0].AcceptedSituations.Add(SituationParticuliere.Addiction);
        espace.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Complete });
        espace.Gestionnaire.Contacts[0].Email = "autre@example.org";
        var response = await directory.ImportAsync(espace);
        var after = await GetAsync("changed");

        Assert.Equal(1, response.UpdatedCount);
        Assert.Equal(("1", "2"), (before.Etag, after.Etag));
        Assert.Equal("Autre nom fictif", after.Name);
        Assert.Equal(before.Lieux[1], Assert.Single(after.Lieux));
        Assert.Equal("Villeurbanne", after.Lieux[0].CommuneName);
        Assert.Equal("Europe/Paris", after.Lieux[0].TimeZone);
        Assert.Equal([AgrementState.Demande, AgrementState.Accorde], after.Agrements.Select(a => a.State));
        Assert.Equal([(Modalite.Visite, ModaliteState.Ouverte, 3), (Modalite.RemiseEnfant, ModaliteState.Complete, 0)],
            after.Modalites.Select(m => (m.Modalite, m.State, m.MinAge)));
        Assert.Equal([SituationParticuliere.Addiction], after.Modalites[0].AcceptedSituations);
        var contact = Assert.Single(await directory.Database.ReadAllAsync<string>(
            $"select to_jsonb(c)::text from contacts c where organisation_id = '{ServiceDefaults.StableIds.Gestionnaire("test", "G-changed")}'"));
        Assert.Contains("\"email\": \"autre@example.org\"", OpenedDump.OpenRow("contacts", contact), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImportEspaces_LieuWithoutCoordinates_StandsAtTheChefLieu()
    {
        await directory.ImportAsync(Espace("chef-lieu", "73065"));

        var lieu = (await GetAsync("chef-lieu")).Lieux[0];
        Assert.Equal((45.57, 5.92), (Math.Round(lieu.Latitude, 2), Math.Round(lieu.Longitude, 2)));
    }

    [Fact]
    public async Task ImportEspaces_FullFileAndSilence_ShowsReputeAcquisWithItsFirstDay()
    {
        var espace = Espace("silence");
        espace.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = new DateOnly(2026, 1, 10).ToProto() };
        await directory.ImportAsync(espace);

        var agrement = (await GetAsync("silence")).Agrements[0];
        Assert.Equal((AgrementState.ReputeAcquis, new DateOnly(2026, 3, 11).ToProto()), (agrement.State, agrement.StartDate));
    }

    [Fact]
    public async Task ImportEspaces_HeldToBeGrantedBeforeTheSilenceIsOver_IsRefused()
    {
        var espace = Espace("too-soon");
        espace.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.ReputeAcquis, RequestDate = new DateOnly(2026, 1, 10).ToProto(), StartDate = new DateOnly(2026, 3, 10).ToProto() };

        Assert.Equal(["espaces[0].agrements[0].start_date"], (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(espace), cancellationToken: Cancel))).Fields);
        espace.Agrements[0].StartDate = new DateOnly(2026, 3, 11).ToProto();
        await directory.ImportAsync(espace);
    }

    [Fact]
    public async Task ImportEspaces_FilesGrantedBySilence_AreNotValidBesideAnother()
    {
        Agrement Asked(int monthsAgo) => new() { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-monthsAgo).ToProto() };
        var (beside, two, open) = (Espace("silent-beside"), Espace("silent-two"), Espace("silent-open"));
        beside.Agrements.Add(Asked(3));
        two.Agrements.Clear();
        two.Agrements.Add([Asked(4), Asked(3)]);
        // The préfet may still answer: it renews the one that runs.
        open.Agrements.Add(Asked(1));

        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(beside, two, open), cancellationToken: Cancel));

        Assert.Equal(["espaces[0].agrements[1]", "espaces[1].agrements[1]"], refusal.Fields);
    }

    [Fact]
    public async Task ImportEspaces_SilenceGrantedARenewalSince_StaysAsItIsAndMayBeChangedFurther()
    {
        var espace = Espace("renewal");
        espace.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-1).ToProto() });
        await directory.ImportAsync(espace);
        await directory.Database.RunAsync($"update agrements set request_date = request_date - 60 where espace_id = '{IdOf("renewal")}' and state = 'DEMANDE'");
        espace.Agrements[1].RequestDate = Today.AddMonths(-1).AddDays(-60).ToProto();

        Assert.Equal(1, (await directory.ImportAsync(espace)).UnchangedCount);
        espace.Agrements[0].EndDate = Today.AddDays(9).ToProto();
        Assert.Equal(["espaces[0].agrements[1]"], (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(espace), cancellationToken: Cancel))).Fields);
        espace.Agrements[1] = new Agrement { Departement = "69", State = AgrementState.ReputeAcquis, StartDate = Today.AddDays(10).ToProto() };
        Assert.Equal(1, (await directory.ImportAsync(espace)).UpdatedCount);
    }

    [Fact]
    public async Task ImportEspaces_AgrementOrLieuOfAnotherDepartement_IsRefused()
    {
        var espace = Espace("elsewhere");
        espace.Agrements[0].Departement = "42";
        espace.Lieux.Add(new Lieu { ExternalId = "L2", Name = "Lieu fictif", CommuneInsee = "42218" });

        Assert.Equal(
            ["espaces[0].agrements[0].departement", "espaces[0].lieux[1].commune_insee"],
            (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(espace), cancellationToken: Cancel))).Fields);
        await directory.ImportAsync(Espace("elsewhere"));
        espace = Espace("elsewhere");
        espace.Departement = "42";
        Assert.Equal(
            ["espaces[0].agrements[0].departement", "espaces[0].lieux[0].commune_insee"],
            (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(espace), cancellationToken: Cancel))).Fields);
    }

    [Fact]
    public async Task ImportEspaces_SiretOfAnotherGestionnaire_IsRefusedHoweverItComes()
    {
        var (one, other, third) = (Espace("siret1"), Espace("siret2"), Espace("siret3"));
        other.Gestionnaire.Siret = one.Gestionnaire.Siret;
        Assert.Equal(["espaces[1].gestionnaire.siret"], (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(one, other), cancellationToken: Cancel))).Fields);

        await directory.ImportAsync(one, third);
        Assert.Equal(["espaces[0].gestionnaire.siret"], (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(other), cancellationToken: Cancel))).Fields);
        var update = new UpdateEspaceRequest { Espace = await GetAsync("siret3"), UpdateMask = new() { Paths = { "gestionnaire_siret" } }, RequestId = NewId() };
        update.Espace.GestionnaireSiret = one.Gestionnaire.Siret;
        Assert.Equal(["espace.gestionnaire_siret"], (await Refusal.OfAsync(directory.Operateur.UpdateEspaceAsync(update, cancellationToken: Cancel))).Fields);

        // Two that change numbers with each other.
        (one.Gestionnaire.Siret, third.Gestionnaire.Siret) = (third.Gestionnaire.Siret, one.Gestionnaire.Siret);
        Assert.Equal(2, (await directory.ImportAsync(one, third)).UpdatedCount);
    }

    [Fact]
    public async Task ImportEspaces_MadeFromAnOlderVersion_IsAbortedWhenItWouldChangeTheEspace()
    {
        await directory.ImportAsync(Espace("older"));
        var espace = Espace("older");
        (espace.Name, espace.Etag) = ("Autre nom", await EtagAsync("older"));
        await directory.Gestionnaire("G-older").DeclareWaitAsync(
            new() { EspaceId = IdOf("older").ToString(), Modalite = Modalite.Visite, Days = 30, RequestId = NewId() }, cancellationToken: Cancel);

        Assert.Equal("ETAG_MISMATCH", (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(espace), cancellationToken: Cancel))).Reason);
        Assert.Equal("Espace fictif older", (await GetAsync("older")).Name);
        espace.Name = "Espace fictif older";
        Assert.Equal(1, (await directory.ImportAsync(espace)).UnchangedCount);
        (espace.Name, espace.Etag) = ("Autre nom", await EtagAsync("older"));
        Assert.Equal(1, (await directory.ImportAsync(espace)).UpdatedCount);
    }

    [Fact]
    public async Task ImportEspaces_OfWhatWasReadOnAnEarlierDay_ChangesNothing()
    {
        var espace = Espace("earlier");
        (espace.Agrements[0].State, espace.Agrements[0].EndDate) = (AgrementState.Retire, Today.AddDays(-1).ToProto());
        espace.Agrements.Insert(0, new Agrement { Departement = "69", State = AgrementState.Accorde, RequestDate = Today.AddDays(-70).ToProto(), StartDate = Today.ToProto() });
        await directory.ImportAsync(espace);
        // Two days ago the one was granted still, and the other asked for.
        espace.Agrements[1].State = AgrementState.Accorde;
        espace.Agrements[0].State = AgrementState.Demande;
        espace.Etag = await EtagAsync("earlier");

        Assert.Equal(1, (await directory.ImportAsync(espace)).UnchangedCount);
        espace.Etag = "";
        espace.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = Today.ToProto() };
        Assert.Equal(1, (await directory.ImportAsync(espace)).UpdatedCount);
        Assert.Equal([AgrementState.Accorde, AgrementState.Accorde], (await GetAsync("earlier")).Agrements.Select(a => a.State));
    }

    [Fact]
    public async Task ImportEspaces_SameRequestId_GivesTheFirstAnswerAgain()
    {
        var request = Request(Espace("twice"));
        var first = await directory.Operateur.ImportEspacesAsync(request, cancellationToken: Cancel);
        var second = await directory.Operateur.ImportEspacesAsync(request, cancellationToken: Cancel);

        Assert.Equal(1, first.CreatedCount);
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task ImportEspaces_ManyAtOnce_NeitherDeadlockNorLoseAny()
    {
        // Overlapping sets in opposite orders, beside declarations: what row locks taken in any order would deadlock on.
        await directory.ImportAsync([.. Enumerable.Range(0, 10).Select(n => Espace($"many{n}"))]);
        var tasks = Enumerable.Range(1, 12).Select(i => Task.Run(async () =>
        {
            var order = i % 2 == 0 ? Enumerable.Range(0, 10) : Enumerable.Range(0, 10).Reverse();
            await directory.ImportAsync([.. order.Select(n => Espace($"many{n}", wait: i))]);
        }, Cancel));
        var declarations = Enumerable.Range(0, 10).Select(n => Task.Run(async () => await directory.Gestionnaire($"G-many{n}").DeclareWaitAsync(
            new() { EspaceId = IdOf($"many{n}").ToString(), Modalite = Modalite.Visite, Days = 500, RequestId = NewId() }, cancellationToken: Cancel), Cancel));

        var outcomes = await Task.WhenAll(tasks.Concat(declarations.Select(d => (Task)d)).Select(OutcomeAsync));

        Assert.All(outcomes, outcome => Assert.Contains(outcome, new[] { "OK", "ETAG_MISMATCH" }));
        Assert.Contains("OK", outcomes);
        var succeeded = outcomes.Skip(12).Count(o => o == "OK");
        Assert.Equal(succeeded, await directory.Database.ReadAsync<long>("select count(*) from wait_declarations where days = 500"));
    }

    [Fact]
    public async Task ImportEspaces_OneBadEspace_ImportsNone()
    {
        var bad = Espace("none2");
        bad.Lieux[0].CommuneInsee = "00000";
        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(Espace("none1"), bad), cancellationToken: Cancel));

        Assert.Equal(["espaces[1].lieux[0].commune_insee"], refusal.Fields);
        Assert.Equal(0, await directory.Database.ReadAsync<long>("select count(*) from espaces where external_id like 'none%'"));
    }

    [Fact]
    public async Task ImportEspaces_BadInput_RefusesWithEveryField()
    {
        var espace = new EspaceImport { Departement = "00", AlertText = new string('x', 501) };
        espace.Gestionnaire = new GestionnaireImport { Siret = "73282932000075" };
        espace.Gestionnaire.Contacts.Add(new Contact { ExternalId = "1", Email = "nobody", Role = (ContactRole)9 });
        espace.Gestionnaire.Contacts.Add(new Contact { ExternalId = "1", Email = "a@example.org", Role = ContactRole.Suivi });
        espace.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde });
        espace.Agrements.Add(new Agrement
        {
            Departement = "69",
            State = AgrementState.Accorde,
            StartDate = Today.ToProto(),
            EndDate = Today.AddDays(-1).ToProto(),
        });
        espace.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = Today.ToProto() });
        espace.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = Today.AddYears(1).ToProto() });
        espace.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Refuse, StartDate = Today.ToProto() });
        espace.Lieux.Add(new Lieu { Latitude = double.NaN, Longitude = 181 });
        espace.Modalites.Add(new ModaliteOfferte { CapacityFamilies = -1, SlotsPerWeek = 2001, MinAge = 18, MaxAge = 18 });
        espace.Modalites.Add(new ModaliteOfferte
        {
            Modalite = Modalite.Visite,
            State = ModaliteState.Ouverte,
            DeclaredWait = new DeclaredWait { Days = -1, AsOfDate = Today.AddDays(3).ToProto() },
            AcceptedSituations = { SituationParticuliere.Unspecified },
        });
        espace.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.Visite, State = ModaliteState.Ouverte, DeclaredWait = new DeclaredWait() });
        var request = new ImportEspacesRequest { Source = "Not good", RequestId = "1" };
        request.Espaces.Add(espace);

        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(request, cancellationToken: Cancel));

        Assert.Equal("REQUEST_INVALID", refusal.Reason);
        Assert.Equal(
            [
                "request_id", "source", "espaces[0].external_id", "espaces[0].gestionnaire.external_id", "espaces[0].gestionnaire.name", "espaces[0].gestionnaire.siret",
                "espaces[0].gestionnaire.contacts[0].email", "espaces[0].gestionnaire.contacts[0].role", "espaces[0].gestionnaire.contacts[1].external_id",
                "espaces[0].name", "espaces[0].departement", "espaces[0].state", "espaces[0].alert_text",
                "espaces[0].agrements[0].start_date", "espaces[0].agrements[1].end_date", "espaces[0].agrements[3]", "espaces[0].agrements[4].start_date",
                "espaces[0].lieux[0].external_id", "espaces[0].lieux[0].name", "espaces[0].lieux[0].commune_insee",
                "espaces[0].lieux[0].latitude", "espaces[0].lieux[0].longitude",
                "espaces[0].modalites[0].modalite", "espaces[0].modalites[0].state", "espaces[0].modalites[0].capacity_families",
                "espaces[0].modalites[0].slots_per_week", "espaces[0].modalites[0].min_age", "espaces[0].modalites[0].max_age",
                "espaces[0].modalites[1].accepted_situations[0]", "espaces[0].modalites[1].declared_wait.days", "espaces[0].modalites[1].declared_wait.as_of_date",
                "espaces[0].modalites[2].modalite", "espaces[0].modalites[2].declared_wait.as_of_date",
            ],
            refusal.Fields);
    }

    [Fact]
    public async Task ImportEspaces_SameGestionnaireTwiceWithOtherContent_IsRefused()
    {
        var (one, other) = (Espace("g1"), Espace("g2"));
        other.Gestionnaire = one.Gestionnaire.Clone();
        other.Gestionnaire.Name = "Autre";

        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(one, other), cancellationToken: Cancel));

        Assert.Equal(["espaces[1].gestionnaire"], refusal.Fields);
    }

    private static async Task<string> OutcomeAsync(Task call)
    {
        await call.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return call.IsCompletedSuccessfully ? "OK" : (await Refusal.OfAsync(() => call)).Reason;
    }

    private async Task<Espace> GetAsync(string id) =>
        (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf(id).ToString() }, cancellationToken: Cancel)).Espace;

    private async Task<string> EtagAsync(string id) => (await GetAsync(id)).Etag;
}
