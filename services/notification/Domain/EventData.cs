using System.Collections.Frozen;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Notifications.Domain;

/// <summary>What the feed tells of an event besides its common fields.</summary>
internal static class EventData
{
    private static readonly FrozenSet<string> s_common =
        typeof(DomainEvent).GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The fields of the event's own type as a JSON object.</summary>
    /// <param name="message">The event.</param>
    public static string Of(DomainEvent message)
    {
        var fields = JsonSerializer.SerializeToNode(message, message.GetType(), EventTypes.Json)!.AsObject();
        foreach (var name in s_common)
        {
            fields.Remove(name);
        }

        return fields.ToJsonString();
    }

    /// <summary>Those fields as the contract gives them. Pages of events are made of little else, and protobuf's own reader of JSON takes several times as long.</summary>
    /// <param name="json">A JSON object in UTF-8.</param>
    public static Struct Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return ReadObject(ref reader);
    }

    private static Struct ReadObject(ref Utf8JsonReader reader)
    {
        var fields = new Struct();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            fields.Fields[name] = ReadValue(ref reader);
        }

        return fields;
    }

    private static Value ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return Value.ForStruct(ReadObject(ref reader));
            case JsonTokenType.StartArray:
                var list = new ListValue();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Values.Add(ReadValue(ref reader));
                }

                return new Value { ListValue = list };
            case JsonTokenType.String:
                return Value.ForString(reader.GetString()!);
            case JsonTokenType.Number:
                return Value.ForNumber(reader.GetDouble());
            case JsonTokenType.True or JsonTokenType.False:
                return Value.ForBool(reader.GetBoolean());
            default:
                return Value.ForNull();
        }
    }
}
