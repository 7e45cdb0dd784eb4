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

    /// <summary>The figures that are told, in the order of the questionnaire.</summary>
    public static IReadOnlyList<SurveyFigureRow> Told { get; } =
        [.. SurveyCatalogue.BuiltIn.Figures.Where(f => !s_untold.Contains(f.Code) && !f.Code.StartsWith("MOTIF_", StringComparison.Ordinal))];

    private static readonly SurveyFigureRow[] s_counts = [.. Told.Where(IsCount)];

    private static readonly DisclosureColumn[] s_columns = [.. s_counts.Select(f =>
    {
        var (whole, set) = s_within.TryGetValue(f.Code, out var within) ? within : (f.Whole, f.Set);
        return s_counts.Any(w => w.Code == whole) ? new DisclosureColumn(f.Code, whole, string.IsNullOrEmpty(set) ? null : set, !f.IsCounted) : new DisclosureColumn(f.Code, NationOnly: !f.IsCounted);
    })];

    /// <summary>Whether a figure counts mesures, rencontres, children or persons; money and hours tell of no family.</summary>
    public static bool IsCount(SurveyFigureRow figure) => figure.Unit is not (SurveyUnit.CentiemeEtp or SurveyUnit.Euro);

    /// <summary>Which figures of the nation its own figures ask to withhold.</summary>
    /// <param name="nation">The nation's figures, by code.</param>
    public static IReadOnlySet<string> Withheld(IReadOnlyDictionary<string, long> nation) =>
        Codes(Disclosure.Protect(s_columns, [.. s_columns.Select(c => nation.TryGetValue(c.Code, out var value) ? value : (long?)null)], []).Nation);

    /// <summary>Which figures of each département are withheld, and which of the nation for their sake. It does not depend on the returns, so that nobody is told more than another.</summary>
    /// <param name="departements">The figures of all départements; those of what lies in none known are not told.</param>
    public static WithheldPattern Withheld(IReadOnlyDictionary<string, Dictionary<string, long>> departements)
    {
        DisclosureRow[] rows = [.. departements.Where(d => d.Key.Length > 0).Select(d => new DisclosureRow(
            d.Key, [.. s_columns.Select(c => c.NationOnly ? (long?)null : d.Value.GetValueOrDefault(c.Code))],
            SmallCells.IsSmall(d.Value.GetValueOrDefault("STOCK_DEBUT") + d.Value.GetValueOrDefault("MESURES_NOUVELLES"))))];
        // Beside the nation as their sum: it tells that, or more by what was counted elsewhere.
        var result = Disclosure.Protect(s_columns, [.. s_columns.Select((c, i) => c.NationOnly ? (long?)null : rows.Sum(r => r.Values[i] ?? 0))], rows);
        return new WithheldPattern(Codes(result.Nation), result.Rows.ToDictionary(r => r.Key, IReadOnlySet<string> (r) => Codes(r.Value)));
    }

    private static HashSet<string> Codes(IReadOnlyList<bool> withheld) => s_columns.Where((_, c) => withheld[c]).Select(c => c.Code).ToHashSet();
}
