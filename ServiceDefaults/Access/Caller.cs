using Grpc.Core;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Access;

/// <summary>Whose things a caller may touch by an rpc, as the access table says for their role.</summary>
public enum Tenancy
{
    /// <summary>Nobody's: the role may not call the rpc.</summary>
    None,

    /// <summary>Those of the caller's own organisation.</summary>
    Own,

    /// <summary>Everybody's.</summary>
    Any,
}

/// <summary>The roles that code knows by name. Others follow by a column in the access table.</summary>
public static class Roles
{
    /// <summary>Greffe or judge's system of one court.</summary>
    public const string Juridiction = "juridiction";

    /// <summary>Staff or software of one gestionnaire.</summary>
    public const string Espace = "espace";

    /// <summary>Operator of Jafer.</summary>
    public const string Operateur = "operateur";

    /// <summary>Statistician.</summary>
    public const string Statisticien = "statisticien";

    /// <summary>One of Jafer's own services.</summary>
    public const string Systeme = "systeme";
}

/// <summary>Who calls, as the token says, and what the access table grants them for this rpc.</summary>
/// <param name="Subject">Subject of the token.</param>
/// <param name="Role">Role.</param>
/// <param name="OrganisationId">Organisation as the directory knows it.</param>
/// <param name="IsPerson">True for a person, false for unattended software.</param>
/// <param name="OnBehalfOf">
/// For whom software acts, as the token says, or as one of Jafer's services tells of the call that it is answering. For the
/// journal, never authority; null when nobody is named.
/// </param>
/// <param name="Tenancy">Whose things this rpc may touch.</param>
/// <param name="TokenExpiresAt">When the token expires.</param>
public sealed record Caller(
    string Subject, string Role, Guid OrganisationId, bool IsPerson, string? OnBehalfOf, Tenancy Tenancy, DateTimeOffset TokenExpiresAt)
{
    /// <summary>Issuer of the token.</summary>
    public string? Issuer { get; init; }

    /// <summary>Whether the caller may touch what belongs to an organisation.</summary>
    /// <param name="organisationId">Its owner; null belongs to nobody.</param>
    public bool MayTouch(Guid? organisationId) =>
        Tenancy == Tenancy.Any || (Tenancy == Tenancy.Own && organisationId == OrganisationId);

    /// <summary>Refuses the call unless the caller may touch what belongs to an organisation.</summary>
    /// <param name="organisationId">Its owner; null belongs to nobody.</param>
    public void Require(Guid? organisationId)
    {
        if (!MayTouch(organisationId))
        {
            throw DomainError.Forbidden();
        }
    }
}

/// <summary>Access to the caller from a gRPC method.</summary>
public static class CallerExtensions
{
    private static readonly object s_key = new();

    /// <summary>The caller of this call, as the access interceptor found them.</summary>
    public static Caller Caller(this ServerCallContext context) =>
        context.UserState.TryGetValue(s_key, out var caller) ? (Caller)caller : throw new InvalidOperationException("the call did not pass the access interceptor");

    internal static Caller? TryGetCaller(this ServerCallContext context) => context.UserState.TryGetValue(s_key, out var caller) ? (Caller)caller : null;

    internal static void SetCaller(this ServerCallContext context, Caller caller) => context.UserState[s_key] = caller;
}
