using System.Threading.Channels;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>Wakes the relay of this process after a commit. A hint only: the relay also polls.</summary>
public sealed class OutboxSignal
{
    private readonly Channel<bool> _channel = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Tells that something may be in the outbox.</summary>
    public void Notify() => _channel.Writer.TryWrite(true);

    /// <summary>
    /// Waits for a signal, at most as long as given, in real time: the broker and the store live by it. True when there was one.
    /// </summary>
    internal async Task<bool> WaitAsync(TimeSpan atMost, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
        either.CancelAfter(atMost);
        try
        {
            return await _channel.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }
}
