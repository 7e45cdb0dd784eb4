using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class HandOverTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HandOverMessages_AfterARedesignation_GivesTheNewEspaceThoseAlone()
    {
        var (former, next) = await RedesignatedAsync();
        var court = fixture.Court(former);
        var first = await fixture.Espace(former).SayAsync(former, "Le père vient toujours à l'heure.");
        await court.SayAsync(former, "Merci.");
        var third = await court.SayAsync(former, "Le grand-parent est prévenu.", r => r.Kind = MessageKind.Difficulte);
        var successor = fixture.Espace(next);
        Assert.Equal([AuthorKind.Systeme], (await successor.AllMessagesAsync(next)).Select(m => m.AuthorKind));

        var request = Messages.HandOver(former, next, third.MessageId, first.MessageId);
        var handedOver = await court.HandOverMessagesAsync(request, cancellationToken: Ct);

        Assert.Equal(handedOver, await court.HandOverMessagesAsync(request, cancellationToken: Ct));
        Assert.All(handedOver.Messages, m => Assert.Equal("", m.Body));
        var messages = await successor.AllMessagesAsync(next);
        Assert.Equal(["", "Le père vient toujours à l'heure.", "Le grand-parent est prévenu."], messages.Select(m => m.Body));
        Assert.Equal([AuthorKind.Systeme, AuthorKind.Juridiction, AuthorKind.Juridiction], messages.Select(m => m.AuthorKind));
        Assert.Equal(
            (former.Id.ToString(), first.MessageId, AuthorKind.Espace, MessageKind.Ordinaire, first.CreateTime),
            messages[1].Origin is var o ? (o.MesureId, o.MessageId, o.AuthorKind, o.Kind, o.CreateTime) : default);
        Assert.Equal((MessageKind.Ordinaire, MessageKind.Difficulte), (messages[2].Kind, messages[2].Origin.Kind));
        Assert.Empty((await successor.ThreadAsync(next)).Expectations);
        Assert.Null(ThreadChain.Verify(await successor.FileAsync(next)));
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => successor.ThreadAsync(former))).Reason);
        Assert.Equal(4, (await fixture.Espace(former).ThreadAsync(former)).MessageCount);
        Assert.Equal((former.Id.ToString(), ""), ((await court.ThreadAsync(next)).PredecessorMesureId, (await successor.ThreadAsync(next)).PredecessorMesureId));
    }

    [Fact]
    public async Task HandOverMessages_OfWhatMayNotBe_IsRefusedAtTheField()
    {
        var (former, next) = await RedesignatedAsync();
        var court = fixture.Court(former);
        var message = await court.SayAsync(former, "un");
        var elsewhere = await court.SayAsync(next, "ailleurs");
        var step = (await court.AllMessagesAsync(former))[0].MessageId;
        await court.HandOverMessagesAsync(Messages.HandOver(former, next, message.MessageId), cancellationToken: Ct);

        foreach (var (ids, field) in new (string[], string)[]
        {
            ([message.MessageId], "message_ids[0]"), ([step], "message_ids[0]"), ([elsewhere.MessageId], "message_ids[0]"), ([TestMesure.NewId().ToString()], "message_ids[0]"),
            ([], "message_ids"), ([step, step], "message_ids[1]"), ([.. Enumerable.Range(0, 101).Select(_ => TestMesure.NewId().ToString())], "message_ids"),
        })
        {
            var refusal = await Refusal.OfAsync(court.HandOverMessagesAsync(Messages.HandOver(former, next, ids), cancellationToken: Ct));
            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID", field), (refusal.Code, refusal.Reason, refusal.Fields[0]));
        }
    }

    [Fact]
    public async Task HandOverMessages_ToAMesureThatDoesNotFollow_OrByAnother_IsRefused()
    {
        var (former, next) = await RedesignatedAsync();
        var court = fixture.Court(former);
        var message = await court.SayAsync(former, "un");
        var unrelated = new TestMesure(former.JuridictionId, TestMesure.NewId());
        await fixture.PublishAsync(unrelated.Transmitted());
        await fixture.EntriesAsync(unrelated, 1);

        var state = await Refusal.OfAsync(court.HandOverMessagesAsync(Messages.HandOver(former, unrelated, message.MessageId), cancellationToken: Ct));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (state.Code, state.Reason));
        foreach (var other in new[] { fixture.Client("juridiction", TestMesure.NewId()), fixture.Espace(former), fixture.Espace(next) })
        {
            var refusal = await Refusal.OfAsync(other.HandOverMessagesAsync(Messages.HandOver(former, next, message.MessageId), cancellationToken: Ct));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Fact]
    public async Task ReopenedMesure_GoesOnInItsOwnThread()
    {
        var mesure = await fixture.OpenThreadAsync();
        await fixture.PublishAsync(mesure.Closed());
        await fixture.EntriesAsync(mesure, 2);
        Assert.NotNull((await fixture.Court(mesure).ThreadAsync(mesure)).ClosedTime);

        await fixture.PublishAsync(mesure.Acknowledged());
        await fixture.EntriesAsync(mesure, 3);

        Assert.Null((await fixture.Court(mesure).ThreadAsync(mesure)).ClosedTime);
    }

    /// <summary>A mesure that was closed and the one that follows it at another gestionnaire.</summary>
    private async Task<(TestMesure Former, TestMesure Next)> RedesignatedAsync()
    {
        var former = await fixture.OpenThreadAsync();
        var next = new TestMesure(former.JuridictionId, TestMesure.NewId());
        await fixture.PublishAsync(next.Transmitted() with { PredecessorMesureId = former.Id });
        await fixture.EntriesAsync(next, 1);
        return (former, next);
    }
}
