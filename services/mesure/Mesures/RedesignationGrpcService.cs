using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Mesures;

/// <summary>Where a mesure can go on, as the directory knows it today.</summary>
internal sealed class RedesignationGrpcService(MesuresDbContext db, MesureActs acts, DirectoryAlternatives directory, PageTokens tokens, TimeProvider clock)
    : RedesignationService.RedesignationServiceBase
{
    public override async Task<ListAlternativeEspacesResponse> ListAlternativeEspaces(ListAlternativeEspacesRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var difficultyId = check.OptionalUuid("difficulty_id", request.DifficultyId);
        var named = request.DifficultyId.Length > 0 ? check.OptionalUuid("mesure_id", request.MesureId) : check.Uuid("mesure_id", request.MesureId);
        check.That(!request.HasDaysPerTravelHour || request.DaysPerTravelHour is >= 0 and <= 365, "days_per_travel_hour", "must be from 0 to 365");
        var size = check.PageSize(request.PageSize, 20, 100);
        check.ThrowIfAny();
        var mesure = await acts.LoadAsync(await MesureOfAsync(named, difficultyId, ct), caller, ct);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(request.PageToken, binding);
        if (!mesure.Status.Allows(MesureAct.Redesignate) || mesure.EspaceId is not { } presentId)
        {
            throw DomainError.StateForbids(mesure.Status.State.ToCode(), MesureAct.Redesignate.ToCode());
        }

        // Pages that are read over midnight are of one day.
        var today = cursor?.Today ?? clock.TodayInParis();
        var asked = new SearchEspacesRequest
        {
            Mesure = await ContentCheck.ToRedesignateAsync(db, mesure, today, ct),
            ExcludingEspaceIds = { presentId.ToString() },
            PageSize = size,
            PageToken = cursor?.DirectoryToken ?? "",
        };
        if (request.HasDaysPerTravelHour)
        {
            asked.DaysPerTravelHour = request.DaysPerTravelHour;
        }

        var answer = await directory.AskAsync(asked, presentId, ct);
        var ids = answer.Search.Results.Select(r => Guid.ParseExact(r.EspaceId, "D")).ToArray();
        var gestionnaires = await db.Espaces.AsNoTracking().Where(e => ids.Contains(e.Id)).ToDictionaryAsync(e => e.Id, e => e.GestionnaireId, ct);
        var response = new ListAlternativeEspacesResponse { TotalCount = answer.Search.TotalCount, MesureId = mesure.Id.ToString() };
        var here = Gains.ExpectedHere(mesure, answer.Present?.Result, today);
        response.Notes.AddRange(answer.Search.Notes);
        foreach (var (result, id) in answer.Search.Results.Zip(ids))
        {
            var alternative = new AlternativeEspace
            {
                Espace = result,
                GestionnaireId = gestionnaires.TryGetValue(id, out var gestionnaire) ? gestionnaire.ToString() : "",
                Subsidiary = id == mesure.Decision.SubsidiaryEspaceId,
            };
            Gains.Fill(alternative, here, answer.Present?.Result);
            response.Alternatives.Add(alternative);
        }

        if (response.Alternatives.Where(a => a.HasDaysGained).Select(a => (int?)a.DaysGained).Max() is { } best)
        {
            response.BestDaysGained = best;
        }

        if (cursor is null && answer.Present is { } present)
        {
            response.Present = new PresentEspace { Espace = present.Result };
            response.Present.Findings.AddRange(present.Findings);
        }

        if (answer.Search.NextPageToken.Length > 0)
        {
            response.NextPageToken = tokens.Protect(new Cursor(today, answer.Search.NextPageToken), binding);
        }

        return response;
    }

    /// <summary>The mesure that is meant; nobody's when the difficulty is not of it, or does not exist.</summary>
    private async Task<Guid> MesureOfAsync(Guid? named, Guid? difficultyId, CancellationToken ct)
    {
        if (difficultyId is not { } id)
        {
            return named!.Value;
        }

        var of = await db.Difficulties.AsNoTracking().Where(d => d.Id == id).Select(d => (Guid?)d.MesureId).SingleOrDefaultAsync(ct);
        return of is { } mesureId && (named is null || named == mesureId) ? mesureId : throw DomainError.Forbidden();
    }

    /// <summary>The directory's own token goes inside ours, which is bound to the caller.</summary>
    private sealed record Cursor(DateOnly Today, string DirectoryToken);
}
