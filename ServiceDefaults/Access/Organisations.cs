using System.Collections.Concurrent;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Access;

/// <summary>What the directory knows of whom tokens name. Another service asks it; the directory looks into its own tables.</summary>
public interface IOrganisations
{
    /// <summary>The gestionnaire that has a SIRET; null when nobody has it, or more than one.</summary>
    /// <param name="siret">The SIRET of a token.</param>
    /// <param name="ct">Cancellation.</param>
    Task<Guid?> OfSiretAsync(string siret, CancellationToken ct);

    /// <summary>What a person is to an organisation; null when the directory has no answer for the moment. Not kept: see <see cref="Memberships"/>.</summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="subject">The person.</param>
    /// <param name="ct">Cancellation.</param>
    Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct);

    /// <summary>The keys of a credential, with no organisation when it is not good; null when the directory has no answer for the moment. Not kept.</summary>
    /// <param name="credentialId">The credential.</param>
    /// <param name="ct">Cancellation.</param>
    Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct);

    /// <summary>Where an organisation is competent; null when the directory has no answer for the moment. Not kept: see <see cref="CallerTerritories"/>.</summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="ct">Cancellation.</param>
    Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct);

    /// <summary>Notes that a token of a credential was accepted, if the directory answers.</summary>
    /// <param name="credentialId">The credential.</param>
    /// <param name="day">The day, in UTC.</param>
    /// <param name="ct">Cancellation.</param>
    Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct);
}

/// <summary>
/// Asks the directory, and keeps its answers: ten minutes those that name somebody, one minute those that do not. While the
/// directory does not answer, what it said goes on for a day.
/// </summary>
internal sealed class DirectoryOrganisations(IServiceProvider services, TimeProvider clock) : IOrganisations
{
    private const int MaxKept = 10_000;

    private static readonly TimeSpan s_known = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_unknown = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_withoutDirectory = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, (Guid? Id, DateTimeOffset At)> _kept = new(StringComparer.Ordinal);

    private OrganisationService.OrganisationServiceClient Directory => services.GetRequiredService<OrganisationService.OrganisationServiceClient>();

    public async Task<Guid?> OfSiretAsync(string siret, CancellationToken ct)
    {
        if (siret.Length != 14 || siret.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            return null;
        }

        var known = _kept.TryGetValue(siret, out var kept);
        if (known && clock.GetUtcNow() - kept.At < (kept.Id is null ? s_unknown : s_known))
        {
            return kept.Id;
        }

        // Made when it is needed: most installations have no issuer that names SIRETs.
        var answer = await Directory.GetGestionnaireOfSiretAsync(new GetGestionnaireOfSiretRequest { Siret = siret }, cancellationToken: ct).OrNoAnswerAsync(ct);
        if (answer is null)
        {
            return known && clock.GetUtcNow() - kept.At < s_withoutDirectory ? kept.Id : throw DomainError.Unavailable(TimeSpan.FromSeconds(2));
        }

        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }

        Guid? id = Guid.TryParseExact(answer.GestionnaireId, "D", out var found) ? found : null;
        _kept[siret] = (id, clock.GetUtcNow());
        return id;
    }

    public Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct) => Directory
        .GetMembershipAsync(new GetMembershipRequest { OrganisationId = organisationId.ToString(), Subject = subject }, cancellationToken: ct).OrNoAnswerAsync(ct);

    public Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct) => Directory
        .GetCredentialKeysAsync(new GetCredentialKeysRequest { CredentialId = credentialId.ToString() }, cancellationToken: ct).OrNoAnswerAsync(ct);

    public Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct) => services.GetRequiredService<TerritoryService.TerritoryServiceClient>()
        .GetTerritoryAsync(new GetTerritoryRequest { OrganisationId = organisationId.ToString() }, cancellationToken: ct).OrNoAnswerAsync(ct);

    public Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct) => Directory.RecordCredentialUseAsync(
        new RecordCredentialUseRequest { CredentialId = credentialId.ToString(), UseDate = day.ToProto(), RequestId = Guid.CreateVersion7(clock.GetUtcNow()).ToString() },
        cancellationToken: ct).OrNoAnswerAsync(ct);
}
