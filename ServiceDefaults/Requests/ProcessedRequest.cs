using Jafer.ServiceDefaults.Data;
using Npgsql;

namespace Jafer.ServiceDefaults.Requests;

/// <summary>A request that was answered, so that the same request id gives the same answer (AIP-155).</summary>
internal sealed class ProcessedRequest : IAppended
{
    public required string Caller { get; init; }

    public required Guid RequestId { get; init; }

    public required string Method { get; init; }

    public required byte[] RequestHash { get; init; }

    public required byte[] Response { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Organisation of the caller; null in rows of an earlier version.</summary>
    public required Guid? OrganisationId { get; init; }

    public NpgsqlBatchCommand ToInsert() => Inserts.With(
        "insert into processed_requests (caller, request_id, method, request_hash, response, created_at, organisation_id) values ($1, $2, $3, $4, $5, $6, $7)",
        Inserts.Value(Caller), Inserts.Value(RequestId), Inserts.Value(Method), Inserts.Value(RequestHash), Inserts.Value(Response), Inserts.Value(CreatedAt),
        Inserts.Uuid(OrganisationId));
}
