using Jafer.ServiceDefaults.Retention;

namespace Jafer.Notifications.Feed;

/// <summary>Configuration section "Feed". The defaults suit production.</summary>
internal sealed class FeedOptions
{
    /// <summary>Longest silence of a watched stream; before each message it is asked whether its caller would still be let in.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a replica looks for what the others appended; once for all its watchers.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long events are kept.</summary>
    public TimeSpan Retention { get; set; } = RetentionTable.BuiltIn["FEED"].Keep.Span;

    /// <summary>How often old events are looked for.</summary>
    public TimeSpan RetentionInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often organisations are looked for that read their feed no more.</summary>
    public TimeSpan SilenceInterval { get; set; } = TimeSpan.FromMinutes(1);
}
