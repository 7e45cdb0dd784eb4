using System.Collections.Concurrent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Mails;

/// <summary>
/// Addresses what is due to an organisation to its people: one row for each. Every replica takes notices that none other has; they
/// are locked until their rows are there, so a replica that dies leaves them as they were.
/// </summary>
internal sealed class MailAddressing(
    NpgsqlDataSource source, AddressBook addresses, NamedContacts names, IOptions<MailOptions> options, TimeProvider clock, ILogger<MailAddressing> logger) : BackgroundService
{
    // Whatever else waits for the organisation is addressed too, due or not: it goes along.
    private const string Due = """
        select delivery_id, organisation_id, event_type, mesure_id, urgent, deadline, escalated, attempts, rung from deliveries
        where state = 'QUEUED' and organisation_id in (
            select organisation_id from deliveries where state = 'QUEUED' and next_attempt_at <= @now order by urgent desc, next_attempt_at limit 50)
        order by created_at, delivery_id limit 500 for update skip locked
        """;

    private const string Address = """
        insert into mail_recipients (
            delivery_id, contact_id, notice_id, organisation_id, subject_id, event_type, deadline, urgent, rung, reminder, state, attempts, created_at, next_attempt_at)
        select d.delivery_id, c.contact_id, c.notice_id, d.organisation_id, d.mesure_id, d.event_type, d.deadline, d.urgent, d.rung, d.reminder, 'QUEUED', 0, d.created_at,
            d.next_attempt_at
        from unnest(@deliveries, @contacts, @notices) as c(delivery_id, contact_id, notice_id) join deliveries d using (delivery_id)
        on conflict (delivery_id, contact_id) do nothing;
        update deliveries set state = 'ADDRESSED', last_error = null where delivery_id = any(@deliveries);
        insert into mail_people (organisation_id, contact_id, due_at, urgent)
        select organisation_id, contact_id, min(next_attempt_at), bool_or(urgent) from mail_recipients
        where delivery_id = any(@deliveries) and state = 'QUEUED'
        group by organisation_id, contact_id order by organisation_id, contact_id
        on conflict (organisation_id, contact_id) do update
        set due_at = case when mail_people.lease is null then least(mail_people.due_at, excluded.due_at) else mail_people.due_at end,
            urgent = mail_people.urgent or excluded.urgent;
        """;

    private const string Failed = """
        update deliveries
        set attempts = attempts + 1, last_error = @error, next_attempt_at = @next, state = case when created_at < @give_up then 'FAILED' else 'QUEUED' end
        where delivery_id = any(@ids)
        """;

    /// <summary>Ends what no recipient is left for; the last answer that one of them got is told.</summary>
    public const string EndWithoutRecipient = """
        update deliveries d
        set state = 'FAILED', last_error = coalesce((select max(r.last_error) from mail_recipients r where r.delivery_id = d.delivery_id), 'NO_ADDRESS')
        where d.delivery_id = any(@deliveries) and d.state = 'ADDRESSED'
          and not exists (select from mail_recipients r where r.delivery_id = d.delivery_id and r.state in ('QUEUED', 'SENT'));
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrEmpty(options.Value.Host))
        {
            logger.LogWarning("Mail:Host is not configured: mails stay queued");
            return;
        }

        await clock.RepeatAsync(options.Value.PollInterval, AddressDueAsync, logger, "mails could not be addressed", stoppingToken);
    }

    private async Task AddressDueAsync(CancellationToken ct)
    {
        while (await AddressNextAsync(ct))
        {
        }
    }

    /// <summary>Addresses the next notices; false when none is due, or the directory does not answer.</summary>
    private async Task<bool> AddressNextAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var due = await DueAsync(connection, ct);
        if (due.Count == 0)
        {
            return false;
        }

        var answers = await AskAsync(due, ct);
        var named = await AskNamesAsync(due, ct);
        var addressed = new List<(Guid DeliveryId, string ContactId)>();
        foreach (var group in due.GroupBy(n => n.OrganisationId))
        {
            var (contacts, error) = answers[group.Key];
            if (contacts is not { Count: > 0 })
            {
                await NoteFailureAsync(connection, [.. group], error ?? "NO_ADDRESS", ct);
                continue;
            }

            addressed.AddRange(group.SelectMany(n => AddressBook
                .Choose(contacts, MailText.KindOf(n.EventType, n.Urgent, n.Deadline), [.. named[(n.About, n.OrganisationId)]], n.Rung, n.Escalated)
                .Select(c => (n.DeliveryId, c.ExternalId))));
        }

        var now = clock.GetStoredNow();
        await using var address = new NpgsqlCommand(Address + EndWithoutRecipient, connection);
        address.Parameters.AddWithValue("deliveries", addressed.Select(a => a.DeliveryId).ToArray());
        address.Parameters.AddWithValue("contacts", addressed.Select(a => a.ContactId).ToArray());
        address.Parameters.AddWithValue("notices", addressed.Select(_ => Guid.CreateVersion7(now)).ToArray());
        await address.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        return !answers.Values.Any(a => a.Error == "DIRECTORY_AWAY");
    }

    private async Task<List<Notice>> DueAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Due, connection) { Parameters = { new("now", clock.GetStoredNow()) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var due = new List<Notice>();
        while (await reader.ReadAsync(ct))
        {
            due.Add(new Notice(
                reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), reader.GetGuid(3), reader.GetBoolean(4), reader.IsDBNull(5) ? null : reader.GetString(5),
                reader.GetBoolean(6), reader.GetInt32(7), reader.IsDBNull(8) ? ReminderRung.Unspecified : Calls.RungOf(reader.GetString(8))));
        }

        return due;
    }

    /// <summary>Asks for the contacts of each organisation. Whatever goes wrong with one is noted on its notices alone.</summary>
    private async Task<IReadOnlyDictionary<Guid, (IReadOnlyList<Contact>? Contacts, string? Error)>> AskAsync(List<Notice> due, CancellationToken ct)
    {
        var answers = new ConcurrentDictionary<Guid, (IReadOnlyList<Contact>?, string?)>();
        await Parallel.ForEachAsync(due.Select(n => n.OrganisationId).Distinct(), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ct }, async (organisationId, ct) =>
        {
            try
            {
                var contacts = await addresses.ContactsAsync(organisationId, ct);
                answers[organisationId] = (contacts, contacts is null ? "DIRECTORY_AWAY" : null);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                logger.LogWarning("The contacts of organisation {OrganisationId} could not be read: {Fault}", organisationId, Redaction.Describe(e));
                answers[organisationId] = (null, $"FAULT_{e.GetType().Name}");
            }
        });
        return answers;
    }

    /// <summary>Asks whom the organisations named for the mesures and espaces; once messaging has no answer it is not asked again for these.</summary>
    private async Task<ILookup<(Guid About, Guid OrganisationId), string>> AskNamesAsync(List<Notice> due, CancellationToken ct)
    {
        var named = new ConcurrentBag<((Guid, Guid) Key, string ContactId)>();
        var away = false;
        await Parallel.ForEachAsync(
            due.Where(n => !n.Escalated && MailText.IsAboutMesure(n.EventType)).Select(n => (n.About, OfEspace: MailText.IsOfEspacesThread(n.Deadline))).Distinct(), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ct },
            async (thread, ct) =>
            {
                if (Volatile.Read(ref away))
                {
                    return;
                }

                if (await names.OfAsync(thread.About, thread.OfEspace, ct) is not { } people)
                {
                    Volatile.Write(ref away, true);
                    return;
                }

                foreach (var (organisationId, contactId) in people)
                {
                    named.Add(((thread.About, organisationId), contactId));
                }
            });
        return named.ToLookup(n => n.Key, n => n.ContactId);
    }

    private async Task NoteFailureAsync(NpgsqlConnection connection, List<Notice> notices, string error, CancellationToken ct)
    {
        logger.LogWarning("What waits for organisation {OrganisationId} could not be addressed: {Error}", notices[0].OrganisationId, error);
        var now = clock.GetStoredNow();
        await using var command = new NpgsqlCommand(Failed, connection);
        command.Parameters.AddWithValue("ids", notices.Select(n => n.DeliveryId).ToArray());
        command.Parameters.AddWithValue("error", error);
        command.Parameters.AddWithValue("next", now + Backoff.After(options.Value.FirstBackoff, notices.Max(n => n.Attempts)));
        command.Parameters.AddWithValue("give_up", now - options.Value.GiveUpAfter);
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record Notice(
        Guid DeliveryId, Guid OrganisationId, string EventType, Guid About, bool Urgent, string? Deadline, bool Escalated, int Attempts, ReminderRung Rung);
}
