using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Grpc;

#pragma warning disable RS0030 // What a client catches.

public sealed class DrainTests : IAsyncLifetime
{
    private TestDatabase? _database;
    private ServiceHost? _host;

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        _host = await ProbeHost.StartAsync(_database, ServiceHost.UniquePrefix());
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task Stop_RunningCall_IsAnsweredAndNewCallsAreNot()
    {
        var reached = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        _host!.App.Services.GetRequiredService<Jafer.Probe.ProbeHooks>().BeforeWrite = _ =>
        {
            reached.SetResult();
            return release.Task;
        };
        var client = new ProbeService.ProbeServiceClient(_host.Channel("juridiction", Organisations.Court));
        var running = client.FailAsync(new() { Kind = "drain" });
        await reached.Task.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        var stopping = _host.App.StopAsync(TestContext.Current.CancellationToken);
        var another = new ProbeService.ProbeServiceClient(_host.Channel("juridiction", Organisations.Court));
        await Eventually.BecomesAsync(() => CodeOfAsync(another), c => c == StatusCode.Unavailable, "refusal of new calls");
        Assert.False(stopping.IsCompleted);
        release.SetResult();

        Assert.Equal("juridiction." + Organisations.Court, (await running).Subject);
        await stopping;
    }

    [Fact]
    public async Task Stop_OpenStream_EndsUnavailableWithRetryInfo()
    {
        var client = new ProbeService.ProbeServiceClient(_host!.Channel("juridiction", Organisations.Court));
        using var call = client.WatchNotes(new(), cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(Organisations.Court.ToString(), call.ResponseStream.Current.OrganisationId);

        var stopping = _host.App.StopAsync(TestContext.Current.CancellationToken);
        var refusal = await Refusal.OfAsync(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE", TimeSpan.FromSeconds(1)), (refusal.Code, refusal.Reason, refusal.RetryAfter));
        await stopping;
    }

    private static async Task<StatusCode> CodeOfAsync(ProbeService.ProbeServiceClient client)
    {
        using var call = client.FailAsync(new() { Kind = "ok" });
        try
        {
            await call;
        }
        catch (RpcException)
        {
            // The status is read below.
        }

        return call.GetStatus().StatusCode;
    }
}
