using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Mails;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>A connection to a real mail server: STARTTLS with a certificate of a test's own authority, and authentication.</summary>
public sealed class MailConnectionTests : IAsyncLifetime
{
    private const string Address = "greffe@tribunal.test";

    private readonly DirectoryInfo _folder = System.IO.Directory.CreateTempSubdirectory("jafer-tls-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Authority => Path.Combine(_folder.FullName, "authority.pem");

    public ValueTask InitializeAsync()
    {
        using var authority = Certificate("CN=Autorité de test", null);
        File.WriteAllText(Authority, authority.ExportCertificatePem());
        using var server = Certificate("CN=Serveur de test", authority);
        File.WriteAllText(Path.Combine(_folder.FullName, "cert.pem"), server.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.FullName, "key.pem"), server.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Send_ByStartTlsWithAuthentication_GoesEncryptedOverOneConnection()
    {
        await using var smtp = await SecureAsync();
        await using var connection = Connect(smtp, o => { });

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(new MailResult(MailOutcome.Sent), await SendAsync(connection));
        }

        var seen = await smtp.SeenAsync();
        Assert.Equal((1, 5), (seen.Connections, seen.Mails.Count));
        Assert.All(seen.Mails, m => Assert.Equal((true, "jafer"), (m.Secure, m.User)));
    }

    [Fact]
    public async Task Send_WithTlsFromTheFirstByte_GoesEncryptedAndOnlyByTheRightCertificate()
    {
        await using var smtp = await SecureAsync(("SMTP_SECURE", "1"));
        await using var connection = Connect(smtp, Implicit);
        await using var unknown = Connect(smtp, o => { Implicit(o); o.AuthoritiesFile = null; });
        await using var startTls = await SecureAsync();
        await using var other = Connect(startTls, Implicit);

        Assert.Equal([new MailResult(MailOutcome.Sent), new MailResult(MailOutcome.Sent)], [await SendAsync(connection), await SendAsync(connection)]);
        Assert.Equal(new MailResult(MailOutcome.Away, null, "SMTP_CERTIFICATE"), await SendAsync(unknown));
        Assert.Equal(MailOutcome.Away, (await SendAsync(other)).Outcome);

        var seen = await smtp.SeenAsync();
        Assert.Equal(2, seen.Mails.Count);
        Assert.All(seen.Mails, m => Assert.Equal((true, "jafer"), (m.Secure, m.User)));
        Assert.Empty((await startTls.SeenAsync()).Recipients);

        static void Implicit(MailOptions options) => (options.StartTls, options.ImplicitTls) = (false, true);
    }

    [Fact]
    public async Task Send_WithAnAddressForBounces_SaysWhereAMailComesBackAndUnderWhichId()
    {
        await using var smtp = await FaultySmtp.StartAsync();
        await using var told = Connect(smtp, o => (o.StartTls, o.User, o.BounceAddress) = (false, null, "retours@jafer.example"));
        await using var untold = Connect(smtp, o => (o.StartTls, o.User) = (false, null));
        var id = TestMesure.NewId();

        Assert.Equal(new MailResult(MailOutcome.Sent), await told.SendAsync(id, Address, Content(), Ct));
        Assert.Equal(new MailResult(MailOutcome.Sent), await untold.SendAsync(id, Address, Content(), Ct));

        var mails = (await smtp.SeenAsync()).Mails;
        Assert.Equal([("retours@jafer.example", id.ToString(), "FAILURE"), ("ne-pas-repondre@jafer.example", "", "")], mails.Select(m => (m.From, m.EnvelopeId, m.Notify)));
        Assert.All(mails, m => Assert.Equal(("ne-pas-repondre@jafer.example", $"{id}@jafer.example"), (m.Message.From.Mailboxes.Single().Address, m.Message.MessageId)));
    }

    [Fact]
    public async Task Send_ToAServerWithoutTheCertificate_IsNotSentAndGivesNoPassword()
    {
        await using var smtp = await SecureAsync();
        await using var unknown = Connect(smtp, o => o.AuthoritiesFile = null);
        await using var otherName = Connect(smtp, o => o.Host = "localhost");

        Assert.Equal(new MailResult(MailOutcome.Away, null, "SMTP_CERTIFICATE"), await SendAsync(unknown));
        Assert.Equal(new MailResult(MailOutcome.Away, null, "SMTP_CERTIFICATE"), await SendAsync(otherName));
        Assert.Empty((await smtp.SeenAsync()).Recipients);
    }

    [Fact]
    public async Task Send_ToAServerWithoutStartTls_IsNotSent()
    {
        await using var smtp = await FaultySmtp.StartAsync();
        await using var connection = Connect(smtp, o => { });

        Assert.Equal(new MailResult(MailOutcome.Away, null, "SMTP_NO_STARTTLS"), await SendAsync(connection));
        Assert.Empty((await smtp.SeenAsync()).Recipients);
    }

    [Fact]
    public async Task Send_WithAnotherPassword_IsNotSentAndTriedAgain()
    {
        await using var smtp = await SecureAsync();
        await using var connection = Connect(smtp, o => o.Password = "un autre");
        await using var none = Connect(smtp, o => o.User = null);

        Assert.Equal(new MailResult(MailOutcome.Away, null, "SMTP_AUTHENTICATION"), await SendAsync(connection));
        Assert.Equal(MailOutcome.Away, (await SendAsync(none)).Outcome);
        Assert.Empty((await smtp.SeenAsync()).Recipients);
    }

    [Fact]
    public async Task Send_ToNobody_IsTheServersWordOrAnAddressThatIsNone()
    {
        await using var smtp = await FaultySmtp.StartAsync();
        await using var connection = Connect(smtp, o => (o.StartTls, o.User) = (false, null));
        await smtp.DoAsync(new { refuse = new Dictionary<string, int> { [Address] = 550 } });

        Assert.Equal(new MailResult(MailOutcome.Refused, 550, "SMTP_550"), await SendAsync(connection));
        Assert.Equal(new MailResult(MailOutcome.Refused, null, "ADDRESS_INVALID"), await connection.SendAsync(TestMesure.NewId(), "<<", Content(), Ct));

        await smtp.DoAsync(new { });
        Assert.Equal(new MailResult(MailOutcome.Sent), await SendAsync(connection));
        var message = Assert.Single((await smtp.SeenAsync()).Mails).Message;
        Assert.Equal(["auto-generated", "fr", "Avis de Jafer <avis.jafer.example>"], new[] { "Auto-Submitted", "Content-Language", "List-Id" }.Select(h => message.Headers[h] ?? message.Body!.Headers[h]));
        Assert.EndsWith("@jafer.example", message.MessageId, StringComparison.Ordinal);
        Assert.Null(message.Headers["Disposition-Notification-To"]);
        Assert.Equal((Content().Text, Content().Html), (message.TextBody!.ReplaceLineEndings("\n"), message.HtmlBody!.ReplaceLineEndings("\n")));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private static MailContent Content() => MailText.Compose([new MailLine("mesure.mesure-transmitted.v1", Guid.Empty, true)], "https://jafer.test/mesures/{0}?avis={1}");

    private static Task<MailResult> SendAsync(MailConnection connection) => connection.SendAsync(TestMesure.NewId(), Address, Content(), Ct);

    private Task<FaultySmtp> SecureAsync(params (string, string)[] more) => FaultySmtp.StartAsync(
        [("SMTP_KEY", Path.Combine(_folder.FullName, "key.pem")), ("SMTP_CERT", Path.Combine(_folder.FullName, "cert.pem")), ("SMTP_USER", "jafer"), ("SMTP_PASSWORD", "un secret"), .. more]);

    private MailConnection Connect(FaultySmtp smtp, Action<MailOptions> change)
    {
        var options = new MailOptions
        {
            Host = "127.0.0.1",
            Port = smtp.SmtpPort,
            StartTls = true,
            AuthoritiesFile = Authority,
            User = "jafer",
            Password = "un secret",
            Timeout = TimeSpan.FromSeconds(10),
        };
        change(options);
        return new MailConnection(options, TimeProvider.System);
    }

    private static X509Certificate2 Certificate(string name, X509Certificate2? authority)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority is null, false, 0, true));
        if (authority is null)
        {
            return request.CreateSelfSigned(now.AddHours(-1), now.AddDays(2));
        }

        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, now.AddHours(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
