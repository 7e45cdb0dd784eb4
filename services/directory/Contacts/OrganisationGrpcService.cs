using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Directory.Contacts;

/// <summary>The gRPC face of who is behind a SIRET.</summary>
internal sealed class OrganisationGrpcService(IOrganisations organisations) : OrganisationService.OrganisationServiceBase
{
    public override async Task<GetGestionnaireOfSiretResponse> GetGestionnaireOfSiret(GetGestionnaireOfSiretRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        check.That(request.Siret.Length == 14 && !request.Siret.AsSpan().ContainsAnyExceptInRange('0', '9'), "siret", "must be 14 digits");
        check.ThrowIfAny();
        var id = await organisations.OfSiretAsync(request.Siret, context.CancellationToken);
        return new GetGestionnaireOfSiretResponse { GestionnaireId = id?.ToString() ?? "" };
    }
}

/// <summary>Who has a SIRET, as the directory itself knows it.</summary>
internal sealed class KnownOrganisations(NpgsqlDataSource source) : IOrganisations
{
    public async Task<Guid?> OfSiretAsync(string siret, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select id from gestionnaires where siret = $1 limit 2");
        command.Parameters.AddWithValue(siret);
        await using var reader = await command.ExecuteReaderAsync(ct);
        Guid? found = await reader.ReadAsync(ct) ? reader.GetGuid(0) : null;

        // What was recorded long ago may give one SIRET to two: then it names nobody.
        return found is not null && await reader.ReadAsync(ct) ? null : found;
    }
}
