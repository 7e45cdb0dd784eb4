using System.Collections.Concurrent;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Access;

/// <summary>Who is behind what an issuer knows of an organisation.</summary>
public interface IOrganisations
{
    /// <summary>The gestionnaire that has a SIRET; null when nobody has it, or more than one.</summary>
    /// <param name="siret">The SIRET of a token.</param>
    /// <param name="ct">Cancellation.</param>
    Task<Guid?> OfSiretAsync(string siret, CancellationToken ct);
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
        var directory = services.GetRequiredService<OrganisationService.OrganisationServiceClient>();
        var answer = await directory.GetGestionnaireOfSiretAsync(new GetGestionnaireOfSiretRequest { Siret = siret }, cancellationToken: ct).OrNoAnswerAsync(ct);
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
}
