using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Mesures.Mesures;

/// <summary>What the directory expects of an espace.</summary>
/// <param name="Date">Expected date of the first rencontre; null when none is known.</param>
/// <param name="Available">False when the directory did not answer.</param>
internal readonly record struct Forecast(DateOnly? Date, bool Available)
{
    public static readonly Forecast NotAsked = new(null, true);

    public static readonly Forecast Unavailable = new(null, false);
}

/// <summary>Asks the directory for the forecast of an espace. Without an answer the check goes on and says so.</summary>
internal sealed class DirectoryForecast(TimeProvider clock, DirectoryService.DirectoryServiceClient directory)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public async Task<Forecast> ExpectedFirstVisitAsync(Guid espaceId, Modalite modalite, DateOnly from, CancellationToken ct)
    {
        try
        {
            var answer = await directory.GetEspaceAsync(
                new GetEspaceRequest { EspaceId = espaceId.ToString() }, deadline: (clock.GetUtcNow() + s_patience).UtcDateTime, cancellationToken: ct).OrNoAnswerAsync(ct);
            if (answer is null)
            {
                return Forecast.Unavailable;
            }

            var wait = answer.Espace.Modalites.SingleOrDefault(m => m.Modalite == modalite)?.DeclaredWait;
            return new Forecast(wait is null ? null : from.AddDays(wait.Days), true);
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
#pragma warning restore RS0030
        {
            // An espace that the directory does not know has no forecast; the rules say what that means.
            return Forecast.NotAsked;
        }
    }
}
