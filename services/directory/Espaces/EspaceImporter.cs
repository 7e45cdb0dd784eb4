using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Directory.Contacts;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>
/// Brings espaces to what a source says of them: what is new is created, what differs replaced, the rest left alone. It reads
/// by sets. New espaces, history and events are most of the rows, and nothing ever changes them here: they stay outside the
/// context, and go by COPY when they are saved.
/// </summary>
internal sealed class EspaceImporter(DirectoryDbContext db, string source, Geography geography, Speaker speaker, DateTimeOffset now)
{
    private readonly DateOnly _today = now.DayInParis();
    private readonly Dictionary<Guid, long> _versions = [];
    private readonly List<EspaceRow> _espaces = [];
    private readonly List<EspaceChangeRow> _changes = [];
    private readonly List<WaitDeclarationRow> _waits = [];
    private readonly List<DomainEvent> _events = [];

    /// <summary>Whether contacts stay as they are, because the source has none to give.</summary>
    public bool KeepsContacts { get; init; }

    /// <summary>Espaces and gestionnaires that the source names by Jafer's own ids, whatever their source was.</summary>
    public IReadOnlySet<Guid> NamedByOwnId { get; init; } = new HashSet<Guid>();

    /// <summary>Whether an espace is also changed that was changed since the version from which the import was made.</summary>
    public bool Overwrites { get; init; }

    /// <summary>Those that would change an espace that was changed since: nothing may be saved once there is one.</summary>
    public List<EspaceImport> Outdated { get; } = [];

    /// <summary>Takes the locks of an import of these espaces. None is taken for a trial.</summary>
    public Task BeginAsync(IReadOnlyCollection<EspaceImport> espaces, CancellationToken ct) => db.BeginImportAsync(
        [.. espaces.Select(IdOf)], [.. espaces.Select(e => IdOf(e.Gestionnaire)).Distinct()], ct);

    /// <summary>Gestionnaires, by their id, whose SIRET is already that of another one.</summary>
    public async Task<HashSet<Guid>> WithSiretOfAnotherAsync(IReadOnlyCollection<EspaceImport> espaces, CancellationToken ct)
    {
        // The first that says it has it; what is held so from before stays.
        var said = espaces.Where(e => e.Gestionnaire is not null).Select(e => (Id: IdOf(e.Gestionnaire), e.Gestionnaire.Siret)).Distinct().ToList();
        var sirets = said.Select(s => s.Siret).Distinct().ToArray();
        var ids = said.Select(s => s.Id).ToArray();
        var held = await db.Gestionnaires.AsNoTracking().Where(g => sirets.Contains(g.Siret)).Select(g => new { g.Id, g.Siret }).ToListAsync(ct);
        var keep = held.Select(h => (h.Id, h.Siret)).ToHashSet();
        var owners = held.Where(h => !ids.Contains(h.Id) || said.Contains((h.Id, h.Siret))).GroupBy(h => h.Siret).ToDictionary(h => h.Key, h => h.First().Id);
        return [.. said.Where(s => !keep.Contains(s) && (owners.TryAdd(s.Siret, s.Id) ? s.Id : owners[s.Siret]) != s.Id).Select(s => s.Id)];
    }

    /// <summary>Applies some espaces, already checked; <see cref="SaveAsync"/> writes what comes of it.</summary>
    /// <param name="espaces">The espaces, each once.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<ImportEspacesResponse> ApplyAsync(IReadOnlyCollection<EspaceImport> espaces, CancellationToken ct)
    {
        var rows = await LoadAsync(espaces, ct);
        foreach (var row in rows.Values)
            _versions.TryAdd(row.Id, row.Version);
        var gestionnaires = await LoadGestionnairesAsync(espaces, ct);
        var declared = await LoadDeclarationsAsync([.. rows.Keys], ct);
        // Also those that only share a gestionnaire: what is said of the gestionnaire holds for them too.
        var edits = rows.Values.ToDictionary(row => row, row => EspaceEdit.Begin(row, EspaceEdit.AllGroups));
        var imported = new Dictionary<EspaceRow, EspaceImport>();
        foreach (var import in espaces)
        {
            var gestionnaire = ApplyGestionnaire(import.Gestionnaire, gestionnaires);
            var id = IdOf(import);
            if (!rows.TryGetValue(id, out var row))
            {
                rows.Add(id, row = NewEspace(id, gestionnaire, import));
                _espaces.Add(row);
                edits.Add(row, EspaceEdit.New(row));
            }
            Apply(row, gestionnaire, import, declared);
            imported.Add(row, import);
        }
        return Conclude(edits, imported, gestionnaires.Values);
    }

