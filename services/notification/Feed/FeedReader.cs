using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Notifications.Feed;

/// <summary>A page of a feed.</summary>
/// <param name="Events">Events with their positions, oldest first.</param>
/// <param name="Position">Position after which the next page begins; beyond the last event when others were left out.</param>
/// <param name="More">Whether wanted events follow.</param>
/// <param name="Undelivered">Whether transmissions up to the position after which it was read are not yet known to be delivered.</param>
internal sealed record FeedPage(IReadOnlyList<(long Position, Event Event)> Events, long Position, bool More, bool Undelivered);

/// <summary>Reads feeds, a page at a time.</summary>
internal sealed class FeedReader(TenantStore store)
{
    // One statement, one snapshot: a head read apart from its events could promise an event that the page does not have, or
    // hide that retention took one between the two.
    private const string Page = """
        select h.last_position, h.trimmed_to, e.position, e.event_id, e.type, e.aggregate_id, e.aggregate_version,
               e.occurred_at, e.recorded_at, e.data, e.action_required,
               exists (select from undelivered_transmissions u where u.organisation_id = h.organisation_id and u.position <= @after)
        from feed_heads h
        left join lateral (
            select * from feed_events f
            where f.organisation_id = h.organisation_id and f.position > @after and (cardinality(@types) = 0 or f.type = any(@types))
            order by f.position limit @limit) e on true
        where h.organisation_id = @organisation
        order by e.position
        """;

    /// <summary>Reads the page after a position.</summary>
    /// <param name="caller">Whose feed.</param>
    /// <param name="after">Position already handled; null to begin with the oldest event kept.</param>
    /// <param name="types">Wanted types; none for all.</param>
    /// <param name="size">Most events.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">RESUME_TOKEN_EXPIRED: what follows the position is not kept, or was lost with the database.</exception>
    public async Task<FeedPage> ReadAsync(Caller caller, long? after, string[] types, int size, CancellationToken ct)
    {
        await using var reader = await store.ReadAsync(
            caller,
            Page,
            [
                new NpgsqlParameter<Guid>("organisation", caller.OrganisationId), new NpgsqlParameter<long>("after", after ?? 0),
                new NpgsqlParameter<string[]>("types", types), new NpgsqlParameter<int>("limit", size + 1),
            ],
            ct);

        var events = new List<(long, Event)>();
        var (head, trimmed, undelivered) = (0L, 0L, false);
        while (await reader.ReadAsync(ct))
        {
            (head, trimmed, undelivered) = (reader.GetInt64(0), reader.GetInt64(1), reader.GetBoolean(11));
            if (!await reader.IsDBNullAsync(2, ct))
            {
                events.Add((reader.GetInt64(2), ReadEvent(reader)));
            }
        }

        // A token beyond the head comes from a feed that was restored to an earlier state: what it skipped is unknown.
        if (after < trimmed || after > head)
        {
            throw DomainError.ResumeTokenExpired();
        }

        if (events.Count <= size)
        {
            return new FeedPage(events, head, false, undelivered);
        }

        events.RemoveAt(size);
        return new FeedPage(events, events[^1].Item1, true, undelivered);
    }

    private static Event ReadEvent(NpgsqlDataReader reader) => new()
    {
        EventId = reader.GetGuid(3).ToString(),
        Type = reader.GetString(4),
        AggregateId = reader.GetGuid(5).ToString(),
        AggregateVersion = reader.GetInt64(6),
        OccurredTime = reader.GetFieldValue<DateTimeOffset>(7).ToProto(),
        RecordedTime = reader.GetFieldValue<DateTimeOffset>(8).ToProto(),
        Data = EventData.Read(reader.GetFieldValue<byte[]>(9)),
        ActionRequired = reader.GetBoolean(10),
    };
}
