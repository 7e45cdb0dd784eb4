using Jafer.ServiceDefaults.Time;

namespace Jafer.Notifications.Webhooks;

/// <summary>Wakes this replica's dispatcher: there is something to post.</summary>
internal sealed class WebhookSignal : WorkSignal;
