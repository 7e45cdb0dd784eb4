namespace Jafer.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Timers fire when it passes them, in order; of a periodic one that it passes several
/// times the last: whoever waits for its ticks would find one that had waited, and by the thousand they cost minutes.
/// </summary>
/// <param name="start">First instant.</param>
public sealed class TestClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _lock = new();

    // Times at which timers are due, of those due together the one that was created first. One that was changed meanwhile is passed by.
    private readonly PriorityQueue<TestTimer, (DateTimeOffset Due, long Number)> _due = new();
    private DateTimeOffset _now = start;
    private long _created;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    /// <summary>Moves the clock forward and fires what is due, in order.</summary>
    /// <param name="by">How far.</param>
    public void Advance(TimeSpan by)
    {
        var end = GetUtcNow() + by;
        while (true)
        {
            TestTimer? next = null;
            lock (_lock)
            {
                while (next is null && _due.TryPeek(out var timer, out var at) && at.Due <= end)
                {
                    _due.Dequeue();
                    next = timer.Due == at.Due && !timer.PutOff(end) ? timer : null;
                }

                _now = next is null ? end : next.Due > _now ? next.Due : _now;
                next?.Next();
            }

            if (next is null)
            {
                return;
            }

            next.Fire();
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new TestTimer(this, callback, state, Interlocked.Increment(ref _created));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class TestTimer(TestClock clock, TimerCallback callback, object? state, long number) : ITimer
    {
        private TimeSpan _period;
        private bool _disposed;

        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                _period = period;
                Set(_disposed || dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : clock._now + dueTime);
                return !_disposed;
            }
        }

        /// <summary>Whether it is due again until then, and so not yet but at the last of those times; the lock is held.</summary>
        /// <param name="end">Until when.</param>
        public bool PutOff(DateTimeOffset end)
        {
            if (_period <= TimeSpan.Zero || end - Due < _period)
            {
                return false;
            }

            Set(end - new TimeSpan((end - Due).Ticks % _period.Ticks));
            return true;
        }

        /// <summary>Says when it is due after this time; the lock is held.</summary>
        public void Next() => Set(_period == Timeout.InfiniteTimeSpan || _period == TimeSpan.Zero ? DateTimeOffset.MaxValue : Due + _period);

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._lock)
            {
                _disposed = true;
                Due = DateTimeOffset.MaxValue;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Set(DateTimeOffset due)
        {
            Due = due;
            if (due < DateTimeOffset.MaxValue)
            {
                clock._due.Enqueue(this, (due, number));
            }
        }
    }
}
