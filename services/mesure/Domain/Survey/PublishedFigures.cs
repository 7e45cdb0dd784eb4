using System.Globalization;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>A figure that the SSER publication states.</summary>
/// <param name="Figure">Number of the figure in the publication; 0 for what is stated outside of figures.</param>
/// <param name="Label">What it says.</param>
/// <param name="Population">Among whom.</param>
/// <param name="Value">Number, in the unit.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Year">The year it is about.</param>
/// <param name="Status">"publie" or "derive".</param>
/// <param name="Remark">What is to be known of it, its contradictions among others.</param>
/// <param name="Code">The figure of the catalogue beside which it stands; null for none.</param>
internal sealed record PublishedRow(int Figure, string Label, string Population, double Value, string Unit, int Year, string Status, string Remark, string? Code)
{
    /// <summary>Whether it is the number of the figure, and no share of another.</summary>
    public bool IsNumber => Code is not null && SurveyCatalogue.BuiltIn.Find(Code)!.Unit switch
    {
        SurveyUnit.Mesure => Unit == "mesure",
        SurveyUnit.Rencontre => Unit == "rencontre",
        SurveyUnit.Enfant => Unit == "enfant",
        SurveyUnit.Personne => Unit == "personne",
        _ => false,
    };
}

/// <summary>What was published of the survey on 2024, as its text states it (data/sser2024).</summary>
internal static class PublishedFigures
{
    /// <summary>The year with which the publication compares: the first survey.</summary>
    public const int FirstYear = 2011;

    private static readonly string[] s_files =
        ["sser2024-figure1-acces.csv", "sser2024-figure2-personnel.csv", "sser2024-figure3-activite.csv", "sser2024-figure4-origine.csv", "sser2024-figure5-clotures.csv"];

    /// <summary>All of them, in the order of the publication.</summary>
    public static IReadOnlyList<PublishedRow> All { get; } = Load();

    /// <summary>The number of a figure for a year; null where none was stated.</summary>
    /// <param name="code">Code of the figure.</param>
    /// <param name="year">The year.</param>
    public static long? Number(string code, int year) =>
        All.FirstOrDefault(p => p.Code == code && p.Year == year && p.IsNumber) is { } row ? (long)row.Value : null;

    private static List<PublishedRow> Load()
    {
        var codes = SurveyCatalogue.Lines("published.csv").Where(l => l.Length > 0 && l[0] != '#').Skip(1).Select(l => CsvText.Cells(';', l))
            .ToDictionary(c => (c[0], c[1], c[2]), c => c[3]);
        return [.. s_files.SelectMany(file => SurveyCatalogue.Lines(file).Where(l => l.Length > 0).Skip(1)).Select(l => CsvText.Cells(',', l)).Select(c => new PublishedRow(
            c[0].Length == 0 ? 0 : int.Parse(c[0], CultureInfo.InvariantCulture), c[1], c[2], double.Parse(c[3], CultureInfo.InvariantCulture), c[4],
            int.Parse(c[5], CultureInfo.InvariantCulture), c[6], c[7], codes.GetValueOrDefault((c[0], c[1], c[2]))))];
    }
}
