using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Time;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>Which mesures stand on which worklist, and whose worklists they are.</summary>
internal static class Worklists
{
    /// <summary>Days after the decision from which a mesure without a rencontre held is listed, where nobody says otherwise.</summary>
    public const int NoVisitAfterDays = 90;

    private static readonly TimeSpan s_deliveryWarning = TimeSpan.FromHours(12);

    /// <summary>The worklists of a role, in the order in which work comes.</summary>
    public static IReadOnlyList<Worklist> Of(string role) => role switch
    {
        Roles.Juridiction =>
        [
            Worklist.DangersNonSignales, Worklist.DifficultesEscaladees, Worklist.DifficultesAAccuser, Worklist.DifficultesARepondre, Worklist.PrecisionDemandee, Worklist.ACompleter,
            Worklist.ATransmettre, Worklist.NonDelivree, Worklist.NonConsultee, Worklist.SansContact, Worklist.ExpireAvantRencontre, Worklist.SansPremiereRencontre, Worklist.TermeProche,
            Worklist.EnRetard,
        ],
        Roles.Espace =>
        [
            Worklist.DangersNonSignales, Worklist.AAccuserReception, Worklist.APrendreEnCharge, Worklist.AContacter, Worklist.AProgrammer, Worklist.IssueManquante, Worklist.SansContact,
            Worklist.ExpireAvantRencontre, Worklist.SansPremiereRencontre, Worklist.TermeProche, Worklist.EnRetard,
        ],
        _ =>
        [
            Worklist.DangersNonSignales, Worklist.DifficultesEscaladees, Worklist.DifficultesAAccuser, Worklist.NonDelivree, Worklist.NonConsultee, Worklist.SansContact,
            Worklist.ExpireAvantRencontre, Worklist.SansPremiereRencontre, Worklist.IssueManquante, Worklist.TermeProche, Worklist.EnRetard,
        ],
    };

    /// <summary>
    /// The mesures that a caller holds: those that their court ordered, or those of their espaces; those that the judge has moved
    /// elsewhere only where the access table says so.
    /// </summary>
    public static IQueryable<Mesure> HeldBy(this IQueryable<Mesure> mesures, Caller caller)
    {
        if (caller.Role == Roles.Juridiction)
        {
            return mesures.Where(m => m.JuridictionId == caller.OrganisationId);
        }

        var ofTheirEspaces = mesures.Where(m => m.GestionnaireId == caller.OrganisationId);
        return caller.Cell.Admits(Relations.FormerHolder) ? ofTheirEspaces : ofTheirEspaces.Where(m => m.ClosureReason != ClosureReason.Transfert);
    }

    /// <summary>The mesures whose espace lies in a territory, or whose court sits there.</summary>
    /// <param name="mesures">The mesures.</param>
    /// <param name="territory">The territory; null for the whole nation.</param>
    public static IQueryable<Mesure> LyingIn(this IQueryable<Mesure> mesures, CallerTerritory? territory)
    {
        if (territory is null)
        {
            return mesures;
        }

        Guid[] espaces = [.. territory.EspaceIds];
        Guid[] courts = [.. territory.OrganisationIds];
        return mesures.Where(m => espaces.Contains(m.EspaceId!.Value) || courts.Contains(m.JuridictionId!.Value));
    }

    /// <summary>Mesures that are not closed: only they are in the indexes of worklists.</summary>
    public static IQueryable<Mesure> Open(IQueryable<Mesure> mesures) => mesures.Where(m => m.Status.State != MesureState.Cloturee);

