using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Creates or replaces espaces by the external id of their source.</summary>
internal sealed class ImportEspaces(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, TimeProvider clock)
{
    public async Task<ImportEspacesResponse> HandleAsync(ImportEspacesRequest request, ServerCallContext call)
    {
        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        var requestId = ImportChecks.Check(request, geography, LocalTime.LatestToday(clock));
        return await commands.RunAsync(call, request, requestId, async ct =>
        {
            await db.BeginEspaceWriteAsync(ct);
            var espaces = await LoadAsync(request, ct);
            var gestionnaires = await LoadGestionnairesAsync(request, ct);
            var declared = await LoadDeclarationsAsync([.. espaces.Keys], ct);
            var now = clock.GetStoredNow();
            // Also those that only share a gestionnaire with the request: what it says of the gestionnaire holds for them too.
            var edits = espaces.Values.ToDictionary(row => row, row => EspaceEdit.Begin(row, EspaceEdit.AllGroups));
            var imported = new Dictionary<EspaceRow, EspaceImport>();
            foreach (var import in request.Espaces)
            {
                var gestionnaire = ApplyGestionnaire(request.Source, import.Gestionnaire, gestionnaires, now);
                var id = StableIds.Espace(request.Source, import.ExternalId);
                if (!espaces.TryGetValue(id, out var row))
                {
                    espaces.Add(id, row = NewEspace(request.Source, id, gestionnaire, import, now));
                    db.Espaces.Add(row);
                    edits.Add(row, EspaceEdit.New(row));
                }
                Apply(row, gestionnaire, import, geography, declared, now);
                imported.Add(row, import);
            }
            return Conclude(edits, imported, gestionnaires.Values, Speaker.Importing(call.Caller()), now);
        }, _ => $"imports/{request.Source}");
    }

    private ImportEspacesResponse Conclude(
        Dictionary<EspaceRow, EspaceEdit> edits, Dictionary<EspaceRow, EspaceImport> imported, IEnumerable<GestionnaireRow> gestionnaires,
        Speaker speaker, DateTimeOffset now)
    {
        foreach (var row in gestionnaires.Where(g => db.Entry(g).State == EntityState.Modified))
        {
            row.UpdatedAt = now;
            row.Version++;
        }
        var response = new ImportEspacesResponse();
        foreach (var (row, edit) in edits)
        {
            var import = imported.GetValueOrDefault(row);
            // From the first moment of that day, so that the same file on the same day confirms nothing anew.
            var confirmedAt = ImportChecks.ToDate(import?.ConfirmedDate)?.StartInParis();
            var isNew = db.Entry(row).State == EntityState.Added;
            var changed = edit.Conclude(db, speaker, now, confirmedAt, confirms: _ => confirmedAt is not null);
            if (import is null)
                continue;
            if (isNew)
                response.CreatedCount++;
            else if (changed)
                response.UpdatedCount++;
            else
                response.UnchangedCount++;
        }
        return response;
    }

    private Task<Dictionary<Guid, EspaceRow>> LoadAsync(ImportEspacesRequest request, CancellationToken ct)
    {
        var ids = request.Espaces.Select(e => StableIds.Espace(request.Source, e.ExternalId)).ToArray();
        var gestionnaires = request.Espaces.Select(e => StableIds.Gestionnaire(request.Source, e.Gestionnaire.ExternalId)).Distinct().ToArray();
        return db.WholeEspaces.Where(e => ids.Contains(e.Id) || gestionnaires.Contains(e.GestionnaireId)).ToDictionaryAsync(e => e.Id, ct);
    }

    private Task<Dictionary<Guid, GestionnaireRow>> LoadGestionnairesAsync(ImportEspacesRequest request, CancellationToken ct)
    {
        var ids = request.Espaces.Select(e => StableIds.Gestionnaire(request.Source, e.Gestionnaire.ExternalId)).ToArray();
        return db.Gestionnaires.Where(g => ids.Contains(g.Id)).Include(g => g.Contacts).AsSplitQuery().ToDictionaryAsync(g => g.Id, ct);
    }

