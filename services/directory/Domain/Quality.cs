using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Domain;

/// <summary>
/// How good the description of an espace is. Each part gives the share of its points that what it looks at deserves, rounded
/// down; the parts' points sum to 100. An espace without an open modalité loses nothing by what only open ones need.
/// </summary>
internal static class Quality
{
    /// <summary>Points of each part for a perfect description.</summary>
    public static readonly IReadOnlyList<(QualityCriterion Criterion, int Points)> Parts =
    [
        (QualityCriterion.WaitsFresh, 20),
        (QualityCriterion.CapacityFresh, 20),
        (QualityCriterion.RestFresh, 10),
        (QualityCriterion.Schedule, 10),
        (QualityCriterion.Access, 10),
        (QualityCriterion.Reception, 10),
        (QualityCriterion.Contact, 10),
        (QualityCriterion.Agrement, 10),
    ];

    /// <summary>The score of an espace.</summary>
    /// <param name="espace">The espace as it is sent: provenance, staleness and slots of the schedule are in it.</param>
    /// <param name="hasFollowUpContact">Whether a contact follows mesures.</param>
    /// <param name="validUntil">Last day of its present agréments; the last day of the calendar without term, null when none is valid.</param>
    /// <param name="day">The day of reading.</param>
    public static QualityScore Of(Espace espace, bool hasFollowUpContact, DateOnly? validUntil, DateOnly day)
    {
        var open = espace.Modalites.Where(m => m.State is ModaliteState.Ouverte or ModaliteState.Limitee or ModaliteState.ListeAttente).ToList();
        var score = new QualityScore();
        foreach (var (criterion, points) in Parts)
        {
            var share = criterion switch
            {
                QualityCriterion.WaitsFresh => Share(open, m => m.DeclaredWait is { Stale: false }),
                QualityCriterion.CapacityFresh => Share(open, m => espace.Provenances.Any(p => p.Group == EspaceGroup.Modalite && p.Key == m.Modalite.ToCode() && !p.Stale)),
                QualityCriterion.RestFresh => Share([.. espace.Provenances.Where(p => p.Group is not (EspaceGroup.Modalite or EspaceGroup.Attente))], p => !p.Stale),
                QualityCriterion.Schedule => Share(open, m => m.ScheduledSlotsPerWeek > 0),
                QualityCriterion.Access => Share(espace.Lieux, l => l is { Latitude: not 0, Dessertes.Count: > 0 } && (l.WheelchairAccessible || l.Accessibilites.Count > 0)),
                QualityCriterion.Reception => Share([espace.Accueil is { Entretiens.Count: > 0 }, espace.Accueil?.Reglement is not null, .. open.Select(m => m is { Periodicities.Count: > 0, MaxRencontreMinutes: > 0 })], said => said),
                QualityCriterion.Contact => hasFollowUpContact ? 1 : 0,
                QualityCriterion.Agrement => validUntil >= SameDayNextYear(day) ? 1 : validUntil >= day ? 0.5 : 0,
                _ => 0,
            };
            var given = (int)(share * points);
            score.Parts.Add(new QualityPart { Criterion = criterion, Points = given, MaxPoints = points });
            score.Score += given;
        }
        return score;
    }

    private static DateOnly SameDayNextYear(DateOnly day) => ServiceDefaults.Time.LocalClock.SameDayAfter(day, 12);

    private static double Share<T>(IReadOnlyCollection<T> all, Func<T, bool> good) => all.Count == 0 ? 1 : (double)all.Count(good) / all.Count;
}
