using Jafer.Contracts.Mesure.V1;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>Which mesures stand on which worklist.</summary>
internal static class Worklists
{
    public static IQueryable<Mesure> Filter(IQueryable<Mesure> mesures, Worklist worklist, DateTimeOffset now) => worklist switch
    {
        Worklist.ACompleter => mesures.Where(m => m.Status.State == MesureState.Ordonnee),
        Worklist.ATransmettre => mesures.Where(m => m.Status.State == MesureState.Completee),
        Worklist.PrecisionDemandee => mesures.Where(m => m.Status.State == MesureState.PrecisionDemandee),
        Worklist.Difficultes => mesures.Where(m => m.Status.OpenDifficulties > 0),
        Worklist.AAccuserReception => mesures.Where(m => m.Status.State == MesureState.Transmise),
        Worklist.APrendreEnCharge => mesures.Where(m => m.Status.State == MesureState.Recue),
        Worklist.AContacter => mesures.Where(m => m.Status.State == MesureState.PriseEnCharge),
        Worklist.AProgrammer => mesures.Where(m => m.Status.State == MesureState.EnAttente || (m.Status.State == MesureState.EnCours && m.Status.PendingRencontres == 0)),
        Worklist.IssueManquante => mesures.Where(m => m.NextRencontreAt <= now),
        _ => mesures,
    };
}
