using System.Globalization;
using System.IO.Compression;
using System.Text;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;

namespace Jafer.Simulation;

/// <summary>A commune in which families live.</summary>
/// <param name="Place">Its position in the travel model.</param>
/// <param name="Departement">Code of its département.</param>
/// <param name="Court">Number of its probable court; -1 when not known.</param>
/// <param name="Population">Inhabitants.</param>
/// <param name="Latitude">Degrees north.</param>
/// <param name="Longitude">Degrees east.</param>
internal sealed record Commune(int Place, string Departement, int Court, int Population, double Latitude, double Longitude);

/// <summary>An invented espace with one lieu.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Commune">Its commune, by position in the travel model.</param>
/// <param name="Departement">Code of its département.</param>
/// <param name="Latitude">Degrees north.</param>
/// <param name="Longitude">Degrees east.</param>
internal sealed record Site(Guid Id, int Commune, string Departement, double Latitude, double Longitude);

/// <summary>
/// Where families and espaces are, and the ways between them by the directory's own travel model. Read once; safe for
/// concurrent callers.
/// </summary>
internal sealed class Territory
{
    /// <summary>Espaces looked at for a family: the nearest ones.</summary>
    public const int Near = 24;

    private const double NearMinutes = 150;
    private const int Columns = 4000;

    private readonly TravelModel _model;
    private readonly float[] _minutes;
    private readonly NearestCommunes _nearest;
    private readonly double[] _upTo;
    private readonly HashSet<int> _land = [];

    private Territory(TravelModel model, Commune[] communes, Site[] sites, string[] courts)
    {
        (_model, Sites, Courts) = (model, sites, courts);
        _minutes = new float[communes.Length * sites.Length];
        Array.Fill(_minutes, float.NaN);
        var near = new short[communes.Length][];
        Parallel.For(0, communes.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, c => near[c] = NearTo(communes[c], c));

        // Where no road leads to an espace nobody is placed, as the survey leaves them out of its access figures.
        Unlinked = communes.Where((_, c) => near[c].Length == 0).Sum(c => (double)c.Population) / communes.Sum(c => (double)c.Population);
        var kept = Enumerable.Range(0, communes.Length).Where(c => near[c].Length > 0).ToArray();
        Communes = [.. kept.Select(c => communes[c])];
        NearSites = [.. kept.Select(c => near[c])];
        var minutes = new float[kept.Length * sites.Length];
        for (var i = 0; i < kept.Length; i++)
            Array.Copy(_minutes, kept[i] * sites.Length, minutes, i * sites.Length, sites.Length);
        _minutes = minutes;
        _nearest = new NearestCommunes(Communes.Length, i => (Communes[i].Latitude, Communes[i].Longitude));
        foreach (var commune in Communes)
        {
            var cell = CellOf(commune.Latitude, commune.Longitude);
            foreach (var offset in (ReadOnlySpan<int>)[-1 - Columns, -Columns, 1 - Columns, -1, 0, 1, Columns - 1, Columns, Columns + 1])
                _land.Add(cell + offset);
        }
        _upTo = new double[Communes.Length];
        var total = 0.0;
        for (var i = 0; i < Communes.Length; i++)
            _upTo[i] = total += Communes[i].Population;
    }

    /// <summary>The communes that a road joins to an espace.</summary>
    public Commune[] Communes { get; }

    /// <summary>The espaces.</summary>
    public Site[] Sites { get; }

    /// <summary>Codes of the courts by their numbers.</summary>
    public string[] Courts { get; }

    /// <summary>For each commune the nearest espaces, nearest first.</summary>
    public short[][] NearSites { get; }

    /// <summary>Share of the population whom no road leads to an espace.</summary>
    public double Unlinked { get; }

    /// <summary>Mean minutes to the nearest espace, and the share of the population less than 30 minutes from it.</summary>
    public (double MeanMinutes, double Under30) Access
    {
        get
        {
            var (sum, under, all) = (0.0, 0.0, 0.0);
            for (var c = 0; c < Communes.Length; c++)
            {
                var minutes = Way(c, NearSites[c][0]).Minutes;
                sum += minutes * Communes[c].Population;
                under += minutes < 30 ? Communes[c].Population : 0;
                all += Communes[c].Population;
            }
            return (sum / all, under / all);
        }
    }

