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
        return espace;
    }

    private GestionnaireImport GestionnaireOf(AssociationRow association, int index)
    {
        var gestionnaire = new GestionnaireImport
        {
            ExternalId = association.Id,
            Name = $"Association fictive {association.Id} ({_departements[association.Departement]})",
            Siret = FictiveSiret(index),
        };
        var domain = $"{association.Id.ToLowerInvariant()}.demo.example.org";
        gestionnaire.Contacts.Add(new Contact { ExternalId = "suivi", Email = $"suivi@{domain}", Role = ContactRole.Suivi });
        gestionnaire.Contacts.Add(new Contact { ExternalId = "direction", Email = $"direction@{domain}", Role = ContactRole.Direction });
        return gestionnaire;
    }

    // No SIREN begins with 000, so that the number is right and belongs to nobody.
    private static string FictiveSiret(int index)
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
        yield return granted;
        if (!draws.Chance("before", 0.4))
            yield break;
        var before = Of(AgrementState.Accorde, Number(start.Year - 5));
        (before.StartDate, before.EndDate) = (Day(start.AddYears(-5)), Day(start.AddDays(-1)));
        yield return before;
    }

    private Lieu LieuOf(LieuRow row)
    {
        var draws = new Draws(seed, row.Id);
        return new Lieu
        {
            ExternalId = row.Id,
            Name = row.Name,
            AddressLine = string.Create(CultureInfo.InvariantCulture, $"{draws.Between("number", 1, 90)} rue de l'Exemple (adresse fictive)"),
            CommuneInsee = row.CommuneInsee,
            Latitude = row.Latitude,
            Longitude = row.Longitude,
            WheelchairAccessible = draws.Chance("wheelchair", 0.8),
            SeparateEntrances = draws.Chance("entrances", 0.6),
        };
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
        if (draws.Chance("violences", 0.88))
            offered.AcceptedSituations.Add(SituationParticuliere.ViolencesIntrafamiliales);
        if (draws.Chance("psychiatric", 0.75))
            offered.AcceptedSituations.Add(SituationParticuliere.TroublesPsychiatriques);
        if (draws.Chance("addiction", 0.82))
            offered.AcceptedSituations.Add(SituationParticuliere.Addiction);
        offered.ProtectionOrderAccepted = offered.AcceptedSituations.Contains(SituationParticuliere.ViolencesIntrafamiliales) && draws.Chance("order", 0.85);
        if (IsFirst(association) || draws.Chance($"{modalite} declared", 0.92))
        {
            var age = draws.Chance("fresh", 0.88) ? draws.Between("age", 0, 25) : draws.Between("age", 35, 120);
            offered.DeclaredWait = new DeclaredWait { Days = wait, AsOfDate = Day(today.AddDays(-age)) };
        }
        return offered;
    }

    private static Date Day(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
}
