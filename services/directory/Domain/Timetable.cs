using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Directory.Domain;

/// <summary>
/// On which days the lieux of an espace hold a modalité, as its opening schedule says, closures apart. Nothing is worked out
/// before it is asked for; what is, is kept by year. Safe for concurrent callers.
/// </summary>
internal sealed class Timetable
{
    /// <summary>Days within which an opening must come; a schedule that gives none by then says nothing.</summary>
    public const int HorizonDays = 366;

    // A few modalités, lieux and years: a list is searched as fast as a dictionary and takes a tenth of the memory.
    private const int MostKept = 64;

    private readonly Ouverture[] _ouvertures;
    private readonly (string ExternalId, string CommuneInsee)[] _lieux;
    private readonly SchoolCalendar _calendar;
    private OpeningSchedule? _schedule;
    private Year[] _years = [];
    private Week[] _weeks = [];

    /// <summary>Takes an opening schedule as it was said.</summary>
    /// <param name="ouvertures">The hours.</param>
    /// <param name="lieux">The lieux, by their positions.</param>
    /// <param name="calendar">School holidays.</param>
    public Timetable(Ouverture[] ouvertures, (string ExternalId, string CommuneInsee)[] lieux, SchoolCalendar calendar) =>
        (_ouvertures, _lieux, _calendar) = (ouvertures, lieux, calendar);

    // Read twice by two callers at once, it is the same.
    private OpeningSchedule Schedule => _schedule ??= OpeningSchedule.Of(_ouvertures, _lieux, []);

    /// <summary>Slots of a modalité in an ordinary week; 0 when no hours serve it.</summary>
    /// <param name="modalite">The modalité.</param>
    /// <param name="day">The day of reading.</param>
    public int SlotsPerWeek(Modalite modalite, DateOnly day)
    {
        var week = day.DayNumber / 7;
        foreach (var known in Volatile.Read(ref _weeks))
        {
            if (known.Modalite == modalite && known.Number == week)
                return known.Slots;
        }
        var slots = Schedule.SlotsPerWeek(modalite, day);
        Keep(ref _weeks, new(modalite, week, slots));
        return slots;
    }

    /// <summary>
    /// The day itself, or the first one after it on which a lieu holds a modalité; the day itself too when the schedule gives no
    /// such day within <see cref="HorizonDays"/>.
    /// </summary>
    /// <param name="modalite">The modalité.</param>
    /// <param name="lieu">Position of the lieu.</param>
    /// <param name="day">The day.</param>
    public DateOnly NextOpening(Modalite modalite, int lieu, DateOnly day)
    {
        var last = day.PlusDays(HorizonDays).DayNumber;
        for (var year = day.Year; year <= Math.Min(day.Year + 2, DateOnly.MaxValue.Year); year++)
        {
            var first = new DateOnly(year, 1, 1).DayNumber;
            var bits = DaysOf(modalite, lieu, year);
            for (var n = Math.Max(0, day.DayNumber - first); n < 366; n++)
            {
                if ((bits[n / 64] >> n % 64 & 1) != 0)
                    return first + n <= last ? DateOnly.FromDayNumber(first + n) : day;
            }
        }
        return day;
    }

    /// <summary>Whether the opening days of a lieu are an estimate around a day: they follow school holidays that nobody published.</summary>
    /// <param name="modalite">The modalité.</param>
    /// <param name="lieu">Position of the lieu.</param>
    /// <param name="day">The day.</param>
    public bool IsEstimate(Modalite modalite, int lieu, DateOnly day) => Schedule.IsEstimate(_lieux[lieu].ExternalId, modalite, day, _calendar);

    // One bit for each day of the year on which it is held.
    private ulong[] DaysOf(Modalite modalite, int lieu, int year)
    {
        foreach (var known in Volatile.Read(ref _years))
        {
            if (known.Modalite == modalite && known.Lieu == lieu && known.Number == year)
                return known.Days;
        }
        var (first, bits) = (new DateOnly(year, 1, 1), new ulong[6]);
        foreach (var day in Schedule.DaysOf(_lieux[lieu].ExternalId, modalite, first, new DateOnly(year, 12, 31), _calendar))
        {
            var n = day.DayNumber - first.DayNumber;
            bits[n / 64] |= 1UL << n % 64;
        }
        Keep(ref _years, new(modalite, lieu, year, bits));
        return bits;
    }

    // What another caller keeps at the same moment may be lost, and is worked out again.
    private static void Keep<T>(ref T[] kept, T value) => Volatile.Write(ref kept, kept.Length < MostKept ? [.. kept, value] : [value]);

    private sealed record Year(Modalite Modalite, int Lieu, int Number, ulong[] Days);

    private sealed record Week(Modalite Modalite, int Number, int Slots);
}
