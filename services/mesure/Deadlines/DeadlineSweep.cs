using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using MesureEvent = Jafer.Contracts.Events.MesureEvent;
using Reminder = Jafer.ServiceDefaults.Reminders.Reminder;

namespace Jafer.Mesures.Deadlines;

/// <summary>Configuration section "Deadlines".</summary>
internal sealed class DeadlineOptions
{
    /// <summary>How often deadlines that have passed are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>
/// Tells of deadlines that have passed, each once for each due time, and reminds of those that stay missed, by the ladder of their
/// kind: what was told, and when the next reminder is due, stand in the transaction of the event. Every replica looks; rows that
/// another one has are left to it. After a stop each deadline gets its next reminder alone, and the one after that counts from it.
/// Before, deadlines that an older table computed are computed anew.
/// </summary>
internal sealed class DeadlineSweep(
    NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal signal, IOptions<DeadlineOptions> options, IOptions<ReminderOptions> reminders,
    TimeProvider clock, ILogger<DeadlineSweep> logger) : BackgroundService
{
    private const int Portion = 200;

    // A deadline that was lifted and runs again goes on where its ladder stopped, as long after the last reminder as it says.
    private const string Due = """
        select d.mesure_id, d.kind, d.must_act, d.due_at, d.urgent, d.raised_at, r.rung, r.number, r.reminded_at, m.version, m.juridiction_id, m.espace_id, m.gestionnaire_id, m.state,
            m.holder, m.decision_modalite, m.espace_time_zone, m.espace_departement, m.reference
        from deadlines d join mesures m on m.id = d.mesure_id
        left join lateral (
            select rung, number, reminded_at from reminders r
            where r.mesure_id = d.mesure_id and r.kind = d.kind and r.due_at = d.due_at order by r.reminded_at desc, r.id desc limit 1) r on true
        where d.remind_at <= $1 order by d.remind_at limit $2 for update of d skip locked
        """;

    // Open ones, and closed ones of which a danger was told to nobody: each part by an index of its own.
    private const string Unplanned = """
        select from mesures where state <> 'CLOTUREE' and deadlines_version < $1
        union all select from mesures where state = 'CLOTUREE' and dangers_untold > 0 and deadlines_version < $1
        """;

    private bool _planned;

    /// <summary>Tells everything that is due now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Deadlines told and reminders.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        while (!_planned)
        {
            _planned = !await source.AnyAsync(Unplanned, [DeadlineTable.Version], ct) || await PlanAsync(ct) == 0;
        }

        var total = 0;
        var raised = reminders.Value.Enabled ? Portion : 0;
        while (raised == Portion && await source.AnyAsync("select from deadlines where remind_at <= $1", [clock.GetStoredNow()], ct))
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
        var missed = new List<Missed>();
        await using (var command = new NpgsqlCommand(Due, (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction())
        {
            Parameters = { new NpgsqlParameter<DateTimeOffset> { TypedValue = now }, new NpgsqlParameter<int> { TypedValue = Portion } },
        })
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                missed.Add(Missed.Read(reader, now));
            }
        }

        foreach (var deadline in missed)
        {
            if (deadline.Sent is { } sent)
            {
                db.Publish(deadline.ToEvent(sent));
                db.Append(sent);
            }
        }

