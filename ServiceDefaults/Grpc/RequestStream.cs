using Google.Protobuf;
using Grpc.Core;

namespace Jafer.ServiceDefaults.Grpc;

#pragma warning disable RS0030 // What the server throws of itself is told apart.

/// <summary>The client left in the middle of its messages.</summary>
internal sealed class ClientLeftException() : OperationCanceledException("the client left");

/// <summary>
/// The messages of a client. The server tells a client that left as a failed read, and cancels the call's token only a moment
/// later: here it is told from a fault, as bytes are that are no message, and too many of them. A client that sends nothing, or
/// a message without end, is not waited for; one that sends more than its share is read no faster than that.
/// </summary>
/// <param name="inner">The messages as they come.</param>
/// <param name="idle">Longest wait for the next message.</param>
/// <param name="pace">Waits until a message may be taken.</param>
/// <param name="clock">Time.</param>
internal sealed class RequestStream<T>(IAsyncStreamReader<T> inner, TimeSpan idle, Func<CancellationToken, ValueTask> pace, TimeProvider clock) : IAsyncStreamReader<T>
{
    public T Current => inner.Current;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        try
        {
            if (!await ReadAsync(cancellationToken))
            {
                return false;
            }
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            throw DomainError.Malformed();
        }
        catch (IOException)
        {
            throw new ClientLeftException();
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
        {
            throw DomainError.MessageTooLarge();
        }
        catch (TimeoutException)
        {
            throw DomainError.LimitExceeded("time without a message in a stream", TimeSpan.FromSeconds(1));
        }

        await pace(cancellationToken);
        return true;
    }

    private async Task<bool> ReadAsync(CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var read = inner.MoveNext(end.Token);
        try
        {
            return read.IsCompleted ? await read : await read.WaitAsync(idle, clock, ct);
        }
        finally
        {
            if (!read.IsCompleted)
            {
                // The server gives what it reads a stream with to another call of the connection, which a read that is left behind would fail.
                await end.CancelAsync();
                await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
