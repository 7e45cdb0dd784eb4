using System.Globalization;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Cli.Demonstration;

/// <summary>
/// Makes a whole directory out of the invented associations and lieux: SIRETs with a valid key, agréments, modalités with
/// capacities and waits, contacts. The same seed and day give the same directory everywhere. Everything is labelled fictive.
/// </summary>
/// <param name="seed">Seed.</param>
/// <param name="today">Day from which agréments and waits are dated.</param>
internal sealed class Generator(int seed, DateOnly today)
{
    /// <summary>Name of the source under which the directory keeps the demonstration data.</summary>
    public const string Source = "demo";

    /// <summary>Seed of the demonstration that Jafer shows.</summary>
    public const int DefaultSeed = 2024;

    private const int LongestWait = 540;

    // Share of espaces that offer a modalité, its wait and its weekly slots against those of the espace as a whole.
    private static readonly (Modalite Modalite, double Offered, double Wait, double Slots)[] s_modalites =
    [
        (Modalite.Visite, 1, 1, 0.34),
        (Modalite.VisiteAvecSortie, 0.75, 0.9, 0.18),
        (Modalite.SortieAccompagnee, 0.25, 1.5, 0.03),
        (Modalite.RemiseEnfant, 0.85, 0.5, 0.22),
        (Modalite.VisitePresenceContinue, 0.55, 1.4, 0.1),
        (Modalite.VisitePresenceIntermittente, 0.5, 1.1, 0.1),
        (Modalite.VisiteTiers, 0.35, 1.2, 0.04),
        (Modalite.VisiteDetention, 0.08, 1.6, 0.01),
        (Modalite.VisiteVisio, 0.15, 0.7, 0.02),
    ];

    private readonly ILookup<string, LieuRow> _lieux = InventedRows.Lieux();
    private readonly IReadOnlyDictionary<string, string> _departements = InventedRows.Departements();

    /// <summary>One espace for each association, in the order of their ids.</summary>
    public IEnumerable<EspaceImport> Espaces() => InventedRows.Associations().Select((association, index) => EspaceOf(association, index));

    private EspaceImport EspaceOf(AssociationRow association, int index)
    {
        var draws = new Draws(seed, association.Id);
        var lieux = _lieux[association.Id].ToList();
        var espace = new EspaceImport
        {
            ExternalId = association.Id,
            Gestionnaire = GestionnaireOf(association, index),
            Name = $"Espace de rencontre fictif {lieux[0].Commune} ({association.Id})",
            Departement = association.Departement,
            Fictive = true,
            State = EspaceState.Ouvert,
            AlertText = draws.Chance("alert", 0.15)
                ? draws.Of("alert text", "Fermé les trois premières semaines d'août.", "Premier entretien au téléphone.", "Accueil un samedi sur deux.") + " (fictif)"
                : "",
        };
        espace.Agrements.Add(AgrementsOf(association, draws));
        espace.Lieux.Add(lieux.Select(LieuOf));
        espace.Modalites.Add(s_modalites.Where(m => draws.Chance($"{m.Modalite} offered", m.Offered))
            .Select(m => ModaliteOf(association, lieux.Count, draws, m.Modalite, m.Wait, m.Slots)));
        espace.Accueil = AccueilOf(draws);
        espace.Ouvertures.Add(lieux.SelectMany(l => OuverturesOf(l, espace.Modalites.Any(m => m.Modalite == Modalite.RemiseEnfant))));
        espace.Fermetures.Add(FermeturesOf(draws));
        // One in six said nothing for months: the demonstration shows what is stale.
        espace.ConfirmedDate = Day(today.AddDays(-(draws.Chance("silent", 1 / 6.0) ? draws.Between("confirmed", 95, 420) : draws.Between("confirmed", 0, 60))));
        return espace;
    }

