using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain.Rules;
using Jafer.Mesures.Interviews;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Mesures;

/// <summary>
/// The gRPC face of the mesure service, in four files: preparing and transmitting (this one), the acts of the espace (.Life.cs),
/// those of the judge (.Judge.cs), reading (.Reading.cs).
/// </summary>
internal sealed partial class MesureGrpcService(
    MesuresDbContext db, MesureActs acts, InterviewBookings interviews, Bookings bookings, KeyedIndex index, Commands<MesuresDbContext> commands, PageTokens tokens,
    DirectoryForecast forecast, DirectoryPlaces places, OutboxSignal signal, TimeProvider clock)
    : MesureService.MesureServiceBase
{
    public override Task<CreateMesureResponse> CreateMesure(CreateMesureRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var id = Guid.CreateVersion7(now);
        var requestId = check.RequestId(request.RequestId);
        var decision = MesureChecks.Decision(check, "decision", request.Decision, clock.TodayInParis());
        var parties = MesureChecks.Parties(check, "parties", request.Parties, id, now);
        var children = MesureChecks.Children(check, "children", request.Children, id, now, clock.TodayInParis());
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var reference = await References.NextAsync(db, caller.OrganisationId, clock.TodayInParis().Year, ct);
            var mesure = Domain.Mesure.Create(
                id, reference, caller.OrganisationId, decision, espaceId, new Domain.Acting(caller.OrganisationId, caller.Subject, now, now));
            mesure.RgIndex = index.OfRgNumber(mesure.JuridictionId, decision.RgNumber);
            db.Mesures.Add(mesure);
            db.Parties.AddRange(index.Fill(mesure.JuridictionId, parties));
            db.Children.AddRange(index.Fill(mesure.JuridictionId, children));
            acts.Publish(mesure);
            return new CreateMesureResponse { Mesure = mesure.ToSummary() };
        }, response => $"mesures/{response.Mesure.MesureId}");
    }

    public override Task<RegisterNonJudicialMesureResponse> RegisterNonJudicialMesure(RegisterNonJudicialMesureRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var today = clock.TodayInParis();
        var check = new FieldChecks();
        var id = Guid.CreateVersion7(now);
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var origin = check.Known("origin", request.Origin);
        var follows = origin == NonJudicialOrigin.Prolongement;
        var predecessorId = check.OptionalUuid("predecessor_mesure_id", request.PredecessorMesureId);
        check.That(follows == request.PredecessorMesureId.Length > 0, "predecessor_mesure_id", "must be given for PROLONGEMENT, and only then");
        var agreement = MesureChecks.Agreement(check, "agreement", request.Agreement, today);
        var parties = MesureChecks.Parties(check, "parties", request.Parties, id, now);
        var children = MesureChecks.Children(check, "children", request.Children, id, now, today);
        check.That(follows || parties.Count == 2, "parties", "must be an hôte and a visiteur");
        check.That(!follows || parties.Count == 0, "parties", "are those of the mesure that it follows");
        check.That(follows || children.Count > 0, "children", "must be at least one");
        check.That(!follows || children.Count == 0, "children", "are those of the mesure that it follows");
        var occurredAt = check.BusinessTime("occurred_time", request.OccurredTime, now);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var espace = await db.EspaceAsync(espaceId, ct) ?? throw DomainError.Forbidden();
            caller.Require(espace.GestionnaireId);
            if (predecessorId is { } predecessor)
            {
                var ended = await acts.LoadAsync(predecessor, caller, ct);
                if (ended.Status.State != MesureState.Cloturee)
                {
                    throw DomainError.StateForbids(ended.Status.State.ToCode(), MesureAct.Register.ToCode(), "the mesure that it follows is not closed");
                }

                await CopyFamilyAsync(ended.Id, id, espace.GestionnaireId, now, ct);
            }

            var reference = await References.NextNonJudicialAsync(db, caller.OrganisationId, today.Year, ct);
            var mesure = Domain.Mesure.Register(
                id, reference, espace, origin, predecessorId, agreement, new Domain.Acting(caller.OrganisationId, caller.Subject, occurredAt, now));
            db.Mesures.Add(mesure);
            db.Parties.AddRange(index.Fill(espace.GestionnaireId, parties));
            db.Children.AddRange(index.Fill(espace.GestionnaireId, children));
            acts.Publish(mesure);
            return new RegisterNonJudicialMesureResponse { Mesure = mesure.ToSummary() };
        }, response => $"mesures/{response.Mesure.MesureId}");
    }

    public override Task<UpdateMesureResponse> UpdateMesure(UpdateMesureRequest request, ServerCallContext context)
    {
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var mesureId = Guid.TryParseExact(request.MesureId, "D", out var parsed) ? parsed : Guid.Empty;
        var decision = request.Decision is null ? null : MesureChecks.Decision(check, "decision", request.Decision, clock.TodayInParis());
        var parties = request.Parties is null ? null : MesureChecks.Parties(check, "parties.parties", request.Parties.Parties, mesureId, now);
        var children = request.Children is null ? null : MesureChecks.Children(check, "children.children", request.Children.Children, mesureId, now, clock.TodayInParis());
        var espaceId = request.HasEspaceId ? check.OptionalUuid("espace_id", request.EspaceId) : null;
        check.That(request.Decision is not null || parties is not null || children is not null || request.HasEspaceId, "decision", "at least one part must be set");
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            mesure.Update(decision, (request.HasEspaceId, espaceId), acting);
            mesure.RgIndex = index.OfRgNumber(mesure.JuridictionId, mesure.Decision.RgNumber);
            if (parties is not null)
            {
                await db.ReplaceAsync(db.Parties, p => p.MesureId == mesure.Id, index.Fill(mesure.JuridictionId, parties), ct);
            }

            if (children is not null)
            {
                await db.ReplaceAsync(db.Children, c => c.MesureId == mesure.Id, index.Fill(mesure.JuridictionId, children), ct);
            }

            return new UpdateMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override async Task<CheckMesureResponse> CheckMesure(CheckMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var otherEspace = check.OptionalUuid("espace_id", request.EspaceId);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var mesure = await acts.LoadAsync(mesureId, context.Caller(), ct);
        var espaceId = otherEspace ?? mesure.EspaceId;
        var (content, profile) = await ContentCheck.GatherAsync(db, mesure, espaceId, clock.TodayInParis(), ct);
        // First the place: what is told afterwards counts those who held one before, and nobody who comes later.
        var held = espaceId is { } there && IsReady(mesure, content) ? await places.HoldAsync(mesureId, there, mesure.Decision.Modalite, ct) : null;
        var expected = espaceId is { } id ? await forecast.AskAsync(id, profile, ct, mesureId) : Forecast.NotAsked;
        var findings = MesureCheck.Run(content with { ExpectedFirstVisit = expected.Date, Unmet = expected.Unmet, OfTheEspace = expected.Warnings });
        var response = new CheckMesureResponse
        {
            Completable = mesure.Status.Allows(MesureAct.Complete) && !findings.Any(f => f.Blocks(mesure.Decision.Rendered)),
            ExpectedFirstVisitDate = expected.Date.ToProto(),
            ForecastAvailable = expected.Available,
            FirstVisitEarliestDate = expected.Earliest,
            FirstVisitLatestDate = expected.Latest,
            PlaceExpireTime = held?.ExpireTime,
            Places = expected.Places,
        };
        response.Findings.AddRange(findings.Select(f => f.ToProto()));
        return response;
    }

    public override Task<CompleteMesureResponse> CompleteMesure(CompleteMesureRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), new FieldChecks(), async (mesure, acting, ct) =>
        {
            // Whose rows are seen is said once for all that is looked at.
            await db.Database.BeginTransactionAsync(ct);
            var (content, _) = await ContentCheck.GatherAsync(db, mesure, mesure.EspaceId, clock.TodayInParis(), ct);
            var findings = MesureCheck.Run(content);
            mesure.Complete(findings, acting);
            var response = new CompleteMesureResponse { Mesure = mesure.ToSummary() };
            response.Findings.AddRange(findings.Select(f => f.ToProto()));
            return response;
        });

    public override Task<TransmitMesureResponse> TransmitMesure(TransmitMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var named = check.OptionalUuid("espace_id", request.EspaceId);
        var slotIds = request.InterviewSlotIds.Select((id, i) => check.Uuid(SlotField(i), id)).ToArray();
        check.That(slotIds.Distinct().Count() == slotIds.Length, "interview_slot_ids", "must not repeat an id");
        check.That(slotIds.Length <= 3, "interview_slot_ids", "must be at most one for each party");
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime) { HasGone = true }, check, async (mesure, acting, ct) =>
        {
            if ((named ?? mesure.EspaceId) is not { } espaceId)
            {
                throw DomainError.Invalid("espace_id", "is required: the mesure names no espace");
            }

            // Begun with the last look before the writing: whose rows are seen is then set already, and no round trip goes for it.
            await db.Database.BeginTransactionAsync(ct);
            if (mesure.Transmit(await DesignableAsync(espaceId, ct), acting) is { } difficulty)
            {
                db.Difficulties.Add(difficulty);
            }

            if (slotIds.Length > 0)
            {
                await interviews.BookAsync(mesure, slotIds, SlotField, acting, ct);
            }

            return new TransmitMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    /// <summary>Whether nothing but the judge's word stands between a mesure and its transmission.</summary>
    private static bool IsReady(Domain.Mesure mesure, CheckedContent content) =>
        mesure.Decision.Modalite != Contracts.Type.V1.Modalite.Unspecified
        && (mesure.Status.Allows(MesureAct.Transmit)
            || (mesure.Status.Allows(MesureAct.Complete) && !MesureCheck.Run(content).Any(f => f.Blocks(mesure.Decision.Rendered))));

    /// <summary>Gives a mesure the parties and children of the one that it continues.</summary>
    private async Task CopyFamilyAsync(Guid from, Guid to, Guid? owner, DateTimeOffset now, CancellationToken ct)
    {
        var parties = await db.Parties.AsNoTracking().Where(p => p.MesureId == from).ToListAsync(ct);
        db.Parties.AddRange(index.Fill(owner, [.. parties.Select(p => p.For(Guid.CreateVersion7(now), to))]));
        var children = await db.Children.AsNoTracking().Where(c => c.MesureId == from).ToListAsync(ct);
        db.Children.AddRange(index.Fill(owner, [.. children.Select(c => c.For(Guid.CreateVersion7(now), to))]));
    }

    private static string SlotField(int index) => MesureChecks.Index("interview_slot_ids", index);

    private async Task<Domain.EspaceView> DesignableAsync(Guid espaceId, CancellationToken ct)
    {
        var espace = await db.EspaceAsync(espaceId, ct) ?? throw DomainError.EspaceNotDesignable(espaceId, "it is not known to Jafer");
        return espace.AgrementPeriods.Count > 0 ? espace : throw DomainError.EspaceNotDesignable(espaceId, "it never had an agrément");
    }
}
