using Jafer.ServiceDefaults.Retention;
using System.Net;

namespace Jafer.Notifications.Webhooks;

/// <summary>Configuration section "Webhooks". The defaults suit production.</summary>
internal sealed class WebhookOptions
{
    /// <summary>Whether endpoints without TLS are taken; for development.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>Networks that are not public and may be posted to all the same, such as "10.20.0.0/16".</summary>
    public string[] AllowedNetworks { get; set; } = [];

    /// <summary>How often due deliveries are looked for; those that this replica queues are sent at once.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest attempt, from the name's resolution to the end of the answer.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>First wait after a failure, doubled by each further one up to 6 hours.</summary>
    public TimeSpan FirstBackoff { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Attempts of a replica at the same time.</summary>
    public int Concurrency { get; set; } = 256;

    /// <summary>Of them to one endpoint.</summary>
    public int EndpointConcurrency { get; set; } = 4;

    /// <summary>Failures of an endpoint in a row after which it rests and is then tried with one attempt at a time.</summary>
    public int RestAfterFailures { get; set; } = 5;

    /// <summary>First rest, doubled by each further failure.</summary>
    public TimeSpan FirstRest { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest rest.</summary>
    public TimeSpan LongestRest { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the log of deliveries is kept.</summary>
    public TimeSpan LogRetention { get; set; } = RetentionTable.BuiltIn["WEBHOOK_LOG"].Keep.Span;

    /// <summary>How long a delivery belongs to whoever tries it: longer than an attempt, after which its process is gone.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The networks that are allowed.</summary>
    public IEnumerable<IPNetwork> Networks => AllowedNetworks.Select(n => IPNetwork.Parse(n));
}
