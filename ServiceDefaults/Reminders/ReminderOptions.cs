namespace Jafer.ServiceDefaults.Reminders;

/// <summary>Configuration section "Reminders".</summary>
public sealed class ReminderOptions
{
    /// <summary>
    /// Whether anybody is reminded, and deadlines that have passed are told. What is due is computed and listed without; once it is
    /// switched on again, each thing that is still missed gets its next reminder.
    /// </summary>
    public bool Enabled { get; set; } = true;
}
