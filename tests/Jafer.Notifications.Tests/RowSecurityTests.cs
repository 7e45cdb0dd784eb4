using Jafer.Testing;
using Npgsql;

namespace Jafer.Notifications.Tests;

/// <summary>The second wall: what a query that goes past the service's own checks sees and writes of others' feeds.</summary>
public sealed class RowSecurityTests(NotificationsFixture fixture)
{
    private const string Denied = PostgresErrorCodes.InsufficientPrivilege;

    [Fact]
    public async Task Catalog_EveryTableOfCalls_IsSecuredButThoseThatAreNobodys()
    {
        Assert.Equal(["__EFMigrationsHistory", "outbox_messages"], await RowSecurity.UnsecuredAsync(fixture.Database));
        Assert.Empty(await RowSecurity.LeaksAsync(fixture.Database));
    }

    [Fact]
    public async Task Query_UnderATenant_SeesItsFeedAndEndpointsAlone()
    {
        var (own, other) = (Organisation(1), Organisation(2));
        await FillAsync(own);
        await FillAsync(other);
        await using var login = await TenantLogin.CreateAsync(fixture.Database);

        await using (var session = await login.OpenAsync(own))
        {
            foreach (var table in new[] { "feed_heads", "feed_events", "webhook_endpoints", "deliveries" })
            {
                Assert.Equal([own.ToString()], await session.ReadAllAsync($"select distinct organisation_id from {table}"));
            }

            Assert.Equal(["1"], await session.ReadAllAsync("select count(*) from webhook_deliveries"));
            Assert.Empty(await session.ReadAllAsync($"select secret from webhook_endpoints where organisation_id = '{other}'"));
        }

        foreach (var tenant in new Guid?[] { Organisation(3), null })
        {
            await using var session = await login.OpenAsync(tenant);
            Assert.Empty(await RowSecurity.SeenAsync(session));
        }
    }

    [Fact]
    public async Task Write_ToWhatIsAnothers_IsRefusedOrConcernsNoRow()
    {
        var (own, other) = (Organisation(4), Organisation(5));
        await FillAsync(own);
        var foreign = await FillAsync(other);
        await using var login = await TenantLogin.CreateAsync(fixture.Database);
        await using var session = await login.OpenAsync(own);

        foreach (var sql in new[]
        {
            $"update webhook_endpoints set organisation_id = '{other}'", $"update webhook_deliveries set endpoint_id = '{foreign}'",
            $"insert into notice_openings (organisation_id, notice_id, event_id, opened_at) values ('{other}', gen_random_uuid(), gen_random_uuid(), now())",
            "update feed_events set data = data", "delete from feed_events", "update feed_heads set last_position = 0", "update deliveries set state = state", "set role jafer_work",
        })
        {
            Assert.True(await session.RefusalAsync(sql) == Denied, sql);
        }

        Assert.Equal(0, await session.RunAsync($"update webhook_endpoints set url = 'https://x.example' where endpoint_id = '{foreign}'"));
        Assert.Equal(0, await session.RunAsync($"delete from webhook_endpoints where endpoint_id = '{foreign}'"));
    }

    private static Guid Organisation(int number) => Guid.Parse($"00000000-0000-5000-8000-{number:D12}");

    /// <summary>An organisation with an event in its feed, a mail that is due, and an endpoint, whose id is given, with a delivery.</summary>
    private async Task<Guid> FillAsync(Guid organisation)
    {
        var endpoint = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        await fixture.Database.RunAsync($$"""
            insert into feed_heads (organisation_id, last_position, trimmed_to) values ('{{organisation}}', 1, 0);
            insert into feed_events (organisation_id, position, event_id, type, aggregate_id, aggregate_version, occurred_at, recorded_at, data, action_required, appended_at)
            values ('{{organisation}}', 1, gen_random_uuid(), 'mesure.mesure-closed.v1', gen_random_uuid(), 1, now(), now(), '{}', false, now());
            insert into deliveries (delivery_id, organisation_id, event_id, event_type, mesure_id, urgent, state, attempts, next_attempt_at, created_at)
            values (gen_random_uuid(), '{{organisation}}', gen_random_uuid(), 'mesure.mesure-closed.v1', gen_random_uuid(), false, 'QUEUED', 0, now() + interval '1 day', now());
            insert into webhook_endpoints (endpoint_id, organisation_id, url, types, contact_email, state, secret_id, secret, created_at, updated_at, version, failures, notice_attempts)
            values ('{{endpoint}}', '{{organisation}}', 'https://x.example', '{}', in_clear('x@x.example'), 'PAUSED', gen_random_uuid(), 'sealed', now(), now(), 1, 0, 0);
            insert into webhook_deliveries (delivery_id, endpoint_id, test, event_id, event_type, aggregate_id, occurred_at, state, attempts, queued_at, next_attempt_at, expires_at)
            values (gen_random_uuid(), '{{endpoint}}', false, gen_random_uuid(), 'mesure.mesure-closed.v1', gen_random_uuid(), now(), 'QUEUED', 0, now(), now() + interval '1 day', now() + interval '2 days');
            """);
        return endpoint;
    }
}