    private Accueil AccueilOf(Draws draws)
    {
        var accueil = new Accueil
        {
            InterpreterOnRequest = draws.Chance("interpreter", 0.4),
            PremierContact = draws.Chance("calls", 0.35) ? PremierContact.Espace : PremierContact.Parents,
            ContactDeadlineDays = draws.Of("deadline", 0, 30, 60, 90),
            AbsencesBeforeReferral = draws.Of("absences", 2, 3, 3, 4),
            PrecariousnessSupport = draws.Chance("precariousness", 0.3),
            MealsPossible = draws.Chance("meals", 0.35),
            AnimalsAccepted = draws.Chance("animals", 0.05),
            Documents = { DocumentDemande.Decision, DocumentDemande.Identite },
            Reglement = new Reglement
            {
                Version = string.Create(CultureInfo.InvariantCulture, $"fictif {today.Year - draws.Between("reglement", 0, 4)}"),
                Uri = "https://www.example.org/reglement-fictif.pdf",
                StartDate = Day(new DateOnly(today.Year - draws.Between("reglement", 0, 4), 1, 1)),
            },
        };
        accueil.Languages.Add(new[] { ("eng", 0.35), ("ara", 0.25), ("por", 0.12), ("tur", 0.1), ("spa", 0.15), ("fsl", 0.05) }
            .Where(l => draws.Chance(l.Item1, l.Item2)).Select(l => l.Item1));
        var lead = draws.Between("lead", 5, 45);
        accueil.Entretiens.Add(new Entretien { Party = EntretienParty.Hote, Minutes = 60, LeadDays = lead, RemotePossible = draws.Chance("remote", 0.4) });
        accueil.Entretiens.Add(new Entretien { Party = EntretienParty.Visiteur, Minutes = 60, LeadDays = lead, RemotePossible = draws.Chance("remote", 0.4) });
        if (draws.Chance("child interview", 0.45))
            accueil.Entretiens.Add(new Entretien { Party = EntretienParty.Enfant, Minutes = 30, LeadDays = lead + 7 });
        if (draws.Chance("signed", 0.5))
            accueil.Documents.Add(DocumentDemande.ReglementSigne);
        if (draws.Chance("exclusion", 0.12))
            accueil.Exclusions.Add("Pas d'accueil sans les deux entretiens préalables (fictif)");
        return accueil;
    }

    private IEnumerable<Ouverture> OuverturesOf(LieuRow lieu, bool handsOver)
    {
        var draws = new Draws(seed, lieu.Id);
        var families = draws.Between("rooms", 2, 6);
        Ouverture Of(string id, string rule, int from, int to, SchoolHolidayRule holidays, params Modalite[] modalites) => new()
        {
            ExternalId = $"{lieu.Id}-{id}",
            LieuExternalId = lieu.Id,
            Rrule = rule,
            // A Monday, so that every second week is the same one for all.
            StartDate = Day(new DateOnly(2026, 1, 5)),
            StartTime = new TimeOfDay { Hours = from },
            EndTime = new TimeOfDay { Hours = to },
            SlotMinutes = draws.Of("slot", 60, 90, 120),
            Families = families,
            SchoolHolidays = holidays,
            Modalites = { modalites },
        };

        yield return Of("samedi", draws.Chance("every saturday", 0.7) ? "FREQ=WEEKLY;BYDAY=SA" : "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", 10, 18, SchoolHolidayRule.Always);
        yield return Of("mercredi", "FREQ=WEEKLY;BYDAY=WE", 13, 18, draws.Of("wednesday", SchoolHolidayRule.Always, SchoolHolidayRule.OutsideHolidays));
        if (draws.Chance("sunday", 0.3))
            yield return Of("dimanche", "FREQ=MONTHLY;BYDAY=1SU,3SU", 10, 17, SchoolHolidayRule.Always);
        if (draws.Chance("friday", 0.4) && handsOver)
            yield return Of("vendredi", "FREQ=WEEKLY;BYDAY=FR", 17, 19, SchoolHolidayRule.OutsideHolidays, Modalite.RemiseEnfant);
        if (draws.Chance("holidays", 0.25))
            yield return Of("vacances", "FREQ=WEEKLY;BYDAY=TU,TH", 10, 16, SchoolHolidayRule.HolidaysOnly);
    }

