using System.Collections.Frozen;
using System.Globalization;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>
/// What one mesure is in the figures of each year, by the definitions of that year. The one place where the survey counts: the totals of a
/// gestionnaire, of a territory and of the nation are sums of this.
/// </summary>
/// <remarks>SSER, enquête auprès des associations gestionnaires d'espaces de rencontre; definitions.csv has the wording of each.</remarks>
internal sealed class SurveyCounting
{
    private readonly SurveyCatalogue _catalogue;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<int, Rules> _rules = new();

    /// <summary>Counts by a catalogue.</summary>
    /// <param name="catalogue">Its figures and definitions.</param>
    public SurveyCounting(SurveyCatalogue catalogue) => _catalogue = catalogue;

    /// <summary>What is built in.</summary>
    public static SurveyCounting BuiltIn { get; } = new(SurveyCatalogue.BuiltIn);

    /// <summary>The figures of a mesure, by year and number of the figure. Years without any are left out, and so is 0.</summary>
    /// <param name="of">The mesure.</param>
    /// <param name="lastYear">The last year that has begun.</param>
    public SortedDictionary<int, SortedDictionary<short, int>> Count(SurveyCase of, int lastYear)
    {
        var counts = new SortedDictionary<int, SortedDictionary<short, int>>();
        // What was never a mesure is in no figure.
        if (of.ClosureReason is ClosureReason.ErreurDeSaisie or ClosureReason.Doublon)
        {
            return counts;
        }

        var closed = of.ClosedOn < of.ReceivedOn ? of.ReceivedOn : of.ClosedOn;
        for (var year = Math.Max(of.ReceivedOn.Year, SurveyCatalogue.FirstYear); year <= Math.Min(closed?.Year ?? lastYear, lastYear); year++)
        {
            var rules = For(year);
            var tally = new Tally(rules.Numbers, counts, year);
            if (of.ReceivedOn.Year == year)
            {
                Received(of, rules, tally);
            }
            else
            {
                tally.Add("STOCK_DEBUT");
            }

            if (closed?.Year == year)
            {
                Closed(of, closed.Value, rules, tally);
            }
            else
            {
                InStock(of, new DateOnly(year, 12, 31), rules, tally);
            }
        }

        foreach (var (year, outcome, count) in of.Rencontres.Where(r => r.Year >= SurveyCatalogue.FirstYear && r.Outcome is not (RencontreOutcome.Moved or RencontreOutcome.MesureClosed)))
        {
            var tally = new Tally(For(year).Numbers, counts, year);
            tally.Add("RENCONTRES_PROGRAMMEES", count);
            tally.Add(OfOutcome(outcome), count);
        }

        foreach (var (year, age) in of.Children.Where(c => c.Year >= SurveyCatalogue.FirstYear))
        {
            var rules = For(year);
            var tally = new Tally(rules.Numbers, counts, year);
            tally.Add("ENFANTS_ACCUEILLIS");
            tally.Add($"ENFANTS_{(age is { } known ? rules.Ages.First(b => b.Below is null || known < b.Below).Name : "AGE_INCONNU")}");
            if (age < rules.YoungBelow)
            {
                tally.Add("ENFANTS_MOINS_DE_11_ANS");
            }
        }

        return counts;
    }

