using Grpc.AspNetCore.Server;
using Grpc.Core;
using Jafer.ServiceDefaults.Access;
using Microsoft.AspNetCore.Http;

namespace Jafer.ServiceDefaults.Clients;

/// <summary>
/// The metadata entry by which one of Jafer's services tells another for whom it calls. It goes into the journal and decides
/// nothing; from anybody but a service it is not read.
/// </summary>
internal static class CallerMetadata
{
    public const string Key = "x-jafer-caller";

    private const int MaxLength = 200;

    /// <summary>The caller of the call that this process is answering; null outside of a call.</summary>
    public static string? Current(IHttpContextAccessor accessor)
    {
        var call = accessor.HttpContext?.Features.Get<IServerCallContextFeature>()?.ServerCallContext;
        var subject = call?.TryGetCaller() is { } caller ? caller.OnBehalfOf ?? caller.Subject : null;
        return subject is not null && IsSafe(subject) ? subject : null;
    }

    /// <summary>The purpose that the caller of that call declared; null when none.</summary>
    public static string? Purpose(IHttpContextAccessor accessor) =>
        accessor.HttpContext?.Features.Get<IServerCallContextFeature>()?.ServerCallContext is { } call ? Journal.Purpose.Read(call.RequestHeaders) : null;

    /// <summary>The caller that a service names; null when it names none, or not one that can be.</summary>
    public static string? Read(Metadata headers) => headers.GetValue(Key) is { } subject && IsSafe(subject) ? subject : null;

    private static bool IsSafe(string subject) => subject.Length is > 0 and <= MaxLength && subject.All(c => c is > ' ' and <= '~');
}
