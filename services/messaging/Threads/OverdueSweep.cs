using Jafer.Contracts.Events;
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
/// Tells of answers and acknowledgements that are overdue: the count and the next time stand in the transaction of the event, so that each
/// time is told once. Every replica looks; rows that another one has are left to it. Questions about a closed mesure rest until it
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

    /// <summary>Tells everything that is overdue now and was not told today.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Expectations told.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var total = 0;
        var told = Portion;
        while (reminders.Value.Enabled && told == Portion && await source.AnyAsync(Due, [clock.GetStoredNow()], ct))
        {
            told = await TellAsync(ct);
            total += told;
        }

        return total;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SweepInterval, SweepAsync, logger, "overdue messages could not be told", stoppingToken);

    private async Task<int> TellAsync(CancellationToken ct)
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
            select new { Thread = t, Departement = e == null ? "" : e.Departement }).ToDictionaryAsync(t => t.Thread.ThreadId, ct);
        foreach (var expectation in due)
        {
            var (thread, departement) = (threads[expectation.ThreadId].Thread, threads[expectation.ThreadId].Departement);
            expectation.Reminders++;
            expectation.RemindAt = Reminders.Next(expectation.Kind, expectation.Reminders, now, departement);
            db.Publish(ToEvent(thread, expectation, now));
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        if (due.Count > 0)
        {
            signal.Notify();
        }

        return due.Count;
    }

    private static ThreadEvent ToEvent(MessageThread thread, MessageExpectation expectation, DateTimeOffset now) => (EventTypes.Blank<MessageOverdue>() with
    {
        MessageId = expectation.MessageId,
        MustActOrganisationId = thread.OrganisationOf(expectation.MustAct) ?? thread.GestionnaireId,
        Expectation = expectation.Kind.ToCode(),
        DueAt = expectation.DueAt,
        Number = expectation.Reminders,
        Escalated = Reminders.Escalates(expectation.Kind, expectation.Reminders),
    }).About(thread, expectation.Position, now);
}
