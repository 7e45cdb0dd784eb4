using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Directory.Upkeep;

/// <summary>What worklist and sweep ask of the database alike, so that both hold the same things to be due.</summary>
internal static class UpkeepSql
{
    /// <summary>
    /// Every group that somebody should keep fresh, with its last fresh day. Not those of an espace that is closed for good,
    /// nor those of a modalité that is no longer offered, until the day of its reopening has come. A declared wait ages from the day for which it holds.
    /// </summary>
    public const string Groups = """
        rules as (select * from unnest(@rule_groups, @rule_days) as r (espace_group, fresh_days)),
        kept as (
            select e.id as espace_id, g.espace_group, g.key, g.confirmed_at,
                coalesce(case when g.espace_group = 'ATTENTE' then m.wait_as_of end, (g.confirmed_at at time zone 'Europe/Paris')::date) + r.fresh_days as fresh_until
            from espaces e
            join espace_groups g on g.espace_id = e.id
            join rules r using (espace_group)
            left join modalites m on g.espace_group in ('ATTENTE', 'MODALITE') and m.espace_id = e.id and m.modalite = g.key
            where e.state <> 'FERME' and (m.state is null or m.state <> 'FERMEE' or m.reopening_date <= @today))
        """;

    /// <summary>The freshness rules as parameters.</summary>
    public static NpgsqlParameter[] Rules() =>
    [
        new("rule_groups", Freshness.Rules.Select(r => r.Group.ToCode()).ToArray()),
        new("rule_days", Freshness.Rules.Select(r => r.FreshDays).ToArray()),
    ];
}
