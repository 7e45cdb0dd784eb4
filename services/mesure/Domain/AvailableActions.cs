using Google.Protobuf.Reflection;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// What can be done next with a mesure, as data: the acts of each rpc, and what must hold beside the table of transitions. Whether
/// the caller's role may call the rpc is the access table's affair.
/// </summary>
internal static class AvailableActions
{
    // A reading, and a slot that is held or let go, is no act of the history: what must hold says it alone.
    private static readonly (string Rpc, MesureAct[] Acts, Func<Asked, bool> Holds)[] s_rpcs =
    [
        ("UpdateMesure", [MesureAct.Update], _ => true),
        ("CompleteMesure", [MesureAct.Complete], _ => true),
        ("TransmitMesure", [MesureAct.Transmit], a => a.Mesure.Decision.Rendered),
        ("AcknowledgeMesure", [MesureAct.Acknowledge], _ => true),
        ("RequestInformation", [MesureAct.RequestInformation], a => a.Judicial),
        ("ProvideInformation", [MesureAct.ProvideInformation], _ => true),
        ("TakeCharge", [MesureAct.TakeCharge], _ => true),
        ("RecordContact", [MesureAct.ContactReached, MesureAct.ContactAttempted], _ => true),
        ("RecordInterview", [MesureAct.Interview], _ => true),
        ("ScheduleRencontre", [MesureAct.ScheduleRencontre], a => a.WithinTheTerm),
        ("RecordRencontreOutcome", [MesureAct.RencontreHeld, MesureAct.RencontreNotHeld], a => a.Scheduled.Any()),
        ("SuspendMesure", [MesureAct.Suspend], _ => true),
        ("ResumeMesure", [MesureAct.Resume], _ => true),
        ("ReportDifficulty", [MesureAct.ReportDifficulty], _ => true),
        ("ProposeClosure", [MesureAct.ProposeClosure], a => a.Judicial && !a.Mesure.Status.EverScheduled),
        ("RecordExternalAlert", [MesureAct.ExternalAlert], a => a.Difficulties.Count > 0),
        ("AcknowledgeDifficulty", [MesureAct.AcknowledgeDifficulty], a => a.Decides && a.Difficulties.Any(d => d.State == DifficultyState.Open)),
        ("AnswerDifficulty", [MesureAct.AnswerDifficulty], a => a.Decides && a.Difficulties.Any(d => d.State != DifficultyState.Answered && d is not { Reason: DifficultyReason.Danger, AlertedAt: null })),
        ("ModifyMesure", [MesureAct.Modify], a => a.Decides),
        ("RevokeMesure", [MesureAct.Revoke], a => a.Mesure.Decision.Rendered),
        ("RedesignateMesure", [MesureAct.Redesignate], _ => true),
        ("ListAlternativeEspaces", [MesureAct.Redesignate], _ => true),
        ("CloseMesure", [MesureAct.Close], a => a.Mesure.Status.DangersUntold == 0),
        ("ReopenMesure", [MesureAct.Reopen], a => a.Mesure.MayReopen(a.History, a.ByTheCourt)),
        ("RegisterNonJudicialMesure", [], a => a.Mesure.Status.ClosedAt is not null),

        ("HoldInterviewSlot", [], a => a.Mesure.Status.State is MesureState.Ordonnee or MesureState.Completee),
        ("ReleaseInterviewSlot", [], a => a.SlotHeld),
        ("BookInterview", [MesureAct.BookInterview], a => new[] { PartyRole.Hote, PartyRole.Visiteur, PartyRole.Enfant }.Except(a.Booked.Select(i => i.PartyRole)).Any()),
        ("CancelInterview", [MesureAct.ReleaseInterview], a => a.Booked.Any()),

        ("CheckRencontreSeries", [], a => a.Mesure.Plannable),
        ("ScheduleRencontreSeries", [MesureAct.ScheduleRencontre], a => a.WithinTheTerm),
        ("ConfirmRencontre", [MesureAct.ConfirmRencontre], a => a.Scheduled.Any(r => r.HoteConfirmedAt is null || r.VisiteurConfirmedAt is null)),
        ("CancelRencontre", [MesureAct.CancelRencontre], a => a.Scheduled.Any(r => r.StartsAt > a.Now)),
        ("MoveRencontre", [MesureAct.MoveRencontre], a => a.WithinTheTerm && a.Scheduled.Any(r => r.StartsAt > a.Now)),
        ("CorrectRencontreOutcome", [MesureAct.CorrectRencontreOutcome], a => a.Rencontres.Any(r => r.HasOutcome)),
        ("RecordRemiseReturn", [MesureAct.RecordRemiseReturn], a => a.Rencontres.Any(r => r is { Outcome: RencontreOutcome.Held, ReturnOutcome: RencontreOutcome.Scheduled })),

        ("RecordDelivery", [MesureAct.Deliver], a => a.Mesure.Status.DeliveredAt is null),

        ("AttachDecision", [MesureAct.AttachDecision], a => a.Mesure.Decision.Rendered),
        ("GetDecisionDocument", [], a => a.DecisionAttached),
        ("GetParentNotice", [], a => a.Judicial && a.Mesure.EspaceId is not null && a.Mesure.Decision.Rendered && a.Mesure.Status.ClosedAt is null),
        ("GetFactualNote", [], a => a.Mesure.GestionnaireId is not null),
    ];

