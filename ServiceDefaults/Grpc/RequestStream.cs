using Google.Protobuf;
using Grpc.Core;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>The client left in the middle of its messages.</summary>
internal sealed class ClientLeftException() : OperationCanceledException("the client left");

/// <summary>
/// The messages of a client. The server tells a client that left as a failed read, and cancels the call's token only a moment
/// later: here it is told from a fault, as bytes are that are no message.
/// </summary>
internal sealed class RequestStream<T>(IAsyncStreamReader<T> inner) : IAsyncStreamReader<T>
{
    public T Current => inner.Current;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        try
        {
            return await inner.MoveNext(cancellationToken);
        }
        catch (InvalidProtocolBufferException)
        {
            throw DomainError.Malformed();
        }
        catch (IOException)
        {
            throw new ClientLeftException();
        }
    }
}
