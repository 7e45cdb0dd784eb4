using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // The room where RpcException is made.

/// <summary>
/// Bytes that are no message of their rpc, or more of them than a message may have, fail before any interceptor runs, and gRPC
/// alone would answer UNKNOWN, or a status without details. They are the caller's to mend, and answered so. What else
/// fails there, such as a message that is cut off, is not. In a stream <see cref="RequestStream{T}"/> sees to it.
/// </summary>
internal static class MalformedRequests
{
    /// <summary>What says how a call ended, as long as its answer has not begun.</summary>
    public const string StatusHeader = "grpc-status";

    public static void UseMalformedRequests(this WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(MalformedRequests));
        // The error interceptor lets no other UNKNOWN out, and no RESOURCE_EXHAUSTED without details.
        var (unknown, exhausted) = (StatusCode.Unknown.ToString("D"), StatusCode.ResourceExhausted.ToString("D"));
        app.Use(async (http, next) =>
        {
            await next(http);
            var headers = http.Response.Headers;
            if (http.Response.HasStarted || headers.ContainsKey(RpcErrors.DetailsTrailer))
            {
                return;
            }

            if (headers[StatusHeader] == unknown && http.Features.Get<IServerCallContextFeature>() is { ServerCallContext: var call })
            {
                Answer(http.Response, Refusal(call, logger));
            }
            else if (headers[StatusHeader] == exhausted)
            {
                Answer(http.Response, DomainError.MessageTooLarge());
            }
        });
    }

    /// <summary>Answers a call by a refusal alone, as headers of an answer that has not begun.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="error">The refusal.</param>
    public static void Answer(HttpResponse response, DomainError error) => Answer(response, RpcErrors.From(error));

    private static void Answer(HttpResponse response, RpcException refusal)
    {
        response.ContentType = "application/grpc";
        response.Headers[StatusHeader] = refusal.StatusCode.ToString("D");
        response.Headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        response.Headers[RpcErrors.DetailsTrailer] = Convert.ToBase64String(refusal.Trailers.GetValueBytes(RpcErrors.DetailsTrailer)!);
    }

    /// <summary>What a call is told that gRPC alone would answer UNKNOWN.</summary>
    private static RpcException Refusal(ServerCallContext call, ILogger logger)
    {
        switch (call.Status.DebugException ?? new InvalidOperationException("a status without an exception"))
        {
            case InvalidProtocolBufferException or InvalidDataException:
                return RpcErrors.From(DomainError.Malformed());
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return RpcErrors.From(DomainError.MessageTooLarge());
            case IOException or OperationCanceledException:
                // The client left or was cut off in the middle of its message: nothing was done of the call.
                return RpcErrors.From(DomainError.Unavailable(TimeSpan.FromSeconds(1)));
            case var fault:
                var refusal = RpcErrors.From(fault, call);
                logger.LogError("{Method} failed with {Code} outside of its service: {Fault}", call.Method, refusal.StatusCode, Redaction.Describe(fault));
                return refusal;
        }
    }
}
