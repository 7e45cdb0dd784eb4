using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

public sealed class AccessTests(NotificationsFixture fixture)
{
    private static readonly Dictionary<string, Func<NotificationService.NotificationServiceClient, Task>> s_rpcs = new()
    {
        ["ListEvents"] = c => c.ListEventsAsync(new ListEventsRequest()).ResponseAsync,
        ["ListFeedConsumers"] = c => c.ListFeedConsumersAsync(new ListFeedConsumersRequest()).ResponseAsync,
        ["WatchEvents"] = async c =>
        {
            using var watch = c.WatchEvents(new WatchEventsRequest());
            await watch.NextAsync();
        },
    };

    public static TheoryData<string> Rpcs => [.. s_rpcs.Keys];

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Call_WithoutAValidToken_IsUnauthenticated(string rpc)
    {
        var expired = TestIssuer.Shared.Token("espace", TestMesure.NewId(), expires: TimeProvider.System.GetUtcNow().AddMinutes(-5));

        foreach (var (token, reason) in new[] { (null, "TOKEN_MISSING"), (expired, "TOKEN_INVALID"), ("abc", "TOKEN_INVALID") })
        {
            var refusal = await Refusal.OfAsync(() => s_rpcs[rpc](new NotificationService.NotificationServiceClient(fixture.Host.Channel(token))));
            Assert.Equal((StatusCode.Unauthenticated, reason), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Call_OfARoleWithoutGrant_IsRefused(string rpc)
    {
        foreach (var role in new[] { "statisticien", "systeme", "partenaire", "prefecture" })
        {
            var refusal = await Refusal.OfAsync(() => s_rpcs[rpc](fixture.Client(role, TestMesure.NewId())));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Fact]
    public async Task ListEvents_OfAnotherOrganisation_HasNothingOfOurs()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted());

        Assert.Empty(await fixture.Client("espace", TestMesure.NewId()).AllEventsAsync());
        Assert.Single(await fixture.Espace(mesure).AllEventsAsync());
    }
}
