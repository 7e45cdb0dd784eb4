using System.Diagnostics;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // The room where RpcException is thrown.

/// <summary>
/// The outermost interceptor of every service: measures each call and turns whatever is thrown into a status of
/// <see cref="RpcErrors"/>. Faults are logged here, once; refusals are not logged.
/// </summary>
internal sealed class ErrorInterceptor(ILogger<ErrorInterceptor> logger) : Interceptor
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
        RunAsync(context, () => continuation(request, responseStream, context));

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        await RunAsync(context, async () => response = await continuation(requestStream, context));
        return response!;
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, () => continuation(requestStream, responseStream, context));

    private async Task RunAsync(ServerCallContext context, Func<Task> call)
    {
        var start = Stopwatch.GetTimestamp();
        var code = StatusCode.OK;
        try
        {
            await call();
        }
        catch (Exception exception)
        {
            var error = RpcErrors.From(exception, context);
            code = error.StatusCode;
            if (code is StatusCode.Internal or StatusCode.Unavailable)
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
