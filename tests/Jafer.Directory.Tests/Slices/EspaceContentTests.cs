using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Everything that an espace holds goes in, comes back, and is kept.</summary>
public class EspaceContentTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task ImportEspaces_EveryField_ComesBackAsItWasSent()
    {
        var import = Whole("whole");
        await directory.ImportAsync(import);

        var espace = await GetAsync("whole");

        Assert.Equal(import.Gestionnaire.Siret, espace.GestionnaireSiret);
        Assert.Equal((FormeJuridique.Fondation, Federation.Unaf), (espace.LegalForm, espace.Federation));
        Assert.Equal(import.Accueil, espace.Accueil);
        Assert.Equal(import.Ouvertures, espace.Ouvertures);
        Assert.Equal(import.Fermetures, espace.Fermetures);
        Assert.Equal(import.Agrements, espace.Agrements);
        var lieu = espace.Lieux[0].Clone();
        (lieu.LieuId, lieu.CommuneName, lieu.TimeZone) = ("", "", "");
        Assert.Equal(import.Lieux[0], lieu);
        var modalite = espace.Modalites[0].Clone();
        (modalite.ScheduledSlotsPerWeek, modalite.DeclaredWait.Source) = (0, FigureSource.Unspecified);
        Assert.Equal(import.Modalites[0], modalite);
    }

    [Fact]
    public async Task ImportEspaces_EveryFieldTwice_ChangesNothingAndWritesNoHistory()
    {
        await directory.ImportAsync(Whole("still"));
        var before = await CountAsync("still");

        var again = await directory.ImportAsync(Whole("still"));

        Assert.Equal(1, again.UnchangedCount);
        Assert.Equal(before, await CountAsync("still"));
    }

    [Fact]
    public async Task ImportEspaces_OneFieldChanged_WritesHistoryOfItsGroupAlone()
    {
        await directory.ImportAsync(Whole("one"));
        var before = await CountAsync("one");
        var changed = Whole("one");
        changed.Accueil.MealsPossible = !changed.Accueil.MealsPossible;
        await directory.ImportAsync(changed);

        Assert.Equal(before + 1, await CountAsync("one"));
        Assert.Equal("ACCUEIL", await directory.Database.ReadAsync<string>(
            $"select espace_group from espace_changes where espace_id = '{IdOf("one")}' order by sequence desc limit 1"));
    }

    [Fact]
    public async Task ImportEspaces_PartsRemoved_TakesThemAway()
    {
        await directory.ImportAsync(Whole("gone"));
        var import = Whole("gone");
        (import.Accueil, import.AlertText) = (null, "");
        import.Ouvertures.Clear();
        import.Fermetures.Clear();
        import.Lieux[0].Dessertes.Clear();
        await directory.ImportAsync(import);

        var espace = await GetAsync("gone");

        Assert.Null(espace.Accueil);
        Assert.Empty(espace.Ouvertures);
        Assert.Empty(espace.Fermetures);
        Assert.Empty(espace.Lieux[0].Dessertes);
        Assert.DoesNotContain(espace.Provenances, p => p.Group is EspaceGroup.Ouvertures or EspaceGroup.Accueil);
    }

    [Fact]
    public async Task ImportEspaces_ConfirmedLongAgo_IsStale()
    {
        var import = Whole("old");
        import.ConfirmedDate = Today.AddDays(-100).ToProto();
        await directory.ImportAsync(import);

        var provenances = (await GetAsync("old")).Provenances;

        Assert.All(provenances, p => Assert.Equal((FigureSource.Imported, p.Group == EspaceGroup.Modalite), (p.Source, p.Stale)));
        Assert.Equal(Today.AddDays(-10).ToProto(), provenances.Single(p => p.Group == EspaceGroup.Modalite).FreshUntilDate);
        Assert.Equal(8, provenances.Count);
    }

    [Fact]
    public async Task ImportEspaces_BadParts_RefusesWithEveryField()
    {
        var import = Whole("bad");
        import.Gestionnaire.LegalForm = (FormeJuridique)99;
        import.Agrements[0].LieuExternalIds.Add("L9");
        import.Agrements[0].DecisionDate = new Date { Year = 2019, Month = 13, Day = 1 };
        import.Lieux[0].Accessibilites.Add(Accessibilite.Unspecified);
        import.Lieux[0].Dessertes.Add(new Desserte { WalkMinutes = 61 });
        import.Modalites[0].MaxRencontreMinutes = 4;
        import.Modalites[0].ReopeningDate = Today.ToProto();
        import.Modalites[0].Periodicities.Add(new Periodicity());
        import.Modalites[0].WaitingFamilies = -1;
        import.Modalites[0].FreePlaces = new() { Count = 501 };
        import.Accueil.Languages.Add("FR");
        import.Accueil.Entretiens.Add(new Entretien { LeadDays = 366 });
        import.Accueil.Reglement.Uri = "http://example.org";
        import.Accueil.CourtCodes.Add("tj00000");
        import.Accueil.CommuneInsees.Add("00000");
        import.Accueil.CourAppelNames.Add("Bourges-en-Brie");
        (import.Modalites[0].StaffPresent, import.Modalites[0].NextEstimatedDate) = (101, new Date());
        import.Modalites[0].VifAmenagements.Add((AmenagementVif)99);
        import.Accueil.Exclusions.Add(" ");
        import.Ouvertures[0].LieuExternalId = "L9";
        import.Ouvertures[0].EndTime = import.Ouvertures[0].StartTime;
        import.Ouvertures[0].Families = 0;
        import.Fermetures[0].EndDate = Today.AddDays(-30).ToProto();
        import.ConfirmedDate = Today.AddDays(3).ToProto();

        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(import), cancellationToken: Cancel));

        Assert.Equal(
            [
                "gestionnaire.legal_form", "agrements[0].decision_date", "agrements[0].lieu_external_ids[1]",
                "lieux[0].accessibilites[2]", "lieux[0].dessertes[1].mode", "lieux[0].dessertes[1].stop", "lieux[0].dessertes[1].walk_minutes",
                "modalites[0].reopening_date", "modalites[0].max_rencontre_minutes", "modalites[0].max_rencontre_minutes",
                "modalites[0].periodicities[1].rencontre_count", "modalites[0].periodicities[1].interval_count", "modalites[0].periodicities[1].unit",
                "modalites[0].waiting_families", "modalites[0].staff_present", "modalites[0].vif_amenagements[2]", "modalites[0].next_estimated_date",
                "modalites[0].free_places.count", "modalites[0].free_places.as_of_date", "accueil.languages[1]", "accueil.entretiens[1].party", "accueil.entretiens[1].minutes",
                "accueil.entretiens[1].lead_days", "accueil.exclusions[1]", "accueil.reglement.uri", "accueil.court_codes[1]", "accueil.cour_appel_names[1]", "accueil.commune_insees[1]",
                "ouvertures[0].lieu_external_id", "ouvertures[0].end_time", "ouvertures[0].families", "fermetures[0].end_date", "confirmed_date",
            ],
            refusal.Fields.Select(f => f.Replace("espaces[0].", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ImportEspaces_HowViolenceIsReceived_IsSaidOnlyWhereItIs()
    {
        var import = Espace("vif");
        import.Modalites[0].VifAmenagements.Add(AmenagementVif.EntreesSeparees);

        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(import), cancellationToken: Cancel));

        Assert.Equal(["espaces[0].modalites[0].vif_amenagements"], refusal.Fields);
        import.Modalites[0].ProtectionOrderAccepted = true;
        await directory.ImportAsync(import);
        Assert.Equal(import.Modalites[0].VifAmenagements, (await GetAsync("vif")).Modalites[0].VifAmenagements);
    }

    [Fact]
    public async Task UpdateEspace_NextEstimatedDate_IsKeptWithTheWaitInTheHistory()
    {
        await directory.ImportAsync(Espace("next"));
        var wanted = await GetAsync("next");
        wanted.Modalites[0].NextEstimatedDate = Today.AddDays(12).ToProto();
        await directory.Gestionnaire("G-next").UpdateEspaceAsync(
            new() { Espace = wanted, UpdateMask = new() { Paths = { "modalites" } }, RequestId = NewId() }, cancellationToken: Cancel);

        var changes = (await directory.Court.ListEspaceChangesAsync(new() { EspaceId = IdOf("next").ToString(), Group = EspaceGroup.Attente }, cancellationToken: Cancel)).Changes;
        Assert.Equal(Today.AddDays(12).ToProto(), changes[0].Content.Modalites[0].NextEstimatedDate);
        Assert.Equal(Today.AddDays(12).ToProto(), (await GetAsync("next")).Modalites[0].NextEstimatedDate);
    }

    [Fact]
    public async Task ImportEspaces_OpeningThatCannotBe_IsRefused()
    {
        var import = Whole("opening");
        import.Ouvertures[0].SlotMinutes = 481;
        import.Ouvertures[0].Modalites.Add(Modalite.VisiteVisio);

        var refusal = await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(Request(import), cancellationToken: Cancel));
        Assert.Equal(["espaces[0].ouvertures[0].modalites[1]", "espaces[0].ouvertures[0].slot_minutes"], refusal.Fields);

        await directory.ImportAsync(Whole("opening"));
        var wanted = await GetAsync("opening");
        wanted.Ouvertures[0].Modalites.Add(Modalite.RemiseEnfant);
        UpdateEspaceRequest Update(params string[] mask) => new() { Espace = wanted, UpdateMask = new() { Paths = { mask } }, RequestId = NewId() };
        Assert.Equal(["espace.ouvertures[0].modalites[1]"], (await Refusal.OfAsync(directory.Operateur.UpdateEspaceAsync(Update("ouvertures"), cancellationToken: Cancel))).Fields);
        wanted.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Ouverte });
        await directory.Operateur.UpdateEspaceAsync(Update("ouvertures", "modalites"), cancellationToken: Cancel);
    }

    /// <summary>An espace of which every field is set.</summary>
    internal static EspaceImport Whole(string id)
    {
        var import = Espace(id);
        (import.Gestionnaire.LegalForm, import.Gestionnaire.Federation) = (FormeJuridique.Fondation, Federation.Unaf);
        var agrement = import.Agrements[0];
        (agrement.RequestDate, agrement.DecisionDate, agrement.ListEntryDate) = (Day(2019, 11, 2), Day(2019, 12, 20), Day(2020, 1, 2));
        agrement.EndDate = Day(2030, 12, 31);
        agrement.LieuExternalIds.Add("L1");
        var lieu = import.Lieux[0];
        (lieu.AddressLine, lieu.Latitude, lieu.Longitude) = ("1 rue de l'Exemple", 45.76, 4.83);
        (lieu.WheelchairAccessible, lieu.SeparateEntrances, lieu.StaggeredArrivals, lieu.OutdoorArea, lieu.CarPark) = (true, true, true, true, true);
        lieu.Accessibilites.Add([Accessibilite.SanitairesAdaptes, Accessibilite.GuidageVisuel]);
        lieu.Dessertes.Add(new Desserte { Mode = TransportMode.Metro, Line = "D", Stop = "Valmy", WalkMinutes = 4 });
        var modalite = import.Modalites[0];
        modalite.AcceptedSituations.Add([SituationParticuliere.ViolencesIntrafamiliales, SituationParticuliere.Addiction]);
        (modalite.StaffPresent, modalite.NextEstimatedDate) = (3, Today.AddDays(45).ToProto());
        modalite.VifAmenagements.Add([AmenagementVif.EntreesSeparees, AmenagementVif.PresenceContinue]);
        (modalite.FundedCapacityFamilies, modalite.MaxSiblings, modalite.MinRencontreMinutes, modalite.MaxRencontreMinutes) = (6, 4, 60, 180);
        modalite.Periodicities.Add(new Periodicity { RencontreCount = 2, IntervalCount = 1, Unit = PeriodicityUnit.Month });
        modalite.AcceptedPublics.Add([PublicAccueilli.LienRompu, PublicAccueilli.GrandePrecarite]);
        (modalite.ModeAccueil, modalite.WaitingFamilies) = (ModeAccueil.Mixte, 7);
        modalite.FreePlaces = new() { Count = 2, AsOfDate = Today.AddDays(-3).ToProto() };
        import.AlertText = "Fermé en août";
        import.Accueil = new Accueil
        {
            Languages = { "eng" },
            InterpreterOnRequest = true,
            Entretiens = { new Entretien { Party = EntretienParty.Visiteur, Minutes = 45, LeadDays = 12, RemotePossible = true } },
            PremierContact = PremierContact.Espace,
            ContactDeadlineDays = 60,
            Documents = { DocumentDemande.Decision },
            AbsencesBeforeReferral = 3,
            ParticipationFeeCents = 200,
            PrecariousnessSupport = true,
            MealsPossible = true,
            AnimalsAccepted = true,
            Exclusions = { "Pas d'accueil le dimanche" },
            Reglement = new Reglement { Version = "2026", Uri = "https://www.example.org/reglement.pdf", StartDate = Day(2026, 1, 1) },
            CourtCodes = { "tj69123" },
            CommuneInsees = { "69123" },
            CourAppelNames = { "Cour d'appel de Lyon" },
        };
        import.Ouvertures.Add(new Ouverture
        {
            ExternalId = "samedi",
            LieuExternalId = "L1",
            Rrule = "FREQ=WEEKLY;BYDAY=SA",
            StartDate = Day(2026, 1, 3),
            StartTime = new TimeOfDay { Hours = 9, Minutes = 30 },
            EndTime = new TimeOfDay { Hours = 17, Minutes = 30 },
            Modalites = { Modalite.Visite },
            SlotMinutes = 120,
            Families = 5,
            SchoolHolidays = SchoolHolidayRule.OutsideHolidays,
            OpenOnPublicHolidays = true,
        });
        import.Fermetures.Add(new Fermeture { StartDate = Today.AddDays(20).ToProto(), EndDate = Today.AddDays(30).ToProto(), Reason = FermetureReason.Travaux, LieuExternalId = "L1" });
        return import;
    }

    private static Date Day(int year, int month, int day) => new() { Year = year, Month = month, Day = day };

    private async Task<Espace> GetAsync(string id) =>
        (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf(id).ToString() }, cancellationToken: Cancel)).Espace;

    private Task<long> CountAsync(string id) =>
        directory.Database.ReadAsync<long>($"select count(*) from espace_changes where espace_id = '{IdOf(id)}'");
}
