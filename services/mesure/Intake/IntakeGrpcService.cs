using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using IntakeItem = Jafer.Mesures.Domain.IntakeItem;

namespace Jafer.Mesures.Intake;

/// <summary>The gRPC face of the intake.</summary>
internal sealed class IntakeGrpcService(MesuresDbContext db, StatusReports reports, PageTokens tokens, TimeProvider clock) : IntakeService.IntakeServiceBase
{
    public override Task<ReportStatusResponse> ReportStatus(ReportStatusRequest request, ServerCallContext context) =>
        reports.RunAsync(context, request, request.RequestId, request.Items);

    public override async Task StreamStatus(
        IAsyncStreamReader<StreamStatusRequest> requestStream, IServerStreamWriter<StreamStatusResponse> responseStream, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        while (await requestStream.MoveNext(ct))
        {
            if (caller.TokenExpiresAt <= clock.GetUtcNow())
            {
                throw DomainError.TokenInvalid();
            }

            // One at a time: the next batch is read when this one is committed, and HTTP/2 holds the client back meanwhile.
            var request = requestStream.Current;
            var answer = await reports.RunAsync(context, request, request.RequestId, request.Items);
            await responseStream.WriteAsync(new StreamStatusResponse { Results = { answer.Results }, ReleasedItems = { answer.ReleasedItems } }, ct);
        }
    }

    public override async Task<ListIntakeItemsResponse> ListIntakeItems(ListIntakeItemsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var source = request.SourceSystem.Length == 0 ? null : StatusChecks.SourceSystem(check, "source_system", request.SourceSystem);
        var mesureId = check.OptionalUuid("mesure_id", request.MesureId);
        var result = check.KnownOrUnspecified("result", request.Result);
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(request.PageToken, binding);

        var items = db.IntakeItems.AsNoTracking().Where(i => i.GestionnaireId == caller.OrganisationId);
        if (source is not null)
        {
            items = items.Where(i => i.SourceSystem == source);
        }

        if (mesureId is { } mesure)
        {
            items = items.Where(i => i.MesureId == mesure);
        }

        if (result != IntakeResult.Unspecified)
        {
            items = items.Where(i => i.Result == result);
        }

        if (cursor is not null)
        {
            items = items.Where(i => i.Id < cursor.Id);
        }

        var page = await items.OrderByDescending(i => i.Id).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListIntakeItemsResponse();
        response.Items.AddRange(page.Take(size).Select(ToProto));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        }

        return response;
    }

    public override async Task<ListIntakeSourcesResponse> ListIntakeSources(ListIntakeSourcesRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var today = clock.TodayInParis();

        var sources = db.IntakeSources.AsNoTracking();
        if (caller.Tenancy == Tenancy.Own)
        {
            sources = sources.Where(s => s.GestionnaireId == caller.OrganisationId);
        }
        else if (caller.Territory is { } territory)
        {
            Guid[] gestionnaires = [.. territory.OrganisationIds];
            sources = sources.Where(s => gestionnaires.Contains(s.GestionnaireId));
        }

        if (request.SilentOnly)
        {
            sources = sources.Where(s => s.SilentAfter < today);
        }

        if (tokens.Read<SourceCursor>(request.PageToken, binding) is { } after)
        {
            sources = sources.Where(s => EF.Functions.GreaterThan(
                ValueTuple.Create(s.LastDay, s.GestionnaireId, s.SourceSystem), ValueTuple.Create(after.LastDay, after.GestionnaireId, after.SourceSystem)));
        }

        var page = await sources.OrderBy(s => s.LastDay).ThenBy(s => s.GestionnaireId).ThenBy(s => s.SourceSystem).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListIntakeSourcesResponse();
        response.Sources.AddRange(page.Take(size).Select(s => new IntakeSource
        {
            GestionnaireId = s.GestionnaireId.ToString(),
            SourceSystem = s.SourceSystem,
            LastDate = s.LastDay.ToProto(),
            UsualDays = s.UsualDays ?? 0,
            Silent = s.IsSilent(today),
            Told = s.SilenceTold,
        }));
        if (page.Count > size)
        {
            var last = page[size - 1];
            response.NextPageToken = tokens.Protect(new SourceCursor(last.LastDay, last.GestionnaireId, last.SourceSystem), binding);
        }

        return response;
    }

    private static Contracts.Mesure.V1.IntakeItem ToProto(IntakeItem item) => new()
    {
        SourceSystem = item.SourceSystem,
        ExternalId = item.ExternalId,
        Sequence = item.Sequence,
        MesureId = item.MesureId?.ToString() ?? "",
        Act = item.Act,
        OccurredTime = item.OccurredAt.ToProto(),
        ReceivedTime = item.ReceivedAt.ToProto(),
        DecidedTime = item.DecidedAt.ToProto(),
        Result = item.Result,
        Reason = item.Reason,
        Description = item.Description,
        GapBefore = item.GapBefore,
    };

    private sealed record Cursor(long Id);

    private sealed record SourceCursor(DateOnly LastDay, Guid GestionnaireId, string SourceSystem);
}
