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
            HeldMinutes = past.Sum(HeldMinutes),
            ComingCount = rencontres.Count - past.Count,
            ClosureReason = mesure.ClosureReason,
            MadeTime = now.ToProto(),
            Nature = mesure.Nature,
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
            Kind = rencontre.Kind,
            StartTime = rencontre.StartsAt.ToProto(),
            DurationMinutes = rencontre.DurationMinutes,
            TimeZone = rencontre.TimeZone,
            Outcome = rencontre.Outcome,
            HeldMinutes = HeldMinutes(rencontre),
            ReturnTime = rencontre.ReturnsAt.ToProto(),
            ReturnOutcome = rencontre.ReturnOutcome,
        };
        foreach (var person in persons)
        {
            var (state, late) = PresenceOf(person, rencontre);
            noted.Presences.Add(new NotedPresence { Role = person.Role, ChildId = person.ChildId, State = state, MinutesLate = late });
            person.PresentCount += state == PresenceState.Present ? 1 : 0;
            person.AbsentCount += state == PresenceState.Absent ? 1 : 0;
            person.NotRecordedCount += state == PresenceState.Unspecified ? 1 : 0;
            person.PresentMinutes += state == PresenceState.Present ? noted.HeldMinutes : 0;
            person.LateCount += late > 0 ? 1 : 0;
            person.LateMinutes += late;
        }

        return noted;
    }

    // A remise takes no time together.
    private static int HeldMinutes(Rencontre rencontre) =>
        rencontre.Outcome != RencontreOutcome.Held || rencontre.Kind == RencontreKind.Remise ? 0
        : rencontre is { ActualStartAt: { } start, ActualEndAt: { } end } ? (int)(end - start).TotalMinutes
        : rencontre.DurationMinutes;

    /// <summary>Whether somebody came, as it was recorded; what was not recorded is not inferred.</summary>
    private static (PresenceState State, int MinutesLate) PresenceOf(NotedPerson person, Rencontre rencontre)
    {
        Guid? childId = person.ChildId.Length > 0 ? Guid.Parse(person.ChildId) : null;
        if (rencontre.Presences.FirstOrDefault(p => p.Role == person.Role && p.ChildId == childId) is { } said)
        {
            return said.Present ? (PresenceState.Present, said.MinutesLate) : (PresenceState.Absent, 0);
        }

        var state = person.Role switch
        {
            PartyRole.Visiteur when rencontre.VisiteurPresent => PresenceState.Present,
            PartyRole.Visiteur when rencontre.Outcome == RencontreOutcome.VisiteurAbsent => PresenceState.Absent,
            PartyRole.Hote when rencontre.Outcome == RencontreOutcome.HoteAbsent => PresenceState.Absent,
            PartyRole.Enfant when rencontre.PresentChildIds.Contains(childId!.Value) => PresenceState.Present,
            PartyRole.Enfant when rencontre.Outcome == RencontreOutcome.Held => PresenceState.Absent,
            _ => PresenceState.Unspecified,
        };
        return (state, 0);
    }
}
