using System.IO.Pipelines;
using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Tests.Grpc;

#pragma warning disable RS0030 // What a client catches.

public sealed class ErrorTests : IAsyncLifetime
{
    private const string Marker = "Zéphyrine Planté";
    private readonly LogRecorder _logs = new();
    private TestDatabase? _database;
    private ServiceHost? _host;

    private ProbeService.ProbeServiceClient Client => new(_host!.Channel("juridiction", Organisations.Court));

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        var everything = new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Trace" };
        _host = await ProbeHost.StartAsync(_database, ServiceHost.UniquePrefix(), everything, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(_logs);
            builder.Services.AddSingleton<IStartupFilter, UnreadableMessages>();
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("sql")]
    [InlineData("sql-save")]
    public async Task Call_Fault_IsInternalWithFixedTextAndTraceId(string kind)
    {
        var refusal = await Refusal.OfAsync(Client.FailAsync(new() { Kind = kind, Marker = Marker }));

        Assert.Equal((StatusCode.Internal, "INTERNAL", "An internal error occurred."), (refusal.Code, refusal.Reason, refusal.Message));
        Assert.Matches("^[0-9a-f]{32}$", refusal.Metadata["trace_id"]);
        Assert.Equal(["trace_id"], refusal.Metadata.Keys);
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("sql")]
    [InlineData("sql-save")]
    [InlineData("transient")]
    public async Task Call_FaultThatQuotesAPerson_LeavesTheNameOutOfEveryLogAndAnswer(string kind)
    {
        var call = Client.FailAsync(new() { Kind = kind, Marker = Marker });
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        // The marker as text, and in the bytes of the trailers.
        Assert.DoesNotContain(Marker, error.ToString(), StringComparison.Ordinal);
        Assert.All(error.Trailers, t => Assert.Equal(-1, t.ValueBytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(Marker))));
        var fault = _logs.Lines.Single(l => l.Contains("/jafer.probe.v1.ProbeService/Fail failed with", StringComparison.Ordinal));
        Assert.Contains("ProbeGrpcService.Fail", fault, StringComparison.Ordinal);
        Assert.DoesNotContain(_logs.Lines, l => l.Contains("Zéphyrine", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_Transient_IsUnavailableWithRetryInfo()
    {
        var refusal = await Refusal.OfAsync(Client.FailAsync(new() { Kind = "transient" }));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), (refusal.Code, refusal.Reason));
        Assert.Equal(TimeSpan.FromSeconds(1), refusal.RetryAfter);
    }

