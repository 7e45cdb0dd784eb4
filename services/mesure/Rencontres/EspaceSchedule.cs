using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Rencontres;

/// <summary>When an espace receives families for a modalité.</summary>
/// <param name="Hours">The hours, in the order of time.</param>
/// <param name="Known">False when the espace says no hours: then every day is open from midnight to midnight.</param>
/// <param name="UnknownSchoolYears">School years of which the holidays are not known though they matter.</param>
internal sealed record OpenTimes(IReadOnlyList<OpenHours> Hours, bool Known, IReadOnlyList<string> UnknownSchoolYears)
{
    /// <summary>Slots in an ordinary week for the modalité, as the espace declared them; 0 when it did not.</summary>
    public int DeclaredSlots { get; init; }
}

/// <summary>Asks the directory when an espace is open: its hours less holidays and closures, computed there.</summary>
internal sealed class EspaceSchedule(TimeProvider clock, DirectoryService.DirectoryServiceClient directory)
{
    private const int PageSize = 500;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>The hours of a window, both ends included; null when the directory has no answer for the moment.</summary>
    /// <param name="espace">The espace.</param>
    /// <param name="modalite">The modalité; unspecified for all hours.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day, at most 400 days later.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<OpenTimes?> BetweenAsync(EspaceView espace, Modalite modalite, DateOnly from, DateOnly to, CancellationToken ct)
    {
        try
        {
            var whole = await directory.GetEspaceAsync(
                new GetEspaceRequest { EspaceId = espace.Id.ToString() }, deadline: Deadline(), cancellationToken: ct).OrNoAnswerAsync(ct);
            if (whole is null)
            {
                return null;
            }

            var declared = whole.Espace.Modalites.FirstOrDefault(m => m.Modalite == modalite)?.SlotsPerWeek ?? 0;
            if (whole.Espace.Ouvertures.Count == 0)
            {
                return Unsaid(espace, from, to) with { DeclaredSlots = declared };
            }

            var lieux = whole.Espace.Lieux.ToDictionary(l => l.ExternalId, l => Guid.ParseExact(l.LieuId, "D"));
            var hours = new List<OpenHours>();
            var request = new ListOuverturesOnRequest
            {
                EspaceId = espace.Id.ToString(),
                Modalite = modalite,
                StartDate = from.ToProto(),
                EndDate = to.ToProto(),
                PageSize = PageSize,
            };
            var unknown = new SortedSet<string>(StringComparer.Ordinal);
            do
            {
                var page = await directory.ListOuverturesOnAsync(request, deadline: Deadline(), cancellationToken: ct).OrNoAnswerAsync(ct);
                if (page is null)
                {
                    return null;
                }

                hours.AddRange(page.Ouvertures.Select(o => new OpenHours(
                    o.StartTime.ToDateTimeOffset(), o.EndTime.ToDateTimeOffset(), TimeZoneInfo.FindSystemTimeZoneById(o.TimeZone), lieux.GetValueOrDefault(o.LieuExternalId))
                { Slots = o.SlotCount }));
                unknown.UnionWith(page.UnknownSchoolYears);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            return new OpenTimes(hours, true, [.. unknown]) { DeclaredSlots = declared };
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
#pragma warning restore RS0030
        {
            return Unsaid(espace, from, to);
        }
    }

    /// <summary>The ages that an espace receives for a modalité; null when the directory has no answer for the moment, or the espace no such modalité.</summary>
    public async Task<ReceivedAges?> AgesAsync(Guid espaceId, Modalite modalite, CancellationToken ct)
    {
        try
        {
            var whole = await directory.GetEspaceAsync(
                new GetEspaceRequest { EspaceId = espaceId.ToString() }, deadline: Deadline(), cancellationToken: ct).OrNoAnswerAsync(ct);
            return whole?.Espace.Modalites.FirstOrDefault(m => m.Modalite == modalite) is { } offered ? new(offered.MinAge, offered.MaxAge) : null;
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
#pragma warning restore RS0030
        {
            return null;
        }
    }

    private DateTime Deadline() => (clock.GetUtcNow() + s_patience).UtcDateTime;

    private static OpenTimes Unsaid(EspaceView espace, DateOnly from, DateOnly to)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(espace.TimeZone);
        return new OpenTimes(
            [.. Enumerable.Range(0, to.DayNumber - from.DayNumber + 1).Select(i => from.AddDays(i)).Select(day => new OpenHours(zone.At(day, 0), zone.At(day, 24 * 60), zone, null))],
            false, []);
    }
}
