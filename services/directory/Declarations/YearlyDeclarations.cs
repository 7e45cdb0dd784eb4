using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Declarations;

/// <summary>Records and lists what gestionnaires declare of a year for the national survey (SSER).</summary>
internal sealed class YearlyDeclarations(DirectoryDbContext db, Commands<DirectoryDbContext> commands, PageTokens tokens, TimeProvider clock)
{
    private const int FirstYear = 2000;
    private const int MaxParts = 50;

    private sealed record Cursor(int Year, long Version);

    /// <summary>Records the declaration of a year in place of the one before, which is kept.</summary>
    public Task<DeclareYearResponse> DeclareAsync(DeclareYearRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        check.That(request.Declaration is not null, "declaration", "is required");
        var declaration = request.Declaration ?? new YearlyDeclaration();
        if (request.Declaration is not null)
            Check(check, declaration, clock.TodayInParis().Year);
        var etag = check.Etag(declaration.Etag, "declaration.etag");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(call, request, requestId, async ct =>
        {
            await call.Caller().RequireWholeAsync(db, gestionnaireId, ct);
            if (!await db.Gestionnaires.AnyAsync(g => g.Id == gestionnaireId, ct))
                throw DomainError.NotFound($"organisations/{gestionnaireId}");
            var row = await db.YearlyDeclarations.Include(y => y.Personnels).Include(y => y.Ressources).AsSplitQuery()
                .SingleOrDefaultAsync(y => y.GestionnaireId == gestionnaireId && y.Year == declaration.Year, ct);
            if (etag is { } read && read != (row?.Version ?? 0))
                throw DomainError.EtagMismatch((row?.Version ?? 0).ToEtag());
            var now = clock.GetStoredNow();
            if (row is null)
            {
                row = new YearlyDeclarationRow { GestionnaireId = gestionnaireId, Year = declaration.Year, OpeningHours = 0, OpeningDays = 0, UpdatedAt = now, Version = 0 };
                db.YearlyDeclarations.Add(row);
            }
            Apply(row, declaration);
            (row.UpdatedAt, row.Version) = (now, row.Version + 1);
            var speaker = Speaker.Of(call.Caller());
            var change = new YearlyDeclarationChangeRow
            {
                GestionnaireId = gestionnaireId,
                Year = row.Year,
                Version = row.Version,
                Source = speaker.Source,
                OrganisationId = speaker.OrganisationId,
                RecordedAt = now,
                Content = JsonFormatter.Default.Format(ToContent(row)),
            };
            db.YearlyDeclarationChanges.Add(change);
            return new DeclareYearResponse { Declaration = ToProto(change, row.Version) };
        }, _ => $"organisations/{gestionnaireId}/years/{declaration.Year}");
    }

