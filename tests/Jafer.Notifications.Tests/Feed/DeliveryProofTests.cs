using Jafer.Contracts.Notification.V1;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

/// <summary>An organisation that resumes past a transmission has it.</summary>
public sealed class DeliveryProofTests(NotificationsFixture fixture) : IClassFixture<NotificationsFixture>
{
    private const string Transmitted = "mesure.mesure-transmitted.v1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListEvents_ResumedPastATransmission_TellsItOnce()
    {
        await KeepAsync();
        var mesure = TestMesure.Create();
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted, mesure.Acknowledged());
        var espace = fixture.Espace(mesure);

        // Read is not handled: nothing is proved until the token comes back. The court's own feed proves nothing.
        var first = await espace.ListEventsAsync(new ListEventsRequest { PageSize = 1 }, cancellationToken: Ct);
        await espace.ListEventsAsync(new ListEventsRequest { PageSize = 1 }, cancellationToken: Ct);
        var court = await fixture.Court(mesure).EndAsync();
        await fixture.Court(mesure).ListEventsAsync(new ListEventsRequest { ResumeToken = court }, cancellationToken: Ct);
        Assert.Empty(await ToldAsync(mesure));

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => espace.ListEventsAsync(new ListEventsRequest { ResumeToken = first.ResumeToken }, cancellationToken: Ct).ResponseAsync));

        Assert.Equal([$"{transmitted.EventId} {mesure.GestionnaireId} {Transmitted} 1"], await ToldAsync(mesure));
    }

    [Fact]
    public async Task ListEvents_OfOtherTypes_ProvesNothing()
    {
        await KeepAsync();
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted());
        var espace = fixture.Espace(mesure);
        var token = await espace.EndAsync();

        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = token, Types_ = { "messaging.message-posted.v1" } }, cancellationToken: Ct);
        Assert.Empty(await ToldAsync(mesure));

        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = token, Types_ = { Transmitted } }, cancellationToken: Ct);
        Assert.Single(await ToldAsync(mesure));
    }

    [Fact]
    public async Task WatchEvents_ResumedPastATransmission_TellsIt()
    {
        await KeepAsync();
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged());
        var espace = fixture.Espace(mesure);
        string token;
        using (var watch = espace.WatchEvents(new WatchEventsRequest(), cancellationToken: Ct))
        {
            token = (await watch.NextEventsAsync(1))[0].ResumeToken;
        }

        Assert.Empty(await ToldAsync(mesure));
        using var again = espace.WatchEvents(new WatchEventsRequest { ResumeToken = token }, cancellationToken: Ct);
        await again.NextEventsAsync(1);

        Assert.Single(await ToldAsync(mesure));
    }

    private async Task KeepAsync() => await fixture.Database.RunAsync("""
        create schema if not exists probe;
        create table if not exists probe.told (type text, payload jsonb);
        create or replace function probe.keep() returns trigger language plpgsql security definer as $$ begin insert into probe.told values (new.message_type, new.payload); return new; end $$;
        create or replace trigger keep after insert on outbox_messages for each row execute function probe.keep();
        """);

    private Task<IReadOnlyList<string>> ToldAsync(TestMesure mesure) => fixture.Database.ReadAllAsync<string>($"""
        select concat_ws(' ', payload->>'deliveredEventId', payload->>'organisationId', payload->>'eventType', payload->>'aggregateVersion')
        from probe.told where type = 'notification.event-delivered.v1' and payload->>'aggregateId' = '{mesure.Id}'
        """);
}
