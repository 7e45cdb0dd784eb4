using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Jafer.Contracts.Type.V1;
using Npgsql;
using RpcStatus = Google.Rpc.Status;
using StatusCode = Grpc.Core.StatusCode;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // The room where RpcException is made.

/// <summary>Turns refusals and faults into gRPC statuses with google.rpc details.</summary>
public static class RpcErrors
{
    /// <summary>ErrorInfo.domain of every error of Jafer.</summary>
    public const string Domain = "jafer";

    /// <summary>Trailer that carries google.rpc.Status.</summary>
    public const string DetailsTrailer = "grpc-status-details-bin";

    private const int MaxViolations = 60;
    private static readonly ConcurrentDictionary<ErrorReason, string> s_reasons = new();

    /// <summary>The reason as it stands in ErrorInfo: the enum's proto name without its prefix.</summary>
    /// <param name="reason">The reason.</param>
    public static string NameOf(ErrorReason reason) => s_reasons.GetOrAdd(reason, static r =>
        typeof(ErrorReason).GetField(r.ToString())!.GetCustomAttribute<OriginalNameAttribute>()!.Name["ERROR_REASON_".Length..]);

    /// <summary>The exception that gRPC sends for any exception, with nothing of a fault but its trace id.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="call">The call, to tell a passed deadline from a client that left.</param>
    public static RpcException From(Exception exception, ServerCallContext call) => exception switch
    {
        DomainError error => From(error),
        ClientLeftException => Ended(call),
        OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled } when call.CancellationToken.IsCancellationRequested => Ended(call),
        // What a generated method throws that is not overridden; the answer of another service has trailers or headers.
        RpcException { StatusCode: StatusCode.Unimplemented, Status.DebugException: null, Trailers.Count: 0 } =>
            Build(StatusCode.Unimplemented, "This method is not served here.", [Info(ErrorReason.MethodUnknown)]),
        _ when IsTransient(exception) => From(DomainError.Unavailable(TimeSpan.FromSeconds(1))),
        _ => Internal(),
    };

    /// <summary>The status that gRPC sends for any exception.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="call">The call.</param>
    public static StatusCode CodeOf(Exception exception, ServerCallContext call) => From(exception, call).StatusCode;

    /// <summary>The exception that gRPC sends for a refusal.</summary>
    /// <param name="error">The refusal.</param>
    public static RpcException From(DomainError error)
    {
        var details = new List<IMessage> { Info(error.Reason, error.Metadata) };
        if (error.Fields.Count > 0)
        {
            var badRequest = new BadRequest();
            badRequest.FieldViolations.AddRange(error.Fields.Take(MaxViolations).Select(f =>
                new BadRequest.Types.FieldViolation { Field = f.Field, Description = f.Description }));
            details.Add(badRequest);
        }

        if (error.Rules.Count > 0)
        {
            var failure = new PreconditionFailure();
            failure.Violations.AddRange(error.Rules.Take(MaxViolations).Select(r =>
                new PreconditionFailure.Types.Violation { Type = r.Type, Subject = r.Subject, Description = r.Description }));
            details.Add(failure);
        }

        if (error.RetryAfter is { } delay)
        {
            details.Add(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) });
        }

        if (error.MessageFr is { } text)
        {
            details.Add(new LocalizedMessage { Locale = "fr-FR", Message = text });
        }

        return Build(error.Code, error.Message, details);
    }

    /// <summary>True when trying again may help: the store or the broker is away, a lock was lost, the server restarts.</summary>
    /// <param name="exception">What was thrown.</param>
    public static bool IsTransient(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is NpgsqlException { IsTransient: true } or TimeoutException or System.Net.Sockets.SocketException
                or RpcException { StatusCode: StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted }
                or PostgresException { SqlState: "57P01" or "57P02" or "57P03" or "53300" or "40001" or "40P01" })
            {
                return true;
            }
        }

        return false;
    }

    private static RpcException Ended(ServerCallContext call) => call.Deadline < DateTime.MaxValue && call.Deadline <= TimeProvider.System.GetUtcNow().UtcDateTime
        ? Build(StatusCode.DeadlineExceeded, "The deadline passed.", [Info(ErrorReason.CallEnded)])
        : Build(StatusCode.Cancelled, "The call was cancelled.", [Info(ErrorReason.CallEnded)]);

    private static RpcException Internal()
    {
        var metadata = new Dictionary<string, string>();
        if (Activity.Current is { } activity)
        {
            metadata["trace_id"] = activity.TraceId.ToString();
        }

        return Build(StatusCode.Internal, "An internal error occurred.", [Info(ErrorReason.Internal, metadata)]);
    }

    private static ErrorInfo Info(ErrorReason reason, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // This version of the package still calls field 1 "type"; on the wire it is ErrorInfo.reason.
        var info = new ErrorInfo { Domain = Domain, Type = NameOf(reason) };
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
        {
            info.Metadata.Add(key, value);
        }

        return info;
    }

    private static RpcException Build(StatusCode code, string message, IEnumerable<IMessage> details)
    {
        var status = new RpcStatus { Code = (int)code, Message = message };
        status.Details.AddRange(details.Select(Any.Pack));
        return new RpcException(new global::Grpc.Core.Status(code, message), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }
}
