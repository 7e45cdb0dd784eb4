using System.Collections.Frozen;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Access;

/// <summary>The part of France for which an organisation is competent, as an operator said and the directory fills it.</summary>
/// <param name="Departements">Codes of its départements; at least one.</param>
/// <param name="OrganisationIds">The courts that sit there, and the gestionnaires that have an espace there.</param>
/// <param name="EspaceIds">The espaces there.</param>
public sealed record CallerTerritory(FrozenSet<string> Departements, FrozenSet<Guid> OrganisationIds, FrozenSet<Guid> EspaceIds)
{
    /// <summary>Whether an espace lies there, or a court sits there.</summary>
    /// <param name="espaceId">The espace; null for none.</param>
    /// <param name="juridictionId">The court; null for none.</param>
    public bool Has(Guid? espaceId, Guid? juridictionId = null) =>
        (espaceId is { } espace && EspaceIds.Contains(espace)) || (juridictionId is { } court && OrganisationIds.Contains(court));
}

/// <summary>
/// Where organisations are competent, as the directory says; kept for less than a minute (<see cref="KeptAnswers{TKey, TAnswer}"/>). Nothing is
/// asked where Identity:Members is none: nobody has a territory then.
/// </summary>
public sealed class CallerTerritories
{
    private readonly KeptAnswers<Guid, Known>? _kept;

    /// <summary>Makes them.</summary>
    public CallerTerritories(IOrganisations organisations, IConfiguration configuration, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(organisations);
        _kept = configuration["Identity:Members"] == "none"
            ? null
            : new(clock, async (id, ct) => await organisations.TerritoryAsync(id, ct) is { } answer ? new Known(Read(answer)) : null);
    }

    /// <summary>The caller with their territory, as their cell wants it.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">PERMISSION_DENIED, or UNAVAILABLE when nothing is known and the directory does not answer.</exception>
    internal ValueTask<Caller> AdmitAsync(Caller caller, CancellationToken ct) => caller.Cell.AsksForTerritory ? AdmitKnownAsync(caller, ct) : new(caller);

    private async ValueTask<Caller> AdmitKnownAsync(Caller caller, CancellationToken ct)
    {
        var territory = _kept is null ? null : (await _kept.OfAsync(caller.OrganisationId, ct)).Territory;
        var cell = caller.Cell;
        if (territory is null ? cell.OnlyWhereSaid : cell.OnlyForNation)
        {
            throw DomainError.Forbidden();
        }

        return caller with { Territory = territory, Cell = territory is null && cell.Tenancy == Tenancy.Territory ? cell with { Tenancy = Tenancy.Any } : cell };
    }

    private static CallerTerritory? Read(GetTerritoryResponse answer) => answer.Territory?.Departements is { Count: > 0 } departements
        ? new CallerTerritory(departements.ToFrozenSet(StringComparer.Ordinal), Ids(answer.OrganisationIds), Ids(answer.EspaceIds))
        : null;

    private static FrozenSet<Guid> Ids(IEnumerable<string> ids) => ids.Select(id => Guid.ParseExact(id, "D")).ToFrozenSet();

    private sealed record Known(CallerTerritory? Territory);
}
