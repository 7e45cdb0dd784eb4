using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// Pages of 100 events by ListEvents from anywhere in 500 feeds of 10,000,000 events together, by 32 callers: against the same rows read
/// by a prepared query over as many connections.
/// </summary>
internal static class FeedBenchmark
{
    public const string Name = "feed";

    private const double Goal = 0.2;
    private const int Organisations = 500;
    private const int EventsOfEach = 20_000;
    private const int PageSize = 100;
    private const int ReadFeeds = 40;
    private const int Calls = 2000;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(NotificationsModule.Name, connection =>
            Hosts.MigrateAsync(NotificationsModule.Name, connection, b => NotificationsModule.Build([], b), NotificationsModule.MigrateAsync));
        await FillAsync(database, ct);
        await using var host = await ServiceHost.StartAsync(
            b => NotificationsModule.Build([], b), ServiceHost.Settings(NotificationsModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
        var places = await PlacesAsync(host, database, ct);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString + ";Maximum Pool Size=40;Max Auto Prepare=4;Auto Prepare Min Usages=1");
        var times = new ConcurrentBag<double>();
        var rounds = await Rounds.RunAsync(1, 5, ListAsync, ReadAsync);
        var sorted = times.Order().ToList();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  single calls of {Hosts.Callers} callers: median {sorted[sorted.Count / 2]:0.0} ms, p99 {sorted[(int)(sorted.Count * 0.99)]:0.0} ms"));
        return Result.AtLeast(Name, "pages/s", rounds, Goal);

        Task<double> ListAsync() => Rounds.ThroughputAsync(Hosts.Callers, Calls, async (_, number) =>
        {
            var place = places[number * 7919 % places.Count];
            var start = Stopwatch.GetTimestamp();
            var page = await place.Client.ListEventsAsync(new ListEventsRequest { ResumeToken = place.Token, PageSize = PageSize }, cancellationToken: ct);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (page.Events.Count != PageSize)
                throw new InvalidOperationException("a page is not whole");
        }, ct);

        Task<double> ReadAsync() => Rounds.ThroughputAsync(Hosts.Callers, Calls, async (_, number) =>
        {
            var place = places[number * 7919 % places.Count];
            await using var command = source.CreateCommand($"""
                select position, event_id, type, aggregate_id, aggregate_version, occurred_at, recorded_at, data, action_required
                from feed_events where organisation_id = $1 and position > $2 order by position limit {PageSize}
                """);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = place.Organisation });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = place.Position });
            await using var reader = await command.ExecuteReaderAsync(ct);
            var (rows, length) = (0, 0);
            while (await reader.ReadAsync(ct))
            {
                object[] row = [reader.GetInt64(0), reader.GetGuid(1), reader.GetString(2), reader.GetGuid(3), reader.GetInt64(4),
                    reader.GetFieldValue<DateTimeOffset>(5), reader.GetFieldValue<DateTimeOffset>(6), reader.GetString(7), reader.GetBoolean(8)];
                length += row.Length;
                rows++;
            }

            if (rows != PageSize || length == 0)
                throw new InvalidOperationException("a page is not whole");
        }, ct);
    }

    // As they come: the events of all organisations in turn, so that those of one lie apart. Indexes afterwards, and no log: it is read only.
    private static async Task FillAsync(TestDatabase database, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString + ";Command Timeout=0");
        await RunAsync("""
            alter table feed_events drop constraint feed_events_pkey, drop constraint feed_events_once;
            alter table feed_events set unlogged;
            """);
        await RunAsync($"insert into feed_heads select gen_random_uuid(), {EventsOfEach}, 0 from generate_series(1, {Organisations})");
        const int Portion = 1000;
        for (var from = 1; from <= EventsOfEach; from += Portion)
        {
            await RunAsync($$"""
                insert into feed_events
                select organisation_id, p, gen_random_uuid(), 'mesure.rencontre-scheduled.v1', id, 1 + p % 40, now(), now(),
                    ('{"state": "PROGRAMMEE", "holder": "ESPACE", "modalite": "VISITE", "juridictionId": "' || organisation_id || '", "espaceId": "' || organisation_id
                        || '", "gestionnaireId": "' || organisation_id || '", "rencontreId": "' || id || '", "startsAt": "2026-12-05T13:00:00+00:00", "durationMinutes": 60}')::jsonb,
                    p % 5 = 0, now()
                from generate_series({{from}}, {{from + Portion - 1}}) p, feed_heads, lateral (select md5(organisation_id::text || p)::uuid as id) ids
                """);
        }

        await RunAsync("set maintenance_work_mem = '1GB'; alter table feed_events add primary key (organisation_id, position), add constraint feed_events_once unique (organisation_id, event_id)");
        await RunAsync("analyze feed_events");
        var size = await database.ReadAsync<long>("select pg_total_relation_size('feed_events')") / 1048576;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Organisations * EventsOfEach:N0} events, {size} MiB, written in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s"));

        async Task RunAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>Places to read from: every 500th position of some feeds, with their tokens.</summary>
    private static async Task<List<(NotificationService.NotificationServiceClient Client, Guid Organisation, long Position, string Token)>> PlacesAsync(
        ServiceHost host, TestDatabase database, CancellationToken ct)
    {
        const int Step = 500;
        var places = new List<(NotificationService.NotificationServiceClient, Guid, long, string)>();
        foreach (var organisation in await database.ReadAllAsync<Guid>($"select organisation_id from feed_heads order by 1 limit {ReadFeeds}"))
        {
            var client = new NotificationService.NotificationServiceClient(host.Channel("espace", organisation));
            var token = "";
            for (var position = 0L; position < EventsOfEach; position += Step)
            {
                if (position > 0)
                    places.Add((client, organisation, position, token));
                token = (await client.ListEventsAsync(new ListEventsRequest { ResumeToken = token, PageSize = Step }, cancellationToken: ct)).ResumeToken;
            }
        }

        return places;
    }
}
