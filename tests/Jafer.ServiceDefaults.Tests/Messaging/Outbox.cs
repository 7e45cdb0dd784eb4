using Jafer.Contracts.Events;
using Jafer.Probe;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Messaging;

/// <summary>Writes events into a probe's outbox as a command does, and reads what became of them.</summary>
internal static class Outbox
{
    public static async Task<List<WaitDeclared>> WriteAsync(ServiceHost host, params IEnumerable<(Guid Aggregate, long Version)> events)
    {
        var written = events.Select(e => ProbeGrpcService.Event(e.Aggregate, e.Version, TimeProvider.System.GetUtcNow(), "VISITE")).ToList();
        await WriteAsync(host, written);
        return written;
    }

    public static async Task WriteAsync(ServiceHost host, params IEnumerable<DomainEvent> events)
    {
        await using var scope = host.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ProbeDbContext>();
        foreach (var message in events)
        {
            db.Publish(message);
        }

        await db.SaveChangesAsync();
        host.App.Services.GetRequiredService<OutboxSignal>().Notify();
    }

    public static Task<long> CountAsync(this TestDatabase database) => database.ReadAsync<long>("select count(*) from outbox_messages");

    public static Task<long> AppliedAsync(this TestDatabase database) => database.ReadAsync<long>("select count(*) from applied_events");

    public static Task<long> AppliedAsync(this TestDatabase database, Guid aggregate) =>
        database.ReadAsync<long>($"select count(*) from applied_events where aggregate_id = '{aggregate}'");

    /// <summary>Waits until the outbox is empty and so many events were applied.</summary>
    public static async Task FlowsAsync(this TestDatabase database, long applied, TimeSpan? limit = null)
    {
        await Eventually.BecomesAsync(database.CountAsync, n => n == 0, "an empty outbox", limit);
        await Eventually.BecomesAsync(database.AppliedAsync, n => n >= applied, $"{applied} applied events", limit);
    }

    /// <summary>Fails when an event was applied twice, is missing, or came before an earlier one of its aggregate.</summary>
    public static async Task AssertEachOnceInOrderAsync(this TestDatabase database, IEnumerable<DomainEvent> written)
    {
        var expected = written.GroupBy(e => e.AggregateId).ToDictionary(g => g.Key, g => string.Join(',', g.Select(e => e.AggregateVersion)));
        var rows = await database.ReadAllAsync<string>(
            "select aggregate_id || ' ' || string_agg(aggregate_version::text, ',' order by position) from applied_events group by aggregate_id");
        var applied = rows.Select(r => r.Split(' ')).ToDictionary(r => Guid.Parse(r[0]), r => r[1]);
        foreach (var (aggregate, versions) in expected)
        {
            Assert.Equal(versions, applied[aggregate]);
        }
    }
}
