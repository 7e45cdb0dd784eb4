using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Benchmarks;

/// <summary>
/// The floor of a transmission: the same reads, the same rows and the same answer by prepared commands of Npgsql, the writes in
/// one batch of one transaction. No domain, no EF; it reads only the columns that it needs and knows only this one case.
/// </summary>
internal sealed class TransmitFloor(NpgsqlDataSource source, OutboxSignal signal, TimeProvider clock) : MesureService.MesureServiceBase
{
    private const string ReadMesure = """
        select state, version, reference, nature, juridiction_id, espace_id, decision_date, decision_modalite, defects, open_difficulties, term, created_at
        from mesures where id = $1
        """;

    private const string ReadEspace = "select gestionnaire_id, agrement_periods, time_zone, departement from espaces where id = $1";

    private const string SetTransmitted = """
        update mesures set state = 'TRANSMISE', holder = 'ESPACE', holder_since = $3, transmitted_at = $3, updated_at = $3,
            espace_id = $4, gestionnaire_id = $5, version = $2 + 1, espace_time_zone = 'Europe/Paris', espace_departement = '69', next_due_at = $3 + interval '12 hours'
        where id = $1 and version = $2
        """;

    private const string InsertFact = """
        insert into mesure_facts (id, mesure_id, version, act, occurred_at, recorded_at, actor_organisation_id, actor_subject, details)
        values ($1, $2, $3, 'TRANSMIT', $4, $4, $5, $6, '{}')
        """;

    private const string InsertOutbox = """
        insert into outbox_messages (message_id, message_type, ordering_key, payload, headers, occurred_at) values ($1, $2, $3, $4, $5, $6) returning id
        """;

    private const string InsertRequest = """
        insert into processed_requests (caller, request_id, method, request_hash, response, created_at) values ($1, $2, $3, $4, $5, $6)
        """;

    private const string InsertJournal = """
        insert into journal.entries (subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, resources, purpose, outcome, is_write, trace_id)
        values ($1, $2, $3, $4, false, null, $5, $6, null, 'OK', true, $7)
        """;

    // The days of these are looked up in no calendar here.
    private const string SetDeadlines = """
        with gone as (delete from deadlines where mesure_id = $1 and kind <> all($2))
        insert into deadlines (mesure_id, kind, must_act, due_at, remind_at) select $1, p.kind, p.must_act, p.due_at, p.due_at from unnest($2, $3, $4) as p (kind, must_act, due_at)
        on conflict (mesure_id, kind, due_at) do nothing
        """;

    private static readonly string[] s_kinds = ["DELIVERY_WARNING", "DELIVERY_FAILED", "RETRIEVAL", "ACKNOWLEDGE", "TERM_IN_THREE_MONTHS", "TERM_IN_ONE_MONTH", "EXPIRES_BEFORE_VISIT", "TERM_IN_ONE_WEEK", "TERM_PASSED"];
    private static readonly string[] s_mustAct = ["JURIDICTION", "JURIDICTION", "ESPACE", "ESPACE", "JURIDICTION", "JURIDICTION", "JURIDICTION", "JURIDICTION", "ESPACE"];

    private sealed record Period(DateOnly From, DateOnly? To);

