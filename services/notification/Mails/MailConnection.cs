using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Jafer.Notifications.Domain;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using MimeKit.Text;

namespace Jafer.Notifications.Mails;

/// <summary>What became of a mail to one person.</summary>
internal enum MailOutcome
{
    /// <summary>The server took it. Whether it arrives is not known.</summary>
    Sent,

    /// <summary>Not now, for this person: worth trying again.</summary>
    NotNow,

    /// <summary>The server says that it will never take it for this person.</summary>
    Refused,

    /// <summary>The server itself: it does not answer, not in time, or takes nothing from us.</summary>
    Away,

    /// <summary>The directory no longer knows the person.</summary>
    Gone,
}

/// <summary>What became of a mail, without any address.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Status">SMTP status; null when there was no answer, or for a success.</param>
/// <param name="Code">Code of a failure; null for a success.</param>
internal sealed record MailResult(MailOutcome Outcome, int? Status = null, string? Code = null)
{
    /// <summary>Whether the server's behaviour shows in it; else it was not asked.</summary>
    public bool IsOfServer => Outcome is MailOutcome.Sent or MailOutcome.Away || Status is not null;
}

/// <summary>A connection to the mail server for one mail after another; made when first needed. Not for two at a time.</summary>
internal sealed class MailConnection(MailOptions options, TimeProvider clock) : IAsyncDisposable
{
    // A server may have its own limit; a new connection costs little against so many mails.
    private const int MostMails = 100;

    private readonly X509Certificate2Collection? _authorities = Authorities(options);
    private readonly MailboxAddress? _bounces = string.IsNullOrEmpty(options.BounceAddress) ? null : MailboxAddress.Parse(options.BounceAddress);
    private SmtpClient? _client;
    private int _sent;

    /// <summary>
    /// Sends one mail to one person. SMTP has no idempotency key: a process that dies between the server's answer and its own
    /// note of it sends the mail again. The id is the same then, by which mailboxes drop the repetition.
    /// </summary>
    /// <param name="id">Id of the mail, the same for each attempt.</param>
    /// <param name="address">The person's address.</param>
    /// <param name="content">What it says.</param>
    /// <param name="ct">Cuts the attempt: what became of it is not known then.</param>
    /// <exception cref="OperationCanceledException">It was cut.</exception>
    public async Task<MailResult> SendAsync(Guid id, string address, MailContent content, CancellationToken ct)
    {
        if (!MailboxAddress.TryParse(address, out var recipient))
        {
            return new MailResult(MailOutcome.Refused, null, "ADDRESS_INVALID");
        }

        using var limit = new CancellationTokenSource(options.Timeout, TimeProvider.System);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        using var message = Write(id, recipient, content);
        var reused = _client is not null;
        var result = await TryAsync(message, end.Token, ct);
        if (reused && result is { Outcome: MailOutcome.Away, Status: 421 })
        {
            // The server has had enough of this connection, not of us.
            result = await TryAsync(message, end.Token, ct);
        }

        return result;
    }