    private static void Received(SurveyCase of, Rules rules, Tally tally)
    {
        tally.Add("MESURES_NOUVELLES");
        if (of.ByTransfer)
        {
            tally.Add("MESURES_NOUVELLES_PAR_TRANSFERT");
        }

        if (of.Nature != MesureNature.Judiciaire)
        {
            tally.Add("MESURES_NOUVELLES_NON_JUDICIAIRES");
            tally.Add(of.Origin switch
            {
                NonJudicialOrigin.Prolongement => "MESURES_NOUVELLES_PROLONGEMENT",
                NonJudicialOrigin.Avocat => "MESURES_NOUVELLES_AVOCAT",
                NonJudicialOrigin.Ase => "MESURES_NOUVELLES_ASE",
                NonJudicialOrigin.BoucheAOreille => "MESURES_NOUVELLES_BOUCHE_A_OREILLE",
                _ => "MESURES_NOUVELLES_AUTRE_ORIGINE",
            });
            return;
        }

        tally.Add("MESURES_NOUVELLES_JUDICIAIRES");
        tally.Add(rules.Prescriber(of.DecisionNature, of.LegalBasis));
        if (of.Situations.Count == 0)
        {
            tally.Add("SITUATION_AUCUNE");
            return;
        }

        tally.Add("SITUATION_AU_MOINS_UNE");
        foreach (var situation in of.Situations.Distinct())
        {
            tally.Add($"SITUATION_{situation.ToCode()}");
        }

        var principal = of.PrincipalSituation != SituationParticuliere.Unspecified ? of.PrincipalSituation
            : of.Situations.Distinct().Count() == 1 ? of.Situations.First() : SituationParticuliere.Unspecified;
        tally.Add(principal == SituationParticuliere.Unspecified ? "SITUATION_PRINCIPALE_NON_PRECISEE" : $"SITUATION_PRINCIPALE_{principal.ToCode()}");
    }

    private static void Closed(SurveyCase of, DateOnly closed, Rules rules, Tally tally)
    {
        var category = Closures.CategoryOf(of.ClosureReason, of.EverScheduled);
        if (category == ClosureCategory.HorsStatistique)
        {
            tally.Add("SORTIES_PAR_TRANSFERT");
            return;
        }

        var judicial = of.Nature == MesureNature.Judiciaire;
        tally.Add("MESURES_CLOTUREES");
        tally.Add(judicial ? "MESURES_CLOTUREES_JUDICIAIRES" : "MESURES_CLOTUREES_NON_JUDICIAIRES");
        tally.Add($"MOTIF_{(of.ClosureReason == ClosureReason.Unspecified ? ClosureReason.Autre : of.ClosureReason).ToCode()}");
        switch (category)
        {
            case ClosureCategory.ArriveeATerme:
                tally.Add("MESURES_CLOTUREES_A_TERME");
                break;
            case ClosureCategory.SansSuite:
                tally.Add("MESURES_CLOTUREES_SANS_SUITE");
                break;
            case ClosureCategory.InterruptionEspace or ClosureCategory.InterruptionHote or ClosureCategory.InterruptionJuge:
                tally.Add("MESURES_CLOTUREES_INTERRUPTION");
                tally.Add(category.ToCode());
                if (judicial)
                {
                    tally.Add("INTERRUPTION_JUDICIAIRES");
                }

                break;
            default:
                tally.Add("MESURES_CLOTUREES_AUTRE");
                break;
        }

        tally.Add((rules.DurationFromHeld ? of.HeldOn : of.PlannedOn) is { } first
            ? $"DUREE_{(judicial ? "JUDICIAIRES" : "NON_JUDICIAIRES")}_{rules.Durations.First(b => b.Below is not { } months || closed < first.AddMonths(months)).Name}"
            : "DUREE_SANS_RENCONTRE");
    }

    private static void InStock(SurveyCase of, DateOnly day, Rules rules, Tally tally)
    {
        tally.Add("STOCK_FIN");
        tally.Add((rules.UnderWayFromHeld ? of.HeldOn : of.ScheduledOn) <= day ? "MESURES_EN_COURS"
            // What is scheduled without a contact on record was contacted.
            : of.ContactedOn <= day || of.ScheduledOn <= day ? "MESURES_EN_ATTENTE"
            : "MESURES_NON_CONTACTEES");
    }

