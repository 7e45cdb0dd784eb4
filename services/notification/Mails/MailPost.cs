using System.Net;
using System.Net.Mail;
using System.Text;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Mails;

/// <summary>What became of a mail.</summary>
internal enum MailOutcome
{
    /// <summary>The server took it for at least one of its recipients.</summary>
    Sent,

    /// <summary>Not now: worth trying again.</summary>
    NotNow,

    /// <summary>The server will never take it.</summary>
    Refused,

    /// <summary>The server itself does not answer.</summary>
    Away,
}

/// <summary>Gives mails to the mail server.</summary>
internal sealed class MailPost(IOptions<MailOptions> options)
{
    /// <summary>
    /// Sends one mail. SMTP has no idempotency key: a process that dies between the server's answer and its own note of it
    /// sends the mail again. The id is the same then, by which mailboxes drop the repetition.
    /// </summary>
    /// <param name="id">Id of the mail.</param>
    /// <param name="recipients">Addresses.</param>
    /// <param name="subject">Subject.</param>
    /// <param name="text">Plain text.</param>
    public async Task<(MailOutcome Outcome, string? Error)> SendAsync(Guid id, IReadOnlyList<string> recipients, string subject, string text)
    {
        var mail = options.Value;
        using var message = new MailMessage { From = new MailAddress(mail.From, "Jafer"), Subject = subject, SubjectEncoding = Encoding.UTF8, Body = text, BodyEncoding = Encoding.UTF8 };
        message.Headers.Add("Message-ID", $"<{id}@{message.From.Host}>");
        message.Headers.Add("Auto-Submitted", "auto-generated");
        // What a screen reader reads it out in.
        message.Headers.Add("Content-Language", "fr");
        foreach (var recipient in recipients)
        {
            if (MailAddress.TryCreate(recipient, out var address))
            {
                message.To.Add(address);
            }
        }

        if (message.To.Count == 0)
        {
            return (MailOutcome.NotNow, "NO_VALID_ADDRESS");
        }

        using var client = new SmtpClient(mail.Host, mail.Port)
        {
            EnableSsl = mail.StartTls,
            UseDefaultCredentials = false,
            Credentials = mail.User is null ? null : new NetworkCredential(mail.User, mail.Password),
        };
        using var timeout = new CancellationTokenSource(mail.Timeout, TimeProvider.System);
        try
        {
            await client.SendMailAsync(message, timeout.Token);
            return (MailOutcome.Sent, null);
        }
        catch (SmtpFailedRecipientsException e) when (e.InnerExceptions.Length < message.To.Count)
        {
            return (MailOutcome.Sent, null);
        }
        catch (SmtpFailedRecipientException e) when (e is not SmtpFailedRecipientsException && message.To.Count > 1)
        {
            return (MailOutcome.Sent, null);
        }
        catch (SmtpException e)
        {
            // The exception's text quotes addresses: only the code goes on.
            return ((int)e.StatusCode switch
            {
                >= 500 => MailOutcome.Refused,
                > 0 => MailOutcome.NotNow,
                _ => MailOutcome.Away,
            }, $"SMTP_{(int)e.StatusCode}");
        }
        catch (OperationCanceledException)
        {
            return (MailOutcome.Away, "SMTP_TIMEOUT");
        }
    }
}
