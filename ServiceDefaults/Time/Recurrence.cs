using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Jafer.ServiceDefaults.Time;

/// <summary>
/// Days that come again and again: the part of RFC 5545 that opening hours need. FREQ=WEEKLY or MONTHLY with INTERVAL, BYDAY
/// (with a position such as 1SA or -1SU for MONTHLY), BYMONTH, and UNTIL (a date) or COUNT. Weeks begin on Monday. An empty
/// rule is the start alone. Immutable; knows days only: hours and zones are the caller's.
/// </summary>
public sealed class Recurrence
{
    // A rule that gives nothing in so long never will, as far as anybody who waits is concerned.
    private const int HorizonYears = 40;
    private const int MaxWeeks = 52;
    private const int MaxMonths = 12;
    private const int MaxCount = 5000;

    private static readonly string[] s_weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

    private readonly bool _weekly;
    private readonly int _interval;
    private readonly (int Position, int Weekday)[] _days;
    private readonly int _months; // one bit each, 0: all
    private readonly DateOnly _until;
    private readonly int? _count;

    private Recurrence(DateOnly start, bool weekly, int interval, (int, int)[] days, int months, DateOnly? until, int? count)
    {
        (Start, _weekly, _interval, _days, _months, _until, _count) = (start, weekly, interval, days, months, until ?? DateOnly.MaxValue, count);
    }

    /// <summary>First day that the rule may give.</summary>
    public DateOnly Start { get; }

    /// <summary>Reads a rule.</summary>
    /// <param name="rule">The rule, without "RRULE:"; empty for the start alone.</param>
    /// <param name="start">First day that the rule may give.</param>
    /// <param name="recurrence">The rule read; null when it is wrong.</param>
    /// <param name="error">What is wrong, in English; null when nothing is.</param>
    public static bool TryParse(
        string rule, DateOnly start, [NotNullWhen(true)] out Recurrence? recurrence, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(rule);
        (recurrence, error) = Parse(rule, start);
        if (recurrence is not null && !recurrence.Between(start, Later(start, HorizonYears)).Any())
        {
            (recurrence, error) = (null, "never gives a day");
        }

        return recurrence is not null;
    }

    /// <summary>The days of the rule within a window, both ends included, in order and each once.</summary>
    /// <param name="from">First day of the window.</param>
    /// <param name="to">Last day of the window.</param>
    public IEnumerable<DateOnly> Between(DateOnly from, DateOnly to)
    {
        var last = to < _until ? to : _until;
        // Only a rule that counts must be followed from its start; any other may be entered at the window.
        var first = _count is null && from > Start ? from : Start;
        var given = 0;
        foreach (var day in From(first))
        {
            if (day > last || given == _count)
            {
                yield break;
            }

            given++;
            if (day >= from)
            {
                yield return day;
            }
        }
    }

    /// <summary>Whether the rule gives a day.</summary>
    /// <param name="day">The day.</param>
    public bool Includes(DateOnly day) => Between(day, day).Any();

    // Every day that fits the pattern, from a day on, without an end of its own.
    private IEnumerable<DateOnly> From(DateOnly first)
    {
        var (number, last) = _weekly
            ? (Whole(WeekOf(first) - WeekOf(Start)), WeekOf(DateOnly.MaxValue) - WeekOf(Start) - 1)
            : (Whole(MonthOf(first) - MonthOf(Start)), MonthOf(DateOnly.MaxValue) - MonthOf(Start));
        for (; number <= last; number += _interval)
        {
            foreach (var day in _weekly ? InWeek(WeekOf(Start) + number) : InMonth(MonthOf(Start) + number))
            {
                if (day >= first && (_months == 0 || (_months & (1 << day.Month)) != 0))
                {
                    yield return day;
                }
            }
        }
    }

    // The number of the first period not before the given one that the interval hits.
    private int Whole(int periods) => (periods + _interval - 1) / _interval * _interval;

    private IEnumerable<DateOnly> InWeek(int week) => _days.Select(d => DateOnly.FromDayNumber(week * 7 + d.Weekday));

    private SortedSet<DateOnly> InMonth(int month)
    {
        var (year, index) = Math.DivRem(month, 12);
        var length = DateTime.DaysInMonth(year, index + 1);
        var first = new DateOnly(year, index + 1, 1);
        var days = new SortedSet<DateOnly>();
        if (_days.Length == 0)
        {
            // The same day of each month; a month that does not have it is left out.
            if (Start.Day <= length)
            {
                days.Add(first.AddDays(Start.Day - 1));
            }

            return days;
        }

        foreach (var (position, weekday) in _days)
        {
            var offset = (weekday - WeekdayOf(first) + 7) % 7;
            var count = (length - offset + 6) / 7;
            for (var n = 0; n < count; n++)
            {
                if (position == 0 || position == n + 1 || position == n - count)
                {
                    days.Add(first.AddDays(offset + 7 * n));
                }
            }
        }

        return days;
    }

