using System.Collections.Frozen;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Answers before anything else is looked at: no token or a bad one is UNAUTHENTICATED, a role without a grant in the access
/// table, a person where it wants software or the other way round, a member whose rank is too low, and who is competent for a part of France
/// only where the act is for the whole, is PERMISSION_DENIED. Health and reflection are open. Whom members, credentials and territories let in
/// is asked again while a stream goes on: see <see cref="StreamAdmission"/>.
/// </summary>
internal sealed class AccessInterceptor(AccessTable table, TokenReader tokens, MemberRanks ranks, CallerTerritories territories, TimeProvider clock) : Interceptor
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
        var admission = await AdmitAsync(context);
        await continuation(request, admission?.Around(responseStream) ?? responseStream, context);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var admission = await AdmitAsync(context);
        return await continuation(admission?.Around(requestStream) ?? requestStream, context);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        // What was taken is answered: only what the client sends next is refused.
        var admission = await AdmitAsync(context);
        await continuation(admission?.Around(requestStream) ?? requestStream, responseStream, context);
    }

    /// <summary>Lets the call in, or refuses it.</summary>
    /// <returns>What asks again while a stream goes on; null where nothing can change.</returns>
    private async Task<StreamAdmission?> AdmitAsync(ServerCallContext context)
    {
        var service = context.Method.AsSpan(1, context.Method.LastIndexOf('/') - 1);
        if (OpenServices.GetAlternateLookup<ReadOnlySpan<char>>().Contains(service))
        {
            return null;
        }

        var http = context.GetHttpContext();
        if (http.Request.Headers.Authorization.Count == 0)
        {
            throw DomainError.TokenMissing();
        }

        var token = await tokens.OfAsync(http, context.CancellationToken);
        var cell = table.Cell(context.Method, token.Role);
        var onBehalfOf = token.OnBehalfOf ?? (token.Role == Roles.Systeme ? CallerMetadata.Read(context.RequestHeaders) : null);
        var caller = new Caller(token.Subject, token.Role, token.OrganisationId, token.IsPerson, onBehalfOf, cell, token.ExpiresAt) { Issuer = token.Issuer };
        context.SetCaller(caller);
        http.RequestServices.GetRequiredService<StoreScope>().Caller = caller;

        // Who is refused is known by now: the journal names them.
        if (cell.Tenancy == Tenancy.None || !cell.Actors.HasFlag(token.Actor))
        {
            throw DomainError.Forbidden();
        }

        var ranked = await territories.AdmitAsync(await ranks.AdmitAsync(caller, token, context.CancellationToken), context.CancellationToken);
        if (!ReferenceEquals(ranked, caller))
        {
            context.SetCaller(ranked);
            http.RequestServices.GetRequiredService<StoreScope>().Caller = ranked;
        }

        Purpose.Require(context.RequestHeaders);
        return ranks.Decide(caller, token) || cell.AsksForTerritory ? new StreamAdmission(ranks, territories, clock, context, caller, token) : null;
    }
}
