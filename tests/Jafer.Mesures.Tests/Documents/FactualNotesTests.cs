using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Documents;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Printing;
using Xunit;
using Child = Jafer.Mesures.Domain.Child;
using Decision = Jafer.Mesures.Domain.Decision;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Party = Jafer.Mesures.Domain.Party;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>What a note takes from the record, and what it leaves there.</summary>
public sealed class FactualNotesTests
{
    private static readonly DateTimeOffset s_now = Samples.Now;

    private static readonly Mesure s_mesure = Mesure.Create(
        NewId(), "TJ69123-2026-000042", NewId(), new Decision { Date = new(2026, 3, 2), RgNumber = "26/01234", Modalite = Modalite.Visite, Restrictions = "Texte libre" }, NewId(),
        new Acting(NewId(), "greffe", s_now, s_now));

    private static readonly Party[] s_parties =
    [
        new() { Id = NewId(), MesureId = s_mesure.Id, Role = PartyRole.Visiteur, GivenName = "Dominique", FamilyName = "Exemple" },
        new() { Id = NewId(), MesureId = s_mesure.Id, Role = PartyRole.Hote, GivenName = "Camille", FamilyName = "Fictif" },
    ];

    private static readonly Child[] s_children =
    [
        new() { Id = NewId(), MesureId = s_mesure.Id, Position = 0, GivenName = "Alix" },
        new() { Id = NewId(), MesureId = s_mesure.Id, Position = 1, GivenName = "Lou" },
    ];

    [Fact]
    public void Write_HeldRencontres_CountMinutesForWhoCame()
    {
        var note = Write(Rencontre(-30, RencontreOutcome.Held, true, 0, 1), Rencontre(-20, RencontreOutcome.Held, true, 0));

        Assert.Equal(240, note.HeldMinutes);
        Assert.Equal([PartyRole.Hote, PartyRole.Visiteur, PartyRole.Enfant, PartyRole.Enfant], note.Persons.Select(p => p.Role));
        Assert.Equal((2, 0, 0, 240), Counts(note.Persons[1]));
        Assert.Equal((2, 0, 0, 240), Counts(note.Persons[2]));
        Assert.Equal((1, 1, 0, 120), Counts(note.Persons[3]));

        // Nobody recorded whether the hôte came: nothing is inferred.
        Assert.Equal((0, 0, 2, 0), Counts(note.Persons[0]));
    }

    [Theory]
    [InlineData(RencontreOutcome.VisiteurAbsent, PresenceState.Unspecified, PresenceState.Absent)]
    [InlineData(RencontreOutcome.HoteAbsent, PresenceState.Absent, PresenceState.Unspecified)]
    [InlineData(RencontreOutcome.ChildRefused, PresenceState.Unspecified, PresenceState.Unspecified)]
    [InlineData(RencontreOutcome.CancelledByVisiteur, PresenceState.Unspecified, PresenceState.Unspecified)]
    [InlineData(RencontreOutcome.CancelledByEspace, PresenceState.Unspecified, PresenceState.Unspecified)]
    public void Write_NotHeld_SaysWhoDidNotComeAsCodedAndNoMore(RencontreOutcome outcome, PresenceState hote, PresenceState visiteur)
    {
        var note = Write(Rencontre(-10, outcome, false));

        var noted = Assert.Single(note.Rencontres);
        Assert.Equal([hote, visiteur, PresenceState.Unspecified, PresenceState.Unspecified], noted.Presences.Select(p => p.State));
        Assert.Equal(outcome, noted.Outcome);
        Assert.Equal(0, note.HeldMinutes);
    }

