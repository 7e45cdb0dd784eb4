using System.Collections.Concurrent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Journal;
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
    // So many of each organisation, so that none keeps the others waiting. Whatever else waits for it is addressed too, due or not: it
    // goes along; but what failed waits its turn.
    private const string Due = """
        with due as (
            select organisation_id, bool_or(urgent) as any_urgent, min(next_attempt_at) as due_at from deliveries
            where state = 'QUEUED' and next_attempt_at <= @now
            group by organisation_id order by any_urgent desc, due_at, organisation_id limit 50)
        select w.* from due cross join lateral (
            select d.delivery_id, d.organisation_id, d.event_type, d.mesure_id, d.urgent, d.deadline, d.escalated, d.attempts, d.rung, d.deadline_due_at from deliveries d
            where d.organisation_id = due.organisation_id and d.state = 'QUEUED' and (d.attempts = 0 or d.next_attempt_at <= @now)
            order by d.urgent desc, d.created_at, d.delivery_id limit 100 for update skip locked) w
        """;

    // Who was, or is about to be, reminded of the same things.
    private const string Reminded = """
        select distinct o.organisation_id, o.mesure_id, o.deadline, o.deadline_due_at, o.rung, r.contact_id
        from deliveries d
        join deliveries o on o.organisation_id = d.organisation_id and o.mesure_id = d.mesure_id
            and o.deadline is not distinct from d.deadline and o.deadline_due_at is not distinct from d.deadline_due_at
        join mail_recipients r on r.delivery_id = o.delivery_id and (r.state = 'SENT' or (r.state = 'QUEUED' and r.refused_since is null))
        where d.delivery_id = any(@deliveries) and o.rung is not null
        """;

    // Why nobody is told: nobody wants the kind; whoever would be reminded was already, by a lower rung.
    private const string Muted = "MUTED";
    private const string NobodyElse = "NOBODY_ELSE";
    private const string NoAddress = "NO_ADDRESS";

    private const string Tried = "select delivery_id, contact_id from mail_recipients where delivery_id = any(@deliveries)";

    private const string Address = """
        insert into mail_recipients (
            delivery_id, contact_id, notice_id, organisation_id, subject_id, event_type, deadline, urgent, rung, reminder, state, attempts, created_at, next_attempt_at)
        select d.delivery_id, c.contact_id, c.notice_id, d.organisation_id, d.mesure_id, d.event_type, d.deadline, d.urgent, d.rung, d.reminder, 'QUEUED', 0, d.created_at,
            d.next_attempt_at
        from unnest(@told, @contacts, @notices) as c(delivery_id, contact_id, notice_id) join deliveries d using (delivery_id)
        on conflict (delivery_id, contact_id) do nothing;
        update deliveries set state = 'ADDRESSED', last_error = null where delivery_id = any(@deliveries);
        insert into mail_people (organisation_id, contact_id, due_at, urgent)
        select organisation_id, contact_id, min(next_attempt_at), bool_or(urgent) from mail_recipients
        where delivery_id = any(@deliveries) and state = 'QUEUED'
        group by organisation_id, contact_id order by organisation_id, contact_id
        on conflict (organisation_id, contact_id) do update
        set due_at = case when mail_people.lease is null then least(mail_people.due_at, excluded.due_at) else mail_people.due_at end,
            urgent = mail_people.urgent or excluded.urgent;
        update deliveries d set state = 'DROPPED', last_error = c.code
        from unnest(@dropped, @codes) as c(delivery_id, code) where d.delivery_id = c.delivery_id;
        """;

    // All that is due to the organisation, so that it is asked for once.
    private const string Failed = """
        update deliveries
        set attempts = attempts + 1, last_error = @error, next_attempt_at = @next,
            failing_since = case when @answered then coalesce(failing_since, @now) end,
            state = case when @answered and failing_since < @give_up then 'FAILED' else 'QUEUED' end
        where delivery_id in (
            select delivery_id from deliveries
            where organisation_id = @organisation and state = 'QUEUED' and (attempts = 0 or next_attempt_at <= @now)
            order by delivery_id for update skip locked)
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
        var reminded = await RemindedAsync(connection, due, ct);
        var tried = await TriedAsync(connection, due, ct);
        var (told, settled, dropped) = (new List<(Guid DeliveryId, string ContactId)>(), new List<Guid>(), new List<(Guid DeliveryId, string Code)>());
        foreach (var group in due.GroupBy(n => n.OrganisationId))
        {
            var (contacts, error) = answers[group.Key];
            if (contacts is not { Count: > 0 })
            {
                await NoteFailureAsync(connection, group.Key, error, group.Max(n => n.Attempts), ct);
                continue;
            }

            // The lower rungs first: who is told by one of them is known to those above.
            foreach (var notice in group.OrderBy(n => n.Rung))
            {
                var kind = MailText.KindOf(notice.EventType, notice.Urgent, notice.Deadline);
                var chosen = AddressBook.Choose(contacts, kind, NamedFor(notice, [.. named[(notice.About, notice.OrganisationId)]]), notice.Rung, notice.Escalated ? [.. tried[notice.DeliveryId]] : null);
                var fresh = notice.IsAboveOthers && !notice.Urgent && !AddressBook.IsUrgent(kind)
                    ? [.. chosen.Where(c => !reminded.Exists(r => r.Thing == notice.Thing && r.Rung < notice.Rung && r.ContactId == c.ExternalId))]
                    : chosen;
                if (fresh.Count > 0 || notice.Escalated)
                {
                    settled.Add(notice.DeliveryId);
                    told.AddRange(fresh.Select(c => (notice.DeliveryId, c.ExternalId)));
                    reminded.AddRange(fresh.Select(c => (notice.Thing, notice.Rung, c.ExternalId)));
                }
                else
                {
                    dropped.Add((notice.DeliveryId, chosen.Count == 0 ? Muted : NobodyElse));
                }
            }
        }

        var now = clock.GetStoredNow();
        await using var address = new NpgsqlCommand(Address + EndWithoutRecipient, connection);
        address.Parameters.AddWithValue("told", told.Select(a => a.DeliveryId).ToArray());
        address.Parameters.AddWithValue("contacts", told.Select(a => a.ContactId).ToArray());
        address.Parameters.AddWithValue("notices", told.Select(_ => Guid.CreateVersion7(now)).ToArray());
        address.Parameters.AddWithValue("deliveries", settled.ToArray());
        address.Parameters.AddWithValue("dropped", dropped.Select(d => d.DeliveryId).ToArray());
        address.Parameters.AddWithValue("codes", dropped.Select(d => d.Code).ToArray());
        await address.ExecuteNonQueryAsync(ct);
        var addressed = told.Select(t => t.DeliveryId).ToHashSet();
        await JournalEntry.WriteOwnAsync(
            connection, "mail addressing",
            due.Where(n => addressed.Contains(n.DeliveryId) && MailText.IsAboutMesure(n.EventType) && !MailText.IsOfEspacesThread(n.Deadline)).Select(n => $"mesures/{n.About}"), ct);
        await transaction.CommitAsync(CancellationToken.None);

        // What failed is not due for a while: each round finds others.
        return answers.Values.Any(a => a.Contacts is not null);
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
                reader.GetBoolean(6), reader.GetInt32(7), reader.IsDBNull(8) ? ReminderRung.Unspecified : Calls.RungOf(reader.GetString(8)),
                reader.IsDBNull(9) ? null : reader.GetFieldValue<DateTimeOffset>(9)));
        }

        return due;
    }

    /// <summary>Who was reminded of what the higher rungs are to be reminded of, and on which rung.</summary>
    private static async Task<List<(Thing Thing, ReminderRung Rung, string ContactId)>> RemindedAsync(NpgsqlConnection connection, List<Notice> due, CancellationToken ct)
    {
        var reminded = new List<(Thing, ReminderRung, string)>();
        if (due.Where(n => n.IsAboveOthers).Select(n => n.DeliveryId).ToArray() is not { Length: > 0 } above)
        {
            return reminded;
        }

        await using var command = new NpgsqlCommand(Reminded, connection) { Parameters = { new("deliveries", above) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            reminded.Add((
                new Thing(
                    reader.GetGuid(0), reader.GetGuid(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3)),
                Calls.RungOf(reader.GetString(4)), reader.GetString(5)));
        }

        return reminded;
    }

    /// <summary>To whom those were addressed before that have reached nobody yet.</summary>
    private static async Task<ILookup<Guid, string>> TriedAsync(NpgsqlConnection connection, List<Notice> due, CancellationToken ct)
    {
        var tried = new List<(Guid DeliveryId, string ContactId)>();
        if (due.Where(n => n.Escalated).Select(n => n.DeliveryId).ToArray() is { Length: > 0 } escalated)
        {
            await using var command = new NpgsqlCommand(Tried, connection) { Parameters = { new("deliveries", escalated) } };
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                tried.Add((reader.GetGuid(0), reader.GetString(1)));
            }
        }

        return tried.ToLookup(t => t.DeliveryId, t => t.ContactId);
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
    private async Task<ILookup<(Guid About, Guid OrganisationId), NamedContact>> AskNamesAsync(List<Notice> due, CancellationToken ct)
    {
        var named = new ConcurrentBag<((Guid, Guid) Key, NamedContact Contact)>();
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

                foreach (var contact in people)
                {
                    named.Add(((thread.About, contact.OrganisationId), contact));
                }
            });
        return named.ToLookup(n => n.Key, n => n.Contact);
    }

    /// <summary>
    /// Whom the organisation named for what a notice is about: of a question that names who must answer, that one alone. The time until
    /// which the answer is asked for tells which; an event names no contact.
    /// </summary>
    private static IReadOnlyCollection<string> NamedFor(Notice notice, List<NamedContact> named)
    {
        var asked = MailText.IsOfQuestion(notice.EventType, notice.Deadline) && notice.DueAt is { } due ? named.FindAll(n => n.AnswersDue.Contains(due)) : [];
        return [.. (asked.Count > 0 ? asked : named).Select(n => n.ContactId)];
    }

    /// <summary>Puts off what is due to an organisation. Only an answer ends it, in the end: while the directory has none, it waits.</summary>
    private async Task NoteFailureAsync(NpgsqlConnection connection, Guid organisationId, string? error, int attempts, CancellationToken ct)
    {
        logger.LogWarning("What waits for organisation {OrganisationId} could not be addressed: {Error}", organisationId, error ?? NoAddress);
        var now = clock.GetStoredNow();
        await using var command = new NpgsqlCommand(Failed, connection);
        command.Parameters.AddWithValue("organisation", organisationId);
        command.Parameters.AddWithValue("error", error ?? NoAddress);
        command.Parameters.AddWithValue("answered", error is null);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("next", now + Backoff.After(options.Value.FirstBackoff, attempts));
        command.Parameters.AddWithValue("give_up", now - options.Value.GiveUpAfter);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What several reminders are of.</summary>
    private readonly record struct Thing(Guid OrganisationId, Guid About, string? Deadline, DateTimeOffset? DueAt);

    private sealed record Notice(
        Guid DeliveryId, Guid OrganisationId, string EventType, Guid About, bool Urgent, string? Deadline, bool Escalated, int Attempts, ReminderRung Rung, DateTimeOffset? DueAt)
    {
        public Thing Thing => new(OrganisationId, About, Deadline, DueAt);

        /// <summary>Whether it is for a rung of the organisation above those who must act.</summary>
        public bool IsAboveOthers => Rung is ReminderRung.Colleague or ReminderRung.Manager;
    }
}