    /// <summary>Writes what was applied since the last time, in the transaction that <see cref="BeginAsync"/> began.</summary>
    public async Task SaveAsync(CancellationToken ct)
    {
        // First what is held and changes, and the gestionnaires that all else refers to.
        await db.SaveChangesAsync(ct);
        await db.BulkInsertAsync(_espaces, ct);
        await InsertPartsAsync(e => e.Agrements);
        await InsertPartsAsync(e => e.Lieux);
        await InsertPartsAsync(e => e.Lieux.SelectMany(l => l.Dessertes));
        await InsertPartsAsync(e => e.Modalites);
        await InsertPartsAsync(e => e.Entretiens);
        await InsertPartsAsync(e => e.Ouvertures);
        await InsertPartsAsync(e => e.Fermetures);
        await InsertPartsAsync(e => e.Groups);
        await db.BulkInsertAsync(_changes, ct);
        await db.BulkInsertAsync(_waits, ct);
        await db.PublishAsync(_events, ct);
        Forget();

        Task InsertPartsAsync<T>(Func<EspaceRow, IEnumerable<T>> parts)
            where T : class => db.BulkInsertAsync([.. _espaces.SelectMany(parts)], ct);
    }

    /// <summary>Forgets what was applied.</summary>
    public void Forget()
    {
        _espaces.Clear();
        _changes.Clear();
        _waits.Clear();
        _events.Clear();
        db.Forget();
    }

    /// <summary>Jafer's id of an espace.</summary>
    public Guid IdOf(EspaceImport espace) => OwnId(espace.ExternalId) ?? StableIds.Espace(source, espace.ExternalId);

    /// <summary>Jafer's id of a gestionnaire.</summary>
    public Guid IdOf(GestionnaireImport gestionnaire) => OwnId(gestionnaire.ExternalId) ?? StableIds.Gestionnaire(source, gestionnaire.ExternalId);

    private Guid? OwnId(string externalId) => Guid.TryParseExact(externalId, "D", out var id) && NamedByOwnId.Contains(id) ? id : null;

