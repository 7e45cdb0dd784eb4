namespace Jafer.ServiceDefaults;

/// <summary>Configuration section "Escalation", the same for the services that know the operator.</summary>
public sealed class EscalationOptions
{
    /// <summary>The operator as an organisation: what is escalated comes into its feed, and it is the other side of the threads of espaces.</summary>
    public Guid OperatorId { get; set; } = StableIds.For("organisation:operateur:national");
}
