namespace Jafer.ServiceDefaults.Messaging;

/// <summary>Limits of the relay; configuration section "Outbox". The defaults suit production.</summary>
public sealed class OutboxOptions
{
    /// <summary>Messages of one pass: those of one aggregate go one after the other, so that a pass must hold many aggregates.</summary>
    public int BatchSize { get; set; } = 200;

    /// <summary>Longest wait between two looks at the table, varied by a fifth.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait for the broker to take one message.</summary>
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Failed attempts after which a message is parked for a person.</summary>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>Age of the oldest message from which the service calls itself degraded.</summary>
    public TimeSpan DegradedAge { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often the queue of messages that could not be applied is looked at.</summary>
    public TimeSpan ErrorQueueInterval { get; set; } = TimeSpan.FromMinutes(1);
}
