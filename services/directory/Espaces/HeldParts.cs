using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>
/// What is held of an espace, for the checks: what comes back as it stands was checked when it was said, and is not refused
/// for what time has made of it since.
/// </summary>
internal sealed class HeldParts
{
    private readonly List<(Proto.Agrement Held, Proto.Agrement[] Shown)> _agrements;
    private readonly HashSet<(string ExternalId, string CommuneInsee)> _lieux;
    private readonly List<Ouverture> _ouvertures;
    private readonly string _departement;

    private HeldParts(string departement, IEnumerable<Proto.Agrement> agrements, IEnumerable<LieuRow> lieux, IEnumerable<Ouverture> ouvertures, Func<Proto.Agrement, IEnumerable<DateOnly>> days)
    {
        _agrements = [.. agrements.Select(a => (a, days(a).Select(day => a.Clone().OnDay(day)).Distinct().ToArray()))];
        _lieux = [.. lieux.Select(l => (l.ExternalId, l.CommuneInsee))];
        _ouvertures = [.. ouvertures];
        _departement = departement;
    }

    /// <summary>Nothing is held: the espace is new.</summary>
    public static HeldParts None { get; } = new("", [], [], [], _ => []);

    /// <summary>What is held of an espace.</summary>
    /// <param name="row">The espace with agréments, lieux and schedule.</param>
    /// <param name="today">Today in Paris, for agréments as they are shown.</param>
    /// <param name="readOn">Etag with which it was read: while it is still that, an agrément also as it was shown on an earlier day.</param>
    public static HeldParts Of(EspaceRow row, DateOnly today, string readOn = "") => new(
        row.Departement, row.Agrements.OrderBy(a => a.Position).Select(GroupDocuments.ToDocument), row.Lieux, row.Ouvertures.Select(GroupDocuments.ToDocument),
        agrement => readOn == row.Version.ToEtag() ? Turns(agrement, today) : [today]);

    /// <summary>What is held of espaces that are imported, by their ids.</summary>
    public static async Task<Dictionary<Guid, HeldParts>> LoadAsync(
        DirectoryDbContext db, IReadOnlyCollection<EspaceImport> espaces, Func<EspaceImport, Guid> idOf, DateOnly today, CancellationToken ct)
    {
        var etags = espaces.GroupBy(idOf).ToDictionary(e => e.Key, e => e.First().Etag);
        var wanted = etags.Keys.ToArray();
        var rows = await db.Espaces.AsNoTracking().AsSplitQuery()
            .Include(e => e.Agrements).Include(e => e.Lieux).Include(e => e.Ouvertures).Where(e => wanted.Contains(e.Id)).ToListAsync(ct);
        return rows.ToDictionary(e => e.Id, e => Of(e, today, etags[e.Id]));
    }

    /// <summary>What of it may stay when the espace is said to be of a département: of another one, everything is said anew.</summary>
    public HeldParts Within(string departement) => departement == _departement ? this : None;

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
                var at = found[i] is null ? free.FindIndex(a => exactly ? a.Held.Equals(said[i]) : a.Shown.Contains(said[i])) : -1;
                if (at < 0)
                    continue;
                found[i] = free[at].Held;
                free.RemoveAt(at);
            }
        }
        return found;
    }

    // Today, and the days up to today on which what is shown of an agrément may have changed.
    private static IEnumerable<DateOnly> Turns(Proto.Agrement agrement, DateOnly today)
    {
        var held = ImportChecks.ToDomain(agrement);
        DateOnly?[] days = [held.RequestDate, held.GrantedBySilenceOn, held.Validity?.From, held.DecisionDate, held.EndDate, DateOnly.MinValue];
        return days.OfType<DateOnly>().Where(day => day < today).Append(today);
    }

    /// <summary>Whether a lieu is held in the same commune.</summary>
    public bool Has(Lieu lieu) => _lieux.Contains((lieu.ExternalId, lieu.CommuneInsee));

    /// <summary>Whether an opening is held as it is said.</summary>
    public bool Has(Ouverture ouverture) => _ouvertures.Contains(ouverture);
}
