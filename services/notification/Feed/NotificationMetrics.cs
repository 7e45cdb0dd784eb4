using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Telemetry;

namespace Jafer.Notifications.Feed;

/// <summary>Figures of the feed, the mails and the webhooks.</summary>
internal static class NotificationMetrics
{
    private static readonly Meter s_meter = new(JaferMetrics.Name);

    /// <summary>Watchers connected to this replica.</summary>
    public static UpDownCounter<long> Watchers { get; } = s_meter.CreateUpDownCounter<long>("jafer.feed.watchers", "{watcher}", "Streams open");

    /// <summary>Events that watchers took.</summary>
    public static Counter<long> Watched { get; } = s_meter.CreateCounter<long>("jafer.feed.watched", "{event}", "Events that watchers took");

    /// <summary>Attempts to send a mail to one person by what became of them, with the SMTP status or another code.</summary>
    public static Counter<long> Mails { get; } = s_meter.CreateCounter<long>("jafer.mail.attempts", "{mail}", "Attempts at a mail by outcome and code");

    /// <summary>Attempts to post to webhooks by what became of them.</summary>
    public static Counter<long> Webhooks { get; } = s_meter.CreateCounter<long>("jafer.webhook.attempts", "{attempt}", "Posts to webhooks by outcome");
}