    /// <summary>Reads what the services carry with them.</summary>
    public static Territory Read()
    {
        var rows = Rows("communes.csv.gz").Select(r => new
        {
            Insee = r[0],
            IsCommune = r[2] == "COM",
            Departement = r[4],
            Population = r[6].Length == 0 ? 0 : int.Parse(r[6], CultureInfo.InvariantCulture),
            Latitude = Degrees(r[7]),
            Longitude = Degrees(r[8]),
            Population10Km = Whole(r[11]),
            Relief = Whole(r[12]),
            Block = r[13],
            Court = r[14],
        }).OrderBy(r => r.Insee, StringComparer.Ordinal).ToArray();
        using var coefficients = ReferenceData.Resource("travel-model.json");
        var model = new TravelModel(TravelCoefficients.Read(coefficients), rows.Select(r =>
            new TravelPlace(r.Insee, r.IsCommune, r.Latitude, r.Longitude, r.Population10Km, r.Relief, r.Block)));
        string[] courts = [.. rows.Select(r => r.Court).Where(c => c.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        var courtNumbers = courts.Index().ToDictionary(c => c.Item, c => c.Index);

        // Paris, Lyon and Marseille are their arrondissements.
        var divided = rows.Where(r => !r.IsCommune).Select(r => r.Departement).Distinct()
            .Select(d => d switch { "75" => "75056", "69" => "69123", _ => "13055" }).ToHashSet();
        var communes = rows.Index().Where(r => r.Item is { Population: > 0, Latitude: not null } && r.Item.Departement.Length is 2 or 3
                && !divided.Contains(r.Item.Insee) && !r.Item.Departement.StartsWith("98", StringComparison.Ordinal) && r.Item.Departement is not ("975" or "977" or "978"))
            .Select(r => new Commune(r.Index, r.Item.Departement, courtNumbers.GetValueOrDefault(r.Item.Court, -1), r.Item.Population, r.Item.Latitude!.Value, r.Item.Longitude!.Value))
            .ToArray();
        var sites = Rows("lieux.csv").Select((r, i) => new Site(
            new Guid(i + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), model.IndexOf(r[3]), r[5], Degrees(r[7])!.Value, Degrees(r[8])!.Value)).ToArray();
        return new(model, communes, sites, courts);
    }

    /// <summary>The way from a commune to an espace.</summary>
    /// <param name="commune">Number of the commune.</param>
    /// <param name="site">Number of the espace.</param>
    public Travel Way(int commune, int site)
    {
        // Two callers at once compute the same.
        ref var kept = ref _minutes[(commune * Sites.Length) + site];
        if (float.IsNaN(kept))
            kept = Compute(Communes[commune], site);
        return float.IsPositiveInfinity(kept) ? Travel.NoRoad : Travel.Of(kept);
    }

    /// <summary>A commune drawn by its population.</summary>
    /// <param name="unit">A random number from 0 to 1.</param>
    public int ByPopulation(double unit)
    {
        var at = Array.BinarySearch(_upTo, unit * _upTo[^1]);
        return Math.Min(at < 0 ? ~at : at + 1, Communes.Length - 1);
    }

    /// <summary>The commune nearest to a point; -1 at sea and abroad, where none is within some ten kilometres.</summary>
    public int NearestTo(double latitude, double longitude) => _land.Contains(CellOf(latitude, longitude)) ? _nearest.Find(latitude, longitude) : -1;

    /// <summary>Rows of an embedded file without its header; cells hold no comma, but for the last of <paramref name="name"/> when quoted.</summary>
    public static IEnumerable<string[]> Rows(string name)
    {
        using var resource = typeof(Territory).Assembly.GetManifestResourceStream(name) ?? ReferenceData.Resource(name);
        using var content = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(resource, CompressionMode.Decompress) : resource;
        using var reader = new StreamReader(content, Encoding.UTF8);
        var columns = reader.ReadLine()!.Split(',').Length;
        while (reader.ReadLine() is { } line)
            yield return line.Split(',', columns);
    }

    private static int CellOf(double latitude, double longitude) => ((int)Math.Floor((latitude + 90) * 10) * Columns) + (int)Math.Floor((longitude + 180) * 10);

    private static double? Degrees(string text) => text.Length == 0 ? null : double.Parse(text, CultureInfo.InvariantCulture);

    private static int Whole(string text) => text.Length == 0 ? 0 : int.Parse(text, CultureInfo.InvariantCulture);

    private float Compute(Commune commune, int site) =>
        _model.Between(commune.Place, Sites[site].Commune) is { HasMinutes: true } way ? (float)way.Minutes : float.PositiveInfinity;

    private short[] NearTo(Commune commune, int number)
    {
        Span<(double Least, short Site)> bounds = stackalloc (double, short)[Sites.Length];
        var count = 0;
        for (short s = 0; s < Sites.Length; s++)
        {
            if (_model.BlockOf(commune.Place) != _model.BlockOf(Sites[s].Commune) || _model.PointOf(Sites[s].Commune) is not { } point)
                continue;
            var km = TravelModel.GreatCircleKm(commune.Latitude, commune.Longitude, point.Latitude, point.Longitude);
            bounds[count++] = (_model.LeastMinutes(km, _model.DensityOf(commune.Place) + _model.DensityOf(Sites[s].Commune)), s);
        }
        bounds = bounds[..count];
        bounds.Sort(static (a, b) => a.Least.CompareTo(b.Least));
        var found = new List<(float Minutes, short Site)>(Near * 2);
        foreach (var (least, site) in bounds)
        {
            // No way is shorter than over flat land: what lies behind the last of enough cannot come before it.
            if (found.Count >= Near && (least > found[Near - 1].Minutes || least > NearMinutes))
                break;
            var minutes = _minutes[(number * Sites.Length) + site] = Compute(commune, site);
            if (float.IsFinite(minutes))
                found.Insert(found.BinarySearch((minutes, site)) is var at && at < 0 ? ~at : at, (minutes, site));
        }
        return [.. found.Take(Near).Select(f => f.Site)];
    }
}
