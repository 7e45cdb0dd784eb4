using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Notifications.Domain;

/// <summary>What is posted to an endpoint, by the Standard Webhooks specification.</summary>
internal static class WebhookMessage
{
    /// <summary>What secrets begin with.</summary>
    public const string SecretPrefix = "whsec_";

    /// <summary>Type of a test event.</summary>
    public const string TestType = "notification.webhook-test.v1";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string s_purged = EventTypes.NameOf(typeof(MesurePurged));

    private static readonly FrozenSet<string> s_aboutMesures = EventTypes.All
        .Where(t => t.IsAssignableTo(typeof(MesureEvent)) || t.IsAssignableTo(typeof(ThreadEvent)))
        .Select(EventTypes.NameOf).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The body: type and identifiers, nothing of the content. The same for each attempt.</summary>
    /// <param name="deliveryId">The header webhook-id, the notice that the link carries.</param>
    /// <param name="organisationId">Whose feed.</param>
    /// <param name="eventId">The event.</param>
    /// <param name="type">Its type.</param>
    /// <param name="aggregateId">What it is about.</param>
    /// <param name="occurredAt">When it happened.</param>
    /// <param name="mesureUrl">Address of a mesure for a person with {0} for its id and {1} for the notice's; null when there is no such page.</param>
    /// <param name="aboutEspace">Whether the event is one of the thread of an espace.</param>
    /// <param name="aggregateVersion">Version that the event gave to what it is about; null for a test.</param>
    /// <param name="position">Place of the event in the organisation's feed; null for a test.</param>
    public static byte[] Body(
        Guid deliveryId, Guid organisationId, Guid eventId, string type, Guid aggregateId, DateTimeOffset occurredAt, string? mesureUrl, bool aboutEspace = false,
        long? aggregateVersion = null, long? position = null)
    {
        Guid? mesureId = s_aboutMesures.Contains(type) && !aboutEspace ? aggregateId : null;
        // As RDV-Service-Public says it: what must be erased elsewhere too.
        var webhookReason = type == s_purged ? "rgpd" : null;
        var link = mesureId is { } id ? Links.To(mesureUrl, id, deliveryId) : null;
        return JsonSerializer.SerializeToUtf8Bytes(
            new { type, timestamp = occurredAt, data = new { eventId, aggregateId, aggregateVersion, position, mesureId, organisationId, webhookReason, link } }, s_json);
    }

    /// <summary>The header webhook-signature: one signature for each secret.</summary>
    /// <param name="secrets">Secrets, the present one first.</param>
    /// <param name="deliveryId">The header webhook-id.</param>
    /// <param name="at">The header webhook-timestamp.</param>
    /// <param name="body">The body.</param>
    public static string Sign(IEnumerable<string> secrets, Guid deliveryId, DateTimeOffset at, byte[] body)
    {
        byte[] signed = [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{deliveryId}.{at.ToUnixTimeSeconds()}.")), .. body];
        return string.Join(' ', secrets.Select(s => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(s[SecretPrefix.Length..]), signed))));
    }

    /// <summary>The id of the delivery of an event to an endpoint: the same for each attempt and replay, whatever is no longer kept.</summary>
    /// <param name="endpointId">The endpoint.</param>
    /// <param name="eventId">The event.</param>
    public static Guid DeliveryId(Guid endpointId, Guid eventId)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData([.. endpointId.ToByteArray(bigEndian: true), .. eventId.ToByteArray(bigEndian: true)], hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}
