using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Reminders;

/// <summary>A reminder of something that is due.</summary>
/// <param name="Rung">To whom it goes.</param>
/// <param name="Number">Which one of its rung, from 1.</param>
/// <param name="At">When.</param>
public readonly record struct Reminder(ReminderRung Rung, int Number, DateTimeOffset At);

/// <summary>A rung of a ladder.</summary>
/// <param name="Rung">Who is reminded.</param>
/// <param name="Times">How often, at most <see cref="Ladder.MostOfARung"/> times.</param>
/// <param name="Every">How long after the reminder before, be it of this rung or of the one below: hours or working days.</param>
public readonly record struct LadderStep(ReminderRung Rung, int Times, Delay Every);

/// <summary>
/// Who is reminded of something that is due, how often and how long apart, until it is done: one rung after the other. Where a
/// ladder counts working days, it reminds in the morning of one; where it counts hours, at any time.
/// </summary>
public sealed class Ladder
{
    /// <summary>How often one rung is reminded at most.</summary>
    public const int MostOfARung = 3;

    private readonly LadderStep[] _steps;

    /// <summary>A ladder.</summary>
    /// <param name="steps">Its rungs, from the lowest.</param>
    public Ladder(params LadderStep[] steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        if (steps.Length == 0
            || Array.Exists(steps, s => s.Times is < 1 or > MostOfARung || s.Every.Amount < 1)
            || steps.Zip(steps.Skip(1)).Any(pair => pair.First.Rung >= pair.Second.Rung))
        {
            throw new ArgumentException("the rungs of a ladder go up, each is reminded once to three times, and something lies between two reminders", nameof(steps));
        }

        _steps = steps;
    }

    /// <summary>Its rungs, from the lowest.</summary>
    public IReadOnlyList<LadderStep> Steps => _steps;

    /// <summary>The first reminder: when it is due, or when people work next.</summary>
    /// <param name="due">When the act was due.</param>
    /// <param name="calendar">Whose days count.</param>
    public Reminder First(DateTimeOffset due, WorkingCalendar calendar)
    {
        ArgumentNullException.ThrowIfNull(calendar);
        return new(_steps[0].Rung, 1, _steps[0].Every.InWorkingDays ? calendar.WorkingTimeFrom(due) : due);
    }

    /// <summary>
    /// The reminder after another, counted from when that one really went out: nobody gets two at once because the first was late.
    /// Null after the last.
    /// </summary>
    /// <param name="last">The last one that went out.</param>
    /// <param name="calendar">Whose days count.</param>
    public Reminder? After(Reminder last, WorkingCalendar calendar)
    {
        ArgumentNullException.ThrowIfNull(calendar);
        var step = Array.Find(_steps, s => s.Rung == last.Rung && s.Times > last.Number);
        var number = last.Number + 1;
        if (step == default)
        {
            // Of a rung that this ladder no longer has, the one above goes on.
            step = Array.Find(_steps, s => s.Rung > last.Rung);
            number = 1;
        }

        return step == default
            ? null
            : new(step.Rung, number, step.Every.InWorkingDays ? calendar.MorningAfter(last.At, step.Every.Amount) : step.Every.After(last.At, calendar));
    }

    /// <summary>When a reminder may go out that nobody sent in its time: now, or when people work next.</summary>
    /// <param name="reminder">The reminder.</param>
    /// <param name="now">Now.</param>
    /// <param name="calendar">Whose days count.</param>
    /// <returns>Now, or a later moment.</returns>
    public DateTimeOffset NotBefore(Reminder reminder, DateTimeOffset now, WorkingCalendar calendar)
    {
        ArgumentNullException.ThrowIfNull(calendar);
        return reminder.At > now ? reminder.At
            : Array.Exists(_steps, s => s.Rung == reminder.Rung && s.Every.InWorkingDays) ? calendar.WorkingTimeFrom(now)
            : now;
    }
}
