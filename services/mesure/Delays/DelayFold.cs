using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Delays;

/// <summary>Configuration section "Delays".</summary>
internal sealed class DelayOptions
{
    /// <summary>How often mesures whose delays changed are counted anew.</summary>
    public TimeSpan FoldInterval { get; set; } = TimeSpan.FromSeconds(15);
}

/// <summary>
/// Keeps the counts of delays: takes the mesures that changed, takes back what was counted of them and counts what holds now, by
/// one statement. By the same mesures it finds the families that came back. One replica folds at a time; the lock ends with its
/// transaction.
/// </summary>
internal sealed class DelayFold(NpgsqlDataSource source, IOptions<DelayOptions> options, TimeProvider clock, ILogger<DelayFold> logger) : BackgroundService
{
    private const string Lock = "select pg_try_advisory_xact_lock(hashtextextended('mesure:delays', 0))";

    private const string Take = "delete from delay_queue where id in (select id from delay_queue order by id limit $1) returning mesure_id";

    private const string Fold = """
        with touched as materialized (select unnest($1::uuid[]) as mesure_id),
        old as materialized (select e.* from delay_entries e join touched using (mesure_id)),
        new as materialized (
            select s.mesure_id, s.month, s.juridiction_id, s.espace_id, s.modalite, array[
                max(s.days) filter (where s.segment = 1), max(s.days) filter (where s.segment = 2), max(s.days) filter (where s.segment = 3),
                max(s.days) filter (where s.segment = 4), max(s.days) filter (where s.segment = 5), max(s.days) filter (where s.segment = 6)] as days
            from (select d.*, (case
                      when d.ended is not null
                      then least(greatest(d.ended - d.began - case when d.suspended then suspended_days(d.mesure_id, d.began, d.ended) else 0 end, 0), 32000)
                      when not d.passed and not d.open
                      then -1 - least(greatest(d.closed_on - d.began - case when d.suspended then suspended_days(d.mesure_id, d.began, d.closed_on) else 0 end, 0), 32000)
                      end)::smallint as days
                  from touched join delay_segments d using (mesure_id)) s
            group by s.mesure_id, s.month, s.juridiction_id, s.espace_id, s.modalite),
        gone as (delete from delay_entries where mesure_id in (select mesure_id from old except select mesure_id from new)),
        kept as (
            insert into delay_entries (mesure_id, month, juridiction_id, espace_id, modalite, days) select * from new
            on conflict (mesure_id) do update set month = excluded.month, juridiction_id = excluded.juridiction_id, espace_id = excluded.espace_id,
                modalite = excluded.modalite, days = excluded.days),
        difference as materialized (
            select month, juridiction_id, espace_id, modalite, segment::smallint as segment, days, sum(one)::integer as mesures
            from (select o.month, o.juridiction_id, o.espace_id, o.modalite, d.segment, d.days, -1 as one from old o, unnest(o.days) with ordinality as d (days, segment)
                  union all
                  select n.month, n.juridiction_id, n.espace_id, n.modalite, d.segment, d.days, 1 from new n, unnest(n.days) with ordinality as d (days, segment)) c
            where days is not null
            group by month, juridiction_id, espace_id, modalite, segment, days having sum(one) <> 0),
        counted as (
            insert into delay_counts as c (juridiction_id, month, espace_id, modalite, segment, days, mesures)
            select juridiction_id, month, espace_id, modalite, segment, days, mesures from difference
            on conflict (juridiction_id, month, espace_id, modalite, segment, days) do update set mesures = c.mesures + excluded.mesures),
        totalled as (
            insert into delay_totals as c (month, segment, days, mesures)
            select month, segment, days, sum(mesures)::integer from difference group by month, segment, days having sum(mesures) <> 0
            on conflict (month, segment, days) do update set mesures = c.mesures + excluded.mesures)
        select 1
        """;

    // Both ways: a mesure that came may follow one that ended, one that ended may be followed, in whatever order they are told. What
    // more than a hundred mesures have in common is no child, but a placeholder that some software sends: it links nothing. What was
    // found stays found when retention has emptied the digests of either.
    private const string Link = """
        with pairs as materialized (
            select distinct a.mesure_id as one, unnest(o.others) as other
            from children a cross join lateral (
                select array_agg(c.mesure_id) as others
                from (select mesure_id from children where return_index = a.return_index and mesure_id <> a.mesure_id limit 101) c) o
            where a.mesure_id = any($1) and cardinality(o.others) <= 100),
        found as materialized (
            select e.id as earlier_id, l.id as later_id
            from (select one as earlier, other as later from pairs union select other, one from pairs) p
                join ended_mesures e on e.id = p.earlier
                join mesures l on l.id = p.later
                cross join lateral (select case when l.nature = 'JUDICIAIRE' then l.transmitted_at else l.acknowledged_at end as entered_at) c
            where l.predecessor_id is null and l.closure_reason not in ('ERREUR_DE_SAISIE', 'DOUBLON') and c.entered_at >= e.closed_at
                and (c.entered_at at time zone 'Europe/Paris')::date <= (e.closed_at at time zone 'Europe/Paris')::date + interval '12 months'),
        gone as (
            delete from mesure_returns r where (r.earlier_id = any($1) or r.later_id = any($1))
                and not exists (select from found f where f.earlier_id = r.earlier_id and f.later_id = r.later_id)
                and not exists (select from mesures m where m.id in (r.earlier_id, r.later_id) and m.anonymised_at is not null))
        insert into mesure_returns (earlier_id, later_id) select earlier_id, later_id from found on conflict do nothing
        """;

    /// <summary>Counts everything that changed until now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <param name="portion">Changes of one transaction.</param>
    public async Task FoldAsync(CancellationToken ct, int portion = 2000)
    {
        while (await FoldPortionAsync(portion, ct) == portion)
        {
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.FoldInterval, ct => FoldAsync(ct), logger, "delays could not be counted", stoppingToken);

    private async Task<int> FoldPortionAsync(int portion, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var tryLock = new NpgsqlCommand(Lock, connection, transaction))
        {
            if (await tryLock.ExecuteScalarAsync(ct) is not true)
            {
                return 0;
            }
        }

        var taken = new List<Guid>();
        await using (var take = new NpgsqlCommand(Take, connection, transaction) { Parameters = { new NpgsqlParameter<int> { TypedValue = portion } } })
        await using (var reader = await take.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                taken.Add(reader.GetGuid(0));
            }
        }

        if (taken.Count > 0)
        {
            Guid[] touched = [.. taken.Distinct()];
            foreach (var statement in new[] { Fold, Link })
            {
                await using var fold = new NpgsqlCommand(statement, connection, transaction) { CommandTimeout = 600, Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = touched } } };
                await fold.ExecuteNonQueryAsync(ct);
            }

            await JournalEntry.WriteOwnAsync(connection, "delays", touched.Select(id => $"mesures/{id}"), ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return taken.Count;
    }
}
