using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Access;

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

    /// <summary>CAF, MSA, DDETS, département: figures of its territory.</summary>
    public const string Partenaire = "partenaire";

    /// <summary>Préfecture: the agréments of its département.</summary>
    public const string Prefecture = "prefecture";

    /// <summary>One of Jafer's own services.</summary>
    public const string Systeme = "systeme";
}

/// <summary>Who calls, as the token says, and what the access table grants them for this rpc.</summary>
/// <param name="Subject">Subject of the token, with the name of its issuer before it where the issuer has one.</param>
/// <param name="Role">Role.</param>
/// <param name="OrganisationId">Organisation as the directory knows it.</param>
/// <param name="IsPerson">True for a person, false for unattended software.</param>
/// <param name="OnBehalfOf">
/// For whom software acts, as the token says, or as one of Jafer's services tells of the call that it is answering; of a person, the member
/// by whose delegated rank they act. For the journal, never authority; null when nobody is named.
/// </param>
/// <param name="Cell">What the access table grants for this rpc.</param>
/// <param name="TokenExpiresAt">When the token expires.</param>
public sealed record Caller(
    string Subject, string Role, Guid OrganisationId, bool IsPerson, string? OnBehalfOf, AccessCell Cell, DateTimeOffset TokenExpiresAt)
{
    /// <summary>Whose things this rpc may touch.</summary>
    public Tenancy Tenancy => Cell.Tenancy;

    /// <summary>Issuer of the token.</summary>
    public string? Issuer { get; init; }

    /// <summary>
    /// Rank of the member who calls, delegated ones counted, or of a credential; null where ranks do not count: software of outside issuers,
    /// services, and persons of an organisation without members.
    /// </summary>
    public MemberRank? Rank { get; init; }

    /// <summary>Where the caller is competent, for rpcs whose cell asks for it; null for the whole nation.</summary>
    public CallerTerritory? Territory { get; init; }

    /// <summary>The caller's own organisation and those of their territory; null for a caller without one.</summary>
    public Guid[]? OrganisationsWithin => Territory is { } territory ? [OrganisationId, .. territory.OrganisationIds] : null;

    /// <summary>
    /// Whether the caller may touch what belongs to an organisation. What is of an espace is in a caller's territory by where the espace
    /// lies, not by its gestionnaire, which may have others elsewhere: who asks says of which espace it is.
    /// </summary>
    /// <param name="organisationId">The organisation; null for what belongs to nobody.</param>
    /// <param name="relation">What that organisation is to it.</param>
    /// <param name="espaceId">The espace of which it is; null for what is of none.</param>
    public bool MayTouch(Guid? organisationId, Relations relation = Relations.Holder, Guid? espaceId = null) =>
        Tenancy == Tenancy.Any
        || (organisationId == OrganisationId && (Tenancy == Tenancy.Territory || Cell.Admits(relation)))
        || HasInTerritory(espaceId);

    /// <summary>Whether the cell grants what lies in the caller's territory, and an espace or a court does.</summary>
    /// <param name="espaceId">The espace; null for none.</param>
    /// <param name="juridictionId">The court; null for none.</param>
    public bool HasInTerritory(Guid? espaceId, Guid? juridictionId = null) => Cell.WithTerritory && Territory?.Has(espaceId, juridictionId) == true;

    /// <summary>Refuses the call unless the caller may touch what belongs to an organisation.</summary>
    /// <param name="organisationId">The organisation; null for what belongs to nobody.</param>
    /// <param name="relation">What that organisation is to it.</param>
    /// <param name="espaceId">The espace of which it is; null for what is of none.</param>
    public void Require(Guid? organisationId, Relations relation = Relations.Holder, Guid? espaceId = null)
    {
        if (!MayTouch(organisationId, relation, espaceId))
        {
            throw DomainError.Forbidden();
        }
    }

    /// <summary>
    /// Refuses the call unless the caller may touch what an organisation itself has: their own, everybody's, or in a territory a court that
    /// sits there or a gestionnaire with an espace there.
    /// </summary>
    /// <param name="organisationId">The organisation; null for none.</param>
    public void RequireOrganisation(Guid? organisationId)
    {
        if (!(Cell.WithTerritory && organisationId is { } id && Territory?.OrganisationIds.Contains(id) == true))
        {
            Require(organisationId);
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
