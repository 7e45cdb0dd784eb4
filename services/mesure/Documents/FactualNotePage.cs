using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Printing;

namespace Jafer.Mesures.Documents;

/// <summary>The factual note on paper: what its data say, in French, nothing more.</summary>
internal static class FactualNotePage
{
    private static readonly string[] s_personColumns = ["Personne", "Qualité", "Est venue", "N'est pas venue", "Non relevé", "En retard", "Durée"];

    private static readonly string[] s_rencontreColumns = ["Date", "Heure", "Durée prévue", "Durée tenue", "Issue", "Sont venus", "Ne sont pas venus"];

    /// <summary>Writes the page.</summary>
    /// <param name="note">The note.</param>
    /// <param name="zone">IANA zone of the espace.</param>
    public static PrintedDocument Write(FactualNote note, string zone)
    {
        var made = note.MadeTime.ToDateTimeOffset();
        var blocks = new List<Block>();
        if (note.State != MesureState.Cloturee)
        {
            blocks.Add(new Callout([$"Note provisoire, arrêtée au {French.Date(French.DayIn(made, zone))} : la mesure n'est pas close."]));
        }

        blocks.Add(new Paragraph("Cette note reprend les dates, les présences et les durées enregistrées par l'espace de rencontre. Elle ne contient aucune appréciation."));
        blocks.Add(new Heading(2, "La mesure"));
        blocks.Add(new Values([.. Mesure(note, zone)]));
        blocks.Add(new Heading(2, "Les étapes"));
        blocks.Add(new Values([.. Steps(note.Milestones, note.Nature == MesureNature.NonJudiciaire, zone)]));
        blocks.Add(new Heading(2, "Contacts et entretiens"));
        blocks.Add(note.Steps.Count == 0
            ? new Paragraph("Aucun contact ni entretien n'est enregistré.")
            : new Table("Contacts et entretiens, dans l'ordre des dates", ["Date", "Acte", "Avec"], [2, 4, 3],
                [.. note.Steps.Select(s => (IReadOnlyList<string>)[At(s.OccurredTime, zone), Act(s.Act), Role(s.PartyRole)])]));
        blocks.Add(new Heading(2, "Les rencontres"));
        if (note.Rencontres.Count == 0)
        {
            blocks.Add(new Paragraph("Aucune rencontre n'a encore commencé."));
        }
        else
        {
            blocks.Add(new Values([.. Totals(note)]));
            blocks.Add(new Table("Par personne", s_personColumns, [4, 2, 1.6, 1.8, 1.8, 3.2, 2.2], [.. note.Persons.Select(p => Row(p))]));
            blocks.Add(new Table("Par rencontre, dans l'ordre des dates", s_rencontreColumns, [2.2, 1.7, 1.9, 1.9, 3.6, 3.2, 2.6], [.. note.Rencontres.Select(r => Row(r, note.Persons))]));
            blocks.Add(new Paragraph("« Non relevé » : l'espace n'a rien enregistré pour cette personne. La durée tenue va du début à la fin relevés par l'espace ; sans ce relevé, c'est la durée prévue. Une remise de l'enfant ne compte pas de durée."));
        }

        return new PrintedDocument(
            "Note factuelle",
            "Dates, présences et durées des rencontres, sans appréciation.",
            $"Note factuelle · Référence {note.Reference} · établie le {French.Date(French.DayIn(made, zone))}",
            made,
            blocks);
    }

    private static IEnumerable<(string Name, string Value)> Mesure(FactualNote note, string zone)
    {
        yield return ("Référence", note.Reference);
        if (note.RgNumber.Length > 0)
        {
            yield return ("Numéro RG", note.RgNumber);
        }

        if (Day(note.DecisionDate) is { } decided)
        {
            yield return (note.Nature == MesureNature.NonJudiciaire ? "Accord du" : "Décision du", French.Date(decided));
        }

        yield return ("Modalité", Modality(note.Modalite));
        foreach (var party in note.Persons.Where(p => p.Role != PartyRole.Enfant))
        {
            yield return (Role(party.Role), Name(party));
        }

        var children = note.Persons.Where(p => p.Role == PartyRole.Enfant).Select(Name).ToList();
        if (children.Count > 0)
        {
            yield return (children.Count > 1 ? "Enfants" : "Enfant", string.Join(", ", children));
        }

        if (Day(note.TermDate) is { } term)
        {
            yield return ("Terme de la mesure", French.Date(term));
        }

        if (note.Milestones.ClosedTime is { } closed)
        {
            yield return ("Clôture", $"{French.Date(French.DayIn(closed.ToDateTimeOffset(), zone))} : {Reason(note.ClosureReason)}");
        }
    }

