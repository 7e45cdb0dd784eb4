using System.Text.RegularExpressions;
using Grpc.Core;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>
/// The metadata entry by which a caller declares why: a code of their own, up to 40 capitals, digits and underscores, such as
/// "AUDIENCE". It goes into the journal and decides nothing.
/// </summary>
internal static partial class Purpose
{
    public const string Key = "jafer-purpose";

    /// <summary>The purpose; null when none is declared, or none that can be.</summary>
    public static string? Read(Metadata headers) => headers.GetValue(Key) is { } code && Code().IsMatch(code) ? code : null;

    /// <summary>Refuses a call whose purpose is no code: free text might hold a name.</summary>
    public static void Require(Metadata headers)
    {
        if (headers.GetValue(Key) is { } code && !Code().IsMatch(code))
        {
            throw DomainError.Invalid(Key, "must be 1 to 40 capitals, digits and underscores, beginning with a capital");
        }
    }

    [GeneratedRegex(@"\A[A-Z][A-Z0-9_]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
