using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Mesures.Mesures;

/// <summary>
/// Has the directory hold a place for a mesure that is about to be transmitted. Nothing depends on it: without an answer the place is
/// not held, and the transmission counts when its event arrives.
/// </summary>
internal sealed class DirectoryPlaces(TimeProvider clock, PlaceService.PlaceServiceClient directory)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>Holds a place, or the same one longer.</summary>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="espaceId">The espace.</param>
    /// <param name="modalite">Its modalité.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>What is held; null when the directory did not answer in time, or does not know the espace.</returns>
    public async Task<HoldPlaceResponse?> HoldAsync(Guid mesureId, Guid espaceId, Modalite modalite, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var request = new HoldPlaceRequest
        {
            MesureId = mesureId.ToString(),
            EspaceId = espaceId.ToString(),
            Modalite = modalite,
            RequestId = Guid.CreateVersion7(now).ToString(),
        };
        try
        {
            return await directory.HoldPlaceAsync(request, deadline: (now + s_patience).UtcDateTime, cancellationToken: ct).OrNoAnswerAsync(ct);
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException)
#pragma warning restore RS0030
        {
            // An espace that it does not know, a directory of another version, two who met: nobody has to have a place held.
            return null;
        }
    }
}