    [Fact]
    public async Task Call_Refused_IsNotLogged()
    {
        var refusal = await Refusal.OfAsync(Client.FailAsync(new() { Kind = "invalid" }));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["kind"], refusal.Fields);
        Assert.DoesNotContain(_logs.Lines, l => l.Contains("Fail failed with", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_FiveHundredViolations_StillFitsTheTrailers()
    {
        var refusal = await Refusal.OfAsync(Client.FailAsync(new() { Kind = "invalid-many" }));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.InRange(refusal.Fields.Count, 50, 500);
    }

    [Fact]
    public async Task Call_NotImplemented_SaysSo()
    {
        var refusal = await Refusal.OfAsync(Client.ForgetAsync(new()));

        Assert.Equal((StatusCode.Unimplemented, "METHOD_UNKNOWN"), (refusal.Code, refusal.Reason));
    }

    [Theory]
    [InlineData("cut off", StatusCode.Unavailable, "SERVICE_UNAVAILABLE", 0)]
    [InlineData("cancelled", StatusCode.Unavailable, "SERVICE_UNAVAILABLE", 0)]
    [InlineData("too large", StatusCode.ResourceExhausted, "LIMIT_EXCEEDED", 0)]
    [InlineData("malformed", StatusCode.InvalidArgument, "REQUEST_INVALID", 0)]
    [InlineData("fault", StatusCode.Internal, "INTERNAL", 1)]
    public async Task Call_OfWhichTheMessageIsNotRead_IsToldWhoseFaultItIs(string fails, StatusCode code, string reason, int logged)
    {
        var refusal = await Refusal.OfAsync(Client.FailAsync(new() { Kind = "ok" }, new Metadata { { UnreadableMessages.Header, fails } }));

        Assert.Equal((code, reason), (refusal.Code, refusal.Reason));
        Assert.Equal(logged, _logs.Lines.Count(l => l.Contains("Fail failed with", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Call_DeadlinePasses_IsDeadlineExceededAndTheHandlerEnds()
    {
        var call = Client.FailAsync(new() { Kind = "hang" }, deadline: TimeProvider.System.GetUtcNow().AddMilliseconds(300).UtcDateTime);

        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        await HandlerEndsAsync();
    }

    [Fact]
    public async Task Call_ClientLeaves_EndsTheHandlerWithoutALogLine()
    {
        using var leave = new CancellationTokenSource();
        var call = Client.FailAsync(new() { Kind = "hang" }, cancellationToken: leave.Token);
        await Eventually.BecomesAsync(() => Task.FromResult(Hooks.Calls), c => c == 1, "the call");

        await leave.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode);
        await HandlerEndsAsync();
        Assert.DoesNotContain(_logs.Lines, l => l.Contains("Fail failed with", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stream_ClientLeavesWhileItIsRead_LeavesNoLogLine()
    {
        using (var call = new Jafer.ServiceDefaults.Grpc.Reflection.V1.ServerReflection.ServerReflectionClient(_host!.Channel(null)).ServerReflectionInfo())
        {
            await call.RequestStream.WriteAsync(new() { ListServices = "" });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        }

        await HandlerEndsAsync();
        Assert.DoesNotContain(_logs.Lines, l => l.Contains("ServerReflectionInfo failed with", StringComparison.Ordinal));
    }

    private Jafer.Probe.ProbeHooks Hooks => _host!.App.Services.GetRequiredService<Jafer.Probe.ProbeHooks>();

    /// <summary>The service measured the end of a call.</summary>
    private Task<int> HandlerEndsAsync() => Eventually.BecomesAsync(
        () => Task.FromResult(_measured.Ended), ended => ended > 0, "the end of the handler");

    private readonly CallCounter _measured = new();

    /// <summary>Counts the calls that the service measured, whatever became of them.</summary>
    private sealed class CallCounter : IDisposable
    {
        private readonly System.Diagnostics.Metrics.MeterListener _listener = new();
        private int _ended;

        public CallCounter()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "rpc.server.duration")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
            {
                foreach (var tag in tags)
                {
                    if (tag is { Key: "rpc.grpc.status_code", Value: "Cancelled" or "DeadlineExceeded" })
                    {
                        Interlocked.Increment(ref _ended);
                    }
                }
            });
            _listener.Start();
        }

        public int Ended => Volatile.Read(ref _ended);

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>Messages that cannot be read, as a header of the call says.</summary>
    private sealed class UnreadableMessages : IStartupFilter
    {
        public const string Header = "x-read-fails";

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (http, then) =>
            {
                if (http.Request.Headers[Header].ToString() is { Length: > 0 } fails)
                {
                    http.Features.Set<IRequestBodyPipeFeature>(new FailingReader(fails switch
                    {
                        "cut off" => new IOException("The client reset the request stream."),
                        "cancelled" => new TaskCanceledException("The request was aborted"),
                        "too large" => new Microsoft.AspNetCore.Http.BadHttpRequestException("Request body too large.", 413),
                        "malformed" => new InvalidDataException("Unexpected compressed flag value in message header."),
                        _ => new InvalidOperationException("Reading is already in progress."),
                    }));
                }

                await then(http);
            });
            next(app);
        };

        private sealed class FailingReader(Exception fault) : PipeReader, IRequestBodyPipeFeature
        {
            public PipeReader Reader => this;

            public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => ValueTask.FromException<ReadResult>(fault);

            public override bool TryRead(out ReadResult result) => throw fault;

            public override void AdvanceTo(SequencePosition consumed)
            {
            }

            public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
            {
            }

            public override void CancelPendingRead()
            {
            }

            public override void Complete(Exception? exception = null)
            {
            }
        }
    }
}