    private IEnumerable<Fermeture> FermeturesOf(Draws draws)
    {
        var christmas = new DateOnly(today.Year, 12, 24);
        if (draws.Chance("christmas", 0.4))
            yield return new Fermeture { StartDate = Day(christmas), EndDate = Day(christmas.AddDays(9)), Reason = FermetureReason.Conges };
        if (draws.Chance("closed soon", 0.08))
        {
            var from = today.AddDays(draws.Between("closed from", 7, 60));
            yield return new Fermeture
            {
                StartDate = Day(from),
                EndDate = Day(from.AddDays(draws.Between("closed for", 3, 21))),
                Reason = draws.Of("closed because", FermetureReason.Travaux, FermetureReason.ManquePersonnel, FermetureReason.Formation),
            };
        }
    }

    private GestionnaireImport GestionnaireOf(AssociationRow association, int index)
    {
        var gestionnaire = new GestionnaireImport
        {
            ExternalId = association.Id,
            Name = $"Association fictive {association.Id} ({_departements[association.Departement]})",
            Siret = FictiveSiret(index),
            LegalForm = association.Departement is "57" or "67" or "68" ? FormeJuridique.AssociationDroitLocal : FormeJuridique.Association1901,
            Federation = new Draws(seed, association.Id).Of("federation", Federation.Aucune, Federation.Ffer, Federation.Ffer, Federation.Fenamef),
        };
        var domain = $"{association.Id.ToLowerInvariant()}.demo.example.org";
        gestionnaire.Contacts.Add(new Contact { ExternalId = "suivi", Email = $"suivi@{domain}", Role = ContactRole.Suivi });
        gestionnaire.Contacts.Add(new Contact { ExternalId = "direction", Email = $"direction@{domain}", Role = ContactRole.Direction });
        return gestionnaire;
    }

    /// <summary>A SIRET for each index below 99999: no SIREN begins with 000, so that it is right and belongs to nobody.</summary>
    public static string FictiveSiret(int index)
    {
        var siren = WithKey($"000{index + 1:D5}");
        return WithKey($"{siren}0001");

        static string WithKey(string digits)
        {
            var sum = 0;
            for (var i = 0; i < digits.Length; i++)
            {
                var digit = digits[^(i + 1)] - '0';
                sum += i % 2 == 0 ? 2 * digit - (digit > 4 ? 9 : 0) : digit;
            }
            return digits + (10 - sum % 10) % 10;
        }
    }

    // The first association of a département is always approved and declares its waits: the demonstration leaves nobody without
    // an espace whose first visit can be expected.
    private static bool IsFirst(AssociationRow association) => association.Id.EndsWith("-1", StringComparison.Ordinal);

