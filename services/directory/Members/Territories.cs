using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Members;

/// <summary>Where organisations are competent, as operators say.</summary>
internal sealed class Territories(DirectoryDbContext db, IOrganisations organisations, Commands<DirectoryDbContext> commands, PageTokens tokens, TimeProvider clock)
{
    private const int MaxName = 200;
    private const int MaxDepartements = 120;

    private sealed record Cursor(Guid Id);

    /// <summary>Says a territory.</summary>
    public async Task<SetTerritoryResponse> SetAsync(SetTerritoryRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        check.That(request.Territory is not null, "territory", "is required");
        var said = request.Territory ?? new Contracts.Directory.V1.Territory();
        var organisation = Guid.Empty;
        long? etag = null;
        if (request.Territory is not null)
        {
            organisation = check.Uuid("territory.organisation_id", said.OrganisationId);
            check.Text("territory.display_name", said.DisplayName, MaxName, required: true);
            etag = check.Etag(said.Etag, "territory.etag");
            check.That(said.Departements.Count <= MaxDepartements, "territory.departements", "must have at most 120 entries");
            check.That(said.OrganisationId != call.Caller().OrganisationId.ToString() || (said.Departements.Count == 0 && request.CourAppelNames.Count == 0), "territory.organisation_id", "must not be the caller's own: another operator says where it is competent");
            var known = await db.Departements.Select(d => d.Code).ToListAsync(call.CancellationToken);
            foreach (var (i, code) in said.Departements.Take(MaxDepartements).Index())
                check.That(known.Contains(code), $"territory.departements[{i}]", "is not a known département");
        }
        check.That(request.CourAppelNames.Count <= MaxDepartements, "cour_appel_names", "must have at most 120 entries");
        var ressorts = await RessortsAsync(check, [.. request.CourAppelNames.Take(MaxDepartements)], call.CancellationToken);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return await commands.RunAsync(call, request, requestId, async ct =>
        {
            call.Caller().Require(organisation);
            var row = await db.Territories.SingleOrDefaultAsync(t => t.OrganisationId == organisation, ct);
            if (etag is { } read && read != (row?.Version ?? 0))
                throw DomainError.EtagMismatch((row?.Version ?? 0).ToEtag());
            if (row is null)
            {
                row = new TerritoryRow { OrganisationId = organisation, DisplayName = "", Departements = [], UpdatedAt = default, Version = 0 };
                db.Territories.Add(row);
            }
            (row.DisplayName, row.Departements) = (said.DisplayName.Trim(), [.. said.Departements.Concat(ressorts).Distinct().Order(StringComparer.Ordinal)]);
            (row.UpdatedAt, row.Version) = (clock.GetStoredNow(), row.Version + 1);
            return new SetTerritoryResponse { Territory = ToProto(row) };
        }, r => $"organisations/{r.Territory.OrganisationId}");
    }

    /// <summary>Returns a territory.</summary>
    public async Task<GetTerritoryResponse> GetAsync(GetTerritoryRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.ThrowIfAny();
        caller.RequireOrganisation(organisation);
        return await organisations.TerritoryAsync(organisation, ct) ?? new GetTerritoryResponse();
    }

    /// <summary>Lists territories.</summary>
    public async Task<ListTerritoriesResponse> ListAsync(ListTerritoriesRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var rows = db.Territories.AsNoTracking();
        if (cursor is not null)
            rows = rows.Where(t => t.OrganisationId < cursor.Id);
        var page = await rows.OrderByDescending(t => t.OrganisationId).Take(size + 1).ToListAsync(ct);
        var response = new ListTerritoriesResponse();
        response.Territories.Add(page.Take(size).Select(ToProto));
        if (page.Count > size)
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].OrganisationId), binding);
        return response;
    }

    // The départements in which the courts of a cour d'appel sit.
    private async Task<IReadOnlyCollection<string>> RessortsAsync(FieldChecks check, string[] coursAppel, CancellationToken ct)
    {
        if (coursAppel.Length == 0)
            return [];
        var courts = await db.Courts.Where(c => coursAppel.Contains(c.CourAppel)).Select(c => new { c.CourAppel, c.Departement }).ToListAsync(ct);
        for (var i = 0; i < coursAppel.Length; i++)
            check.That(courts.Exists(c => c.CourAppel == coursAppel[i]), $"cour_appel_names[{i}]", "is not a known cour d'appel");
        return [.. courts.Select(c => c.Departement).Distinct()];
    }

    private static Contracts.Directory.V1.Territory ToProto(TerritoryRow row) =>
        new() { OrganisationId = row.OrganisationId.ToString(), DisplayName = row.DisplayName, Departements = { row.Departements }, Etag = row.Version.ToEtag() };
}

/// <summary>The rpcs of territories.</summary>
internal sealed class TerritoryGrpcService(Territories territories) : TerritoryService.TerritoryServiceBase
{
    public override Task<SetTerritoryResponse> SetTerritory(SetTerritoryRequest request, ServerCallContext context) => territories.SetAsync(request, context);

    public override Task<GetTerritoryResponse> GetTerritory(GetTerritoryRequest request, ServerCallContext context) =>
        territories.GetAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ListTerritoriesResponse> ListTerritories(ListTerritoriesRequest request, ServerCallContext context) =>
        territories.ListAsync(request, context.Caller(), context.CancellationToken);
}
