using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Mesures;

/// <summary>
/// The gRPC face of the mesure service, in three files: preparing and transmitting (this one), the acts of those who hold the
/// mesure (.Life.cs), reading (.Reading.cs).
/// </summary>
internal sealed partial class MesureGrpcService(
    MesuresDbContext db, MesureActs acts, Commands<MesuresDbContext> commands, PageTokens tokens, DirectoryForecast forecast, OutboxSignal signal, TimeProvider clock)
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
            db.Mesures.Add(mesure);
            db.Parties.AddRange(parties);
            db.Children.AddRange(children);
            acts.Publish(mesure);
            return new CreateMesureResponse { Mesure = mesure.ToSummary() };
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
            if (parties is not null)
            {
                await db.ReplaceAsync(db.Parties, p => p.MesureId == mesure.Id, parties, ct);
            }

            if (children is not null)
            {
                await db.ReplaceAsync(db.Children, c => c.MesureId == mesure.Id, children, ct);
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
        var expected = espaceId is { } id
            ? await forecast.ExpectedFirstVisitAsync(id, mesure.Decision.Modalite, mesure.Decision.Date, ct)
            : Forecast.NotAsked;
        var findings = await ContentCheck.RunAsync(db, mesure, espaceId, expected.Date, ct);
        var response = new CheckMesureResponse
        {
            Completable = mesure.Status.Allows(MesureAct.Complete) && !findings.Any(f => f.Blocks(mesure.Decision.Rendered)),
            ExpectedFirstVisitDate = expected.Date.ToProto(),
            ForecastAvailable = expected.Available,
        };
        response.Findings.AddRange(findings.Select(f => f.ToProto()));
        return response;
    }

    public override Task<CompleteMesureResponse> CompleteMesure(CompleteMesureRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), new FieldChecks(), async (mesure, acting, ct) =>
        {
            var findings = await ContentCheck.RunAsync(db, mesure, mesure.EspaceId, null, ct);
            mesure.Complete(findings, acting);
            var response = new CompleteMesureResponse { Mesure = mesure.ToSummary() };
            response.Findings.AddRange(findings.Select(f => f.ToProto()));
            return response;
        });

    public override Task<TransmitMesureResponse> TransmitMesure(TransmitMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var named = check.OptionalUuid("espace_id", request.EspaceId);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            if ((named ?? mesure.EspaceId) is not { } espaceId)
            {
                throw DomainError.Invalid("espace_id", "is required: the mesure names no espace");
            }

            if (mesure.Transmit(await DesignableAsync(espaceId, ct), acting) is { } difficulty)
            {
                db.Difficulties.Add(difficulty);
            }

            return new TransmitMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    private async Task<Domain.EspaceView> DesignableAsync(Guid espaceId, CancellationToken ct)
    {
        var espace = await db.EspaceAsync(espaceId, ct) ?? throw DomainError.EspaceNotDesignable(espaceId, "it is not known to Jafer");
        return espace.AgrementPeriods.Count > 0 ? espace : throw DomainError.EspaceNotDesignable(espaceId, "it never had an agrément");
    }
}
