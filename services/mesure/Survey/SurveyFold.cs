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

    private const string Before = "delete from survey_entries where mesure_id = any($1) returning gestionnaire_id, year, departement, figures, counts";

    private const string Sums = """
        select c.gestionnaire_id, c.year, c.departement, c.figures, c.counts
        from unnest($1::uuid[], $2::smallint[], $3::text[]) as of (gestionnaire_id, year, departement) join survey_counts c using (gestionnaire_id, year, departement)
        """;

    private const string KeepSums = """
        insert into survey_counts (gestionnaire_id, year, departement, figures, counts)
        select gestionnaire_id, year, departement, string_to_array(figures, ',')::smallint[], string_to_array(counts, ',')::bigint[]
        from unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[]) as n (gestionnaire_id, year, departement, figures, counts)
        on conflict (gestionnaire_id, year, departement) do update set figures = excluded.figures, counts = excluded.counts
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
    public async Task FoldAsync(CancellationToken ct, int portion = 20_000)
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

    // Sums are added up here and not in the database: a portion touches few of them, each often.
    private static async Task CountAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] touched, int year, CancellationToken ct)
    {
        var entries = (await SurveyCases.ReadAsync(connection, touched, ct))
            .SelectMany(c => SurveyCounting.BuiltIn.Count(c, year).Select(y => (Of: new SumKey(c.GestionnaireId, (short)y.Key, c.Departement), c.MesureId, Counts: y.Value))).ToList();
        var differences = new Dictionary<SumKey, SortedDictionary<short, long>>();
        await using (var before = new NpgsqlCommand(Before, connection, transaction) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = touched } }, CommandTimeout = 600 })
        await using (var reader = await before.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                foreach (var (figure, count) in reader.GetFieldValue<short[]>(3).Zip(reader.GetFieldValue<int[]>(4)))
                {
                    Add(Key(reader), figure, -count);
                }
            }
        }

        foreach (var (of, _, counts) in entries)
        {
            foreach (var (figure, count) in counts)
            {
                Add(of, figure, count);
            }
        }

        var changed = differences.Where(d => d.Value.Values.Any(v => v != 0)).Select(d => d.Key).ToList();
        await using (var sums = new NpgsqlCommand(Sums, connection, transaction) { CommandTimeout = 600 })
        {
            sums.Parameters.AddRange(Keys(changed));
            await using var reader = await sums.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                foreach (var (figure, count) in reader.GetFieldValue<short[]>(3).Zip(reader.GetFieldValue<long[]>(4)))
                {
                    Add(Key(reader), figure, count);
                }
            }
        }

        var keepSums = new NpgsqlBatchCommand(KeepSums);
        keepSums.Parameters.AddRange(Keys(changed));
        keepSums.Parameters.Add(Texts(changed.Select(k => differences[k].Where(f => f.Value != 0).Select(f => f.Key))));
        keepSums.Parameters.Add(Texts(changed.Select(k => differences[k].Values.Where(v => v != 0))));
        var keep = new NpgsqlBatchCommand(Keep)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(e => e.MesureId)] },
                new NpgsqlParameter<short[]> { TypedValue = [.. entries.Select(e => e.Of.Year)] },
                new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(e => e.Of.GestionnaireId)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => e.Of.Departement)] },
                Texts(entries.Select(e => e.Counts.Keys)),
                Texts(entries.Select(e => e.Counts.Values)),
            },
        };
        await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { keepSums, keep }, Timeout = 600 };
        await batch.ExecuteNonQueryAsync(ct);

        void Add(SumKey of, short figure, long count)
        {
            if (!differences.TryGetValue(of, out var figures))
            {
                differences[of] = figures = [];
            }

            figures[figure] = figures.GetValueOrDefault(figure) + count;
        }

        static SumKey Key(NpgsqlDataReader reader) => new(reader.GetGuid(0), reader.GetInt16(1), reader.GetString(2));
    }

    private static NpgsqlParameter[] Keys(IReadOnlyCollection<SumKey> of) =>
    [
        new NpgsqlParameter<Guid[]> { TypedValue = [.. of.Select(k => k.GestionnaireId)] },
        new NpgsqlParameter<short[]> { TypedValue = [.. of.Select(k => k.Year)] },
        new NpgsqlParameter<string[]> { TypedValue = [.. of.Select(k => k.Departement)] },
    ];

    // An array of arrays of different lengths is none to PostgreSQL.
    private static NpgsqlParameter<string[]> Texts<T>(IEnumerable<IEnumerable<T>> of)
        where T : IFormattable => new() { TypedValue = [.. of.Select(values => string.Join(',', values.Select(v => v.ToString(null, CultureInfo.InvariantCulture))))] };

    private readonly record struct SumKey(Guid GestionnaireId, short Year, string Departement);
}
