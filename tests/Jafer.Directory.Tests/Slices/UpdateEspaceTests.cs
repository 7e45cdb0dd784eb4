using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class UpdateEspaceTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task UpdateEspace_MaskedFields_ChangesThemAloneAndSaysWhoSaidThem()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("masked"));
        var before = await GetAsync("masked");
        var wanted = before.Clone();
        wanted.Name = "Not in the mask";
        wanted.AlertText = "Premier entretien par téléphone";
        wanted.Modalites.Clear();
        wanted.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Ouverte, MaxAge = 17, CapacityFamilies = 2 });

        var after = (await UpdateAsync("masked", wanted, "alert_text", "modalites")).Espace;

        Assert.Equal(("Premier entretien par téléphone", before.Name, "2"), (after.AlertText, after.Name, after.Etag));
        Assert.Equal([Modalite.Visite, Modalite.RemiseEnfant], after.Modalites.Select(m => m.Modalite));
        Assert.Equal(before.Modalites[0], after.Modalites[0]);
        Assert.Equal(after, await GetAsync("masked"));
        var said = after.Provenances.Where(p => p.OrganisationId == StableIds.Gestionnaire("test", "G-masked").ToString()).ToList();
        Assert.Equal([(EspaceGroup.Modalite, "REMISE_ENFANT"), (EspaceGroup.Accueil, "")], said.Select(p => (p.Group, p.Key)));
        Assert.Equal(before.Provenances.Single(p => p.Group == EspaceGroup.Lieux), after.Provenances.Single(p => p.Group == EspaceGroup.Lieux));
    }

    [Fact]
    public async Task UpdateEspace_WhatWasRead_ChangesNothingAndConfirms()
    {
        var import = EspaceContentTests.Whole("reread");
        import.ConfirmedDate = Today.AddDays(-400).ToProto();
        import.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddYears(-3).ToProto() });
        import.Agrements[0].StartDate = Today.AddYears(-1).ToProto();
        import.Agrements.RemoveAt(0);
        await directory.ImportAsync(import);
        var read = await GetAsync("reread");
        Assert.Equal(AgrementState.ReputeAcquis, read.Agrements[0].State);

        var after = (await UpdateAsync("reread", read, "agrements", "lieux", "modalites", "accueil", "alert_text", "ouvertures", "fermetures")).Espace;

        Assert.Equal(read.Agrements, after.Agrements);
        Assert.Equal(read.Modalites, after.Modalites);
        Assert.Equal(
            [EspaceGroup.Identite, EspaceGroup.Contacts], after.Provenances.Where(p => p.Stale).Select(p => p.Group));
        Assert.Equal("DEMANDE", await directory.Database.ReadAsync<string>($"select state from agrements where espace_id = '{IdOf("reread")}'"));
        Assert.DoesNotContain(await ChangesAsync("reread", 5), c => c.Kind == EspaceChangeKind.Said);
    }

    [Fact]
    public async Task UpdateEspace_Gestionnaire_HoldsForAllItsEspaces()
    {
        var (one, two) = (Espace("shared1"), Espace("shared2"));
        two.Gestionnaire = one.Gestionnaire;
        await directory.ImportAsync(one, two);
        var wanted = await GetAsync("shared1");
        wanted.GestionnaireName = "Nouveau nom fictif";

        await directory.Gestionnaire("G-shared1").UpdateEspaceAsync(Request(wanted, "gestionnaire_name"), cancellationToken: Cancel);

        var other = await GetAsync("shared2");
        Assert.Equal(("Nouveau nom fictif", "2"), (other.GestionnaireName, other.Etag));
        Assert.Equal(EspaceGroup.Identite, (await ChangesAsync("shared2", 1))[0].Group);
    }

    [Fact]
    public async Task UpdateEspace_BadInput_RefusesWithEveryFieldAtOnce()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("bad-update"));
        var wanted = await GetAsync("bad-update");
        wanted.GestionnaireSiret = "1";
        wanted.State = EspaceState.Unspecified;
        wanted.Lieux[0].CommuneInsee = "00000";
        wanted.Lieux[0].ExternalId = "L2";
        wanted.Ouvertures[0].Rrule = "FREQ=WEEKLY;UNTIL=20200101";
        wanted.Fermetures[0].LieuExternalId = "";
        wanted.Modalites[0].CapacityFamilies = -1;
        wanted.Agrements[0].State = AgrementState.Retire;
        var request = Request(wanted, "gestionnaire_siret", "state", "lieux", "ouvertures", "fermetures", "modalites", "agrements", "etag");
        request.Etag = "x";

        var refusal = await Refusal.OfAsync(directory.Gestionnaire("G-bad-update").UpdateEspaceAsync(request, cancellationToken: Cancel));

        Assert.Equal("REQUEST_INVALID", refusal.Reason);
        Assert.Equal(
            [
                "update_mask", "espace.state", "espace.gestionnaire_siret", "espace.lieux[0].commune_insee", "espace.modalites[0].capacity_families", "etag",
                "espace.agrements[0].state", "espace.agrements", "espace.agrements[0].lieu_external_ids[0]", "espace.ouvertures[0].lieu_external_id", "espace.ouvertures[0].rrule",
            ],
            refusal.Fields);
        Assert.Equal("1", (await GetAsync("bad-update")).Etag);
    }

    [Fact]
    public async Task UpdateEspace_LieuStillNamed_IsKept()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("named"));
        var wanted = await GetAsync("named");
        wanted.Lieux[0].ExternalId = "L2";

        var refusal = await Refusal.OfAsync(directory.Operateur.UpdateEspaceAsync(Request(wanted, "lieux"), cancellationToken: Cancel));

        Assert.Equal(["espace.lieux", "espace.lieux", "espace.lieux"], refusal.Fields);
    }

    [Fact]
    public async Task UpdateEspace_Agrement_IsDeclaredByTheEspaceAndDecidedByAnOperator()
    {
        await directory.ImportAsync(Espace("asks"));
        var wanted = await GetAsync("asks");
        wanted.Agrements[0].EndDate = Today.AddDays(10).ToProto();
        Assert.Equal("REQUEST_INVALID", (await Refusal.OfAsync(directory.Gestionnaire("G-asks").UpdateEspaceAsync(Request(wanted, "agrements"), cancellationToken: Cancel))).Reason);

        wanted = await GetAsync("asks");
        wanted.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddDays(-3).ToProto() });
        var asked = (await UpdateAsync("asks", wanted, "agrements")).Espace;
        Assert.Equal(2, asked.Agrements.Count);

        asked.Agrements.Single(a => a.State == AgrementState.Accorde).EndDate = Today.AddDays(10).ToProto();
        var decided = (await directory.Operateur.UpdateEspaceAsync(Request(asked, "agrements"), cancellationToken: Cancel)).Espace;
        Assert.Equal(Today.AddDays(10).ToProto(), decided.Agrements.Single(a => a.State == AgrementState.Accorde).EndDate);
        Assert.Equal(2, (await ChangesAsync("asks", 10)).Count(c => c.Group == EspaceGroup.Agrement && c.Kind == EspaceChangeKind.Said && c.Sequence > 4));
    }

    [Fact]
    public async Task UpdateEspace_StaleEtagOrOtherOrganisation_IsRefused()
    {
        await directory.ImportAsync(Espace("guarded"));
        var wanted = await GetAsync("guarded");
        var first = Request(wanted, "name");
        first.Etag = wanted.Etag;
        first.Espace.Name = "Un";
        await directory.Gestionnaire("G-guarded").UpdateEspaceAsync(first, cancellationToken: Cancel);
        var second = Request(wanted, "name");
        (second.Etag, second.Espace.Name) = (wanted.Etag, "Deux");

        Assert.Equal(StatusCode.Aborted, (await Refusal.OfAsync(directory.Gestionnaire("G-guarded").UpdateEspaceAsync(second, cancellationToken: Cancel))).Code);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Gestionnaire("G-other").UpdateEspaceAsync(Request(wanted, "name"), cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Court.UpdateEspaceAsync(Request(wanted, "name"), cancellationToken: Cancel))).Reason);
        Assert.Equal("Un", (await GetAsync("guarded")).Name);
        Assert.Equal("Un", (await directory.Gestionnaire("G-guarded").UpdateEspaceAsync(first, cancellationToken: Cancel)).Espace.Name);
        wanted.EspaceId = NewId();
        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(directory.Operateur.UpdateEspaceAsync(Request(wanted, "name"), cancellationToken: Cancel))).Code);
    }

    [Fact]
    public async Task UpdateEspace_TwoWritersWithoutEtag_LoseNothing()
    {
        await directory.ImportAsync(Espace("race"));
        var (alert, name) = (await GetAsync("race"), await GetAsync("race"));
        (alert.AlertText, name.Name) = ("Nouveau", "Nouveau");
        var calls = Enumerable.Range(0, 10).Select(i => UpdateAsync("race", i % 2 == 0 ? alert : name, i % 2 == 0 ? "alert_text" : "name"));

        await Task.WhenAll(calls);

        var after = await GetAsync("race");
        Assert.Equal(("Nouveau", "Nouveau", "11"), (after.AlertText, after.Name, after.Etag));
        Assert.Equal(await directory.Database.ReadAsync<long>($"select change_count from espaces where id = '{IdOf("race")}'"),
            await directory.Database.ReadAsync<long>($"select max(sequence) from espace_changes where espace_id = '{IdOf("race")}'"));
    }

    [Fact]
    public async Task ConfirmEspace_OldDescription_MakesAllFreshButTheWait()
    {
        var import = EspaceContentTests.Whole("confirm");
        import.ConfirmedDate = Today.AddDays(-500).ToProto();
        import.Modalites[0].DeclaredWait.AsOfDate = Today.AddDays(-500).ToProto();
        await directory.ImportAsync(import);
        var client = directory.Gestionnaire("G-confirm");

        var one = await client.ConfirmEspaceAsync(new() { EspaceId = IdOf("confirm").ToString(), Groups = { EspaceGroup.Modalite }, Modalites = { Modalite.Visite }, RequestId = NewId() }, cancellationToken: Cancel);
        Assert.Equal([EspaceGroup.Modalite], one.Provenances.Where(p => !p.Stale).Select(p => p.Group));
        var all = await client.ConfirmEspaceAsync(new() { EspaceId = IdOf("confirm").ToString(), Etag = one.Etag, RequestId = NewId() }, cancellationToken: Cancel);

        Assert.Equal([EspaceGroup.Attente], all.Provenances.Where(p => p.Stale).Select(p => p.Group));
        Assert.All(all.Provenances, p => Assert.Equal(FigureSource.Imported, p.Source));
        Assert.All((await ChangesAsync("confirm", 7)), c => Assert.Equal((EspaceChangeKind.Confirmed, null), (c.Kind, c.Content)));
    }

    [Fact]
    public async Task ConfirmEspace_BadInput_RefusesWithEveryField()
    {
        await directory.ImportAsync(Espace("confirm-bad"));
        var request = new ConfirmEspaceRequest { EspaceId = "x", Groups = { EspaceGroup.Attente, (EspaceGroup)99 }, Modalites = { Modalite.Visite }, Etag = "y" };

        Assert.Equal(
            ["espace_id", "groups[0]", "groups[1]", "modalites", "etag", "request_id"],
            (await Refusal.OfAsync(directory.Operateur.ConfirmEspaceAsync(request, cancellationToken: Cancel))).Fields);
        var other = new ConfirmEspaceRequest { EspaceId = IdOf("confirm-bad").ToString(), Groups = { EspaceGroup.Modalite }, Modalites = { Modalite.VisiteVisio }, RequestId = NewId() };
        Assert.Equal(["modalites[0]"], (await Refusal.OfAsync(directory.Operateur.ConfirmEspaceAsync(other, cancellationToken: Cancel))).Fields);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Gestionnaire("G-other").ConfirmEspaceAsync(other, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task ReplaceContacts_OfAGestionnaire_KeepsWhoAndWhenAndNeverWhat()
    {
        await directory.ImportAsync(Espace("contacts"));
        await directory.Gestionnaire("G-contacts").ReplaceContactsAsync(
            new() { OrganisationId = StableIds.Gestionnaire("test", "G-contacts").ToString(), Contacts = { new Contact { ExternalId = "2", Email = "secret@example.org", Role = ContactRole.Direction } }, RequestId = NewId() },
            cancellationToken: Cancel);

        var change = (await ChangesAsync("contacts", 1))[0];
        Assert.Equal((EspaceGroup.Contacts, EspaceChangeKind.Said, null), (change.Group, change.Kind, change.Content));
        Assert.Equal(0, await directory.Database.ReadAsync<long>("select count(*) from espace_changes where encode(content, 'escape') like '%@example.org%'"));
        Assert.Equal(0, (await GetAsync("contacts")).Quality.Parts.Single(p => p.Criterion == QualityCriterion.Contact).Points);
    }

    [Fact]
    public async Task ReplaceContacts_WithEverySetting_KeepsThemConfirmsTheSameAndGuardsByTheirEtag()
    {
        await directory.ImportAsync(Espace("settings"));
        var organisation = StableIds.Gestionnaire("test", "G-settings").ToString();
        var client = directory.Gestionnaire("G-settings");
        var contact = new Contact
        {
            ExternalId = "1",
            Email = "settings@example.org",
            Role = ContactRole.Suivi,
            Name = "Camille Fictif",
            Phone = "+33 4 00 00 00 00",
            Right = ContactRight.GestionnaireDesDroits,
            MutedMails = { ContactMail.Messages, ContactMail.Donnees },
        };
        ReplaceContactsRequest Replace(string etag = "") => new() { OrganisationId = organisation, Contacts = { contact }, Etag = etag, RequestId = NewId() };
        var read = await client.ListContactsAsync(new() { OrganisationId = organisation }, cancellationToken: Cancel);
        Assert.Empty(read.Contacts[0].MutedMails);

        var first = await client.ReplaceContactsAsync(Replace(read.Etag), cancellationToken: Cancel);
        Assert.Equal(contact, Assert.Single((await client.ListContactsAsync(new() { OrganisationId = organisation }, cancellationToken: Cancel)).Contacts));
        var stale = await Refusal.OfAsync(client.ReplaceContactsAsync(Replace(read.Etag), cancellationToken: Cancel));
        Assert.Equal(("ETAG_MISMATCH", StatusCode.Aborted), (stale.Reason, stale.Code));
        var same = await client.ReplaceContactsAsync(Replace(first.Etag), cancellationToken: Cancel);
        Assert.Equal(first.Etag, same.Etag);
        Assert.Equal([EspaceChangeKind.Confirmed, EspaceChangeKind.Said], (await ChangesAsync("settings", 2)).Select(c => c.Kind));
        Assert.Equal(0, await directory.Database.ReadAsync<long>("""
            select (select count(*) from espace_changes where encode(content, 'escape') like '%Camille%')
                + (select count(*) from outbox_messages where payload::text like '%Camille%')
            """));

        (contact.Phone, contact.Name, contact.Right) = ("numéro", new string('x', 101), (ContactRight)9);
        contact.MutedMails.Add(ContactMail.Unspecified);
        Assert.Equal(
            ["contacts[0].name", "contacts[0].phone", "contacts[0].right", "contacts[0].muted_mails[2]", "etag"],
            (await Refusal.OfAsync(client.ReplaceContactsAsync(Replace("W/1"), cancellationToken: Cancel))).Fields);
    }

    [Fact]
    public async Task ReplaceContacts_WhereNobodyWouldTakeWhatIsUrgent_IsRefusedAtTheLastOne()
    {
        await directory.ImportAsync(Espace("urgent"));
        var organisation = StableIds.Gestionnaire("test", "G-urgent").ToString();
        Contact Of(string id, params ContactMail[] muted) => new() { ExternalId = id, Email = id + "@example.org", Role = ContactRole.Suivi, MutedMails = { muted } };
        async Task<string[]> ReplaceAsync(params Contact[] contacts)
        {
            var call = directory.Gestionnaire("G-urgent").ReplaceContactsAsync(
                new() { OrganisationId = organisation, Contacts = { contacts }, RequestId = NewId() }, cancellationToken: Cancel);
            return [.. (await Refusal.OfAsync(call)).Fields];
        }

        Assert.Equal(["contacts[0].muted_mails[1]"], await ReplaceAsync(Of("1", ContactMail.Rappels, ContactMail.Dangers)));
        Assert.Equal(
            ["contacts[1].muted_mails[0]", "contacts[1].muted_mails[1]"],
            await ReplaceAsync(Of("1", ContactMail.Dangers, ContactMail.Difficultes), Of("2", ContactMail.Difficultes, ContactMail.Dangers)));

        // One takes the one, the other the other; and what is not urgent all may do without.
        await directory.Gestionnaire("G-urgent").ReplaceContactsAsync(
            new()
            {
                OrganisationId = organisation,
                Contacts = { Of("1", ContactMail.Dangers, ContactMail.Rappels, ContactMail.Mesures), Of("2", ContactMail.Difficultes, ContactMail.Rappels, ContactMail.Mesures) },
                RequestId = NewId(),
            },
            cancellationToken: Cancel);
    }

    [Fact]
    public async Task ReplaceContacts_OfACourtByTwo_TheSecondIsTold()
    {
        var court = StableIds.Court("tj38185");
        var client = directory.Client(ServiceDefaults.Access.Roles.Juridiction, court);
        var request = new ReplaceContactsRequest
        {
            OrganisationId = court.ToString(),
            Contacts = { new Contact { ExternalId = "greffe", Email = "greffe@example.org", Role = ContactRole.Suivi } },
            Etag = (await client.ListContactsAsync(new() { OrganisationId = court.ToString() }, cancellationToken: Cancel)).Etag,
            RequestId = NewId(),
        };
        await client.ReplaceContactsAsync(request, cancellationToken: Cancel);
        request.RequestId = NewId();
        request.Contacts[0].Email = "autre@example.org";

        Assert.Equal("ETAG_MISMATCH", (await Refusal.OfAsync(client.ReplaceContactsAsync(request, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task GetEspace_AsOfAnEarlierDay_IsWhatWasHeldThen()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("history"));
        var first = await GetAsync("history");
        // As if all of it had been recorded ten days ago.
        await directory.Database.RunAsync(
            $"update espace_changes set recorded_at = recorded_at - interval '10 days', confirmed_at = confirmed_at - interval '10 days' where espace_id = '{IdOf("history")}'");
        var wanted = first.Clone();
        (wanted.Name, wanted.Accueil.MealsPossible) = ("Plus tard", false);
        wanted.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.VisiteVisio, State = ModaliteState.Ouverte, MaxAge = 17 });
        await UpdateAsync("history", wanted, "name", "accueil", "modalites");

        var then = await AsOfAsync("history", Today.AddDays(-3));

        Assert.Equal((first.Name, first.Accueil, first.Lieux, first.Agrements), (then.Name, then.Accueil, then.Lieux, then.Agrements));
        Assert.Equal([Modalite.Visite], then.Modalites.Select(m => m.Modalite));
        Assert.Equal("", then.Etag);
        Assert.Equal(first.Provenances.Select(p => p.Group), then.Provenances.Select(p => p.Group));
        Assert.Equal("Plus tard", (await AsOfAsync("history", Today)).Name);
        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(AsOfCall("history", Today.AddDays(-11)))).Code);
        Assert.Equal(["as_of_date"], (await Refusal.OfAsync(AsOfCall("history", Today.AddDays(2)))).Fields);
    }

    [Fact]
    public async Task GetEspace_AsOfNow_IsTheSameReadFromTheHistory()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("same-history"));
        await directory.Database.RunAsync($"update espace_changes set recorded_at = recorded_at - interval '1 day' where espace_id = '{IdOf("same-history")}'");

        var now = await GetAsync("same-history");
        var then = await AsOfAsync("same-history", Today.AddDays(-1));

        (now.Etag, now.UpdateTime, then.UpdateTime) = ("", null, null);
        // The day before, the wait was of the day after; nothing else depends on the day.
        (now.Quality, then.Quality) = (null, null);
        Assert.Equal(now, then);
    }

    [Fact]
    public async Task ListEspaceChanges_Pages_GoBackInTimeWithoutHoleOrDouble()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("pages"));
        var request = new ListEspaceChangesRequest { EspaceId = IdOf("pages").ToString(), PageSize = 3 };
        var sequences = new List<long>();
        do
        {
            var page = await directory.Court.ListEspaceChangesAsync(request, cancellationToken: Cancel);
            sequences.AddRange(page.Changes.Select(c => c.Sequence));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal([8, 7, 6, 5, 4, 3, 2, 1], sequences);
        var modalites = await directory.Court.ListEspaceChangesAsync(new() { EspaceId = IdOf("pages").ToString(), Group = EspaceGroup.Modalite }, cancellationToken: Cancel);
        Assert.Equal("VISITE", Assert.Single(modalites.Changes).Key);
        var later = await directory.Court.ListEspaceChangesAsync(
            new() { EspaceId = IdOf("pages").ToString(), SinceTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)) }, cancellationToken: Cancel);
        Assert.Empty(later.Changes);
        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(directory.Court.ListEspaceChangesAsync(new() { EspaceId = NewId() }, cancellationToken: Cancel))).Code);
        request = new() { EspaceId = IdOf("pages").ToString(), PageToken = "x", PageSize = -1, Group = (EspaceGroup)99 };
        Assert.Equal(["group", "page_size", "page_token"], (await Refusal.OfAsync(directory.Court.ListEspaceChangesAsync(request, cancellationToken: Cancel))).Fields);
    }

    [Fact]
    public async Task History_OfAHundredThousandChanges_IsReadByProbesOfAnIndex()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("long"));
        await directory.Database.RunAsync($"""
            insert into espace_changes (espace_id, sequence, espace_group, key, kind, source, organisation_id, recorded_at, confirmed_at)
            select '{IdOf("long")}', 100 + n, 'LIEUX', '', 'CONFIRMED', 'DECLARED', '{IdOf("long")}', now() - interval '5 years' + n * interval '1 minute', now()
            from generate_series(1, 100000) n;
            analyze espace_changes
            """);
        foreach (var day in new[] { Today, Today.AddYears(-3) })
        {
            var sql = EspaceHistory.LastWords.Replace("{0}", "array['LIEUX', 'ACCUEIL', 'MODALITE']", StringComparison.Ordinal)
                .Replace("{1}", "array['', '', 'VISITE']", StringComparison.Ordinal)
                .Replace("{2}", $"'{IdOf("long")}'::uuid", StringComparison.Ordinal)
                .Replace("{3}", $"timestamptz '{day:yyyy-MM-dd}'", StringComparison.Ordinal);
            var plan = string.Join('\n', await directory.Database.ReadAllAsync<string>("explain (analyze, timing off, summary off) " + sql));

            Assert.Contains("espace_changes_said", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Seq Scan on espace_changes", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Removed by Filter", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
        }
        Assert.Equal("Lieu fictif", (await GetAsync("long")).Lieux[0].Name);
    }

    [Fact]
    public async Task GetEspace_Quality_IsTheSumOfItsPartsAndTellsWhatIsMissing()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("quality"), Espace("quality-poor", wait: null));

        var (good, poor) = ((await GetAsync("quality")).Quality, (await GetAsync("quality-poor")).Quality);

        Assert.Equal((100, 100), (good.Score, good.Parts.Sum(p => p.MaxPoints)));
        Assert.Equal(poor.Score, poor.Parts.Sum(p => p.Points));
        Assert.Equal(
            [QualityCriterion.WaitsFresh, QualityCriterion.Schedule, QualityCriterion.Access, QualityCriterion.Reception],
            poor.Parts.Where(p => p.Points < p.MaxPoints).Select(p => p.Criterion));
    }

    private static UpdateEspaceRequest Request(Espace espace, params string[] mask) =>
        new() { Espace = espace.Clone(), UpdateMask = new FieldMask { Paths = { mask } }, RequestId = NewId() };

    private async Task<UpdateEspaceResponse> UpdateAsync(string id, Espace espace, params string[] mask) =>
        await directory.Gestionnaire("G-" + id).UpdateEspaceAsync(Request(espace, mask), cancellationToken: Cancel);

    private async Task<Espace> GetAsync(string id) =>
        (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf(id).ToString() }, cancellationToken: Cancel)).Espace;

    private AsyncUnaryCall<GetEspaceResponse> AsOfCall(string id, DateOnly day) =>
        directory.Court.GetEspaceAsync(new() { EspaceId = IdOf(id).ToString(), AsOfDate = day.ToProto() }, cancellationToken: Cancel);

    private async Task<Espace> AsOfAsync(string id, DateOnly day) => (await AsOfCall(id, day)).Espace;

    private async Task<IReadOnlyList<EspaceChange>> ChangesAsync(string id, int count) =>
        (await directory.Court.ListEspaceChangesAsync(new() { EspaceId = IdOf(id).ToString(), PageSize = count }, cancellationToken: Cancel)).Changes;
}
