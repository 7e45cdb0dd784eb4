using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Jafer.Mesures.Domain.Survey;

namespace Jafer.Mesures.Survey;

/// <summary>
/// Which figures of each département are withheld, kept for the figures of which it was worked out: that takes seconds for the nation, and
/// the same figures are asked for by every partner.
/// </summary>
internal sealed class WithheldPatterns
{
    private const int Most = 8;

    private readonly ConcurrentDictionary<string, WithheldPattern> _kept = new(StringComparer.Ordinal);

    /// <summary>The pattern of figures.</summary>
    /// <param name="departements">The figures of all départements, by code.</param>
    public WithheldPattern Of(SortedDictionary<string, Dictionary<string, long>> departements)
    {
        var key = Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(departements.Select(d => (object)new { d.Key, Value = d.Value.OrderBy(f => f.Key, StringComparer.Ordinal) }))));
        if (_kept.TryGetValue(key, out var pattern))
        {
            return pattern;
        }

        pattern = PublicFigures.Withheld(departements);
        if (_kept.Count >= Most)
        {
            _kept.Clear();
        }

        return _kept[key] = pattern;
    }
}
