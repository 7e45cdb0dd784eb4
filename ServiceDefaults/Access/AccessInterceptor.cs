using System.Collections.Frozen;
using System.Globalization;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Answers before anything else is looked at: no token or a bad one is UNAUTHENTICATED, a role without a grant in the access
/// table is PERMISSION_DENIED. Health and reflection are open.
/// </summary>
internal sealed class AccessInterceptor(AccessTable table, ClaimNames claims, IOptionsMonitor<JwtBearerOptions> options) : Interceptor
{
    /// <summary>Services that need no token.</summary>
    public static readonly FrozenSet<string> OpenServices =
        new[] { "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection" }.ToFrozenSet(StringComparer.Ordinal);

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        return await continuation(request, context);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        await continuation(request, responseStream, context);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        return await continuation(requestStream, context);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        await continuation(requestStream, responseStream, context);
    }

    private async Task AdmitAsync(ServerCallContext context)
    {
        var service = context.Method.AsSpan(1, context.Method.LastIndexOf('/') - 1);
        if (OpenServices.GetAlternateLookup<ReadOnlySpan<char>>().Contains(service))
        {
            return;
        }

        var http = context.GetHttpContext();
        if (http.Request.Headers.Authorization.Count == 0)
        {
            throw DomainError.TokenMissing();
        }

        var result = await http.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        if (!result.Succeeded)
        {
            throw await IssuerAnswersAsync(context.CancellationToken) ? DomainError.TokenInvalid() : DomainError.Unavailable(TimeSpan.FromSeconds(2));
        }

        var token = result.Principal;
        if (token.FindFirst("sub")?.Value is not { Length: > 0 and <= 200 } subject
            // Of several roles none is taken: which one counts is for the issuer to say.
            || token.FindAll(claims.Role).ToList() is not [{ Value: { Length: > 0 } role }]
            || !Guid.TryParseExact(token.FindFirst(claims.Organisation)?.Value, "D", out var organisationId))
        {
            throw DomainError.TokenInvalid();
        }

        var tenancy = table.Grant(context.Method, role);
        if (tenancy == Tenancy.None)
        {
            throw DomainError.Forbidden();
        }

        var expires = long.TryParse(token.FindFirst("exp")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : DateTimeOffset.MaxValue;
        var onBehalfOf = token.FindFirst("on_behalf_of")?.Value ?? (role == Roles.Systeme ? CallerMetadata.Read(context.RequestHeaders) : null);
        var caller = new Caller(subject, role, organisationId, token.FindFirst("actor")?.Value == "person", onBehalfOf, tenancy, expires);
        context.SetCaller(caller);
        http.RequestServices.GetRequiredService<StoreScope>().Caller = caller;
    }

    /// <summary>Whether the issuer's keys are known: without them no token is accepted, which is not the caller's fault.</summary>
    private async Task<bool> IssuerAnswersAsync(CancellationToken ct)
    {
        if (options.Get(JwtBearerDefaults.AuthenticationScheme).ConfigurationManager is not { } manager)
        {
            return true;
        }

        try
        {
            // Held in memory once it was read.
            await manager.GetConfigurationAsync(ct);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
