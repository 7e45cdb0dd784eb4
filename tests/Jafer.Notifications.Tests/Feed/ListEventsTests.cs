using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

public sealed class ListEventsTests(NotificationsFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListEvents_OfALife_GivesEachSideWhatConcernsIt()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Created(), mesure.Completed(), mesure.Transmitted(), mesure.Acknowledged(), mesure.InformationRequested(),
            mesure.Message(mesure.JuridictionId, 4), mesure.Read(mesure.GestionnaireId, 4), mesure.InformationProvided(), mesure.Closed());

        var court = await fixture.Court(mesure).AllEventsAsync();
        var espace = await fixture.Espace(mesure).AllEventsAsync();

        Assert.Equal(
            [
                "mesure.mesure-created.v1", "mesure.mesure-completed.v1", "mesure.mesure-transmitted.v1", "mesure.mesure-acknowledged.v1",
                "mesure.information-requested.v1", "messaging.message-posted.v1", "messaging.thread-read.v1", "mesure.information-provided.v1",
                "mesure.mesure-closed.v1",
            ],
            court.Select(e => e.Type));
        Assert.Equal(court.Skip(2).Select(e => e.EventId), espace.Select(e => e.EventId));
        Assert.Equal([true, true, false, false, true, false, false, false, false], court.Select(e => e.ActionRequired));
        Assert.Equal([true, true, false, true, false, true, false], espace.Select(e => e.ActionRequired));
        Assert.All(court, e => Assert.Equal(mesure.Id.ToString(), e.AggregateId));
    }

    [Fact]
    public async Task ListEvents_OfAnEvent_GivesItsOwnFieldsApartFromTheCommonOnes()
    {
        var mesure = TestMesure.Create();
        var scheduled = mesure.Scheduled() with { CorrelationId = "4bf92f3577b34da6a3ce929d0e0e4736", CausationId = TestMesure.NewId() };
        await fixture.ApplyAsync(scheduled);

        var told = Assert.Single(await fixture.Espace(mesure).AllEventsAsync());

        Assert.Equal(
            (scheduled.EventId.ToString(), "mesure.rencontre-scheduled.v1", 1L, scheduled.OccurredAt.ToProto(), scheduled.RecordedAt.ToProto()),
            (told.EventId, told.Type, told.AggregateVersion, told.OccurredTime, told.RecordedTime));
        Assert.Equal(
            ["durationMinutes", "espaceId", "gestionnaireId", "holder", "juridictionId", "modalite", "rencontreId", "startsAt", "state"],
            told.Data.Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(90, told.Data.Fields["durationMinutes"].NumberValue);
        Assert.Equal(scheduled.RencontreId.ToString(), told.Data.Fields["rencontreId"].StringValue);
    }

    [Fact]
    public async Task ListEvents_OfAnEmptyFeed_GivesATokenToGoOnFrom()
    {
        var mesure = TestMesure.Create();
        var client = fixture.Espace(mesure);

        var nothing = await client.ListEventsAsync(new ListEventsRequest(), cancellationToken: Ct);
        await fixture.ApplyAsync(mesure.Transmitted());
        var first = await client.ListEventsAsync(new ListEventsRequest { ResumeToken = nothing.ResumeToken }, cancellationToken: Ct);
        var after = await client.ListEventsAsync(new ListEventsRequest { ResumeToken = first.ResumeToken }, cancellationToken: Ct);

        Assert.Empty(nothing.Events);
        Assert.False(nothing.More);
        Assert.Single(first.Events);
        Assert.Empty(after.Events);
        Assert.NotEmpty(after.ResumeToken);
    }

    [Fact]
    public async Task ListEvents_OfAnyPageSizeAndAnySplit_ConcatenatesToTheWholeFeed()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync([mesure.Transmitted(), .. Enumerable.Range(0, 29).Select(i => i % 3 == 0 ? mesure.Message(mesure.JuridictionId, i) : (Contracts.Events.DomainEvent)mesure.Contact("FAMILLE"))]);
        var client = fixture.Espace(mesure);
        var whole = await client.AllEventsAsync(500);
        Assert.Equal(30, whole.Count);

        // Each page has its own size, drawn with the split.
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(25), Prop.ForAll(Gen.Choose(1, 12).NonEmptyListOf().ToArbitrary(), sizes => Task.Run(async () =>
        {
            var (read, token, more) = (new List<Event>(), "", true);
            for (var i = 0; more; i++)
            {
                var page = await client.ListEventsAsync(new ListEventsRequest { ResumeToken = token, PageSize = sizes[i % sizes.Count] });
                Assert.True(page.Events.Count == sizes[i % sizes.Count] || !page.More);
                read.AddRange(page.Events);
                (token, more) = (page.ResumeToken, page.More);
            }

            return whole.SequenceEqual(read);
        }).GetAwaiter().GetResult()));
    }

    [Fact]
    public async Task ListEvents_OfSomeTypes_LeavesTheOthersOutAndMovesTheToken()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged(), mesure.Message(mesure.JuridictionId, 3), mesure.Closed());
        var client = fixture.Espace(mesure);
        var request = new ListEventsRequest { PageSize = 1 };
        request.Types_.AddRange(["mesure.mesure-acknowledged.v1", "messaging.message-posted.v1", "mesure.not-yet-known.v7"]);

        var first = await client.ListEventsAsync(request, cancellationToken: Ct);
        request.ResumeToken = first.ResumeToken;
        var second = await client.ListEventsAsync(request, cancellationToken: Ct);
        var rest = await client.ListEventsAsync(new ListEventsRequest { ResumeToken = second.ResumeToken }, cancellationToken: Ct);

        Assert.Equal("mesure.mesure-acknowledged.v1", Assert.Single(first.Events).Type);
        Assert.True(first.More);
        Assert.Equal("messaging.message-posted.v1", Assert.Single(second.Events).Type);
        Assert.False(second.More);
        Assert.Empty(rest.Events);
    }

    [Fact]
    public async Task Events_DeliveredTwice_StandOnceInEachFeed()
    {
        var mesure = TestMesure.Create();
        var (transmitted, posted) = (mesure.Transmitted(), mesure.Message(mesure.GestionnaireId, 2));
        await fixture.ApplyAsync(transmitted, posted);
        await fixture.PublishAsync(transmitted);
        await fixture.PublishAsync(posted);
        await fixture.ApplyAsync(mesure.Closed());

        Assert.Equal(3, (await fixture.Court(mesure).AllEventsAsync()).Count);
        Assert.Equal(3, (await fixture.Espace(mesure).AllEventsAsync()).Count);
        Assert.Equal(2L, await fixture.Database.ReadAsync<long>($"select count(*) from deliveries where mesure_id = '{mesure.Id}'"));
    }

    [Fact]
    public async Task Positions_UnderConcurrentMesures_HaveNoGap()
    {
        var gestionnaire = TestMesure.NewId();
        var mesures = Enumerable.Range(0, 12).Select(_ => new TestMesure(TestMesure.NewId(), gestionnaire)).ToList();
        await fixture.ApplyAsync([.. mesures.SelectMany(m => new Contracts.Events.DomainEvent[] { m.Transmitted(), m.Acknowledged(), m.Message(gestionnaire, 3), m.Closed() })]);

        var positions = await fixture.Database.ReadAllAsync<long>($"select position from feed_events where organisation_id = '{gestionnaire}' order by position");
        var feed = await fixture.Client("espace", gestionnaire).AllEventsAsync(7);

        Assert.Equal(Enumerable.Range(1, 48).Select(p => (long)p), positions);
        Assert.All(feed.GroupBy(e => e.AggregateId), life => Assert.Equal(
            ["mesure.mesure-transmitted.v1", "mesure.mesure-acknowledged.v1", "messaging.message-posted.v1", "mesure.mesure-closed.v1"], life.Select(e => e.Type)));
    }

    [Fact]
    public async Task Events_OfOneMesure_KeepTheirOrder()
    {
        var mesure = TestMesure.Create();
        var life = Enumerable.Range(0, 120).Select(i => (Contracts.Events.DomainEvent)((i % 4) switch
        {
            0 => mesure.Transmitted(),
            1 => mesure.Acknowledged(),
            2 => mesure.Message(mesure.JuridictionId, i),
            _ => mesure.Contact("FAMILLE"),
        })).ToList();

        await fixture.ApplyAsync(life);

        Assert.Equal(life.Select(e => e.EventId.ToString()), (await fixture.Espace(mesure).AllEventsAsync()).Select(e => e.EventId));
    }

    [Fact]
    public async Task ListEvents_WithBadInput_NamesEveryField()
    {
        var client = fixture.Client("espace", TestMesure.NewId());
        var request = new ListEventsRequest { PageSize = -1 };
        request.Types_.AddRange(["mesure.mesure-closed.v1", "", "Mesure.Closed.v1", "mesure.closed", new string('a', 300) + ".b.v1"]);
        var many = new ListEventsRequest();
        many.Types_.AddRange(Enumerable.Repeat("mesure.mesure-closed.v1", 101));

        var refusal = await Refusal.OfAsync(client.ListEventsAsync(request, cancellationToken: Ct));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["page_size", "types[1]", "types[2]", "types[3]", "types[4]"], refusal.Fields);
        Assert.Equal(["types"], (await Refusal.OfAsync(client.ListEventsAsync(many, cancellationToken: Ct))).Fields);
    }

    [Fact]
    public async Task ListEvents_WithATokenDamagedOrOfAnother_IsRefused()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted());
        var token = (await fixture.Court(mesure).ListEventsAsync(new ListEventsRequest(), cancellationToken: Ct)).ResumeToken;
        var damaged = (token[0] == 'A' ? 'B' : 'A') + token[1..];

        foreach (var (client, value) in new[] { (fixture.Espace(mesure), token), (fixture.Court(mesure), damaged), (fixture.Court(mesure), "42") })
        {
            var refusal = await Refusal.OfAsync(client.ListEventsAsync(new ListEventsRequest { ResumeToken = value }, cancellationToken: Ct));
            Assert.Equal((StatusCode.InvalidArgument, "RESUME_TOKEN_INVALID"), (refusal.Code, refusal.Reason));
            Assert.Equal(["resume_token"], refusal.Fields);
        }
    }

    [Fact]
    public async Task ListEvents_WithATokenBeyondARestoredFeed_AsksToResynchronise()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged());
        var client = fixture.Court(mesure);
        var token = await client.EndAsync();

        await fixture.Database.RunAsync($"delete from feed_events where organisation_id = '{mesure.JuridictionId}' and position = 2");
        await fixture.Database.RunAsync($"update feed_heads set last_position = 1 where organisation_id = '{mesure.JuridictionId}'");

        var refusal = await Refusal.OfAsync(client.ListEventsAsync(new ListEventsRequest { ResumeToken = token }, cancellationToken: Ct));
        Assert.Equal((StatusCode.OutOfRange, "RESUME_TOKEN_EXPIRED"), (refusal.Code, refusal.Reason));
    }
}
