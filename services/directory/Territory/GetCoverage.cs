using System.Collections.Frozen;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Directory.Territory;

/// <summary>Answers how zones are served.</summary>
internal sealed class GetCoverage(CoverageSource source, SnapshotSource snapshots, NpgsqlDataSource database)
{
    /// <summary>Year of the legal populations in communes.csv.gz (in force from 1 January 2026).</summary>
    public const int PopulationYear = 2023;

    private const string Attribution =
        "Données : INSEE, IGN (Admin-Express), La Poste, Etalab (Licence Ouverte) ; Cour de cassation ; GeoNames (CC BY 4.0) ; "
        + "temps de trajet calibrés sur OSRM, © les contributeurs d'OpenStreetMap (ODbL)";

    public async Task<GetCoverageResponse> HandleAsync(GetCoverageRequest request, Caller caller, CancellationToken ct)
    {
        var geography = await snapshots.GeographyAsync(ct);
        var check = new FieldChecks();
        check.Known("level", request.Level);
        check.KnownOrUnspecified("modalite", request.Modalite);
        if (request.Departement.Length > 0)
        {
            check.That(request.Level != CoverageLevel.France, "departement", "must be empty for the level FRANCE");
            check.That(geography.Departements.Contains(request.Departement), "departement", "is not a known département");
        }
        else
            check.That(request.Level != CoverageLevel.Commune, "departement", "is required for the level COMMUNE");
        check.ThrowIfAny();

        var data = await source.GetAsync(request.Modalite, ct);
        var response = new GetCoverageResponse { Basis = await BasisAsync(data, ct) };
        response.Rows.Add(Rows(request, data, caller.Territory?.Departements, insee => geography.CommuneNames[insee]));
        return response;
    }

    private static IEnumerable<CoverageRow> Rows(GetCoverageRequest request, CoverageData data, FrozenSet<string>? territory, Func<string, string> nameOf)
    {
        if (territory is not null && request.Departement.Length > 0 && !territory.Contains(request.Departement))
            return [];
        if (territory is not null && request.Level == CoverageLevel.France)
            return [CoverageTable.OfTerritory(data, territory)];
        if (request.Level == CoverageLevel.Commune)
            return CoverageTable.OfCommunes(data, Array.FindIndex(data.Zones[CoverageLevel.Departement].Zones, z => z.Code == request.Departement), nameOf);
        var zones = data.Zones[request.Level];
        return CoverageTable.Of(data, request.Level).Where((_, i) => request.Departement.Length == 0
            || (zones.Zones[i].Departement ?? request.Departement) == request.Departement && HasCommuneIn(request.Departement, i))
            .Where(row => territory is null || LiesIn(territory, row.Code));

        // Of a cour d'appel that reaches beyond the territory the figures would tell of others too.
        bool LiesIn(FrozenSet<string> within, string code)
        {
            var zone = Array.FindIndex(zones.Zones, z => z.Code == code);
            if (zones.Zones[zone].Departement is { } departement)
                return within.Contains(departement);
            var departements = data.Zones[CoverageLevel.Departement];
            var reached = Enumerable.Range(0, zones.ZoneOfPlace.Length).Where(i => zones.ZoneOfPlace[i] == zone && departements.ZoneOfPlace[i] >= 0)
                .Select(i => departements.Zones[departements.ZoneOfPlace[i]].Code).ToHashSet();
            return reached.Count > 0 && reached.IsSubsetOf(within);
        }

        // A cour d'appel belongs to every département that has communes of it.
        bool HasCommuneIn(string departement, int zone)
        {
            if (zones.Zones[zone].Departement is not null)
                return true;
            var departements = data.Zones[CoverageLevel.Departement];
            var wanted = Array.FindIndex(departements.Zones, z => z.Code == departement);
            return Enumerable.Range(0, zones.ZoneOfPlace.Length).Any(i => zones.ZoneOfPlace[i] == zone && departements.ZoneOfPlace[i] == wanted);
        }
    }

    private async Task<CoverageBasis> BasisAsync(CoverageData data, CancellationToken ct)
    {
        var linked = data.Access.Where((way, i) => way.HasMinutes && data.Zones.Model.IsCommune(i)).ToList();
        var imported = linked.Count(w => w.Source == TravelSource.Distancier);
        return new CoverageBasis
        {
            PopulationYear = PopulationYear,
            AsOfDate = data.AsOf.ToProto(),
            DistancierWayCount = imported,
            ModelWayCount = linked.Count - imported,
            Attribution = string.Join(" ; ", [Attribution, .. await Distancier.SourcesAsync(database, ct)]) + ".",
            Fictive = data.Supplies.Any(s => s.Fictive),
        };
    }
}
