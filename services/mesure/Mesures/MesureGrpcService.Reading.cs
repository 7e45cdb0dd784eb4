using System.Data;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Mesures;

internal sealed partial class MesureGrpcService
{
    public override async Task<GetMesureResponse> GetMesure(GetMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var now = clock.GetStoredNow();
        var asOf = check.OptionalTime("as_of_time", request.AsOfTime);
        check.That(asOf is null || asOf <= now, "as_of_time", "must not lie in the future");
        check.ThrowIfAny();
        var caller = context.Caller();
        var ct = context.CancellationToken;
        // One moment for all of it: what is read in a dozen queries is of the version that the etag names.
        await using var moment = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var mesure = await acts.LoadAsync(mesureId, caller, ct);
        if (caller.Role == Roles.Espace && mesure.Retrieve(new Acting(caller.OrganisationId, caller.Subject, now, now)))
        {
            await moment.DisposeAsync();
            acts.Publish(mesure);
            db.JournalOwnWork("retrieval", caller.Subject);
            try
            {
                await db.SaveChangesAsync(ct);
                signal.Notify();
            }
            catch (DbUpdateConcurrencyException)
            {
                // Another reader or act was faster.
            }

            db.Forget();
            return await GetMesure(request, context);
        }

        return new GetMesureResponse { Mesure = asOf is { } instant ? await ProvedAsync(await PastAsync(mesure, instant, ct), mesure, instant, ct) : await WholeAsync(mesure, caller, ct) };
    }

