using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;

namespace Jafer.Mesures.Domain;

/// <summary>The reasons for closing in the categories of the national survey (SSER, figure 5), and whose they are.</summary>
internal static class Closures
{
    /// <summary>No rencontre was ever organised.</summary>
    public static bool IsSansSuite(ClosureReason reason) => reason is
        ClosureReason.SansSuiteAbsenceDeContactHote or ClosureReason.SansSuiteAbsenceDeContactVisiteur or ClosureReason.SansSuiteAbsenceDeContactDesDeux
        or ClosureReason.SansSuiteRefusHote or ClosureReason.SansSuiteRefusVisiteur;

    /// <summary>Nobody came forward: the decision's own deadline must have passed.</summary>
    public static bool IsAbsenceDeContact(ClosureReason reason) => reason is
        ClosureReason.SansSuiteAbsenceDeContactHote or ClosureReason.SansSuiteAbsenceDeContactVisiteur or ClosureReason.SansSuiteAbsenceDeContactDesDeux;

    /// <summary>Ended before its term by the espace or the hôte, once a rencontre had been scheduled.</summary>
    public static bool IsInterruption(ClosureReason reason) => reason is
        ClosureReason.InterruptionAbsenceVisiteur or ClosureReason.InterruptionAbsenceHote or ClosureReason.InterruptionIncident
        or ClosureReason.InterruptionRefusEnfant or ClosureReason.InterruptionEspaceAutre or ClosureReason.InterruptionMeilleurAccord
        or ClosureReason.InterruptionHoteAutre;

    /// <summary>An act of the judge: an interruption when a rencontre had been scheduled, else "autre".</summary>
    public static bool IsJudges(ClosureReason reason) => reason is
        ClosureReason.JugeModification or ClosureReason.JugeRapportee or ClosureReason.JugeDroitSuspendu;

    /// <summary>
    /// The one category of the national survey in which a closing counts. The pivot is whether a rencontre was ever scheduled;
    /// a reason that contradicts it, as old data may hold, is "autre".
    /// </summary>
    /// <param name="reason">Why the mesure was closed.</param>
    /// <param name="everScheduled">Whether a rencontre was ever scheduled, held or not.</param>
    public static ClosureCategory CategoryOf(ClosureReason reason, bool everScheduled) => reason switch
    {
        ClosureReason.ErreurDeSaisie or ClosureReason.Doublon or ClosureReason.Transfert => ClosureCategory.HorsStatistique,
        _ when IsSansSuite(reason) => everScheduled ? ClosureCategory.Autre : ClosureCategory.SansSuite,
        _ when !everScheduled => ClosureCategory.Autre,
        ClosureReason.ArriveeATerme => ClosureCategory.ArriveeATerme,
        ClosureReason.InterruptionMeilleurAccord or ClosureReason.InterruptionHoteAutre => ClosureCategory.InterruptionHote,
        _ when IsInterruption(reason) => ClosureCategory.InterruptionEspace,
        _ when IsJudges(reason) => ClosureCategory.InterruptionJuge,
        _ => ClosureCategory.Autre,
    };

    /// <summary>Whether a role may give a reason.</summary>
    public static bool MayGive(string role, ClosureReason reason) => role == Roles.Juridiction
        ? IsJudges(reason) || reason is ClosureReason.ErreurDeSaisie or ClosureReason.Doublon or ClosureReason.Autre
        : !IsJudges(reason) && reason != ClosureReason.Transfert;
}
