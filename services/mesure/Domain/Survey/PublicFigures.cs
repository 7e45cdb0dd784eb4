using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>What is withheld of the tables by département.</summary>
/// <param name="Nation">Codes of the figures that the nation withholds for their sake.</param>
/// <param name="Departements">Codes of the figures that each département withholds, by its code.</param>
internal sealed record WithheldPattern(IReadOnlySet<string> Nation, IReadOnlyDictionary<string, IReadOnlySet<string>> Departements);

/// <summary>
/// Which figures of the catalogue others than their gestionnaire are told, and how these hang together, so that none that is withheld
/// follows from another. Left out are figures that would tell the same in another way: the reasons of closings (they make up the types),
/// what was never contacted, transferred, or had no duration, and with it the whole stock (it would balance one year with the next).
/// </summary>
internal static class PublicFigures
{
    private static readonly Dictionary<string, (string Whole, string? Set)> s_within = new(StringComparer.Ordinal)
    {
        // Durations are parts of the closed mesures of their origin, ages below eleven of those who are: closer than the catalogue has it.
        ["DUREE_JUDICIAIRES_MOINS_DE_6_MOIS"] = ("MESURES_CLOTUREES_JUDICIAIRES", "durée"),
        ["DUREE_JUDICIAIRES_6_A_12_MOIS"] = ("MESURES_CLOTUREES_JUDICIAIRES", "durée"),
        ["DUREE_JUDICIAIRES_12_MOIS_ET_PLUS"] = ("MESURES_CLOTUREES_JUDICIAIRES", "durée"),
        ["DUREE_NON_JUDICIAIRES_MOINS_DE_6_MOIS"] = ("MESURES_CLOTUREES_NON_JUDICIAIRES", "durée"),
        ["DUREE_NON_JUDICIAIRES_6_A_12_MOIS"] = ("MESURES_CLOTUREES_NON_JUDICIAIRES", "durée"),
        ["DUREE_NON_JUDICIAIRES_12_MOIS_ET_PLUS"] = ("MESURES_CLOTUREES_NON_JUDICIAIRES", "durée"),
        ["ENFANTS_MOINS_DE_11_ANS"] = ("ENFANTS_ACCUEILLIS", "âge"),
        ["ENFANTS_0_A_2_ANS"] = ("ENFANTS_MOINS_DE_11_ANS", "âge"),
        ["ENFANTS_3_A_5_ANS"] = ("ENFANTS_MOINS_DE_11_ANS", "âge"),
        ["ENFANTS_6_A_10_ANS"] = ("ENFANTS_MOINS_DE_11_ANS", "âge"),
    };

    private static readonly HashSet<string> s_untold =
        ["STOCK_DEBUT", "STOCK_FIN", "MESURES_NON_CONTACTEES", "SORTIES_PAR_TRANSFERT", "MESURES_NOUVELLES_PAR_TRANSFERT", "DUREE_SANS_RENCONTRE"];

    // Figures that look at the same mesures a second time, each with the figure of whose tree they are. Definitions bind them to the parts of
    // that tree (closed without follow-up is without a duration; the principal situation is one of those given), which no witness heeds.
    private static readonly Dictionary<string, string> s_second = new(StringComparer.Ordinal)
    {
        ["DUREE_JUDICIAIRES_MOINS_DE_6_MOIS"] = "MESURES_CLOTUREES",
        ["DUREE_JUDICIAIRES_6_A_12_MOIS"] = "MESURES_CLOTUREES",
        ["DUREE_JUDICIAIRES_12_MOIS_ET_PLUS"] = "MESURES_CLOTUREES",
        ["DUREE_NON_JUDICIAIRES_MOINS_DE_6_MOIS"] = "MESURES_CLOTUREES",
        ["DUREE_NON_JUDICIAIRES_6_A_12_MOIS"] = "MESURES_CLOTUREES",
        ["DUREE_NON_JUDICIAIRES_12_MOIS_ET_PLUS"] = "MESURES_CLOTUREES",
        ["INTERRUPTION_JUDICIAIRES"] = "MESURES_CLOTUREES",
        ["SITUATION_VIOLENCES_INTRAFAMILIALES"] = "MESURES_NOUVELLES",
        ["SITUATION_TROUBLES_PSYCHIATRIQUES"] = "MESURES_NOUVELLES",
        ["SITUATION_ADDICTION"] = "MESURES_NOUVELLES",
    };

    /// <summary>The figures that are told of the nation, in the order of the questionnaire.</summary>
    public static IReadOnlyList<SurveyFigureRow> Told { get; } =
        [.. SurveyCatalogue.BuiltIn.Figures.Where(f => !s_untold.Contains(f.Code) && !f.Code.StartsWith("MOTIF_", StringComparison.Ordinal))];

