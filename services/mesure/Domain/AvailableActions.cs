using Google.Protobuf.Reflection;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// What can be done next with a mesure, as data: the acts of each rpc, and what must hold beside the table of transitions. Whether
/// the caller's role may call the rpc is the access table's affair.
/// </summary>
internal static class AvailableActions
{
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
        ("ScheduleRencontre", [MesureAct.ScheduleRencontre], a => a.Mesure.Term is not { } term || a.Today <= term),
        ("RecordRencontreOutcome", [MesureAct.RencontreHeld, MesureAct.RencontreNotHeld], a => a.Mesure.Status.PendingRencontres > 0),
        ("ScheduleRencontreSeries", [MesureAct.ScheduleRencontre], a => a.Mesure.Term is not { } term || a.Today <= term),
        ("ConfirmRencontre", [MesureAct.ConfirmRencontre], a => a.Mesure.Status.PendingRencontres > 0),
        ("CancelRencontre", [MesureAct.CancelRencontre], a => a.Mesure.Status.PendingRencontres > 0),
        ("MoveRencontre", [MesureAct.MoveRencontre], a => a.Mesure.Status.PendingRencontres > 0),
        ("RecordRemiseReturn", [MesureAct.RecordRemiseReturn], a => a.Mesure.NextRencontreAt is not null),
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
        ("CloseMesure", [MesureAct.Close], a => a.Mesure.Status.DangersUntold == 0),
        ("ReopenMesure", [MesureAct.Reopen], a => a.Mesure.MayReopen(a.History, a.ByTheCourt, a.OrganisationId)),
    ];

    /// <summary>The rpcs on an existing mesure that change it.</summary>
    public static IEnumerable<string> Rpcs => s_rpcs.Select(r => r.Rpc);

    /// <summary>
    /// The rpcs that the state of a mesure permits, by service and name, in order. What a court records on behalf of an espace that is
    /// not connected is the espace's to do next, and not listed to the court.
    /// </summary>
    public static IEnumerable<string> Of(Asked asked) => s_rpcs
        .Where(r => r.Acts.Any(asked.Mesure.Status.Allows) && r.Holds(asked) && !(asked.ByTheCourt && IsOfTheEspace(r.Rpc)))
        .Select(r => Of(r.Rpc).Service.FullName + "/" + r.Rpc).Order(StringComparer.Ordinal);

    // A closing alone is both sides' own.
    private static bool IsOfTheEspace(string rpc) =>
        rpc != "CloseMesure" && Of(rpc).InputType.FindFieldByName("on_behalf_of_espace") is not null;

    private static MethodDescriptor Of(string rpc) => MesureService.Descriptor.FindMethodByName(rpc) ?? RencontreService.Descriptor.FindMethodByName(rpc);

    /// <summary>A mesure and who asks.</summary>
    /// <param name="Mesure">The mesure.</param>
    /// <param name="Difficulties">Its difficulties.</param>
    /// <param name="History">Its facts.</param>
    /// <param name="ByTheCourt">Whether the court asks.</param>
    /// <param name="OrganisationId">Who asks.</param>
    /// <param name="Today">Today.</param>
    internal sealed record Asked(
        Mesure Mesure, IReadOnlyCollection<Difficulty> Difficulties, IReadOnlyCollection<MesureFact> History, bool ByTheCourt, Guid OrganisationId, DateOnly Today)
    {
        public bool Judicial => Mesure.Nature == MesureNature.Judiciaire;

        /// <summary>Whether whoever asks decides: the court, or the espace where no judge ordered the mesure.</summary>
        public bool Decides => ByTheCourt || !Judicial;
    }
}
