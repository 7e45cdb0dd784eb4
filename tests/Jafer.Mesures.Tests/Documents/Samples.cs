using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Documents;
using Jafer.ServiceDefaults.Grpc;
using Google.Protobuf.WellKnownTypes;
using Jafer.ServiceDefaults.Printing;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>Documents as they come out of the service, for tests that look at them.</summary>
internal static class Samples
{
    public static readonly DateTimeOffset Now = new(2026, 11, 28, 9, 30, 0, TimeSpan.Zero);

    public static readonly Guid Lieu = new("0198a000-0000-7000-8000-000000000002");

    public static readonly EspaceWelcome Espace = new(
        "Espace de rencontre Le Pont", true,
        [
            new(Lieu, "Le Pont, maison", "12 rue des Tilleuls", "Villeurbanne", [new(TransportMode.Metro, "A", "République", 6), new(TransportMode.Bus, "C3", "Flachet", 4)], true, false),
            new(new Guid("0198a000-0000-7000-8000-000000000003"), "Le Pont, antenne", "", "Givors", [], false, true),
        ],
        "0478000000", false, 15, [DocumentDemande.Identite, DocumentDemande.Sante], 0);

    public static readonly NoticedMesure Ordered = new(
        "TJ69123-2026-000042", new(2026, 11, 27), new(2026, 12, 11), Modalite.Visite, 6, TermStart.FirstRencontre, 2, 1, PeriodicityUnit.Month, 120, 2);

    public static readonly NoticeReader Hote = new(PartyRole.Hote, PartyKind.Parent, "Camille", "Fictif");

    public static readonly NoticeReader Visiteur = new(PartyRole.Visiteur, PartyKind.Parent, "Dominique", "Exemple");

    public static readonly Appointment Booked = new(new(2026, 12, 1, 13, 30, 0, TimeSpan.Zero), "Europe/Paris", 45, Lieu);

    /// <summary>Every shape that a notice may have, by name.</summary>
    public static IReadOnlyDictionary<string, PrintedDocument> Notices { get; } = new Dictionary<string, PrintedDocument>
    {
        ["notice-hote-rendez-vous"] = ParentNotice.Write(Ordered, Hote, Espace, Booked, Now),
        ["notice-visiteur"] = ParentNotice.Write(Ordered, Visiteur, Espace, null, Now),
        ["notice-sans-annuaire"] = ParentNotice.Write(Ordered with { ContactDeadline = null, DurationMonths = null, PeriodicityCount = null, RencontreMinutes = null, ChildCount = 1 }, Visiteur with { Kind = PartyKind.GrandParent }, null, null, Now),
        ["notice-espace-appelle"] = ParentNotice.Write(Ordered with { ContactDeadline = null }, Hote, Espace with { CallsFirst = true, FeeCents = 250, Phone = "" }, Booked with { LieuId = null }, Now),
    };

    /// <summary>Every shape that a note may have, by name.</summary>
    public static IReadOnlyDictionary<string, PrintedDocument> Notes { get; } = new Dictionary<string, PrintedDocument>
    {
        ["note-factuelle"] = FactualNotePage.Write(Note(12), "Europe/Paris"),
        ["note-vide"] = FactualNotePage.Write(new FactualNote { Reference = "TJ69123-2026-000043", State = MesureState.Recue, Milestones = new(), MadeTime = Now.ToProto() }, "Europe/Paris"),
    };

    public static IReadOnlyDictionary<string, PrintedDocument> All { get; } = Notices.Concat(Notes).ToDictionary();

    /// <summary>A note of a mesure with rencontres of all outcomes.</summary>
    public static FactualNote Note(int rencontres)
    {
        var note = new FactualNote
        {
            MesureId = "0198a000-0000-7000-8000-000000000001",
            Reference = "TJ69123-2026-000042",
            RgNumber = "26/01234",
            DecisionDate = new DateOnly(2026, 3, 2).ToProto(),
            Modalite = Modalite.Visite,
            State = MesureState.Cloturee,
            TermDate = new DateOnly(2026, 9, 2).ToProto(),
            ClosureReason = ClosureReason.ArriveeATerme,
            Milestones = new() { DecisionDate = new DateOnly(2026, 3, 2).ToProto(), TransmittedTime = At(0), AcknowledgedTime = At(1), ChargeTakenTime = At(2), HoteContactTime = At(3), VisiteurContactTime = At(4), InterviewTime = At(12), FirstSchedulingTime = At(12), FirstHeldRencontreTime = At(20), ClosedTime = At(180) },
            HeldMinutes = rencontres * 60,
            ComingCount = 1,
            MadeTime = Now.ToProto(),
        };
        note.Steps.Add(new NotedStep { Act = MesureAct.ContactAttempted, PartyRole = PartyRole.Hote, OccurredTime = At(2) });
        note.Steps.Add(new NotedStep { Act = MesureAct.ContactReached, PartyRole = PartyRole.Hote, OccurredTime = At(3) });
        note.Steps.Add(new NotedStep { Act = MesureAct.Interview, PartyRole = PartyRole.Enfant, OccurredTime = At(12) });
        note.Persons.Add(new NotedPerson { Role = PartyRole.Hote, GivenName = "Camille", FamilyName = "Fictif", AbsentCount = 2, NotRecordedCount = rencontres - 2 });
        note.Persons.Add(new NotedPerson { Role = PartyRole.Visiteur, GivenName = "Dominique", FamilyName = "Exemple", PresentCount = rencontres - 3, AbsentCount = 3, PresentMinutes = rencontres * 60 });
        note.Persons.Add(new NotedPerson { Role = PartyRole.Enfant, ChildId = Lieu.ToString(), GivenName = "Élodie", FamilyName = "Fictif", PresentCount = rencontres, PresentMinutes = rencontres * 60 });
        var outcomes = System.Enum.GetValues<RencontreOutcome>().Where(o => o != RencontreOutcome.Unspecified).ToArray();
        for (var i = 0; i < rencontres; i++)
        {
            var rencontre = new NotedRencontre { StartTime = At(20 + (i * 14)), DurationMinutes = 120, TimeZone = "Europe/Paris", Outcome = outcomes[i % outcomes.Length], HeldMinutes = outcomes[i % outcomes.Length] == RencontreOutcome.Held ? 105 : 0 };
            rencontre.Presences.Add(new NotedPresence { Role = PartyRole.Hote });
            rencontre.Presences.Add(new NotedPresence { Role = PartyRole.Visiteur, State = Came(rencontre.Outcome, RencontreOutcome.VisiteurAbsent) });
            rencontre.Presences.Add(new NotedPresence { Role = PartyRole.Enfant, State = Came(rencontre.Outcome, RencontreOutcome.Unspecified) });
            note.Rencontres.Add(rencontre);
        }

        note.OutcomeCounts.AddRange(note.Rencontres.GroupBy(r => r.Outcome).Select(g => new OutcomeCount { Outcome = g.Key, Count = g.Count() }));
        return note;

        static PresenceState Came(RencontreOutcome outcome, RencontreOutcome absent) =>
            outcome == absent ? PresenceState.Absent : outcome == RencontreOutcome.Held ? PresenceState.Present : PresenceState.Unspecified;

        static Timestamp At(int days) => new DateTimeOffset(2026, 3, 2, 13, 0, 0, TimeSpan.Zero).AddDays(days).ToProto();
    }
}
