using System.Runtime.InteropServices;
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

    private const string Before = "delete from survey_entries where mesure_id = any($1) returning gestionnaire_id, departement, years, figures, counts";

    private const string Sums = """
        select c.gestionnaire_id, c.year, c.departement, c.figures, c.counts
        from unnest($1::uuid[], $2::smallint[], $3::text[]) as of (gestionnaire_id, year, departement) join survey_counts c using (gestionnaire_id, year, departement)
        """;

    private const string KeepSums = """
        insert into survey_counts (gestionnaire_id, year, departement, figures, counts)
        select gestionnaire_id, year, departement, ($6::smallint[])[first:last], ($7::bigint[])[first:last]
        from unnest($1::uuid[], $2::smallint[], $3::text[], $4::integer[], $5::integer[]) as n (gestionnaire_id, year, departement, first, last)
        on conflict (gestionnaire_id, year, departement) do update set figures = excluded.figures, counts = excluded.counts
        """;

    // All figures come as one array, of which each row takes its part: an array of arrays of different lengths is none to PostgreSQL, and
    // COPY does not go where rows are secured.
    private const string Keep = """
        insert into survey_entries (mesure_id, gestionnaire_id, departement, years, figures, counts)
        select mesure_id, gestionnaire_id, departement, ($6::smallint[])[first:last], ($7::smallint[])[first:last], ($8::integer[])[first:last]
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::integer[]) as n (mesure_id, gestionnaire_id, departement, first, last)
        """;

    /// <summary>Mesures that are read and counted at once; about as many as make a statement worth its way.</summary>
    private const int Together = 2000;

    /// <summary>Readers of a portion. While one waits for the database another counts, and what is counted is written.</summary>
    private const int Readers = 3;

    private static readonly string s_definitions = string.Join(' ', SurveyCatalogue.BuiltIn.Definitions
        .Select(d => $"{d.Name}:{d.FirstYear}-{d.LastYear}:{string.Join('|', d.Parameters.Select(p => $"{p.Key}={p.Value}"))}")
        .Append(string.Join(',', SurveyCatalogue.BuiltIn.Figures.Select(f => $"{f.Number}={f.Code}"))));

    /// <summary>Counts everything that changed until now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <param name="portion">Mesures of one transaction, about.</param>
    public async Task FoldAsync(CancellationToken ct, int portion = 100_000)
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
            // Neighbours in time, that lie together, are read together.
            Guid[] touched = [.. taken.Distinct().Order()];
            await CountAsync(connection, transaction, touched, year, ct);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return taken.Count;
    }

    // Mesures are read beside the transaction: what changes after it is in the queue again. Sums are added up here and not in the
    // database: a portion touches few of them, each often.
    private async Task CountAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] touched, int year, CancellationToken ct)
    {
        var differences = new Dictionary<SumKey, Dictionary<short, long>>();
        using var writing = new SemaphoreSlim(1);
        await Parallel.ForEachAsync(touched.Chunk(Together), new ParallelOptions { MaxDegreeOfParallelism = Readers, CancellationToken = ct }, async (ids, stopped) =>
        {
            var entries = await EntriesAsync(ids, year, stopped);
            await writing.WaitAsync(stopped);
            try
            {
                await ReplaceAsync(connection, transaction, ids, entries, differences, stopped);
            }
            finally
            {
                writing.Release();
            }
        });

        var changed = differences.Where(d => d.Value.Values.Any(v => v != 0)).Select(d => d.Key).ToList();
        await using (var sums = new NpgsqlCommand(Sums, connection, transaction) { CommandTimeout = 600 })
        {
            sums.Parameters.AddRange(Keys(changed));
            await using var reader = await sums.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                foreach (var (figure, count) in reader.GetFieldValue<short[]>(3).Zip(reader.GetFieldValue<long[]>(4)))
                {
                    Add(differences, Key(reader), figure, count);
                }
            }
        }

        var kept = changed.ConvertAll(k => differences[k].Where(f => f.Value != 0).OrderBy(f => f.Key).ToList());
        await using var keepSums = new NpgsqlCommand(KeepSums, connection, transaction) { CommandTimeout = 600 };
        keepSums.Parameters.AddRange(Keys(changed));
        keepSums.Parameters.AddRange(Bounds(kept.Select(k => k.Count)));
        keepSums.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. kept.SelectMany(k => k, (_, f) => f.Key)] });
        keepSums.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. kept.SelectMany(k => k, (_, f) => f.Value)] });
        await keepSums.ExecuteNonQueryAsync(ct);
    }

    private async Task<List<Entry>> EntriesAsync(Guid[] mesures, int year, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return [.. (await SurveyCases.ReadAsync(connection, mesures, ct))
            .Select(c => new Entry(c.MesureId, c.GestionnaireId, c.Departement,
                [.. SurveyCounting.BuiltIn.Count(c, year).SelectMany(y => y.Value, (y, figure) => ((short)y.Key, figure.Key, figure.Value))]))
            .Where(e => e.Counts.Count > 0)];
    }

    /// <summary>Puts the entries of some mesures in the place of those that they had, and says so in the journal while others are read.</summary>
    private static async Task ReplaceAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Guid[] mesures, List<Entry> entries, Dictionary<SumKey, Dictionary<short, long>> differences,
        CancellationToken ct)
    {
        await using (var before = new NpgsqlCommand(Before, connection, transaction) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = mesures } }, CommandTimeout = 600 })
        await using (var reader = await before.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                var (gestionnaire, departement) = (reader.GetGuid(0), reader.GetString(1));
                foreach (var (of, figure, count) in reader.GetFieldValue<short[]>(2).Zip(reader.GetFieldValue<short[]>(3), reader.GetFieldValue<int[]>(4)))
                {
                    Add(differences, new SumKey(gestionnaire, of, departement), figure, -count);
                }
            }
        }

        await using var keep = new NpgsqlCommand(Keep, connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(e => e.MesureId)] },
                new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(e => e.GestionnaireId)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => e.Departement)] },
            },
            CommandTimeout = 600,
        };
        keep.Parameters.AddRange(Bounds(entries.Select(e => e.Counts.Count)));
        keep.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. entries.SelectMany(e => e.Counts, (_, c) => c.Year)] });
        keep.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. entries.SelectMany(e => e.Counts, (_, c) => c.Figure)] });
        keep.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. entries.SelectMany(e => e.Counts, (_, c) => c.Count)] });
        await keep.ExecuteNonQueryAsync(ct);
        await JournalEntry.WriteOwnAsync(connection, "survey", mesures.Select(id => $"mesures/{id}"), ct);
        foreach (var entry in entries)
        {
            foreach (var (year, figure, count) in entry.Counts)
            {
                Add(differences, new SumKey(entry.GestionnaireId, year, entry.Departement), figure, count);
            }
        }
    }

    private static void Add(Dictionary<SumKey, Dictionary<short, long>> differences, SumKey of, short figure, long count)
    {
        ref var figures = ref CollectionsMarshal.GetValueRefOrAddDefault(differences, of, out _);
        CollectionsMarshal.GetValueRefOrAddDefault(figures ??= [], figure, out _) += count;
    }

    private static SumKey Key(NpgsqlDataReader reader) => new(reader.GetGuid(0), reader.GetInt16(1), reader.GetString(2));

    private static NpgsqlParameter[] Keys(IReadOnlyCollection<SumKey> of) =>
    [
        new NpgsqlParameter<Guid[]> { TypedValue = [.. of.Select(k => k.GestionnaireId)] },
        new NpgsqlParameter<short[]> { TypedValue = [.. of.Select(k => k.Year)] },
        new NpgsqlParameter<string[]> { TypedValue = [.. of.Select(k => k.Departement)] },
    ];

    /// <summary>Where the part of each row begins and ends in an array of the parts of all.</summary>
    private static NpgsqlParameter[] Bounds(IEnumerable<int> lengths)
    {
        var (firsts, lasts) = (new List<int>(), new List<int>());
        foreach (var length in lengths)
        {
            firsts.Add(1 + lasts.LastOrDefault());
            lasts.Add(lasts.LastOrDefault() + length);
        }

        return [new NpgsqlParameter<List<int>> { TypedValue = firsts }, new NpgsqlParameter<List<int>> { TypedValue = lasts }];
    }

    private sealed record Entry(Guid MesureId, Guid GestionnaireId, string Departement, List<(short Year, short Figure, int Count)> Counts);

    private readonly record struct SumKey(Guid GestionnaireId, short Year, string Departement);
}
