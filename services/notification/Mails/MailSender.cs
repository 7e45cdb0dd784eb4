using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Feed;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Mails;

/// <summary>
/// Sends what waits for people, one mail to one person at a time, by a few workers in every replica. A worker takes a person for
/// the time of a lease, so that no two write to the same one; what became of a mail is noted before the next is begun. What a
/// process that died had taken, another takes again once the lease is over: the same mail, under the same id.
/// </summary>
internal sealed class MailSender(
    NpgsqlDataSource source, AddressBook addresses, MailServer server, IOptions<MailOptions> options, TimeProvider clock, ILogger<MailSender> logger) : BackgroundService
{
    private const string DirectoryAway = "DIRECTORY_AWAY";

    private const string Take = """
        update mail_people p set lease = @lease, due_at = @until
        from (select organisation_id, contact_id from mail_people where due_at <= @now order by urgent desc, due_at limit 1 for update skip locked) due
        where p.organisation_id = due.organisation_id and p.contact_id = due.contact_id
        returning p.organisation_id, p.contact_id
        """;

    // A statement of its own: it sees what was noted until the person was taken.
    private const string Waits = """
        select delivery_id, notice_id, subject_id, event_type, deadline, urgent, next_attempt_at, mail_id, attempts, rung, reminder from mail_recipients
        where organisation_id = @organisation and contact_id = @contact and state = 'QUEUED'
        order by urgent desc, created_at, delivery_id limit 1000
        """;

    private const string ToldOfLate = """
        select subject_id, event_type, deadline, urgent, sent_at from mail_recipients
        where organisation_id = @organisation and contact_id = @contact and state = 'SENT' and sent_at > @since
        """;

    private const string Begin = """
        update mail_recipients set mail_id = @mail, last_attempt_at = @now where contact_id = @contact and delivery_id = any(@deliveries)
        """;

    private const string Hold = """
        update mail_people set lease = null, due_at = @next where organisation_id = @organisation and contact_id = @contact
        """;

    private const string StillTaken = """
        select lease = @lease from mail_people where organisation_id = @organisation and contact_id = @contact for update
        """;

    private const string GiveBack = """
        update mail_people p set lease = null, due_at = w.due_at, urgent = coalesce(w.urgent, false)
        from (
            select min(next_attempt_at) as due_at, bool_or(urgent) as urgent from mail_recipients
            where organisation_id = @organisation and contact_id = @contact and state = 'QUEUED') w
        where p.organisation_id = @organisation and p.contact_id = @contact
        """;

    private const string Sent = """
        update mail_recipients set state = 'SENT', sent_at = @now, last_status = null, last_error = null
        where contact_id = @contact and delivery_id = any(@deliveries) and state <> 'SENT';
        update deliveries d set state = 'SENT', sent_at = @now, last_error = null
        from (select delivery_id from deliveries where delivery_id = any(@deliveries) and state <> 'SENT' order by delivery_id for update) first
        where d.delivery_id = first.delivery_id;
        """;

    // A refusal is believed when the server took somebody else's mail between the first one and this attempt: one that refuses
    // everybody says nothing of a person. Nor is anybody given up whom it puts off with all others, or of whom it said nothing.
    private const string NotSent = """
        update mail_recipients r
        set attempts = attempts + 1, last_status = @status, last_error = @error, next_attempt_at = @next,
            refused_since = case when @refused then coalesce(refused_since, @now) end,
            failing_since = case when @answered then coalesce(failing_since, @now) end,
            state = case
                when @final or (@refused and exists (select from mail_recipients o where o.state = 'SENT' and o.sent_at > r.refused_since and o.sent_at < r.last_attempt_at)) then 'REFUSED'
                when @answered and failing_since < @give_up and exists (select from mail_recipients o where o.state = 'SENT' and o.sent_at > r.failing_since) then 'FAILED'
                else 'QUEUED' end
        where contact_id = @contact and delivery_id = any(@deliveries) and state = 'QUEUED';
        """;

    // Whom the directory no longer knows: who is there now is told instead.
    private const string Gone = """
        update mail_recipients set state = 'FAILED', last_error = 'CONTACT_GONE' where contact_id = @contact and delivery_id = any(@deliveries) and state = 'QUEUED';
        update deliveries d set state = 'QUEUED', next_attempt_at = @now
        where d.delivery_id = any(@deliveries) and d.state = 'ADDRESSED'
          and not exists (select from mail_recipients r where r.delivery_id = d.delivery_id and r.state in ('QUEUED', 'SENT'));
        """;

    // Where nobody is left whose address works, whoever else the organisation has is told, however often nobody is left.
    private const string Widen = """
        update deliveries d set state = 'QUEUED', escalated = true, next_attempt_at = @now
        where d.delivery_id = any(@deliveries) and d.state = 'ADDRESSED'
          and not exists (
              select from mail_recipients r
              where r.delivery_id = d.delivery_id and (r.state = 'SENT' or (r.state = 'QUEUED' and r.refused_since is null)));
        """;

    // A mail that is cut by the end of the service is sent again elsewhere: it should have its time first.
    private static readonly TimeSpan s_courtesy = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrEmpty(options.Value.Host))
        {
            return;
        }

        using var cut = new CancellationTokenSource();
        await using var stopping = stoppingToken.Register(() => cut.CancelAfter(s_courtesy));
        await Task.WhenAll(Enumerable.Range(0, options.Value.Concurrency).Select(_ => WorkAsync(cut.Token, stoppingToken)));
    }

    /// <summary>One worker: its connection lasts as long as there is something to send.</summary>
    private Task WorkAsync(CancellationToken cut, CancellationToken stopping) =>
        clock.RepeatAsync(options.Value.PollInterval, ct => SendDueAsync(cut, ct), logger, "mails could not be sent", stopping);

    private async Task SendDueAsync(CancellationToken cut, CancellationToken stopping)
    {
        // The mail library stays out of a service that has nothing to send: it takes ten megabytes.
        if (await source.AnyAsync("select from mail_people where due_at <= $1", [clock.GetStoredNow()], stopping))
        {
            await using var connection = server.Connect();
            while (!stopping.IsCancellationRequested && await SendNextAsync(connection, cut, stopping))
            {
            }
        }
    }

    /// <summary>Sends the next mail that is due; false when there is none, or the server or the directory is away.</summary>
    private async Task<bool> SendNextAsync(MailConnection connection, CancellationToken cut, CancellationToken stopping)
    {
        if (!server.TryBegin())
        {
            return false;
        }

        Mail? mail = null;
        MailResult? result = null;
        DateTimeOffset restUntil;
        try
        {
            mail = await TakeAsync(stopping);
            result = mail is null ? null : await TryAsync(connection, mail, cut);
        }
        finally
        {
            restUntil = server.End(result is { IsOfServer: true } ? result.Outcome : null);
        }

        if (mail is null || result is null)
        {
            return false;
        }

        await NoteAsync(mail, result, restUntil);
        NotificationMetrics.Mails.Add(
            1, new KeyValuePair<string, object?>("outcome", result.Outcome.ToString()), new KeyValuePair<string, object?>("code", result.Code ?? "SMTP_250"));
        if (result.Outcome is not MailOutcome.Sent)
        {
            logger.LogWarning("A mail to a contact of organisation {OrganisationId} was not sent: {Error}", mail.OrganisationId, result.Code);
        }

        return result.Outcome is not MailOutcome.Away && result.Code != DirectoryAway;
    }

    /// <summary>Takes the next person to whom something is due, and chooses what the mail tells; null when there is none.</summary>
    private async Task<Mail?> TakeAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        while (true)
        {
            var now = clock.GetStoredNow();
            var lease = Guid.CreateVersion7(now);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            if (await PersonAsync(connection, lease, now, ct) is not { } person)
            {
                return null;
            }

            var waiting = await WaitingAsync(connection, person, ct);
            var window = options.Value.GroupingWindow;
            var next = MailGrouping.Next([.. waiting.Select(w => w.Waiting)], await ToldAsync(connection, person, now - window, ct), now, window);
            if (next.Deliveries.Count == 0)
            {
                await using var hold = Command(connection, Hold, person, ("next", (object?)next.NextAt ?? DBNull.Value));
                await hold.ExecuteNonQueryAsync(ct);
                await transaction.CommitAsync(CancellationToken.None);
                continue;
            }

            var mailId = next.MailId ?? Guid.CreateVersion7(now);
            await using var begin = Command(connection, Begin, person, ("mail", mailId), ("now", now), ("deliveries", next.Deliveries.ToArray()));
            await begin.ExecuteNonQueryAsync(ct);
            await transaction.CommitAsync(CancellationToken.None);
            var chosen = waiting.IntersectBy(next.Deliveries, w => w.Waiting.DeliveryId).ToList();
            return new Mail(mailId, lease, person, [.. chosen.Select(c => c.Waiting.DeliveryId)], [.. chosen.Select(c => c.Line)], chosen.Max(c => c.Attempts));
        }
    }

    /// <summary>Whatever goes wrong with one mail is noted on it: it waits its turn, and the next one is sent.</summary>
    private async Task<MailResult> TryAsync(MailConnection connection, Mail mail, CancellationToken cut)
    {
        try
        {
            var contacts = await addresses.ContactsAsync(mail.OrganisationId, cut);
            return contacts is null ? new MailResult(MailOutcome.NotNow, null, DirectoryAway)
                : contacts.FirstOrDefault(c => c.ExternalId == mail.Person.ContactId) is not { } contact ? new MailResult(MailOutcome.Gone, null, "CONTACT_GONE")
                : await connection.SendAsync(mail.MailId, contact.Email, MailText.Compose(mail.Lines, options.Value.MesureUrl), cut);
        }
        catch (Exception e) when (!cut.IsCancellationRequested)
        {
            logger.LogWarning("A mail to a contact of organisation {OrganisationId} failed: {Fault}", mail.OrganisationId, Redaction.Describe(e));
            return new MailResult(MailOutcome.NotNow, null, $"FAULT_{e.GetType().Name}");
        }
    }

    /// <summary>Notes the outcome even when the service is stopping: else the mail would only be sent twice.</summary>
    private async Task NoteAsync(Mail mail, MailResult result, DateTimeOffset restUntil)
    {
        await using var connection = await source.OpenConnectionAsync(CancellationToken.None);
        await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
        var now = clock.GetStoredNow();

        if (result.Outcome is MailOutcome.Sent)
        {
            // It counts whoever has the person by now.
            await using var sent = Command(connection, Sent, mail.Person, ("now", now), ("deliveries", mail.Deliveries));
            await sent.ExecuteNonQueryAsync();
        }

        // Who addresses somebody locks the person last, too: what is added meanwhile is seen by one of the two.
        await using var still = Command(connection, StillTaken, mail.Person, ("lease", mail.Lease));
        var ours = await still.ExecuteScalarAsync() is true;
        if (ours && result.Outcome is not MailOutcome.Sent)
        {
            await using var failed = Command(
                connection,
                result.Outcome switch
                {
                    MailOutcome.Gone => Gone,
                    MailOutcome.Refused => NotSent + Widen + MailAddressing.EndWithoutRecipient,
                    _ => NotSent + MailAddressing.EndWithoutRecipient,
                },
                mail.Person, ("now", now), ("deliveries", mail.Deliveries), ("status", (object?)result.Status ?? DBNull.Value), ("error", result.Code!),
                ("refused", result.Outcome is MailOutcome.Refused),
                ("answered", result is { Outcome: MailOutcome.NotNow or MailOutcome.Refused, Status: not null }), ("final", result is { Outcome: MailOutcome.Refused, Status: null }),
                ("next", result.Outcome is MailOutcome.Away ? restUntil : now + Backoff.After(options.Value.FirstBackoff, mail.Attempts)),
                ("give_up", now - options.Value.GiveUpAfter));
            await failed.ExecuteNonQueryAsync();
        }

        // An address was read, and somebody written to, or nearly.
        if (result.Outcome is not MailOutcome.Gone && result.Code != DirectoryAway)
        {
            await JournalEntry.WriteOwnAsync(
                connection, "mail", mail.Lines.Where(l => MailText.IsAboutMesure(l.EventType) && !MailText.IsOfEspacesThread(l.Deadline)).Select(l => $"mesures/{l.About}"), CancellationToken.None);
        }

        if (ours)
        {
            await using var back = Command(connection, GiveBack, mail.Person);
            await back.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    private async Task<Person?> PersonAsync(NpgsqlConnection connection, Guid lease, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Take, connection) { Parameters = { new("lease", lease), new("now", now), new("until", now + options.Value.Lease) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new Person(reader.GetGuid(0), reader.GetString(1)) : null;
    }

    private static async Task<List<Row>> WaitingAsync(NpgsqlConnection connection, Person person, CancellationToken ct)
    {
        await using var command = Command(connection, Waits, person);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<Row>();
        while (await reader.ReadAsync(ct))
        {
            var (type, deadline) = (reader.GetString(3), reader.IsDBNull(4) ? null : reader.GetString(4));
            rows.Add(new Row(
                new Waiting(
                    reader.GetGuid(0), reader.GetGuid(2), Kind(type, deadline), reader.GetBoolean(5), reader.GetFieldValue<DateTimeOffset>(6), reader.IsDBNull(7) ? null : reader.GetGuid(7)),
                new MailLine(
                    type, reader.GetGuid(2), reader.GetBoolean(5), deadline, reader.GetGuid(1), reader.IsDBNull(9) ? ReminderRung.Unspecified : Calls.RungOf(reader.GetString(9)),
                    reader.GetInt32(10)),
                reader.GetInt32(8)));
        }

        return rows;
    }

    private static async Task<List<Told>> ToldAsync(NpgsqlConnection connection, Person person, DateTimeOffset since, CancellationToken ct)
    {
        await using var command = Command(connection, ToldOfLate, person, ("since", since));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var told = new List<Told>();
        while (await reader.ReadAsync(ct))
        {
            told.Add(new Told(
                reader.GetGuid(0), Kind(reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2)), reader.GetBoolean(3), reader.GetFieldValue<DateTimeOffset>(4)));
        }

        return told;
    }

    private static string Kind(string type, string? deadline) => deadline is null ? type : $"{type} {deadline}";

    private static NpgsqlCommand Command(NpgsqlConnection connection, string text, Person person, params IReadOnlyList<(string Name, object Value)> parameters)
    {
        var command = new NpgsqlCommand(text, connection);
        command.Parameters.AddWithValue("organisation", person.OrganisationId);
        command.Parameters.AddWithValue("contact", person.ContactId);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command;
    }

    private sealed record Person(Guid OrganisationId, string ContactId);

    private sealed record Row(Waiting Waiting, MailLine Line, int Attempts);

    private sealed record Mail(Guid MailId, Guid Lease, Person Person, Guid[] Deliveries, IReadOnlyList<MailLine> Lines, int Attempts)
    {
        public Guid OrganisationId => Person.OrganisationId;
    }
}