    /// <summary>Ends the connection: there is nothing to send for the moment.</summary>
    public async Task CloseAsync()
    {
        if (_client is not { } client)
        {
            return;
        }

        _client = null;
        using (client)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
            try
            {
                await client.DisconnectAsync(quit: true, limit.Token);
            }
            catch (Exception e) when (IsOfTheServer(e) || e is OperationCanceledException)
            {
                // It is gone either way.
            }
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    private async Task<MailResult> TryAsync(MimeMessage message, CancellationToken end, CancellationToken cut)
    {
        try
        {
            if (_sent >= MostMails)
            {
                await CloseAsync();
            }

            _client ??= await ConnectAsync(end);
            await _client.SendAsync(message, _bounces ?? message.From.Mailboxes.Single(), [message.To.Mailboxes.Single()], end);
            _sent++;
            return new MailResult(MailOutcome.Sent);
        }
        catch (SmtpCommandException e) when (e.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted && e.StatusCode != SmtpStatusCode.ServiceNotAvailable)
        {
            // The exception's text quotes addresses: only the status goes on.
            return Answered((int)e.StatusCode >= 500 ? MailOutcome.Refused : MailOutcome.NotNow, (int)e.StatusCode);
        }
        catch (NotSupportedException) when (_client is not null)
        {
            return new MailResult(MailOutcome.Refused, null, "ADDRESS_NOT_SUPPORTED");
        }
        catch (OperationCanceledException) when (!cut.IsCancellationRequested)
        {
            return await BrokenAsync(new MailResult(MailOutcome.Away, null, "SMTP_TIMEOUT"));
        }
        catch (Exception e) when (IsOfTheServer(e))
        {
            return await BrokenAsync(e switch
            {
                SmtpCommandException command => Answered(MailOutcome.Away, (int)command.StatusCode),
                AuthenticationException or ServiceNotAuthenticatedException => new MailResult(MailOutcome.Away, null, "SMTP_AUTHENTICATION"),
                SslHandshakeException => new MailResult(MailOutcome.Away, null, "SMTP_CERTIFICATE"),
                NotSupportedException => new MailResult(MailOutcome.Away, null, "SMTP_NO_STARTTLS"),
                TimeoutException => new MailResult(MailOutcome.Away, null, "SMTP_TIMEOUT"),
                _ => new MailResult(MailOutcome.Away, null, "SMTP_CONNECTION"),
            });
        }
    }

    private async Task<SmtpClient> ConnectAsync(CancellationToken ct)
    {
        var client = new Client(_bounces is not null)
        {
            Timeout = (int)options.Timeout.TotalMilliseconds,
            CheckCertificateRevocation = options.CheckRevocation,
            LocalDomain = "jafer",
        };
        if (_authorities is not null)
        {
            client.ServerCertificateValidationCallback = (_, certificate, chain, errors) => IsSignedByOurs(certificate, chain, errors);
        }

        try
        {
            // Nothing between: "when available" would let whoever sits in the way say that it is not.
            await client.ConnectAsync(options.Host!, options.Port, options.ImplicitTls ? SecureSocketOptions.SslOnConnect : options.StartTls ? SecureSocketOptions.StartTls : SecureSocketOptions.None, ct);
            if (options.User is { Length: > 0 } user)
            {
                await client.AuthenticateAsync(user, options.Password ?? "", ct);
            }
        }
        catch
        {
            client.Dispose();
            throw;
        }

        _sent = 0;
        return client;
    }

    private bool IsSignedByOurs(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        // The name is not ours to forgive.
        if (certificate is null || chain is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using var ours = new X509Chain();
        ours.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        ours.ChainPolicy.CustomTrustStore.AddRange(_authorities!);
        ours.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        ours.ChainPolicy.RevocationMode = options.CheckRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck;
        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return ours.Build(leaf);
    }

    private MimeMessage Write(Guid id, MailboxAddress recipient, MailContent content)
    {
        var from = MailboxAddress.Parse(options.From);
        from.Name = "Jafer";
        var message = new MimeMessage { MessageId = $"{id}@{from.Domain}", Date = clock.GetUtcNow(), Subject = content.Subject };
        message.From.Add(from);
        message.To.Add(recipient);

        // No machine answers it, nobody's absence does.
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        message.Headers.Add("X-Auto-Response-Suppress", "OOF, AutoReply");

        // By which a mailbox may sort them.
        message.Headers.Add(HeaderId.ListId, $"Avis de Jafer <avis.{from.Domain}>");

        // What a screen reader reads it out in.
        message.Headers.Add(HeaderId.ContentLanguage, "fr");
        message.Body = new MultipartAlternative { new TextPart(TextFormat.Plain) { Text = content.Text }, new TextPart(TextFormat.Html) { Text = content.Html } };
        return message;
    }

    private async Task<MailResult> BrokenAsync(MailResult result)
    {
        await CloseAsync();
        return result;
    }

    private static MailResult Answered(MailOutcome outcome, int status) => new(outcome, status, $"SMTP_{status}");

    private static bool IsOfTheServer(Exception e) => e is CommandException or ProtocolException or AuthenticationException or SslHandshakeException
        or ServiceNotAuthenticatedException or ServiceNotConnectedException or NotSupportedException or IOException or SocketException or TimeoutException;

    private static X509Certificate2Collection? Authorities(MailOptions options)
    {
        if (options.AuthoritiesFile is not { Length: > 0 } file)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }

    /// <summary>Asks servers that can to tell of failures alone, under the id of the mail (RFC 3461), where somebody reads what they tell.</summary>
    private sealed class Client(bool isTold) : SmtpClient
    {
        protected override string? GetEnvelopeId(MimeMessage message) => isTold ? message.MessageId?.Split("@")[0] : null;

        protected override DeliveryStatusNotification? GetDeliveryStatusNotifications(MimeMessage message, MailboxAddress mailbox) =>
            isTold ? DeliveryStatusNotification.Failure : null;
    }
}
