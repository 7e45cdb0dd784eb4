using System.Diagnostics;
using Jafer.Probe;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.ServiceDefaults.Tests.Messaging;

/// <summary>What becomes of events when the process that handles them is killed; a probe in a process of its own.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private const int Gate = 4242;
    private readonly string _prefix = ServiceHost.UniquePrefix();
    private TestDatabase? _database;

    private TestDatabase Database => _database!;

    public async ValueTask InitializeAsync() => _database = await ProbeHost.CloneAsync();

    public async ValueTask DisposeAsync() => await Database.DisposeAsync();

    [Fact]
    public async Task Relay_KilledBetweenPublishAndCommit_PublishesAgainAndAppliesOnce()
    {
        await using var tap = await Tap.OpenAsync(Servers.RabbitMq, _prefix + ".directory.wait-declared.v1");

        // The relay publishes, then stands before the gate when it deletes what it published.
        await Database.RunAsync($"""
            create function wait_at_gate() returns trigger language plpgsql security definer as $$ begin perform pg_advisory_xact_lock({Gate}); return null; end $$;
            create trigger gate before delete on outbox_messages for each statement execute function wait_at_gate();
            """);
        await using var gate = new NpgsqlConnection(Database.ConnectionString);
        await gate.OpenAsync();
        await RunAsync(gate, $"select pg_advisory_lock({Gate})");
        var aggregate = Organisations.New();
        var events = await WriteAsync(aggregate, 1, 10);

        using (var child = StartProbe())
        {
            try
            {
                await tap.SeesAsync(10);
                await Eventually.BecomesAsync(
                    () => Database.ReadAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory' and query like 'delete%'"),
                    n => n == 1, "the relay at the gate");
                Assert.Equal(10L, await Database.CountAsync());
            }
            finally
            {
                child.Kill();
                await child.WaitForExitAsync();
            }
        }

        await RunAsync(gate, $"select pg_advisory_unlock({Gate})");
        using (var child = StartProbe())
        {
            try
            {
                await Database.FlowsAsync(10);
                await tap.SeesAsync(20);
            }
            finally
            {
                child.Kill();
                await child.WaitForExitAsync();
            }
        }

        Assert.Equal(10L, await Database.AppliedAsync());
        await Database.AssertEachOnceInOrderAsync(events);
        Assert.Equal(10, tap.Seen.Select(d => d.EventId).Distinct().Count());
    }

    [Fact]
    public async Task Process_KilledAgainAndAgain_AppliesEachEventOnce()
    {
        var aggregates = Enumerable.Range(0, 4).Select(_ => Organisations.New()).ToList();
        var written = 0;
        for (var round = 1; round <= 3; round++)
        {
            foreach (var aggregate in aggregates)
            {
                written += (await WriteAsync(aggregate, ((round - 1) * 25) + 1, 25)).Count;
            }

            using var child = StartProbe();
            try
            {
                // In the last round it may finish; in the others it is killed in the middle.
                await Eventually.BecomesAsync(Database.AppliedAsync, n => n >= (round == 3 ? written : written - 60), "some events");
            }
            finally
            {
                child.Kill();
                await child.WaitForExitAsync();
            }
        }

        Assert.Equal(300L, await Database.AppliedAsync());
        Assert.Equal(300L, await Database.ReadAsync<long>("select count(distinct event_id) from applied_events"));
        Assert.Equal(300L, await Database.ReadAsync<long>("select count(*) from inbox_messages"));
        Assert.NotEqual(1L, await Database.ReadAsync<long>("select count(distinct process) from applied_events"));
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<List<Contracts.Events.WaitDeclared>> WriteAsync(Guid aggregate, int from, int count)
    {
        await using var db = new ProbeDbContext(new DbContextOptionsBuilder<ProbeDbContext>().UseNpgsql(Database.ConnectionString).Options);
        var events = Enumerable.Range(from, count).Select(v => ProbeGrpcService.Event(aggregate, v, TimeProvider.System.GetUtcNow(), "VISITE")).ToList();
        events.ForEach(db.Publish);
        await db.SaveChangesAsync();
        return events;
    }

    private Process StartProbe()
    {
        var settings = ServiceHost.Settings(ProbeApp.Name, Database.ConnectionString, _prefix);
        return Process.Start(new ProcessStartInfo("dotnet", [typeof(ProbeApp).Assembly.Location, .. settings.Select(s => $"--{s.Key}={s.Value}")])
        {
            RedirectStandardInput = true,
        })!;
    }
}
