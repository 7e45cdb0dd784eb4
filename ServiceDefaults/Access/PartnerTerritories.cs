using Jafer.Contracts.Directory.V1;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Where partners are competent, as the directory says; kept for less than a minute (<see cref="KeptAnswers{TKey, TAnswer}"/>). Nothing is
/// asked where Identity:Members is none.
/// </summary>
public sealed class PartnerTerritories
{
    private readonly KeptAnswers<Guid, GetTerritoryResponse>? _kept;

    /// <summary>Makes them.</summary>
    public PartnerTerritories(IOrganisations organisations, IConfiguration configuration, TimeProvider clock) =>
        _kept = configuration["Identity:Members"] == "none" ? null : new(clock, organisations.TerritoryAsync);

    /// <summary>The départements of which a caller has figures; null for all.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="Grpc.DomainError">UNAVAILABLE: nothing is known, and the directory does not answer.</exception>
    public async ValueTask<IReadOnlyCollection<string>?> OfAsync(Caller caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return caller.Role == Roles.Partenaire && _kept is not null && (await _kept.OfAsync(caller.OrganisationId, ct)).Territory.Departements is { Count: > 0 } departements
            ? departements
            : null;
    }
}
