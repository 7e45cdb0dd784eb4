using System.Globalization;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Survey;

/// <summary>Configuration section "Survey".</summary>
internal sealed class SurveyOptions
{
    /// <summary>How often mesures that changed are counted anew.</summary>
    public TimeSpan FoldInterval { get; set; } = TimeSpan.FromSeconds(15);
}

/// <summary>
/// Keeps the figures of the survey: takes the mesures that changed, counts each anew by the definitions, and moves the sums by the
/// difference, in one transaction. When a year begins, all open mesures are counted into it; when the definitions are others than those
/// by which was counted, all mesures are. One replica folds at a time.
/// </summary>
internal sealed class SurveyFold(NpgsqlDataSource source, IOptions<SurveyOptions> options, TimeProvider clock, ILogger<SurveyFold> logger) : BackgroundService
{
    private const string Lock = "select pg_advisory_xact_lock(hashtextextended('mesure:survey', 0))";

    // Both changes are found under the lock, and noted with the mesures that they concern.
    private const string Turn = """
        with changed as (
            update survey_state s set year = $1, definitions = $2 from survey_state was
            where was.single = s.single and (s.year <> $1 or s.definitions <> $2) returning was.definitions <> $2 as all_of_them)
        insert into survey_queue (mesure_id)
        select m.id from changed c join mesures m on m.gestionnaire_id is not null and (c.all_of_them or m.closed_at is null)
        """;

    private const string Take = "delete from survey_queue where id in (select id from survey_queue order by id limit $1) returning mesure_id";

    private const string Fold = """
        with old as (delete from survey_entries where mesure_id = any($1) returning gestionnaire_id, year, departement, figures, counts),
        new as materialized (
            select mesure_id, year, gestionnaire_id, departement, string_to_array(figures, ',')::smallint[] as figures, string_to_array(counts, ',')::integer[] as counts
            from unnest($2::uuid[], $3::smallint[], $4::uuid[], $5::text[], $6::text[], $7::text[]) as n (mesure_id, year, gestionnaire_id, departement, figures, counts)),
        difference as materialized (
            select gestionnaire_id, year, departement, figure, sum(count) as count
            from (select o.gestionnaire_id, o.year, o.departement, c.figure, -c.count as count from old o, unnest(o.figures, o.counts) as c (figure, count)
                  union all
                  select n.gestionnaire_id, n.year, n.departement, c.figure, c.count from new n, unnest(n.figures, n.counts) as c (figure, count)) d
            group by gestionnaire_id, year, departement, figure having sum(count) <> 0)
        insert into survey_counts as c (gestionnaire_id, year, departement, figure, count)
        select gestionnaire_id, year, departement, figure, count from difference order by gestionnaire_id, year, departement, figure
        on conflict (gestionnaire_id, year, departement, figure) do update set count = c.count + excluded.count
        """;

    private const string Keep = """
        insert into survey_entries (mesure_id, year, gestionnaire_id, departement, figures, counts)
        select mesure_id, year, gestionnaire_id, departement, string_to_array(figures, ',')::smallint[], string_to_array(counts, ',')::integer[]
        from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::text[], $6::text[]) as n (mesure_id, year, gestionnaire_id, departement, figures, counts)
        """;

    private static readonly string s_definitions = string.Join(' ', SurveyCatalogue.BuiltIn.Definitions
        .Select(d => $"{d.Name}:{d.FirstYear}-{d.LastYear}:{string.Join('|', d.Parameters.Select(p => $"{p.Key}={p.Value}"))}")
        .Append(string.Join(',', SurveyCatalogue.BuiltIn.Figures.Select(f => $"{f.Number}={f.Code}"))));

    /// <summary>Counts everything that changed until now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <param name="portion">Mesures of one transaction, about.</param>
    public async Task FoldAsync(CancellationToken ct, int portion = 2000)
    {
        while (await FoldPortionAsync(portion, ct) == portion)
        {
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.FoldInterval, ct => FoldAsync(ct), logger, "figures of the survey could not be counted", stoppingToken);

    private async Task<int> FoldPortionAsync(int portion, CancellationToken ct)
    {
        var year = clock.TodayInParis().Year;
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var begin = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(Lock),
                new NpgsqlBatchCommand(Turn) { Parameters = { new NpgsqlParameter<short> { TypedValue = (short)year }, new NpgsqlParameter<string> { TypedValue = s_definitions } } },
            },
        })
        {
            begin.Timeout = 600;
            await begin.ExecuteNonQueryAsync(ct);
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
            await CountAsync(connection, transaction, touched, year, ct);
            await JournalEntry.WriteOwnAsync(connection, "survey", touched.Select(id => $"mesures/{id}"), ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return taken.Count;
    }

    private static async Task CountAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] touched, int year, CancellationToken ct)
    {
        var entries = (await SurveyCases.ReadAsync(connection, touched, ct))
            .SelectMany(c => SurveyCounting.BuiltIn.Count(c, year).Select(y => (Case: c, Year: (short)y.Key, Counts: y.Value))).ToList();
        var columns = new Func<NpgsqlParameter>[]
        {
            () => new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(e => e.Case.MesureId)] },
            () => new NpgsqlParameter<short[]> { TypedValue = [.. entries.Select(e => e.Year)] },
            () => new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(e => e.Case.GestionnaireId)] },
            () => new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => e.Case.Departement)] },
            () => new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => Join(e.Counts.Keys))] },
            () => new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => Join(e.Counts.Values))] },
        };
        var fold = new NpgsqlBatchCommand(Fold) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = touched } } };
        var keep = new NpgsqlBatchCommand(Keep);
        foreach (var column in columns)
        {
            fold.Parameters.Add(column());
            keep.Parameters.Add(column());
        }

        // In two statements: one does not see what the other deleted of the same table.
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { fold, keep }, Timeout = 600 };
        await batch.ExecuteNonQueryAsync(ct);

        static string Join<T>(IEnumerable<T> values)
            where T : IFormattable => string.Join(',', values.Select(v => v.ToString(null, CultureInfo.InvariantCulture)));
    }
}
