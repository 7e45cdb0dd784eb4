using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Mesures.Tests;

/// <summary>What a directory says of partners: one of them is competent in two départements, all others in the whole nation.</summary>
public sealed class Partners : IOrganisations
{
    public static Guid OfBasRhin { get; } = TestMesure.NewId();

    public Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct) => Task.FromResult<GetTerritoryResponse?>(
        new() { Territory = new() { Departements = { organisationId == OfBasRhin ? ["67", "68"] : [] } } });

    public Task<Guid?> OfSiretAsync(string siret, CancellationToken ct) => throw new NotSupportedException();

    public Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct) => throw new NotSupportedException();

    public Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct) => throw new NotSupportedException();

    public Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct) => throw new NotSupportedException();
}