    private static string OfOutcome(RencontreOutcome outcome) => outcome switch
    {
        RencontreOutcome.Held => "RENCONTRES_REALISEES",
        RencontreOutcome.VisiteurAbsent => "RENCONTRES_ABSENCE_VISITEUR",
        RencontreOutcome.HoteAbsent => "RENCONTRES_ABSENCE_HOTE",
        RencontreOutcome.ChildRefused => "RENCONTRES_REFUS_ENFANT",
        RencontreOutcome.CancelledByVisiteur => "RENCONTRES_ANNULEES_VISITEUR",
        RencontreOutcome.CancelledByHote => "RENCONTRES_ANNULEES_HOTE",
        RencontreOutcome.CancelledByEspace => "RENCONTRES_ANNULEES_ESPACE",
        RencontreOutcome.ForceMajeure => "RENCONTRES_FORCE_MAJEURE",
        _ => "RENCONTRES_SANS_ISSUE",
    };

    private Rules For(int year) => _rules.GetOrAdd(year, y => new Rules(_catalogue, y));

    /// <summary>The definitions of a year, ready to count by.</summary>
    private sealed class Rules
    {
        private readonly FrozenSet<LegalBasis> _jaf;
        private readonly FrozenSet<LegalBasis> _jugeDesEnfants;
        private readonly FrozenSet<DecisionNature> _courDAppel;

        public Rules(SurveyCatalogue catalogue, int year)
        {
            Numbers = catalogue.Figures.ToFrozenDictionary(f => f.Code, f => f.Number, StringComparer.Ordinal);
            var definitions = catalogue.Of(year).ToDictionary(d => d.Code, d => d.Parameters, StringComparer.Ordinal);
            _jaf = Codes<LegalBasis>(definitions["ORIGINE"]["jaf"]);
            _jugeDesEnfants = Codes<LegalBasis>(definitions["ORIGINE"]["juge_des_enfants"]);
            _courDAppel = Codes<DecisionNature>(definitions["ORIGINE"]["cour_d_appel"]);
            Durations = Bands(definitions["DUREE"]["bandes"]);
            DurationFromHeld = definitions["DUREE"]["depart"] == "PREMIERE_RENCONTRE_REALISEE";
            UnderWayFromHeld = definitions["STOCK"]["en_cours"] == "RENCONTRE_REALISEE";
            Ages = Bands(definitions["AGE"]["tranches"]);
            YoungBelow = int.Parse(definitions["AGE"]["moins_de"], CultureInfo.InvariantCulture);
        }

        public FrozenDictionary<string, short> Numbers { get; }

        /// <summary>Names of the bands in their order, each below so many months; the last has no bound.</summary>
        public IReadOnlyList<(int? Below, string Name)> Durations { get; }

        public IReadOnlyList<(int? Below, string Name)> Ages { get; }

        public int YoungBelow { get; }

        public bool DurationFromHeld { get; }

        public bool UnderWayFromHeld { get; }

        public string Prescriber(DecisionNature nature, LegalBasis basis) =>
            _courDAppel.Contains(nature) ? "MESURES_NOUVELLES_COUR_D_APPEL"
            : _jugeDesEnfants.Contains(basis) ? "MESURES_NOUVELLES_JUGE_DES_ENFANTS"
            : _jaf.Contains(basis) ? "MESURES_NOUVELLES_JAF"
            : "MESURES_NOUVELLES_AUTRE_JUGE";

        private static FrozenSet<T> Codes<T>(string list)
            where T : struct, Enum => list.Split(',').Select(ProtoConversions.FromCode<T>).ToFrozenSet();

        private static List<(int? Below, string Name)> Bands(string list) =>
            [.. list.Split(',').Select(b => b.Split(':')).Select(b => (b[0].Length == 0 ? (int?)null : int.Parse(b[0], CultureInfo.InvariantCulture), b[1]))];
    }

    private readonly struct Tally(FrozenDictionary<string, short> numbers, SortedDictionary<int, SortedDictionary<short, int>> counts, int year)
    {
        public void Add(string code, int count = 1)
        {
            if (!counts.TryGetValue(year, out var of))
            {
                counts[year] = of = [];
            }

            var number = numbers[code];
            of[number] = of.GetValueOrDefault(number) + count;
        }
    }
}