    // The court may do these for itself too; all else that has on_behalf_of_espace is the espace's to do.
    private static readonly string[] s_ofEither = ["CloseMesure", "ReopenMesure", "ResumeMesure", "RecordExternalAlert"];

    private static readonly Google.Protobuf.Reflection.ServiceDescriptor[] s_services =
        [MesureService.Descriptor, InterviewService.Descriptor, RencontreService.Descriptor, TransmissionService.Descriptor, DocumentService.Descriptor,
            RedesignationService.Descriptor];

    /// <summary>The rpcs on an existing mesure that not every state permits.</summary>
    public static IEnumerable<MethodDescriptor> Rpcs => s_rpcs.Select(r => Of(r.Rpc));

    /// <summary>
    /// The rpcs that the state of a mesure permits, by service and name, in order. What a court records on behalf of an espace that is
    /// not connected is the espace's to do next, and not listed to the court.
    /// </summary>
    public static IEnumerable<string> Of(Asked asked) => s_rpcs
        .Where(r => (r.Acts.Length == 0 || (asked.Mesure.AnonymisedAt is null && r.Acts.Any(asked.Mesure.Status.Allows))) && r.Holds(asked) && !(asked.ByTheCourt && IsOfTheEspace(r.Rpc)))
        .Select(r => Of(r.Rpc).Service.FullName + "/" + r.Rpc).Order(StringComparer.Ordinal);

    private static bool IsOfTheEspace(string rpc) => !s_ofEither.Contains(rpc) && Of(rpc).InputType.FindFieldByName("on_behalf_of_espace") is not null;

    private static MethodDescriptor Of(string rpc) => s_services.Select(s => s.FindMethodByName(rpc)).First(m => m is not null);

    /// <summary>A mesure and who asks.</summary>
    /// <param name="Mesure">The mesure.</param>
    /// <param name="Difficulties">Its difficulties.</param>
    /// <param name="History">Its facts.</param>
    /// <param name="Rencontres">Its rencontres.</param>
    /// <param name="Interviews">Its interviews.</param>
    /// <param name="SlotHeld">Whether it holds a slot for an interview.</param>
    /// <param name="DecisionAttached">Whether the decision is attached as a file.</param>
    /// <param name="ByTheCourt">Whether the court asks.</param>
    /// <param name="Now">Now.</param>
    /// <param name="Today">Today.</param>
    internal sealed record Asked(
        Mesure Mesure, IReadOnlyCollection<Difficulty> Difficulties, IReadOnlyCollection<MesureFact> History, IReadOnlyCollection<Rencontre> Rencontres,
        IReadOnlyCollection<Interview> Interviews, bool SlotHeld, bool DecisionAttached, bool ByTheCourt, DateTimeOffset Now, DateOnly Today)
    {
        public bool Judicial => Mesure.Nature == MesureNature.Judiciaire;

        /// <summary>Whether whoever asks decides: the court, or the espace where no judge ordered the mesure.</summary>
        public bool Decides => ByTheCourt || !Judicial;

        public bool WithinTheTerm => Mesure.Term is not { } term || Today <= term;

        public IEnumerable<Rencontre> Scheduled => Rencontres.Where(r => r.Outcome == RencontreOutcome.Scheduled);

        public IEnumerable<Interview> Booked => Interviews.Where(i => i.State == InterviewState.Booked);
    }
}