    /// <summary>Those of them that are told of a département: what is counted, each mesure looked at once.</summary>
    public static IReadOnlyList<SurveyFigureRow> ToldByDepartement { get; } = [.. Told.Where(f => f.IsCounted && !s_second.ContainsKey(f.Code))];

    private static readonly DisclosureColumn[] s_nation = [.. Columns([.. Told.Where(f => IsCount(f) && !s_second.ContainsKey(f.Code))])];

    private static readonly DisclosureColumn[] s_departements = [.. Columns([.. ToldByDepartement.Where(IsCount)])];

    private static readonly DisclosureColumn[] s_seconds = [.. Columns([.. Told.Where(IsCount)]).Where(c => s_second.ContainsKey(c.Code))];

    /// <summary>Whether a figure counts mesures, rencontres, children or persons; money and hours tell of no family.</summary>
    public static bool IsCount(SurveyFigureRow figure) => figure.Unit is not (SurveyUnit.CentiemeEtp or SurveyUnit.Euro);

    /// <summary>
    /// Which figures of the nation are withheld: what its own figures ask for, what its départements do, and a second look at mesures of
    /// which anything is withheld, or that is small itself.
    /// </summary>
    /// <param name="nation">The nation's figures, by code.</param>
    /// <param name="departements">What is withheld for the sake of the départements; null where none are told.</param>
    public static IReadOnlySet<string> Withheld(IReadOnlyDictionary<string, long> nation, WithheldPattern? departements = null)
    {
        var withheld = Codes(s_nation, Disclosure.Protect(s_nation, [.. s_nation.Select(c => nation.TryGetValue(c.Code, out var value) ? value : (long?)null)], []).Nation);
        withheld.UnionWith(departements?.Nation ?? Enumerable.Empty<string>());
        var open = s_nation.Where(c => withheld.Contains(c.Code)).Select(Top).ToHashSet(StringComparer.Ordinal);
        foreach (var view in s_seconds.GroupBy(c => (Tree: s_second[c.Code], Section: SurveyCatalogue.BuiltIn.Find(c.Code)!.Section)))
        {
            var small = view.Any(c => SmallCells.IsSmall(nation.GetValueOrDefault(c.Code)))
                || view.GroupBy(c => (c.Whole, Set: c.Set ?? c.Code)).Any(set => SmallCells.IsSmall(nation.GetValueOrDefault(set.Key.Whole!) - set.Sum(c => nation.GetValueOrDefault(c.Code))));
            if (small || open.Contains(view.Key.Tree))
            {
                withheld.UnionWith(view.Select(c => c.Code));
            }
        }

        return withheld;
    }

    /// <summary>Which figures of each département are withheld, and which of the nation for their sake. It does not depend on the returns, so that nobody is told more than another.</summary>
    /// <param name="departements">The figures of all départements; those of what lies in none known are not told.</param>
    public static WithheldPattern Withheld(IReadOnlyDictionary<string, Dictionary<string, long>> departements)
    {
        DisclosureRow[] rows = [.. departements.Where(d => d.Key.Length > 0).Select(d => new DisclosureRow(
            d.Key, [.. s_departements.Select(c => (long?)d.Value.GetValueOrDefault(c.Code))],
            SmallCells.IsSmall(d.Value.GetValueOrDefault("STOCK_DEBUT") + d.Value.GetValueOrDefault("MESURES_NOUVELLES"))))];
        // Beside the nation as their sum: it tells that, or more by what was counted elsewhere.
        var result = Disclosure.Protect(s_departements, [.. s_departements.Select((_, i) => (long?)rows.Sum(r => r.Values[i] ?? 0))], rows);
        return new WithheldPattern(Codes(s_departements, result.Nation), result.Rows.ToDictionary(r => r.Key, IReadOnlySet<string> (r) => Codes(s_departements, r.Value)));
    }

    private static IEnumerable<DisclosureColumn> Columns(SurveyFigureRow[] figures) => figures.Select(f =>
    {
        var (whole, set) = s_within.TryGetValue(f.Code, out var within) ? within : (f.Whole, f.Set);
        return figures.Any(w => w.Code == whole) ? new DisclosureColumn(f.Code, whole, string.IsNullOrEmpty(set) ? null : set, !f.IsCounted) : new DisclosureColumn(f.Code, NationOnly: !f.IsCounted);
    });

    private static string Top(DisclosureColumn column) => column.Whole is { } whole ? Top(s_nation.Single(c => c.Code == whole)) : column.Code;

    private static HashSet<string> Codes(DisclosureColumn[] columns, IReadOnlyList<bool> withheld) => columns.Where((_, c) => withheld[c]).Select(c => c.Code).ToHashSet(StringComparer.Ordinal);
}
