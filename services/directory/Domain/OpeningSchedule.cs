using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Domain;

/// <summary>Hours at which a lieu receives families, again and again.</summary>
/// <param name="ExternalId">Identifier in the source.</param>
/// <param name="LieuExternalId">The lieu.</param>
/// <param name="CommuneInsee">Its commune, which gives clock, public holidays and school zone.</param>
/// <param name="Days">The days.</param>
/// <param name="StartMinute">Opening, in minutes after midnight on the clock of the lieu.</param>
/// <param name="EndMinute">Closing.</param>
/// <param name="Modalites">Modalités held; empty: all that the espace offers.</param>
/// <param name="Slots">Slots for one family each on one day.</param>
/// <param name="SchoolHolidays">What school holidays change.</param>
/// <param name="OpenOnPublicHolidays">Whether it also opens on public holidays.</param>
internal sealed record OpeningHours(
    string ExternalId, string LieuExternalId, string CommuneInsee, Recurrence Days, int StartMinute, int EndMinute,
    IReadOnlyCollection<Modalite> Modalites, int Slots, SchoolHolidayRule SchoolHolidays, bool OpenOnPublicHolidays)
{
    /// <summary>Code of the département of the lieu.</summary>
    public string Departement { get; } = CommuneInsee[..(CommuneInsee.StartsWith("97", StringComparison.Ordinal) || CommuneInsee.StartsWith("98", StringComparison.Ordinal) ? 3 : 2)];

    /// <summary>Clock of the lieu.</summary>
    public TimeZoneInfo Zone { get; } = TimeZoneInfo.FindSystemTimeZoneById(Communes.ZoneOf(CommuneInsee));

    /// <summary>Whether the hours serve a modalité that the espace offers.</summary>
    public bool Serves(Modalite modalite) => Modalites.Count == 0 || Modalites.Contains(modalite);
}

/// <summary>Hours on one day.</summary>
/// <param name="Hours">The hours.</param>
/// <param name="Day">The day at the lieu.</param>
internal readonly record struct Opening(OpeningHours Hours, DateOnly Day)
{
    /// <summary>Begin.</summary>
    public DateTimeOffset Start => Hours.Zone.At(Day, Hours.StartMinute);

    /// <summary>End.</summary>
    public DateTimeOffset End => Hours.Zone.At(Day, Hours.EndMinute);
}

/// <summary>When an espace receives families: its hours less public holidays, school holidays and closures. Pure.</summary>
/// <param name="Hours">The hours.</param>
/// <param name="Closures">Closures, each of one lieu, or of all with an empty one.</param>
internal sealed record OpeningSchedule(IReadOnlyList<OpeningHours> Hours, IReadOnlyList<(Period Days, string LieuExternalId)> Closures)
{
    // A quarter: long enough for every second week and for the first Saturday of the month.
    private const int WeeksLookedAt = 13;

    /// <summary>The schedule of an espace as it is sent, now or as of a day.</summary>
    public static OpeningSchedule Of(Espace espace) => Of(espace.Ouvertures, espace.Lieux.Select(l => (l.ExternalId, l.CommuneInsee)), espace.Fermetures);

    /// <summary>The schedule of an espace from its parts.</summary>
    /// <param name="ouvertures">The hours as they were said.</param>
    /// <param name="lieux">The lieux with the commune of each.</param>
    /// <param name="fermetures">The closures as they were said.</param>
    public static OpeningSchedule Of(
        IEnumerable<Ouverture> ouvertures, IEnumerable<(string ExternalId, string CommuneInsee)> lieux, IEnumerable<Fermeture> fermetures)
    {
        var communes = lieux.ToDictionary(l => l.ExternalId, l => l.CommuneInsee, StringComparer.Ordinal);
        var hours = new List<OpeningHours>();
        foreach (var o in ouvertures)
        {
            if (!communes.TryGetValue(o.LieuExternalId, out var commune) || !Recurrence.TryParse(o.Rrule, Day(o.StartDate), out var days, out _))
                continue;
            var (start, end) = (o.StartTime.Hours * 60 + o.StartTime.Minutes, o.EndTime.Hours * 60 + o.EndTime.Minutes);
            hours.Add(new OpeningHours(
                o.ExternalId, o.LieuExternalId, commune, days, start, end, o.Modalites, (end - start) / o.SlotMinutes * o.Families, o.SchoolHolidays, o.OpenOnPublicHolidays));
        }
        return new OpeningSchedule(hours, [.. fermetures.Select(f => (new Period(Day(f.StartDate), Day(f.EndDate)), f.LieuExternalId))]);
    }

