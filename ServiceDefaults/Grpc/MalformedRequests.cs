using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // The room where RpcException is made.

/// <summary>
/// Bytes that are no message of their rpc, or more of them than a message may have, fail before any interceptor runs, and gRPC
/// alone would answer UNKNOWN, or a status without details. They are the caller's to mend, and answered so. In a stream
/// <see cref="RequestStream{T}"/> sees to it.
/// </summary>
internal static class MalformedRequests
{
    /// <summary>What says how a call ended, as long as its answer has not begun.</summary>
    public const string StatusHeader = "grpc-status";

    public static void UseMalformedRequests(this WebApplication app)
    {
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

            if (headers[StatusHeader] == unknown)
            {
                Answer(http.Response, DomainError.Malformed());
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
    public static void Answer(HttpResponse response, DomainError error)
    {
        var refusal = RpcErrors.From(error);
        response.ContentType = "application/grpc";
        response.Headers[StatusHeader] = refusal.StatusCode.ToString("D");
        response.Headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        response.Headers[RpcErrors.DetailsTrailer] = Convert.ToBase64String(refusal.Trailers.GetValueBytes(RpcErrors.DetailsTrailer)!);
    }
}
