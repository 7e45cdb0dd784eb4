using Grpc.Core;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Waits;

/// <summary>The rpcs of waits.</summary>
internal sealed class WaitGrpcService(GetObservedWaits observed) : WaitService.WaitServiceBase
{
    public override Task<GetObservedWaitsResponse> GetObservedWaits(GetObservedWaitsRequest request, ServerCallContext context) =>
        observed.HandleAsync(request, context.CancellationToken);
}
