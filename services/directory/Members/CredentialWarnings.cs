using Jafer.Contracts.Events;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Messaging;
using Npgsql;

namespace Jafer.Directory.Members;

/// <summary>
/// Warns organisations before a credential of their software ends: 30 days ahead and 7, once each. One that was revoked, or has a later
/// last day by then, is not warned of; nor does a warning come whose day had begun when the manager last changed the credential.
/// </summary>
internal sealed class CredentialWarnings(NpgsqlDataSource source, OutboxSignal outbox, TimeProvider clock)
{
    private static readonly string s_due = $"""
        with due as (
            select id, case when expires_on - @today <= 7 then 7 else 30 end as days
            from credentials where revoked_at is null and expires_on between @today and @today + 30),
        told as (
            select c.id, d.days from credentials c join due d using (id)
            where (c.warned_of is distinct from c.expires_on or c.warned_days > d.days)
                and (c.updated_at at time zone 'Europe/Paris')::date < c.expires_on - d.days
            order by c.id limit {Telling.Portion} for update of c skip locked)
        update credentials c set warned_of = c.expires_on, warned_days = t.days
        from told t where c.id = t.id
        returning c.id, c.organisation_id, c.role, c.version, c.expires_on, t.days
        """;

    private readonly Telling _telling = new(source, outbox, clock);

    /// <summary>Tells every organisation that is to be warned now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Warnings told.</returns>
    public Task<int> WarnAsync(CancellationToken ct) => _telling.TellAsync(s_due, ToEnding, ct);

    private static CredentialEnding ToEnding(NpgsqlDataReader row, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = row.GetGuid(0),
        AggregateVersion = row.GetInt64(3),
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        OrganisationId = row.GetGuid(1),
        Role = row.GetString(2),
        LastDay = row.GetFieldValue<DateOnly>(4),
        DaysAhead = row.GetInt32(5),
    };
}
