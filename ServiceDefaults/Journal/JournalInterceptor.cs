using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>
/// Nothing that concerns persons is answered before the journal has the line of it on disk: a unary answer, and each message of a
/// stream that names something new. Stands around the access interceptor, so that refused callers are on record too. What a command
/// wrote in its own transaction is not written again.
/// </summary>
internal sealed class JournalInterceptor(PersonalTable table, JournalWriter writer) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var journal = Begin(context);
        journal.Asked((IMessage)request);
        var response = await RunAsync(journal, context, () => continuation(request, context));
        await AnswerAsync(journal, response);
        return response;
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var journal = Begin(context);
        journal.Asked((IMessage)request);
        await RunAsync(journal, context, () => continuation(request, new Answers<TResponse>(responseStream, this, journal), context));
        await AnswerAsync(journal, null);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var journal = Begin(context);
        var response = await RunAsync(journal, context, () => continuation(new Questions<TRequest>(requestStream, journal), context));
        await AnswerAsync(journal, response);
        return response;
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var journal = Begin(context);
        await RunAsync(
            journal, context, () => continuation(new Questions<TRequest>(requestStream, journal), new Answers<TResponse>(responseStream, this, journal), context));
        await AnswerAsync(journal, null);
    }

    private CallJournal Begin(ServerCallContext context) => CallJournal.Begin(context, table.IsPersonal(context.Method));

    private Task<bool> RunAsync(CallJournal journal, ServerCallContext context, Func<Task> call) => RunAsync(journal, context, async () =>
    {
        await call();
        return true;
    });

    private async Task<T> RunAsync<T>(CallJournal journal, ServerCallContext context, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e)
        {
            var code = RpcErrors.CodeOf(e, context);
            if (journal.ToRefuse(code) is { } line)
            {
                var written = writer.WriteAsync(line);
                if (code == StatusCode.PermissionDenied)
                {
                    await written;
                }
            }

            throw;
        }
    }

    // Whether or not the client still waits: what was read was read.
    private async Task AnswerAsync(CallJournal journal, object? answer)
    {
        if (journal.ToAnswer(answer as IMessage) is { } line)
        {
            await writer.WriteAsync(line);
            journal.Committed(line);
        }
    }

    private sealed class Questions<T>(IAsyncStreamReader<T> inner, CallJournal journal) : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var more = await inner.MoveNext(cancellationToken);
            if (more)
            {
                journal.Asked((IMessage)inner.Current!);
            }

            return more;
        }
    }

    private sealed class Answers<T>(IServerStreamWriter<T> inner, JournalInterceptor interceptor, CallJournal journal) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get => inner.WriteOptions; set => inner.WriteOptions = value; }

        public async Task WriteAsync(T message)
        {
            await interceptor.AnswerAsync(journal, message);
            await inner.WriteAsync(message);
        }

        public async Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            await interceptor.AnswerAsync(journal, message);
            await inner.WriteAsync(message, cancellationToken);
        }
    }
}
