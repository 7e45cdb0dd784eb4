using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class ThreadProjectionTests(MessagingFixture fixture)
{
    [Fact]
    public async Task Steps_InOrder_StandInTheThreadWithTheTimeAtWhichTheyHappened()
    {
        var mesure = TestMesure.Create();
        var transmitted = mesure.Transmitted(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));

        await fixture.PublishAsync(transmitted, mesure.Acknowledged(), mesure.InformationRequested(), mesure.InformationProvided(),
            mesure.Contact("FAMILLE"), mesure.Scheduled(), mesure.Difficulty(urgent: true), mesure.DifficultyAnswered(), mesure.Closed());
        await fixture.EntriesAsync(mesure, 9);

        var messages = await fixture.Espace(mesure).AllMessagesAsync(mesure);
        Assert.Equal(
            [
                "mesure.mesure-transmitted.v1", "mesure.mesure-acknowledged.v1", "mesure.information-requested.v1", "mesure.information-provided.v1",
                "mesure.contact-recorded.v1", "mesure.rencontre-scheduled.v1", "mesure.difficulty-reported.v1", "mesure.difficulty-answered.v1",
                "mesure.mesure-closed.v1",
            ],
            messages.Select(m => m.EventType));
        Assert.All(messages, m => Assert.Equal(AuthorKind.Systeme, m.AuthorKind));
        Assert.Equal(transmitted.OccurredAt.ToProto(), messages[0].CreateTime);
        Assert.Equal(transmitted.EventId.ToString(), messages[0].MessageId);
    }

    [Fact]
    public async Task Drafts_BeforeTransmission_OpenNoThread()
    {
        var mesure = TestMesure.Create();

        await ApplyAsync(mesure.Created(), mesure.Updated(), mesure.Completed());

        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => fixture.Court(mesure).ThreadAsync(mesure))).Reason);
        await fixture.PublishAsync(mesure.Transmitted());
        Assert.Equal(["mesure.mesure-transmitted.v1"], await fixture.EntriesAsync(mesure, 1));
    }

    [Fact]
    public async Task NonJudicialMesure_WithoutCourt_HasAThreadOfTheEspaceAlone()
    {
        var mesure = new TestMesure(null, TestMesure.NewId());

        await ApplyAsync(mesure.Created(), mesure.Contact("ESPACE"), mesure.Closed());

        Assert.Equal(["mesure.mesure-created.v1", "mesure.contact-recorded.v1", "mesure.mesure-closed.v1"], await fixture.EntriesAsync(mesure, 3));
        var thread = await fixture.Espace(mesure).ThreadAsync(mesure);
        Assert.Equal(("", mesure.GestionnaireId.ToString()), (thread.JuridictionId, thread.GestionnaireId));
        Assert.NotNull(thread.ClosedTime);
    }

    [Fact]
    public async Task Events_DeliveredTwice_AreEnteredOnce()
    {
        var mesure = TestMesure.Create();
        var (transmitted, acknowledged) = (mesure.Transmitted(), mesure.Acknowledged());

        await fixture.PublishAsync(transmitted, acknowledged);
        await fixture.EntriesAsync(mesure, 2);
        await fixture.PublishAsync(transmitted);
        await fixture.PublishAsync(acknowledged);
        await fixture.PublishAsync(mesure.Closed());

        Assert.Equal(
            ["mesure.mesure-transmitted.v1", "mesure.mesure-acknowledged.v1", "mesure.mesure-closed.v1"],
            await fixture.EntriesAsync(mesure, 3));
    }

    [Fact]
    public async Task Step_ThatOvertookTheTransmission_OpensTheThreadAndKeepsItsPlace()
    {
        var mesure = TestMesure.Create();
        var (transmitted, acknowledged) = (mesure.Transmitted(), mesure.Acknowledged());

        await fixture.PublishAsync(acknowledged);
        await fixture.EntriesAsync(mesure, 1);
        await fixture.PublishAsync(transmitted);

        Assert.Equal(["mesure.mesure-acknowledged.v1", "mesure.mesure-transmitted.v1"], await fixture.EntriesAsync(mesure, 2));
        var thread = await fixture.Court(mesure).ThreadAsync(mesure);
        Assert.Equal(acknowledged.OccurredAt.ToProto(), thread.LastMessageTime);
    }

    [Fact]
    public async Task Holders_OfALaterVersion_ReplaceTheFormerOnes()
    {
        var mesure = await fixture.OpenThreadAsync();
        var next = TestMesure.NewId();

        await fixture.PublishAsync(mesure.Acknowledged() with { GestionnaireId = next });
        await fixture.EntriesAsync(mesure, 2);

        var successor = fixture.Client("espace", next);
        Assert.Equal(next.ToString(), (await successor.ThreadAsync(mesure)).GestionnaireId);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => fixture.Espace(mesure).ThreadAsync(mesure))).Reason);
    }

    /// <summary>Publishes events of which no trace but the inbox is expected.</summary>
    private async Task ApplyAsync(params IReadOnlyList<DomainEvent> events)
    {
        await fixture.PublishAsync(events);
        var ids = string.Join(',', events.Select(e => $"'{e.EventId}'"));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from inbox_messages where message_id in ({ids})"),
            n => n == events.Count,
            $"{events.Count} events applied");
    }
}
