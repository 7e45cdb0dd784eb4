using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Retention;

/// <summary>Degraded while what is due is not erased: no run was finished for too long.</summary>
internal sealed class RetentionHealthCheck(NpgsqlDataSource source, IOptions<RetentionOptions> options, TimeProvider clock) : IHealthCheck
{
    /// <summary>The last run that was finished, or the first one while none was; dry runs count for nothing.</summary>
    public const string Last = """
        select r.* from retention_runs r where not r.dry_run
        order by r.finished_at is null, case when r.finished_at is null then r.started_at end, r.started_at desc limit 1
        """;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var command = source.CreateCommand($"select r.started_at from ({Last}) r where r.started_at <= $1");
        command.Parameters.AddWithValue(clock.GetStoredNow() - options.Value.OverdueAfter);
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime since
            ? HealthCheckResult.Degraded($"no run of retention was finished since {since:yyyy-MM-dd}")
            : HealthCheckResult.Healthy();
    }
}
