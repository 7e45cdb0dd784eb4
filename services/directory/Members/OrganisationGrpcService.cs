using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Members;

/// <summary>The gRPC face of who is behind what tokens say.</summary>
internal sealed class OrganisationGrpcService(IOrganisations organisations, ListOrganisations list) : OrganisationService.OrganisationServiceBase
{
    private const int MaxSubject = 200;

    public override async Task<GetGestionnaireOfSiretResponse> GetGestionnaireOfSiret(GetGestionnaireOfSiretRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        check.That(request.Siret.Length == 14 && !request.Siret.AsSpan().ContainsAnyExceptInRange('0', '9'), "siret", "must be 14 digits");
        check.ThrowIfAny();
        var id = await organisations.OfSiretAsync(request.Siret, context.CancellationToken);
        return new GetGestionnaireOfSiretResponse { GestionnaireId = id?.ToString() ?? "" };
    }

    public override async Task<GetMembershipResponse> GetMembership(GetMembershipRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.Text("subject", request.Subject, MaxSubject, required: true);
        check.ThrowIfAny();
        return await organisations.MembershipAsync(organisation, request.Subject, context.CancellationToken) ?? new GetMembershipResponse();
    }

    public override async Task<GetCredentialKeysResponse> GetCredentialKeys(GetCredentialKeysRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("credential_id", request.CredentialId);
        check.ThrowIfAny();
        return await organisations.CredentialKeysAsync(id, context.CancellationToken) ?? new GetCredentialKeysResponse();
    }

    public override Task<ListOrganisationsResponse> ListOrganisations(ListOrganisationsRequest request, ServerCallContext context) =>
        list.HandleAsync(request, context.Caller(), context.CancellationToken);

    public override async Task<RecordCredentialUseResponse> RecordCredentialUse(RecordCredentialUseRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("credential_id", request.CredentialId);
        var day = check.Date("use_date", request.UseDate);
        check.RequestId(request.RequestId);
        check.ThrowIfAny();
        await organisations.RecordUseAsync(id, day, context.CancellationToken);
        return new RecordCredentialUseResponse();
    }
}
