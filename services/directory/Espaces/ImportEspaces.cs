using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
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
            await db.Database.BeginTransactionAsync(ct);
            // Before any row, as every other writer of espaces does through the trigger: no deadlock between imports.
            await db.Database.ExecuteSqlAsync($"select revision from directory_revision for update", ct);
            var espaces = await LoadAsync(request, ct);
            var gestionnaires = await LoadGestionnairesAsync(request, ct);
            var declared = await LoadDeclarationsAsync([.. espaces.Keys], ct);
            var now = clock.GetUtcNow();
            foreach (var import in request.Espaces)
            {
                var gestionnaireId = ApplyGestionnaire(request.Source, import.Gestionnaire, gestionnaires, now);
                var id = StableIds.Espace(request.Source, import.ExternalId);
                if (!espaces.TryGetValue(id, out var row))
                {
                    espaces.Add(id, row = NewEspace(request.Source, id, gestionnaireId, import, now));
                    db.Espaces.Add(row);
                }
                Apply(row, gestionnaireId, import, geography, declared, now);
            }
            return Conclude([.. espaces.Values], gestionnaires.Values, now);
        }, _ => $"imports/{request.Source}");
    }

    // What changed is told by the change tracker, once for all; only that gets a new version and an event.
    private ImportEspacesResponse Conclude(EspaceRow[] espaces, IEnumerable<GestionnaireRow> gestionnaires, DateTimeOffset now)
    {
        var changed = db.ChangeTracker.Entries().Where(e => e.State != EntityState.Unchanged).ToList();
        foreach (var row in gestionnaires.Where(g => db.Entry(g).State == EntityState.Modified))
        {
            row.UpdatedAt = now;
            row.Version++;
        }
        var (added, touched) = (
            changed.Where(e => e is { Entity: EspaceRow, State: EntityState.Added }).Select(e => e.Entity).ToHashSet(),
            changed.Select(e => EspaceOf(e.Entity)).ToHashSet());
        var response = new ImportEspacesResponse();
        foreach (var row in espaces)
        {
            if (!touched.Contains(row.Id))
            {
                response.UnchangedCount++;
                continue;
            }
            if (added.Contains(row))
            {
                response.CreatedCount++;
            }
            else
            {
                row.Changed(now);
                response.UpdatedCount++;
            }
            db.Publish(row.ToEvent(now));
        }
        return response;
    }

    private Task<Dictionary<Guid, EspaceRow>> LoadAsync(ImportEspacesRequest request, CancellationToken ct)
    {
        var ids = request.Espaces.Select(e => StableIds.Espace(request.Source, e.ExternalId)).ToArray();
        return db.Espaces.Where(e => ids.Contains(e.Id))
            .Include(e => e.Agrements).Include(e => e.Lieux).Include(e => e.Modalites).AsSplitQuery()
            .ToDictionaryAsync(e => e.Id, ct);
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

    private Guid ApplyGestionnaire(string source, GestionnaireImport import, Dictionary<Guid, GestionnaireRow> known, DateTimeOffset now)
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
        (row.Name, row.Siret) = (import.Name, import.Siret);
        Merge(row.Contacts, import.Contacts, c => c.ExternalId, c => c.ExternalId,
            (c, _) => new ContactRow { OrganisationId = id, ExternalId = c.ExternalId, Email = c.Email, Role = c.Role },
            (existing, c, _) => (existing.Email, existing.Role) = (c.Email, c.Role));
        return id;
    }

    private static EspaceRow NewEspace(string source, Guid id, Guid gestionnaireId, EspaceImport import, DateTimeOffset now) => new()
    {
        Id = id,
        Source = source,
        ExternalId = import.ExternalId,
        GestionnaireId = gestionnaireId,
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
        EspaceRow row, Guid gestionnaireId, EspaceImport import, Geography geography,
        HashSet<(Guid, Contracts.Type.V1.Modalite, Wait)> declared, DateTimeOffset now)
    {
        row.GestionnaireId = gestionnaireId;
        (row.Name, row.Departement, row.Fictive, row.State, row.AlertText) =
            (import.Name, import.Departement, import.Fictive, import.State, import.AlertText);
        var latestFirst = import.Agrements.Select(ImportChecks.ToDomain)
            .OrderByDescending(a => a.StartDate ?? a.RequestDate ?? DateOnly.MinValue).ToList();
        Merge(row.Agrements, latestFirst.Index(), a => a.Position, a => (short)a.Index,
            (a, _) => new AgrementRow
            {
                EspaceId = row.Id,
                Position = (short)a.Index,
                Number = a.Item.Number,
                Departement = a.Item.Departement,
                State = a.Item.State,
                RequestDate = a.Item.RequestDate,
                StartDate = a.Item.StartDate,
                EndDate = a.Item.EndDate,
            },
            (existing, a, _) => (existing.Number, existing.Departement, existing.State, existing.RequestDate, existing.StartDate, existing.EndDate) =
                (a.Item.Number, a.Item.Departement, a.Item.State, a.Item.RequestDate, a.Item.StartDate, a.Item.EndDate));
        Merge(row.Lieux, import.Lieux, l => l.ExternalId, l => l.ExternalId,
            (l, position) => Place(new LieuRow
            {
                Id = StableIds.Lieu(row.Id, l.ExternalId),
                EspaceId = row.Id,
                Position = position,
                ExternalId = l.ExternalId,
                Name = l.Name,
                AddressLine = l.AddressLine,
                CommuneInsee = l.CommuneInsee,
                Latitude = l.Latitude,
                Longitude = l.Longitude,
                WheelchairAccessible = l.WheelchairAccessible,
                SeparateEntrances = l.SeparateEntrances,
                PublicTransport = "",
            }, l, position, geography),
            (existing, l, position) => Place(existing, l, position, geography));
        Merge(row.Modalites, import.Modalites, m => m.Modalite, m => m.Modalite,
            (m, _) => new ModaliteRow
            {
                EspaceId = row.Id,
                Modalite = m.Modalite,
                State = m.State,
                CapacityFamilies = m.CapacityFamilies,
                SlotsPerWeek = m.SlotsPerWeek,
                MinAge = m.MinAge,
                MaxAge = m.MaxAge,
                AcceptedSituations = Codes(m),
                ProtectionOrderAccepted = m.ProtectionOrderAccepted,
            },
            (existing, m, _) =>
            {
                (existing.State, existing.CapacityFamilies, existing.SlotsPerWeek, existing.MinAge, existing.MaxAge, existing.ProtectionOrderAccepted) =
                    (m.State, m.CapacityFamilies, m.SlotsPerWeek, m.MinAge, m.MaxAge, m.ProtectionOrderAccepted);
                if (Codes(m) is var codes && !codes.SequenceEqual(existing.AcceptedSituations))
                    existing.AcceptedSituations = codes;
            });
        foreach (var offered in import.Modalites.Where(m => m.DeclaredWait is not null))
        {
            var wait = new Wait(offered.DeclaredWait.Days, ImportChecks.ToDate(offered.DeclaredWait.AsOfDate)!.Value);
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

    private static LieuRow Place(LieuRow row, Lieu lieu, short position, Geography geography)
    {
        // Nothing given is nought and nought: then the chef-lieu stands in.
        var (latitude, longitude) = lieu is { Latitude: 0, Longitude: 0 }
            ? geography.Points.GetValueOrDefault(lieu.CommuneInsee)
            : (lieu.Latitude, lieu.Longitude);
        (row.Position, row.Name, row.AddressLine, row.CommuneInsee, row.Latitude, row.Longitude, row.WheelchairAccessible, row.SeparateEntrances) =
            (position, lieu.Name, lieu.AddressLine, lieu.CommuneInsee, latitude, longitude, lieu.WheelchairAccessible, lieu.SeparateEntrances);
        return row;
    }

    private static string[] Codes(ModaliteOfferte modalite) => [.. modalite.AcceptedSituations.Distinct().Order().Select(s => s.ToCode())];

    // Adds what is new, overwrites what is known by its key, removes what is no longer there.
    private static void Merge<TRow, TItem, TKey>(
        List<TRow> rows, IEnumerable<TItem> items, Func<TRow, TKey> rowKey, Func<TItem, TKey> itemKey,
        Func<TItem, short, TRow> create, Action<TRow, TItem, short> overwrite)
        where TKey : notnull
    {
        var gone = rows.ToDictionary(rowKey);
        short position = 0;
        foreach (var item in items)
        {
            if (gone.Remove(itemKey(item), out var row))
                overwrite(row, item, position);
            else
                rows.Add(create(item, position));
            position++;
        }
        rows.RemoveAll(gone.ContainsValue);
    }

    private static Guid? EspaceOf(object entity) => entity switch
    {
        EspaceRow e => e.Id,
        AgrementRow a => a.EspaceId,
        LieuRow l => l.EspaceId,
        ModaliteRow m => m.EspaceId,
        WaitDeclarationRow w => w.EspaceId,
        _ => null,
    };
}
