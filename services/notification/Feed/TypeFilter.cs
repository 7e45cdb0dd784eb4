using System.Text.RegularExpressions;
using Google.Protobuf.Collections;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Notifications.Feed;

/// <summary>Types of events by which a reader says what it wants.</summary>
internal static partial class TypeFilter
{
    private const int MaxTypes = 100;

    [GeneratedRegex(@"^[a-z]+\.[a-z][a-z0-9-]*\.v[0-9]{1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TypeName { get; }

    /// <summary>Reads wanted types. Those that this version does not know are no mistake: the caller may be newer.</summary>
    /// <param name="check">Takes the violations.</param>
    /// <param name="field">Path of the field.</param>
    /// <param name="types">The types.</param>
    public static string[] Read(FieldChecks check, string field, RepeatedField<string> types)
    {
        check.That(types.Count <= MaxTypes, field, "must have at most 100 values");
        for (var i = 0; i < Math.Min(types.Count, MaxTypes); i++)
        {
            check.That(types[i].Length <= 200 && TypeName.IsMatch(types[i]), $"{field}[{i}]", "is not the name of an event type");
        }

        return [.. types.Distinct()];
    }
}
