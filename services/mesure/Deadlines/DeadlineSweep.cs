using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Deadlines;

/// <summary>Configuration section "Deadlines".</summary>
internal sealed class DeadlineOptions
{
    /// <summary>How often deadlines that have passed are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>
/// Tells of deadlines that have passed, each once for each due time: the note that it was told stands in the transaction of the
/// event. Every replica looks; rows that another one has are left to it. Before, deadlines that an older table computed are
/// computed anew.
/// </summary>
internal sealed class DeadlineSweep(
    NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal signal, IOptions<DeadlineOptions> options, TimeProvider clock,
    ILogger<DeadlineSweep> logger) : BackgroundService
{
    private const int Portion = 200;

    private const string Raise = """
        with due as (
            select mesure_id, kind, due_at from deadlines where due_at <= $1 and raised_at is null order by due_at limit $2 for update skip locked)
        update deadlines d set raised_at = $1 from due, mesures m
        where d.mesure_id = due.mesure_id and d.kind = due.kind and d.due_at = due.due_at and m.id = d.mesure_id
        returning d.mesure_id, d.kind, d.must_act, d.due_at, m.version, m.juridiction_id, m.espace_id, m.gestionnaire_id, m.state, m.holder, m.decision_modalite
        """;

    // Open ones, and closed ones of which a danger was told to nobody: each part by an index of its own.
    private const string Unplanned = """
        select from mesures where state <> 'CLOTUREE' and deadlines_version < $1
        union all select from mesures where state = 'CLOTUREE' and dangers_untold > 0 and deadlines_version < $1
        """;

    private bool _planned;

    /// <summary>Tells everything that is due now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Deadlines told.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        while (!_planned)
        {
            _planned = !await source.AnyAsync(Unplanned, [DeadlineTable.Version], ct) || await PlanAsync(ct) == 0;
        }

        var total = 0;
        var raised = Portion;
        while (raised == Portion && await source.AnyAsync("select from deadlines where due_at <= $1 and raised_at is null", [clock.GetStoredNow()], ct))
        {
            raised = await RaiseAsync(ct);
            total += raised;
        }

        return total;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SweepInterval, SweepAsync, logger, "deadlines could not be told", stoppingToken);

    private async Task<int> RaiseAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = clock.GetStoredNow();
        var raised = 0;
        await using (var command = new NpgsqlCommand(Raise, (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction())
        {
            Parameters = { new NpgsqlParameter<DateTimeOffset> { TypedValue = now }, new NpgsqlParameter<int> { TypedValue = Portion } },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                db.Publish(ToEvent(reader, now));
                raised++;
            }
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        if (raised > 0)
        {
            signal.Notify();
        }

        return raised;
    }

    private static DeadlineDue ToEvent(NpgsqlDataReader row, DateTimeOffset now)
    {
        var kind = row.GetString(1);
        return new DeadlineDue
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = row.GetGuid(0),
            AggregateVersion = row.GetInt64(4),
            OccurredAt = row.GetFieldValue<DateTimeOffset>(3),
            RecordedAt = now,
            JuridictionId = Id(5),
            EspaceId = Id(6),
            GestionnaireId = Id(7),
            State = row.GetString(8),
            Holder = row.GetString(9),
            Modalite = row.GetString(10) is var modalite && modalite == "UNSPECIFIED" ? null : modalite,
            Deadline = kind,
            DueAt = row.GetFieldValue<DateTimeOffset>(3),
            MustAct = row.GetString(2),
            Escalated = DeadlineTable.Escalates(ProtoConversions.FromCode<DeadlineKind>(kind)),
        };

        Guid? Id(int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
    }

    /// <summary>Computes the deadlines of mesures that an older table computed, or none; the number of them.</summary>
    private async Task<int> PlanAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var ids = await db.Database.SqlQuery<Guid>($"""
            select id from mesures where state <> 'CLOTUREE' and deadlines_version < {DeadlineTable.Version} limit {Portion} for update skip locked
            """).ToListAsync(ct);
        if (ids.Count == 0)
        {
            ids = await db.Database.SqlQuery<Guid>($"""
                select id from mesures where state = 'CLOTUREE' and dangers_untold > 0 and deadlines_version < {DeadlineTable.Version} limit {Portion} for update skip locked
                """).ToListAsync(ct);
        }

        foreach (var mesure in await db.Mesures.Where(m => ids.Contains(m.Id)).ToListAsync(ct))
        {
            await db.PlanDeadlinesAsync(mesure, ct);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        return ids.Count;
    }
}
