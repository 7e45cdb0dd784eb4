using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;

namespace Jafer.Testing;

/// <summary>What a directory says of organisations, for a service that runs without one: their territories, and that none has members.</summary>
public sealed class TestOrganisations : IOrganisations
{
    private readonly Dictionary<Guid, GetTerritoryResponse> _territories = [];

    /// <summary>Adds an organisation that is competent for a part of France.</summary>
    /// <param name="departements">Its départements.</param>
    /// <param name="organisations">Courts and gestionnaires there.</param>
    /// <param name="espaces">Espaces there.</param>
    /// <returns>The organisation.</returns>
    public Guid Add(IEnumerable<string> departements, IEnumerable<Guid>? organisations = null, IEnumerable<Guid>? espaces = null)
    {
        var id = TestMesure.NewId();
        var response = new GetTerritoryResponse { Territory = new() { OrganisationId = id.ToString() } };
        response.Territory.Departements.Add(departements);
        response.OrganisationIds.Add((organisations ?? []).Select(o => o.ToString()));
        response.EspaceIds.Add((espaces ?? []).Select(e => e.ToString()));
        _territories.Add(id, response);
        return id;
    }

    /// <inheritdoc/>
    public Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct) => Task.FromResult<GetTerritoryResponse?>(
        _territories.GetValueOrDefault(organisationId) ?? new() { Territory = new() { OrganisationId = organisationId.ToString() } });

    /// <inheritdoc/>
    public Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct) => Task.FromResult<GetMembershipResponse?>(new());

    /// <inheritdoc/>
    public Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct) => Task.FromResult<GetCredentialKeysResponse?>(new());

    /// <inheritdoc/>
    public Task<Guid?> OfSiretAsync(string siret, CancellationToken ct) => Task.FromResult<Guid?>(null);

    /// <inheritdoc/>
    public Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct) => Task.CompletedTask;
}
