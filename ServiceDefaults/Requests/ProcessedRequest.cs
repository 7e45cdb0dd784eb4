using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Secrets;
using Npgsql;

namespace Jafer.ServiceDefaults.Requests;

/// <summary>A request that was answered, so that the same request id gives the same answer (AIP-155).</summary>
[Holds(DataCategory.Technical, Processing.Operation, Kept.Day)]
internal sealed class ProcessedRequest : IAppended
{
    private static readonly byte[] s_binding = KeyRing.Binding("processed_requests.response");

    [InClear(DataCategory.Professional)]
    public required string Caller { get; init; }

    public required Guid RequestId { get; init; }

    public required string Method { get; init; }

    public required byte[] RequestHash { get; init; }

    /// <summary>The answer, which may hold anything that answers hold.</summary>
    [Sealed(DataCategory.FreeText)]
    public required byte[] Response { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Organisation of the caller; null in rows of an earlier version.</summary>
    public required Guid? OrganisationId { get; init; }

    public NpgsqlBatchCommand ToInsert() => Inserts.With(
        "insert into processed_requests (caller, request_id, method, request_hash, response, created_at, organisation_id) values ($1, $2, $3, $4, $5, $6, $7)",
        Inserts.Value(Caller), Inserts.Value(RequestId), Inserts.Value(Method), Inserts.Value(RequestHash), Inserts.Value(KeyRing.Process.Seal(Response, s_binding)), Inserts.Value(CreatedAt),
        Inserts.Uuid(OrganisationId));
}
