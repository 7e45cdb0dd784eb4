using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Messaging.Tests;

public sealed class PostMessageTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostMessage_ByEachSide_IsReadByBothInOrder()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var espace = fixture.Espace(mesure);

        var first = await court.PostMessageAsync(Messages.Post(mesure, "Une visite à prévoir avant Noël."), cancellationToken: Ct);
        var second = await espace.PostMessageAsync(Messages.Post(mesure, "C'est noté."), cancellationToken: Ct);

        var messages = await espace.AllMessagesAsync(mesure);
        Assert.Equal([1, 2, 3], messages.Select(m => m.Position));
        Assert.Equal([AuthorKind.Systeme, AuthorKind.Juridiction, AuthorKind.Espace], messages.Select(m => m.AuthorKind));
        Assert.Equal(["", "Une visite à prévoir avant Noël.", "C'est noté."], messages.Select(m => m.Body));
        Assert.Equal(["mesure.mesure-transmitted.v1", "", ""], messages.Select(m => m.EventType));
        Assert.Equal(["", mesure.JuridictionId.ToString(), mesure.GestionnaireId.ToString()], messages.Select(m => m.AuthorOrganisationId));
        Assert.Equal((first.MessageId, first.Position, first.CreateTime), (messages[1].MessageId, messages[1].Position, messages[1].CreateTime));
        Assert.Equal((second.MessageId, second.Position, second.CreateTime), (messages[2].MessageId, messages[2].Position, messages[2].CreateTime));
        Assert.Equal(messages, await court.AllMessagesAsync(mesure));
    }

    [Fact]
    public async Task PostMessage_ByAHundredAtOnce_GivesPositionsWithoutGap()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));

        var posted = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
            await (i % 2 == 0 ? court : espace).PostMessageAsync(Messages.Post(mesure, $"message {i}"), cancellationToken: Ct)));

        Assert.Equal(Enumerable.Range(2, 100).Select(p => (long)p), posted.Select(p => p.Position).Order());
        Assert.Equal(Enumerable.Range(1, 101).Select(p => (long)p), (await court.AllMessagesAsync(mesure, 30)).Select(m => m.Position));
        Assert.Equal(101, (await court.ThreadAsync(mesure)).MessageCount);
    }

    [Fact]
    public async Task PostMessage_WithStepsArrivingMeanwhile_GivesPositionsWithoutGap()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);

        var posting = Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
            await court.PostMessageAsync(Messages.Post(mesure, $"message {i}"), cancellationToken: Ct)));
        await fixture.PublishAsync([.. Enumerable.Range(0, 30).Select(_ => mesure.Contact("FAMILLE"))]);
        await posting;
        await fixture.EntriesAsync(mesure, 61);

        var messages = await court.AllMessagesAsync(mesure);
        Assert.Equal(Enumerable.Range(1, 61).Select(p => (long)p), messages.Select(m => m.Position));
        Assert.Equal(31, messages.Count(m => m.AuthorKind == AuthorKind.Systeme));
    }

    [Fact]
    public async Task PostMessage_WithTheSameRequestId_GivesTheFirstAnswerAndOneMessage()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var request = Messages.Post(mesure, "une seule fois");

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ => await court.PostMessageAsync(request, cancellationToken: Ct)));

        Assert.Single(answers.Distinct());
        Assert.Equal(2, (await court.ThreadAsync(mesure)).MessageCount);
        var reused = request.Clone();
        reused.Body = "autre chose";
        Assert.Equal("REQUEST_ID_REUSED", (await Refusal.OfAsync(court.PostMessageAsync(reused, cancellationToken: Ct))).Reason);
    }

    [Fact]
    public async Task PostMessage_WithNothing_NamesEveryField()
    {
        var refusal = await Refusal.OfAsync(fixture.Client("juridiction", TestMesure.NewId()).PostMessageAsync(new PostMessageRequest(), cancellationToken: Ct));

        Assert.Equal(StatusCode.InvalidArgument, refusal.Code);
        Assert.Equal("REQUEST_INVALID", refusal.Reason);
        Assert.Equal(["mesure_id", "body", "request_id"], refusal.Fields);
    }

    [Fact]
    public async Task PostMessage_WithBadValues_NamesEveryField()
    {
        var client = fixture.Client("juridiction", TestMesure.NewId());
        foreach (var body in new[] { new string('a', 10_001), " \n\t ", "sonnette\a" })
        {
            var refusal = await Refusal.OfAsync(client.PostMessageAsync(
                new PostMessageRequest { MesureId = "12", Body = body, RequestId = "{" + TestMesure.NewId() + "}" }, cancellationToken: Ct));

            Assert.Equal(["mesure_id", "body", "request_id"], refusal.Fields);
        }
    }

    [Fact]
    public async Task PostMessage_AtTheLimit_KeepsTheTextAsItIs()
    {
        var mesure = await fixture.OpenThreadAsync();
        var body = "é😀\r\n\t\"'\\ " + new string('x', 10_000 - 11);

        await fixture.Court(mesure).PostMessageAsync(Messages.Post(mesure, body), cancellationToken: Ct);

        Assert.Equal(body, (await fixture.Espace(mesure).AllMessagesAsync(mesure))[^1].Body);
    }

    [Fact]
    public async Task PostMessage_Always_LeavesTheTextInTheMessagesTableOnly()
    {
        var mesure = await fixture.OpenThreadAsync();

        // Holding the relay's lock keeps the event in the outbox, where it can be looked at.
        await using var holder = new NpgsqlConnection(fixture.Database.ConnectionString);
        await holder.OpenAsync(Ct);
        await using (var take = new NpgsqlCommand("select pg_advisory_lock(hashtextextended('jafer:outbox', 0))", holder))
        {
            await take.ExecuteNonQueryAsync(Ct);
        }

        var posted = await fixture.Court(mesure).PostMessageAsync(Messages.Post(mesure, "zizanie"), cancellationToken: Ct);

        var payload = await fixture.Database.ReadAsync<string>($"select payload::text from outbox_messages where ordering_key = '{mesure.Id}'");
        Assert.Contains(posted.MessageId, payload, StringComparison.Ordinal);
        Assert.DoesNotContain("zizanie", payload, StringComparison.Ordinal);
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>(
            "select (select count(*) from processed_requests where position('zizanie'::bytea in response) > 0) + (select count(*) from journal.entries j where j::text like '%zizanie%')"));
        Assert.Equal(1L, await fixture.Database.ReadAsync<long>(
            $"select count(*) from journal.entries where 'threads/{mesure.Id}' = any(resources) and rpc = '/jafer.messaging.v1.MessagingService/PostMessage'"));
    }

    [Fact]
    public async Task Messages_OnceStored_CannotBeChanged()
    {
        var mesure = await fixture.OpenThreadAsync();

        foreach (var sql in new[] { $"update messages set position = 9 where thread_id = '{mesure.Id}'", $"delete from messages where thread_id = '{mesure.Id}'" })
        {
            var refusal = await Assert.ThrowsAsync<PostgresException>(() => fixture.Database.RunAsync(sql));
            Assert.Equal("a message never changes", refusal.MessageText);
        }
    }
}
