namespace Jafer.ServiceDefaults.Requests;

/// <summary>A request that was answered, so that the same request id gives the same answer (AIP-155).</summary>
internal sealed class ProcessedRequest
{
    public required string Caller { get; init; }

    public required Guid RequestId { get; init; }

    public required string Method { get; init; }

    public required byte[] RequestHash { get; init; }

    public required byte[] Response { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
