using System.Diagnostics;
using System.Globalization;
using System.Net;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Messaging.V1;
using Jafer.Notifications;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using MimeKit;

namespace Jafer.Benchmarks;

#pragma warning disable RS0030 // A directory with nothing behind it.

/// <summary>
/// Mails sent in a second to 10,000 people by a service that is killed twice in the middle, from queued notices to rows noted as
/// sent, against as many mails by MailKit alone over as many connections. None may be lost, and each life may repeat one for
/// each worker, under the same id.
/// </summary>
internal static class MailBenchmark
{
    public const string Name = "mails";

    private const double Goal = 0.02;
    private const int People = 10_000;
    private const int Workers = 4;
    private const int Lives = 3;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(NotificationsModule.Name, connection =>
            Hosts.MigrateAsync(NotificationsModule.Name, connection, b => NotificationsModule.Build([], b), NotificationsModule.MigrateAsync));
        await using var sink = new SmtpSink();
        var (grpc, token) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
        await using var others = await StartOthersAsync(grpc, token);
        (string Key, string Value)[] settings =
        [
            ("Mail:Host", "127.0.0.1"), ("Mail:Port", Text(sink.Port)), ("Mail:GroupingDelay", "00:00:00"), ("Mail:Concurrency", Text(Workers)), ("Mail:Timeout", "00:00:05"),
            ("Mail:Lease", "00:00:06"), ("services:directory:grpc:0", $"http://127.0.0.1:{grpc}"), ("services:messaging:grpc:0", $"http://127.0.0.1:{grpc}"),
            ("Identity:TokenEndpoint", $"http://127.0.0.1:{token}/token"), ("Identity:ClientId", "systeme.notification"), ("Identity:ClientSecret", "secret"),
        ];
        var whole = true;
        var rounds = await Rounds.RunAsync(0, 1, SendAsync, SendBareAsync);
        var result = Result.AtLeast(Name, "mails/s", rounds, Goal);
        return result with { Met = result.Met && whole };

        async Task<double> SendAsync()
        {
            await database.RunAsync($"""
                insert into deliveries
                select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'messaging.message-posted.v1', gen_random_uuid(), false, 'QUEUED', 0, now(), now()
                from generate_series(1, {People})
                """);
            var start = Stopwatch.GetTimestamp();
            for (var life = 1; life <= Lives; life++)
            {
                using var service = await ServiceProcess.StartAsync(
                    NotificationsModule.Name, "Jafer.Notifications", database, ServiceHost.UniquePrefix(), ServiceProcess.FreePort(), ServiceProcess.FreePort(), settings);
                try
                {
                    while (life < Lives
                        ? sink.Count < People / Lives * life
                        : await database.ReadAsync<long>("select count(*) from mail_recipients where state = 'SENT'") < People)
                    {
                        await Task.Delay(TimeSpan.FromMilliseconds(life < Lives ? 5 : 100), TimeProvider.System, ct);
                    }
                }
                finally
                {
                    service.Kill(entireProcessTree: true);
                    await service.WaitForExitAsync(CancellationToken.None);
                }
            }

            var rate = People / Stopwatch.GetElapsedTime(start).TotalSeconds;
            var mails = sink.Mails;
            var (lost, repeated) = (People - mails.Select(m => m.Address).Distinct().Count(), mails.Count - People);
            var renamed = mails.Distinct().Count() - mails.Select(m => m.Address).Distinct().Count();
            whole = lost == 0 && repeated <= (Lives - 1) * Workers && renamed == 0;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {People} people, killed {Lives - 1} times: {lost} without their mail, {repeated} sent again, {renamed} of them under another id"));
            return rate;
        }

        async Task<double> SendBareAsync()
        {
            sink.Clear();
            var clients = Enumerable.Range(0, Workers).Select(_ => new SmtpClient()).ToArray();
            try
            {
                foreach (var client in clients)
                    await client.ConnectAsync("127.0.0.1", sink.Port, SecureSocketOptions.None, ct);
                return await Rounds.ThroughputAsync(Workers, People, async (worker, number) =>
                {
                    using var message = new MimeMessage { Subject = "[Jafer] Un message vous attend" };
                    message.From.Add(new MailboxAddress("Jafer", "ne-pas-repondre@jafer.example"));
                    message.To.Add(new MailboxAddress("", $"{number}@association.test"));
                    message.Body = new TextPart("plain") { Text = "Un message vous attend" };
                    await clients[worker].SendAsync(message, ct);
                }, ct);
            }
            finally
            {
                foreach (var client in clients)
                    client.Dispose();
            }
        }
    }

    /// <summary>The directory, messaging and the issuer, as far as a mail needs them.</summary>
    private static async Task<WebApplication> StartOthersAsync(int grpc, int token)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, grpc, l => l.Protocols = HttpProtocols.Http2);
            k.Listen(IPAddress.Loopback, token);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        var app = builder.Build();
        app.MapGrpcService<OneContact>();
        app.MapGrpcService<NobodyNamed>();
        app.MapPost("/token", () => Results.Json(new
        {
            access_token = TestIssuer.Shared.Token(Roles.Systeme, TestMesure.NewId(), "systeme.notification"),
            token_type = "Bearer",
            expires_in = 3600,
        }));
        await app.StartAsync();
        return app;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class OneContact : DirectoryService.DirectoryServiceBase
    {
        public override Task<ListContactsResponse> ListContacts(ListContactsRequest request, ServerCallContext context) =>
            Task.FromResult(new ListContactsResponse { Contacts = { new Contact { ExternalId = "1", Email = $"{request.OrganisationId}@association.test" } } });
    }

    private sealed class NobodyNamed : MessagingService.MessagingServiceBase
    {
        public override Task<ListParticipantsResponse> ListParticipants(ListParticipantsRequest request, ServerCallContext context) => Task.FromResult(new ListParticipantsResponse());
    }
}
