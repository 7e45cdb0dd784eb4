using Grpc.Core;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>
/// The answers of a stream: the one that is being written when the process is asked to stop is written to its end. The server's own
/// writer would reset the stream then, and the client would not learn why it ended.
/// </summary>
/// <param name="answers">The server's own.</param>
internal sealed class ResponseStream<T>(IServerStreamWriter<T> answers) : IServerStreamWriter<T>
{
    public WriteOptions? WriteOptions
    {
        get => answers.WriteOptions;
        set => answers.WriteOptions = value;
    }

    public Task WriteAsync(T message) => answers.WriteAsync(message);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return answers.WriteAsync(message, CancellationToken.None);
    }
}
