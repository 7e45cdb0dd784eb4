using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf.Reflection;

namespace Jafer.Contracts;

/// <summary>
/// The codes of the contract's enums: the proto name without the enum's prefix, such as "EN_ATTENTE". They are what databases,
/// events, error details and CSV files hold.
/// </summary>
public static class EnumCodes
{
    private static readonly ConcurrentDictionary<Enum, string> s_codes = new();

    /// <summary>The code of a value.</summary>
    /// <param name="value">A value of the contract.</param>
    public static string Of(Enum value) => s_codes.GetOrAdd(value, static v =>
    {
        var type = v.GetType();
        var name = type.GetField(v.ToString())?.GetCustomAttribute<OriginalNameAttribute>()?.Name
            ?? throw new ArgumentOutOfRangeException(nameof(value), "not a value of the contract");
        return name[Prefix(type).Length..];
    });

    /// <summary>The values by their codes.</summary>
    /// <typeparam name="T">An enum of the contract.</typeparam>
    public static IReadOnlyDictionary<string, T> ByCode<T>()
        where T : struct, Enum => Codes<T>.ByCode;

    private static string Prefix(System.Type type)
    {
        // The zero value is <ENUM>_UNSPECIFIED by the rules of buf.
        var zero = type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(f => f.GetCustomAttribute<OriginalNameAttribute>()!.Name)
            .Single(n => n.EndsWith("_UNSPECIFIED", StringComparison.Ordinal));
        return zero[..^"UNSPECIFIED".Length];
    }

    private static class Codes<T>
        where T : struct, Enum
    {
        public static readonly Dictionary<string, T> ByCode = Enum.GetValues<T>().ToDictionary(v => Of(v), StringComparer.Ordinal);
    }
}
