using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Benchmarks;

/// <summary>
/// The floor of a batch of the intake: the same reads, the same rows and the same answer by prepared commands and binary COPY of
/// Npgsql in one transaction. No domain, no EF; it knows only this one case, contacts that change no state, and trusts its input.
/// </summary>
internal sealed class StatusFloor(NpgsqlDataSource source, OutboxSignal signal, TimeProvider clock) : IntakeService.IntakeServiceBase
{
    private const string Read = """
        select m.id, m.version, m.juridiction_id, m.espace_id, m.decision_modalite from mesures m
        where m.id = any($1) and m.gestionnaire_id = $2 and m.state = 'EN_ATTENTE'
        """;

    private const string ReadKnown = """
        select 1 from unnest($1, $2) as k (s, e) join intake_items i on i.gestionnaire_id = $3 and i.source_system = k.s and i.external_id = k.e and i.taken limit 1
        """;

    private const string ReadSequences = "select mesure_id, next_sequence, version from intake_sequences where mesure_id = any($1) and source_system = $2";

    private const string ReadAhead = """
        select 1 from intake_sequences s join intake_items i on i.mesure_id = s.mesure_id and i.source_system = s.source_system and i.sequence >= s.next_sequence and i.taken
        where s.mesure_id = any($1) and s.source_system = $2 limit 1
        """;

    private const string SetSequences = """
        insert into intake_sequences as s (mesure_id, source_system, next_sequence, version) select m, $2, n, v from unnest($1, $3, $4) as k (m, n, v)
        on conflict (mesure_id, source_system) do update set next_sequence = excluded.next_sequence, version = excluded.version where s.version = excluded.version - 1
        """;

    private const string SetMesures = """
        update mesures m set version = v.version, updated_at = $5, first_attempt_at = least(m.first_attempt_at, v.attempted_at)
        from unnest($1, $2, $3, $4) as v (id, version, loaded, attempted_at) where m.id = v.id and m.version = v.loaded
        """;

    private const string SetSource = """
        insert into intake_sources (gestionnaire_id, source_system, last_day, gaps, silent_after, silences, silence_told) values ($1, $2, $3, '{}', $3 + 14, 0, false)
        on conflict (gestionnaire_id, source_system) do nothing
        """;

    private const string ReadSource = "select last_day from intake_sources where gestionnaire_id = $1 and source_system = $2";

    private const string CopyFacts = """
        copy mesure_facts (id, mesure_id, version, act, occurred_at, recorded_at, actor_organisation_id, actor_subject, details, source_system, external_id) from stdin (format binary)
        """;

    private const string CopyOutbox = "copy outbox_messages (message_id, message_type, ordering_key, payload, headers, occurred_at) from stdin (format binary)";

    private const string CopyItems = """
        copy intake_items (gestionnaire_id, source_system, external_id, sequence, mesure_id, act, occurred_at, received_at, decided_at, subject, request_id, taken,
            content_hash, result, reason, description, gap_before) from stdin (format binary)
        """;

    private const string InsertRequest = "insert into processed_requests (caller, request_id, method, request_hash, response, created_at) values ($1, $2, $3, $4, $5, $6)";

    private const string InsertJournal = """
        insert into journal.entries (subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, resources, purpose, outcome, is_write, trace_id)
        values ($1, $2, $3, $4, false, null, $5, $6, null, 'OK', true, $7)
        """;

