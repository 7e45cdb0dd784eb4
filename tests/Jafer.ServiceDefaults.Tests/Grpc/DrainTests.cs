using Google.Protobuf;
using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Grpc.Reflection.V1;
using Jafer.ServiceDefaults.Tests.Limits;
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

    [Fact]
    public async Task Stop_StreamInTheMiddleOfAMessage_WritesItToItsEndAndEndsUnavailable()
    {
        var ct = TestContext.Current.CancellationToken;
        using var client = await RawHttp2.ConnectAsync(_host!.Grpc, ct, window: 0);
        // Its answer repeats it, and is more than the server keeps until the client takes it.
        var question = new ServerReflectionRequest { Host = new string('x', 10_000), ListServices = "" };
        var bytes = question.ToByteArray();
        await client.SendAsync(RawHttp2.Frame(RawHttp2.Headers, 4, 1, RawHttp2.Block("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")), ct);
        await client.SendAsync(RawHttp2.Frame(RawHttp2.Data, 0, 1, [0, 0, 0, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes]), ct);
        while ((await client.ReadFrameAsync(ct))!.Value is not { Type: RawHttp2.Headers, Flags: 4 })
        {
            // Until the answer begins.
        }

        _host.App.Lifetime.StopApplication();
        var stopping = _host.App.StopAsync(ct);
        byte[] megabyte = [0, 16, 0, 0];
        await client.SendAsync((byte[])[.. RawHttp2.Frame(RawHttp2.WindowUpdate, 0, 0, megabyte), .. RawHttp2.Frame(RawHttp2.WindowUpdate, 0, 1, megabyte)], ct);
        var (message, end) = (new List<byte>(), (byte[]?)null);
        while (end is null)
        {
            var frame = (await client.ReadFrameAsync(ct))!.Value;
            Assert.NotEqual(RawHttp2.ResetStream, frame.Type);
            message.AddRange(frame.Type == RawHttp2.Data ? frame.Payload : []);
            end = frame.Type == RawHttp2.Headers ? frame.Payload : null;
        }

        Assert.Equal(question, ServerReflectionResponse.Parser.ParseFrom(message.Skip(5).ToArray()).OriginalRequest);
        // As Kestrel writes a trailer that is not on its list: the name, the length, the value.
        Assert.NotEqual(-1, end.AsSpan().IndexOf("grpc-status\u000214"u8));
        client.Dispose();
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
