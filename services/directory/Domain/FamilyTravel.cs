namespace Jafer.Directory.Domain;

/// <summary>Both parents' ways to all communes that hold a lieu, and how they weigh against waiting.</summary>
/// <param name="Hote">Ways of the hôte; null when their commune is not given.</param>
/// <param name="Visiteur">Ways of the visiteur; null when their commune is not given.</param>
/// <param name="DaysPerTravelHour">Days of waiting that count as one hour more of travel of both together.</param>
/// <param name="WaitCounts">False to look at travel alone.</param>
/// <param name="UnknownWait">Days that stand in for a wait of which nothing is known; not below <see cref="Wait.UnknownDays"/>, on which bounds rely.</param>
internal readonly record struct FamilyTravel(
    WaysFrom? Hote, WaysFrom? Visiteur, double DaysPerTravelHour, bool WaitCounts = true, int UnknownWait = Wait.UnknownDays)
{
    /// <summary>What the ways to a lieu cost.</summary>
    public (int Unreachable, long Cost) CostTo(LieuFacts lieu) => Ranking.TravelCost(Hote?[lieu.Commune], Visiteur?[lieu.Commune], DaysPerTravelHour);

    /// <summary>The place of an offer, by the suitable lieu that costs least; of equals the first one.</summary>
    /// <param name="offer">The offer.</param>
    /// <param name="suitable">The lieux to choose from, one bit each; at least one.</param>
    /// <param name="needs">Says today and the day from which waiting counts.</param>
    public RankedOffer Rank(Offer offer, ulong suitable, MesureNeeds needs)
    {
        RankedOffer? best = null;
        for (var lieu = 0; lieu < offer.Espace.Lieux.Length; lieu++)
        {
            if ((suitable >> lieu & 1) == 0)
                continue;
            var days = WaitCounts ? offer.FirstRencontre(lieu, needs, UnknownWait).DayNumber - needs.From.DayNumber + offer.LoadDaysOn(needs.Today) : 0;
            var key = Ranking.Key(CostTo(offer.Espace.Lieux[lieu]), days, offer.Espace.Id);
            if (best is not { } known || key < known.Key)
                best = new(key, offer, lieu);
        }
        return best ?? throw new ArgumentOutOfRangeException(nameof(suitable), suitable, "There must be a lieu to choose.");
    }
}

/// <summary>An offer with its place.</summary>
/// <param name="Key">Its place.</param>
/// <param name="Offer">The offer.</param>
/// <param name="Lieu">Position of the lieu that suits best.</param>
internal readonly record struct RankedOffer(RankKey Key, Offer Offer, int Lieu);
