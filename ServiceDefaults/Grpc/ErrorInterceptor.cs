using System.Diagnostics;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Jafer.ServiceDefaults.Limits;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // The room where RpcException is thrown.

/// <summary>
/// The outermost interceptor of every service: measures each call and turns whatever is thrown into a status of
/// <see cref="RpcErrors"/>. Faults are logged here, once; refusals are not logged. When the process is asked to stop, running
/// calls are answered, and streams, which would never end, end with UNAVAILABLE: the client resumes elsewhere.
/// </summary>
internal sealed class ErrorInterceptor(
    IHostApplicationLifetime lifetime, CallLimits limits, IOptions<LimitOptions> options, TimeProvider clock, ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        await RunAsync(context, async () => response = await continuation(request, context));
        return response!;
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        StreamAsync(context, draining => continuation(request, new ResponseStream<TResponse>(responseStream), draining));

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        await StreamAsync(context, async draining => response = await continuation(Read(requestStream, context), draining));
        return response!;
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        StreamAsync(context, draining => continuation(Read(requestStream, context), new ResponseStream<TResponse>(responseStream), draining));

    private RequestStream<TRequest> Read<TRequest>(IAsyncStreamReader<TRequest> requests, ServerCallContext context)
    {
        // The first message was paid for by the call.
        var first = true;
        return new RequestStream<TRequest>(requests, options.Value.StreamIdle, ct =>
        {
            var pays = !first;
            first = false;
            return pays ? limits.PaceAsync(context.GetHttpContext(), ct) : default;
        }, clock);
    }

    private async Task StreamAsync(ServerCallContext context, Func<ServerCallContext, Task> call)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var draining = new DrainingContext(context, either.Token);
        await RunAsync(context, async () =>
        {
            try
            {
                await call(draining);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
            {
                throw DomainError.Unavailable(TimeSpan.FromSeconds(1));
            }
        });
    }

    private async Task RunAsync(ServerCallContext context, Func<Task> call)
    {
        var start = Stopwatch.GetTimestamp();
        if (Activity.Current is { } activity)
        {
            activity.DisplayName = context.Method[1..];
            activity.SetTag("rpc.system", "grpc");
        }

        var code = StatusCode.OK;
        try
        {
            await call();
        }
        catch (Exception exception)
        {
            var error = RpcErrors.From(exception, context);
            code = error.StatusCode;
            if (code is StatusCode.Internal or StatusCode.Unavailable && !(exception is DomainError && lifetime.ApplicationStopping.IsCancellationRequested))
            {
                logger.LogError("{Method} failed with {Code}: {Fault}", context.Method, code, Redaction.Describe(exception));
            }

            Activity.Current?.SetTag("rpc.grpc.status_code", (int)code);
            throw error;
        }
        finally
        {
            JaferMetrics.CallDuration.Record(
                Stopwatch.GetElapsedTime(start).TotalSeconds,
                new KeyValuePair<string, object?>("rpc.method", context.Method),
                new KeyValuePair<string, object?>("rpc.grpc.status_code", code.ToString()));
        }
    }
}
