using Grpc.Core;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Places;

/// <summary>The rpcs of places.</summary>
internal sealed class PlaceGrpcService(HoldPlace hold) : PlaceService.PlaceServiceBase
{
    public override Task<HoldPlaceResponse> HoldPlace(HoldPlaceRequest request, ServerCallContext context) => hold.HandleAsync(request, context);
}