    public override async Task<TransmitMesureResponse> TransmitMesure(TransmitMesureRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var id = Guid.ParseExact(request.MesureId, "D");
        var requestId = Guid.ParseExact(request.RequestId, "D");
        var hash = SHA256.HashData(request.ToByteArray());
        var now = clock.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));

        await using var connection = await source.OpenConnectionAsync(ct);
        var summary = await ReadAsync(connection, id, caller, now, ct);
        var (espaceId, version) = (Guid.Parse(summary.Mesure.EspaceId), summary.Version);
        var gestionnaireId = await ApproveAsync(connection, espaceId, summary.Decided, ct);
        summary.Mesure.GestionnaireId = gestionnaireId.ToString();
        var response = new TransmitMesureResponse { Mesure = summary.Mesure };
        var message = new MesureTransmitted
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = id,
            AggregateVersion = version + 1,
            OccurredAt = now,
            RecordedAt = now,
            CorrelationId = Activity.Current?.TraceId.ToString(),
            JuridictionId = caller.OrganisationId,
            EspaceId = espaceId,
            GestionnaireId = gestionnaireId,
            State = "TRANSMISE",
            Holder = "ESPACE",
            Modalite = summary.Modalite,
            DecisionDate = summary.Decided,
        };

        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                Command(SetTransmitted, Value(id), Value(version), Value(now), Value(espaceId), Value(gestionnaireId)),
                Command(
                    SetDeadlines, Value(id), Value(s_kinds), Value(s_mustAct),
                    Value<DateTimeOffset[]>([now.AddHours(12), now.AddHours(24), now.AddDays(3), now.AddDays(5), now.AddDays(270), now.AddDays(330), now.AddDays(330), now.AddDays(353), now.AddDays(360)])),
                Command(InsertFact, Value(message.EventId), Value(id), Value(version + 1), Value(now), Value(caller.OrganisationId), Value(caller.Subject)),
                Command(
                    InsertOutbox, Value(message.EventId), Value("mesure.mesure-transmitted.v1"), Value(id), Json(JsonSerializer.Serialize(message, EventTypes.Json)),
                    Json(Activity.Current is { } activity ? JsonSerializer.Serialize(new Dictionary<string, string> { ["traceparent"] = activity.Id! }) : "{}"), Value(now)),
                Command(
                    InsertRequest, Value(caller.Subject), Value(requestId), Value(context.Method), Value(hash), Value(response.ToByteArray()), Value(now)),
                Command(
                    InsertJournal, Value(caller.Subject), Value(caller.Issuer!), Value(caller.Role), Value(caller.OrganisationId), Value(context.Method),
                    Value<string[]>([$"mesures/{id}"]), Value(Activity.Current!.TraceId.ToHexString())),
            },
        })
        {
            await batch.ExecuteNonQueryAsync(ct);
            if (batch.BatchCommands[0].RecordsAffected != 1)
                throw DomainError.EtagMismatch();
        }

        await transaction.CommitAsync(CancellationToken.None);
        signal.Notify();
        return response;
    }

    private static async Task<(MesureSummary Mesure, long Version, DateOnly Decided, string Modalite)> ReadAsync(
        NpgsqlConnection connection, Guid id, Caller caller, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(ReadMesure, connection) { Parameters = { Value(id) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            throw DomainError.Forbidden();
        caller.Require(reader.GetGuid(4));
        if (reader.GetString(0) != "COMPLETEE")
            throw DomainError.StateForbids(reader.GetString(0), "TRANSMIT");
        var version = reader.GetInt64(1);
        var modalite = reader.GetString(7);
        return (new MesureSummary
        {
            MesureId = id.ToString(),
            Reference = reader.GetString(2),
            State = MesureState.Transmise,
            Nature = ProtoConversions.FromCode<MesureNature>(reader.GetString(3)),
            JuridictionId = reader.GetGuid(4).ToString(),
            EspaceId = reader.GetGuid(5).ToString(),
            Modalite = ProtoConversions.FromCode<Modalite>(modalite),
            Holder = Holder.Espace,
            HolderSinceTime = now.ToProto(),
            OpenDifficultyCount = reader.GetInt32(9),
            TermDate = reader.IsDBNull(10) ? null : reader.GetFieldValue<DateOnly>(10).ToProto(),
            DefectCount = reader.GetFieldValue<string[]>(8).Length,
            CreateTime = reader.GetFieldValue<DateTimeOffset>(11).ToProto(),
            UpdateTime = now.ToProto(),
            Etag = (version + 1).ToEtag(),
        }, version, reader.GetFieldValue<DateOnly>(6), modalite);
    }

    private static async Task<Guid> ApproveAsync(NpgsqlConnection connection, Guid espaceId, DateOnly decided, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(ReadEspace, connection) { Parameters = { Value(espaceId) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            throw DomainError.EspaceNotDesignable(espaceId, "it is not known to Jafer");
        var periods = JsonSerializer.Deserialize<Period[]>(reader.GetString(1), EventTypes.Json)!;
        return periods.Any(p => p.From <= decided && (p.To is null || decided <= p.To))
            ? reader.GetGuid(0)
            : throw new InvalidOperationException("the floor knows no defects");
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter<string> Json(string value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Jsonb };
}