    public override async Task<ReportStatusResponse> ReportStatus(ReportStatusRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var now = clock.GetStoredNow();
        var requestId = Guid.ParseExact(request.RequestId, "D");
        var hash = SHA256.HashData(request.ToByteArray());
        var items = request.Items.Select(i => (Item: i, MesureId: Guid.ParseExact(i.MesureId, "D"), OccurredAt: i.OccurredTime.ToDateTimeOffset())).ToList();
        Guid[] ids = [.. items.Select(i => i.MesureId).Distinct()];
        string[] systems = [.. items.Select(i => i.Item.SourceSystem)];
        string[] names = [.. items.Select(i => i.Item.ExternalId)];
        var system = systems[0];

        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var mesures = await MesuresAsync(connection, ids, caller.OrganisationId, ct);
        var sequences = await SequencesAsync(connection, ids, system, ct);
        if (mesures.Count != ids.Length || await FindsAsync(connection, ReadKnown, ct, Value(systems), Value(names), Value(caller.OrganisationId))
            || await FindsAsync(connection, ReadAhead, ct, Value(ids), Value(system)))
            throw new InvalidOperationException("the floor knows only items that are applied at once");

        var response = new ReportStatusResponse();
        var facts = new List<(Guid Id, long Version, StatusItem Item, Guid MesureId, DateTimeOffset OccurredAt, string Payload)>(items.Count);
        foreach (var (item, id, occurredAt) in items)
        {
            var mesure = mesures[id];
            mesure.Version++;
            mesure.AttemptedAt = occurredAt < mesure.AttemptedAt ? occurredAt : mesure.AttemptedAt;
            var message = new ContactRecorded
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = id,
                AggregateVersion = mesure.Version,
                OccurredAt = occurredAt,
                RecordedAt = now,
                CorrelationId = Activity.Current?.TraceId.ToString(),
                JuridictionId = mesure.JuridictionId,
                EspaceId = mesure.EspaceId,
                GestionnaireId = caller.OrganisationId,
                State = "EN_ATTENTE",
                Holder = "ESPACE",
                Modalite = mesure.Modalite,
                PartyRole = "HOTE",
                Reached = false,
            };
            facts.Add((message.EventId, mesure.Version, item, id, occurredAt, JsonSerializer.Serialize(message, EventTypes.Json)));
            var (next, version) = sequences.GetValueOrDefault(id, (1, 0));
            if (item.Sequence != next)
                throw new InvalidOperationException("the floor knows no gaps");
            sequences[id] = (next + 1, version);
            response.Results.Add(new ItemResult { Result = IntakeResult.Applied, State = MesureState.EnAttente });
        }

        await WriteAsync(connection, SetSequences, ct, Value(ids), Value(system), Value<long[]>([.. ids.Select(i => sequences[i].Next)]), Value<long[]>([.. ids.Select(i => sequences[i].Version + 1)]));
        await using (var copy = await connection.BeginBinaryImportAsync(CopyFacts, ct))
        {
            foreach (var (id, version, item, mesureId, occurredAt, _) in facts)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(id, ct);
                await copy.WriteAsync(mesureId, ct);
                await copy.WriteAsync(version, ct);
                await copy.WriteAsync("CONTACT_ATTEMPTED", ct);
                await copy.WriteAsync(occurredAt, ct);
                await copy.WriteAsync(now, ct);
                await copy.WriteAsync(caller.OrganisationId, ct);
                await copy.WriteAsync(caller.Subject, ct);
                await copy.WriteAsync("""{"partyRole":"HOTE"}""", NpgsqlDbType.Jsonb, ct);
                await copy.WriteAsync(item.SourceSystem, ct);
                await copy.WriteAsync(item.ExternalId, ct);
            }

