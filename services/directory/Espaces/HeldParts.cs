using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Microsoft.EntityFrameworkCore;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>
/// What is held of an espace, for the checks: what comes back as it stands was checked when it was said, and is not refused
/// for what time has made of it since.
/// </summary>
internal sealed class HeldParts
{
    private readonly List<(Proto.Agrement Held, Proto.Agrement Shown)> _agrements;
    private readonly HashSet<(string ExternalId, string CommuneInsee)> _lieux;
    private readonly List<Ouverture> _ouvertures;

    private HeldParts(IEnumerable<Proto.Agrement> agrements, IEnumerable<LieuRow> lieux, IEnumerable<Ouverture> ouvertures, DateOnly today)
    {
        _agrements = [.. agrements.Select(a => (a, a.Clone().OnDay(today)))];
        _lieux = [.. lieux.Select(l => (l.ExternalId, l.CommuneInsee))];
        _ouvertures = [.. ouvertures];
    }

    /// <summary>Nothing is held: the espace is new.</summary>
    public static HeldParts None { get; } = new([], [], [], default);

    /// <summary>What is held of an espace.</summary>
    /// <param name="row">The espace with agréments, lieux and schedule.</param>
    /// <param name="today">Today in Paris, for agréments as they are shown.</param>
    public static HeldParts Of(EspaceRow row, DateOnly today) => new(
        row.Agrements.OrderBy(a => a.Position).Select(GroupDocuments.ToDocument), row.Lieux, row.Ouvertures.Select(GroupDocuments.ToDocument), today);

    /// <summary>What is held of some espaces, by their ids.</summary>
    public static async Task<Dictionary<Guid, HeldParts>> LoadAsync(DirectoryDbContext db, IEnumerable<Guid> ids, DateOnly today, CancellationToken ct)
    {
        var wanted = ids.ToArray();
        var rows = await db.Espaces.AsNoTracking().AsSplitQuery()
            .Include(e => e.Agrements).Include(e => e.Lieux).Include(e => e.Ouvertures).Where(e => wanted.Contains(e.Id)).ToListAsync(ct);
        return rows.ToDictionary(e => e.Id, e => Of(e, today));
    }

    /// <summary>The agréments held, the latest first.</summary>
    public IEnumerable<Proto.Agrement> Agrements => _agrements.Select(a => a.Held);

    /// <summary>
    /// The agrément held for each that is said, whether as it was recorded or as reading shows it: silence grants a file, a
    /// withdrawal ahead is shown as granted. Each is found once, so that two that look alike stay two; null for what is new.
    /// </summary>
    public IReadOnlyList<Proto.Agrement?> Find(IReadOnlyList<Proto.Agrement> said)
    {
        var (found, free) = (new Proto.Agrement?[said.Count], _agrements.ToList());
        foreach (var exactly in new[] { false, true })
        {
            for (var i = 0; i < said.Count; i++)
            {
                var at = found[i] is null ? free.FindIndex(a => (exactly ? a.Held : a.Shown).Equals(said[i])) : -1;
                if (at < 0)
                    continue;
                found[i] = free[at].Held;
                free.RemoveAt(at);
            }
        }
        return found;
    }

    /// <summary>Whether a lieu is held in the same commune.</summary>
    public bool Has(Lieu lieu) => _lieux.Contains((lieu.ExternalId, lieu.CommuneInsee));

    /// <summary>Whether an opening is held as it is said.</summary>
    public bool Has(Ouverture ouverture) => _ouvertures.Contains(ouverture);
}
