using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // The room where RpcException is made.

/// <summary>
/// Bytes that are no message of their rpc fail before any interceptor runs, and gRPC alone would answer UNKNOWN. They are the
/// caller's to mend, and answered so. In a stream <see cref="RequestStream{T}"/> sees to it.
/// </summary>
internal static class MalformedRequests
{
    private const string StatusHeader = "grpc-status";

    public static void UseMalformedRequests(this WebApplication app)
    {
        // The error interceptor lets no other UNKNOWN out.
        var (unknown, refusal) = (StatusCode.Unknown.ToString("D"), RpcErrors.From(DomainError.Malformed()));
        app.Use(async (http, next) =>
        {
            await next(http);
            var headers = http.Response.Headers;
            if (!http.Response.HasStarted && headers[StatusHeader] == unknown && !headers.ContainsKey(RpcErrors.DetailsTrailer))
            {
                headers[StatusHeader] = refusal.StatusCode.ToString("D");
                headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
                headers[RpcErrors.DetailsTrailer] = Convert.ToBase64String(refusal.Trailers.GetValueBytes(RpcErrors.DetailsTrailer)!);
            }
        });
    }
}
