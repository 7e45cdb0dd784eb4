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
        var levels = queues.Select(q => new double[q.Count]).ToArray();
        return new(levels, [.. queues.Select((queue, q) => Follow(queue, today, levels[q]))]);
    }

    /// <summary>How one queue stands on a day.</summary>
    /// <param name="queue">Its mesures, in any order.</param>
    /// <param name="today">The day.</param>
    public static QueueRecord RecordOf(IReadOnlyList<DatedWait> queue, int today) => Follow(queue, today, null);

    private static QueueRecord Follow(IReadOnlyList<DatedWait> queue, int today, double[]? levels)
    {
        var (record, steps) = (new QueueRecord(), new Steps[queue.Count]);
        // By day, and on a day those who leave before those who come: a place that is given back is seen.
        var acts = new List<(int Day, ActKind Kind, int Wait)>(7 * queue.Count);
        for (var w = 0; w < queue.Count; w++)
        {
            var its = steps[w] = Steps.Of(queue[w]);
            foreach (var (day, kind) in (ReadOnlySpan<(int, ActKind)>)
            [
                (its.Closed, ActKind.Close), (its.Passed, ActKind.Pass), (its.Placed, ActKind.Place), (its.Scheduled, ActKind.Schedule), (its.Ended, ActKind.End),
                (its.Contacted, ActKind.Contact), (its.Began, ActKind.Begin),
            ])
            {
                if (day != 0 && day <= today)
                    acts.Add((day, kind, w));
            }
        }
        acts.Sort();
        levels?.AsSpan().Fill(double.NaN);
        foreach (var (day, kind, w) in acts)
        {
            if (levels is not null && kind == ActKind.Begin && !queue[w].Beside)
            {
                record.Advance(day);
                if (record.FollowedDays >= ForecastCalibration.LeastFollowedDays && WaitLevel.Of(record) is { } level)
                    levels[w] = level.Days;
            }
            if (!queue[w].Beside)
                Do(record, kind, day, steps[w]);
            Do(record.Places, kind, day, w, queue[w]);
        }
        if (record.Day < today)
            record.Advance(today);
        return record;
    }

    private static void Do(QueueRecord record, ActKind kind, int day, Steps steps)
    {
        switch (kind)
        {
            case ActKind.Begin: record.Begin(day); break;
            case ActKind.Contact: record.Contact(day, steps.Began); break;
            case ActKind.Schedule: record.Schedule(day, steps.Began, steps.Contacted != 0); break;
            case ActKind.Pass: record.Pass(day, day - steps.Began); break;
            case ActKind.End: record.Leave(day, steps.Began, steps.Contacted != 0); break;
            default: break;
        }
    }

    private static void Do(PlaceFlow places, ActKind kind, int day, int w, DatedWait wait)
    {
        switch (kind)
        {
            case ActKind.Begin: places.Begin(day, w, wait.Terms, queued: wait.Beside); break;
            case ActKind.Contact: places.Contact(day, w); break;
            case ActKind.Place: places.Place(day, w); break;
            case ActKind.Pass: places.Pass(day, w); break;
            case ActKind.Close: places.Leave(day, w); break;
            default: break;
        }
    }

    // In the order in which those of one day are done. The record knows of no places, the places of no first rencontres by freed slots.
    private enum ActKind { Close, Pass, Place, Schedule, End, Contact, Begin }

    // Days in their order, whatever was told: each later than the one before, and none that no longer counts.
    private readonly record struct Steps(int Began, int Contacted, int Scheduled, int Passed, int Ended, int Placed, int Closed)
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
            // What is held without having been scheduled has its place from then on.
            var placed = wait.PlacedOn == 0 ? 0 : Math.Max(wait.PlacedOn, wait.Began + 1);
            if (passed != 0 && (wait.ScheduledOn == 0 || passed < wait.ScheduledOn) && (placed == 0 || placed > passed))
                placed = passed;
            if (ended != 0 && placed > ended)
                placed = 0;
            var closed = ended == 0 ? 0 : Math.Max(ended, placed + 1);
            return new(wait.Began, left != 0 && contacted >= left ? 0 : contacted, scheduled, passed, scheduled != 0 ? 0 : ended, placed, closed);
        }
    }
}
