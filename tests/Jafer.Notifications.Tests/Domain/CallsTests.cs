using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Domain;

public sealed class CallsTests
{
    private static readonly TestMesure s_mesure = TestMesure.Create();
    private static readonly Guid s_court = s_mesure.JuridictionId;
    private static readonly Guid s_espace = s_mesure.GestionnaireId;

    [Fact]
    public void For_AnotherHolder_TellsTheNewOne()
    {
        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.Transmitted(), s_court));
        Assert.Equal(new Call(s_court, s_mesure.Id), Calls.For(s_mesure.InformationRequested(), s_espace));
        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.InformationProvided(), s_court));
    }

    [Fact]
    public void For_TheSameHolderTheFamilyOrNobody_TellsNobody()
    {
        foreach (var step in new MesureEvent[] { s_mesure.Acknowledged(), s_mesure.Contact("ESPACE"), s_mesure.Contact("FAMILLE"), s_mesure.Scheduled(), s_mesure.Closed() })
        {
            Assert.Null(Calls.For(step, s_espace));
        }
    }

    [Fact]
    public void For_ADraft_TellsNobody()
    {
        Assert.Null(Calls.For(s_mesure.Created(), null));
        Assert.Null(Calls.For(s_mesure.Completed(), null));
    }

    [Fact]
    public void For_ADifficulty_TellsTheCourtAndItsAnswerTheEspace()
    {
        Assert.Equal(new Call(s_court, s_mesure.Id, Urgent: true), Calls.For(s_mesure.Difficulty(urgent: true), s_espace));
        Assert.Equal(new Call(s_court, s_mesure.Id), Calls.For(s_mesure.Difficulty(urgent: false), s_espace));
        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.DifficultyAnswered(), s_espace));
    }

    [Fact]
    public void For_NewTerms_TellsTheEspaceUnlessItAgreedThemItself()
    {
        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.Modified(), s_espace));
        Assert.Null(Calls.For(new TestMesure(null, s_espace).Modified(), s_espace));
    }

    [Fact]
    public void For_AProposalToClose_TellsTheCourt() => Assert.Equal(new Call(s_court, s_mesure.Id), Calls.For(s_mesure.ClosureProposed(), null));

    [Fact]
    public void For_ADeadline_RemindsWhoMissedItAndTheirColleaguesWhenItIsEscalated()
    {
        Assert.Equal(new Call(s_espace, s_mesure.Id, Rung: ReminderRung.MustAct, Reminder: 1), Calls.For(s_mesure.DeadlineDue("ACKNOWLEDGE", "ESPACE"), s_espace));
        Assert.Equal(new Call(s_court, s_mesure.Id, Rung: ReminderRung.MustAct, Reminder: 1), Calls.For(s_mesure.DeadlineDue("ANSWER_DIFFICULTY", "JURIDICTION"), s_espace));
        Assert.Equal(
            new Call(s_court, s_mesure.Id, Urgent: true, Rung: ReminderRung.Colleague, Reminder: 1),
            Calls.For(s_mesure.DeadlineDue("ESCALATE_DIFFICULTY", "JURIDICTION", escalated: true), s_espace));
        Assert.Equal(
            new Call(s_court, s_mesure.Id, Urgent: true, Rung: ReminderRung.MustAct, Reminder: 2),
            Calls.For(s_mesure.DeadlineDue("ACKNOWLEDGE_DIFFICULTY", "JURIDICTION") with { Urgent = true, Rung = "MUST_ACT", Reminder = 2 }, s_espace));
        Assert.Null(Calls.For(s_mesure.Delivered(), s_court));
    }

    [Fact]
    public void For_AReminder_RemindsTheRungAloneAndALiftedDeadlineNobody()
    {
        var operatorId = TestMesure.NewId();
        foreach (var (mustAct, rung, told) in new[]
        {
            ("ESPACE", ReminderRung.MustAct, s_espace), ("ESPACE", ReminderRung.Colleague, s_espace), ("JURIDICTION", ReminderRung.Manager, s_court), ("ESPACE", ReminderRung.Operator, operatorId),
        })
        {
            Assert.Equal(
                new Call(told, s_mesure.Id, Rung: rung, Reminder: 3), Calls.For(s_mesure.ReminderDue("ACKNOWLEDGE", mustAct, rung.ToCode(), 3), s_espace, operatorId));
        }

        Assert.Null(Calls.For(s_mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "OPERATOR", 1), s_espace));
        Assert.Equal(ReminderRung.MustAct, Calls.For(s_mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "ADDED_LATER", 1), s_espace)!.Value.Rung);
        Assert.Null(Calls.For(s_mesure.DeadlineLifted("ACKNOWLEDGE", "ESPACE"), s_court, operatorId));
    }

    [Fact]
    public void For_ACredentialThatEnds_TellsTheOrganisationsThatHaveContacts()
    {
        var credential = TestMesure.NewId();

        Assert.Equal(new Call(s_espace, credential), Calls.For(TestEspace.CredentialEnding(credential, s_espace, "espace", 30), null));
        Assert.Equal(new Call(s_court, credential), Calls.For(TestEspace.CredentialEnding(credential, s_court, "juridiction", 7), null));
        Assert.Null(Calls.For(TestEspace.CredentialEnding(credential, s_court, "partenaire", 7), null));
        Assert.Equal(["CREDENTIAL_IN_ONE_MONTH", "CREDENTIAL_IN_ONE_WEEK"], new[] { 30, 7 }.Select(d => Calls.DetailOf(TestEspace.CredentialEnding(credential, s_court, "espace", d))));
    }

    [Fact]
    public void For_AReminderOfAnEspacesUpkeep_RemindsTheGestionnaireAndTheOperatorLast()
    {
        var (espace, operatorId) = (TestMesure.NewId(), TestMesure.NewId());

        Assert.Equal(
            new Call(s_espace, espace, OnceADay: true, Rung: ReminderRung.Manager, Reminder: 1), Calls.For(TestEspace.UpkeepReminder(espace, s_espace, "WAIT_STALE", "MANAGER"), null, operatorId));
        Assert.Equal(
            new Call(operatorId, espace, OnceADay: true, Rung: ReminderRung.Operator, Reminder: 1), Calls.For(TestEspace.UpkeepReminder(espace, s_espace, "AGREMENT_ENDED", "OPERATOR"), null, operatorId));
    }

    [Fact]
    public void For_AMessage_TellsTheOtherSide()
    {
        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.Message(s_court, 2), null));
        Assert.Equal(new Call(s_court, s_mesure.Id), Calls.For(s_mesure.Message(s_espace, 2), null));
        Assert.Null(Calls.For(s_mesure.Read(s_espace, 2), null));
        Assert.Null(Calls.For(new TestMesure(null, s_espace).Message(s_espace, 2), null));
    }

    [Fact]
    public void For_AnUrgentMessage_TellsTheOtherSideAtOnce()
    {
        foreach (var kind in new[] { "DIFFICULTE", "DANGER" })
        {
            Assert.Equal(new Call(s_espace, s_mesure.Id, Urgent: true), Calls.For(s_mesure.Message(s_court, 2) with { MessageKind = kind }, null));
        }

        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.Message(s_court, 2) with { MessageKind = "ORDINAIRE" }, null));
    }

    [Fact]
    public void For_AMessageThatExpectsSomethingInAThreadOfOneSide_TellsThatSide()
    {
        var posted = new TestMesure(null, s_espace).Message(s_espace, 2);

        foreach (var kind in new[] { "DIFFICULTE", "DANGER" })
        {
            Assert.Equal(new Call(s_espace, posted.AggregateId, Urgent: true), Calls.For(posted with { MessageKind = kind }, null));
        }

        Assert.Equal(new Call(s_espace, posted.AggregateId), Calls.For(posted with { AnswerDueAt = posted.OccurredAt.AddDays(2) }, null));
        Assert.Null(Calls.For(posted with { MessageKind = "ORDINAIRE" }, null));
    }

    [Fact]
    public void For_AMessageOfAnEspacesThread_TellsTheOperatorOrTheGestionnaireByTheEspace()
    {
        var operatorId = TestMesure.NewId();
        var posted = new TestMesure(null, s_espace).Message(s_espace, 2) with { ThreadKind = "ESPACE", OperateurId = operatorId };

        Assert.Equal(operatorId, Calls.For(posted, null)!.Value.OrganisationId);
        Assert.Equal(s_espace, Calls.For(posted with { AuthorOrganisationId = operatorId }, null)!.Value.OrganisationId);
        Assert.Equal(MailText.MessageOfEspace, Calls.DetailOf(posted));
        Assert.Null(Calls.DetailOf(s_mesure.Message(s_court, 2)));
    }

    [Fact]
    public void For_WhatIsOverdue_TellsWhoMustActAlone()
    {
        Assert.Equal(new Call(s_court, s_mesure.Id, Rung: ReminderRung.MustAct, Reminder: 1), Calls.For(s_mesure.Overdue(s_court, "ANSWER"), null));
        Assert.Equal(new Call(s_espace, s_mesure.Id, Urgent: true, Rung: ReminderRung.MustAct, Reminder: 1), Calls.For(s_mesure.Overdue(s_espace, "ACKNOWLEDGEMENT"), null));
        Assert.Equal(new Call(s_espace, s_mesure.Id, Urgent: true, Rung: ReminderRung.Colleague, Reminder: 3), Calls.For(s_mesure.Overdue(s_espace, "ACKNOWLEDGEMENT", escalated: true), null));
        var operatorId = TestMesure.NewId();
        Assert.Equal(
            new Call(s_court, s_mesure.Id, Rung: ReminderRung.Manager, Reminder: 1), Calls.For(s_mesure.Overdue(s_court, "ANSWER") with { Rung = "MANAGER" }, null, operatorId));
        Assert.Equal(
            new Call(operatorId, s_mesure.Id, Urgent: true, Rung: ReminderRung.Operator, Reminder: 2),
            Calls.For(s_mesure.Overdue(s_espace, "ACKNOWLEDGEMENT", escalated: true) with { Rung = "OPERATOR", Number = 2 }, null, operatorId));
        Assert.Equal("ANSWER_OVERDUE", Calls.DetailOf(s_mesure.Overdue(s_court, "ANSWER")));
        Assert.Equal("ESPACE_ANSWER_OVERDUE", Calls.DetailOf(s_mesure.Overdue(s_court, "ANSWER") with { ThreadKind = "ESPACE" }));
    }

    [Fact]
    public void For_WhatConcernsAnEspace_TellsOnceADayByTheEspace()
    {
        var espace = TestMesure.NewId();
        Assert.Equal(new Call(s_espace, espace, OnceADay: true), Calls.For(TestEspace.GroupStale(espace, s_espace, "ATTENTE", "VISITE"), null));
        Assert.Equal(new Call(s_espace, espace, OnceADay: true), Calls.For(TestEspace.AgrementEnded(espace, s_espace), null));
        Assert.Equal(new Call(s_espace, espace, OnceADay: true), Calls.For(TestEspace.AgrementLieuEnded(espace, s_espace), null));

        var retired = s_mesure.AgrementRetired();
        Assert.Equal(new Call(s_court, retired.EspaceId!.Value, OnceADay: true), Calls.For(retired, s_espace));
        Assert.Null(Calls.For(new TestMesure(null, s_espace).AgrementRetired(), s_espace));
    }

    [Fact]
    public void For_ASilentSource_TellsItsGestionnaire()
    {
        Assert.Equal(new Call(s_espace, s_espace), Calls.For(TestEspace.SourceSilent(s_espace), null));
        Assert.Equal(new Call(s_espace, s_espace), Calls.For(TestEspace.ConsumerSilent(s_espace), null));
    }

    [Fact]
    public void For_TheSurvey_TellsTheGestionnaireOnceADay()
    {
        Assert.Equal(new Call(s_espace, s_espace, OnceADay: true), Calls.For(EventTypes.Blank<SurveyOpened>() with { GestionnaireId = s_espace }, null));
        Assert.Equal(new Call(s_espace, s_espace, OnceADay: true), Calls.For(EventTypes.Blank<SurveyReminderDue>() with { GestionnaireId = s_espace }, null));
    }

    [Fact]
    public void Of_Silence_TellsWhoFellSilentAndTheOperatorInOtherWords()
    {
        var operatorId = TestMesure.NewId();
        Assert.Equal(
            [new Call(s_espace, s_espace), new Call(operatorId, s_espace, Detail: MailText.SilentSource)],
            Calls.Of(TestEspace.SourceSilent(s_espace), null, operatorId));
        Assert.Equal(
            [new Call(s_espace, s_espace), new Call(operatorId, s_espace, Detail: MailText.SilentConsumer)],
            Calls.Of(TestEspace.ConsumerSilent(s_espace), null, operatorId));
        Assert.Equal([new Call(operatorId, operatorId)], Calls.Of(TestEspace.ConsumerSilent(operatorId), null, operatorId));
        Assert.Equal([new Call(operatorId, operatorId, OnceADay: true)], Calls.Of(TestEspace.RetentionOverdue(), null, operatorId));
        Assert.Single(Calls.Of(TestEspace.ConsumerSilent(s_espace), null, null));
        Assert.Equal([new Call(s_espace, s_mesure.Id)], Calls.Of(s_mesure.Transmitted(), s_court, operatorId));
        Assert.Empty(Calls.Of(s_mesure.Created(), null, operatorId));
    }

    [Fact]
    public void For_AnEnquiry_TellsTheEspaceAndItsAnswerWhoAsked()
    {
        var enquiry = TestMesure.NewId();
        Assert.Equal(new Call(s_espace, enquiry), Calls.For(TestEspace.EnquiryOpened(enquiry, s_espace), null));
        Assert.Equal(new Call(s_court, enquiry), Calls.For(TestEspace.EnquiryAnswered(enquiry, s_espace, s_court), null));
    }

    [Fact]
    public void For_ARefusedAttachment_TellsWhoUploadedIt()
    {
        Assert.Equal(new Call(s_espace, s_mesure.Id), Calls.For(s_mesure.AttachmentRefused(s_espace, TestMesure.NewId()), null));
        Assert.Null(Calls.For(s_mesure.AttachmentCleared(s_espace, TestMesure.NewId()), null));
    }
}
