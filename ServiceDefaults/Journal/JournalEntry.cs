using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Messaging;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>A line of the access journal: who did what to which resources. Identifiers and codes only; the database adds number and time.</summary>
public sealed class JournalEntry : IAppended
{
    /// <summary>Outcome of what was done.</summary>
    public const string Done = "OK";

    /// <summary>Outcome of a call whose caller was refused.</summary>
    public const string Denied = "DENIED";

    /// <summary>Outcome of a line about a caller who seems to try out ids: nothing was done, somebody should look.</summary>
    public const string Alarm = "ALARM";

    /// <summary>What such a line names, by which they are found.</summary>
    public const string EnumerationAlarms = "alarms/enumeration";

    /// <summary>Subject of the token.</summary>
    public required string Subject { get; init; }

    /// <summary>Issuer of the token; null for what the service does by itself.</summary>
    public string? Issuer { get; init; }

    /// <summary>Role of the token.</summary>
    public required string Role { get; init; }

    /// <summary>Organisation of the token; zero for what the service does by itself.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>Whether a person called.</summary>
    public required bool IsPerson { get; init; }

    /// <summary>For whom software or a service acted.</summary>
    public string? OnBehalfOf { get; init; }

    /// <summary>Full name of the rpc with its leading slash, or what the service does by itself.</summary>
    public required string Rpc { get; init; }

    /// <summary>Names such as "mesures/0198…", without spaces.</summary>
    public required IReadOnlyCollection<string> Resources { get; init; }

    /// <summary>Purpose that the caller declared.</summary>
    public string? Purpose { get; init; }

    /// <summary><see cref="Done"/>, <see cref="Denied"/>, or the name of another status.</summary>
    public string Outcome { get; init; } = Done;

    /// <summary>True for a write.</summary>
    public required bool IsWrite { get; init; }

    /// <summary>Id of the trace.</summary>
    public string? TraceId { get; } = Activity.Current?.TraceId.ToHexString();

    NpgsqlBatchCommand IAppended.ToInsert() => Inserts.With(
        """
        insert into journal.entries (subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, resources, purpose, outcome, is_write, trace_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        Inserts.Value(Subject), Inserts.Text(Issuer), Inserts.Value(Role), Inserts.Value(OrganisationId), Inserts.Value(IsPerson), Inserts.Text(OnBehalfOf), Inserts.Value(Rpc),
        new NpgsqlParameter<string[]> { TypedValue = [.. Resources], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
        Inserts.Text(Purpose), Inserts.Value(Outcome), Inserts.Value(IsWrite), Inserts.Text(TraceId));

    /// <summary>Whether it is a line of the service's own work that nobody asked for: many of them are written by one statement.</summary>
    internal bool IsPlainWork => Subject == Itself && Issuer is null && OnBehalfOf is null && Purpose is null && Outcome == Done && IsWrite;

    /// <summary>One statement for many such lines, in their order.</summary>
    /// <param name="lines">Lines that are <see cref="IsPlainWork"/>.</param>
    internal static NpgsqlBatchCommand ToInsert(IReadOnlyCollection<JournalEntry> lines) => Inserts.With(
        """
        insert into journal.entries (subject, role, organisation_id, is_person, rpc, resources, outcome, is_write, trace_id)
        select $1, $2, $3, false, l.rpc, string_to_array(l.resources, ' '), $4, true, l.trace_id
        from unnest($5, $6, $7) with ordinality as l (rpc, resources, trace_id, n) order by l.n
        """,
        Inserts.Value(Itself), Inserts.Value(Roles.Systeme), Inserts.Value(Guid.Empty), Inserts.Value(Done),
        Inserts.Value(lines.Select(l => l.Rpc).ToArray()), Inserts.Value(lines.Select(l => string.Join(' ', l.Resources)).ToArray()),
        Inserts.Value(lines.Select(l => l.TraceId).ToArray()));

    private const string Itself = "jafer";

    /// <summary>A line of what the service does by itself.</summary>
    /// <param name="work">What it does, such as the type of an event that it applies, or "deadlines".</param>
    /// <param name="resources">What it changes.</param>
    /// <param name="onBehalfOf">For whom; null when nobody asked for it.</param>
    internal static JournalEntry Own(string work, IReadOnlyCollection<string> resources, string? onBehalfOf) => new()
    {
        Subject = Itself,
        Role = Roles.Systeme,
        OrganisationId = Guid.Empty,
        IsPerson = false,
        OnBehalfOf = onBehalfOf,
        Rpc = work,
        Resources = resources,
        IsWrite = true,
    };

    /// <summary>
    /// Adds lines of what the service does by itself in SQL of its own, in the transaction that the connection is in; none when
    /// nothing is named.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="work">What it does, in a word or two, such as "mail".</param>
    /// <param name="resources">What it is about, such as "mesures/0198…".</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task WriteOwnAsync(NpgsqlConnection connection, string work, IEnumerable<string> resources, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var lines = resources.Distinct(StringComparer.Ordinal).Chunk(NameList.Most).ToList();
        if (lines.Count > 0)
        {
            await using var batch = new NpgsqlBatch(connection);
            foreach (var names in lines)
            {
                batch.BatchCommands.Add(((IAppended)Own(work, names, null)).ToInsert());
            }

            await batch.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>What an event is about, as the journal names it; null for one that concerns no person.</summary>
    /// <param name="type">Name of its type.</param>
    /// <param name="aggregateId">Its aggregate.</param>
    internal static string? ResourceOf(string type, Guid aggregateId) =>
        type.StartsWith("messaging.", StringComparison.Ordinal) ? $"threads/{aggregateId}"
        : !type.StartsWith("mesure.", StringComparison.Ordinal) || s_ofNoMesure.Contains(type) ? null
        : $"mesures/{aggregateId}";

    private static readonly HashSet<string> s_ofNoMesure =
    [
        EventTypes.NameOf(typeof(SlotFreed)), EventTypes.NameOf(typeof(SlotTaken)), EventTypes.NameOf(typeof(SlotOffered)), EventTypes.NameOf(typeof(SlotOfferExpired)),
        EventTypes.NameOf(typeof(SessionsRequested)), EventTypes.NameOf(typeof(SessionsAnswered)), EventTypes.NameOf(typeof(SourceSilent)), EventTypes.NameOf(typeof(RetentionOverdue)),
        EventTypes.NameOf(typeof(SurveyOpened)), EventTypes.NameOf(typeof(SurveyReminderDue)),
    ];
}
