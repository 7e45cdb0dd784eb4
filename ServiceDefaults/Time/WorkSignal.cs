using System.Threading.Channels;

namespace Jafer.ServiceDefaults.Time;

/// <summary>
/// Wakes background work of this process: there may be something to do. Many calls before it looks are one. A hint only: the work
/// also looks by itself. Each kind of work has its own class.
/// </summary>
public abstract class WorkSignal
{
    private readonly Channel<bool> _waiting = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Wakes the work.</summary>
    public void Notify() => _waiting.Writer.TryWrite(true);

    /// <summary>Waits for the next call.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task WaitAsync(CancellationToken ct) => await _waiting.Reader.ReadAsync(ct);

    /// <summary>Waits for the next call, but not longer than given. True when there was one.</summary>
    /// <param name="atMost">The longest wait.</param>
    /// <param name="clock">By which time.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<bool> WaitAsync(TimeSpan atMost, TimeProvider clock, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(atMost, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            return await _waiting.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
