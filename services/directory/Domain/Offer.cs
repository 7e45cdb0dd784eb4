using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Domain;

/// <summary>An espace and one modalité that it offers, with all that a search looks at. Immutable.</summary>
internal sealed class Offer
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>Code of its département.</summary>
    public required string Departement { get; init; }

    /// <summary>Whether the espace receives mesures.</summary>
    public required EspaceState EspaceState { get; init; }

    /// <summary>Periods in which it may be designated.</summary>
    public required Period[] Periods { get; init; }

    /// <summary>Numbers of the communes of its lieux, as <see cref="TravelCache"/> gave them; at least one.</summary>
    public required int[] LieuCommunes { get; init; }

    /// <summary>Whether new mesures of the modalité are taken.</summary>
    public required ModaliteState State { get; init; }

    /// <summary>Youngest age received, in years.</summary>
    public required int MinAge { get; init; }

    /// <summary>Oldest age received, in years.</summary>
    public required int MaxAge { get; init; }

    /// <summary>Particular situations that are received, one bit each.</summary>
    public required uint Situations { get; init; }

    /// <summary>Whether families under an ordonnance de protection are received.</summary>
    public required bool ProtectionOrder { get; init; }

    /// <summary>The wait last declared.</summary>
    public required Wait? Wait { get; init; }

    /// <summary>How that wait came.</summary>
    public required FigureSource WaitSource { get; init; }

    /// <summary>True when the espace may be designated for the mesure and takes it.</summary>
    public bool Takes(in MesureNeeds needs)
    {
        if (EspaceState != EspaceState.Ouvert || State is not (ModaliteState.Ouverte or ModaliteState.Limitee or ModaliteState.ListeAttente))
            return false;
        if (needs.YoungestAge < MinAge || needs.OldestAge > MaxAge || (needs.Situations & ~Situations) != 0 || (needs.ProtectionOrder && !ProtectionOrder))
            return false;
        foreach (var period in Periods)
        {
            if (period.Contains(needs.Decision))
                return true;
        }
        return false;
    }
}

/// <summary>What a mesure asks of an espace.</summary>
/// <param name="YoungestAge">Youngest child in years; null when ages do not restrict.</param>
/// <param name="OldestAge">Oldest child in years; null when ages do not restrict.</param>
/// <param name="Situations">Particular situations, one bit each.</param>
/// <param name="ProtectionOrder">Whether an ordonnance de protection is in force.</param>
/// <param name="Decision">Date of the decision, on which the agrément must be valid.</param>
internal readonly record struct MesureNeeds(int? YoungestAge, int? OldestAge, uint Situations, bool ProtectionOrder, DateOnly Decision);

/// <summary>Both parents' ways to all communes that hold a lieu, and how they weigh against waiting.</summary>
/// <param name="Hote">Ways of the hôte, by number of commune; null when their commune is not given.</param>
/// <param name="Visiteur">Ways of the visiteur; null when their commune is not given.</param>
/// <param name="DaysPerTravelHour">Days of waiting that count as one hour more of travel of both together.</param>
internal readonly record struct FamilyTravel(Travel[]? Hote, Travel[]? Visiteur, double DaysPerTravelHour)
{
    /// <summary>The lieu that suits both parents best: its position in the offer, and what it costs. The first one of equals.</summary>
    public (int Lieu, (int Unreachable, long Cost) Cost) Best(int[] lieuCommunes)
    {
        var best = (Lieu: 0, Cost: CostOf(lieuCommunes[0]));
        for (var i = 1; i < lieuCommunes.Length; i++)
        {
            var cost = CostOf(lieuCommunes[i]);
            if (cost.CompareTo(best.Cost) < 0)
                best = (i, cost);
        }
        return best;
    }

    private (int Unreachable, long Cost) CostOf(int commune) =>
        Ranking.TravelCost(Hote?[commune], Visiteur?[commune], DaysPerTravelHour);
}

/// <summary>An offer with its place.</summary>
/// <param name="Key">Its place.</param>
/// <param name="Offer">The offer.</param>
/// <param name="Lieu">Position of the lieu that suits best.</param>
internal readonly record struct RankedOffer(RankKey Key, Offer Offer, int Lieu)
{
    private static readonly Comparer<RankKey> s_worstFirst = Comparer<RankKey>.Create((a, b) => b.CompareTo(a));

    /// <summary>The best offers after a place, in order, and how many match in all.</summary>
    /// <param name="offers">Offers of the modalité, in any order.</param>
    /// <param name="needs">What the mesure asks.</param>
    /// <param name="travel">Travel of the parents.</param>
    /// <param name="after">Place of the last offer of the page before; null for the first page.</param>
    /// <param name="count">Offers wanted.</param>
    public static (RankedOffer[] Page, int Total) Find(
        ReadOnlySpan<Offer> offers, in MesureNeeds needs, in FamilyTravel travel, RankKey? after, int count)
    {
        var total = 0;
        var best = new PriorityQueue<RankedOffer, RankKey>(count + 1, s_worstFirst);
        foreach (var offer in offers)
        {
            if (!offer.Takes(needs))
                continue;
            total++;
            var (lieu, cost) = travel.Best(offer.LieuCommunes);
            var key = Ranking.Key(cost, offer.Wait, offer.EspaceId);
            if (key <= after)
                continue;
            if (best.Count < count)
                best.Enqueue(new(key, offer, lieu), key);
            else if (key < best.Peek().Key)
                best.EnqueueDequeue(new(key, offer, lieu), key);
        }
        var page = new RankedOffer[best.Count];
        for (var i = page.Length - 1; i >= 0; i--)
            page[i] = best.Dequeue();
        return (page, total);
    }
}
