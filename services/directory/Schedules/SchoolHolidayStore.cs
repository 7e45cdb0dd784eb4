using System.Globalization;
using System.Text.RegularExpressions;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Schedules;

/// <summary>Imports, lists and reads the school holidays.</summary>
internal sealed partial class SchoolHolidayStore(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, PageTokens tokens)
{
    private const int MaxHolidays = 2000;

    private sealed record Cursor(DateOnly StartDate, string Zone);

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{4}\z")]
    private static partial Regex SchoolYear();

    /// <summary>Every holiday known, for the pure rules.</summary>
    public async Task<SchoolCalendar> CalendarAsync(CancellationToken ct) =>
        new((await db.SchoolHolidays.AsNoTracking().ToListAsync(ct)).Select(h => new SchoolHolidays(h.Zone, h.SchoolYear, new Period(h.StartDate, h.EndDate))));

    /// <summary>Replaces whole school years.</summary>
    public async Task<ImportSchoolHolidaysResponse> ImportAsync(ImportSchoolHolidaysRequest request, ServerCallContext call)
    {
        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        var zones = geography.Departements.Select(SchoolZones.Of).ToHashSet(StringComparer.Ordinal);
        var check = new FieldChecks();
        check.That(request.Holidays.Count is >= 1 and <= MaxHolidays, "holidays", "must have 1 to 2000 entries");
        var wanted = new List<SchoolHolidayRow>();
        foreach (var (i, holiday) in request.Holidays.Take(MaxHolidays).Index())
        {
            var at = $"holidays[{i}]";
            check.That(zones.Contains(holiday.Zone), $"{at}.zone", "must be A, B, C, CORSE or the code of an overseas département or collectivity");
            check.Text($"{at}.name", holiday.Name, 100, required: true);
            check.Text($"{at}.source", holiday.Source, 200, required: true);
            var start = check.Date($"{at}.start_date", holiday.StartDate);
            var end = check.Date($"{at}.end_date", holiday.EndDate);
            check.That(end >= start || holiday.EndDate is null, $"{at}.end_date", "must not lie before start_date");
            var year = FirstYear(holiday.SchoolYear);
            check.That(year is not null, $"{at}.school_year", "must be two years in a row such as 2026-2027");
            // From August, when the school year begins in the Indian Ocean, to the last day of the summer after it.
            check.That(
                year is not { } first || start == default || (start >= new DateOnly(first, 7, 1) && end <= new DateOnly(first + 1, 9, 30)),
                $"{at}.start_date", "must lie within the school year");
            var days = new Period(start, end);
            check.That(!wanted.Exists(w => w.Zone == holiday.Zone && days.Overlaps(new Period(w.StartDate, w.EndDate))), at, "overlaps holidays of the same zone before it");
            wanted.Add(new SchoolHolidayRow
            {
                Zone = holiday.Zone,
                SchoolYear = holiday.SchoolYear,
                StartDate = start,
                EndDate = end,
                Name = holiday.Name,
                Source = holiday.Source,
            });
        }
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return await commands.RunAsync(call, request, requestId, async ct =>
        {
            await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"lock table school_holidays in share row exclusive mode", ct);
            var years = wanted.Select(w => w.SchoolYear).Distinct().Order(StringComparer.Ordinal).ToArray();
            var others = await db.SchoolHolidays.AsNoTracking().Where(h => !years.Contains(h.SchoolYear)).ToListAsync(ct);
            foreach (var (i, row) in wanted.Index())
            {
                check.That(
                    !others.Exists(o => o.Zone == row.Zone && new Period(o.StartDate, o.EndDate).Overlaps(new Period(row.StartDate, row.EndDate))),
                    $"holidays[{i}]", "overlaps holidays of the same zone in another school year");
            }
            check.ThrowIfAny();
            await db.SchoolHolidays.Where(h => years.Contains(h.SchoolYear)).ExecuteDeleteAsync(ct);
            db.SchoolHolidays.AddRange(wanted);
            return new ImportSchoolHolidaysResponse { SchoolYears = { years }, HolidayCount = wanted.Count };
        }, _ => "school-holidays");
    }

    /// <summary>Lists the holidays in the order of their first day.</summary>
    public async Task<ListSchoolHolidaysResponse> ListAsync(ListSchoolHolidaysRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        check.Text("zone", request.Zone, 10);
        var pageSize = check.PageSize(request.PageSize, 100, 500);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var query = db.SchoolHolidays.AsNoTracking();
        if (request.Zone.Length > 0)
            query = query.Where(h => h.Zone == request.Zone);
        if (cursor is not null)
            query = query.Where(h => h.StartDate > cursor.StartDate || (h.StartDate == cursor.StartDate && h.Zone.CompareTo(cursor.Zone) > 0));
        var rows = await query.OrderBy(h => h.StartDate).ThenBy(h => h.Zone).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListSchoolHolidaysResponse();
        response.Holidays.Add(rows.Take(pageSize).Select(h => new SchoolHoliday
        {
            Zone = h.Zone,
            Name = h.Name,
            StartDate = h.StartDate.ToProto(),
            EndDate = h.EndDate.ToProto(),
            SchoolYear = h.SchoolYear,
            Source = h.Source,
        }));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new Cursor(rows[pageSize - 1].StartDate, rows[pageSize - 1].Zone), binding);
        return response;
    }

    private static int? FirstYear(string schoolYear) =>
        SchoolYear().IsMatch(schoolYear)
        && int.Parse(schoolYear.AsSpan(0, 4), CultureInfo.InvariantCulture) is >= 1900 and < 9998 and var first
        && int.Parse(schoolYear.AsSpan(5), CultureInfo.InvariantCulture) == first + 1 ? first : null;
}
