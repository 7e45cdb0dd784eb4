using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Events;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Domain;

public sealed class AudienceTests
{
    private static readonly TestMesure s_mesure = TestMesure.Create();

    [Fact]
    public void Of_ADraft_IsItsCourtAlone()
    {
        foreach (var draft in new MesureEvent[] { s_mesure.Created(), s_mesure.Updated(), s_mesure.Completed() with { GestionnaireId = s_mesure.GestionnaireId } })
        {
            Assert.Equal([new Addressee(s_mesure.JuridictionId, true)], Audience.Of(draft));
        }
    }

    [Fact]
    public void Of_ANonJudicialMesure_IsItsEspaceAlone()
    {
        var mesure = new TestMesure(null, TestMesure.NewId());

        Assert.Equal([new Addressee(mesure.GestionnaireId, true)], Audience.Of(mesure.Created()));
        Assert.Equal([new Addressee(mesure.GestionnaireId, false)], Audience.Of(mesure.Closed()));
    }

    [Fact]
    public void Of_AStep_IsBothSidesAndTheHolderMustAct()
    {
        AssertMustAct(s_mesure.Transmitted(), s_mesure.GestionnaireId);
        AssertMustAct(s_mesure.InformationRequested(), s_mesure.JuridictionId);
        AssertMustAct(s_mesure.Contact("FAMILLE"));
        AssertMustAct(s_mesure.Closed());
    }

    [Fact]
    public void Of_ADifficulty_MakesTheCourtActWhoeverHoldsTheMesure()
    {
        AssertMustAct(s_mesure.Difficulty(urgent: false), s_mesure.JuridictionId, s_mesure.GestionnaireId);
        AssertMustAct(s_mesure.Difficulty(urgent: true) with { Holder = "FAMILLE" }, s_mesure.JuridictionId);
    }

    [Fact]
    public void Of_NewTermsOrAProposal_MakesTheOneActWhoDidNotMakeIt()
    {
        AssertMustAct(s_mesure.Modified() with { Holder = "FAMILLE" }, s_mesure.GestionnaireId);
        AssertMustAct(s_mesure.ClosureProposed(), s_mesure.JuridictionId);
    }

    [Fact]
    public void Of_AMessage_IsBothSidesAndOnlyTheOtherMustAct()
    {
        AssertMustAct(s_mesure.Message(s_mesure.JuridictionId, 2), s_mesure.GestionnaireId);
        AssertMustAct(s_mesure.Message(s_mesure.GestionnaireId, 3), s_mesure.JuridictionId);
        AssertMustAct(s_mesure.Read(s_mesure.JuridictionId, 3));
    }

