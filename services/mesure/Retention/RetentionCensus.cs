using Jafer.ServiceDefaults.Telemetry;
using Npgsql;

namespace Jafer.Mesures.Retention;

/// <summary>Tells of the last run that was finished: how long ago it began, what it could not erase and what a hold kept.</summary>
internal sealed class RetentionCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<RetentionCensus> logger) : QueueCensus(
    source, clock, logger, "jafer.retention", new("failed", "{mesure}", "Mesures that the last run could not erase; oldest_age is that of the run"),
    new("held", "{mesure}", "Mesures that a legal hold kept from the last run"))
{
    protected override string Query => """
        with last as (select id, started_at from retention_runs where finished_at is not null and not dry_run order by started_at desc limit 1)
        select coalesce((select sum(failed) from retention_counts where run_id = (select id from last)), 0)::bigint,
               coalesce((select started_at from last), (select min(started_at) from retention_runs)),
               coalesce((select max(held) from retention_counts where run_id = (select id from last)), 0)::bigint
        """;
}