    // An imported wait that was recorded once is not declared again: the same content changes nothing.
    private async Task<HashSet<(Guid, Contracts.Type.V1.Modalite, Wait)>> LoadDeclarationsAsync(Guid[] ids, CancellationToken ct) =>
        [.. (await db.WaitDeclarations.AsNoTracking()
            .Where(w => ids.Contains(w.EspaceId) && w.Source == FigureSource.Imported)
            .Select(w => new { w.EspaceId, w.Modalite, w.Days, w.AsOf })
            .ToListAsync(ct)).Select(w => (w.EspaceId, w.Modalite, new Wait(w.Days, w.AsOf)))];

    private GestionnaireRow ApplyGestionnaire(string source, GestionnaireImport import, Dictionary<Guid, GestionnaireRow> known, DateTimeOffset now)
    {
        var id = StableIds.Gestionnaire(source, import.ExternalId);
        if (!known.TryGetValue(id, out var row))
        {
            row = new GestionnaireRow
            {
                Id = id,
                Source = source,
                ExternalId = import.ExternalId,
                Name = import.Name,
                Siret = import.Siret,
                CreatedAt = now,
                UpdatedAt = now,
                Version = 1,
            };
            known.Add(id, row);
            db.Gestionnaires.Add(row);
            db.Publish(row.ToEvent(now));
        }
        (row.Name, row.Siret, row.LegalForm, row.Federation) = (import.Name, import.Siret, import.LegalForm, import.Federation);
        EspaceParts.Merge(row.Contacts, import.Contacts, c => c.ExternalId, (c, _) => c.ExternalId,
            (c, _) => new ContactRow { OrganisationId = id, ExternalId = c.ExternalId, Email = c.Email, Role = c.Role },
            (existing, c, _) => (existing.Email, existing.Role) = (c.Email, c.Role));
        return row;
    }

    private static EspaceRow NewEspace(string source, Guid id, GestionnaireRow gestionnaire, EspaceImport import, DateTimeOffset now) => new()
    {
        Id = id,
        Source = source,
        ExternalId = import.ExternalId,
        GestionnaireId = gestionnaire.Id,
        Gestionnaire = gestionnaire,
        Name = import.Name,
        Departement = import.Departement,
        Fictive = import.Fictive,
        State = import.State,
        AlertText = import.AlertText,
        CreatedAt = now,
        UpdatedAt = now,
        Version = 1,
    };

    private void Apply(
        EspaceRow row, GestionnaireRow gestionnaire, EspaceImport import, Geography geography,
        HashSet<(Guid, Contracts.Type.V1.Modalite, Wait)> declared, DateTimeOffset now)
    {
        (row.Gestionnaire, row.GestionnaireId) = (gestionnaire, gestionnaire.Id);
        (row.Name, row.Departement, row.Fictive, row.State, row.AlertText) =
            (import.Name, import.Departement, import.Fictive, import.State, import.AlertText);
        EspaceParts.Apply(row, import.Agrements);
        EspaceParts.Apply(row, import.Lieux, geography);
        EspaceParts.Apply(row, import.Modalites, removeOthers: true);
        EspaceParts.Apply(row, import.Accueil);
        EspaceParts.Apply(row, import.Ouvertures);
        EspaceParts.Apply(row, import.Fermetures);
        foreach (var offered in import.Modalites.Where(m => m.DeclaredWait is not null))
        {
            var wait = offered.DeclaredWait.ToDomain();
            if (!declared.Add((row.Id, offered.Modalite, wait)))
                continue;
            row.Modalites.Single(m => m.Modalite == offered.Modalite).Declare(wait, FigureSource.Imported);
            db.WaitDeclarations.Add(new WaitDeclarationRow
            {
                EspaceId = row.Id,
                Modalite = offered.Modalite,
                Days = wait.Days,
                AsOf = wait.AsOf,
                Source = FigureSource.Imported,
                RecordedAt = now,
            });
        }
    }
}
