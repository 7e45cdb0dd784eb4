using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Directory.Members;

/// <summary>
/// Warns organisations before a credential of their software ends: 30 days ahead and 7, once each. One that was revoked, or has a later
/// last day by then, is not warned of; nor does a warning come whose day had begun when the manager last changed the credential. Any
/// replica may do it: what was told stands in the transaction of the event.
/// </summary>
internal sealed class CredentialWarnings(NpgsqlDataSource source, OutboxSignal outbox, TimeProvider clock)
{
    private const int Portion = 500;

    private const string Due = """
        with due as (
            select id, case when expires_on - @today <= 7 then 7 else 30 end as days
            from credentials where revoked_at is null and expires_on between @today and @today + 30),
        told as (
            select c.id, d.days from credentials c join due d using (id)
            where (c.warned_of is distinct from c.expires_on or c.warned_days > d.days)
                and (c.updated_at at time zone 'Europe/Paris')::date < c.expires_on - d.days
            order by c.id limit 500 for update of c skip locked)
        update credentials c set warned_of = c.expires_on, warned_days = t.days
        from told t where c.id = t.id
        returning c.id, c.organisation_id, c.role, c.version, c.expires_on, t.days
        """;

    /// <summary>Tells every organisation that is to be warned now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Warnings told.</returns>
    public async Task<int> WarnAsync(CancellationToken ct)
    {
        var total = 0;
        int told;
        do
        {
            told = await WarnPortionAsync(ct);
            total += told;
        }
        while (told == Portion);
        return total;
    }

    private async Task<int> WarnPortionAsync(CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var events = new List<CredentialEnding>();
        await using (var command = new NpgsqlCommand(Due, connection, transaction) { Parameters = { new("today", clock.TodayInParis()) } })
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                events.Add(new CredentialEnding
                {
                    EventId = Guid.CreateVersion7(now),
                    AggregateId = reader.GetGuid(0),
                    AggregateVersion = reader.GetInt64(3),
                    OccurredAt = now,
                    RecordedAt = now,
                    CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
                    OrganisationId = reader.GetGuid(1),
                    Role = reader.GetString(2),
                    LastDay = reader.GetFieldValue<DateOnly>(4),
                    DaysAhead = reader.GetInt32(5),
                });
            }
        }
        if (events.Count == 0)
            return 0;
        await Outbox.PublishAsync(transaction, events, ct);
        await transaction.CommitAsync(CancellationToken.None);
        outbox.Notify();
        return events.Count;
    }
}
