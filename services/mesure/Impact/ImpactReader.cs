using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Mesures.Impact;

/// <summary>Which mesures that ended, by what they are told apart, and which returns count.</summary>
/// <param name="JuridictionId">Only of this court.</param>
/// <param name="GestionnaireId">Only those that this gestionnaire had.</param>
/// <param name="EspaceId">Only those that this espace had.</param>
/// <param name="From">First day of closing.</param>
/// <param name="To">Last day of closing.</param>
/// <param name="MatureDate">Last day of closing of which twelve months have passed.</param>
/// <param name="Grouping">By what.</param>
/// <param name="ReturnsTo">Only returns to this court or gestionnaire; null for all.</param>
internal sealed record ImpactQuestion(
    Guid? JuridictionId, Guid? GestionnaireId, Guid? EspaceId, DateOnly From, DateOnly To, DateOnly MatureDate, ImpactGrouping Grouping, Guid? ReturnsTo)
{
    /// <summary>Only of the espaces of these départements; null for all.</summary>
    public IReadOnlyCollection<string>? Departements { get; init; }
}

/// <summary>What became of the families of one group.</summary>
internal sealed class ImpactFigures
{
    /// <summary>Mesures that ended, by destination.</summary>
    public SortedDictionary<ClosureDestination, long> Destinations { get; } = [];

    /// <summary>Those of which twelve months have passed.</summary>
    public long Mature { get; set; }

    /// <summary>Of these, those whose family came back.</summary>
    public long Returned { get; set; }

    /// <summary>All that ended.</summary>
    public long Ended => Destinations.Values.Sum();
}

/// <summary>Reads what became of families from an index of the mesures that ended, and from the returns that were found.</summary>
internal sealed class ImpactReader(NpgsqlDataSource source)
{
    /// <summary>The figures by group; the empty one where nothing tells them apart.</summary>
    /// <param name="question">Which mesures.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<SortedDictionary<string, ImpactFigures>> ReadAsync(ImpactQuestion question, CancellationToken ct)
    {
        var figures = new SortedDictionary<string, ImpactFigures>(StringComparer.Ordinal);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = Command(connection, question);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var group = reader.GetString(0);
            if (!figures.TryGetValue(group, out var of))
            {
                figures[group] = of = new ImpactFigures();
            }

            of.Destinations[ProtoConversions.FromCode<ClosureDestination>(reader.GetString(1))] = reader.GetInt64(2);
            of.Mature += reader.GetInt64(3);
            of.Returned += reader.GetInt64(4);
        }

        return figures;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, ImpactQuestion question)
    {
        var only = (question.JuridictionId is null ? "" : " and juridiction_id = @juridiction")
            + (question.GestionnaireId is null ? "" : " and gestionnaire_id = @gestionnaire")
            + (question.EspaceId is null ? "" : " and espace_id = @espace")
            + (question.Departements is null ? "" : " and espace_id = any(array(select id from espaces where departement = any(@departements)))");
        var returns = question.ReturnsTo is null
            ? "select distinct earlier_id from mesure_returns"
            : "select distinct earlier_id from mesure_returns join mesures l on l.id = later_id where @owner in (l.juridiction_id, l.gestionnaire_id)";
        var command = new NpgsqlCommand(
            $"""
            select {Group(question.Grouping)}, closure_destination, count(*), count(*) filter (where mature), count(*) filter (where mature and earlier_id is not null)
            from (select *, closed_at < {StartOf("@mature")} as mature from ended_mesures where closed_at >= {StartOf("@from")} and closed_at < {StartOf("@to")} {only}) e
                left join ({returns}) r on r.earlier_id = e.id
            group by 1, 2
            """,
            connection)
        {
            Parameters =
            {
                new NpgsqlParameter<DateOnly>("from", question.From), new NpgsqlParameter<DateOnly>("to", question.To.AddDays(1)),
                new NpgsqlParameter<DateOnly>("mature", question.MatureDate.AddDays(1)),
            },
        };
        foreach (var (name, id) in new[] { ("juridiction", question.JuridictionId), ("gestionnaire", question.GestionnaireId), ("espace", question.EspaceId), ("owner", question.ReturnsTo) })
        {
            if (id is { } value)
            {
                command.Parameters.Add(new NpgsqlParameter<Guid>(name, value));
            }
        }

        if (question.Departements is { } departements)
        {
            command.Parameters.Add(new NpgsqlParameter<string[]>("departements", [.. departements]));
        }

        return command;

        static string StartOf(string day) => $"({day}::timestamp at time zone 'Europe/Paris')";
    }

    private static string Group(ImpactGrouping grouping) => grouping switch
    {
        ImpactGrouping.Juridiction => "coalesce(juridiction_id::text, '')",
        ImpactGrouping.Gestionnaire => "gestionnaire_id::text",
        ImpactGrouping.Espace => "espace_id::text",
        ImpactGrouping.Month => "date_trunc('month', closed_at at time zone 'Europe/Paris')::date::text",
        _ => "''::text",
    };
}
