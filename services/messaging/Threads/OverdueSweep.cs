using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Messaging.Threads;

/// <summary>
/// Tells of answers and acknowledgements that are overdue, by their ladders: what was told and the next time stand in the transaction of the
/// event, so that each time is told once. Every replica looks; rows that another one has are left to it. Questions about a closed mesure rest until it
/// is reopened; what is urgent does not.
/// </summary>
internal sealed class OverdueSweep(
    NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal signal, IOptions<ConversationOptions> options, IOptions<ReminderOptions> reminders, TimeProvider clock,
    ILogger<OverdueSweep> logger) : BackgroundService
{
    private const int Portion = 200;

    private const string Due = """
        select from expectations e join threads t on t.thread_id = e.thread_id
        where e.state = 'OPEN' and e.remind_at <= $1 and (t.closed_at is null or e.kind = 'ACKNOWLEDGEMENT')
        """;

    /// <summary>Tells everything of which a reminder is due now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Expectations told.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var total = 0;
        var full = true;
        while (reminders.Value.Enabled && full && await source.AnyAsync(Due, [clock.GetStoredNow()], ct))
        {
            (var told, full) = await TellAsync(ct);
            total += told;
        }

        return total;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SweepInterval, SweepAsync, logger, "overdue messages could not be told", stoppingToken);

    private async Task<(int Told, bool Full)> TellAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = clock.GetStoredNow();

        // A row that an answer has meanwhile is skipped; one that is told keeps the answer waiting until it was.
        var due = await db.Expectations.FromSql($"""
            select e.* from expectations e join threads t on t.thread_id = e.thread_id
            where e.state = 'OPEN' and e.remind_at <= {now} and (t.closed_at is null or e.kind = 'ACKNOWLEDGEMENT')
            order by e.remind_at limit {Portion} for update of e skip locked
            """).ToListAsync(ct);
        var ids = due.Select(e => e.ThreadId).Distinct().ToArray();
        var threads = await (
            from t in db.Threads.AsNoTracking().Where(t => ids.Contains(t.ThreadId))
            from e in db.Espaces.Where(e => e.EspaceId == t.EspaceId).DefaultIfEmpty()
            from c in db.Courts.Where(c => c.OrganisationId == t.JuridictionId).DefaultIfEmpty()
            select new { Thread = t, Espace = e, Court = c }).ToDictionaryAsync(t => t.Thread.ThreadId, ct);
        var told = 0;
        foreach (var expectation in due)
        {
            var about = threads[expectation.ThreadId];
            if (Remind(expectation, ExpectationLadders.CalendarOf(expectation.MustAct, about.Court?.Code, about.Espace?.TimeZone, about.Espace?.Departement), now))
            {
                db.Publish(ToEvent(about.Thread, expectation, now));
                told++;
            }
        }

        db.JournalOwnWork("overdue");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        if (told > 0)
        {
            signal.Notify();
        }

        return (told, due.Count == Portion);
    }

    /// <summary>Takes the next step of the ladder, or waits until people work; false where nobody is told now.</summary>
    private static bool Remind(MessageExpectation expectation, WorkingCalendar calendar, DateTimeOffset now)
    {
        var ladder = ExpectationLadders.Of(expectation.Kind, expectation.MustAct);
        var due = expectation is { Rung: { } rung, RungNumber: { } number, RemindedAt: { } at }
            ? ladder.After(new Reminder(rung, number, at), calendar)
            : ladder.First(expectation.DueAt, calendar);
        if (due is not { } next || ladder.NotBefore(next, now, calendar) > now)
        {
            expectation.RemindAt = due is { } later ? ladder.NotBefore(later, now, calendar) : null;
            return false;
        }

        expectation.Reminders++;
        (expectation.Rung, expectation.RungNumber, expectation.RemindedAt) = (next.Rung, next.Number, now);
        expectation.RemindAt = ladder.After(next with { At = now }, calendar)?.At;
        return true;
    }

    private static ThreadEvent ToEvent(MessageThread thread, MessageExpectation expectation, DateTimeOffset now) => (EventTypes.Blank<MessageOverdue>() with
    {
        MessageId = expectation.MessageId,
        MustActOrganisationId = thread.OrganisationOf(expectation.MustAct) ?? thread.GestionnaireId,
        Expectation = expectation.Kind.ToCode(),
        DueAt = expectation.DueAt,
        Rung = expectation.Rung!.Value.ToCode(),
        Number = expectation.RungNumber!.Value,
        Escalated = expectation.Rung == ReminderRung.Operator,
    }).About(thread, expectation.Position, now);
}
