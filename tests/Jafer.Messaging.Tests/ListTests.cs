using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;
using Proto = Jafer.Contracts.Messaging.V1;

namespace Jafer.Messaging.Tests;

public sealed class ListTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lists_ByState_GiveWhatAsksSomethingOfTheCaller()
    {
        var court = TestMesure.NewId();
        var (asked, urgent, quiet) = (await OpenAsync(court), await OpenAsync(court), await OpenAsync(court));
        var question = await fixture.Espace(asked).SayAsync(asked, "?", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(1)));
        var danger = await fixture.Court(urgent).SayAsync(urgent, "!", r => r.Kind = MessageKind.Danger);
        var ordinary = await fixture.Court(quiet).SayAsync(quiet, "…");
        var client = fixture.Client("juridiction", court);

        foreach (var (state, expected) in new[]
        {
            (Attention.ToAnswer, (TestMesure[])[asked]), (Attention.ToAcknowledge, []), (Attention.Awaiting, [urgent]), (Attention.Unread, [asked]), (Attention.Unspecified, [quiet, urgent, asked]),
        })
        {
            Assert.Equal(expected.Select(m => m.Id.ToString()), (await ThreadsAsync(client, r => r.State = state)).Select(t => t.MesureId));
        }

        Assert.Equal([urgent.Id.ToString()], (await ThreadsAsync(fixture.Espace(urgent), r => r.State = Attention.ToAcknowledge)).Select(t => t.MesureId));
        Assert.Equal([asked.Id.ToString()], (await ThreadsAsync(client, r => r.MesureId = asked.Id.ToString())).Select(t => t.MesureId));
        Assert.Equal([asked.Id.ToString()], (await ThreadsAsync(client, r => r.EspaceId = asked.EspaceId.ToString())).Select(t => t.MesureId));
        Assert.Empty(await ThreadsAsync(client, r => r.Kind = ThreadKind.Espace));
        Assert.Equal([quiet.Id.ToString()], (await ThreadsAsync(client, r => r.FromTime = ordinary.CreateTime)).Select(t => t.MesureId));
        Assert.Equal([asked.Id.ToString()], (await ThreadsAsync(client, r => r.UntilTime = danger.CreateTime)).Select(t => t.MesureId));

        foreach (var (change, expected) in new (Action<ListMessagesRequest>, string[])[]
        {
            (r => r.State = Attention.ToAnswer, [question.MessageId]), (r => r.State = Attention.Awaiting, [danger.MessageId]), (r => r.State = Attention.Unread, [question.MessageId]),
            (r => r.State = Attention.ToAcknowledge, []), (r => r.Kinds.Add(MessageKind.Danger), [danger.MessageId]),
            (r => r.Kinds.AddRange([MessageKind.Danger, MessageKind.Ordinaire]), [ordinary.MessageId, danger.MessageId, question.MessageId]),
            (r => r.AuthorKind = AuthorKind.Espace, [question.MessageId]),
            (r => { r.AuthorKind = AuthorKind.Juridiction; r.FromTime = ordinary.CreateTime; }, [ordinary.MessageId]),
            (r => { r.AuthorKind = AuthorKind.Juridiction; r.UntilTime = ordinary.CreateTime; }, [danger.MessageId]),
            (r => { r.MesureId = asked.Id.ToString(); r.AuthorKind = AuthorKind.Systeme; }, [.. (await client.AllMessagesAsync(asked)).Take(1).Select(m => m.MessageId)]),
        })
        {
            Assert.Equal(expected, (await MessagesAsync(client, change)).Select(m => m.MessageId));
        }
    }

    [Fact]
    public async Task ListMessages_OfAllThreads_JournalsEachThreadThatIsReadAndGivesNoOthers()
    {
        var court = TestMesure.NewId();
        var (first, second) = (await OpenAsync(court), await OpenAsync(court));
        var stranger = await OpenAsync(TestMesure.NewId());
        await fixture.Court(stranger).SayAsync(stranger, "zizanie");
        var latest = await fixture.Espace(second).SayAsync(second, "deux");

        var page = await fixture.Client("juridiction", court).ListMessagesAsync(new ListMessagesRequest { PageSize = 1 }, cancellationToken: Ct);
        Assert.Equal(latest.MessageId, Assert.Single(page.Messages).MessageId);
        Assert.Equal([$"mesures/{second.Id}"], await ReadByAsync(court));

        var all = await MessagesAsync(fixture.Client("juridiction", court), _ => { });
        Assert.Equal(3, all.Count);
        Assert.DoesNotContain("zizanie", all.Select(m => m.Body));
        Assert.Equal(new[] { $"mesures/{first.Id}", $"mesures/{second.Id}" }.Order(StringComparer.Ordinal), (await ReadByAsync(court)).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Pages_OfAnySize_GiveTheWholeListOnceInOneOrder(int seed)
    {
        var random = new Random(seed);
        var court = TestMesure.NewId();
        var mesures = new List<TestMesure>();
        for (var i = 0; i < 6; i++)
        {
            mesures.Add(await OpenAsync(court));
        }

        for (var i = 0; i < 40; i++)
        {
            var mesure = mesures[random.Next(mesures.Count)];
            await (random.Next(2) == 0 ? fixture.Court(mesure) : fixture.Espace(mesure)).SayAsync(mesure, $"{i}", r => r.Kind = (MessageKind)random.Next(1, 4));
        }

        // Several with the same instant: the id decides.
        await fixture.Database.RunAsync($"""
            alter table messages disable trigger messages_never_change;
            update messages set created_at = date_trunc('second', created_at) where thread_id in ({string.Join(',', mesures.Select(m => $"'{m.Id}'"))});
            alter table messages enable trigger messages_never_change;
            update threads set last_message_at = date_trunc('minute', last_message_at) where juridiction_id = '{court}';
            """);
        var client = fixture.Client("juridiction", court);
        foreach (var change in new Action<ListMessagesRequest>[]
        {
            _ => { }, r => r.Kinds.Add(MessageKind.Danger), r => r.State = Attention.Unread, r => r.AuthorKind = AuthorKind.Espace, r => r.MesureId = mesures[0].Id.ToString(),
        })
        {
            var whole = (await MessagesAsync(client, change, 200)).Select(m => m.MessageId).ToList();
            Assert.Equal(whole.Count, whole.Distinct().Count());
            for (var round = 0; round < 4; round++)
            {
                Assert.Equal(whole, (await MessagesAsync(client, change, random.Next(1, 12))).Select(m => m.MessageId));
            }
        }

        var threads = (await ThreadsAsync(client, _ => { }, 200)).Select(t => t.MesureId).ToList();
        Assert.Equal(mesures.Select(m => m.Id.ToString()).Order(StringComparer.Ordinal), threads.Order(StringComparer.Ordinal));
        for (var size = 1; size <= 7; size++)
        {
            Assert.Equal(threads, (await ThreadsAsync(client, _ => { }, size)).Select(t => t.MesureId));
        }
    }

    [Fact]
    public async Task Lists_WithBadFilters_NameEveryField()
    {
        var client = fixture.Client("espace", TestMesure.NewId());
        var (late, early) = (Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()), Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(-1)));

        Assert.Equal(
            ["mesure_id", "espace_id", "kind", "state", "until_time", "page_size"],
            (await Refusal.OfAsync(client.ListThreadsAsync(
                new ListThreadsRequest { MesureId = "x", EspaceId = "x", Kind = (ThreadKind)9, State = (Attention)9, FromTime = late, UntilTime = early, PageSize = -1 }, cancellationToken: Ct))).Fields);
        Assert.Equal(
            ["kinds[0]", "kinds[1]", "author_kind", "state", "until_time"],
            (await Refusal.OfAsync(client.ListMessagesAsync(
                new ListMessagesRequest { Kinds = { MessageKind.Unspecified, (MessageKind)9 }, AuthorKind = (AuthorKind)9, State = (Attention)9, FromTime = late, UntilTime = early }, cancellationToken: Ct))).Fields);
    }

    private async Task<TestMesure> OpenAsync(Guid court)
    {
        var mesure = new TestMesure(court, TestMesure.NewId());
        await fixture.PublishAsync(mesure.Transmitted());
        await fixture.EntriesAsync(mesure, 1);
        return mesure;
    }

    private Task<IReadOnlyList<string>> ReadByAsync(Guid court) => fixture.Database.ReadAllAsync<string>(
        $"select unnest(resources) from journal.entries where organisation_id = '{court}' and rpc = '/jafer.messaging.v1.MessagingService/ListMessages'");

    private static async Task<List<Proto.Thread>> ThreadsAsync(MessagingService.MessagingServiceClient client, Action<ListThreadsRequest> change, int pageSize = 2)
    {
        var request = new ListThreadsRequest { PageSize = pageSize };
        change(request);
        var all = new List<Proto.Thread>();
        do
        {
            var page = await client.ListThreadsAsync(request, cancellationToken: Ct);
            all.AddRange(page.Threads);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }

    private static async Task<List<Message>> MessagesAsync(MessagingService.MessagingServiceClient client, Action<ListMessagesRequest> change, int pageSize = 2)
    {
        var request = new ListMessagesRequest { PageSize = pageSize };
        change(request);
        var all = new List<Message>();
        do
        {
            var page = await client.ListMessagesAsync(request, cancellationToken: Ct);
            all.AddRange(page.Messages);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }
}
