using System.Numerics;

namespace Jafer.ServiceDefaults.Time;

/// <summary>
/// The rhythm of software that may talk many times a day: besides its days the hours in which it nearly always talks, apart for
/// working days, for Saturdays, and for Sundays with the public holidays. Who has four such hours on a kind of day is silent once
/// it has missed four of them in a row: nights and weekends count only for who talks then. All others are judged by their days.
/// Nobody is silent before a rhythm is learnt.
/// </summary>
public abstract class HourlyRhythm : Rhythm
{
    /// <summary>Days of each kind that are remembered.</summary>
    public const int KeptDays = 10;

    /// <summary>Days of a kind from which its hours can be read.</summary>
    public const int FewestDays = 3;

    /// <summary>Usual hours on a kind of day from which software counts as one that talks many times a day.</summary>
    public const int FewestHours = 4;

    /// <summary>Usual hours in a row that it misses before it is silent.</summary>
    public const int MissedHours = 4;

    // Days before the latest that can be remembered at all: of each kind at most ten.
    private const int Reach = 100;

    private static readonly WorkingCalendar s_calendar = WorkingCalendar.Of(null, null);

    /// <summary>Start of the hour in which it last talked; null before it ever did.</summary>
    public DateTimeOffset? LastHour { get; private set; }

    /// <summary>The hours of its last day in which it talked, in Paris: bit 0 for the one from midnight.</summary>
    public int Hours { get; private set; }

    /// <summary>The same of its latest working days, the oldest first; 0 for a day on which it did not talk.</summary>
    public int[] WorkingDays { get; private set; } = [];

    /// <summary>The same of its latest Saturdays that were no public holidays.</summary>
    public int[] Saturdays { get; private set; } = [];

    /// <summary>The same of its latest Sundays and public holidays.</summary>
    public int[] Sundays { get; private set; } = [];

    /// <summary>From when on its silence is not its rhythm; null while that is not learnt.</summary>
    public DateTimeOffset? SilentAt { get; private set; }

    /// <summary>Notes that it talked.</summary>
    /// <param name="now">When.</param>
    /// <returns>False when the hour was known: nothing changed.</returns>
    public bool Report(DateTimeOffset now)
    {
        var start = StartOfHour(now);
        var (day, hour) = (now.DayInParis(), now.HourInParis());
        if (day < LastDay || (day == LastDay && (Hours & (1 << hour)) != 0))
        {
            return false;
        }

        if (day > LastDay)
        {
            // What it did not say while it was silent is no rhythm.
            if (LastDay != default && !IsSilent(now))
            {
                Keep(day);
            }

            // Of the day on which it began nobody knows what came before.
            Hours = LastDay == default ? (1 << hour) - 1 : 0;
            Report(day);
        }

        Hours |= 1 << hour;
        LastHour = start > LastHour ? start : LastHour ?? start;
        SilenceTold = false;
        SilentAt = EndOfRhythm(LastHour.Value);
        return true;
    }

    /// <summary>Whether it is silent.</summary>
    /// <param name="now">When.</param>
    public bool IsSilent(DateTimeOffset now) => SilentAt <= now;

    /// <summary>Whether it is silent and nobody was told yet.</summary>
    /// <param name="now">When.</param>
    public bool FallsSilent(DateTimeOffset now) => !SilenceTold && IsSilent(now);

    /// <summary>The start of the hour of an instant: in Paris and in UTC the same.</summary>
    /// <param name="instant">The instant.</param>
    public static DateTimeOffset StartOfHour(DateTimeOffset instant) => new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    /// <summary>The hours in which it talked on nine in ten days.</summary>
    private static int Usual(int[] days)
    {
        if (days.Length < FewestDays)
        {
            return 0;
        }

        var least = (int)Math.Ceiling(days.Length * 0.9);
        return Enumerable.Range(0, 24).Where(h => days.Count(d => (d & (1 << h)) != 0) >= least).Aggregate(0, (hours, h) => hours | (1 << h));
    }

    private static int[] With(int[] days, int hours) => [.. days.TakeLast(KeptDays - 1), hours];

    /// <summary>Keeps its last day, and those before the new one on which it did not talk.</summary>
    private void Keep(DateOnly before)
    {
        Keep(LastDay, Hours);
        for (var day = LastDay.AddDays(Math.Max(1, before.DayNumber - LastDay.DayNumber - Reach)); day < before; day = day.AddDays(1))
        {
            Keep(day, 0);
        }
    }

    private void Keep(DateOnly day, int hours)
    {
        if (s_calendar.IsWorking(day))
        {
            WorkingDays = With(WorkingDays, hours);
        }
        else if (IsSaturday(day))
        {
            Saturdays = With(Saturdays, hours);
        }
        else
        {
            Sundays = With(Sundays, hours);
        }
    }

    private DateTimeOffset? EndOfRhythm(DateTimeOffset last)
    {
        if (UsualDays is null)
        {
            return null;
        }

        var end = SilentAfter.AddDays(1).StartInParis();
        var (working, saturday, sunday) = (Usual(WorkingDays), Usual(Saturdays), Usual(Sundays));
        if (Array.TrueForAll(new[] { working, saturday, sunday }, hours => BitOperations.PopCount((uint)hours) < FewestHours))
        {
            return end;
        }

        var (missed, day, usual) = (0, default(DateOnly), 0);
        for (var hour = last.AddHours(1); hour < end; hour = hour.AddHours(1))
        {
            if (hour.DayInParis() != day)
            {
                day = hour.DayInParis();
                usual = s_calendar.IsWorking(day) ? working : IsSaturday(day) ? saturday : sunday;
            }

            if ((usual & (1 << hour.HourInParis())) != 0 && ++missed == MissedHours)
            {
                return hour.AddHours(1);
            }
        }

        return end;
    }

    private static bool IsSaturday(DateOnly day) => day.DayOfWeek == DayOfWeek.Saturday && !PublicHolidays.IsHoliday(day, "");
}
