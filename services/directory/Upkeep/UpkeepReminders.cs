using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Directory.Upkeep;

/// <summary>
/// Reminds of waits that went stale and of agréments that end or have ended, by their ladders. What is still to be seen to is asked
/// of the data each time: whatever was seen to is reminded of no more. One replica at a time; what was sent stands in the
/// transaction of the event.
/// </summary>
internal sealed class UpkeepReminders(NpgsqlDataSource source, OutboxSignal outbox, IOptions<ReminderOptions> options, TimeProvider clock)
{
    private const string Lock = "select pg_advisory_xact_lock(hashtextextended('directory:upkeep-reminders', 0))";

    // What has been missed for longer than a year is in the operator's worklist, and no news any more.
    private const string Missed = $"""
        with {UpkeepSql.Groups},
        due as (
            select espace_id, 'WAIT_STALE' as kind, key, fresh_until + 1 as due_on from kept
            where espace_group = 'ATTENTE' and fresh_until < @today and fresh_until > @today - 365
            union all
            select v.espace_id, case when upper(d) - 1 <= @one_month then 'AGREMENT_IN_ONE_MONTH' else 'AGREMENT_IN_THREE_MONTHS' end, '', upper(d) - 1
            from agrement_validities v, unnest(v.days) as d where d @> @today and upper(d) - 1 <= @three_months
            union all
            select v.espace_id, 'AGREMENT_ENDED', '', max(upper(d)) - 1
            from agrement_validities v, unnest(v.days) as d
            where not v.days @> @today and upper(d) <= @today group by v.espace_id having max(upper(d)) > @today - 365)
        select d.espace_id, d.kind, d.key, d.due_on, e.gestionnaire_id, e.version, e.departement,
            (select l.commune_insee from lieux l where l.espace_id = e.id order by l.position limit 1), r.rung, r.number, r.reminded_at
        from due d join espaces e on e.id = d.espace_id
        left join lateral (
            select rung, number, reminded_at, next_at from upkeep_reminders r
            where r.espace_id = d.espace_id and r.kind = d.kind and r.key = d.key and r.due_on = d.due_on order by r.reminded_at desc, r.id desc limit 1) r on true
        where e.state <> 'FERME' and (r.reminded_at is null or r.next_at <= @now)
        order by d.espace_id, d.kind, d.key
        """;

    private const string Note = """
        insert into upkeep_reminders (id, espace_id, kind, key, due_on, rung, number, reminded_at, next_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    /// <summary>Sends every reminder that is due now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Reminders sent.</returns>
    public async Task<int> RemindAsync(CancellationToken ct)
    {
        if (!options.Value.Enabled)
            return 0;
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var enter = new NpgsqlCommand(Lock, connection, transaction))
            await enter.ExecuteNonQueryAsync(ct);
        var now = clock.GetStoredNow();
        var today = clock.TodayInParis();
        var sent = new List<(UpkeepReminderDue Event, DateTimeOffset? Next)>();
        await using (var command = new NpgsqlCommand(Missed, connection, transaction)
        {
            Parameters = { new("today", today), new("one_month", today.AddMonths(1)), new("three_months", today.AddMonths(3)), new("now", now) },
        })
        {
            command.Parameters.AddRange(UpkeepSql.Rules());
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                if (Next(reader, now) is { } next)
                    sent.Add(next);
            }
        }
        if (sent.Count == 0)
            return 0;
        await using (var batch = new NpgsqlBatch(connection, transaction))
        {
            foreach (var (message, next) in sent)
                batch.BatchCommands.Add(ToInsert(message, next));
            await batch.ExecuteNonQueryAsync(ct);
        }
        await Outbox.PublishAsync(transaction, sent.Select(s => s.Event), ct);
        await transaction.CommitAsync(CancellationToken.None);
        outbox.Notify();
        return sent.Count;
    }

    /// <summary>The reminder that goes out now, and when the next one is due; null where it waits or none is left.</summary>
    private static (UpkeepReminderDue Event, DateTimeOffset? Next)? Next(NpgsqlDataReader row, DateTimeOffset now)
    {
        var kind = ProtoConversions.FromCode<UpkeepReminderKind>(row.GetString(1));
        var due = row.GetFieldValue<DateOnly>(3);
        var calendar = WorkingCalendar.Of(row.IsDBNull(7) ? null : Communes.ZoneOf(row.GetString(7)), row.GetString(6));
        var ladder = UpkeepLadders.Of(kind);
        var reminder = row.IsDBNull(8)
            ? UpkeepLadders.First(kind, due, calendar)
            : ladder.After(new Reminder(ProtoConversions.FromCode<ReminderRung>(row.GetString(8)), row.GetInt32(9), row.GetFieldValue<DateTimeOffset>(10)), calendar);
        if (reminder is not { } next || ladder.NotBefore(next, now, calendar) > now)
            return null;
        return (new UpkeepReminderDue
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = row.GetGuid(0),
            AggregateVersion = row.GetInt64(5),
            OccurredAt = now,
            RecordedAt = now,
            CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
            GestionnaireId = row.GetGuid(4),
            Kind = kind.ToCode(),
            Key = row.GetString(2) is { Length: > 0 } key ? key : null,
            DueDate = due,
            Rung = next.Rung.ToCode(),
            Reminder = next.Number,
        }, ladder.After(next with { At = now }, calendar)?.At);
    }

    private static NpgsqlBatchCommand ToInsert(UpkeepReminderDue message, DateTimeOffset? next) => new(Note)
    {
        Parameters =
        {
            new() { Value = message.EventId }, new() { Value = message.AggregateId }, new() { Value = message.Kind }, new() { Value = message.Key ?? "" },
            new() { Value = message.DueDate }, new() { Value = message.Rung }, new() { Value = message.Reminder }, new() { Value = message.RecordedAt },
            new() { Value = (object?)next ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        },
    };
}