    /// <summary>Lists the declarations of a gestionnaire, the latest year first, those that were superseded on request.</summary>
    public async Task<ListYearlyDeclarationsResponse> ListAsync(ListYearlyDeclarationsRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var pageSize = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        caller.RequireOrganisation(gestionnaireId);

        var query = db.YearlyDeclarationChanges.AsNoTracking().Where(c => c.GestionnaireId == gestionnaireId)
            .Join(db.YearlyDeclarations, c => new { c.GestionnaireId, c.Year }, y => new { y.GestionnaireId, y.Year }, (c, y) => new { Change = c, Held = y.Version });
        if (!request.IncludeSuperseded)
            query = query.Where(c => c.Change.Version == c.Held);
        if (cursor is not null)
            query = query.Where(c => c.Change.Year < cursor.Year || (c.Change.Year == cursor.Year && c.Change.Version < cursor.Version));
        var rows = await query.OrderByDescending(c => c.Change.Year).ThenByDescending(c => c.Change.Version).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListYearlyDeclarationsResponse();
        response.Declarations.Add(rows.Take(pageSize).Select(c => ToProto(c.Change, c.Held)));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new Cursor(rows[pageSize - 1].Change.Year, rows[pageSize - 1].Change.Version), binding);
        return response;
    }

    private static void Check(FieldChecks check, YearlyDeclaration declaration, int thisYear)
    {
        check.Range("declaration.year", declaration.Year, FirstYear, thisYear);
        check.Range("declaration.opening_hours", declaration.OpeningHours, 0, 100_000);
        check.Range("declaration.opening_days", declaration.OpeningDays, 0, 366);
        check.That(declaration.Personnels.Count <= MaxParts, "declaration.personnels", "must have at most 50 entries");
        var staff = new HashSet<(PersonnelStatus, PersonnelFunction)>();
        foreach (var (i, personnel) in declaration.Personnels.Take(MaxParts).Index())
        {
            var at = $"declaration.personnels[{i}]";
            check.Known($"{at}.status", personnel.Status);
            check.Known($"{at}.function", personnel.Function);
            check.That(staff.Add((personnel.Status, personnel.Function)), at, "its status and function stand twice");
            check.Range($"{at}.head_count", personnel.HeadCount, 0, 10_000);
            check.That(personnel.FullTimeEquivalent is >= 0 and <= 10_000, $"{at}.full_time_equivalent", "must be from 0 to 10000");
            check.That(!(personnel.FullTimeEquivalent > personnel.HeadCount), $"{at}.full_time_equivalent", "must not be more than head_count");
        }
        check.That(declaration.Ressources.Count <= MaxParts, "declaration.ressources", "must have at most 50 entries");
        var funders = new HashSet<Funder>();
        foreach (var (i, ressource) in declaration.Ressources.Take(MaxParts).Index())
        {
            check.Known($"declaration.ressources[{i}].funder", ressource.Funder);
            check.That(funders.Add(ressource.Funder), $"declaration.ressources[{i}].funder", "stands twice");
            check.That(ressource.AmountEuros is >= 0 and <= 1_000_000_000, $"declaration.ressources[{i}].amount_euros", "must be from 0 to 1000000000");
        }
    }

    private static void Apply(YearlyDeclarationRow row, YearlyDeclaration declaration)
    {
        (row.OpeningHours, row.OpeningDays) = (declaration.OpeningHours, declaration.OpeningDays);
        Espaces.EspaceParts.Merge(row.Personnels, declaration.Personnels, p => (p.Status, p.Function), (p, _) => (p.Status, p.Function),
            (p, _) => new PersonnelRow
            {
                GestionnaireId = row.GestionnaireId,
                Year = row.Year,
                Status = p.Status,
                Function = p.Function,
                HeadCount = p.HeadCount,
                FullTimeEquivalent = p.FullTimeEquivalent,
            },
            (existing, p, _) => (existing.HeadCount, existing.FullTimeEquivalent) = (p.HeadCount, p.FullTimeEquivalent));
        Espaces.EspaceParts.Merge(row.Ressources, declaration.Ressources, r => r.Funder, (r, _) => r.Funder,
            (r, _) => new RessourceRow { GestionnaireId = row.GestionnaireId, Year = row.Year, Funder = r.Funder, AmountEuros = r.AmountEuros },
            (existing, r, _) => existing.AmountEuros = r.AmountEuros);
    }

    private static YearlyDeclaration ToProto(YearlyDeclarationChangeRow row, long held)
    {
        var declaration = YearlyDeclaration.Parser.ParseJson(row.Content);
        (declaration.UpdateTime, declaration.Etag) = (row.RecordedAt.ToProto(), row.Version.ToEtag());
        (declaration.Source, declaration.OrganisationId, declaration.Superseded) = (row.Source, row.OrganisationId.ToString(), row.Version != held);
        return declaration;
    }

    private static YearlyDeclaration ToContent(YearlyDeclarationRow row) => new()
    {
        Year = row.Year,
        OpeningHours = row.OpeningHours,
        OpeningDays = row.OpeningDays,
        Personnels =
        {
            row.Personnels.OrderBy(p => p.Status).ThenBy(p => p.Function).Select(p => new Personnel
            {
                Status = p.Status,
                Function = p.Function,
                HeadCount = p.HeadCount,
                FullTimeEquivalent = p.FullTimeEquivalent,
            }),
        },
        Ressources = { row.Ressources.OrderBy(r => r.Funder).Select(r => new Ressource { Funder = r.Funder, AmountEuros = r.AmountEuros }) },
    };
}
