using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Reference;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Reads one espace, or a list of them.</summary>
internal sealed class ReadEspaces(DirectoryDbContext db, SnapshotSource snapshots, EspaceHistory history, PageTokens tokens, TimeProvider clock)
{
    private sealed record Cursor(Guid EspaceId);

    public async Task<GetEspaceResponse> GetAsync(GetEspaceRequest request, CancellationToken ct)
    {
        var today = clock.TodayInParis();
        var check = new FieldChecks();
        var id = check.Uuid("espace_id", request.EspaceId);
        var asOf = check.OptionalDate("as_of_date", request.AsOfDate);
        check.That(!(asOf > today), "as_of_date", "must not lie in the future");
        check.ThrowIfAny();
        var geography = await snapshots.GeographyAsync(ct);
        if (asOf is { } day && day < today)
            return new GetEspaceResponse { Espace = await AsOfAsync(id, day, geography, ct) };
        var row = await db.WholeEspaces.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, ct) ?? throw DomainError.NotFound($"espaces/{id}");
        return new GetEspaceResponse { Espace = row.ToProto(geography, today) };
    }

    // Of contacts only the provenance is kept: whoever had some had one for the follow-up, as far as the history tells.
    private async Task<Espace> AsOfAsync(Guid id, DateOnly day, Geography geography, CancellationToken ct)
    {
        var row = await db.Espaces.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, ct);
        if (row is null || await history.AsOfAsync(id, day, ct) is not { } then)
            throw DomainError.NotFound($"espaces/{id}");
        then.Espace.UpdateTime = then.ChangedAt.ToProto();
        return then.Espace.Complete(row, geography, day).Judge(then.Groups, then.Groups.Any(g => g.Group == EspaceGroup.Contacts), day);
    }

    public async Task<ListEspacesResponse> ListAsync(ListEspacesRequest request, Caller caller, CancellationToken ct)
    {
        var geography = await snapshots.GeographyAsync(ct);
        var check = new FieldChecks();
        check.That(request.Departement.Length == 0 || geography.Departements.Contains(request.Departement), "departement", "is not a known département");
        var gestionnaire = check.OptionalUuid("gestionnaire_id", request.GestionnaireId);
        var pageSize = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var query = db.WholeEspaces.AsNoTracking();
        if (request.Departement.Length > 0)
            query = query.Where(e => e.Departement == request.Departement);
        if (gestionnaire is { } id)
            query = query.Where(e => e.GestionnaireId == id);
        if (cursor is not null)
            query = query.Where(e => e.Id > cursor.EspaceId);
        var rows = await query.OrderBy(e => e.Id).Take(pageSize + 1).ToListAsync(ct);

        var today = clock.TodayInParis();
        var response = new ListEspacesResponse();
        response.Espaces.Add(rows.Take(pageSize).Select(r => r.ToProto(geography, today)));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new Cursor(rows[pageSize - 1].Id), binding);
        return response;
    }
}