    /// <summary>The mesures of a worklist; all, closed ones included, for none.</summary>
    /// <param name="db">The context.</param>
    /// <param name="mesures">Those that the caller may see.</param>
    /// <param name="worklist">The worklist.</param>
    /// <param name="clock">Time.</param>
    /// <param name="noVisitAfterDays">See <see cref="NoVisitAfterDays"/>.</param>
    public static IQueryable<Mesure> Filter(
        MesuresDbContext db, IQueryable<Mesure> mesures, Worklist worklist, TimeProvider clock, int noVisitAfterDays = NoVisitAfterDays)
    {
        var now = clock.GetUtcNow();
        var today = clock.TodayInParis();
        return worklist == Worklist.Unspecified ? mesures : worklist switch
        {
            Worklist.ACompleter => Open(mesures).Where(m => m.Status.State == MesureState.Ordonnee),
            Worklist.ATransmettre => Open(mesures).Where(m => m.Status.State == MesureState.Completee),
            Worklist.PrecisionDemandee => Open(mesures).Where(m => m.Status.State == MesureState.PrecisionDemandee),
            Worklist.Difficultes => Open(mesures).Where(m => m.Status.OpenDifficulties > 0),
            Worklist.AAccuserReception => Open(mesures).Where(m => m.Status.State == MesureState.Transmise),
            Worklist.APrendreEnCharge => Open(mesures).Where(m => m.Status.State == MesureState.Recue),
            // A family that has a date need not be called; once that has passed and nothing was recorded, it must.
            Worklist.AContacter => Open(mesures).Where(m => m.Status.State == MesureState.PriseEnCharge
                && (m.Status.InterviewBookedAt == null || !db.Interviews.Any(i => i.MesureId == m.Id && i.State == InterviewState.Booked && i.StartsAt > now))),
            Worklist.AProgrammer => Open(mesures).Where(m => m.Status.State == MesureState.EnAttente || (m.Status.State == MesureState.EnCours && m.Status.PendingRencontres == 0)),
            Worklist.IssueManquante => Open(mesures).Where(m => m.NextRencontreAt <= now),
            Worklist.NonDelivree => Open(mesures).Where(m =>
                m.Status.State == MesureState.Transmise && m.Status.DeliveredAt == null && m.Status.RetrievedAt == null && m.Status.TransmittedAt <= now - s_deliveryWarning
                && (m.Status.HolderRecordedAt == null || m.Status.HolderRecordedAt <= now - s_deliveryWarning)),
            // The one list on which closed mesures stand.
            Worklist.DangersNonSignales => mesures.Where(m => m.Status.DangersUntold > 0),
            Worklist.NonConsultee => Past(DeadlineKind.Retrieval),
            Worklist.DifficultesAAccuser => Difficult(DifficultyState.Open),
            Worklist.DifficultesARepondre => Difficult(DifficultyState.Acknowledged),
            Worklist.DifficultesEscaladees => Past(DeadlineKind.EscalateDifficulty),
            Worklist.SansPremiereRencontre => Open(mesures).Where(m => m.Status.FirstHeldRencontreAt == null && m.Decision.Date <= today.AddDays(-noVisitAfterDays)),
            Worklist.TermeProche => Open(mesures).Where(m => m.Status.TransmittedAt != null && m.Term <= today.AddMonths(2)),
            Worklist.SansContact => Past(DeadlineKind.ContactDeadline),
            Worklist.ExpireAvantRencontre => Past(DeadlineKind.ExpiresBeforeVisit),
            Worklist.EnRetard => Open(mesures).Where(m => m.NextDueAt <= now),
            _ => throw new ArgumentOutOfRangeException(nameof(worklist)),
        };

        // What is past is the next deadline or a later one: the test on the mesure spares the look at the others.
        IQueryable<Mesure> Past(DeadlineKind kind) =>
            Open(mesures).Where(m => m.NextDueAt <= now && db.Deadlines.Any(d => d.MesureId == m.Id && d.Kind == kind && d.DueAt <= now));

        IQueryable<Mesure> Difficult(DifficultyState state) =>
            Open(mesures).Where(m => m.Status.OpenDifficulties > 0 && db.Difficulties.Any(d => d.MesureId == m.Id && d.State == state));
    }
}