    private static IEnumerable<(string Name, string Value)> Steps(Milestones milestones, bool agreed, string zone)
    {
        if (Day(milestones.DecisionDate) is { } decided)
        {
            yield return (agreed ? "Accord" : "Décision", French.Date(decided));
        }

        // What no judge ordered is transmitted by nobody.
        foreach (var (name, time) in new[]
        {
            ("Transmission à l'espace", milestones.TransmittedTime), (agreed ? "Enregistrement" : "Accusé de réception", milestones.AcknowledgedTime), ("Prise en charge", milestones.ChargeTakenTime),
            ("Premier contact, hôte", milestones.HoteContactTime), ("Premier contact, visiteur", milestones.VisiteurContactTime), ("Réservation du premier entretien", milestones.InterviewBookingTime), ("Premier entretien", milestones.InterviewTime),
            ("Première programmation", milestones.FirstSchedulingTime), ("Première rencontre tenue", milestones.FirstHeldRencontreTime), ("Clôture", milestones.ClosedTime),
        }.Skip(agreed ? 1 : 0))
        {
            yield return (name, time is null ? "Non atteinte" : French.Date(French.DayIn(time.ToDateTimeOffset(), zone)));
        }
    }

    private static IEnumerable<(string Name, string Value)> Totals(FactualNote note)
    {
        yield return ("Rencontres", Number(note.Rencontres.Count));
        foreach (var outcome in note.OutcomeCounts)
        {
            yield return (Outcome(outcome.Outcome), Number(outcome.Count));
        }

        yield return ("Durée totale tenue", Duration(note.HeldMinutes));
        if (note.ComingCount > 0)
        {
            yield return ("À venir", Number(note.ComingCount));
        }
    }

    private static IReadOnlyList<string> Row(NotedPerson person) =>
        [Name(person), Role(person.Role), Number(person.PresentCount), Number(person.AbsentCount), Number(person.NotRecordedCount), Late(person), Duration(person.PresentMinutes)];

    private static IReadOnlyList<string> Row(NotedRencontre rencontre, IReadOnlyList<NotedPerson> persons)
    {
        var start = French.Local(rencontre.StartTime.ToDateTimeOffset(), rencontre.TimeZone);
        return
        [
            French.ShortDate(DateOnly.FromDateTime(start.DateTime)), French.Hour(start), French.Length(rencontre.DurationMinutes), Duration(rencontre.HeldMinutes), Issue(rencontre),
            Who(rencontre, persons, PresenceState.Present), Who(rencontre, persons, PresenceState.Absent),
        ];
    }

    private static string Issue(NotedRencontre rencontre)
    {
        if (rencontre.Kind != RencontreKind.Remise)
        {
            return Outcome(rencontre.Outcome);
        }

        var back = rencontre.ReturnOutcome switch
        {
            RencontreOutcome.Held => "tenu",
            RencontreOutcome.VisiteurAbsent => "le visiteur n'a pas ramené l'enfant",
            RencontreOutcome.HoteAbsent => "l'hôte n'est pas venu chercher l'enfant",
            RencontreOutcome.Scheduled => "non enregistré",
            var other => Outcome(other).ToLowerInvariant(),
        };
        return rencontre.Outcome == RencontreOutcome.Held ? $"Remise tenue. Retour : {back}" : $"Remise. {Outcome(rencontre.Outcome)}";
    }

    private static string Late(NotedPerson person) => person.LateCount == 0 ? "–" : $"{French.Count(person.LateCount, "fois")}, {French.Length(person.LateMinutes)} en tout";

    private static string Who(NotedRencontre rencontre, IReadOnlyList<NotedPerson> persons, PresenceState state)
    {
        // One presence for each person, in the same order.
        var names = persons.Zip(rencontre.Presences).Where(x => x.Second.State == state)
            .Select(x => (x.First.Role == PartyRole.Enfant ? Short(x.First) : Role(x.First.Role).ToLowerInvariant())
                + (x.Second.MinutesLate > 0 ? $" ({French.Length(x.Second.MinutesLate)} de retard)" : "")).ToList();
        return names.Count == 0 ? "–" : string.Join(", ", names);
    }

    private static string Name(NotedPerson person) => $"{person.GivenName} {person.FamilyName}".Trim();

    private static string Short(NotedPerson person) => person.GivenName.Length > 0 ? person.GivenName : person.FamilyName;

