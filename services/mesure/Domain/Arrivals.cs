using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Mesures.Domain;

/// <summary>When each side would come and leave, as the decision or the espace wishes it, in minutes.</summary>
/// <param name="HoteArrival">The hôte comes, from the start on; negative before it.</param>
/// <param name="HoteDeparture">The hôte leaves with the child, from the end on; negative before it.</param>
/// <param name="VisiteurArrival">The visiteur comes, from the start on.</param>
/// <param name="VisiteurDeparture">The visiteur leaves, from the end on.</param>
internal readonly record struct PartyOffsets(int HoteArrival, int HoteDeparture, int VisiteurArrival, int VisiteurDeparture)
{
    /// <summary>What the parties of a mesure wish; a party that is not named comes at the start and leaves at the end.</summary>
    public static PartyOffsets Of(IReadOnlyCollection<Party> parties)
    {
        var (hote, visiteur) = (parties.FirstOrDefault(p => p.Role == PartyRole.Hote), parties.FirstOrDefault(p => p.Role == PartyRole.Visiteur));
        return new PartyOffsets(
            hote?.ArrivalOffsetMinutes ?? 0, hote?.DepartureOffsetMinutes ?? 0, visiteur?.ArrivalOffsetMinutes ?? 0, visiteur?.DepartureOffsetMinutes ?? 0);
    }
}

/// <summary>
/// When each side comes, in minutes from the start of a rencontre, and leaves, in minutes from its end. Whoever comes first has
/// left the entrance before the other comes, and the reverse at the end.
/// </summary>
internal sealed record Arrivals
{
    /// <summary>Minutes between two sides that must not meet.</summary>
    public const int Separation = 15;

    /// <summary>Both at the start and at the end.</summary>
    public static readonly Arrivals Together = new();

    public int HoteArrival { get; init; }

    public int VisiteurArrival { get; init; }

    public int VisiteurDeparture { get; init; }

    public int HoteDeparture { get; init; }

    /// <summary>Whether the two sides must not meet.</summary>
    public bool Separated { get; init; }

    /// <summary>Minutes before the start at which the first of them comes.</summary>
    public int Before => -Math.Min(0, Math.Min(HoteArrival, VisiteurArrival));

    /// <summary>Minutes after the end at which the last of them leaves.</summary>
    public int After => Math.Max(0, Math.Max(HoteDeparture, VisiteurDeparture));

    /// <summary>
    /// Whether the two sides must not meet: violence that the judge keeps, an interdiction de contact, or an ordonnance de
    /// protection (C. civ. 515-11).
    /// </summary>
    public static bool MustBeSeparated(Decision decision) => MustBeSeparated(decision.InterdictionDeContact, decision.LegalBasis, decision.Situations);

    /// <summary>The same of the terms that say it.</summary>
    public static bool MustBeSeparated(bool interdictionDeContact, LegalBasis basis, IEnumerable<SituationParticuliere> situations) =>
        interdictionDeContact || basis == LegalBasis.Article51511 || situations.Contains(SituationParticuliere.ViolencesIntrafamiliales);

    /// <summary>
    /// The offsets wished, moved apart where the sides must not meet: whoever comes first comes earlier, whoever leaves last
    /// leaves later. Where both wish the same, the hôte comes first and leaves last, with the child.
    /// </summary>
    public static Arrivals Of(PartyOffsets wished, bool separated)
    {
        var (hoteIn, visiteurIn, visiteurOut, hoteOut) = (wished.HoteArrival, wished.VisiteurArrival, wished.VisiteurDeparture, wished.HoteDeparture);
        if (separated)
        {
            (hoteIn, visiteurIn) = hoteIn <= visiteurIn
                ? (Math.Min(hoteIn, visiteurIn - Separation), visiteurIn)
                : (hoteIn, Math.Min(visiteurIn, hoteIn - Separation));
            (visiteurOut, hoteOut) = visiteurOut <= hoteOut
                ? (visiteurOut, Math.Max(hoteOut, visiteurOut + Separation))
                : (Math.Max(visiteurOut, hoteOut + Separation), hoteOut);
        }

        return new Arrivals { HoteArrival = hoteIn, VisiteurArrival = visiteurIn, VisiteurDeparture = visiteurOut, HoteDeparture = hoteOut, Separated = separated };
    }
}
