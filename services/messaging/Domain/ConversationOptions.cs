namespace Jafer.Messaging.Domain;

/// <summary>Configuration section "Conversations".</summary>
internal sealed class ConversationOptions
{
    /// <summary>Within which time a danger must be acknowledged.</summary>
    public TimeSpan AcknowledgeDangerWithin { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Within which time a difficulty must be acknowledged.</summary>
    public TimeSpan AcknowledgeDifficultyWithin { get; set; } = TimeSpan.FromHours(4);

    /// <summary>For how long after the closing of a mesure messages may still be posted: facts come late.</summary>
    public TimeSpan WritableAfterClosing { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How often what is overdue is looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(1);
}
