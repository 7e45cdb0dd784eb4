using System.Collections.Frozen;
using System.Text.Json;
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
}
