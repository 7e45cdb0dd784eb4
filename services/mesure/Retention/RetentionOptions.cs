namespace Jafer.Mesures.Retention;

/// <summary>Configuration section "Retention"; the periods stand in Retention:Keep.</summary>
internal sealed class RetentionOptions
{
    /// <summary>Whether a run starts by itself each night.</summary>
    public bool Nightly { get; set; } = true;

    /// <summary>Hour in Paris from which the run of the day may begin.</summary>
    public int Hour { get; set; } = 2;

    /// <summary>How long no run may be finished before operators are told, and the service calls itself degraded.</summary>
    public TimeSpan OverdueAfter { get; set; } = TimeSpan.FromHours(48);

    /// <summary>How often it is looked for a run to begin or to go on with.</summary>
    public TimeSpan LookEvery { get; set; } = TimeSpan.FromMinutes(10);
}
