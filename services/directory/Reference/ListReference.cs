using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Reference;

/// <summary>Lists courts and communes.</summary>
internal sealed class ListReference(DirectoryDbContext db, SnapshotSource snapshots, PageTokens tokens)
{
    private sealed record CourtCursor(string Code);

    private sealed record CommuneCursor(int Population, string Insee);

    public async Task<ListCourtsResponse> CourtsAsync(ListCourtsRequest request, Caller caller, CancellationToken ct)
    {
        var geography = await snapshots.GeographyAsync(ct);
        var check = new FieldChecks();
        check.That(request.Departement.Length == 0 || geography.Departements.Contains(request.Departement), "departement", "is not a known département");
        var pageSize = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = tokens.Read<CourtCursor>(check, request.PageToken, binding)?.Code ?? "";
        check.ThrowIfAny();

        var query = db.Courts.AsNoTracking().Where(c => c.Code.CompareTo(after) > 0);
        if (request.Departement.Length > 0)
            query = query.Where(c => c.Departement == request.Departement);
        var rows = await query.OrderBy(c => c.Code).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListCourtsResponse();
        response.Courts.Add(rows.Take(pageSize).Select(c => new Court
        {
            OrganisationId = c.OrganisationId.ToString(),
            Code = c.Code,
            Name = c.Name,
            CommuneInsee = c.CommuneInsee,
            Departement = c.Departement,
            CourAppel = c.CourAppel,
        }));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new CourtCursor(rows[pageSize - 1].Code), binding);
        return response;
    }

    public async Task<ListCommunesResponse> CommunesAsync(ListCommunesRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var (postalCode, prefix) = (request.PostalCode, request.NamePrefix);
        if (postalCode.Length == 0 && prefix.Length == 0)
        {
            check.Add("postal_code", "is required unless name_prefix is given");
            check.Add("name_prefix", "is required unless postal_code is given");
        }
        check.That(postalCode.Length == 0 || (postalCode.Length == 5 && postalCode.All(char.IsAsciiDigit)), "postal_code", "must have five digits");
        check.Text("name_prefix", prefix, 100);
        check.That(prefix.Length == 0 || prefix.Count(char.IsLetter) >= 2, "name_prefix", "must have at least 2 letters");
        var pageSize = check.PageSize(request.PageSize, 20, 100);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<CommuneCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var query = prefix.Length == 0
            ? db.Communes.AsNoTracking()
            : db.Communes.FromSql($"select * from communes where search_name like search_name({prefix}) || '%'").AsNoTracking();
        if (postalCode.Length > 0)
            query = query.Where(c => c.PostalCodes.Contains(postalCode));
        if (cursor is not null)
            query = query.Where(c => c.Population < cursor.Population || (c.Population == cursor.Population && c.Insee.CompareTo(cursor.Insee) > 0));
        var rows = await query.OrderByDescending(c => c.Population).ThenBy(c => c.Insee).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListCommunesResponse();
        response.Communes.Add(rows.Take(pageSize).Select(ToProto));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new CommuneCursor(rows[pageSize - 1].Population, rows[pageSize - 1].Insee), binding);
        return response;
    }

    private static Commune ToProto(CommuneRow row)
    {
        var commune = new Commune
        {
            Insee = row.Insee,
            Name = row.Name,
            Departement = row.Departement,
            Population = row.Population,
            ProbableCourtCode = row.ProbableCourtCode ?? "",
        };
        commune.PostalCodes.Add(row.PostalCodes);
        return commune;
    }
}
