using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Child = Jafer.Mesures.Domain.Child;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Party = Jafer.Mesures.Domain.Party;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Documents;

/// <summary>
/// What happened in a mesure, from its record: dates, presence, durations. The référentiel of the espaces knows no report on
/// parents: nothing here appreciates, and no free text of the file enters.
/// </summary>
internal static class FactualNotes
{
    /// <summary>Writes the note.</summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="parties">Its parties.</param>
    /// <param name="children">Its children, in the order of the court's list.</param>
    /// <param name="rencontres">Its rencontres, in the order of their start.</param>
    /// <param name="facts">Its history.</param>
    /// <param name="now">Now.</param>
    public static FactualNote Write(
        Mesure mesure, IReadOnlyList<Party> parties, IReadOnlyList<Child> children, IReadOnlyList<Rencontre> rencontres, IReadOnlyList<MesureFact> facts, DateTimeOffset now)
    {
        var past = rencontres.Where(r => r.Outcome != RencontreOutcome.Scheduled || r.StartsAt <= now).ToList();
        var note = new FactualNote
        {
            MesureId = mesure.Id.ToString(),
            Reference = mesure.Reference,
            RgNumber = mesure.Decision.RgNumber,
            DecisionDate = mesure.Decision.Date.ToProto(),
            Modalite = mesure.Decision.Modalite,
            EspaceId = mesure.EspaceId?.ToString() ?? "",
            State = mesure.Status.State,
            TermDate = mesure.Term.ToProto(),
            Milestones = mesure.ToMilestones(mesure.Status),
            HeldMinutes = past.Where(r => r.Outcome == RencontreOutcome.Held).Sum(r => r.DurationMinutes),
            ComingCount = rencontres.Count - past.Count,
            ClosureReason = mesure.ClosureReason,
            MadeTime = now.ToProto(),
        };
        note.Steps.AddRange(facts
            .Where(f => f.Act is MesureAct.ContactReached or MesureAct.ContactAttempted or MesureAct.Interview)
            .OrderBy(f => f.OccurredAt).ThenBy(f => f.Version)
            .Select(f => new NotedStep { Act = f.Act, PartyRole = f.Details.PartyRole ?? PartyRole.Unspecified, OccurredTime = f.OccurredAt.ToProto() }));
        List<NotedPerson> persons =
        [
            .. parties.OrderBy(p => p.Role).Select(p => new NotedPerson { Role = p.Role, GivenName = p.GivenName, FamilyName = p.FamilyName }),
            .. children.Select(c => new NotedPerson { Role = PartyRole.Enfant, ChildId = c.Id.ToString(), GivenName = c.GivenName, FamilyName = c.FamilyName }),
        ];
        foreach (var rencontre in past)
        {
            note.Rencontres.Add(Note(rencontre, persons));
        }

        note.Persons.AddRange(persons);
        note.OutcomeCounts.AddRange(past.GroupBy(r => r.Outcome).OrderBy(g => g.Key).Select(g => new OutcomeCount { Outcome = g.Key, Count = g.Count() }));
        return note;
    }

    /// <summary>Notes a rencontre, and counts it for each person.</summary>
    private static NotedRencontre Note(Rencontre rencontre, List<NotedPerson> persons)
    {
        var noted = new NotedRencontre
        {
            RencontreId = rencontre.Id.ToString(),
            StartTime = rencontre.StartsAt.ToProto(),
            DurationMinutes = rencontre.DurationMinutes,
            TimeZone = rencontre.TimeZone,
            Outcome = rencontre.Outcome,
        };
        foreach (var person in persons)
        {
            var presence = PresenceOf(person, rencontre);
            noted.Presences.Add(new NotedPresence { Role = person.Role, ChildId = person.ChildId, Presence = presence });
            person.PresentCount += presence == Presence.Present ? 1 : 0;
            person.AbsentCount += presence == Presence.Absent ? 1 : 0;
            person.NotRecordedCount += presence == Presence.Unspecified ? 1 : 0;
            person.PresentMinutes += presence == Presence.Present && rencontre.Outcome == RencontreOutcome.Held ? rencontre.DurationMinutes : 0;
        }

        return noted;
    }

    /// <summary>Whether somebody came, as it was recorded; what was not recorded is not inferred.</summary>
    private static Presence PresenceOf(NotedPerson person, Rencontre rencontre) => person.Role switch
    {
        PartyRole.Visiteur when rencontre.VisiteurPresent => Presence.Present,
        PartyRole.Visiteur when rencontre.Outcome == RencontreOutcome.VisiteurAbsent => Presence.Absent,
        PartyRole.Hote when rencontre.Outcome == RencontreOutcome.HoteAbsent => Presence.Absent,
        PartyRole.Enfant when rencontre.PresentChildIds.Contains(Guid.Parse(person.ChildId)) => Presence.Present,
        PartyRole.Enfant when rencontre.Outcome == RencontreOutcome.Held => Presence.Absent,
        _ => Presence.Unspecified,
    };
}
