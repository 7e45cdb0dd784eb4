namespace Jafer.Mesures.Retention;

/// <summary>To which mesures a rule applies, as queries of (id, since): one text for what is counted, listed and erased.</summary>
internal static class DueMesures
{
    /// <summary>Files of a closed mesure.</summary>
    public const string Files = "MESURE_FILES";

    /// <summary>All else that concerns persons.</summary>
    public const string Content = "MESURE_CONTENT";

    /// <summary>What software reported of mesures that are not here.</summary>
    public const string Intake = "INTAKE_UNKNOWN";

    /// <summary>Whether a hold keeps the mesure d.id on the day @today.</summary>
    public const string Held =
        "exists (select from legal_holds h where h.mesure_id = d.id and h.lifted_at is null and (h.until_date is null or h.until_date >= @today))";

    /// <summary>Open mesures of which nothing was told since @cutoff: they are never erased, only told.</summary>
    public const string Stale = """
        select count(*) from mesures m where m.state <> 'CLOTUREE' and m.updated_at <= @cutoff
            and not exists (select from mesure_facts f where f.mesure_id = m.id and f.occurred_at > @cutoff)
        """;

    /// <summary>Items of mesures that are not here.</summary>
    public const string Unknown =
        "from intake_items i where i.decided_at <= @cutoff and not exists (select from mesures m where m.id = i.mesure_id)";

    /// <summary>The mesures to which a rule applies at @cutoff.</summary>
    /// <param name="rule">Code of the rule.</param>
    public static string Of(string rule) => rule switch
    {
        Files => """
            select m.id, m.closed_at as since from mesures m
            where m.state = 'CLOTUREE' and m.anonymised_at is null and m.files_erased_at is null and m.closed_at <= @cutoff
            """,
        // What waits to be counted is counted first: families are found again by what is emptied here.
        Content => """
            select m.id, l.since from mesures m
                cross join lateral (select max(f.occurred_at) as since from mesure_facts f where f.mesure_id = m.id and f.act <> 'PURGE') l
            where m.state = 'CLOTUREE' and m.anonymised_at is null and m.closed_at <= @cutoff and l.since <= @cutoff
                and not exists (select from delay_queue q where q.mesure_id = m.id)
            """,
        _ => throw new ArgumentOutOfRangeException(nameof(rule), "is no rule of mesures"),
    };
}
