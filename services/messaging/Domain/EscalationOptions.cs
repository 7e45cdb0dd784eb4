using Jafer.ServiceDefaults;

namespace Jafer.Messaging.Domain;

/// <summary>Configuration section "Escalation", the same as the notification service's.</summary>
internal sealed class EscalationOptions
{
    /// <summary>The operator as an organisation: the other side of the threads of espaces.</summary>
    public Guid OperatorId { get; set; } = StableIds.For("organisation:operateur:national");
}
