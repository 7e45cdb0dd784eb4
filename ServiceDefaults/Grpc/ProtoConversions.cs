using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using ProtoDate = Jafer.Contracts.Type.V1.Date;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>Conversions between the types of the contracts and those of .NET.</summary>
public static class ProtoConversions
{
    private static readonly ConcurrentDictionary<System.Enum, string> s_codes = new();

    /// <summary>The date as a message.</summary>
    public static ProtoDate ToProto(this DateOnly date) => new() { Year = date.Year, Month = date.Month, Day = date.Day };

    /// <summary>The date as a message; null stays null.</summary>
    public static ProtoDate? ToProto(this DateOnly? date) => date?.ToProto();

    /// <summary>The instant as a message.</summary>
    public static Timestamp ToProto(this DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    /// <summary>The instant as a message; null stays null.</summary>
    public static Timestamp? ToProto(this DateTimeOffset? time) => time is { } t ? Timestamp.FromDateTimeOffset(t) : null;

    /// <summary>A version as an etag.</summary>
    public static string ToEtag(this long version) => version.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The code of an enum value: its proto name without the enum's prefix, such as "EN_ATTENTE". It is what the database,
    /// the events and the error details hold.
    /// </summary>
    public static string ToCode<T>(this T value)
        where T : struct, System.Enum => s_codes.GetOrAdd(value, static v =>
        {
            var type = v.GetType();
            var name = type.GetField(v.ToString())?.GetCustomAttribute<OriginalNameAttribute>()?.Name
                ?? throw new ArgumentOutOfRangeException(nameof(value), "not a value of the contract");
            return name[(Prefix(type).Length)..];
        });

    /// <summary>The enum value of a code made by <see cref="ToCode{T}"/>.</summary>
    public static T FromCode<T>(string code)
        where T : struct, System.Enum => Codes<T>.ByCode.TryGetValue(code, out var value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(code), $"not a code of {typeof(T).Name}");

    private static string Prefix(System.Type type)
    {
        // The zero value is <ENUM>_UNSPECIFIED by the rules of buf.
        var zero = type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(f => f.GetCustomAttribute<OriginalNameAttribute>()!.Name)
            .Single(n => n.EndsWith("_UNSPECIFIED", StringComparison.Ordinal));
        return zero[..^"UNSPECIFIED".Length];
    }

    private static class Codes<T>
        where T : struct, System.Enum
    {
        public static readonly Dictionary<string, T> ByCode = System.Enum.GetValues<T>().ToDictionary(v => v.ToCode(), StringComparer.Ordinal);
    }
}
