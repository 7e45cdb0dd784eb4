using System.Collections.Frozen;
using System.Globalization;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>A figure of the survey.</summary>
/// <param name="Number">Number under which it is counted; never used again for another.</param>
/// <param name="Code">Code, such as "MESURES_NOUVELLES".</param>
/// <param name="Section">Part of the questionnaire.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Label">What it says. French.</param>
/// <param name="Whole">Code of the figure of which it is a part; empty for none.</param>
/// <param name="Set">Name of the set of parts that adds up to the whole; empty for a part that stands for itself.</param>
/// <param name="Definition">Code of the definition; empty for what a gestionnaire declares.</param>
internal sealed record SurveyFigureRow(
    short Number, string Code, SurveySection Section, SurveyUnit Unit, string Label, string Whole, string Set, string Definition)
{
    /// <summary>Whether it is counted from mesures; else a gestionnaire declares it.</summary>
    public bool IsCounted => Definition.Length > 0;
}

/// <summary>A definition, as it holds for some years.</summary>
/// <param name="Code">Code, such as "DUREE".</param>
/// <param name="Version">Version, from 1.</param>
/// <param name="FirstYear">First year for which it counts.</param>
/// <param name="LastYear">Last year; null while none is set.</param>
/// <param name="Parameters">By what it is computed.</param>
/// <param name="Wording">What is counted. French.</param>
/// <param name="Excluded">What is not. French.</param>
/// <param name="Source">Where it comes from. French.</param>
internal sealed record SurveyDefinitionRow(
    string Code, int Version, int FirstYear, int? LastYear, IReadOnlyDictionary<string, string> Parameters, string Wording, string Excluded, string Source)
{
    /// <summary>Name with version, such as "DUREE/1".</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Code}/{Version}");

    /// <summary>Whether it counts for a year.</summary>
    public bool Covers(int year) => FirstYear <= year && !(LastYear < year);
}

/// <summary>
/// The figures and definitions of the survey (SSER). Definitions are data: another wording or rule is another version, from a later year
/// on, so that a year that was published is computed as it was.
/// </summary>
internal sealed class SurveyCatalogue
{
    /// <summary>First year that the survey can be about.</summary>
    public const int FirstYear = 2000;

    private readonly FrozenDictionary<string, SurveyFigureRow> _figures;

    private SurveyCatalogue(IReadOnlyList<SurveyFigureRow> figures, IReadOnlyList<SurveyDefinitionRow> definitions)
    {
        (Figures, Definitions) = (figures, definitions);
        _figures = figures.ToFrozenDictionary(f => f.Code, StringComparer.Ordinal);
        Sets = [.. figures.Where(f => f.Set.Length > 0).GroupBy(f => (f.Whole, f.Set)).Select(g => (_figures[g.Key.Whole], (IReadOnlyList<SurveyFigureRow>)[.. g]))];
    }

    /// <summary>What is built in.</summary>
    public static SurveyCatalogue BuiltIn { get; } = Parse(Lines("figures.csv"), Lines("definitions.csv"));

    /// <summary>Figures, in the order of the questionnaire.</summary>
    public IReadOnlyList<SurveyFigureRow> Figures { get; }

    /// <summary>All versions of all definitions.</summary>
    public IReadOnlyList<SurveyDefinitionRow> Definitions { get; }

    /// <summary>Wholes, each with a set of parts that adds up to it.</summary>
    public IReadOnlyList<(SurveyFigureRow Whole, IReadOnlyList<SurveyFigureRow> Parts)> Sets { get; }

    /// <summary>A figure; null when there is none of this code.</summary>
    /// <param name="code">The code.</param>
    public SurveyFigureRow? Find(string code) => _figures.GetValueOrDefault(code);

    /// <summary>The definitions of a year, in the order of their codes.</summary>
    /// <param name="year">The year.</param>
    public IEnumerable<SurveyDefinitionRow> Of(int year) => Definitions.Where(d => d.Covers(year)).OrderBy(d => d.Code, StringComparer.Ordinal);

    /// <summary>Reads a catalogue.</summary>
    /// <param name="figures">Lines of the file of figures.</param>
    /// <param name="definitions">Lines of the file of definitions.</param>
    /// <exception cref="FormatException">A line is none, a code or number stands twice, or a whole, definition or year is missing.</exception>
    public static SurveyCatalogue Parse(IEnumerable<string> figures, IEnumerable<string> definitions)
    {
        var rows = Cells(figures).Select(c => c is [var number, var code, var section, var unit, var label, var whole, var set, var definition]
            ? new SurveyFigureRow(
                short.Parse(number, CultureInfo.InvariantCulture), code, ProtoConversions.FromCode<SurveySection>(section), ProtoConversions.FromCode<SurveyUnit>(unit),
                label, whole, set, definition)
            : throw new FormatException($"figures of the survey: {string.Join(';', c)}")).ToList();
        var versions = Cells(definitions).Select(c => c is [var code, var version, var first, var last, var parameters, var wording, var excluded, var source]
            ? new SurveyDefinitionRow(
                code, int.Parse(version, CultureInfo.InvariantCulture), int.Parse(first, CultureInfo.InvariantCulture),
                last.Length == 0 ? null : int.Parse(last, CultureInfo.InvariantCulture), Parameters(parameters), wording, excluded, source)
            : throw new FormatException($"definitions of the survey: {string.Join(';', c)}")).ToList();
        if (rows.Select(f => f.Code).Distinct().Count() != rows.Count || rows.Select(f => f.Number).Distinct().Count() != rows.Count
            || rows.Exists(f => f.Section == SurveySection.Unspecified || f.Unit == SurveyUnit.Unspecified)
            || rows.Exists(f => (f.Whole.Length > 0 && !rows.Exists(w => w.Code == f.Whole)) || (f.IsCounted && !versions.Exists(d => d.Code == f.Definition))))
        {
            throw new FormatException("figures of the survey: a code or number stands twice, or a section, unit, whole or definition is missing");
        }

        foreach (var versionsOf in versions.GroupBy(d => d.Code))
        {
            // The versions of a definition follow each other without a gap: each year has one.
            var ordered = versionsOf.OrderBy(d => d.Version).ToList();
            for (var i = 0; i < ordered.Count; i++)
            {
                var next = i + 1 < ordered.Count ? ordered[i + 1] : null;
                if (ordered[i].Version != i + 1 || (i == 0 && ordered[i].FirstYear > FirstYear) || ordered[i].LastYear != next?.FirstYear - 1)
                {
                    throw new FormatException($"definitions of the survey: the versions of {versionsOf.Key} do not follow each other");
                }
            }
        }

        return new SurveyCatalogue(rows, versions);
    }

    /// <summary>The lines of a file that is built in.</summary>
    /// <param name="file">Name of the file.</param>
    internal static IEnumerable<string> Lines(string file)
    {
        using var stream = typeof(SurveyCatalogue).Assembly.GetManifestResourceStream($"survey.{file}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries);
    }

    private static IEnumerable<string[]> Cells(IEnumerable<string> lines) => lines.Where(l => l.Length > 0 && l[0] != '#').Skip(1)
        .Select(line => CsvText.Cells(';', line).ToArray());

    private static Dictionary<string, string> Parameters(string text) => text.Split('|', StringSplitOptions.RemoveEmptyEntries)
        .Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);
}