    /// <summary>The openings of a window in the order of time, then of their ids.</summary>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day.</param>
    /// <param name="modalite">Only hours that serve it; null for all.</param>
    /// <param name="calendar">School holidays.</param>
    /// <param name="unknownYears">School years whose holidays matter here and are not known.</param>
    public List<Opening> Between(DateOnly from, DateOnly to, Modalite? modalite, SchoolCalendar calendar, ISet<string> unknownYears)
    {
        var openings = new List<Opening>();
        foreach (var hours in Hours.Where(h => modalite is not { } wanted || h.Serves(wanted)))
        {
            foreach (var day in hours.Days.Between(from, to))
            {
                if (Closures.Any(c => (c.LieuExternalId.Length == 0 || c.LieuExternalId == hours.LieuExternalId) && c.Days.Contains(day)))
                    continue;
                if (IsHeldOn(hours, day, calendar, unknownYears))
                    openings.Add(new Opening(hours, day));
            }
        }
        return [.. openings.OrderBy(o => o.Start).ThenBy(o => o.Hours.ExternalId, StringComparer.Ordinal)];
    }

    /// <summary>The days of a window on which a lieu holds a modalité, closures apart, in no order.</summary>
    /// <param name="lieu">External id of the lieu.</param>
    /// <param name="modalite">The modalité.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day.</param>
    /// <param name="calendar">School holidays.</param>
    public IEnumerable<DateOnly> DaysOf(string lieu, Modalite modalite, DateOnly from, DateOnly to, SchoolCalendar calendar) =>
        Hours.Where(h => h.LieuExternalId == lieu && h.Serves(modalite)).SelectMany(h => h.Days.Between(from, to).Where(day => IsHeldOn(h, day, calendar, null)));

    /// <summary>Whether the days of a lieu and modalité are an estimate around a day, because nobody published the school holidays that they follow.</summary>
    /// <param name="lieu">External id of the lieu.</param>
    /// <param name="modalite">The modalité.</param>
    /// <param name="day">The day.</param>
    /// <param name="calendar">School holidays.</param>
    public bool IsEstimate(string lieu, Modalite modalite, DateOnly day, SchoolCalendar calendar) => Hours.Any(h => h.LieuExternalId == lieu && h.Serves(modalite)
        && h.SchoolHolidays is (SchoolHolidayRule.OutsideHolidays or SchoolHolidayRule.HolidaysOnly)
        && calendar.UnknownYearOf(SchoolZones.Of(h.Departement), day) is not null);

    /// <summary>
    /// Slots in an ordinary week: the mean, rounded, of the thirteen weeks from that of the given day on, counted as school
    /// weeks without public holiday or closure.
    /// </summary>
    /// <param name="modalite">The modalité.</param>
    /// <param name="day">The day of reading.</param>
    public int SlotsPerWeek(Modalite modalite, DateOnly day)
    {
        var monday = DateOnly.FromDayNumber(day.DayNumber - day.DayNumber % 7);
        var last = monday.PlusDays(7 * WeeksLookedAt - 1);
        var slots = Hours.Where(h => h.Serves(modalite) && h.SchoolHolidays != SchoolHolidayRule.HolidaysOnly).Sum(h => h.Days.Between(monday, last).Count() * h.Slots);
        return (int)Math.Round(slots / (double)WeeksLookedAt, MidpointRounding.AwayFromZero);
    }

    private static bool IsHeldOn(OpeningHours hours, DateOnly day, SchoolCalendar calendar, ISet<string>? unknownYears) =>
        (hours.OpenOnPublicHolidays || !PublicHolidays.IsHoliday(day, hours.Departement)) && InSchoolTime(hours, day, calendar, unknownYears);

    // Where the year is not known, hours of school time are shown and hours of the holidays are not: both are estimates.
    private static bool InSchoolTime(OpeningHours hours, DateOnly day, SchoolCalendar calendar, ISet<string>? unknownYears)
    {
        if (hours.SchoolHolidays is not (SchoolHolidayRule.OutsideHolidays or SchoolHolidayRule.HolidaysOnly))
            return true;
        var zone = SchoolZones.Of(hours.Departement);
        if (unknownYears is not null && calendar.UnknownYearOf(zone, day) is { } year)
            unknownYears.Add(year);
        return calendar.IsHoliday(zone, day) == (hours.SchoolHolidays == SchoolHolidayRule.HolidaysOnly);
    }

    private static DateOnly Day(Date date) => new(date.Year, date.Month, date.Day);
}
