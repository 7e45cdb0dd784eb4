using Google.Rpc;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace Jafer.Testing;

#pragma warning disable RS0030 // What a client catches.

/// <summary>What a client can read of a refusal.</summary>
/// <param name="Code">gRPC status code.</param>
/// <param name="Message">Text of the status.</param>
/// <param name="Reason">ErrorInfo.reason.</param>
/// <param name="Metadata">ErrorInfo.metadata.</param>
/// <param name="Fields">Paths of the field violations, in their order.</param>
/// <param name="Rules">Types of the precondition violations, in their order.</param>
/// <param name="RetryAfter">RetryInfo, when there is one.</param>
public sealed record Refusal(
    StatusCode Code, string Message, string Reason, IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<string> Fields, IReadOnlyList<string> Rules, TimeSpan? RetryAfter)
{
    /// <summary>google.rpc.Status as it came, byte for byte, in hexadecimal.</summary>
    public string Bytes { get; init; } = "";

    /// <summary>The refusal of a call; fails when the call succeeds or the error carries no details.</summary>
    /// <param name="call">The call.</param>
    public static async Task<Refusal> OfAsync(Func<Task> call) =>
        await OrNullAsync(call) ?? throw new InvalidOperationException("the call succeeded, a refusal was expected");

    /// <summary>The refusal of a call; null when it succeeds.</summary>
    /// <param name="call">The call.</param>
    public static async Task<Refusal?> OrNullAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException e)
        {
            return Of(e);
        }
    }

    /// <summary>The refusal of a unary call.</summary>
    /// <param name="call">The call.</param>
    public static Task<Refusal> OfAsync<T>(AsyncUnaryCall<T> call) => OfAsync(() => call.ResponseAsync);

    /// <summary>The status of a unary call, OK when it succeeds.</summary>
    /// <param name="call">The call.</param>
    public static async Task<StatusCode> CodeOfAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            await call.ResponseAsync;
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return Of(e).Code;
        }
    }

    private static Refusal Of(RpcException e)
    {
        var bytes = e.Trailers.GetValueBytes("grpc-status-details-bin")
            ?? throw new InvalidOperationException($"no details with {e.StatusCode}: {e.Status.Detail}", e);
        var status = RpcStatus.Parser.ParseFrom(bytes);
        if (status.Code != (int)e.StatusCode)
        {
            throw new InvalidOperationException($"the details say {status.Code}, the status {e.StatusCode}");
        }

        ErrorInfo? info = null;
        var fields = new List<string>();
        var rules = new List<string>();
        TimeSpan? retry = null;
        foreach (var detail in status.Details)
        {
            if (detail.Is(ErrorInfo.Descriptor))
            {
                info = detail.Unpack<ErrorInfo>();
            }
            else if (detail.Is(BadRequest.Descriptor))
            {
                fields.AddRange(detail.Unpack<BadRequest>().FieldViolations.Select(v => v.Field));
            }
            else if (detail.Is(PreconditionFailure.Descriptor))
            {
                rules.AddRange(detail.Unpack<PreconditionFailure>().Violations.Select(v => v.Type));
            }
            else if (detail.Is(RetryInfo.Descriptor))
            {
                retry = detail.Unpack<RetryInfo>().RetryDelay.ToTimeSpan();
            }
        }

        if (info is not { Domain: "jafer" })
        {
            throw new InvalidOperationException("the error has no ErrorInfo of Jafer");
        }

        return new Refusal(e.StatusCode, e.Status.Detail, info.Type, info.Metadata.ToDictionary(), fields, rules, retry) { Bytes = Convert.ToHexString(bytes) };
    }
}
