using System.Collections.Concurrent;
using System.Net;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Webhooks;
using Jafer.Testing;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Tests.Webhooks;

/// <summary>No endpoint makes Jafer call a machine inside its own network.</summary>
public sealed class AddressTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.254")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("203.0.113.9")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::10.0.0.1")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:a00:1::1")]
    public void Contain_AnAddressThatIsNotPublic_IsFalse(string address) => Assert.False(PublicAddresses.Contain(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a01:e0a::1")]
    public void Contain_APublicAddress_IsTrue(string address) => Assert.True(PublicAddresses.Contain(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.1,192.168.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("fe80::1")]
    public async Task Post_ToANameThatLeadsInside_IsRefusedWithoutAConnection(string addresses)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var post = Post(new WebhookOptions(), (_, _) => Task.FromResult(addresses.Split(',').Select(IPAddress.Parse).ToArray()));

        var result = await SendAsync(post, $"http://logiciel.test:{receiver.Address.Port}/");

        Assert.Equal((WebhookOutcome.Failed, "ADDRESS_REFUSED"), (result.Outcome, result.Error));
        Assert.Empty(receiver.Calls);
    }

    [Fact]
    public async Task Post_ToAName_ResolvesItOnceAndGoesWhereItWasJudged()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var asked = new ConcurrentQueue<string>();

        // Inside at the second question: nobody asks it.
        using var post = Post(new WebhookOptions { AllowedNetworks = ["127.0.0.1/32"] }, (host, _) =>
        {
            asked.Enqueue(host);
            return Task.FromResult<IPAddress[]>(asked.Count == 1 ? [IPAddress.Parse("127.0.0.2"), IPAddress.Loopback] : [IPAddress.Parse("127.0.0.2")]);
        });

        Assert.Equal(WebhookOutcome.Delivered, (await SendAsync(post, $"http://logiciel.test:{receiver.Address.Port}/")).Outcome);

        Assert.Equal(["logiciel.test"], asked);
        Assert.Single(receiver.Calls);
    }

    [Fact]
    public async Task Post_OfANameThatIsNone_FailsAsSuch()
    {
        using var post = Post(new WebhookOptions(), (_, _) => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound));

        var result = await SendAsync(post, "https://nulle-part.test/");

        Assert.Equal((WebhookOutcome.Failed, "NAME_RESOLUTION_ERROR"), (result.Outcome, result.Error));
    }

    private static WebhookPost Post(WebhookOptions options, NameResolver resolve) =>
        new(Options.Create(options), new WebhookAddresses(Options.Create(options), resolve), TimeProvider.System);

    private static Task<WebhookResult> SendAsync(WebhookPost post, string url) =>
        post.SendAsync(url, TestMesure.NewId(), "{}"u8.ToArray(), ["whsec_" + Convert.ToBase64String(new byte[32])], Ct);
}

/// <summary>What the service does by itself, without what a configuration allows.</summary>
public sealed class StrictAddressTests(NotificationsFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TestEvent_ToLocalhost_IsRefused()
    {
        var organisation = TestMesure.NewId();
        var client = new WebhookService.WebhookServiceClient(fixture.Host.Channel("espace", organisation));
        var created = await client.CreateEndpointAsync(
            new CreateEndpointRequest { Endpoint = WebhookFixture.Endpoint("https://localhost:1/"), RequestId = WebhookFixture.NewId() }, cancellationToken: Ct);
        await client.SendTestEventAsync(new SendTestEventRequest { EndpointId = created.Endpoint.EndpointId, RequestId = WebhookFixture.NewId() }, cancellationToken: Ct);

        var delivery = await Eventually.BecomesAsync(
            async () => (await client.ListDeliveriesAsync(new ListDeliveriesRequest { EndpointId = created.Endpoint.EndpointId })).Deliveries.Single(),
            d => d.State == WebhookDeliveryState.Failed, "the refusal");
        Assert.Equal("ADDRESS_REFUSED", delivery.LastError);
    }
}
