namespace Jafer.ServiceDefaults.Time;

/// <summary>
/// The rhythm of software that talks to Jafer: the days between the days on which it did. It is silent once it has paused for
/// twice as long as nine in ten of its latest pauses, and for four days at least: a long weekend is no silence.
/// </summary>
public abstract class Rhythm
{
    /// <summary>Pauses that are remembered.</summary>
    public const int KeptGaps = 20;

    /// <summary>Pauses from which a rhythm can be read.</summary>
    public const int FewestGaps = 3;

    /// <summary>Days of silence that are never told, whatever the rhythm.</summary>
    public const int ShortestSilence = 4;

    /// <summary>Days of silence that are told while the rhythm is not known.</summary>
    public const int SilenceWithoutRhythm = 14;

    /// <summary>Last day on which it talked, in Paris.</summary>
    public DateOnly LastDay { get; private set; }

    /// <summary>Days between its latest days, the oldest first.</summary>
    public int[] Gaps { get; private set; } = [];

    /// <summary>Last day on which its silence is still its rhythm.</summary>
    public DateOnly SilentAfter { get; private set; }

    /// <summary>Silences that were told.</summary>
    public int Silences { get; private set; }

    /// <summary>Whether the silence that lasts was told.</summary>
    public bool SilenceTold { get; private protected set; }

    /// <summary>Days that nine in ten of its latest pauses did not pass; null while there are too few.</summary>
    public int? UsualDays => Gaps.Length < FewestGaps ? null : Gaps.Order().ElementAt((int)Math.Ceiling(Gaps.Length * 0.9) - 1);

    /// <summary>Notes that it talked.</summary>
    /// <param name="day">The day in Paris.</param>
    /// <returns>False when the day was known: nothing changed.</returns>
    public bool Report(DateOnly day)
    {
        if (day <= LastDay)
        {
            return false;
        }

        // Silences count too: one in ten moves nothing, and software that talks less often than before has a new rhythm.
        if (LastDay != default)
        {
            Gaps = [.. Gaps.TakeLast(KeptGaps - 1), day.DayNumber - LastDay.DayNumber];
        }

        LastDay = day;
        SilentAfter = day.AddDays(UsualDays is { } usual ? Math.Max(ShortestSilence, 2 * usual) : SilenceWithoutRhythm);
        SilenceTold = false;
        return true;
    }

    /// <summary>Whether it is silent on a day.</summary>
    /// <param name="today">The day in Paris.</param>
    public bool IsSilent(DateOnly today) => SilentAfter < today;

    /// <summary>Whether it is silent on a day and nobody was told yet.</summary>
    /// <param name="today">The day in Paris.</param>
    public bool FallsSilent(DateOnly today) => !SilenceTold && IsSilent(today);

    /// <summary>Notes that its silence was told.</summary>
    public void Tell()
    {
        Silences++;
        SilenceTold = true;
    }
}