    private IEnumerable<Agrement> AgrementsOf(AssociationRow association, Draws draws)
    {
        Agrement Of(AgrementState state, string number = "") => new() { Number = number, Departement = association.Departement, State = state };
        string Number(int year) => string.Create(CultureInfo.InvariantCulture, $"FICTIF-{association.Departement}-{year}-{draws.Between("number", 1, 99):D3}");

        var kind = IsFirst(association) ? 1 : draws.Unit("agrement");
        if (kind < 0.02)
        {
            var refused = Of(AgrementState.Refuse);
            refused.RequestDate = Day(today.AddDays(-draws.Between("requested", 100, 300)));
            yield return refused;
            yield break;
        }
        if (kind < 0.08)
        {
            // Under two months the préfet may still answer; later his silence has granted it.
            var requested = Of(AgrementState.Demande);
            requested.RequestDate = Day(today.AddDays(-draws.Between("requested", 10, 200)));
            yield return requested;
            yield break;
        }
        var start = today.AddDays(-draws.Between("granted", 30, 4 * 365));
        if (kind < 0.1)
        {
            var withdrawn = Of(AgrementState.Retire, Number(start.Year));
            (withdrawn.StartDate, withdrawn.EndDate) = (Day(start), Day(today.AddDays(-draws.Between("withdrawn", 1, 29))));
            yield return withdrawn;
            yield break;
        }
        var granted = Of(AgrementState.Accorde, Number(start.Year));
        (granted.RequestDate, granted.StartDate, granted.EndDate) = (Day(start.AddDays(-45)), Day(start), Day(start.AddYears(5).AddDays(-1)));
        (granted.DecisionDate, granted.ListEntryDate) = (Day(start.AddDays(-3)), Day(start));
        yield return granted;
        if (!draws.Chance("before", 0.4))
            yield break;
        var before = Of(draws.Chance("suspended", 0.08) ? AgrementState.Suspendu : AgrementState.Accorde, Number(start.Year - 5));
        (before.StartDate, before.EndDate) = (Day(start.AddYears(-5)), Day(start.AddDays(-1)));
        yield return before;
    }

    private Lieu LieuOf(LieuRow row)
    {
        var draws = new Draws(seed, row.Id);
        var lieu = new Lieu
        {
            ExternalId = row.Id,
            Name = row.Name,
            AddressLine = string.Create(CultureInfo.InvariantCulture, $"{draws.Between("number", 1, 90)} rue de l'Exemple (adresse fictive)"),
            CommuneInsee = row.CommuneInsee,
            Latitude = row.Latitude,
            Longitude = row.Longitude,
            WheelchairAccessible = draws.Chance("wheelchair", 0.8),
            SeparateEntrances = draws.Chance("entrances", 0.6),
            StaggeredArrivals = draws.Chance("staggered", 0.75),
            OutdoorArea = draws.Chance("outdoor", 0.55),
            CarPark = draws.Chance("car park", 0.65),
        };
        if (lieu.WheelchairAccessible && draws.Chance("toilets", 0.85))
            lieu.Accessibilites.Add(Accessibilite.SanitairesAdaptes);
        if (draws.Chance("loop", 0.1))
            lieu.Accessibilites.Add(Accessibilite.BoucleMagnetique);
        if (draws.Chance("bus", 0.8))
        {
            lieu.Dessertes.Add(new Desserte
            {
                Mode = TransportMode.Bus,
                Line = string.Create(CultureInfo.InvariantCulture, $"ligne fictive {draws.Between("line", 1, 60)}"),
                Stop = "Arrêt de l'Exemple",
                WalkMinutes = draws.Between("walk", 1, 12),
            });
        }
        if (draws.Chance("train", 0.15))
            lieu.Dessertes.Add(new Desserte { Mode = TransportMode.Train, Line = "TER fictif", Stop = $"Gare fictive de {row.Commune}", WalkMinutes = draws.Between("walk from the station", 5, 25) });
        return lieu;
    }

