using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Testing;

/// <summary>Publishes events as another service would: through an outbox, its relay and the broker.</summary>
public static class EventPublishing
{
    /// <summary>
    /// Puts events into the outbox of a running service, whose own relay gives them to the broker in this order. They come back
    /// to that service's queue like those of any other.
    /// </summary>
    /// <param name="host">The service.</param>
    /// <param name="events">The events, in order.</param>
    public static async Task PublishAsync<TContext>(this ServiceHost host, params IReadOnlyList<DomainEvent> events)
        where TContext : JaferDbContext
    {
        await using var scope = host.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TContext>();
        foreach (var message in events)
        {
            db.Publish(message);
        }

        await db.SaveChangesAsync();
        host.App.Services.GetRequiredService<OutboxSignal>().Notify();
    }
}
