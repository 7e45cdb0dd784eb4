using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Time;

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

/// <summary>When whoever must act is told that they have not: at most three times, on working days, the last time of an urgent one beyond them.</summary>
internal static class Reminders
{
    /// <summary>How often one expectation is told at most.</summary>
    public const int Most = 3;

    /// <summary>When it is told first.</summary>
    /// <param name="dueAt">Until when it was expected.</param>
    /// <param name="departement">Code of the département of the espace; empty for the holidays that all have.</param>
    public static DateTimeOffset First(DateTimeOffset dueAt, string departement) => OnWorkingDay(dueAt, departement);

    /// <summary>When it is told again; null when it is told no more. Counted from the last time: whoever was down does not hurry.</summary>
    /// <param name="kind">What is expected.</param>
    /// <param name="told">How often it was told by now.</param>
    /// <param name="now">When it was told last.</param>
    /// <param name="departement">Code of the département.</param>
    public static DateTimeOffset? Next(ExpectationKind kind, int told, DateTimeOffset now, string departement) =>
        told >= Most ? null : OnWorkingDay(now + (kind == ExpectationKind.Acknowledgement ? TimeSpan.FromHours(4) : TimeSpan.FromDays(1)), departement);

    /// <summary>Whether the operator is told too: of the last reminder of an urgent message.</summary>
    /// <param name="kind">What is expected.</param>
    /// <param name="told">How often it was told, this time included.</param>
    public static bool Escalates(ExpectationKind kind, int told) => kind == ExpectationKind.Acknowledgement && told == Most;

    /// <summary>The instant, or eight o'clock of the next day that is worked.</summary>
    private static DateTimeOffset OnWorkingDay(DateTimeOffset at, string departement)
    {
        var calendar = WorkingCalendar.OfCourt(departement);
        return calendar.IsWorking(at.DayInParis()) ? at : calendar.MorningAfter(at, 1);
    }
}
