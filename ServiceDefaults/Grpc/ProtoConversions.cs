using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts;
using ProtoDate = Jafer.Contracts.Type.V1.Date;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>Conversions between the types of the contracts and those of .NET.</summary>
public static class ProtoConversions
{
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
        where T : struct, System.Enum => EnumCodes.Of(value);

    /// <summary>The enum value of a code made by <see cref="ToCode{T}"/>.</summary>
    public static T FromCode<T>(string code)
        where T : struct, System.Enum => EnumCodes.ByCode<T>().TryGetValue(code, out var value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(code), $"not a code of {typeof(T).Name}");
}
