using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Messaging;

public sealed class HousekeepingTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    [Fact]
    public async Task Sweep_OldAndYoungLines_DeletesWhatHasServedAlone()
    {
        var now = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        await probe.Database.RunAsync($"""
            insert into inbox_messages (message_id, consumer, received_at)
            select gen_random_uuid(), 'old', timestamptz '{now:O}' - interval '14 days 1 second' from generate_series(1, 5100);
            insert into inbox_messages (message_id, consumer, received_at) values
                (gen_random_uuid(), 'young', timestamptz '{now:O}' - interval '13 days 23 hours');
            insert into processed_requests (caller, request_id, method, request_hash, response, created_at) values
                ('old', gen_random_uuid(), 'm', '', '', timestamptz '{now:O}' - interval '24 hours 1 second'),
                ('young', gen_random_uuid(), 'm', '', '', timestamptz '{now:O}' - interval '23 hours');
            """);
        using var housekeeping = ActivatorUtilities.CreateInstance<Housekeeping>(probe.Host.App.Services, (TimeProvider)new TestClock(now));

        Assert.Equal(5101, await housekeeping.SweepAsync(CancellationToken.None));

        Assert.Equal(["young", "young"], await probe.Database.ReadAllAsync<string>("select consumer from inbox_messages union all select caller from processed_requests"));
        Assert.Equal(0, await housekeeping.SweepAsync(CancellationToken.None));
    }
}
