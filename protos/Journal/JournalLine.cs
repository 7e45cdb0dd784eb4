using System.Data.Common;

namespace Jafer.Contracts.Journal;

/// <summary>A line of the access journal as it stands in a service's database: who did what to which resources. Identifiers only.</summary>
/// <param name="Id">Number of the line.</param>
/// <param name="Transaction">Number of the transaction that wrote it.</param>
/// <param name="At">When that began, by the database's clock.</param>
/// <param name="Subject">Subject of the caller's token.</param>
/// <param name="Issuer">Issuer of the token; null for what a service did by itself.</param>
/// <param name="Role">Role.</param>
/// <param name="OrganisationId">Organisation; zero for what a service did by itself.</param>
/// <param name="IsPerson">True for a person; null when that was not noted.</param>
/// <param name="OnBehalfOf">For whom software or a service acted.</param>
/// <param name="Rpc">Full name of the rpc with its leading slash, or what a service did by itself.</param>
/// <param name="Resources">Names such as "mesures/0198…".</param>
/// <param name="Purpose">Purpose that the caller declared.</param>
/// <param name="Outcome">"OK", "DENIED", or the name of another status.</param>
/// <param name="IsWrite">True for a write.</param>
/// <param name="TraceId">Id of the trace.</param>
public sealed record JournalLine(
    long Id, string Transaction, DateTimeOffset At, string Subject, string? Issuer, string Role, Guid OrganisationId, bool? IsPerson, string? OnBehalfOf, string Rpc,
    IReadOnlyList<string> Resources, string? Purpose, string Outcome, bool IsWrite, string? TraceId)
{
    /// <summary>The columns that <see cref="Read"/> reads, of journal.entries e.</summary>
    public const string Columns =
        "e.id, e.xact::text, e.at, e.subject, e.issuer, e.role, e.organisation_id, e.is_person, e.on_behalf_of, e.rpc, e.resources, e.purpose, e.outcome, e.is_write, e.trace_id";

    /// <summary>
    /// The lines that are under a seal, in the order of the chain: @after and @upto are the snapshots of the seal before and of its own.
    /// A line belongs to the first seal that saw it committed, however late that was and whatever its number.
    /// </summary>
    public const string UnderSeal = $"""
        select {Columns} from journal.entries e
        where e.xact >= pg_snapshot_xmin(@after::pg_snapshot) and e.xact < pg_snapshot_xmax(@upto::pg_snapshot)
          and not pg_visible_in_snapshot(e.xact, @after::pg_snapshot) and pg_visible_in_snapshot(e.xact, @upto::pg_snapshot)
        order by e.xact, e.id
        """;

    /// <summary>Reads the line at which a reader stands.</summary>
    /// <param name="reader">A reader of <see cref="Columns"/>.</param>
    public static JournalLine Read(DbDataReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new JournalLine(
            reader.GetInt64(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3), Text(4), reader.GetString(5), reader.GetGuid(6),
            reader.IsDBNull(7) ? null : reader.GetBoolean(7), Text(8), reader.GetString(9), reader.GetFieldValue<string[]>(10), Text(11), reader.GetString(12),
            reader.GetBoolean(13), Text(14));

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }
}