    private static string Number(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Duration(int minutes) => minutes == 0 ? "–" : French.Length(minutes);

    private static string At(Timestamp time, string zone)
    {
        var local = French.Local(time.ToDateTimeOffset(), zone);
        return $"{French.ShortDate(DateOnly.FromDateTime(local.DateTime))}, {French.Hour(local)}";
    }

    private static DateOnly? Day(Contracts.Type.V1.Date? date) => date is null ? null : new DateOnly(date.Year, date.Month, date.Day);

    private static string Role(PartyRole role) => role switch
    {
        PartyRole.Hote => "Hôte",
        PartyRole.Visiteur => "Visiteur",
        PartyRole.Enfant => "Enfant",
        _ => "Non précisé",
    };

    private static string Act(MesureAct act) => act switch
    {
        MesureAct.ContactReached => "Contact",
        MesureAct.ContactAttempted => "Tentative de contact sans réponse",
        MesureAct.Interview => "Entretien préalable",
        _ => act.ToCode(),
    };

    /// <summary>The outcome in French; one that is newer than this table stands as its code.</summary>
    private static string Outcome(RencontreOutcome outcome) => outcome switch
    {
        RencontreOutcome.Scheduled => "Issue non enregistrée",
        RencontreOutcome.Held => "Tenue",
        RencontreOutcome.VisiteurAbsent => "Non tenue : le visiteur n'est pas venu",
        RencontreOutcome.HoteAbsent => "Non tenue : l'hôte n'a pas amené l'enfant",
        RencontreOutcome.ChildRefused => "Non tenue : l'enfant a refusé",
        RencontreOutcome.CancelledByVisiteur => "Annulée par le visiteur",
        RencontreOutcome.CancelledByHote => "Annulée par l'hôte",
        RencontreOutcome.CancelledByEspace => "Annulée par l'espace",
        RencontreOutcome.ForceMajeure => "Non tenue : force majeure",
        RencontreOutcome.Moved => "Déplacée à une autre date",
        RencontreOutcome.MesureClosed => "Non tenue : mesure close avant",
        _ => outcome.ToCode(),
    };

    private static string Modality(Modalite modalite) => modalite switch
    {
        Modalite.Visite => "Visite dans les locaux",
        Modalite.VisiteAvecSortie => "Visite avec sortie",
        Modalite.SortieAccompagnee => "Sortie accompagnée",
        Modalite.RemiseEnfant => "Remise de l'enfant",
        Modalite.VisitePresenceContinue => "Visite en présence continue d'un tiers",
        Modalite.VisitePresenceIntermittente => "Visite en présence intermittente d'un tiers",
        Modalite.VisiteTiers => "Visite d'un tiers",
        Modalite.VisiteDetention => "Visite en détention",
        Modalite.VisiteVisio => "Visite par vidéo",
        Modalite.Unspecified => "Non précisée",
        _ => modalite.ToCode(),
    };

    private static string Reason(ClosureReason reason) => reason switch
    {
        ClosureReason.ArriveeATerme => "arrivée à terme",
        ClosureReason.SansSuiteAbsenceDeContactHote => "sans suite, absence de contact de l'hôte",
        ClosureReason.SansSuiteAbsenceDeContactVisiteur => "sans suite, absence de contact du visiteur",
        ClosureReason.SansSuiteAbsenceDeContactDesDeux => "sans suite, absence de contact des deux",
        ClosureReason.SansSuiteRefusHote => "sans suite, refus de l'hôte",
        ClosureReason.SansSuiteRefusVisiteur => "sans suite, refus du visiteur",
        ClosureReason.InterruptionAbsenceVisiteur => "interruption, absence du visiteur",
        ClosureReason.InterruptionAbsenceHote => "interruption, absence de l'hôte",
        ClosureReason.InterruptionIncident => "interruption, incident",
        ClosureReason.InterruptionRefusEnfant => "interruption, refus de l'enfant",
        ClosureReason.InterruptionEspaceAutre => "interruption par l'espace, autre motif",
        ClosureReason.InterruptionMeilleurAccord => "interruption, accord des parents",
        ClosureReason.InterruptionHoteAutre => "interruption par l'hôte, autre motif",
        ClosureReason.JugeModification => "décision modifiée par le juge",
        ClosureReason.JugeRapportee => "décision rapportée par le juge",
        ClosureReason.JugeDroitSuspendu => "droit suspendu par le juge",
        ClosureReason.Autre => "autre motif",
        ClosureReason.ErreurDeSaisie => "erreur de saisie",
        ClosureReason.Doublon => "doublon",
        ClosureReason.Transfert => "transfert à un autre espace",
        _ => reason.ToCode(),
    };
}
