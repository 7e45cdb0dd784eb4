using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using OutlookWeek = Jafer.Contracts.Mesure.V1.OutlookWeek;

namespace Jafer.Mesures.Sessions;

/// <summary>Whether an espace has enough sessions for those who wait, and the asking for more.</summary>
internal sealed class SessionGrpcService(
    MesuresDbContext db, Commands<MesuresDbContext> commands, EspaceSchedule schedule, PageTokens tokens, TimeProvider clock) : SessionService.SessionServiceBase
{
    private const int MaxDays = 400;

    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    public override async Task<GetSlotOutlookResponse> GetSlotOutlook(GetSlotOutlookRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var modalite = check.Known("modalite", request.Modalite);
        var target = request.TargetP80Days == 0 ? SlotOutlook.TargetDays : check.Range("target_p80_days", request.TargetP80Days, 1, 730);
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        var espace = await EspaceAsync(espaceId, caller, ct);
        var now = clock.GetStoredNow();
        var zone = TimeZoneInfo.FindSystemTimeZoneById(espace.TimeZone);
        var today = zone.DayOf(now);
        var monday = DateOnly.FromDayNumber(today.DayNumber / 7 * 7);
        var end = monday.AddDays(7 * SlotOutlook.Weeks);
        // What is over of the present week serves nobody any more.
        var open = await schedule.BetweenAsync(espace, modalite, today, end.AddDays(-1), ct) ?? throw DomainError.Unavailable(s_retryAfter);
        var (from, to) = (now, zone.At(end, 0));
        var starts = await db.Rencontres.AsNoTracking()
            .Where(r => r.EspaceId == espaceId && r.Modalite == modalite && r.Outcome == RencontreOutcome.Scheduled && r.StartsAt > from && r.StartsAt < to)
            .Select(r => r.StartsAt).ToListAsync(ct);
        var returns = await db.Rencontres.AsNoTracking()
            .Where(r => r.EspaceId == espaceId && r.Modalite == modalite && r.ReturnOutcome == RencontreOutcome.Scheduled && r.ReturnsAt > from && r.ReturnsAt < to)
            .Select(r => r.ReturnsAt!.Value).ToListAsync(ct);
        var booked = starts.Concat(returns).ToLookup(t => WeekOf(zone.DayOf(t)));
        var weeks = Enumerable.Range(0, SlotOutlook.Weeks).Select(w => new WeekOfPlaces(
            open.Known ? open.Hours.Where(h => h.Start > now && WeekOf(h.Zone.DayOf(h.Start)) == w).Sum(h => h.Slots) : open.DeclaredSlots, booked[w].Count())).ToList();

        var places = modalite == Modalite.RemiseEnfant ? 2 : 1;
        var waiting = await db.Mesures.AsNoTracking()
            .Where(m => m.EspaceId == espaceId && m.GestionnaireId == espace.GestionnaireId && m.Decision.Modalite == modalite && m.Status.PendingRencontres == 0
                && m.Status.State != MesureState.Cloturee && m.Status.SuspendedAt == null && (m.Term == null || m.Term >= today))
            .Select(m => new
            {
                m.Id,
                m.Status.State,
                Since = m.Status.TransmittedAt ?? m.CreatedAt,
                m.Decision.LegalBasis,
                m.Term,
                m.Decision.PeriodicityCount,
                m.Decision.PeriodicityInterval,
                m.Decision.PeriodicityUnit,
            }).ToListAsync(ct);
        var queue = waiting
            .Where(m => SlotOutlook.WeeksUntilReady(m.State) is not null)
            .Select(m => (Mesure: m, Week: SlotOutlook.WeeksUntilReady(m.State)!.Value, Claim: SlotClaim.Of(m.Id, m.State, m.Since, m.LegalBasis, m.Term, today)))
            .OrderBy(m => m.Week).ThenBy(m => m.Claim)
            .Select(m => new QueuedFamily(
                m.Week, Math.Max(0, (int)(now - m.Mesure.Since).TotalDays),
                SlotOutlook.ShareOf(Cadence.Of(new Domain.Decision
                {
                    PeriodicityCount = m.Mesure.PeriodicityCount,
                    PeriodicityInterval = m.Mesure.PeriodicityInterval,
                    PeriodicityUnit = m.Mesure.PeriodicityUnit,
                }), places),
                First: m.Mesure.State != MesureState.EnCours)).ToList();
        var families = Math.Max(1, espace.CapacityOf(modalite) ?? 1);
        var outlook = SlotOutlook.Of(weeks, queue, places, families, target);
        var response = new GetSlotOutlookResponse
        {
            WaitingCount = queue.Count(f => f.Week == 0),
            OnTheWayCount = queue.Count(f => f.Week > 0),
            TargetP80Days = target,
            ExtraSessionsPerWeek = outlook.ExtraSessions,
            TargetReachable = outlook.Reachable,
            FamiliesPerSession = families,
            OpeningKnown = open.Known,
        };
        if (outlook.P80 is { } p80)
        {
            response.P80Days = p80;
        }

        if (outlook.P80WithExtra is { } better)
        {
            response.P80DaysWithExtra = better;
        }

        response.UnknownSchoolYears.AddRange(open.UnknownSchoolYears);
        response.Weeks.AddRange(weeks.Select((week, w) =>
        {
            var (arrived, begun) = (queue.Count(f => f.Week <= w), outlook.Begins.Count(b => b <= w));
            return new OutlookWeek
            {
                StartDate = monday.AddDays(7 * w).ToProto(),
                PlaceCount = week.Places,
                BookedCount = week.Booked,
                WaitingCount = arrived,
                BegunCount = begun,
                Served = arrived == begun,
            };
        }));
        return response;

        int WeekOf(DateOnly day) => (day.DayNumber - monday.DayNumber) / 7;
    }

    public override Task<RequestExtraSessionsResponse> RequestExtraSessions(RequestExtraSessionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var modalite = check.Known("modalite", request.Modalite);
        var sessions = check.Range("sessions_per_week", request.SessionsPerWeek, 1, 50);
        var until = check.Date("until_date", request.UntilDate);
        check.That(until >= now.DayInParis() && until.DayNumber - now.DayInParis().DayNumber <= MaxDays, "until_date", "must lie from today to 400 days ahead");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var espace = await EspaceAsync(espaceId, caller, ct);
            if (await db.SessionRequests.AnyAsync(r => r.EspaceId == espaceId && r.Modalite == modalite && r.State == ExtraSessionState.Asked, ct))
            {
                throw DomainError.StateForbids(ExtraSessionState.Asked.ToCode(), "REQUEST_EXTRA_SESSIONS", "a request of the espace for this modalité waits for its answer");
            }

            var asked = new SessionRequest
            {
                Id = Guid.CreateVersion7(now),
                EspaceId = espaceId,
                GestionnaireId = espace.GestionnaireId,
                Modalite = modalite,
                SessionsPerWeek = sessions,
                WantedUntil = until,
                RequestedAt = now,
            };
            db.SessionRequests.Add(asked);
            db.Publish(new SessionsRequested
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = asked.Id,
                AggregateVersion = asked.Version,
                OccurredAt = now,
                RecordedAt = now,
                CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
                EspaceId = espaceId,
                GestionnaireId = asked.GestionnaireId,
                Modalite = modalite.ToCode(),
                SessionsPerWeek = sessions,
                Until = until,
            });
            return new RequestExtraSessionsResponse { Request = ToProto(asked) };
        }, r => $"session-requests/{r.Request.SessionRequestId}");
    }

    public override Task<AnswerExtraSessionsResponse> AnswerExtraSessions(AnswerExtraSessionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var id = check.Uuid("session_request_id", request.SessionRequestId);
        var answer = check.Known("answer", request.Answer);
        check.That(answer != ExtraSessionState.Asked, "answer", "must be AGREED or DECLINED");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var asked = await db.SessionRequests.SingleOrDefaultAsync(r => r.Id == id, ct);
            caller.Require(asked?.GestionnaireId, espaceId: asked?.EspaceId);
            asked!.Answer(answer, now);
            db.Publish(new SessionsAnswered
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = asked.Id,
                AggregateVersion = asked.Version,
                OccurredAt = now,
                RecordedAt = now,
                CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
                EspaceId = asked.EspaceId,
                GestionnaireId = asked.GestionnaireId,
                Modalite = asked.Modalite.ToCode(),
                State = answer.ToCode(),
            });
            return new AnswerExtraSessionsResponse { Request = ToProto(asked) };
        }, _ => $"session-requests/{id}");
    }

    public override async Task<ListExtraSessionRequestsResponse> ListExtraSessionRequests(ListExtraSessionRequestsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        for (var i = 0; i < request.States.Count; i++)
        {
            check.Known(MesureChecks.Index("states", i), request.States[i]);
        }

        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var asked = db.SessionRequests.AsNoTracking();
        if (caller.Role == Roles.Espace)
        {
            asked = asked.Where(r => r.GestionnaireId == caller.OrganisationId);
        }
        else if (caller.Territory is { } territory)
        {
            Guid[] espaces = [.. territory.EspaceIds];
            asked = asked.Where(r => espaces.Contains(r.EspaceId));
        }

        if (espaceId is { } id)
        {
            asked = asked.Where(r => r.EspaceId == id);
        }

        if (request.States.Count > 0)
        {
            ExtraSessionState[] states = [.. request.States];
            asked = asked.Where(r => states.Contains(r.State));
        }

        if (cursor is not null)
        {
            asked = asked.Where(r => r.RequestedAt < cursor.RequestedAt || (r.RequestedAt == cursor.RequestedAt && r.Id < cursor.Id));
        }

        var page = await asked.OrderByDescending(r => r.RequestedAt).ThenByDescending(r => r.Id).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListExtraSessionRequestsResponse();
        response.Requests.AddRange(page.Take(size).Select(ToProto));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].RequestedAt, page[size - 1].Id), binding);
        }

        return response;
    }

    private async Task<EspaceView> EspaceAsync(Guid espaceId, Caller caller, CancellationToken ct)
    {
        var espace = await db.EspaceAsync(espaceId, ct);
        caller.Require(espace?.GestionnaireId, espaceId: espaceId);
        return espace ?? throw DomainError.NotFound($"espaces/{espaceId}");
    }

    private static RequestedSessions ToProto(SessionRequest asked) => new()
    {
        SessionRequestId = asked.Id.ToString(),
        EspaceId = asked.EspaceId.ToString(),
        Modalite = asked.Modalite,
        SessionsPerWeek = asked.SessionsPerWeek,
        UntilDate = asked.WantedUntil.ToProto(),
        State = asked.State,
        RequestTime = asked.RequestedAt.ToProto(),
        AnswerTime = asked.AnsweredAt.ToProto(),
    };

    private sealed record Cursor(DateTimeOffset RequestedAt, Guid Id);
}
