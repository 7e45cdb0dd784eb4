using System.Globalization;
using System.IO.Compression;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

/// <summary>The real communes and the fitted model, read once.</summary>
internal static class TravelData
{
    private static readonly Lazy<IReadOnlyList<TravelPlace>> LazyPlaces = new(ReadPlaces);
    private static readonly Lazy<TravelModel> LazyModel = new(() => new TravelModel(Coefficients(), Places));

    public static IReadOnlyList<TravelPlace> Places => LazyPlaces.Value;

    public static TravelModel Model => LazyModel.Value;

    /// <summary>Rows of a file of the data folder, as cells by column name.</summary>
    public static IEnumerable<Dictionary<string, string>> Rows(string file)
    {
        using var stream = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", file));
        using var reader = new StreamReader(file.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(stream, CompressionMode.Decompress)
            : stream);
        var header = reader.ReadLine()!.Split(',');
        while (reader.ReadLine() is { } line)
            yield return header.Zip(line.Split(',')).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    public static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static TravelCoefficients Coefficients()
    {
        using var json = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "travel-model.json"));
        return TravelCoefficients.Read(json);
    }

    private static List<TravelPlace> ReadPlaces() => [.. Rows("communes.csv.gz").Select(row => new TravelPlace(
        row["insee"],
        row["type"] == "COM",
        row["lat"].Length == 0 ? null : Number(row["lat"]),
        row["lon"].Length == 0 ? null : Number(row["lon"]),
        row["pop_10km"].Length == 0 ? 0 : int.Parse(row["pop_10km"], CultureInfo.InvariantCulture),
        row["relief_m"].Length == 0 ? 0 : int.Parse(row["relief_m"], CultureInfo.InvariantCulture),
        row["bloc_routier"]))];
}
