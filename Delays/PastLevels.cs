namespace Jafer.Delays;

/// <summary>
/// What the level of each queue was on the day on which each of its mesures joined, from nothing but what had happened by then; and how
/// each queue stands on the last day.
/// </summary>
public sealed class PastLevels
{
    private readonly double[][] _levels;

    private PastLevels(double[][] levels, QueueRecord[] queues) => (_levels, Queues) = (levels, queues);

    /// <summary>How each queue stands on the last day.</summary>
    public IReadOnlyList<QueueRecord> Queues { get; }

    /// <summary>The level on the day on which a mesure joined, in days; not a number where none was known.</summary>
    /// <param name="queue">Number of the queue.</param>
    /// <param name="wait">Number of the mesure in it.</param>
    public double Of(int queue, int wait) => _levels[queue][wait];

    /// <summary>Follows queues from their first day to a last one.</summary>
    /// <param name="queues">The queues.</param>
    /// <param name="today">The last day: what comes after it is not looked at.</param>
    public static PastLevels Follow(IReadOnlyList<IReadOnlyList<DatedWait>> queues, int today)
    {
        var records = queues.Select(_ => new QueueRecord()).ToArray();
        var levels = queues.Select(q => new double[q.Count]).ToArray();
        // By day, and on a day those who leave before those who come: a place that is given back is seen.
        var acts = new List<(int Day, ActKind Kind, int Queue, int Wait)>(3 * queues.Sum(q => q.Count));
        for (var q = 0; q < queues.Count; q++)
        {
            for (var w = 0; w < queues[q].Count; w++)
            {
                levels[q][w] = double.NaN;
                var steps = Steps.Of(queues[q][w]);
                foreach (var (day, kind) in new[] { (steps.Passed, ActKind.Pass), (steps.Scheduled, ActKind.Schedule), (steps.Ended, ActKind.End), (steps.Contacted, ActKind.Contact), (steps.Began, ActKind.Begin) })
                {
                    if (day != 0 && day <= today)
                        acts.Add((day, kind, q, w));
                }
            }
        }
        acts.Sort();
        foreach (var (day, kind, q, w) in acts)
        {
            var (record, steps) = (records[q], Steps.Of(queues[q][w]));
            if (kind == ActKind.Begin)
            {
                record.Advance(day);
                if (record.FollowedDays >= ForecastCalibration.LeastFollowedDays && WaitLevel.Of(record) is { } level)
                    levels[q][w] = level.Days;
            }
            Do(record, kind, day, steps);
        }
        foreach (var record in records)
        {
            if (record.Day < today)
                record.Advance(today);
        }
        return new(levels, records);
    }

    /// <summary>How one queue stands on a day.</summary>
    /// <param name="queue">Its mesures, in any order.</param>
    /// <param name="today">The day.</param>
    public static QueueRecord RecordOf(IReadOnlyList<DatedWait> queue, int today) => Follow([queue], today).Queues[0];

    private static void Do(QueueRecord record, ActKind kind, int day, Steps steps)
    {
        switch (kind)
        {
            case ActKind.Begin: record.Begin(day); break;
            case ActKind.Contact: record.Contact(day, steps.Began); break;
            case ActKind.Schedule: record.Schedule(day, steps.Began, steps.Contacted != 0); break;
            case ActKind.Pass: record.Pass(day, day - steps.Began); break;
            default: record.Leave(day, steps.Began, steps.Contacted != 0); break;
        }
    }

    // In the order in which those of one day are done.
    private enum ActKind { Pass, Schedule, End, Contact, Begin }

    // Days in their order, whatever was told: each later than the one before, and none that no longer counts.
    private readonly record struct Steps(int Began, int Contacted, int Scheduled, int Passed, int Ended)
    {
        public static Steps Of(DatedWait wait)
        {
            var passed = wait.PassedOn == 0 ? 0 : Math.Max(wait.PassedOn, wait.Began + 2);
            var ended = wait.EndedOn == 0 ? 0 : Math.Max(wait.EndedOn, wait.Began + 2);
            var scheduled = wait.ScheduledOn == 0 || (passed != 0 && passed < wait.ScheduledOn) ? passed : Math.Max(wait.ScheduledOn, wait.Began + 2);
            if (ended != 0 && scheduled > ended)
                scheduled = 0;
            var left = scheduled != 0 ? scheduled : ended;
            var contacted = wait.ContactedOn == 0 ? 0 : Math.Max(wait.ContactedOn, wait.Began + 1);
            return new(wait.Began, left != 0 && contacted >= left ? 0 : contacted, scheduled, passed, scheduled != 0 ? 0 : ended);
        }
    }
}
