using System.Threading.Channels;

namespace Jafer.Notifications.Webhooks;

/// <summary>Wakes this replica's dispatcher: there is something to post. Many calls before it looks are one.</summary>
internal sealed class WebhookSignal
{
    private readonly Channel<bool> _waiting = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Wakes the dispatcher.</summary>
    public void Notify() => _waiting.Writer.TryWrite(true);

    /// <summary>Waits for the next call.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task WaitAsync(CancellationToken ct) => await _waiting.Reader.ReadAsync(ct);
}
