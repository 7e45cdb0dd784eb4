using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Schedules;

/// <summary>Lists the days on which an espace receives families.</summary>
internal sealed class ListOuverturesOn(DirectoryDbContext db, SnapshotSource snapshots, SchoolHolidayStore holidays, PageTokens tokens, TimeProvider clock)
{
    private const int MaxDays = 400;
    private const int DefaultDays = 28;
    private const int LastYear = 9998;

    // The day of the first page is kept: the pages after midnight go on with the same window.
    private sealed record Cursor(DateOnly From, DateTimeOffset Start, string ExternalId);

    public async Task<ListOuverturesOnResponse> HandleAsync(ListOuverturesOnRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var modalite = check.KnownOrUnspecified("modalite", request.Modalite);
        var start = check.OptionalDate("start_date", request.StartDate);
        var end = check.OptionalDate("end_date", request.EndDate);
        // A day after the last one of the calendar has no midnight.
        check.That(!(start?.Year > LastYear), "start_date", "must lie before the year 9999");
        check.That(!(end?.Year > LastYear), "end_date", "must lie before the year 9999");
        var pageSize = check.PageSize(request.PageSize, 100, 500);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var geography = await snapshots.GeographyAsync(ct);
        var row = await db.WholeEspaces.AsNoTracking().SingleOrDefaultAsync(e => e.Id == espaceId, ct) ?? throw DomainError.NotFound($"espaces/{espaceId}");
        var espace = row.ToProto(geography, clock.TodayInParis());
        var zone = TimeZoneInfo.FindSystemTimeZoneById(espace.Lieux[0].TimeZone);
        var from = cursor?.From ?? start ?? zone.DayOf(clock.GetUtcNow());
        var to = end ?? from.PlusDays(DefaultDays);
        check.That(to >= from, "end_date", "must not lie before start_date");
        check.That(to.DayNumber - from.DayNumber <= MaxDays, "end_date", "must lie at most 400 days after start_date");
        check.ThrowIfAny();

        var response = new ListOuverturesOnResponse();
        if (modalite != Modalite.Unspecified && espace.Modalites.All(m => m.Modalite != modalite))
            return response;
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        var openings = OpeningSchedule.Of(espace).Between(from, to, modalite == Modalite.Unspecified ? null : modalite, await holidays.CalendarAsync(ct), unknown);
        var page = openings
            .SkipWhile(o => cursor is not null && (o.Start, string.CompareOrdinal(o.Hours.ExternalId, cursor.ExternalId)) is var (at, id)
                && (at < cursor.Start || (at == cursor.Start && id <= 0)))
            .Take(pageSize + 1).ToList();
        response.Ouvertures.Add(page.Take(pageSize).Select(ToProto));
        response.UnknownSchoolYears.Add(unknown);
        if (page.Count > pageSize)
            response.NextPageToken = tokens.Protect(new Cursor(from, page[pageSize - 1].Start, page[pageSize - 1].Hours.ExternalId), binding);
        return response;
    }

    private static OuvertureOn ToProto(Opening opening) => new()
    {
        ExternalId = opening.Hours.ExternalId,
        LieuExternalId = opening.Hours.LieuExternalId,
        StartTime = opening.Start.ToProto(),
        EndTime = opening.End.ToProto(),
        TimeZone = opening.Hours.Zone.Id,
        SlotCount = opening.Hours.Slots,
    };
}
