using System.Collections.Frozen;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Search;

/// <summary>All espaces as they stood at one revision of the directory. Immutable: a change makes a new snapshot.</summary>
internal sealed class Snapshot
{
    private readonly FrozenDictionary<Modalite, Offer[]> _offers;

    private Snapshot(Geography geography, long revision, FrozenDictionary<Guid, SearchedEspace> espaces)
    {
        Geography = geography;
        Revision = revision;
        Espaces = espaces;
        _offers = espaces.Values.SelectMany(e => e.Offers).GroupBy(o => o.Key, o => o.Value)
            .ToFrozenDictionary(g => g.Key, g => g.ToArray());
    }

    /// <summary>The reference data.</summary>
    public Geography Geography { get; }

    /// <summary>The revision whose changes are all in.</summary>
    public long Revision { get; }

    /// <summary>The espaces by id.</summary>
    public FrozenDictionary<Guid, SearchedEspace> Espaces { get; }

    /// <summary>The snapshot before anything is read.</summary>
    public static Snapshot Empty(Geography geography) => new(geography, -1, FrozenDictionary<Guid, SearchedEspace>.Empty);

    /// <summary>All offers of a modalité.</summary>
    public ReadOnlySpan<Offer> OffersOf(Modalite modalite) => _offers.GetValueOrDefault(modalite);

    /// <summary>The snapshot with changed espaces.</summary>
    /// <param name="revision">Revision at which they were read.</param>
    /// <param name="changed">Every espace changed since <see cref="Revision"/>.</param>
    public Snapshot With(long revision, IReadOnlyCollection<EspaceRow> changed)
    {
        var espaces = new Dictionary<Guid, SearchedEspace>(Espaces);
        foreach (var row in changed)
            espaces[row.Id] = SearchedEspace.From(row, Geography);
        return new Snapshot(Geography, revision, espaces.ToFrozenDictionary());
    }
}

/// <summary>An espace as searches see it, with the parts of the answer that are the same for every caller made once.</summary>
/// <param name="Id">The id as it is sent.</param>
/// <param name="Name">Name.</param>
/// <param name="Fictive">True when it is invented.</param>
/// <param name="AlertText">Text for whoever designates it.</param>
/// <param name="Periods">Periods in which it may be designated.</param>
/// <param name="Lieux">Its lieux as they are sent; shared between answers, never changed.</param>
/// <param name="Offers">What it offers, by modalité.</param>
internal sealed record SearchedEspace(
    string Id, string Name, bool Fictive, string AlertText, Period[] Periods, Lieu[] Lieux, IReadOnlyDictionary<Modalite, Offer> Offers)
{
    /// <summary>The espace of a row loaded with all that belongs to it.</summary>
    public static SearchedEspace From(EspaceRow row, Geography geography)
    {
        Period[] periods = [.. row.Agrements.Select(a => a.ToDomain().Validity).OfType<Period>()];
        var lieux = row.Lieux.OrderBy(l => l.Position).ToArray();
        int[] communes = [.. lieux.Select(l => geography.Travel.NumberOf(l.CommuneInsee))];
        return new SearchedEspace(
            row.Id.ToString(), row.Name, row.Fictive, row.AlertText, periods,
            [.. lieux.Select(l => l.ToProto(geography))],
            row.Modalites.ToDictionary(m => m.Modalite, m => new Offer
            {
                EspaceId = row.Id,
                Departement = row.Departement,
                EspaceState = row.State,
                Periods = periods,
                LieuCommunes = communes,
                State = m.State,
                MinAge = m.MinAge,
                MaxAge = m.MaxAge,
                Situations = Bits(m.AcceptedSituations.Select(ProtoConversions.FromCode<SituationParticuliere>)),
                ProtectionOrder = m.ProtectionOrderAccepted,
                Wait = m.Wait,
                WaitSource = m.WaitSource ?? FigureSource.Unspecified,
            }));
    }

    /// <summary>Particular situations, one bit each.</summary>
    public static uint Bits(IEnumerable<SituationParticuliere> situations) => situations.Aggregate(0u, (bits, s) => bits | 1u << (int)s);
}