    private ImportEspacesResponse Conclude(
        Dictionary<EspaceRow, EspaceEdit> edits, Dictionary<EspaceRow, EspaceImport> imported, IEnumerable<GestionnaireRow> gestionnaires)
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
            var changed = edit.Conclude(speaker, now, confirmedAt, confirms: _ => confirmedAt is not null);
            _changes.AddRange(edit.Changes);
            if (edit.Event is { } message)
                _events.Add(message);
            _events.AddRange(edit.Refreshed);
            if (import is null)
                continue;
            // As it was before this import: what a sibling says of their gestionnaire changes the version too.
            if (!edit.IsNew && edit.Changed && !Overwrites && import.Etag.Length > 0 && import.Etag != _versions[row.Id].ToEtag())
                Outdated.Add(import);
            if (edit.IsNew)
                response.CreatedCount++;
            else if (changed)
                response.UpdatedCount++;
            else
                response.UnchangedCount++;
        }
        return response;
    }

    private async Task<Dictionary<Guid, EspaceRow>> LoadAsync(IReadOnlyCollection<EspaceImport> espaces, CancellationToken ct)
    {
        var ids = espaces.Select(IdOf).ToArray();
        var gestionnaires = espaces.Select(e => IdOf(e.Gestionnaire)).Distinct().ToArray();
        // Their ids first: a dozen queries by a condition on two columns, over tables that are just being filled, cost more
        // than all the writing.
        var known = await db.Espaces.Where(e => ids.Contains(e.Id)).Select(e => e.Id)
            .Union(db.Espaces.Where(e => gestionnaires.Contains(e.GestionnaireId)).Select(e => e.Id)).ToArrayAsync(ct);
        return known.Length == 0 ? [] : await db.WholeEspaces.Where(e => known.Contains(e.Id)).ToDictionaryAsync(e => e.Id, ct);
    }

    private Task<Dictionary<Guid, GestionnaireRow>> LoadGestionnairesAsync(IReadOnlyCollection<EspaceImport> espaces, CancellationToken ct)
    {
        var ids = espaces.Select(e => IdOf(e.Gestionnaire)).Distinct().ToArray();
        return db.Gestionnaires.Where(g => ids.Contains(g.Id)).Include(g => g.Contacts).AsSplitQuery().ToDictionaryAsync(g => g.Id, ct);
    }

    // An imported wait that was recorded once is not declared again: the same content changes nothing.
    private async Task<HashSet<(Guid, Contracts.Type.V1.Modalite, Wait)>> LoadDeclarationsAsync(Guid[] ids, CancellationToken ct) =>
        ids.Length == 0 ? [] : [.. (await db.WaitDeclarations.AsNoTracking()
            .Where(w => ids.Contains(w.EspaceId) && w.Source == FigureSource.Imported)
            .Select(w => new { w.EspaceId, w.Modalite, w.Days, w.AsOf })
            .ToListAsync(ct)).Select(w => (w.EspaceId, w.Modalite, new Wait(w.Days, w.AsOf)))];

    private GestionnaireRow ApplyGestionnaire(GestionnaireImport import, Dictionary<Guid, GestionnaireRow> known)
    {
        var id = IdOf(import);
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
            _events.Add(row.ToEvent(now));
        }
        (row.Name, row.Siret, row.LegalForm, row.Federation) = (import.Name, import.Siret, import.LegalForm, import.Federation);
        var isNew = db.Entry(row).State == EntityState.Added;
        if (!KeepsContacts && ContactParts.Replace(row.Contacts, id, import.Contacts) && !isNew)
            row.ContactsVersion++;
        return row;
    }

    private EspaceRow NewEspace(Guid id, GestionnaireRow gestionnaire, EspaceImport import) => new()
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
        EspaceRow row, GestionnaireRow gestionnaire, EspaceImport import, HashSet<(Guid, Contracts.Type.V1.Modalite, Wait)> declared)
    {
        (row.Gestionnaire, row.GestionnaireId) = (gestionnaire, gestionnaire.Id);
        if (row.Departement != import.Departement)
            row.PrefectureId = null;
        (row.Name, row.Departement, row.Fictive, row.State, row.AlertText) =
            (import.Name, import.Departement, import.Fictive, import.State, EspaceParts.Said(import.AlertText));
        // What an export shows of an agrément stays as it is held.
        var held = HeldParts.Of(row, _today, import.Etag);
        var known = held.Find(import.Agrements);
        var agrements = import.Agrements.Select((a, i) => known[i] ?? a);
        if (row.PrefectureId is not null)
            agrements = held.Agrements.Where(IsDecided).Concat(agrements.Where(a => !IsDecided(a)));
        EspaceParts.Apply(row, agrements.ToList());
        EspaceParts.Apply(row, import.Lieux, geography);
        EspaceParts.Apply(row, import.Modalites, removeOthers: true);
        EspaceParts.Apply(row, import.Accueil);
        EspaceParts.Apply(row, import.Ouvertures);
        EspaceParts.Apply(row, import.Fermetures);
        foreach (var offered in import.Modalites.Where(m => m.DeclaredWait is not null))
        {
            var wait = offered.DeclaredWait.ToDomain();
            var modalite = row.Modalites.Single(m => m.Modalite == offered.Modalite);
            if (!declared.Add((row.Id, offered.Modalite, wait)) || modalite.Wait == wait)
                continue;
            modalite.Declare(wait, FigureSource.Imported);
            _waits.Add(new WaitDeclarationRow
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

    // What the préfecture recorded stands, whatever a file says that has not heard of it; files of applications are added and go.
    private static bool IsDecided(Contracts.Directory.V1.Agrement agrement) => agrement.State != AgrementState.Demande;
}
