using Jafer.Contracts.Events;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>What waits to be mailed of a message that was answered meanwhile. No mail server is configured: everything waits.</summary>
public sealed class DroppedMailTests(NotificationsFixture fixture)
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
    public async Task Silence_OfEachSoftware_IsToldToItsOrganisationAndToTheOperator()
    {
        var (organisation, operatorId) = (TestMesure.NewId(), new ServiceDefaults.EscalationOptions().OperatorId);

        await fixture.ApplyAsync(TestEspace.SourceSilent(organisation), TestEspace.SourceSilent(organisation), TestEspace.ConsumerSilent(organisation));

        Assert.Equal(
            new[]
            {
                $"{operatorId} CONSUMER_SILENT", $"{operatorId} SOURCE_SILENT", $"{operatorId} SOURCE_SILENT", $"{organisation}", $"{organisation}", $"{organisation}",
            }.Order(StringComparer.Ordinal),
            (await fixture.Database.ReadAllAsync<string>($"select concat_ws(' ', organisation_id, deadline) from deliveries where mesure_id = '{organisation}'")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task StaleGroups_AllConfirmedBeforeTheirMailIsSent_AreNotRemindedOfAndTheNextOneIs()
    {
        var (espace, gestionnaire) = (TestMesure.NewId(), TestMesure.NewId());
        await fixture.ApplyAsync(
            TestEspace.GroupStale(espace, gestionnaire, "LIEUX"), TestEspace.GroupStale(espace, gestionnaire, "MODALITE", "VISITE"), TestEspace.GroupStale(espace, gestionnaire, "ATTENTE", "VISITE"));
        await fixture.ApplyAsync(
            TestEspace.GroupConfirmed(espace, gestionnaire, "LIEUX"), TestEspace.GroupConfirmed(espace, gestionnaire, "MODALITE", "REMISE_ENFANT"), TestEspace.WaitDeclared(espace, gestionnaire, "VISITE"));
        Assert.Equal(["QUEUED {\"MODALITE VISITE\"}"], await OfEspaceAsync());

        await fixture.ApplyAsync(TestEspace.GroupConfirmed(espace, gestionnaire, "MODALITE", "VISITE"));
        Assert.Equal(["DROPPED {}"], await OfEspaceAsync());

        // The mail of the day was never sent: what comes now is told.
        await fixture.ApplyAsync(TestEspace.GroupStale(espace, gestionnaire, "ACCUEIL"));
        Assert.Equal(["DROPPED {}", "QUEUED {ACCUEIL}"], await OfEspaceAsync());

        Task<IReadOnlyList<string>> OfEspaceAsync() =>
            fixture.Database.ReadAllAsync<string>($"select state || ' ' || items::text from deliveries where mesure_id = '{espace}' order by 1");
    }

    [Fact]
    public async Task UpkeepReminders_OfWhatWasSeenTo_AreNotMailed()
    {
        var (espace, gestionnaire) = (TestMesure.NewId(), TestMesure.NewId());
        var ending = TestEspace.UpkeepReminder(espace, gestionnaire, "AGREMENT_IN_ONE_MONTH", "MUST_ACT") with { DueDate = new DateOnly(2026, 12, 20) };
        await fixture.ApplyAsync(
            TestEspace.UpkeepReminder(espace, gestionnaire, "WAIT_STALE", "MUST_ACT") with { Key = "VISITE" }, ending,
            TestEspace.AgrementEnded(espace, gestionnaire, new DateOnly(2026, 12, 20)));
        EspacePublished Published(int version, params AgrementPeriod[] periods) => TestEspace.Published(espace, gestionnaire, version) with { AgrementPeriods = periods };
        var old = new AgrementPeriod(new DateOnly(2021, 12, 21), new DateOnly(2026, 12, 20));

        // A gap of a day is one all the same.
        await fixture.ApplyAsync(Published(4, old, new AgrementPeriod(new DateOnly(2026, 12, 22), null)), TestEspace.WaitDeclared(espace, gestionnaire, "REMISE_ENFANT"));
        Assert.Equal(["QUEUED", "QUEUED", "QUEUED"], await StatesAsync());

        await fixture.ApplyAsync(Published(5, old, new AgrementPeriod(new DateOnly(2026, 12, 21), null)), TestEspace.WaitDeclared(espace, gestionnaire, "VISITE"));
        Assert.Equal(["DROPPED", "DROPPED", "DROPPED"], await StatesAsync());

        Task<IReadOnlyList<string>> StatesAsync() => fixture.Database.ReadAllAsync<string>($"select state from deliveries where mesure_id = '{espace}'");
    }

    [Fact]
    public async Task AgrementOfALieu_CoveredAgain_IsNotMailed()
    {
        var (espace, gestionnaire, lieu) = (TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId());
        await fixture.ApplyAsync(TestEspace.AgrementLieuEnded(espace, gestionnaire, lieu, new DateOnly(2026, 11, 1)));
        var old = new AgrementPeriod(new DateOnly(2021, 1, 1), new DateOnly(2026, 11, 1));
        var next = new AgrementPeriod(new DateOnly(2026, 11, 2), null);
        EspacePublished Published(int version, params AgrementPeriod[] ofLieu) => TestEspace.Published(espace, gestionnaire, version) with
        {
            AgrementPeriods = [old, next],
            LieuAgrements = [new LieuAgrement(lieu, ofLieu)],
        };

        // The espace has one, which does not cover this lieu.
        await fixture.ApplyAsync(Published(4, old));
        Assert.Equal(["QUEUED"], await StatesAsync());

        await fixture.ApplyAsync(Published(5, old, next));
        Assert.Equal(["DROPPED"], await StatesAsync());

        Task<IReadOnlyList<string>> StatesAsync() => fixture.Database.ReadAllAsync<string>($"select state from deliveries where mesure_id = '{espace}'");
    }

    [Fact]
    public async Task AgrementsOfTwoLieux_OfWhichOneIsCoveredAgain_AreMailedForTheOther()
    {
        var (espace, gestionnaire, first, second) = (TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId());
        await fixture.ApplyAsync(
            TestEspace.AgrementLieuEnded(espace, gestionnaire, first, new DateOnly(2026, 11, 1)), TestEspace.AgrementLieuEnded(espace, gestionnaire, second, new DateOnly(2026, 11, 2)));
        var (old, later) = (new AgrementPeriod(new DateOnly(2021, 1, 1), new DateOnly(2026, 11, 1)), new AgrementPeriod(new DateOnly(2021, 1, 1), new DateOnly(2026, 11, 2)));
        var (next, afterwards) = (new AgrementPeriod(new DateOnly(2026, 11, 2), null), new AgrementPeriod(new DateOnly(2026, 11, 3), null));
        EspacePublished Published(int version, AgrementPeriod[] ofFirst, AgrementPeriod[] ofSecond) => TestEspace.Published(espace, gestionnaire, version) with
        {
            AgrementPeriods = [old, next],
            LieuAgrements = [new LieuAgrement(first, ofFirst), new LieuAgrement(second, ofSecond)],
        };

        await fixture.ApplyAsync(Published(4, [old, next], [later]));
        Assert.Equal([$"QUEUED LIEU {second} 2026-11-02"], await StatesAsync());

        await fixture.ApplyAsync(Published(5, [old, next], [later, afterwards]));
        Assert.Equal(["DROPPED"], await StatesAsync());

        Task<IReadOnlyList<string>> StatesAsync() => fixture.Database.ReadAllAsync<string>($"select concat_ws(' ', state, items[1]) from deliveries where mesure_id = '{espace}'");
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
