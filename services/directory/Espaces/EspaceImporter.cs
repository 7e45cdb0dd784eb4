using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Agrement = Jafer.Contracts.Directory.V1.Agrement;

namespace Jafer.Directory.Espaces;

/// <summary>
/// Brings espaces to what a source says of them: what is new is created, what differs replaced, the rest left alone. It reads
/// by sets and leaves its changes in the context; whoever calls saves them.
/// </summary>
internal sealed class EspaceImporter(DirectoryDbContext db, string source, Geography geography, Speaker speaker, DateTimeOffset now)
{
    private readonly DateOnly _today = now.DayInParis();

    /// <summary>Whether contacts stay as they are, because the source has none to give.</summary>
    public bool KeepsContacts { get; init; }

    /// <summary>Espaces and gestionnaires that the source names by Jafer's own ids, whatever their source was.</summary>
    public IReadOnlySet<Guid> NamedByOwnId { get; init; } = new HashSet<Guid>();

    /// <summary>Applies some espaces, already checked.</summary>
    /// <param name="espaces">The espaces, each once.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<ImportEspacesResponse> ApplyAsync(IReadOnlyCollection<EspaceImport> espaces, CancellationToken ct)
    {
        var rows = await LoadAsync(espaces, ct);
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
                db.Espaces.Add(row);
                edits.Add(row, EspaceEdit.New(row));
            }
            Apply(row, gestionnaire, import, declared);
            imported.Add(row, import);
        }
        return Conclude(edits, imported, gestionnaires.Values);
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
            db.Publish(row.ToEvent(now));
        }
        (row.Name, row.Siret, row.LegalForm, row.Federation) = (import.Name, import.Siret, import.LegalForm, import.Federation);
        if (!KeepsContacts)
            EspaceParts.Merge(row.Contacts, import.Contacts, c => c.ExternalId, (c, _) => c.ExternalId,
                (c, _) => new ContactRow { OrganisationId = id, ExternalId = c.ExternalId, Email = c.Email, Role = c.Role },
                (existing, c, _) => (existing.Email, existing.Role) = (c.Email, c.Role));
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
        (row.Name, row.Departement, row.Fictive, row.State, row.AlertText) =
            (import.Name, import.Departement, import.Fictive, import.State, import.AlertText);
        EspaceParts.Apply(row, import.Agrements.Select(a => AsHeld(row, a)).ToList());
        EspaceParts.Apply(row, import.Lieux, geography);
        EspaceParts.Apply(row, import.Modalites, removeOthers: true);
        EspaceParts.Apply(row, import.Accueil);
        EspaceParts.Apply(row, import.Ouvertures);
        EspaceParts.Apply(row, import.Fermetures);
        foreach (var offered in import.Modalites.Where(m => m.DeclaredWait is not null))
        {
            var wait = offered.DeclaredWait.ToDomain();
            var held = row.Modalites.Single(m => m.Modalite == offered.Modalite);
            if (!declared.Add((row.Id, offered.Modalite, wait)) || held.Wait == wait)
                continue;
            held.Declare(wait, FigureSource.Imported);
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

    /// <summary>
    /// The agrément as it is held, when the source says what reading shows of it: a file on which the préfet was silent is shown
    /// as granted, and a withdrawal ahead as granted until its day.
    /// </summary>
    private Agrement AsHeld(EspaceRow row, Agrement said) => row.Agrements.Select(GroupDocuments.ToDocument)
        .FirstOrDefault(held => held.Clone().OnDay(_today).Equals(said)) ?? said;
}
