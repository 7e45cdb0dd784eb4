using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class ReadingTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListMessages_OfAnyPageSize_ConcatenatesToTheWholeThread()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        for (var i = 0; i < 24; i++)
        {
            await court.PostMessageAsync(Messages.Post(mesure, $"message {i}"), cancellationToken: Ct);
        }

        var whole = await court.AllMessagesAsync(mesure);
        Assert.Equal(25, whole.Count);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(15), Prop.ForAll(Gen.Choose(1, 30).ToArbitrary(), size =>
            whole.SequenceEqual(Task.Run(() => court.AllMessagesAsync(mesure, size)).GetAwaiter().GetResult())));
    }

    [Fact]
    public async Task MarkThreadRead_ByTheOtherSide_LeavesAReceiptThatStands()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        var first = await court.PostMessageAsync(Messages.Post(mesure, "un"), cancellationToken: Ct);
        var second = await court.PostMessageAsync(Messages.Post(mesure, "deux"), cancellationToken: Ct);
        Assert.Equal(2, (await espace.ThreadAsync(mesure)).UnreadCount);
        Assert.Equal(0, (await court.ThreadAsync(mesure)).UnreadCount);

        var afterFirst = await espace.MarkThreadReadAsync(Messages.Read(mesure, first.MessageId), cancellationToken: Ct);
        var receipt = (await court.AllMessagesAsync(mesure))[1].Receipts.Single();
        var afterSecond = await espace.MarkThreadReadAsync(Messages.Read(mesure, second.MessageId), cancellationToken: Ct);
        var backwards = await espace.MarkThreadReadAsync(Messages.Read(mesure, first.MessageId), cancellationToken: Ct);

        Assert.Equal([1, 0, 0], new[] { afterFirst, afterSecond, backwards }.Select(a => a.Thread.UnreadCount));
        var messages = await court.AllMessagesAsync(mesure);
        Assert.Empty(messages[0].Receipts);
        Assert.Equal(receipt, messages[1].Receipts.Single());
        Assert.Equal(mesure.GestionnaireId.ToString(), receipt.OrganisationId);
        Assert.True(messages[2].Receipts.Single().ReadTime.ToDateTimeOffset() > receipt.ReadTime.ToDateTimeOffset());
        Assert.Equal(2L, await fixture.Database.ReadAsync<long>($"select count(*) from receipts where thread_id = '{mesure.Id}'"));
    }

    [Fact]
    public async Task MarkThreadRead_OfOnesOwnMessage_ProvesNothing()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        await espace.PostMessageAsync(Messages.Post(mesure, "de l'espace"), cancellationToken: Ct);
        var own = await court.PostMessageAsync(Messages.Post(mesure, "du greffe"), cancellationToken: Ct);

        await court.MarkThreadReadAsync(Messages.Read(mesure, own.MessageId), cancellationToken: Ct);

        var messages = await court.AllMessagesAsync(mesure);
        Assert.Equal(mesure.JuridictionId.ToString(), messages[1].Receipts.Single().OrganisationId);
        Assert.Empty(messages[2].Receipts);
        Assert.Equal(1, (await espace.ThreadAsync(mesure)).UnreadCount);
    }

    [Fact]
    public async Task MarkThreadRead_WithTheSameRequestId_GivesTheFirstAnswer()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        var posted = await court.PostMessageAsync(Messages.Post(mesure, "un"), cancellationToken: Ct);
        var request = Messages.Read(mesure, posted.MessageId);

        var first = await espace.MarkThreadReadAsync(request, cancellationToken: Ct);
        await court.PostMessageAsync(Messages.Post(mesure, "deux"), cancellationToken: Ct);
        var again = await espace.MarkThreadReadAsync(request, cancellationToken: Ct);

        Assert.Equal(first, again);
        Assert.Equal(1, (await espace.ThreadAsync(mesure)).UnreadCount);
    }

    [Fact]
    public async Task MarkThreadRead_OfAMessageOfAnotherThread_IsRefused()
    {
        var (mesure, other) = (await fixture.OpenThreadAsync(), await fixture.OpenThreadAsync());
        var posted = await fixture.Court(other).PostMessageAsync(Messages.Post(other, "ailleurs"), cancellationToken: Ct);

        var refusal = await Refusal.OfAsync(fixture.Court(mesure).MarkThreadReadAsync(Messages.Read(mesure, posted.MessageId), cancellationToken: Ct));

        Assert.Equal(StatusCode.InvalidArgument, refusal.Code);
        Assert.Equal(["message_id"], refusal.Fields);
    }

    [Fact]
    public async Task ListThreads_OfOneCourt_GivesTheLatestFirstAndOnlyItsOwn()
    {
        var court = TestMesure.NewId();
        var mesures = Enumerable.Range(0, 7).Select(_ => new TestMesure(court, TestMesure.NewId())).ToList();
        foreach (var mesure in mesures)
        {
            await fixture.PublishAsync(mesure.Transmitted());
            await fixture.EntriesAsync(mesure, 1);
        }

        await fixture.Espace(mesures[2]).PostMessageAsync(Messages.Post(mesures[2], "réponse"), cancellationToken: Ct);
        var client = fixture.Client("juridiction", court);

        var pages = new List<ListThreadsResponse>();
        do
        {
            pages.Add(await client.ListThreadsAsync(
                new ListThreadsRequest { PageSize = 3, PageToken = pages.LastOrDefault()?.NextPageToken ?? "" }, cancellationToken: Ct));
        }
        while (pages[^1].NextPageToken.Length > 0);

        Assert.Equal([3, 3, 1], pages.Select(p => p.Threads.Count));
        Assert.Equal(
            new[] { 2, 6, 5, 4, 3, 1, 0 }.Select(i => mesures[i].Id.ToString()),
            pages.SelectMany(p => p.Threads).Select(t => t.MesureId));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0], pages.SelectMany(p => p.Threads).Select(t => t.UnreadCount));

        var unread = await client.ListThreadsAsync(new ListThreadsRequest { UnreadOnly = true }, cancellationToken: Ct);
        Assert.Equal([mesures[2].Id.ToString()], unread.Threads.Select(t => t.MesureId));
        var refusal = await Refusal.OfAsync(client.ListThreadsAsync(
            new ListThreadsRequest { PageSize = 3, PageToken = pages[0].NextPageToken, UnreadOnly = true }, cancellationToken: Ct));
        Assert.Equal("PAGE_TOKEN_INVALID", refusal.Reason);
    }

    [Fact]
    public async Task ListThreads_OfOneGestionnaire_GivesItsOwn()
    {
        var mesure = await fixture.OpenThreadAsync();

        var threads = await fixture.Espace(mesure).ListThreadsAsync(new ListThreadsRequest(), cancellationToken: Ct);

        var thread = Assert.Single(threads.Threads);
        Assert.Equal(await fixture.Espace(mesure).ThreadAsync(mesure), thread);
        Assert.Equal((mesure.JuridictionId.ToString(), mesure.GestionnaireId.ToString(), 1L), (thread.JuridictionId, thread.GestionnaireId, thread.MessageCount));
    }

    [Fact]
    public async Task ListMessages_Always_LeavesALineInTheJournal()
    {
        var mesure = await fixture.OpenThreadAsync();

        await fixture.Espace(mesure).AllMessagesAsync(mesure);

        Assert.Equal(mesure.GestionnaireId, await fixture.Database.ReadAsync<Guid>(
            $"select organisation_id from journal.entries where 'mesures/{mesure.Id}' = any(resources) and rpc = '/jafer.messaging.v1.MessagingService/ListMessages'"));
    }

    [Fact]
    public async Task Reading_WithBadInput_NamesEveryField()
    {
        var client = fixture.Client("espace", TestMesure.NewId());

        Assert.Equal(["mesure_id", "page_size"], (await Refusal.OfAsync(client.ListMessagesAsync(new ListMessagesRequest { MesureId = "x", PageSize = -1 }, cancellationToken: Ct))).Fields);
        Assert.Equal(["mesure_id"], (await Refusal.OfAsync(client.GetThreadAsync(new GetThreadRequest { MesureId = Guid.Empty.ToString() }, cancellationToken: Ct))).Fields);
        Assert.Equal(["page_size"], (await Refusal.OfAsync(client.ListThreadsAsync(new ListThreadsRequest { PageSize = int.MinValue }, cancellationToken: Ct))).Fields);
        Assert.Equal(["mesure_id", "message_id", "request_id"], (await Refusal.OfAsync(client.MarkThreadReadAsync(new MarkThreadReadRequest(), cancellationToken: Ct))).Fields);
        Assert.Equal(["page_token"], (await Refusal.OfAsync(client.ListThreadsAsync(new ListThreadsRequest { PageToken = "n'importe quoi" }, cancellationToken: Ct))).Fields);
    }

    [Fact]
    public async Task ListMessages_WithATokenOfAnotherThreadOrOrganisation_IsRefused()
    {
        var court = TestMesure.NewId();
        var (mesure, other) = (new TestMesure(court, TestMesure.NewId()), new TestMesure(court, TestMesure.NewId()));
        await fixture.PublishAsync(mesure.Transmitted(), mesure.Acknowledged(), other.Transmitted());
        await fixture.EntriesAsync(mesure, 2);
        await fixture.EntriesAsync(other, 1);
        var token = (await fixture.Court(mesure).ListMessagesAsync(
            new ListMessagesRequest { MesureId = mesure.Id.ToString(), PageSize = 1 }, cancellationToken: Ct)).NextPageToken;
        Assert.NotEmpty(token);

        foreach (var (client, id) in new[] { (fixture.Court(mesure), other.Id), (fixture.Espace(mesure), mesure.Id) })
        {
            var refusal = await Refusal.OfAsync(client.ListMessagesAsync(new ListMessagesRequest { MesureId = id.ToString(), PageToken = token }, cancellationToken: Ct));
            Assert.Equal("PAGE_TOKEN_INVALID", refusal.Reason);
        }
    }
}