        if (missed.Count > 0)
        {
            db.Append(new Noted(missed, now));
            db.JournalOwnWork("deadlines");
            await db.SaveChangesAsync(ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        if (missed.Exists(d => d.Sent is not null))
        {
            signal.Notify();
        }

        return missed.Count;
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
            await db.PlanDeadlinesAsync(mesure, clock.GetStoredNow(), ct);
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        return ids.Count;
    }

    /// <summary>A deadline whose next reminder is due.</summary>
    private sealed record Missed(Guid MesureId, DeadlineKind Kind, Holder MustAct, DateTimeOffset DueAt, bool Urgent, bool Told)
    {
        /// <summary>The reminder that goes out; null where it waits until people work, or where none is left.</summary>
        public SentReminder? Sent { get; private init; }

        /// <summary>When the next one is due; null after the last.</summary>
        public DateTimeOffset? RemindAt { get; private init; }

        /// <summary>The mesure as it is, for the event.</summary>
        public required MesureEvent Header { get; init; }

        public static Missed Read(NpgsqlDataReader row, DateTimeOffset now)
        {
            var deadline = new Missed(
                row.GetGuid(0), ProtoConversions.FromCode<DeadlineKind>(row.GetString(1)), ProtoConversions.FromCode<Holder>(row.GetString(2)),
                row.GetFieldValue<DateTimeOffset>(3), row.GetBoolean(4), Told: !row.IsDBNull(5))
            {
                Header = EventTypes.Blank<DeadlineDue>() with
                {
                    EventId = Guid.CreateVersion7(now),
                    AggregateId = row.GetGuid(0),
                    AggregateVersion = row.GetInt64(9),
                    RecordedAt = now,
                    JuridictionId = Id(10),
                    EspaceId = Id(11),
                    GestionnaireId = Id(12),
                    State = row.GetString(13),
                    Holder = row.GetString(14),
                    Modalite = row.GetString(15) is var modalite && modalite == "UNSPECIFIED" ? null : modalite,
                },
            };
            var last = row.IsDBNull(6)
                ? (Reminder?)null
                : new Reminder(ProtoConversions.FromCode<ReminderRung>(row.GetString(6)), row.GetInt32(7), row.GetFieldValue<DateTimeOffset>(8));
            return deadline.Decide(last, DeadlineTable.CalendarOf(deadline.MustAct, row.GetString(18), Text(16), Text(17)), now);

            Guid? Id(int column) => row.IsDBNull(column) ? null : row.GetGuid(column);

            string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
        }

        /// <summary>What is told of it.</summary>
        public MesureEvent ToEvent(SentReminder sent) => (Told
            ? EventTypes.Blank<ReminderDue>() with
            {
                Deadline = Kind.ToCode(),
                DueAt = DueAt,
                MustAct = MustAct.ToCode(),
                Urgent = Urgent,
                Rung = sent.Rung.ToCode(),
                Reminder = sent.Number,
            }
            : (MesureEvent)(EventTypes.Blank<DeadlineDue>() with
            {
                Deadline = Kind.ToCode(),
                DueAt = DueAt,
                MustAct = MustAct.ToCode(),
                Escalated = DeadlineTable.Escalates(Kind),
                Urgent = Urgent,
                Rung = sent.Rung.ToCode(),
                Reminder = sent.Number,
            })) with
        {
            EventId = sent.Id,
            AggregateId = MesureId,
            AggregateVersion = Header.AggregateVersion,
            OccurredAt = Told ? sent.RemindedAt : DueAt,
            RecordedAt = sent.RemindedAt,
            JuridictionId = Header.JuridictionId,
            EspaceId = Header.EspaceId,
            GestionnaireId = Header.GestionnaireId,
            State = Header.State,
            Holder = Header.Holder,
            Modalite = Header.Modalite,
        };

        private Missed Decide(Reminder? last, WorkingCalendar calendar, DateTimeOffset now)
        {
            var ladder = ReminderTable.Of(Kind, Urgent);
            if ((last is { } before ? ladder.After(before, calendar) : ladder.First(DueAt, calendar)) is not { } next)
            {
                return this;
            }

            if (ladder.NotBefore(next, now, calendar) is var later && later > now)
            {
                return this with { RemindAt = later };
            }

            var sent = new SentReminder
            {
                Id = Header.EventId,
                MesureId = MesureId,
                Kind = Kind,
                DueAt = DueAt,
                MustAct = MustAct,
                Rung = next.Rung,
                Number = next.Number,
                RemindedAt = now,
            };
            return this with { Sent = sent, RemindAt = ladder.After(next with { At = now }, calendar)?.At };
        }
    }

    /// <summary>Notes what was told, and when each is to be looked at again.</summary>
    private sealed class Noted(IReadOnlyList<Missed> missed, DateTimeOffset now) : IAppended
    {
        // One whose ladder had ended before it ran again is told no more.
        private const string Note = """
            update deadlines d set raised_at = case when t.noted then coalesce(d.raised_at, $1) else d.raised_at end, remind_at = t.remind_at
            from unnest($2, $3, $4, $5, $6) as t (mesure_id, kind, due_at, noted, remind_at)
            where d.mesure_id = t.mesure_id and d.kind = t.kind and d.due_at = t.due_at
            """;

        public NpgsqlBatchCommand ToInsert() => Inserts.With(
            Note,
            Inserts.Value(now),
            Inserts.Value<Guid[]>([.. missed.Select(d => d.MesureId)]),
            Inserts.Value<string[]>([.. missed.Select(d => d.Kind.ToCode())]),
            Inserts.Value<DateTimeOffset[]>([.. missed.Select(d => d.DueAt)]),
            Inserts.Value<bool[]>([.. missed.Select(d => d.Sent is not null || d.RemindAt is null)]),
            Inserts.Value<DateTimeOffset?[]>([.. missed.Select(d => d.RemindAt)]));
    }
}
