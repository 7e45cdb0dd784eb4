using System.Diagnostics;
using System.Net.Http.Headers;
using Jafer.Notifications;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Webhooks;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// Webhooks delivered in a second to a receiver on this machine, from queued rows to rows noted as answered: against as many signed
/// posts at a time by a bare HttpClient, each noted by one prepared statement.
/// </summary>
internal static class WebhookBenchmark
{
    public const string Name = "webhooks";

    private const double Goal = 0.35;
    private const int Endpoints = 8;
    private const int EndpointConcurrency = 4;
    private const int Posts = 4000;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(NotificationsModule.Name, connection =>
            Hosts.MigrateAsync(NotificationsModule.Name, connection, b => NotificationsModule.Build([], b), NotificationsModule.MigrateAsync));
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await ServiceHost.StartAsync(
            b => NotificationsModule.Build([], b),
            ServiceHost.Settings(NotificationsModule.Name, database.ConnectionString, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
            {
                ["Webhooks:AllowHttp"] = "true",
                ["Webhooks:AllowedNetworks:0"] = "127.0.0.0/8",
                ["Webhooks:EndpointConcurrency"] = EndpointConcurrency.ToString(System.Globalization.CultureInfo.InvariantCulture),
            }));
        await host.ReadyAsync();
        var secrets = host.App.Services.GetRequiredService<WebhookSecrets>();
        for (var i = 0; i < Endpoints; i++)
        {
            var id = TestMesure.NewId();
            await database.RunAsync($"""
                insert into webhook_endpoints values (
                    '{id}', '{TestMesure.NewId()}', '{receiver.Address}', array[]::text[], in_clear('si@association.test'), 'ENABLED', '{TestMesure.NewId()}', '{secrets.New(id)}',
                    null, null, null, now(), now(), 1, null, 0, null, null, null, 0)
                """);
        }

        await using var source = NpgsqlDataSource.Create(database.ConnectionString + ";Maximum Pool Size=40;Max Auto Prepare=4;Auto Prepare Min Usages=1");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = Endpoints * EndpointConcurrency });
        var rounds = await Rounds.RunAsync(1, 5, DeliverAsync, PostAsync);
        return Result.AtLeast(Name, "posts/s", rounds, Goal);

        Task QueueAsync(string state) => database.RunAsync($"""
                truncate webhook_deliveries;
                update webhook_endpoints set state = '{state}';
                insert into webhook_deliveries (delivery_id, endpoint_id, test, event_id, event_type, aggregate_id, occurred_at, state, attempts, queued_at, next_attempt_at, expires_at)
                select gen_random_uuid(), endpoint_id, false, gen_random_uuid(), 'mesure.mesure-acknowledged.v1', gen_random_uuid(), now(), 'QUEUED', 0, now(), now(), now() + interval '3 days'
                from webhook_endpoints, generate_series(1, {Posts / Endpoints});
                """);

        async Task<double> DeliverAsync()
        {
            await QueueAsync("ENABLED");
            var start = Stopwatch.GetTimestamp();
            host.App.Services.GetRequiredService<WebhookSignal>().Notify();
            while (await database.ReadAsync<bool>("select exists (select from webhook_deliveries where state = 'QUEUED')"))
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, ct);
            if (await database.ReadAsync<long>("select count(*) from webhook_deliveries where state = 'DELIVERED'") != Posts)
                throw new InvalidOperationException("not all webhooks were delivered");
            return Posts / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        async Task<double> PostAsync()
        {
            await QueueAsync("PAUSED");
            var ids = await database.ReadAllAsync<Guid>("select delivery_id from webhook_deliveries");
            var key = "whsec_" + Convert.ToBase64String(new byte[32]);
            var organisation = TestMesure.NewId();
            return await Rounds.ThroughputAsync(Endpoints * EndpointConcurrency, Posts, async (_, number) =>
            {
                var (now, id, mesure) = (TimeProvider.System.GetUtcNow(), ids[number], TestMesure.NewId());
                var body = WebhookMessage.Body(id, organisation, id, "mesure.mesure-acknowledged.v1", mesure, now, null);
                using var request = new HttpRequestMessage(HttpMethod.Post, receiver.Address) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                request.Headers.Add("webhook-id", id.ToString());
                request.Headers.Add("webhook-timestamp", now.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture));
                request.Headers.Add("webhook-signature", WebhookMessage.Sign([key], id, now, body));
                using var response = await http.SendAsync(request, ct);
                response.EnsureSuccessStatusCode();
                await using var note = source.CreateCommand("""
                    update webhook_deliveries set state = 'DELIVERED', attempts = attempts + 1, delivered_at = $2, last_status = 204, last_attempt_at = $2 where delivery_id = $1
                    """);
                note.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
                note.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
                await note.ExecuteNonQueryAsync(ct);
            }, ct);
        }
    }
}
