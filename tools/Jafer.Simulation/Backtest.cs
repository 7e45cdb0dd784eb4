using System.Globalization;
using System.Text;
using Jafer.Delays;

namespace Jafer.Simulation;

/// <summary>How far forecasts lay from what came.</summary>
/// <param name="Forecasts">Forecasts of mesures that had a first rencontre.</param>
/// <param name="Errors">Mean absolute error in days of each rule in <see cref="Backtest.Rules"/>.</param>
/// <param name="Covered">Share of the waits that lay within the interval.</param>
/// <param name="Sooner">Share that lay before it.</param>
/// <param name="Width">Mean width of the interval in days.</param>
/// <param name="Wait">Mean of the waits in days.</param>
internal sealed record BacktestResult(int Forecasts, double[] Errors, double Covered, double Sooner, double Width, double Wait)
{
    /// <summary>Error of the forecast against that of the best rule.</summary>
    public double Ratio => Errors[^1] / Errors[..^1].Min();

    /// <summary>The same against the rules alone that anybody could use: without the way to the queue, for which many mesures must have been followed.</summary>
    public double RatioToSimple => Errors[^1] / Errors[..Backtest.SimpleRules].Min();
}

/// <summary>
/// Forecasts of the first rencontre of every mesure that a court transmitted in the counted year, made on the day of its transmission from
/// what had happened by then, and calibrated anew on the first of each month (rolling origin); beside what simple rules say.
/// </summary>
/// <remarks>L. J. Tashman, Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16 (2000) 437–450.</remarks>
internal static class Backtest
{
    /// <summary>How many of <see cref="Rules"/> are simple: the one after them knows more.</summary>
    public const int SimpleRules = 3;

    /// <summary>The rules and, last, the forecast.</summary>
    public static readonly string[] Rules = ["declared wait", "last year's median", "queue ÷ rate", "queue ÷ rate + the way to it", "forecast"];

    /// <summary>First seed: those before it gave the weights of the forecast's level.</summary>
    public const int FirstSeed = 13;

    // Of what a directory stores: waits that were declared are not among it.
    private static readonly string[] s_storedRules = ["last year's median", "queue ÷ rate", "forecast"];

    private const int DeclaredEvery = 180;

