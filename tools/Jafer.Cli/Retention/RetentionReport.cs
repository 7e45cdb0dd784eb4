using System.Globalization;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Cli.Retention;

/// <summary>Runs of retention, for an operator.</summary>
internal static class RetentionReport
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    /// <summary>Starts a dry run and waits for its end.</summary>
    /// <param name="client">The service.</param>
    /// <param name="requestId">Id of the request.</param>
    /// <param name="clock">Time.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>What a run would erase now, on one line.</returns>
    public static async Task<string> DryRunAsync(RetentionService.RetentionServiceClient client, string requestId, TimeProvider clock, CancellationToken ct)
    {
        var run = (await client.StartRetentionRunAsync(new StartRetentionRunRequest { DryRun = true, RequestId = requestId }, cancellationToken: ct)).Run;
        while (run.EndTime is null)
        {
            await Task.Delay(s_look, clock, ct);
            run = (await client.GetRetentionRunAsync(new GetRetentionRunRequest { RunId = run.RunId }, cancellationToken: ct)).Run;
        }

        return $"A run would erase now: {Counts(run, "to erase")}. Nothing was erased.";
    }

    /// <summary>The last run that erased, whether or not it is finished, and the last that was finished.</summary>
    /// <param name="client">The service.</param>
    /// <param name="clock">Time.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<string> LastAsync(RetentionService.RetentionServiceClient client, TimeProvider clock, CancellationToken ct)
    {
        var request = new ListRetentionRunsRequest { PageSize = 200 };
        var working = false;
        do
        {
            var page = await client.ListRetentionRunsAsync(request, cancellationToken: ct);
            foreach (var run in page.Runs.Where(r => !r.DryRun))
            {
                if (run.EndTime is not null)
                {
                    var ended = run.EndTime.ToDateTimeOffset();
                    var age = clock.GetUtcNow() - run.StartTime.ToDateTimeOffset();
                    return string.Create(CultureInfo.InvariantCulture, $"The last run began {age.TotalHours:0} hours ago and ended at {ended:yyyy-MM-dd HH:mm} UTC: {Counts(run, "erased")}.{(working ? " Another one is at work." : "")}");
                }

                working = true;
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return working ? "No run was finished yet; one is at work." : "There was no run yet. One begins each night.";
    }

    private static string Counts(RetentionRun run, string erased)
    {
        var counts = run.Counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Rule} {c.ErasedCount} of {c.DueCount} {erased}")
            + (c.HeldCount > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({c.HeldCount} under a hold)") : "")
            + (c.FailedCount > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({c.FailedCount} failed)") : ""));
        return string.Join(", ", counts.Append(string.Create(CultureInfo.InvariantCulture, $"{run.StaleCount} open mesures forgotten")));
    }
}