    private static (Recurrence?, string?) Parse(string rule, DateOnly start)
    {
        if (rule.Length == 0)
        {
            return (new Recurrence(start, weekly: true, 1, [(0, WeekdayOf(start))], 0, start, null), null);
        }

        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in rule.Split(';'))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || at == part.Length - 1)
            {
                return (null, "must be parts such as FREQ=WEEKLY, separated by semicolons");
            }

            if (!parts.TryAdd(part[..at], part[(at + 1)..]))
            {
                return (null, "names a part twice");
            }
        }

        if (parts.Keys.Except(["FREQ", "INTERVAL", "BYDAY", "BYMONTH", "UNTIL", "COUNT"], StringComparer.Ordinal).Any())
        {
            return (null, "may have FREQ, INTERVAL, BYDAY, BYMONTH, UNTIL and COUNT only");
        }

        var frequency = parts.GetValueOrDefault("FREQ");
        if (frequency is not ("WEEKLY" or "MONTHLY"))
        {
            return (null, "must have FREQ=WEEKLY or FREQ=MONTHLY");
        }

        var weekly = frequency == "WEEKLY";
        var most = weekly ? MaxWeeks : MaxMonths;
        if (Number(parts, "INTERVAL", 1, most) is not { } interval)
        {
            return (null, $"must have an INTERVAL from 1 to {most.ToString(CultureInfo.InvariantCulture)}");
        }

        if (Days(parts.GetValueOrDefault("BYDAY"), weekly) is not { } days)
        {
            return (null, weekly ? "must have weekdays such as SA in BYDAY" : "must have weekdays such as SA, 1SA or -1SU in BYDAY");
        }

        if (Months(parts.GetValueOrDefault("BYMONTH")) is not { } months)
        {
            return (null, "must have months from 1 to 12 in BYMONTH");
        }

        if (parts.ContainsKey("UNTIL") && parts.ContainsKey("COUNT"))
        {
            return (null, "must not have both UNTIL and COUNT");
        }

        DateOnly? until = null;
        if (parts.TryGetValue("UNTIL", out var text))
        {
            if (!DateOnly.TryParseExact(text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            {
                return (null, "must have a date such as 20271231 in UNTIL");
            }

            until = day;
        }

        int? count = null;
        if (parts.ContainsKey("COUNT") && (count = Number(parts, "COUNT", 1, MaxCount)) is null)
        {
            return (null, "must have a COUNT from 1 to 5000");
        }

        if (weekly && days.Length == 0)
        {
            days = [(0, WeekdayOf(start))];
        }

        return (new Recurrence(start, weekly, interval, days, months, until, count), null);
    }

    private static int? Number(Dictionary<string, string> parts, string name, int min, int max) =>
        !parts.TryGetValue(name, out var text) ? 1
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number : null;

    // Sorted by weekday, so that a week is given in order.
    private static (int Position, int Weekday)[]? Days(string? text, bool weekly)
    {
        if (text is null)
        {
            return [];
        }

        var days = new SortedSet<(int Weekday, int Position)>();
        foreach (var part in text.Split(','))
        {
            var weekday = part.Length < 2 ? -1 : Array.IndexOf(s_weekdays, part[^2..]);
            var position = 0;
            if (weekday < 0
                || (part.Length > 2 && (weekly || !int.TryParse(part[..^2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out position) || position is 0 or < -5 or > 5)))
            {
                return null;
            }

            days.Add((weekday, position));
        }

        return [.. days.Select(d => (d.Position, d.Weekday))];
    }

    private static int? Months(string? text)
    {
        var bits = 0;
        foreach (var part in text?.Split(',') ?? [])
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var month) || month is < 1 or > 12)
            {
                return null;
            }

            bits |= 1 << month;
        }

        return bits;
    }

    // Day number 0 is a Monday.
    private static int WeekdayOf(DateOnly day) => day.DayNumber % 7;

    private static int WeekOf(DateOnly day) => day.DayNumber / 7;

    private static int MonthOf(DateOnly day) => day.Year * 12 + day.Month - 1;

    private static DateOnly Later(DateOnly day, int years) => day.Year + years > 9999 ? DateOnly.MaxValue : day.AddYears(years);
}
