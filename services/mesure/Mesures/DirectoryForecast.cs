using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain.Rules;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Mesures.Mesures;

/// <summary>What the directory expects of an espace.</summary>
/// <param name="Date">Expected date of the first rencontre; null when none is known.</param>
/// <param name="Available">False when the directory did not answer.</param>
/// <param name="Unmet">Rules of designation that the espace does not meet.</param>
internal readonly record struct Forecast(DateOnly? Date, bool Available, IReadOnlyList<UnmetRule> Unmet)
{
    /// <summary>One mesure in ten has its first rencontre before this date.</summary>
    public Date? Earliest { get; init; }

    /// <summary>One mesure in ten has its first rencontre after this date.</summary>
    public Date? Latest { get; init; }

    /// <summary>What else should be known of it, codes alone; empty when nothing.</summary>
    public IReadOnlyList<ResultWarningCode> Warnings { get; init; } = [];

    /// <summary>How its places stand; null when nothing is known.</summary>
    public PlaceStanding? Places { get; init; }

    public static readonly Forecast NotAsked = new(null, true, []);

    public static readonly Forecast Unavailable = new(null, false, []);
}

/// <summary>
/// Asks the directory for the forecast of an espace, the same as a search shows, past reopening, closures and days on which it
/// is not open, and for what stands against designating it. Without an answer the check goes on and says so.
/// </summary>
internal sealed class DirectoryForecast(TimeProvider clock, DirectoryService.DirectoryServiceClient directory)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>Asks.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="profile">The mesure, without names or communes.</param>
    /// <param name="ct">Cancellation.</param>
    /// <param name="mesureId">The mesure, whose own place does not stand in its way; null when it holds none.</param>
    public async Task<Forecast> AskAsync(Guid espaceId, MesureProfile profile, CancellationToken ct, Guid? mesureId = null)
    {
        // A draft may leave the modalité open: then there is nothing to ask for.
        if (profile.Modalite == Modalite.Unspecified)
        {
            return Forecast.NotAsked;
        }

        try
        {
            var request = new CheckDesignationRequest { EspaceId = espaceId.ToString(), Mesure = profile, MesureId = mesureId?.ToString() ?? "" };
            var answer = await directory.CheckDesignationAsync(
                request, deadline: (clock.GetUtcNow() + s_patience).UtcDateTime, cancellationToken: ct).OrNoAnswerAsync(ct);
            if (answer is null)
            {
                return Forecast.Unavailable;
            }

            var expected = answer.Result?.ExpectedFirstVisitDate;
            return new Forecast(
                expected is null ? null : new DateOnly(expected.Year, expected.Month, expected.Day), true,
                [.. answer.Findings.Select(f => new UnmetRule(f.Rule, f.LegalSource))])
            {
                Earliest = answer.Result?.Forecast?.EarliestDate,
                Latest = answer.Result?.Forecast?.LatestDate,
                Warnings = [.. answer.Warnings.Select(w => w.Code)],
                Places = answer.Result?.Places,
            };
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
#pragma warning restore RS0030
        {
            // An espace that the directory does not know has no forecast; the rules say what that means.
            return Forecast.NotAsked;
        }
#pragma warning disable RS0030
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
#pragma warning restore RS0030
        {
            // A directory of another version wants to know it otherwise: the check goes on without it.
            return Forecast.Unavailable;
        }
    }
}