    public override async Task<ListMesuresResponse> ListMesures(ListMesuresRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var worklist = check.KnownOrUnspecified("worklist", request.Worklist);
        for (var i = 0; i < request.States.Count; i++)
        {
            check.Known(MesureChecks.Index("states", i), request.States[i]);
        }

        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var since = check.OptionalTime("updated_since_time", request.UpdatedSinceTime);
        var size = check.PageSize(request.PageSize, 50, 200);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<ListCursor>(request.PageToken, binding);

        var mesures = db.Mesures.HeldBy(caller);
        mesures = Worklists.Filter(db, mesures, worklist, clock);
        if (request.States.Count > 0)
        {
            var states = request.States.Distinct().ToArray();
            mesures = mesures.Where(m => states.Contains(m.Status.State));
            if (!states.Contains(MesureState.Cloturee))
            {
                mesures = Worklists.Open(mesures);
            }
        }

        if (espaceId is { } id)
        {
            mesures = mesures.Where(m => m.EspaceId == id);
        }

        if (since is { } time)
        {
            mesures = mesures.Where(m => m.UpdatedAt >= time);
        }

        if (cursor is not null)
        {
            // One comparison of rows, which enters the index where the last page ended.
            mesures = mesures.Where(m => EF.Functions.GreaterThan(ValueTuple.Create(m.Status.HolderSince, m.Id), ValueTuple.Create(cursor.HolderSince, cursor.Id)));
        }

        var page = await mesures.AsNoTracking().OrderBy(m => m.Status.HolderSince).ThenBy(m => m.Id).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListMesuresResponse();
        response.Mesures.AddRange(page.Take(size).Select(m => m.ToSummary()));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new ListCursor(page[size - 1].Status.HolderSince, page[size - 1].Id), binding);
        }

        return response;
    }

    public override async Task<ListAvailableActionsResponse> ListAvailableActions(ListAvailableActionsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var mesure = await acts.LoadAsync(mesureId, caller, ct);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = tokens.Read<ActionCursor>(request.PageToken, binding)?.Rpc ?? "";
        var difficulties = await db.Difficulties.AsNoTracking().Where(d => d.MesureId == mesureId).ToListAsync(ct);
        var history = await db.Facts.AsNoTracking().Where(f => f.MesureId == mesureId).ToListAsync(ct);
        var now = clock.GetStoredNow();
        var asked = new AvailableActions.Asked(
            mesure, difficulties, history, await RencontresAsync(mesure, ct), await InterviewsAsync(mesure, ct),
            SlotHeld: await db.InterviewSlots.AnyAsync(s => s.MesureId == mesureId && s.State == InterviewSlotState.OnHold && s.HeldUntil > now, ct),
            DecisionAttached: await db.DecisionDocuments.AnyAsync(d => d.MesureId == mesureId, ct),
            caller.Role == Roles.Juridiction, now, clock.TodayInParis());
        var relation = caller.Role == Roles.Juridiction ? Relations.Holder : MesureActs.RelationOfGestionnaire(mesure);
        var actions = AvailableActions.Of(asked)
            .Where(rpc => string.CompareOrdinal(rpc, after) > 0 && AccessTable.BuiltIn.Cell("/" + rpc, caller.Role).Admits(relation))
            .ToList();
        var response = new ListAvailableActionsResponse { Etag = mesure.Version.ToEtag() };
        response.Actions.AddRange(actions.Take(size).Select(rpc => new AvailableAction { Rpc = rpc }));
        if (actions.Count > size)
        {
            response.NextPageToken = tokens.Protect(new ActionCursor(actions[size - 1]), binding);
        }

        return response;
    }

    public override async Task<ListMesureEventsResponse> ListMesureEvents(ListMesureEventsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        await acts.LoadAsync(mesureId, caller, ct);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = tokens.Read<EventCursor>(request.PageToken, binding)?.Version ?? 0;

        // A mesure has some dozens of facts: the state after each is their fold, so all are read and the page is cut from them.
        var facts = await db.Facts.AsNoTracking().Where(f => f.MesureId == mesureId).OrderBy(f => f.Version).ToListAsync(ct);
        var response = new ListMesureEventsResponse();
        var status = MesureStatus.Nothing;
        foreach (var fact in facts)
        {
            status = status.Apply(fact);
            if (fact.Version > after && response.Events.Count < size)
            {
                response.Events.Add(fact.ToProto(status.State));
            }
        }

        if (response.Events.Count > 0 && response.Events[^1].Version < facts[^1].Version)
        {
            response.NextPageToken = tokens.Protect(new EventCursor(response.Events[^1].Version), binding);
        }

        return response;
    }

    /// <summary>Adds the proofs of transmission and the files of the decision that were there at an instant.</summary>
    private async Task<Contracts.Mesure.V1.Mesure> ProvedAsync(Contracts.Mesure.V1.Mesure past, Domain.Mesure mesure, DateTimeOffset asOf, CancellationToken ct)
    {
        past.Transmission = await db.TransmissionAsync(mesure, asOf, ct);
        foreach (var document in await db.DecisionDocuments.AsNoTracking().Where(d => d.MesureId == mesure.Id && d.AttachedAt <= asOf).OrderByDescending(d => d.Number).ToListAsync(ct))
        {
            document.ReplacedAt = document.ReplacedAt > asOf ? null : document.ReplacedAt;
            past.DecisionDocuments.Add(document.ToProto());
        }

        return past;
    }

    private async Task<Contracts.Mesure.V1.Mesure> WholeAsync(Domain.Mesure mesure, Caller caller, CancellationToken ct)
    {
        var today = clock.TodayInParis();
        var versions = mesure.DecisionVersion == 1 ? [] : await VersionsAsync(mesure, ct);
        var rencontres = await RencontresAsync(mesure, ct);
        var alerts = (await AlertsAsync(mesure, ct)).ToLookup(a => a.DifficultyId);
        var whole = new Contracts.Mesure.V1.Mesure
        {
            Summary = mesure.ToSummary(),
            Decision = versions.InForceOn(today, mesure.Decision).ToProto(),
            Milestones = mesure.ToMilestones(mesure.Status),
            Origin = mesure.Origin,
            ReopeningComment = mesure.ReopeningComment,
            AnonymiseTime = mesure.AnonymisedAt.ToProto(),
            FilesEraseTime = mesure.FilesErasedAt.ToProto(),
            Transmission = await db.TransmissionAsync(mesure, asOf: null, ct),
        };
        whole.DecisionVersions.AddRange(versions.Select(v => v.ToProto()));
        whole.Deadlines.AddRange((await db.Deadlines.AsNoTracking().Where(d => d.MesureId == mesure.Id).OrderBy(d => d.DueAt).ThenBy(d => d.Kind).ToListAsync(ct)).Select(d => d.ToProto()));
        whole.Parties.AddRange((await db.Parties.AsNoTracking().Where(p => p.MesureId == mesure.Id).ToListAsync(ct)).OrderBy(p => p.Role).Select(p => p.ToProto()));
        whole.Children.AddRange((await db.Children.AsNoTracking().Where(c => c.MesureId == mesure.Id).OrderBy(c => c.Position).ToListAsync(ct)).Select(c => c.ToProto()));
        whole.Rencontres.AddRange(rencontres.Select(r => r.ToProto()));
        if (mesure.Status.ClosedAt is null)
        {
            whole.RencontreConflicts.AddRange(RencontreConflicts.Of(versions, mesure.Decision, mesure.Term, rencontres.Where(r => r.Outcome == RencontreOutcome.Scheduled)).Select(c => c.ToProto()));
        }

        whole.Interviews.AddRange((await InterviewsAsync(mesure, ct)).Select(i => i.ToProto()));
        foreach (var difficulty in await DifficultiesAsync(mesure, ct))
        {
            var proto = difficulty.ToProto();
            proto.ExternalAlerts.AddRange(alerts[difficulty.Id].Select(a => a.ToProto()));
            whole.Difficulties.Add(proto);
        }

        whole.InformationExchanges.AddRange((await db.InformationExchanges.AsNoTracking().Where(x => x.MesureId == mesure.Id).OrderByDescending(x => x.RequestedAt).ToListAsync(ct)).Select(x => x.ToProto()));
        whole.DecisionDocuments.AddRange((await db.DecisionDocuments.AsNoTracking().Where(d => d.MesureId == mesure.Id).OrderByDescending(d => d.Number).ToListAsync(ct)).Select(d => d.ToProto()));
        if (mesure.Status.ClosedAt is not null)
        {
            var successors = db.Mesures.AsNoTracking().Where(m => m.PredecessorId == mesure.Id).HeldBy(caller);
            whole.SuccessorMesureIds.AddRange((await successors.OrderBy(m => m.Id).Select(m => m.Id).ToListAsync(ct)).Select(id => id.ToString()));
        }

        if (mesure.Status.ClosedAt is { } closedAt)
        {
            whole.Closure = new Closure
            {
                Reason = mesure.ClosureReason,
                ClosedTime = closedAt.ToProto(),
                Comment = mesure.ClosureComment,
                Category = Closures.CategoryOf(mesure.ClosureReason, mesure.Status.EverScheduled),
                Destination = mesure.ClosureDestination,
                DecisionDate = mesure.ClosureDecisionDate.ToProto(),
            };
        }

        if (mesure is { EspaceId: { } espaceId, Status: { AgrementEndedEspaceId: not null } or { LieuEndedId: not null } })
        {
            whole.Warnings.AddRange(mesure.ToWarnings(await db.EspaceAsync(espaceId, ct), today));
        }

        return whole;
    }

    private async Task<Contracts.Mesure.V1.Mesure> PastAsync(Domain.Mesure mesure, DateTimeOffset asOf, CancellationToken ct)
    {
        var known = await db.Facts.AsNoTracking().Where(f => f.MesureId == mesure.Id && f.RecordedAt <= asOf).OrderBy(f => f.Version).ToListAsync(ct);
        return known.Count == 0
            ? throw DomainError.Invalid("as_of_time", "lies before the mesure was created")
            : PastMesure.Of(
                mesure, known, await CorrectionsAsync(mesure, asOf, ct), await VersionsAsync(mesure, ct), await RencontresAsync(mesure, ct), await InterviewsAsync(mesure, ct), await DifficultiesAsync(mesure, ct),
                await AlertsAsync(mesure, ct), asOf);
    }

    private Task<List<Domain.MesureFact>> CorrectionsAsync(Domain.Mesure mesure, DateTimeOffset after, CancellationToken ct) =>
        db.Facts.AsNoTracking().Where(f => f.MesureId == mesure.Id && f.RecordedAt > after && f.Act == MesureAct.CorrectRencontreOutcome).OrderBy(f => f.Version).ToListAsync(ct);

    private Task<List<Domain.DecisionVersion>> VersionsAsync(Domain.Mesure mesure, CancellationToken ct) =>
        db.DecisionVersions.AsNoTracking().Where(v => v.MesureId == mesure.Id).OrderBy(v => v.Number).ToListAsync(ct);

    private Task<List<Domain.Rencontre>> RencontresAsync(Domain.Mesure mesure, CancellationToken ct) =>
        db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesure.Id).OrderBy(r => r.StartsAt).ThenBy(r => r.Id).ToListAsync(ct);

    private Task<List<Domain.Interview>> InterviewsAsync(Domain.Mesure mesure, CancellationToken ct) =>
        db.Interviews.AsNoTracking().Where(i => i.MesureId == mesure.Id).OrderBy(i => i.StartsAt).ThenBy(i => i.Id).ToListAsync(ct);

    private Task<List<Domain.Difficulty>> DifficultiesAsync(Domain.Mesure mesure, CancellationToken ct) =>
        db.Difficulties.AsNoTracking().Where(d => d.MesureId == mesure.Id).OrderByDescending(d => d.ReportedAt).ThenBy(d => d.Id).ToListAsync(ct);

    private Task<List<Domain.ExternalAlert>> AlertsAsync(Domain.Mesure mesure, CancellationToken ct) =>
        db.ExternalAlerts.AsNoTracking().Where(a => a.MesureId == mesure.Id).OrderBy(a => a.AlertedAt).ToListAsync(ct);

    private sealed record ActionCursor(string Rpc);

    private sealed record ListCursor(DateTimeOffset HolderSince, Guid Id);

    private sealed record EventCursor(long Version);
}
