using Jafer.Contracts.Events;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>What waits to be mailed of a message that was answered meanwhile. No mail server is configured: everything waits.</summary>
public sealed class DroppedMailTests(NotificationsFixture fixture) : IClassFixture<NotificationsFixture>
{
    [Fact]
    public async Task Message_AnsweredBeforeItsMailIsSent_IsNotMailedNorThatItIsOverdue()
    {
        var mesure = TestMesure.Create();
        var (answered, other) = (TestMesure.NewId(), TestMesure.NewId());
        await fixture.ApplyAsync(
            mesure.Message(mesure.GestionnaireId, 2) with { MessageId = answered }, mesure.Overdue(mesure.JuridictionId, "ANSWER") with { MessageId = answered },
            mesure.Overdue(mesure.JuridictionId, "ANSWER") with { MessageId = other });

        await fixture.ApplyAsync(mesure.Message(mesure.JuridictionId, 3) with { AnswersMessageId = answered });

        Assert.Equal(
            ["messaging.message-overdue.v1 DROPPED", "messaging.message-overdue.v1 QUEUED", "messaging.message-posted.v1 DROPPED"], await OfCourtAsync(mesure));
    }

    [Fact]
    public async Task Message_WhoseCorrectionIsAnswered_IsNotRemindedOf()
    {
        var mesure = TestMesure.Create();
        var (asked, correction, other) = (TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId());
        await fixture.ApplyAsync(
            mesure.Message(mesure.GestionnaireId, 2) with { MessageId = asked }, mesure.Message(mesure.GestionnaireId, 3) with { MessageId = correction, CorrectsMessageId = asked },
            mesure.Overdue(mesure.JuridictionId, "ANSWER") with { MessageId = asked }, mesure.Overdue(mesure.JuridictionId, "ANSWER") with { MessageId = other });

        await fixture.ApplyAsync(mesure.Message(mesure.JuridictionId, 4) with { AnswersMessageId = correction, MetMessageIds = [correction, asked] });

        Assert.Equal(
            ["messaging.message-overdue.v1 DROPPED", "messaging.message-overdue.v1 QUEUED", "messaging.message-posted.v1 DROPPED", "messaging.message-posted.v1 DROPPED"],
            await OfCourtAsync(mesure));
    }

    [Fact]
    public async Task Silence_OfSoftware_IsToldToItsOrganisationAndToTheOperatorOnceADay()
    {
        var (organisation, operatorId) = (TestMesure.NewId(), new ServiceDefaults.EscalationOptions().OperatorId);

        await fixture.ApplyAsync(TestEspace.SourceSilent(organisation), TestEspace.SourceSilent(organisation), TestEspace.ConsumerSilent(organisation));

        Assert.Equal(
            new[] { $"{operatorId} CONSUMER_SILENT", $"{operatorId} SOURCE_SILENT", $"{organisation}", $"{organisation}" }.Order(StringComparer.Ordinal),
            (await fixture.Database.ReadAllAsync<string>($"select concat_ws(' ', organisation_id, deadline) from deliveries where mesure_id = '{organisation}'")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Message_AcknowledgedOrWithdrawnBeforeItsReminderIsSent_IsNotRemindedOf()
    {
        var mesure = TestMesure.Create();
        var (urgent, question) = (TestMesure.NewId(), TestMesure.NewId());
        await fixture.ApplyAsync(
            mesure.Overdue(mesure.JuridictionId, "ACKNOWLEDGEMENT") with { MessageId = urgent }, mesure.Overdue(mesure.JuridictionId, "ANSWER") with { MessageId = question });

        await fixture.ApplyAsync(
            new MessageAcknowledged
            {
                EventId = TestMesure.NewId(),
                AggregateId = mesure.Id,
                AggregateVersion = 3,
                OccurredAt = Now,
                RecordedAt = Now,
                MessageId = urgent,
                JuridictionId = mesure.JuridictionId,
                GestionnaireId = mesure.GestionnaireId,
                AcknowledgerOrganisationId = mesure.JuridictionId,
            },
            new QuestionWithdrawn
            {
                EventId = TestMesure.NewId(),
                AggregateId = mesure.Id,
                AggregateVersion = 4,
                OccurredAt = Now,
                RecordedAt = Now,
                MessageId = question,
                JuridictionId = mesure.JuridictionId,
                GestionnaireId = mesure.GestionnaireId,
                AuthorOrganisationId = mesure.GestionnaireId,
            });

        Assert.Equal(["messaging.message-overdue.v1 DROPPED", "messaging.message-overdue.v1 DROPPED"], await OfCourtAsync(mesure));
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private Task<IReadOnlyList<string>> OfCourtAsync(TestMesure mesure) => fixture.Database.ReadAllAsync<string>(
        $"select event_type || ' ' || state from deliveries where mesure_id = '{mesure.Id}' and organisation_id = '{mesure.JuridictionId}' order by 1");
}
