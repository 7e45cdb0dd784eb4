using Jafer.Contracts.Mesure.V1;
using Jafer.Delays;
using Npgsql;

namespace Jafer.Mesures.Delays;

/// <summary>Which mesures, and by what they are told apart.</summary>
/// <param name="JuridictionId">Only of this court.</param>
/// <param name="GestionnaireId">Only of the espaces of this gestionnaire.</param>
/// <param name="EspaceId">Only of this espace.</param>
/// <param name="Modalite">Only this modalité, as its code.</param>
/// <param name="From">First month.</param>
/// <param name="To">Last month.</param>
/// <param name="Grouping">By what.</param>
internal sealed record DelayQuestion(
    Guid? JuridictionId, Guid? GestionnaireId, Guid? EspaceId, string? Modalite, DateOnly From, DateOnly To, DelayGrouping Grouping)
{
    /// <summary>Only of the espaces of these départements; null for all.</summary>
    public IReadOnlyCollection<string>? Departements { get; init; }
}

/// <summary>What became of the mesures of one group in one segment.</summary>
internal sealed class DelayFigures
{
    /// <summary>Delays that are over, that ended by a closing, and that run.</summary>
    public DelayCounts Counts { get; } = new();
}

/// <summary>
/// Reads delays: what is over from the counts, what runs from the open mesures, which are few however many are closed. All France
/// has counts of its own.
/// </summary>
internal sealed class DelayReader(NpgsqlDataSource source)
{
    /// <summary>The figures by group (the empty one where nothing tells them apart) and segment.</summary>
    /// <param name="question">Which mesures.</param>
    /// <param name="today">Until when the running ones are followed.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<SortedDictionary<(string Group, DelaySegment Segment), DelayFigures>> ReadAsync(DelayQuestion question, DateOnly today, CancellationToken ct)
    {
        var figures = new SortedDictionary<(string, DelaySegment), DelayFigures>(s_order);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using (var counted = Command(connection, question, Counted(question)))
        await using (var reader = await counted.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                var of = Of(reader);
                var days = reader.GetInt32(2);
                of.Counts.Add(days < 0 ? -1 - days : days, days < 0 ? DelayOutcome.Ended : DelayOutcome.Passed, reader.GetInt64(3));
            }
        }

        await using (var waiting = Command(connection, question, Waiting(question)))
        {
            waiting.Parameters.Add(new NpgsqlParameter<DateOnly>("today", today));
            await using var reader = await waiting.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                Of(reader).Counts.Add(reader.GetInt32(2), DelayOutcome.Waiting, reader.GetInt64(3));
            }
        }

        return figures;

        DelayFigures Of(NpgsqlDataReader row)
        {
            var key = (row.GetString(0), (DelaySegment)row.GetInt16(1));
            if (!figures.TryGetValue(key, out var of))
            {
                figures[key] = of = new DelayFigures();
            }

            return of;
        }
    }

    private static readonly Comparer<(string Group, DelaySegment Segment)> s_order = Comparer<(string Group, DelaySegment Segment)>.Create((a, b) =>
        string.CompareOrdinal(a.Group, b.Group) is var by && by != 0 ? by : a.Segment.CompareTo(b.Segment));

    private static string Counted(DelayQuestion question) => $"""
        select {Group(question.Grouping)}, segment, days::integer, sum(mesures)::bigint
        from ({(IsOfAllFrance(question) ? "select * from delay_totals" : question.GestionnaireId is null ? "select * from delay_counts" : OfTransmitted)}) c
        where month between @from and @to {Only(question)}
        group by 1, 2, 3 having sum(mesures) > 0
        """;

    // A gestionnaire learns of a mesure when it is transmitted: what was closed before, in its first segment, is taken off.
    private const string OfTransmitted = """
        select juridiction_id, month, espace_id, modalite, segment, days, mesures from delay_counts
        union all
        select e.juridiction_id, e.month, e.espace_id, e.modalite, d.segment, d.days, -1
        from delay_entries e cross join unnest(e.days) with ordinality as d (days, segment) where e.days[1] < 0 and d.days is not null
        """;

    private static string Waiting(DelayQuestion question) => $"""
        select {Group(question.Grouping)}, segment,
            least(greatest(@today - began - case when suspended then suspended_days(mesure_id, began, @today) else 0 end, 0), 32000), count(*)
        from delay_segments
        where open and ended is null and not passed and month between @from and @to {Only(question)}
            {(question.GestionnaireId is null ? "" : "and exists (select from mesures m where m.id = mesure_id and m.transmitted_at is not null)")}
        group by 1, 2, 3
        """;

    private static bool IsOfAllFrance(DelayQuestion question) =>
        question is { JuridictionId: null, GestionnaireId: null, EspaceId: null, Modalite: null, Departements: null, Grouping: DelayGrouping.Unspecified or DelayGrouping.Month };

    private static string Group(DelayGrouping grouping) => grouping switch
    {
        DelayGrouping.Juridiction => "juridiction_id::text",
        DelayGrouping.Espace => "espace_id::text",
        DelayGrouping.Modalite => "modalite",
        DelayGrouping.Month => "month::text",
        _ => "''::text",
    };

    private static string Only(DelayQuestion question) =>
        (question.JuridictionId is null ? "" : " and juridiction_id = @juridiction")
        + (question.EspaceId is null ? "" : " and espace_id = @espace")
        + (question.GestionnaireId is null ? "" : " and espace_id = any(array(select id from espaces where gestionnaire_id = @gestionnaire))")
        + (question.Departements is null ? "" : " and espace_id = any(array(select id from espaces where departement = any(@departements)))")
        + (question.Modalite is null ? "" : " and modalite = @modalite");

    private static NpgsqlCommand Command(NpgsqlConnection connection, DelayQuestion question, string sql)
    {
        var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<DateOnly>("from", question.From), new NpgsqlParameter<DateOnly>("to", question.To) } };
        Add("juridiction", question.JuridictionId);
        Add("espace", question.EspaceId);
        Add("gestionnaire", question.GestionnaireId);
        if (question.Departements is { } departements)
        {
            command.Parameters.Add(new NpgsqlParameter<string[]>("departements", [.. departements]));
        }

        if (question.Modalite is { } modalite)
        {
            command.Parameters.Add(new NpgsqlParameter<string>("modalite", modalite));
        }

        return command;

        void Add(string name, Guid? id)
        {
            if (id is { } value)
            {
                command.Parameters.Add(new NpgsqlParameter<Guid>(name, value));
            }
        }
    }
}
