using Google.Protobuf;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Directory.Search;

/// <summary>
/// The directory as it stood at the end of days gone by, read from the history when a search asks for it. A few are kept; one
/// is read at a time, and who comes second finds it done.
/// </summary>
internal sealed class PastSnapshots(NpgsqlDataSource source) : IDisposable
{
    private const int MostKept = 4;

    // For each espace and group the last thing said or removed, and the last confirmation: two probes of an index each.
    private const string LastWords = """
        select e.id, k.espace_group, k.key, said.content, greatest(said.confirmed_at, heard.confirmed_at)
        from espaces e
        cross join unnest($1, $2) as k (espace_group, key)
        cross join lateral (
            select c.kind, c.content, c.confirmed_at from espace_changes c where c.espace_id = e.id and c.espace_group = k.espace_group and c.key = k.key
                and c.recorded_at < $3 and c.kind <> 'CONFIRMED' order by c.recorded_at desc, c.sequence desc limit 1) said
        cross join lateral (
            select c.confirmed_at from espace_changes c where c.espace_id = e.id and c.espace_group = k.espace_group and c.key = k.key
                and c.recorded_at < $3 order by c.recorded_at desc, c.sequence desc limit 1) heard
        where said.kind = 'SAID' and said.content is not null
        """;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<(DateOnly Day, Snapshot Snapshot)> _kept = [];

    /// <summary>The directory as it stood at the end of a day in Paris.</summary>
    /// <param name="day">The day, before today.</param>
    /// <param name="current">The directory as it stands: of it come reference data and school holidays.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<Snapshot> GetAsync(DateOnly day, Snapshot current, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            // A change of today may be one of that day too: it is recorded when its transaction begins.
            if (_kept.Find(k => k.Day == day && k.Snapshot.Revision == current.Revision) is { Snapshot: { } known })
                return known;
            var empty = Snapshot.Empty(current.Geography, current.Calendar);
            var past = empty.With(current.Revision, await ReadAsync(day, empty, ct));
            _kept.RemoveAll(k => k.Day == day);
            if (_kept.Count == MostKept)
                _kept.RemoveAt(0);
            _kept.Add((day, past));
            return past;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private async Task<IReadOnlyCollection<SearchedEspace>> ReadAsync(DateOnly day, Snapshot empty, CancellationToken ct)
    {
        var espaces = new Dictionary<Guid, (List<IMessage> Documents, Dictionary<Modalite, DateOnly> Confirmed)>();
        await using (var command = source.CreateCommand(LastWords))
        {
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. EspaceHistory.Keys.Select(k => k.Group)] });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. EspaceHistory.Keys.Select(k => k.Key)] });
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = day.AddDays(1).StartInParis().ToUniversalTime() });
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                if (!espaces.TryGetValue(reader.GetGuid(0), out var espace))
                    espaces.Add(reader.GetGuid(0), espace = ([], []));
                espace.Documents.Add(Espace.Parser.ParseFrom(reader.GetFieldValue<byte[]>(3)));
                if (reader.GetString(1) == EspaceGroup.Modalite.ToCode())
                    espace.Confirmed.Add(ProtoConversions.FromCode<Modalite>(reader.GetString(2)), reader.GetFieldValue<DateTimeOffset>(4).DayInParis());
            }
        }
        var parts = new Dictionary<Guid, SearchedParts>(espaces.Count);
        foreach (var (id, (documents, confirmed)) in espaces)
        {
            // Without a name or a lieu nothing of it was recorded yet that could be found.
            if (GroupDocuments.Merge(documents) is { Name.Length: > 0, Lieux.Count: > 0 } espace)
                parts.Add(id, SearchedParts.Of(id, espace, confirmed, empty.Geography));
        }
        await using (var command = source.CreateCommand($"""
            select r.espace_id, {SearchedParts.ReceivedColumns} from mesure_receptions r
            where r.received_on > $1 - {SearchedParts.ReceivedDays} and r.received_on <= $1 order by r.espace_id, r.modalite, r.received_on
            """))
        {
            command.Parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = day });
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                if (parts.TryGetValue(reader.GetGuid(0), out var espace))
                    espace.Receive(reader, 1);
            }
        }
        return [.. parts.Values.Select(p => p.Build(empty.Geography.Travel, empty.Calendar, empty.Forecasts))];
    }
}
