using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Data;
using Jafer.Messaging.Tests.Attachments;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

/// <summary>What is left of a thread when the time to keep it is over, and what does not come back.</summary>
public sealed class ErasureTests(AttachmentFixture fixture) : IClassFixture<AttachmentFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Purge_OfFilesAndThenOfContent_ErasesEachAndTheChainHolds()
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = await fixture.Espace(mesure).UploadAsync(mesure, TestFiles.Pdf());
        await AttachmentFixture.BecomesAsync(fixture.Espace(mesure), file.AttachmentId, AttachmentState.Sain);
        var unsent = await fixture.Espace(mesure).UploadAsync(mesure, TestFiles.Pdf());
        var posted = await Espace(mesure).SayAsync(mesure, "Le rapport.", r => r.AttachmentIds.Add(file.AttachmentId));
        var urgent = await Espace(mesure).SayAsync(mesure, "Ne laissez pas l'enfant partir.", r => r.Kind = MessageKind.Danger);
        await Court(mesure).AssignParticipantAsync(Messages.Assign(mesure, "contact"), cancellationToken: Ct);
        await Court(mesure).MarkThreadReadAsync(Messages.Read(mesure, posted.MessageId), cancellationToken: Ct);

        await PurgeAsync(mesure, "FILES");

        var erased = (await fixture.Espace(mesure).GetAttachmentAsync(new() { AttachmentId = file.AttachmentId }, cancellationToken: Ct)).Attachment;
        Assert.Equal(("", true, file.Sha256), (erased.FileName, erased.EraseTime is not null, erased.Sha256));
        Assert.Equal(0, await CountAsync("attachments", $"attachment_id = '{unsent.AttachmentId}'"));
        Assert.Equal(0, await CountAsync("attachment_chunks", $"attachment_id in (select attachment_id from attachments where thread_id = '{mesure.Id}')"));
        Assert.Contains(await Court(mesure).AllMessagesAsync(mesure), m => m.Body == "Le rapport.");
        Assert.Equal(1, await CountAsync("receipts", $"thread_id = '{mesure.Id}'"));
        await Court(mesure).SayAsync(mesure, "Reçu.");

        await PurgeAsync(mesure, "CONTENT");

        var thread = await Court(mesure).FileAsync(mesure);
        Assert.Null(ThreadChain.Verify(thread));
        Assert.Equal(3, thread.Messages.Count(m => m.EventType is null));
        Assert.All(thread.Messages.Where(m => m.EventType is null), m => Assert.True(m is { Body: null, ErasedTime: not null, BodyDigest: not null }));
        Assert.Equal(0, await CountAsync("receipts", $"thread_id = '{mesure.Id}'") + await CountAsync("participants", $"thread_id = '{mesure.Id}'"));

        // Nobody is reminded of what nobody can answer, or told of what cannot be read.
        var left = await Court(mesure).ThreadAsync(mesure);
        Assert.Equal((0L, 0L, 0), (left.UnreadCount, left.PersonUnreadCount, left.UnacknowledgedCount));
        Assert.Equal("WITHDRAWN", await fixture.Database.ReadAsync<string>($"select state from expectations where message_id = '{urgent.MessageId}'"));
        var unread = new ListThreadsRequest { UnreadOnly = true };
        Assert.DoesNotContain((await Court(mesure).ListThreadsAsync(unread, cancellationToken: Ct)).Threads, t => t.MesureId == mesure.Id.ToString());

        // No name comes back.
        foreach (var act in new Func<Task>[]
        {
            () => Court(mesure).SayAsync(mesure, "Encore un mot."),
            () => Court(mesure).MarkThreadReadAsync(Messages.Read(mesure, posted.MessageId), cancellationToken: Ct).ResponseAsync,
            () => Court(mesure).AssignParticipantAsync(Messages.Assign(mesure, "contact"), cancellationToken: Ct).ResponseAsync,
            () => Court(mesure).AcknowledgeMessageAsync(Messages.Acknowledge(mesure, urgent.MessageId), cancellationToken: Ct).ResponseAsync,
            () => fixture.Espace(mesure).UploadAsync(mesure, TestFiles.Pdf()),
        })
        {
            Assert.Equal("MESURE_ANONYMISED", (await Refusal.OfAsync(act)).Reason);
        }
    }

    [Fact]
    public async Task Purge_OfAMesureThatIsNotKnown_LeavesNoPlaceForWhatIsToldLate()
    {
        var mesure = TestMesure.Create();
        var late = mesure.Transmitted();

        await PurgeAsync(mesure, "CONTENT");
        await ApplyAsync(late, mesure.Contact("FAMILLE"));

        Assert.Equal(["mesure.mesure-purged.v1"], await fixture.Database.ReadAllAsync<string>($"select event_type from messages where thread_id = '{mesure.Id}'"));
        Assert.Equal("MESURE_ANONYMISED", (await Refusal.OfAsync(() => Court(mesure).SayAsync(mesure, "Un mot."))).Reason);
    }

    [Fact]
    public async Task Purge_OfAScopeThatIsNotKnown_ErasesNothingAndWaitsForAPerson()
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = await fixture.Espace(mesure).UploadAsync(mesure, TestFiles.Pdf());
        await AttachmentFixture.BecomesAsync(fixture.Espace(mesure), file.AttachmentId, AttachmentState.Sain);
        await Espace(mesure).SayAsync(mesure, "Le rapport.", r => r.AttachmentIds.Add(file.AttachmentId));
        var operations = new OperationsService.OperationsServiceClient(fixture.Host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")));
        var parked = (await operations.GetOutboxAsync(new(), cancellationToken: Ct)).FailedCount;

        await fixture.Host.PublishAsync<MessagingDbContext>(mesure.Purged("NAMES"), mesure.Closed());
        await Eventually.BecomesAsync(async () => (await operations.GetOutboxAsync(new(), cancellationToken: Ct)).FailedCount, n => n == parked + 1, "the parked event");
        await Eventually.BecomesAsync(
            () => CountAsync("messages", $"thread_id = '{mesure.Id}' and event_type = 'mesure.mesure-closed.v1'"), n => n == 1, "what was told after it");

        var kept = (await fixture.Espace(mesure).GetAttachmentAsync(new() { AttachmentId = file.AttachmentId }, cancellationToken: Ct)).Attachment;
        Assert.Equal(("rapport.pdf", null), (kept.FileName, kept.EraseTime));
        Assert.Equal(0, await CountAsync("messages", $"thread_id = '{mesure.Id}' and event_type = 'mesure.mesure-purged.v1'"));
    }

    private MessagingService.MessagingServiceClient Court(TestMesure mesure) => new(fixture.Host.Channel(Roles.Juridiction, mesure.JuridictionId));

    private MessagingService.MessagingServiceClient Espace(TestMesure mesure) => new(fixture.Host.Channel(Roles.Espace, mesure.GestionnaireId));

    private Task PurgeAsync(TestMesure mesure, string scope) => ApplyAsync(mesure.Purged(scope));

    private async Task ApplyAsync(params IReadOnlyList<Contracts.Events.DomainEvent> events)
    {
        await fixture.Host.PublishAsync<MessagingDbContext>(events);
        var ids = string.Join(',', events.Select(e => $"'{e.EventId}'"));
        await Eventually.BecomesAsync(() => CountAsync("inbox_messages", $"message_id in ({ids})"), n => n == events.Count, "the events to be applied");
    }

    private Task<long> CountAsync(string table, string where) => fixture.Database.ReadAsync<long>($"select count(*) from {table} where {where}");
}
