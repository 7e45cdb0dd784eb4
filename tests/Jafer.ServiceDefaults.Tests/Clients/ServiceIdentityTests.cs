using System.Net;
using Jafer.ServiceDefaults.Clients;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Tests.Clients;

public sealed class ServiceIdentityTests : IAsyncLifetime
{
    private readonly TestClock _clock = new(new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private TokenEndpoint? _endpoint;
    private ServiceIdentity? _identity;

    private TokenEndpoint Endpoint => _endpoint!;

    private ServiceIdentity Identity => _identity!;

    public async ValueTask InitializeAsync()
    {
        _endpoint = await TokenEndpoint.StartAsync();
        _identity = New(_endpoint.Settings());
    }

    public async ValueTask DisposeAsync()
    {
        Identity.Dispose();
        await Endpoint.DisposeAsync();
    }

    [Fact]
    public async Task Token_WithinItsLife_IsAskedForOnce()
    {
        for (var second = 0; second < 539; second += 7)
        {
            Assert.Equal("token-1", await Identity.TokenAsync("directory", CancellationToken.None));
            _clock.Advance(TimeSpan.FromSeconds(7));
        }

        Assert.Equal(1, Endpoint.Asked);
    }

    [Fact]
    public async Task Token_ForAnotherService_IsAnotherOneWithItsAudience()
    {
        Assert.Equal("token-1", await Identity.TokenAsync("directory", CancellationToken.None));
        Assert.Equal("token-2", await Identity.TokenAsync("messaging", CancellationToken.None));
        Assert.Equal("token-1", await Identity.TokenAsync("directory", CancellationToken.None));

        Assert.Equal(["directory", "messaging"], Endpoint.Audiences);
        Assert.Equal(["urn:jafer:directory", "urn:jafer:messaging"], Endpoint.Resources);
    }

    [Fact]
    public async Task Token_ShortlyBeforeItsEnd_IsRenewed()
    {
        await Identity.TokenAsync("directory", CancellationToken.None);

        _clock.Advance(TimeSpan.FromSeconds(540));

        Assert.Equal("token-2", await Identity.TokenAsync("directory", CancellationToken.None));
    }

    [Fact]
    public async Task Token_AskedByManyAtOnce_IsRenewedOnce()
    {
        var gate = new TaskCompletionSource();
        Endpoint.Gate = gate.Task;

        var callers = Enumerable.Range(0, 50).Select(_ => Identity.TokenAsync("directory", CancellationToken.None).AsTask()).ToList();
        await Eventually.BecomesAsync(() => Task.FromResult(Endpoint.Asked), n => n == 1, "the request");
        gate.SetResult();

        Assert.Equal(["token-1"], (await Task.WhenAll(callers)).Distinct());
        Assert.Equal(1, Endpoint.Asked);
    }

    [Fact]
    public async Task Token_OneCallerLeaves_TheOthersStillGetIt()
    {
        var gate = new TaskCompletionSource();
        Endpoint.Gate = gate.Task;
        using var leave = new CancellationTokenSource();
        var leaving = Identity.TokenAsync("directory", leave.Token).AsTask();
        var staying = Identity.TokenAsync("directory", CancellationToken.None).AsTask();

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        gate.SetResult();

        Assert.Equal("token-1", await staying);
    }

    [Fact]
    public async Task Token_IssuerFailsNearTheEnd_TheHeldOneIsUsedWhileItIsValid()
    {
        await Identity.TokenAsync("directory", CancellationToken.None);
        Endpoint.Status = HttpStatusCode.InternalServerError;

        _clock.Advance(TimeSpan.FromSeconds(599));
        Assert.Equal("token-1", await Identity.TokenAsync("directory", CancellationToken.None));

        _clock.Advance(TimeSpan.FromSeconds(1));
        var error = await Assert.ThrowsAsync<IdentityUnavailableException>(() => Identity.TokenAsync("directory", CancellationToken.None).AsTask());
        Assert.Equal("no token of the issuer (HttpRequestException 500)", error.Message);

        Endpoint.Status = HttpStatusCode.OK;
        Assert.StartsWith("token-", await Identity.TokenAsync("directory", CancellationToken.None), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_IssuerHangs_GivesUpAfterItsTime()
    {
        Endpoint.Gate = new TaskCompletionSource().Task;
        var asking = Identity.TokenAsync("directory", CancellationToken.None).AsTask();
        await Eventually.BecomesAsync(() => Task.FromResult(Endpoint.Asked), n => n == 1, "the request");

        _clock.Advance(ServiceIdentity.Timeout);

        await Assert.ThrowsAsync<IdentityUnavailableException>(() => asking);
    }

    [Fact]
    public async Task Forget_OldToken_AsksAgainButNotForAFreshOne()
    {
        await Identity.TokenAsync("directory", CancellationToken.None);
        Identity.Forget();
        Assert.Equal("token-1", await Identity.TokenAsync("directory", CancellationToken.None));

        _clock.Advance(TimeSpan.FromSeconds(11));
        Identity.Forget();
        Assert.Equal("token-2", await Identity.TokenAsync("directory", CancellationToken.None));
    }

    [Theory]
    [InlineData("Identity:ClientId", null)]
    [InlineData("Identity:ClientSecret", null)]
    [InlineData("Identity:Authority", "http://127.0.0.1:9")]
    [InlineData("Identity:ClientSecret", "another")]
    public async Task Token_WrongSettings_IsUnavailableAndSaysNoSecret(string key, string? value)
    {
        var settings = Endpoint.Settings();
        settings[key] = value;
        using var identity = New(settings);

        var error = await Assert.ThrowsAsync<IdentityUnavailableException>(() => identity.TokenAsync("directory", CancellationToken.None).AsTask());

        Assert.DoesNotContain("s3cr3t", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_EndpointConfigured_NeedsNoDiscovery()
    {
        var settings = Endpoint.Settings();
        settings["Identity:TokenEndpoint"] = new Uri(Endpoint.Address, "/oauth/token").ToString();
        settings["Identity:Authority"] = "http://127.0.0.1:9";
        using var identity = New(settings);

        Assert.Equal("token-1", await identity.TokenAsync("directory", CancellationToken.None));
    }

    private ServiceIdentity New(IEnumerable<KeyValuePair<string, string?>> settings) =>
        new(new HttpClient(), new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), _clock);
}