    private ModaliteOfferte ModaliteOf(AssociationRow association, int lieux, Draws draws, Modalite modalite, double waitFactor, double share)
    {
        var wait = Math.Clamp((int)Math.Round(association.WaitDays * waitFactor * draws.Factor($"{modalite} wait", 0.25)), 7, LongestWait);
        var slots = Math.Clamp((int)Math.Round(association.RencontresPerYear / 48.0 * share), 1, 2000);
        var offered = new ModaliteOfferte
        {
            Modalite = modalite,
            State = wait switch
            {
                > 300 when draws.Chance($"{modalite} full", 0.3) => ModaliteState.Complete,
                > 150 => ModaliteState.ListeAttente,
                > 90 => ModaliteState.Limitee,
                _ => ModaliteState.Ouverte,
            },
            CapacityFamilies = Math.Clamp(lieux * draws.Between($"{modalite} families", 1, 6), 1, 500),
            SlotsPerWeek = slots,
            MinAge = draws.Chance($"{modalite} any age", 0.85) ? 0 : draws.Between($"{modalite} youngest", 1, 3),
            MaxAge = draws.Chance($"{modalite} up to majority", 0.9) ? 17 : draws.Between($"{modalite} oldest", 12, 16),
        };
        offered.FundedCapacityFamilies = offered.CapacityFamilies + draws.Of($"{modalite} unfilled posts", 0, 0, 0, 1, 2);
        if (offered.State == ModaliteState.Complete && draws.Chance($"{modalite} reopens", 0.5))
            offered.ReopeningDate = Day(today.AddDays(draws.Between($"{modalite} reopening", 20, 150)));
        offered.MaxSiblings = draws.Of($"{modalite} siblings", 0, 0, 0, 3, 4, 5);
        (offered.MinRencontreMinutes, offered.MaxRencontreMinutes) = modalite switch
        {
            Modalite.RemiseEnfant => (5, 30),
            Modalite.VisiteVisio => (20, 60),
            Modalite.VisiteAvecSortie or Modalite.SortieAccompagnee => (60, draws.Of($"{modalite} longest", 240, 360, 480)),
            _ => (60, draws.Of($"{modalite} longest", 120, 180, 240)),
        };
        offered.Periodicities.Add(new Periodicity { RencontreCount = 2, IntervalCount = 1, Unit = PeriodicityUnit.Month });
        offered.Periodicities.Add(new Periodicity { RencontreCount = 1, IntervalCount = 1, Unit = PeriodicityUnit.Month });
        if (draws.Chance($"{modalite} fortnight", 0.8))
            offered.Periodicities.Add(new Periodicity { RencontreCount = 1, IntervalCount = 2, Unit = PeriodicityUnit.Week });
        if (draws.Chance($"{modalite} weekly", 0.3))
            offered.Periodicities.Add(new Periodicity { RencontreCount = 1, IntervalCount = 1, Unit = PeriodicityUnit.Week });
        offered.AcceptedPublics.Add(Enum.GetValues<PublicAccueilli>()[1..].Where(p => draws.Chance($"{p}", 0.6)));
        offered.ModeAccueil = modalite == Modalite.VisitePresenceContinue ? ModeAccueil.Individuel : draws.Of("mode", ModeAccueil.Collectif, ModeAccueil.Mixte);
        if (draws.Chance("violences", 0.88))
            offered.AcceptedSituations.Add(SituationParticuliere.ViolencesIntrafamiliales);
        if (draws.Chance("psychiatric", 0.75))
            offered.AcceptedSituations.Add(SituationParticuliere.TroublesPsychiatriques);
        if (draws.Chance("addiction", 0.82))
            offered.AcceptedSituations.Add(SituationParticuliere.Addiction);
        offered.ProtectionOrderAccepted = offered.AcceptedSituations.Contains(SituationParticuliere.ViolencesIntrafamiliales) && draws.Chance("order", 0.85);
        if (offered.AcceptedSituations.Contains(SituationParticuliere.ViolencesIntrafamiliales))
            offered.VifAmenagements.Add(Enum.GetValues<AmenagementVif>()[1..].Where(a => draws.Chance($"violence {a}", 0.4)));
        offered.StaffPresent = draws.Between($"{modalite} staff", 1, 4);
        if (IsFirst(association) || draws.Chance($"{modalite} declared", 0.92))
        {
            var age = draws.Chance("fresh", 0.88) ? draws.Between("age", 0, 25) : draws.Between("age", 35, 120);
            offered.DeclaredWait = new DeclaredWait { Days = wait, AsOfDate = Day(today.AddDays(-age)) };
            if (offered.State == ModaliteState.ListeAttente)
                offered.WaitingFamilies = Math.Clamp((int)Math.Round(wait * slots / 7.0 / 12), 1, 5000);
        }
        return offered;
    }

    private static Date Day(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
}
