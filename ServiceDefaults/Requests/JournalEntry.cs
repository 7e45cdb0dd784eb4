using Grpc.Core;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Npgsql;

namespace Jafer.ServiceDefaults.Requests;

/// <summary>A line of the access journal: who did what to which resource. Identifiers only.</summary>
public sealed class JournalEntry : IAppended
{
    /// <summary>Number of the line.</summary>
    public long Id { get; private init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Subject of the token.</summary>
    public required string Subject { get; init; }

    /// <summary>Role of the token.</summary>
    public required string Role { get; init; }

    /// <summary>Organisation of the token.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>The person for whom software acted.</summary>
    public string? OnBehalfOf { get; init; }

    /// <summary>Full name of the rpc.</summary>
    public required string Rpc { get; init; }

    /// <summary>Resource, such as "mesures/0198…".</summary>
    public required string Resource { get; init; }

    NpgsqlBatchCommand IAppended.ToInsert() => Inserts.With(
        "insert into journal_entries (at, subject, role, organisation_id, on_behalf_of, rpc, resource) values ($1, $2, $3, $4, $5, $6, $7)",
        Inserts.Value(At), Inserts.Value(Subject), Inserts.Value(Role), Inserts.Value(OrganisationId), Inserts.Text(OnBehalfOf), Inserts.Value(Rpc),
        Inserts.Value(Resource));

    /// <summary>The line for a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="resource">Resource read or written.</param>
    /// <param name="at">When.</param>
    public static JournalEntry For(ServerCallContext call, string resource, DateTimeOffset at)
    {
        var caller = call.Caller();
        return new JournalEntry
        {
            At = at,
            Subject = caller.Subject,
            Role = caller.Role,
            OrganisationId = caller.OrganisationId,
            OnBehalfOf = caller.OnBehalfOf,
            Rpc = call.Method,
            Resource = resource,
        };
    }
}