            await copy.CompleteAsync(ct);
        }

        await WriteAsync(connection, SetMesures, ct, Value(ids), Value<long[]>([.. ids.Select(i => mesures[i].Version)]), Value<long[]>([.. ids.Select(i => mesures[i].Loaded)]),
            Value<DateTimeOffset[]>([.. ids.Select(i => mesures[i].AttemptedAt)]), Value(now));
        var headers = Activity.Current is { } activity ? JsonSerializer.Serialize(new Dictionary<string, string> { ["traceparent"] = activity.Id! }) : "{}";
        await using (var copy = await connection.BeginBinaryImportAsync(CopyOutbox, ct))
        {
            foreach (var (id, _, _, mesureId, occurredAt, payload) in facts)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(id, ct);
                await copy.WriteAsync("mesure.contact-recorded.v1", ct);
                await copy.WriteAsync(mesureId, ct);
                await copy.WriteAsync(payload, NpgsqlDbType.Jsonb, ct);
                await copy.WriteAsync(headers, NpgsqlDbType.Jsonb, ct);
                await copy.WriteAsync(occurredAt, ct);
            }

            await copy.CompleteAsync(ct);
        }

        await using (var copy = await connection.BeginBinaryImportAsync(CopyItems, ct))
        {
            foreach (var (_, _, item, mesureId, occurredAt, _) in facts)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(caller.OrganisationId, ct);
                await copy.WriteAsync(item.SourceSystem, ct);
                await copy.WriteAsync(item.ExternalId, ct);
                await copy.WriteAsync(item.Sequence, ct);
                await copy.WriteAsync(mesureId, ct);
                await copy.WriteAsync("CONTACT_ATTEMPTED", ct);
                await copy.WriteAsync(occurredAt, ct);
                await copy.WriteAsync(now, ct);
                await copy.WriteAsync(now, ct);
                await copy.WriteAsync(caller.Subject, ct);
                await copy.WriteAsync(requestId, ct);
                await copy.WriteAsync(true, ct);
                await copy.WriteAsync(new Guid(SHA256.HashData(item.ToByteArray()).AsSpan(0, 16)), ct);
                await copy.WriteAsync("APPLIED", ct);
                await copy.WriteAsync("UNSPECIFIED", ct);
                await copy.WriteAsync("", ct);
                await copy.WriteAsync(0L, ct);
            }

            await copy.CompleteAsync(ct);
        }

        if (!await FindsAsync(connection, ReadSource, ct, Value(caller.OrganisationId), Value(system)))
            await WriteAsync(connection, SetSource, ct, Value(caller.OrganisationId), Value(system), Value(clock.TodayInParis()));
        await using (var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                Command(InsertRequest, Value(caller.Subject), Value(requestId), Value(context.Method), Value(hash), Value(response.ToByteArray()), Value(now)),
                Command(
                    InsertJournal, Value(caller.Subject), Value(caller.Issuer!), Value(caller.Role), Value(caller.OrganisationId), Value(context.Method),
                    Value<string[]>([$"intake/{requestId}", .. ids.Select(id => $"mesures/{id}")]), Value(Activity.Current!.TraceId.ToHexString())),
            },
        })
            await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        signal.Notify();
        return response;
    }

    private static async Task<Dictionary<Guid, Known>> MesuresAsync(NpgsqlConnection connection, Guid[] ids, Guid gestionnaireId, CancellationToken ct)
    {
        var mesures = new Dictionary<Guid, Known>(ids.Length);
        await using var command = new NpgsqlCommand(Read, connection) { Parameters = { Value(ids), Value(gestionnaireId) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            mesures.Add(reader.GetGuid(0), new Known(reader.GetInt64(1), reader.GetGuid(2), reader.GetGuid(3), reader.GetString(4)));
        return mesures;
    }

    private static async Task<Dictionary<Guid, (long Next, long Version)>> SequencesAsync(NpgsqlConnection connection, Guid[] ids, string system, CancellationToken ct)
    {
        var sequences = new Dictionary<Guid, (long Next, long Version)>(ids.Length);
        await using var command = new NpgsqlCommand(ReadSequences, connection) { Parameters = { Value(ids), Value(system) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            sequences.Add(reader.GetGuid(0), (reader.GetInt64(1), reader.GetInt64(2)));
        return sequences;
    }

    private static async Task<bool> FindsAsync(NpgsqlConnection connection, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteScalarAsync(ct) is not null;
    }

    private static async Task WriteAsync(NpgsqlConnection connection, string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlBatchCommand Command(string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private sealed class Known(long version, Guid juridictionId, Guid espaceId, string modalite)
    {
        public long Loaded { get; } = version;

        public long Version { get; set; } = version;

        public DateTimeOffset AttemptedAt { get; set; } = DateTimeOffset.MaxValue;

        public Guid JuridictionId { get; } = juridictionId;

        public Guid EspaceId { get; } = espaceId;

        public string Modalite { get; } = modalite;
    }
}
