using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>Healthy when the service's database answers, to its own work and to calls: they may have logins of their own.</summary>
internal sealed class StoreHealthCheck(NpgsqlDataSource work, [FromKeyedServices(DatabaseRoles.Calls)] NpgsqlDataSource calls) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            foreach (var source in new[] { work, calls })
            {
                await using var command = source.CreateCommand("select 1");
                await command.ExecuteScalarAsync(cancellationToken);
            }

            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException e)
        {
            return HealthCheckResult.Unhealthy($"the database does not answer ({e.SqlState ?? e.GetType().Name})");
        }
    }
}
