using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Npgsql;

namespace Jafer.Mesures.Survey;

/// <summary>A mesure behind a figure.</summary>
/// <param name="MesureId">The mesure.</param>
/// <param name="Count">How much of the figure it is.</param>
internal sealed record CountedMesure(Guid MesureId, long Count);

/// <summary>Reads the sums that <see cref="SurveyFold"/> keeps.</summary>
internal sealed class SurveyFigures(TenantStore store, NpgsqlDataSource source)
{
    private static readonly Dictionary<short, string> s_codes = SurveyCatalogue.BuiltIn.Figures.ToDictionary(f => f.Number, f => f.Code);

    /// <summary>The figures of a gestionnaire, by code; those that are 0 are left out.</summary>
    /// <param name="caller">For whom.</param>
    /// <param name="gestionnaireId">The gestionnaire.</param>
    /// <param name="year">The year.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<Dictionary<string, long>> OfAsync(Caller caller, Guid gestionnaireId, int year, CancellationToken ct)
    {
        await using var reader = await store.ReadAsync(
            caller, "select figure, sum(count)::bigint from survey_counts, unnest(figures, counts) as f (figure, count) where gestionnaire_id = @gestionnaire and year = @year group by 1",
            [new NpgsqlParameter<Guid>("gestionnaire", gestionnaireId), new NpgsqlParameter<short>("year", (short)year)], ct);
        return await ReadAsync(reader, ct);
    }

    /// <summary>The mesures behind a figure, in the order of their ids, and the sum of all.</summary>
    /// <param name="caller">For whom.</param>
    /// <param name="gestionnaireId">The gestionnaire.</param>
    /// <param name="year">The year.</param>
    /// <param name="figure">Number of the figure.</param>
    /// <param name="after">Only mesures after this one.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<(IReadOnlyList<CountedMesure> Mesures, long Total)> BehindAsync(
        Caller caller, Guid gestionnaireId, int year, short figure, Guid after, int limit, CancellationToken ct)
    {
        await using var reader = await store.ReadAsync(
            caller,
            """
            with counted as (
                select mesure_id, f.count::bigint from survey_entries, unnest(years, figures, counts) as f (year, figure, count)
                where gestionnaire_id = @gestionnaire and f.year = @year and f.figure = @figure)
            select mesure_id, count, (select coalesce(sum(count), 0)::bigint from counted)
            from (select mesure_id, count, true as listed from (select * from counted where mesure_id > @after order by mesure_id limit @limit) page
                  union all select null, null, false) rows
            order by listed desc, mesure_id
            """,
            [
                new NpgsqlParameter<Guid>("gestionnaire", gestionnaireId), new NpgsqlParameter<short>("year", (short)year),
                new NpgsqlParameter<short>("figure", figure), new NpgsqlParameter<Guid>("after", after), new NpgsqlParameter<int>("limit", limit),
            ],
            ct);
        var mesures = new List<CountedMesure>();
        var total = 0L;
        while (await reader.ReadAsync(ct))
        {
            total = reader.GetInt64(2);
            if (!reader.IsDBNull(0))
            {
                mesures.Add(new CountedMesure(reader.GetGuid(0), reader.GetInt64(1)));
            }
        }

        return (mesures, total);
    }

    /// <summary>The figures of each gestionnaire that has any, by code.</summary>
    /// <param name="year">The year.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<Dictionary<Guid, Dictionary<string, long>>> ByGestionnaireAsync(int year, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            "select gestionnaire_id, figure, sum(count)::bigint from survey_counts, unnest(figures, counts) as f (figure, count) where year = $1 group by 1, 2");
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)year });
        var figures = new Dictionary<Guid, Dictionary<string, long>>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var gestionnaire = reader.GetGuid(0);
            if (!figures.TryGetValue(gestionnaire, out var of))
            {
                figures[gestionnaire] = of = [];
            }

            of[s_codes[reader.GetInt16(1)]] = reader.GetInt64(2);
        }

        return figures;
    }

    /// <summary>The figures of each département that has any, by code, in the order of the départements.</summary>
    /// <param name="year">The year.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<SortedDictionary<string, Dictionary<string, long>>> ByDepartementAsync(int year, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select departement, figure, sum(count)::bigint from survey_counts, unnest(figures, counts) as f (figure, count) where year = $1 group by 1, 2");
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)year });
        var figures = new SortedDictionary<string, Dictionary<string, long>>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var departement = reader.GetString(0);
            if (!figures.TryGetValue(departement, out var of))
            {
                figures[departement] = of = [];
            }

            of[s_codes[reader.GetInt16(1)]] = reader.GetInt64(2);
        }

        return figures;
    }

    private static async Task<Dictionary<string, long>> ReadAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var figures = new Dictionary<string, long>();
        while (await reader.ReadAsync(ct))
        {
            figures[s_codes[reader.GetInt16(0)]] = reader.GetInt64(1);
        }

        return figures;
    }
}
