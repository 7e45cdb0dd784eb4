using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Feed;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Jafer.Notifications.Tests.Feed;

public sealed class RetentionTests(NotificationsFixture fixture) : IClassFixture<NotificationsFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FeedRetention Retention => fixture.Host.App.Services.GetServices<IHostedService>().OfType<FeedRetention>().Single();

    [Fact]
    public async Task Sweep_OfEventsOlderThanKept_ExpiresTheTokensBeforeThem()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged(), mesure.Contact("FAMILLE"), mesure.Closed());
        var client = fixture.Espace(mesure);
        var first = await client.ListEventsAsync(new ListEventsRequest { PageSize = 1 }, cancellationToken: Ct);
        var third = await client.ListEventsAsync(new ListEventsRequest { PageSize = 3 }, cancellationToken: Ct);
        await fixture.Database.RunAsync($"update feed_events set appended_at = appended_at - interval '91 days' where organisation_id = '{mesure.GestionnaireId}' and position <= 3");

        Assert.Equal(3, await Retention.SweepAsync(Ct));
        Assert.Equal(0, await Retention.SweepAsync(Ct));

        Assert.Equal("mesure.mesure-closed.v1", Assert.Single(await client.AllEventsAsync()).Type);
        Assert.Single(await client.AllEventsAsync(resumeToken: third.ResumeToken));
        var refusal = await Refusal.OfAsync(client.ListEventsAsync(new ListEventsRequest { ResumeToken = first.ResumeToken }, cancellationToken: Ct));
        Assert.Equal((StatusCode.OutOfRange, "RESUME_TOKEN_EXPIRED"), (refusal.Code, refusal.Reason));
        Assert.Equal(("jafer.mesure.v1.MesureService/ListMesures", "updated_since_time"), (refusal.Metadata["rpc"], refusal.Metadata["field"]));
        using var watch = client.WatchEvents(new WatchEventsRequest { ResumeToken = first.ResumeToken }, cancellationToken: Ct);
        Assert.Equal("RESUME_TOKEN_EXPIRED", (await Refusal.OfAsync(() => watch.NextAsync())).Reason);
        Assert.Equal(4, (await fixture.Court(mesure).AllEventsAsync()).Count);
    }

    [Fact]
    public async Task Sweep_OfAWholeFeed_KeepsCountingFromWhereItStood()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged());
        var end = await fixture.Espace(mesure).EndAsync();
        await fixture.Database.RunAsync($"update feed_events set appended_at = appended_at - interval '91 days' where organisation_id = '{mesure.GestionnaireId}'");

        Assert.Equal(2, await Retention.SweepAsync(Ct));
        await fixture.ApplyAsync(mesure.Closed());

        Assert.Single(await fixture.Espace(mesure).AllEventsAsync(resumeToken: end));
        Assert.Equal([3L], await fixture.Database.ReadAllAsync<long>($"select position from feed_events where organisation_id = '{mesure.GestionnaireId}'"));
    }

    [Fact]
    public async Task Sweep_OfMoreThanAPortionOfMails_DeletesAllThatAreDoneAndNoneThatWait()
    {
        var organisation = TestMesure.NewId();
        await fixture.Database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), '{organisation}', gen_random_uuid(), 'messaging.message-posted.v1', '{organisation}', false, s, 0, now() - interval '91 days', now() - interval '91 days'
            from (select 'DROPPED' as s from generate_series(1, 5001) union all values ('QUEUED'), ('ADDRESSED')) v;
            insert into feed_resumptions select '{organisation}', i, now() - interval '91 days' from generate_series(1, 10001) i;
            insert into mail_people select '{organisation}', i::text, null, false from generate_series(1, 5001) i;
            """);

        await Eventually.BecomesAsync(
            async () =>
            {
                await Retention.SweepAsync(Ct);
                return await fixture.Database.ReadAsync<long>($"select count(*) from deliveries where organisation_id = '{organisation}'");
            },
            n => n == 2, "the done ones deleted");

        Assert.Equal(["ADDRESSED", "QUEUED"], await fixture.Database.ReadAllAsync<string>($"select state from deliveries where organisation_id = '{organisation}' order by 1"));
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>(
            $"select (select count(*) from feed_resumptions where organisation_id = '{organisation}') + (select count(*) from mail_people where organisation_id = '{organisation}')"));
    }

    [Fact]
    public async Task Sweep_WhileAnotherReplicaIsAtIt_DoesNothing()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted());
        await fixture.Database.RunAsync($"update feed_events set appended_at = appended_at - interval '91 days' where organisation_id = '{mesure.GestionnaireId}'");
        await using (var other = new Npgsql.NpgsqlConnection(fixture.Database.ConnectionString + ";Pooling=false"))
        {
            await other.OpenAsync(Ct);
            await using var take = new Npgsql.NpgsqlCommand("select pg_advisory_lock(hashtextextended('jafer:feed-retention', 0))", other);
            await take.ExecuteNonQueryAsync(Ct);
            Assert.Equal(0, await Retention.SweepAsync(Ct));
        }

        Assert.Equal(1L, await Eventually.BecomesAsync(() => Retention.SweepAsync(Ct), n => n > 0, "the lock to be free"));
    }
}