    [Fact]
    public void Write_PresenceSaidPersonByPerson_CountsWithItsMinutesLateAndTheRealLength()
    {
        var rencontre = Rencontre(-10, RencontreOutcome.Held, true, 0);
        rencontre.ActualStartAt = rencontre.StartsAt.AddMinutes(20);
        rencontre.ActualEndAt = rencontre.StartsAt.AddMinutes(110);
        rencontre.Presences = [new(PartyRole.Hote, null, true, 0), new(PartyRole.Visiteur, null, true, 20), new(PartyRole.Enfant, s_children[0].Id, true, 0), new(PartyRole.Enfant, s_children[1].Id, false, 0)];

        var note = Write(rencontre);

        Assert.Equal(90, note.HeldMinutes);
        Assert.Equal([(1, 0, 0, 90), (1, 0, 0, 90), (1, 0, 0, 90), (0, 1, 0, 0)], note.Persons.Select(Counts));
        Assert.Equal((1, 20), (note.Persons[1].LateCount, note.Persons[1].LateMinutes));
        var page = TextOf(FactualNotePage.Write(note, "Europe/Paris"));
        Assert.Contains("visiteur (20 minutes de retard)", page, StringComparison.Ordinal);
        Assert.Contains("1 fois, 20 minutes en tout", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ARemise_SaysBothHalvesAndTakesNoTime()
    {
        var remise = new Rencontre
        {
            Id = NewId(),
            MesureId = s_mesure.Id,
            Kind = RencontreKind.Remise,
            StartsAt = s_now.AddDays(-3),
            ReturnsAt = s_now.AddDays(-1),
            DurationMinutes = 15,
            TimeZone = "Europe/Paris",
            Outcome = RencontreOutcome.Held,
            ReturnOutcome = RencontreOutcome.VisiteurAbsent,
            VisiteurPresent = true,
        };

        var note = Write(remise);

        Assert.Equal((RencontreOutcome.VisiteurAbsent, 0, 0), (note.Rencontres[0].ReturnOutcome, note.Rencontres[0].HeldMinutes, note.HeldMinutes));
        Assert.Contains("Remise tenue. Retour : le visiteur n'a pas ramené l'enfant", TextOf(FactualNotePage.Write(note, "Europe/Paris")), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_RencontresToCome_AreCountedButNotListed()
    {
        var note = Write(Rencontre(-1, RencontreOutcome.Scheduled, false), Rencontre(5, RencontreOutcome.Scheduled, false), Rencontre(9, RencontreOutcome.CancelledByHote, false));

        Assert.Equal(1, note.ComingCount);
        Assert.Equal([RencontreOutcome.Scheduled, RencontreOutcome.CancelledByHote], note.Rencontres.Select(r => r.Outcome));
        Assert.Equal([(RencontreOutcome.Scheduled, 1), (RencontreOutcome.CancelledByHote, 1)], note.OutcomeCounts.Select(c => (c.Outcome, c.Count)));
    }

    [Fact]
    public void Write_ContactsAndInterviews_AreInTheOrderOfBusinessTime()
    {
        var facts = new[] { Fact(2, MesureAct.Interview, -3), Fact(3, MesureAct.ContactReached, -9), Fact(4, MesureAct.TakeCharge, -12) };

        var note = FactualNotes.Write(s_mesure, s_parties, s_children, [], facts, s_now);

        Assert.Equal([MesureAct.ContactReached, MesureAct.Interview], note.Steps.Select(s => s.Act));
    }

    [Fact]
    public void Page_OfANote_ShowsNoCodeAndEveryOutcome()
    {
        var page = TextOf(Samples.Notes["note-factuelle"]);

        Assert.DoesNotMatch("[A-Z]{3,}_[A-Z]", page);
        Assert.All(["le visiteur n'est pas venu", "l'hôte n'a pas amené l'enfant", "l'enfant a refusé", "force majeure", "Issue non enregistrée", "aucune appréciation"],
            part => Assert.Contains(part, page, StringComparison.Ordinal));
        Assert.Contains("Note provisoire", TextOf(Samples.Notes["note-vide"]), StringComparison.Ordinal);
    }

    private static string TextOf(PrintedDocument document) => System.Net.WebUtility.HtmlDecode(HtmlWriter.Write(document)).Replace('\u00a0', ' ');

    private static (int, int, int, int) Counts(NotedPerson person) => (person.PresentCount, person.AbsentCount, person.NotRecordedCount, person.PresentMinutes);

    private static FactualNote Write(params Rencontre[] rencontres) => FactualNotes.Write(s_mesure, s_parties, s_children, rencontres, [], s_now);

    private static Rencontre Rencontre(int days, RencontreOutcome outcome, bool visiteur, params int[] children) => new()
    {
        Id = NewId(),
        MesureId = s_mesure.Id,
        StartsAt = s_now.AddDays(days),
        DurationMinutes = 120,
        TimeZone = "Europe/Paris",
        Outcome = outcome,
        VisiteurPresent = visiteur,
        PresentChildIds = [.. children.Select(i => s_children[i].Id)],
    };

    private static MesureFact Fact(long version, MesureAct act, int days) => new()
    {
        Id = NewId(),
        MesureId = s_mesure.Id,
        Version = version,
        Act = act,
        OccurredAt = s_now.AddDays(days),
        RecordedAt = s_now,
        Details = new FactDetails { PartyRole = PartyRole.Hote },
    };

    private static Guid NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
}