    [Fact]
    public void Of_WhatConcernsAnEspace_IsItsGestionnaireAlone()
    {
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(TestEspace.GroupStale(TestMesure.NewId(), s_mesure.GestionnaireId, "LIEUX")));
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(TestEspace.AgrementEnded(TestMesure.NewId(), s_mesure.GestionnaireId)));
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(TestEspace.AgrementLieuEnded(TestMesure.NewId(), s_mesure.GestionnaireId)));
    }

    [Fact]
    public void Of_AnOfferAndARequestForSessions_TheGestionnaireMustActAndTheOperatorHearsOfSessions()
    {
        var (gestionnaire, nation) = (s_mesure.GestionnaireId, TestMesure.NewId());
        var freed = TestEspace.SlotFreed(TestMesure.NewId(), gestionnaire);
        var offered = EventTypes.Blank<SlotOffered>() with { EspaceId = freed.EspaceId, GestionnaireId = gestionnaire };
        Assert.Equal([new Addressee(gestionnaire, true)], Audience.Of(offered, nation));
        var expired = EventTypes.Blank<SlotOfferExpired>() with { EspaceId = freed.EspaceId, GestionnaireId = gestionnaire };
        Assert.Equal([new Addressee(gestionnaire, false)], Audience.Of(expired, nation));
        var asked = EventTypes.Blank<SessionsRequested>() with { GestionnaireId = gestionnaire };
        Assert.Equal([(gestionnaire, true), (nation, false)], Audience.Of(asked, nation).OrderByDescending(a => a.MustAct).Select(a => (a.OrganisationId, a.MustAct)));
        var answered = EventTypes.Blank<SessionsAnswered>() with { GestionnaireId = gestionnaire };
        Assert.All(Audience.Of(answered, nation), a => Assert.False(a.MustAct));
        Assert.Equal(2, Audience.Of(answered, nation).Count);
    }

    [Fact]
    public void Of_TheSurvey_IsTheGestionnaireAloneWhoMustAct()
    {
        var gestionnaire = s_mesure.GestionnaireId;
        Assert.Equal([new Addressee(gestionnaire, true)], Audience.Of(EventTypes.Blank<SurveyOpened>() with { GestionnaireId = gestionnaire }, TestMesure.NewId()));
        Assert.Equal([new Addressee(gestionnaire, true)], Audience.Of(EventTypes.Blank<SurveyReminderDue>() with { GestionnaireId = gestionnaire }, TestMesure.NewId()));
    }

    [Fact]
    public void Of_AFreeSlot_IsItsGestionnaireAloneWhoMustActUntilItIsTaken()
    {
        var freed = TestEspace.SlotFreed(TestMesure.NewId(), s_mesure.GestionnaireId);
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(freed));
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, false)], Audience.Of(TestEspace.SlotTaken(freed)));
    }

    [Fact]
    public void Of_ASilentSource_IsItsGestionnaireWhoMustActAndTheOperator()
    {
        var operateur = TestMesure.NewId();

        Assert.Equal(
            new[] { new Addressee(s_mesure.GestionnaireId, true), new Addressee(operateur, false) }.OrderBy(a => a.OrganisationId),
            Audience.Of(TestEspace.SourceSilent(s_mesure.GestionnaireId), operateur));
        Assert.Equal(
            Audience.Of(TestEspace.SourceSilent(s_mesure.GestionnaireId), operateur),
            Audience.Of(TestEspace.ConsumerSilent(s_mesure.GestionnaireId), operateur));
    }

    [Fact]
    public void Of_RetentionThatIsOverdue_IsTheOperatorAlone()
    {
        var operateur = TestMesure.NewId();

        Assert.Equal([new Addressee(operateur, true)], Audience.Of(TestEspace.RetentionOverdue(), operateur));
        Assert.Empty(Audience.Of(TestEspace.RetentionOverdue()));
    }

    [Fact]
    public void Of_AnAgrementRetired_IsBothSidesAndTheCourtMustAct() => AssertMustAct(s_mesure.AgrementRetired(), s_mesure.JuridictionId, s_mesure.GestionnaireId);

    [Fact]
    public void Of_ADeadline_IsBothSidesAndWhoMissedItMustAct()
    {
        AssertMustAct(s_mesure.DeadlineDue("ACKNOWLEDGE", "ESPACE"), s_mesure.GestionnaireId);
        AssertMustAct(s_mesure.DeadlineDue("ANSWER_DIFFICULTY", "JURIDICTION"), s_mesure.JuridictionId);
        Assert.Equal([new Addressee(s_mesure.JuridictionId, true)], Audience.Of(s_mesure.DeadlineDue("TRANSMIT", "JURIDICTION")));
    }

    [Fact]
    public void Of_AnEscalatedDeadline_IsTheOperatorToo()
    {
        var operatorId = TestMesure.NewId();
        var audience = Audience.Of(s_mesure.DeadlineDue("ESCALATE_DIFFICULTY", "JURIDICTION", escalated: true), operatorId);

        Assert.Equal(new[] { s_mesure.JuridictionId, s_mesure.GestionnaireId, operatorId }.Order(), audience.Select(a => a.OrganisationId));
        Assert.Equal([s_mesure.JuridictionId], audience.Where(a => a.MustAct).Select(a => a.OrganisationId));
        Assert.DoesNotContain(operatorId, Audience.Of(s_mesure.DeadlineDue("ACKNOWLEDGE", "ESPACE"), operatorId).Select(a => a.OrganisationId));
    }

    [Fact]
    public void Of_AnOverdueMessage_IsWhoMustActAloneAndTheOperatorAtLast()
    {
        var operatorId = TestMesure.NewId();

        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(s_mesure.Overdue(s_mesure.GestionnaireId, "ANSWER"), operatorId));
        Assert.Equal(
            new[] { new Addressee(s_mesure.GestionnaireId, true), new Addressee(operatorId, false) }.OrderBy(a => a.OrganisationId),
            Audience.Of(s_mesure.Overdue(s_mesure.GestionnaireId, "ACKNOWLEDGEMENT", escalated: true), operatorId));
        Assert.Equal([operatorId], Audience.Of(s_mesure.Overdue(s_mesure.GestionnaireId, "ANSWER", escalated: true) with { Rung = "OPERATOR" }, operatorId).Select(a => a.OrganisationId));
    }

    [Fact]
    public void Of_AMessageOfAnEspacesThread_IsTheGestionnaireAndTheOperator()
    {
        var operatorId = TestMesure.NewId();
        var posted = new TestMesure(null, s_mesure.GestionnaireId).Message(operatorId, 1) with { ThreadKind = "ESPACE", OperateurId = operatorId };

        Assert.Equal(
            new[] { new Addressee(s_mesure.GestionnaireId, true), new Addressee(operatorId, false) }.OrderBy(a => a.OrganisationId), Audience.Of(posted, operatorId));
    }

    [Fact]
    public void Of_AReminder_IsTheRungThatItIsForAlone()
    {
        var operatorId = TestMesure.NewId();

        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(s_mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "MUST_ACT", 2), operatorId));
        Assert.Equal([new Addressee(s_mesure.JuridictionId, true)], Audience.Of(s_mesure.ReminderDue("ANSWER_DIFFICULTY", "JURIDICTION", "MANAGER", 1), operatorId));
        Assert.Equal([new Addressee(operatorId, true)], Audience.Of(s_mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "OPERATOR", 1), operatorId));
        Assert.Empty(Audience.Of(s_mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "OPERATOR", 1)));

        var espace = TestMesure.NewId();
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(TestEspace.UpkeepReminder(espace, s_mesure.GestionnaireId, "WAIT_STALE", "MANAGER"), operatorId));
        Assert.Equal([new Addressee(operatorId, true)], Audience.Of(TestEspace.UpkeepReminder(espace, s_mesure.GestionnaireId, "WAIT_STALE", "OPERATOR"), operatorId));
        Assert.Equal([new Addressee(s_mesure.JuridictionId, true)], Audience.Of(TestEspace.CredentialEnding(espace, s_mesure.JuridictionId, "juridiction", 30), operatorId));
    }

    [Fact]
    public void Of_ALiftedDeadline_IsWhoWasToldOfItAndNobodyMustAct()
    {
        var operatorId = TestMesure.NewId();

        AssertMustAct(s_mesure.DeadlineLifted("ACKNOWLEDGE", "ESPACE"));
        Assert.Equal([new Addressee(s_mesure.JuridictionId, false)], Audience.Of(s_mesure.DeadlineLifted("TRANSMIT", "JURIDICTION"), operatorId));
        Assert.Contains(new Addressee(operatorId, false), Audience.Of(s_mesure.DeadlineLifted("ESCALATE_DIFFICULTY", "JURIDICTION", escalated: true), operatorId));
    }

    [Fact]
    public void Of_AMessageInAThreadOfOneSide_MustBeActedOnOnlyWhereItExpectsSomething()
    {
        var posted = new TestMesure(null, s_mesure.GestionnaireId).Message(s_mesure.GestionnaireId, 2);

        Assert.Equal([new Addressee(s_mesure.GestionnaireId, false)], Audience.Of(posted));
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(posted with { MessageKind = "DANGER" }));
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(posted with { AnswerDueAt = posted.OccurredAt.AddDays(2) }));

        // Where there is another side, it is that one which must act.
        AssertMustAct(s_mesure.Message(s_mesure.GestionnaireId, 2) with { MessageKind = "DANGER" }, s_mesure.JuridictionId);
    }

    [Fact]
    public void Escalation_Unconfigured_GoesToTheOperatorOfTheDevelopmentIssuer() =>
        Assert.Equal(new Guid("91141436-262f-83e3-bd3c-b30ed9574494"), new ServiceDefaults.EscalationOptions().OperatorId);

    [Fact]
    public void Of_AnyEvent_ComesInTheOrderOfIdsOnceEach()
    {
        var id = ArbMap.Default.ArbFor<Guid>();
        Prop.ForAll(id, id, (court, gestionnaire) =>
        {
            var audience = Audience.Of(new TestMesure(court, gestionnaire).Transmitted()).Select(a => a.OrganisationId).ToList();
            return audience.SequenceEqual(new[] { court, gestionnaire }.Distinct().Order());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Of_AnyReminder_ReachesWhoMustActOrTheOperatorByFeedAndMailAlike()
    {
        var operatorId = TestMesure.NewId();
        Prop.ForAll(
            Gen.Elements("JURIDICTION", "ESPACE").ToArbitrary(), Gen.Elements("MUST_ACT", "COLLEAGUE", "MANAGER", "OPERATOR").ToArbitrary(), Gen.Choose(1, 3).ToArbitrary(),
            (mustAct, rung, number) =>
            {
                var reminder = s_mesure.ReminderDue("ACKNOWLEDGE", mustAct, rung, number);
                var told = rung == "OPERATOR" ? operatorId : mustAct == "ESPACE" ? s_mesure.GestionnaireId : s_mesure.JuridictionId;
                return Audience.Of(reminder, operatorId).SequenceEqual([new Addressee(told, true)])
                    && Calls.For(reminder, null, operatorId) is { } call && call.OrganisationId == told && call.Reminder == number;
            }).QuickCheckThrowOnFailure();
    }

    private static void AssertMustAct(DomainEvent message, params Guid[] organisations)
    {
        var audience = Audience.Of(message);
        Assert.Equal(new[] { s_mesure.JuridictionId, s_mesure.GestionnaireId }.Order(), audience.Select(a => a.OrganisationId));
        Assert.Equal(organisations.Order(), audience.Where(a => a.MustAct).Select(a => a.OrganisationId));
    }

    [Fact]
    public void Of_AnEnquiry_GoesToWhoMustAnswerAndTheAnswerToWhoAsked()
    {
        var enquiry = TestMesure.NewId();
        Assert.Equal([new Addressee(s_mesure.GestionnaireId, true)], Audience.Of(TestEspace.EnquiryOpened(enquiry, s_mesure.GestionnaireId)));
        Assert.Equal([new Addressee(s_mesure.JuridictionId, false)], Audience.Of(TestEspace.EnquiryAnswered(enquiry, s_mesure.GestionnaireId, s_mesure.JuridictionId)));
    }

    [Fact]
    public void Of_AnAttachment_IsItsUploadersUntilAMessageNamesIt()
    {
        var uploader = s_mesure.JuridictionId;
        var cleared = s_mesure.AttachmentCleared(uploader, null);
        var refused = s_mesure.AttachmentRefused(uploader, TestMesure.NewId());

        Assert.Equal([new Addressee(uploader, false)], Audience.Of(cleared));
        Assert.Equal([new Addressee(uploader, true)], Audience.Of(refused with { MessageId = null }));
        Assert.Equal(
            new[] { new Addressee(uploader, true), new Addressee(s_mesure.GestionnaireId, false) }.OrderBy(a => a.OrganisationId), Audience.Of(refused));
        Assert.Equal(2, Audience.Of(cleared with { MessageId = TestMesure.NewId() }).Count);
    }
}
