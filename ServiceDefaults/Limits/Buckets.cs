namespace Jafer.ServiceDefaults.Limits;

/// <summary>
/// Token buckets, one for each key. What is kept of a bucket is the moment at which it will be full again: a full one is as good
/// as none, so that memory is bounded without anybody's allowance being forgotten.
/// </summary>
/// <typeparam name="TKey">Whose bucket.</typeparam>
/// <param name="clock">Time.</param>
/// <param name="perSecond">Tokens that flow into a bucket.</param>
/// <param name="burst">Tokens of a full bucket.</param>
/// <param name="mostKeys">Buckets that are kept; when so many are in use, further keys share one.</param>
internal sealed class Buckets<TKey>(TimeProvider clock, double perSecond, double burst, int mostKeys)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, double> _fullAt = [];
    private readonly long _start = clock.GetTimestamp();
    private double _sharedFullAt;
    private double _sweepAt;

    /// <summary>Buckets that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _fullAt.Count;
            }
        }
    }

    /// <summary>Takes tokens, all or none.</summary>
    /// <param name="key">Whose.</param>
    /// <param name="tokens">How many; more than a full bucket holds count as a full bucket.</param>
    /// <param name="wait">Without enough of them, how long until there are.</param>
    public bool TryTake(TKey key, double tokens, out TimeSpan wait)
    {
        lock (_gate)
        {
            var now = clock.GetElapsedTime(_start).TotalSeconds;
            var shared = !_fullAt.TryGetValue(key, out var fullAt) && IsCrowded(now);
            fullAt = Math.Max(now, shared ? _sharedFullAt : fullAt) + (Math.Min(tokens, burst) / perSecond);
            // A tick of tolerance: sums of fractions are not exact.
            if (fullAt - now - (burst / perSecond) is var missing and > 1e-7)
            {
                wait = TimeSpan.FromSeconds(missing);
                return false;
            }

            if (shared)
            {
                _sharedFullAt = fullAt;
            }
            else
            {
                _fullAt[key] = fullAt;
            }

            wait = TimeSpan.Zero;
            return true;
        }
    }

    /// <summary>Gives back tokens that were taken for nothing.</summary>
    /// <param name="key">Whose.</param>
    /// <param name="tokens">How many.</param>
    public void Return(TKey key, double tokens)
    {
        lock (_gate)
        {
            if (_fullAt.TryGetValue(key, out var fullAt))
            {
                _fullAt[key] = fullAt - (Math.Min(tokens, burst) / perSecond);
            }
        }
    }

    /// <summary>Fills a bucket.</summary>
    /// <param name="key">Whose.</param>
    public void Fill(TKey key)
    {
        lock (_gate)
        {
            _fullAt.Remove(key);
        }
    }

    private bool IsCrowded(double now)
    {
        if (_fullAt.Count < mostKeys)
        {
            return false;
        }

        if (now < _sweepAt)
        {
            return true;
        }

        // Not for each of a flood of new keys.
        _sweepAt = now + 1;
        foreach (var (key, fullAt) in _fullAt)
        {
            if (fullAt <= now)
            {
                _fullAt.Remove(key);
            }
        }

        return _fullAt.Count >= mostKeys;
    }
}
