using System.Text;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Reference;

/// <summary>Names of communes by their INSEE codes: one run of bytes for all of them.</summary>
internal sealed class CommuneNames
{
    private readonly CommuneCodes _codes;
    private readonly byte[] _names;
    private readonly int[] _ends;

    /// <summary>Takes the names in the order of the codes.</summary>
    public CommuneNames(CommuneCodes codes, IReadOnlyList<string> names)
    {
        _codes = codes;
        _ends = new int[names.Count];
        using var bytes = new MemoryStream(names.Count * 16);
        for (var i = 0; i < names.Count; i++)
        {
            bytes.Write(Encoding.UTF8.GetBytes(names[i]));
            _ends[i] = (int)bytes.Length;
        }
        _names = bytes.ToArray();
    }

    /// <summary>True when the code is one of a known commune or arrondissement.</summary>
    public bool ContainsKey(string insee) => _codes.IndexOf(insee) >= 0;

    /// <summary>The name of a commune, or what stands in for an unknown one.</summary>
    public string GetValueOrDefault(string insee, string otherwise) => ContainsKey(insee) ? this[insee] : otherwise;

    /// <summary>The name of a known commune.</summary>
    /// <exception cref="KeyNotFoundException">The code is unknown.</exception>
    public string this[string insee]
    {
        get
        {
            var i = _codes.IndexOf(insee);
            if (i < 0)
                throw new KeyNotFoundException($"Commune {insee} is unknown.");
            var start = i == 0 ? 0 : _ends[i - 1];
            return Encoding.UTF8.GetString(_names, start, _ends[i] - start);
        }
    }
}

/// <summary>Coordinates of communes by their INSEE codes.</summary>
internal readonly struct CommunePoints(TravelModel model)
{
    /// <summary>The coordinates; zeros when they are not known.</summary>
    public (double Latitude, double Longitude) GetValueOrDefault(string insee) =>
        model.Codes.IndexOf(insee) is >= 0 and var i ? model.PointOf(i) ?? default : default;
}
