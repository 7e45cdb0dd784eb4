using Jafer.Notifications.Data;
using Jafer.Notifications.Feed;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Mails;

/// <summary>Mails that came back after the mail server had taken them.</summary>
internal static class Bounces
{
    /// <summary>
    /// Notes that a mail came back for good. What it told and nobody else was told goes to whoever the organisation has left, as after a
    /// refusal, if the mail is not older than a day: by then whoever had to act was reminded anew.
    /// </summary>
    /// <param name="db">The context; a transaction was begun.</param>
    /// <param name="mailId">The mail.</param>
    /// <param name="status">What its notification says, such as "5.1.1".</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Notices that are refused now.</returns>
    public static async Task<int> NoteAsync(NotificationsDbContext db, Guid mailId, string status, DateTimeOffset now, CancellationToken ct)
    {
        var error = $"BOUNCE_{status}";
        var back = await db.Database.SqlQuery<Guid>($"""
            update mail_recipients set state = 'REFUSED', last_error = {error}, sent_at = null, refused_since = {now}
            where mail_id = {mailId} and state = 'SENT' returning delivery_id
            """).ToListAsync(ct);
        if (back.Count > 0)
        {
            Guid[] deliveries = [.. back];
            await db.Database.ExecuteSqlAsync($"""
                update deliveries d set state = 'QUEUED', escalated = true, sent_at = null, next_attempt_at = {now}
                where d.delivery_id = any({deliveries}) and d.state = 'SENT' and d.sent_at > {now.AddDays(-1)}
                  and not exists (select from mail_recipients r where r.delivery_id = d.delivery_id and r.state in ('SENT', 'QUEUED'))
                """, ct);
            NotificationMetrics.Mails.Add(1, new KeyValuePair<string, object?>("outcome", "Bounced"), new KeyValuePair<string, object?>("code", error));
        }

        return back.Count;
    }
}
