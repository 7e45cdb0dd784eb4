using Jafer.Notifications.Data;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Notifications.Tests.Feed;

public sealed class PositionTests(NotificationsFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task TakePlaces_WhileAnotherIsUndecided_WaitsForItAndLeavesNoGap(bool commits, long expected)
    {
        var organisation = TestMesure.NewId();
        await using var firstScope = fixture.Host.App.Services.CreateAsyncScope();
        await using var secondScope = fixture.Host.App.Services.CreateAsyncScope();
        var (first, second) = (firstScope.ServiceProvider.GetRequiredService<NotificationsDbContext>(), secondScope.ServiceProvider.GetRequiredService<NotificationsDbContext>());

        await using var early = await first.Database.BeginTransactionAsync(Ct);
        Assert.Equal(1, (await first.TakePlacesAsync(new Dictionary<Guid, int> { [organisation] = 1 }, [], Ct)).Next[organisation]);
        await using var late = await second.Database.BeginTransactionAsync(Ct);
        var waiting = second.TakePlacesAsync(new Dictionary<Guid, int> { [organisation] = 3, [TestMesure.NewId()] = 1 }, [], Ct);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"), n => n > 0, "the second to wait");
        Assert.False(waiting.IsCompleted);
        await (commits ? early.CommitAsync(Ct) : early.RollbackAsync(Ct));

        Assert.Equal(expected, (await waiting).Next[organisation]);
    }
}
