using System.Diagnostics;
using Jafer.Contracts.Directory.V1;
using Jafer.Delays;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Benchmarks;

/// <summary>The estimators over the 20,000 waits of a national year in 200 queues, against the least that looks at each of them.</summary>
internal static class WaitsBenchmark
{
    public const string EstimateName = "waits-estimate";
    public const string ForecastName = "waits-forecast";

    private const double EstimateGoal = 5;
    private const double ForecastGoal = 6;
    private const int Waits = 20_000;
    private const int Queues = 200;
    private const int Seed = 20_261_129;

    /// <summary>Counts, Aalen–Johansen with its variances, three quantiles with intervals; against one pass that adds up the days.</summary>
    public static async Task<Result> RunEstimateAsync(CancellationToken ct)
    {
        var today = TimeProvider.System.TodayInParis();
        FollowedMesure[] mesures = [.. Drawn(today).SelectMany(q => q)];
        return Result.AtMost(EstimateName, "ms", await Rounds.SampleAsync(2, 9, 50, () => Timed(Estimate, ct), () => Timed(Pass, ct)), EstimateGoal);

        void Estimate()
        {
            var incidence = CumulativeIncidence.Of(ObservedWaits.Count(mesures, today, WaitStart.Transmission, WaitEnd.Held));
            if (incidence.Quantile(0.5) is not { Low: > 0, High: > 0 } || incidence.Quantile(0.8) is null || incidence.Quantile(0.9) is null)
                throw new InvalidOperationException("nothing was estimated");
        }

        void Pass()
        {
            var (sum, until) = (0L, today.DayNumber);
            foreach (var mesure in mesures)
            {
                if (mesure.Wait(WaitStart.Transmission, WaitEnd.Held) is { } wait)
                    sum += wait.OutcomeOn(until).Until - wait.Began;
            }
            if (sum == 0)
                throw new InvalidOperationException("nothing was added up");
        }
    }

    /// <summary>What a replica learns once a day and forecasts for each queue; against the same acts put in the order of their days.</summary>
    public static async Task<Result> RunForecastAsync(CancellationToken ct)
    {
        var today = TimeProvider.System.TodayInParis();
        IReadOnlyList<IReadOnlyList<DatedWait>> queues = [.. Drawn(today).Select(q => (DatedWait[])[.. q.Select(m => m.InQueue())])];
        return Result.AtMost(ForecastName, "ms", await Rounds.SampleAsync(2, 9, 10, () => Timed(Forecast, ct), () => Timed(Sort, ct)), ForecastGoal);

        void Forecast()
        {
            var levels = PastLevels.Follow(queues, today.DayNumber);
            var calibration = new ForecastCalibration();
            calibration.Add(queues, levels, today.DayNumber);
            var known = levels.Queues.Select(q => WaitLevel.Of(q)).OfType<WaitLevel>().Select(calibration.Of).ToList();
            if (known.Count < Queues / 2 || known.Exists(f => f.Low > f.High))
                throw new InvalidOperationException("nothing was forecast");
        }

        void Sort()
        {
            var acts = new List<(int Day, int Queue, int Wait)>(6 * Waits);
            foreach (var (q, queue) in queues.Index())
            {
                foreach (var (w, wait) in queue.Index())
                {
                    foreach (var day in (ReadOnlySpan<int>)[wait.Began, wait.ContactedOn, wait.ScheduledOn, wait.PlacedOn, wait.PassedOn, wait.EndedOn])
                    {
                        if (day != 0)
                            acts.Add((day, q, w));
                    }
                }
            }
            acts.Sort();
            if (acts.Count < Waits)
                throw new InvalidOperationException("nothing was sorted");
        }
    }

    private static Task<double> Timed(Action measured, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var start = Stopwatch.GetTimestamp();
        measured();
        return Task.FromResult(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    // Two years of transmissions; three of four have a first rencontre, most others are closed, some still wait.
    private static FollowedMesure[][] Drawn(DateOnly today)
    {
        var (random, until) = (new Random(Seed), today.DayNumber);
        return
        [
            .. Enumerable.Range(0, Queues).Select(q => (FollowedMesure[])
            [
                .. Enumerable.Range(0, Waits / Queues).Select(_ =>
                {
                    var began = until - random.Next(700);
                    var contacted = began + random.Next(5, 50);
                    var scheduled = contacted + random.Next(10, 60 + q);
                    var held = scheduled + random.Next(7, 30);
                    var passes = random.NextDouble() < 0.75;
                    var terms = new MesureTerms(random.Next(2) == 0 ? 26 : 12, random.Next(3, 13), 0);
                    var closed = passes ? held + Math.Min(terms.EndOn(0, until), random.Next(2000)) : contacted + random.Next(30, 200);
                    return new FollowedMesure(began, passes && held <= until ? held : 0, closed <= until ? closed : 0)
                    {
                        StepsKnown = true,
                        ContactedOn = contacted <= until ? contacted : 0,
                        ScheduledOn = passes && scheduled <= until ? scheduled : 0,
                        PlannedOn = passes && scheduled <= until ? held : 0,
                        PlacedOn = passes && scheduled <= until ? scheduled : 0,
                        Terms = terms,
                    };
                }).OrderBy(m => m.TransmittedOn),
            ]),
        ];
    }
}