    /// <summary>Runs policies and looks back at them: a table in Markdown with means over seeds and their 95 % intervals.</summary>
    /// <param name="territory">Where everything is.</param>
    /// <param name="policies">The policies.</param>
    /// <param name="seeds">How many seeds, from <see cref="FirstSeed"/>.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="ct">Cancellation: nothing is kept.</param>
    public static string Table(Territory territory, IReadOnlyList<Policy> policies, int seeds, Action<string> progress, CancellationToken ct)
    {
        var results = new BacktestResult[policies.Count, seeds];
        var done = 0;
        Parallel.For(0, seeds, new() { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, 8), CancellationToken = ct }, seed =>
        {
            var demand = Demand.Of(territory, World.Middle.Parameters, FirstSeed + seed);
            foreach (var (p, policy) in policies.Index())
            {
                ct.ThrowIfCancellationRequested();
                results[p, seed] = Of(territory, demand, Engine.Run(territory, demand, policy));
                progress(FormattableString.Invariant($"{Interlocked.Increment(ref done)} of {policies.Count * seeds}: seed {FirstSeed + seed}, {policy.Name}"));
            }
        });
        var text = new StringBuilder();
        text.Append("| Policy | Wait, mean | ").AppendJoin(" | ", Rules.Select(r => $"{r}: error")).Append(" | Against the best of the first three | Of all four | In the interval | Sooner | Width |\n|---|").Append(string.Concat(Enumerable.Repeat("---|", Rules.Length + 6))).Append('\n');
        foreach (var (p, policy) in policies.Index())
        {
            string Mean(Func<BacktestResult, double> figure, string format, double scale = 1) =>
                Estimate.Of([.. Enumerable.Range(0, seeds).Select(s => scale * figure(results[p, s]))]) is var e
                    ? string.Create(CultureInfo.InvariantCulture, $"{e.Mean.ToString(format, CultureInfo.InvariantCulture)} ± {e.Half.ToString(format, CultureInfo.InvariantCulture)}") : "";
            text.Append(CultureInfo.InvariantCulture, $"| {policy.Title} | {Mean(r => r.Wait, "F0")} | ").AppendJoin(" | ", Rules.Select((_, i) => Mean(r => r.Errors[i], "F1")))
                .Append(CultureInfo.InvariantCulture, $" | {Mean(r => r.RatioToSimple - 1, "F1", 100)} % | {Mean(r => r.Ratio - 1, "F1", 100)} % | {Mean(r => r.Covered, "F1", 100)} % | {Mean(r => r.Sooner, "F1", 100)} % | {Mean(r => r.Width, "F0")} |\n");
        }
        return text.ToString();
    }

    /// <summary>Draws what is known of the waits of one espace, the largest, at the end of the counted year of the base.</summary>
    public static string Drawing(Territory territory)
    {
        var demand = Demand.Of(territory, World.Middle.Parameters, 0);
        var cells = Cells(territory, demand, Engine.Run(territory, demand, Policy.Base));
        DatedWait[][] queues = [.. cells.Select(c => c.Waits)];
        var today = Number(Calendar.YearEnd);
        var levels = PastLevels.Follow(queues, today);
        var calibration = new ForecastCalibration();
        calibration.Add(queues, levels, today);
        var largest = Enumerable.Range(0, queues.Length).MaxBy(q => queues[q].Length);
        var counts = new DelayCounts();
        foreach (var wait in queues[largest].Where(w => !w.Beside && w.Began <= today && w.Began > today - ForecastCalibration.WindowDays))
        {
            var (until, outcome) = wait.OutcomeOn(today);
            counts.Add(until - wait.Began, outcome);
        }
        return Plots.Waits(CumulativeIncidence.Of(counts), calibration.Of(WaitLevel.Of(levels.Queues[largest])!.Value));
    }

    /// <summary>Looks back at a run.</summary>
    public static BacktestResult Of(Territory territory, Demand demand, Books books)
    {
        var cells = Cells(territory, demand, books);
        DatedWait[][] queues = [.. cells.Select(c => c.Waits)];
        var levels = PastLevels.Follow(queues, Number(Calendar.End));
        var wayToIt = WayToIt(demand, books);
        var score = new Score(Rules.Length);
        for (var month = 0; month < 12; month++)
        {
            var (from, to) = (Calendar.AddMonths(Calendar.YearFirst, month), Calendar.AddMonths(Calendar.YearFirst, month + 1));
            var calibration = new ForecastCalibration();
            calibration.Add(queues, levels, Number(from) - 1);
            foreach (var (c, cell) in cells.Index())
            {
                for (var w = 0; w < cell.Waits.Length; w++)
                {
                    var m = cell.Mesures[w];
                    if (books.Transmitted[m] < from || books.Transmitted[m] >= to || books.FirstHeld[m] < 0 || double.IsNaN(levels.Of(c, w)))
                        continue;
                    var (day, took) = (books.Transmitted[m], books.FirstHeld[m] - books.Transmitted[m]);
                    var forecast = calibration.Of(new(levels.Of(c, w)));
                    var (queue, declared) = (cell.QueueDays(day), cell.QueueDays(day - ((day + (int)(DeclaredEvery * cell.Phase)) % DeclaredEvery)));
                    score.Add([declared, cell.LastYearsMedian(day), queue, queue + wayToIt, forecast.Median], (forecast.Low, forecast.High), took);
                }
            }
        }
        return score.Result;
    }

    /// <summary>Looks back at what a directory has stored: the mesures transmitted from two years to one year before its last day.</summary>
    /// <param name="file">
    /// CSV with a header and the columns queue, transmitted, contacted, scheduled, held, closed: a name for each espace and modalité, then days such
    /// as 2026-11-28, empty where a step was not taken; then, where they are known, placed, rencontres_per_year, duration_months, term and court,
    /// which is f where no court transmitted it. docs/delays.md tells how it is written.
    /// </param>
    /// <returns>A table in Markdown.</returns>
    public static string OfStored(string file)
    {
        var queues = new Dictionary<string, List<DatedWait>>(StringComparer.Ordinal);
        foreach (var (number, line) in File.ReadLines(file).Index().Skip(1))
        {
            string[] cells = line.Split(',');
            if (!IsWait(cells))
                throw new UsageException($"{file}, line {number + 1}: is not queue,transmitted,contacted,scheduled,held,closed with days such as 2026-11-28, nor that with placed,rencontres_per_year,duration_months,term,court.");
            int Day(int column) => cells.Length <= column || cells[column].Length == 0 ? 0 : DateOnly.ParseExact(cells[column], "yyyy-MM-dd", CultureInfo.InvariantCulture).DayNumber;
            int Figure(int column) => cells.Length <= column || cells[column].Length == 0 ? 0 : int.Parse(cells[column], CultureInfo.InvariantCulture);
            if (!queues.TryGetValue(cells[0], out var queue))
                queues[cells[0]] = queue = [];
            queue.Add(new(Day(1), Day(4), Day(5)) { ContactedOn = Day(2), ScheduledOn = Day(3), PlacedOn = Day(cells.Length > 6 ? 6 : 3), Terms = new(Figure(7), Figure(8), Day(9)), Beside = cells.Length > 6 && cells[10] == "f" });
        }
        if (queues.Count == 0)
            throw new UsageException($"{file} holds no mesure.");
        var cellsOf = queues.Values.Select(q => new Cell([.. q.OrderBy(w => w.Began)])).ToArray();
        // A forecast of the last year would be judged by the short waits alone.
        var last = DateOnly.FromDayNumber(cellsOf.Max(c => c.Waits.Max(w => Math.Max(Math.Max(w.Began, w.PassedOn), Math.Max(w.ScheduledOn, w.EndedOn)))));
        var result = Of(cellsOf, last.DayNumber, [.. Enumerable.Range(0, 12).Select(month => (last.AddYears(-2).AddMonths(month).DayNumber, last.AddYears(-2).AddMonths(month + 1).DayNumber))]);
        return result.Forecasts == 0
            ? "No forecast was possible: a queue needs half a year of history before the year that is looked back at, which began two years before the last day.\n"
            : string.Create(CultureInfo.InvariantCulture, $"""
                {result.Forecasts:N0} forecasts of mesures transmitted from {last.AddYears(-2):yyyy-MM-dd} to {last.AddYears(-1):yyyy-MM-dd}, mean wait {result.Wait:F0} days.

                | {string.Join(" | ", s_storedRules.Select(r => $"{r}: error"))} | Against the best simple rule | In the interval | Sooner | Width |
                |{string.Concat(Enumerable.Repeat("---|", s_storedRules.Length + 4))}
                | {string.Join(" | ", result.Errors.Select(e => e.ToString("F1", CultureInfo.InvariantCulture)))} | {100 * (result.Ratio - 1):F1} % | {100 * result.Covered:F1} % | {100 * result.Sooner:F1} % | {result.Width:F0} |

                """);
    }

    private static bool IsWait(string[] cells)
    {
        bool IsDay(int column) => cells[column].Length == 0 || DateOnly.TryParseExact(cells[column], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
        bool IsFigure(int column) => cells[column].Length == 0 || int.TryParse(cells[column], NumberStyles.None, CultureInfo.InvariantCulture, out _);
        return cells.Length is 6 or 11 && cells[1].Length > 0 && Enumerable.Range(1, 5).All(IsDay)
            && (cells.Length == 6 || (IsDay(6) && IsFigure(7) && IsFigure(8) && IsDay(9) && cells[10] is "t" or "f"));
    }

    private static BacktestResult Of(Cell[] cells, int last, IReadOnlyList<(int From, int To)> months)
    {
        DatedWait[][] queues = [.. cells.Select(c => c.Waits)];
        var levels = PastLevels.Follow(queues, last);
        var score = new Score(s_storedRules.Length);
        foreach (var (from, to) in months)
        {
            var calibration = new ForecastCalibration();
            calibration.Add(queues, levels, from - 1);
            foreach (var (c, cell) in cells.Index())
            {
                foreach (var (w, of) in cell.Waits.Index())
                {
                    if (of.Began < from || of.Began >= to || of.PassedOn == 0 || double.IsNaN(levels.Of(c, w)))
                        continue;
                    var (forecast, took) = (calibration.Of(new(levels.Of(c, w))), of.PassedOn - of.Began);
                    score.Add([cell.LastYearsMedian(of.Began), cell.QueueDays(of.Began), forecast.Median], (forecast.Low, forecast.High), took);
                }
            }
        }
        return score.Result;
    }

    // How far what each rule said was from what came, and how the interval of the last of them held.
    private sealed class Score(int rules)
    {
        private readonly double[] _errors = new double[rules];
        private int _forecasts;
        private int _covered;
        private int _sooner;
        private double _width;
        private double _wait;

        public BacktestResult Result =>
            new(_forecasts, [.. _errors.Select(e => e / _forecasts)], _covered / (double)_forecasts, _sooner / (double)_forecasts, _width / _forecasts, _wait / _forecasts);

        public void Add(ReadOnlySpan<double> said, (double Low, double High) interval, int took)
        {
            for (var rule = 0; rule < said.Length; rule++)
                _errors[rule] += Math.Abs(said[rule] - took);
            _forecasts++;
            _wait += took;
            _width += interval.High - interval.Low;
            _covered += took >= interval.Low && took <= interval.High ? 1 : 0;
            _sooner += took < interval.Low ? 1 : 0;
        }
    }

    // Day numbers as the library counts them: 0 is not yet.
    private static int Number(int day) => day < 0 ? 0 : day + 1;

    // What whoever knows the figures of the year before would add to a queue: median days until it is joined, and from the booking to the first rencontre.
    private static double WayToIt(Demand demand, Books books)
    {
        bool LastYear(int day) => day >= Calendar.YearFirst - 365 && day < Calendar.YearFirst;
        double Median(Func<int, int> on, Func<int, int> days) =>
            Enumerable.Range(0, demand.Count).Where(m => demand.Judicial[m] && LastYear(on(m))).Select(days).Order().ToArray() is var all ? all[all.Length / 2] : 0;
        return Median(m => books.Ready[m], m => books.Ready[m] - books.Transmitted[m]) + Median(m => books.RegularHeld[m], m => books.RegularHeld[m] - books.Booked[m]);
    }

    private static Cell[] Cells(Territory territory, Demand demand, Books books)
    {
        var mesures = new List<int>?[territory.Sites.Length * 2];
        for (var m = 0; m < demand.Count; m++)
        {
            if (books.Transmitted[m] >= 0)
                (mesures[(books.Site[m] * 2) + (demand.Handover[m] ? 1 : 0)] ??= []).Add(m);
        }
        return [.. mesures.Index().Where(p => p.Item is not null).Select(p => new Cell(demand, books, [.. p.Item!.OrderBy(m => books.Transmitted[m])], demand.Draw.Unit(Purpose.Phase, p.Index)))];
    }

    /// <summary>One queue: a modalité of an espace.</summary>
    private sealed class Cell
    {
        private readonly int[] _readyOn, _leftOn, _startedOn;
        private readonly (int Held, int Days)[] _held;

        public Cell(Demand demand, Books books, int[] mesures, double phase)
        {
            (Mesures, Phase) = (mesures, phase);
            Waits = [.. mesures.Select(m => new DatedWait(Number(books.Transmitted[m]), Number(books.FirstHeld[m]), Number(books.Closed[m]))
            {
                ContactedOn = Number(books.Contacted[m]),
                ScheduledOn = Number(books.Scheduled[m]),
                Terms = new(
                    (int)Math.Round(365.25 / demand.Interval[m]), demand.Terms[m],
                    demand.World.TermFromOrder > 0 ? Number(Calendar.AddMonths(demand.Day[m], demand.Terms[m])) : 0),
                Beside = !demand.Judicial[m],
                PlacedOn = Number(books.Booked[m]),
            })];
            int[] judicial = [.. mesures.Where(m => demand.Judicial[m])];
            int[] Days(Func<int, int> of) => [.. judicial.Select(of).Where(d => d >= 0).Order()];
            _readyOn = Days(m => books.Ready[m]);
            _leftOn = Days(m => books.Ready[m] < 0 ? -1 : books.Booked[m] >= 0 ? books.Booked[m] : books.Closed[m]);
            _startedOn = Days(m => books.Booked[m]);
            _held = [.. judicial.Where(m => books.FirstHeld[m] >= 0).Select(m => (books.FirstHeld[m], books.FirstHeld[m] - books.Transmitted[m])).Order()];
        }

        /// <summary>As a directory knows it: by the first contact the queue is joined.</summary>
        public Cell(DatedWait[] waits)
        {
            (Mesures, Waits) = ([], waits);
            DatedWait[] followed = [.. waits.Where(w => !w.Beside)];
            int[] Days(Func<DatedWait, int> of) => [.. followed.Select(of).Where(d => d > 0).Order()];
            _readyOn = Days(w => w.ContactedOn);
            _leftOn = Days(w => w.ContactedOn == 0 ? 0 : w.ScheduledOn != 0 ? w.ScheduledOn : w.PassedOn != 0 ? w.PassedOn : w.EndedOn);
            _startedOn = Days(w => w.ScheduledOn);
            _held = [.. followed.Where(w => w.PassedOn != 0).Select(w => (w.PassedOn, w.PassedOn - w.Began)).Order()];
        }

        public int[] Mesures { get; }

        public DatedWait[] Waits { get; }

        public double Phase { get; }

        public double QueueDays(int day) =>
            (Before(_readyOn, day) - Before(_leftOn, day)) / QueueForecast.StartRate(Before(_startedOn, day) - Before(_startedOn, day - 365), 365, 0.1);

        public double LastYearsMedian(int day)
        {
            var days = _held.Where(h => h.Held < day && h.Held >= day - 365).Select(h => h.Days).Order().ToArray();
            return days.Length == 0 ? 120 : days[days.Length / 2];
        }

        private static int Before(int[] days, int day)
        {
            var (low, high) = (0, days.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                (low, high) = days[middle] < day ? (middle + 1, high) : (low, middle);
            }
            return low;
        }
    }
}
