using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>Connects a service to the broker.</summary>
internal static class MessagingExtensions
{
    /// <summary>
    /// One quorum queue for the service with a single active consumer: the events of one mesure keep their order over replicas,
    /// those of different mesures run side by side.
    /// </summary>
    public static void AddJaferMessaging<TContext>(this WebApplicationBuilder builder, string service, IReadOnlyCollection<Type> subscriptions)
        where TContext : JaferDbContext
    {
        builder.Services.AddSingleton(services => new InboxQueue(
            $"{services.GetRequiredService<IConfiguration>()["Broker:Prefix"]}jafer.{service}"));
        builder.Services.Configure<OutboxOptions>(builder.Configuration.GetSection("Outbox"));
        builder.Services.AddSingleton<OutboxSignal>();
        builder.Services.AddSingleton<OutboxState>();
        builder.Services.AddSingleton<InboxGroup<TContext>>();
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();

            // Without the broker the service still answers: the outbox keeps what is decided.
            bus.ConfigureHealthCheckOptions(options =>
            {
                options.Name = "broker";
                options.MinimalFailureStatus = HealthStatus.Degraded;
            });
            foreach (var type in subscriptions)
            {
                bus.AddConsumer(typeof(InboxConsumer<,>).MakeGenericType(typeof(TContext), type));
            }

            bus.UsingRabbitMq((context, rabbit) =>
            {
                var configuration = context.GetRequiredService<IConfiguration>();
                rabbit.MessageTopology.SetEntityNameFormatter(new EventNameFormatter(configuration["Broker:Prefix"]));
                foreach (var type in EventTypes.All)
                {
                    s_nameExchange.MakeGenericMethod(type).Invoke(null, [rabbit, configuration["Broker:Prefix"] + EventTypes.NameOf(type)]);
                }

                rabbit.Host(new Uri(configuration.GetConnectionString("rabbitmq")
                    ?? throw new InvalidOperationException("ConnectionStrings:rabbitmq is not configured")), host =>
                    {
                        host.PublisherConfirmation = true;
                        host.OnRefreshConnectionFactory = BrokerPort.AwaitAsync;
                    });
                rabbit.ConfigureJsonSerializerOptions(options =>
                {
                    options.DefaultIgnoreCondition = EventTypes.Json.DefaultIgnoreCondition;
                    return options;
                });
                if (subscriptions.Count == 0)
                {
                    return;
                }

                rabbit.ReceiveEndpoint(context.GetRequiredService<InboxQueue>().Name, endpoint =>
                {
                    endpoint.SetQuorumQueue();
                    endpoint.SingleActiveConsumer = true;
                    // Twice what the inbox applies together: the next group comes while one is committed.
                    endpoint.PrefetchCount = 128;
                    endpoint.ConcurrentMessageLimit = 128;

                    // Nobody subscribes to faults; a message that cannot be applied goes to the _error queue of this one.
                    endpoint.PublishFaults = false;
                    var order = new AggregateOrder(context.GetRequiredService<ILogger<AggregateOrder>>());
                    endpoint.ConfigureReceive(pipe => pipe.UseFilter(order));
                    foreach (var type in subscriptions)
                    {
                        endpoint.ConfigureConsumer(context, typeof(InboxConsumer<,>).MakeGenericType(typeof(TContext), type));
                    }
                });
            });
        });
        builder.Services.Configure<MassTransitHostOptions>(options =>
        {
            // The service starts and answers while the broker is away; the outbox keeps what is decided meanwhile.
            options.WaitUntilStarted = false;

            // A handler that runs when the service stops gets its time; then it is rolled back and its event delivered again.
            // A broker that ended first must not hold the service longer than that.
            options.ConsumerStopTimeout = TimeSpan.FromSeconds(2.5);
            options.StopTimeout = TimeSpan.FromSeconds(3);
        });
        builder.Services.AddSingleton<BrokerFirstContact>();
        builder.Services.AddHealthChecks().AddCheck<BrokerFirstContact>("queue", tags: [BrokerFirstContact.Tag]);
        builder.Services.AddSingleton<ErrorQueue>();
        builder.Services.AddSingleton<InboxState>();
        builder.Services.AddHostedService(services => services.GetRequiredService<InboxState>());
        builder.Services.AddHealthChecks().AddCheck<InboxState>("inbox", HealthStatus.Degraded);
        builder.Services.AddHostedService<OutboxRelay>();
        builder.Services.AddHostedService<Housekeeping>();
    }

    private static readonly System.Reflection.MethodInfo s_nameExchange =
        typeof(MessagingExtensions).GetMethod(nameof(NameExchange), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!;

    /// <summary>The attribute on the event wins over the formatter, so the prefix must be told for each event.</summary>
    private static void NameExchange<TEvent>(IRabbitMqBusFactoryConfigurator rabbit, string name)
        where TEvent : DomainEvent =>
        rabbit.Message<TEvent>(topology => topology.SetEntityName(name));

    /// <summary>Names exchanges as the events say; Broker:Prefix keeps several systems apart on one broker.</summary>
    private sealed class EventNameFormatter(string? prefix) : IEntityNameFormatter
    {
        public string FormatEntityName<T>() => prefix + (typeof(T).IsSubclassOf(typeof(DomainEvent)) && !typeof(T).IsAbstract
            ? EventTypes.NameOf(typeof(T))
            : typeof(T).FullName);
    }
}
