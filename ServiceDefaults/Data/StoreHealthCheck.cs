using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>Healthy when the service's database answers.</summary>
internal sealed class StoreHealthCheck(NpgsqlDataSource source) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = source.CreateCommand("select 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (NpgsqlException e)
        {
            return HealthCheckResult.Unhealthy($"the database does not answer ({e.SqlState ?? e.GetType().Name})");
        }
    }
}
