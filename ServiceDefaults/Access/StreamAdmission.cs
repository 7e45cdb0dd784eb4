using Grpc.Core;
using Jafer.ServiceDefaults.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Whether the caller of a stream would still be let in. It is asked when the next message is due and the last look is some seconds old:
/// nothing waits for a stream that is quiet. Who would be refused ends the stream as they would be refused a call.
/// </summary>
/// <param name="ranks">What lets in.</param>
/// <param name="territories">Where they are competent.</param>
/// <param name="clock">Time.</param>
/// <param name="context">The call.</param>
/// <param name="caller">The caller before their rank.</param>
/// <param name="token">Their token.</param>
internal sealed class StreamAdmission(MemberRanks ranks, CallerTerritories territories, TimeProvider clock, ServerCallContext context, Caller caller, TokenIdentity token)
{
    // The directory's answer is renewed beside the look that finds it old, and seen by the next: 45 seconds after it at most, with
    // a heartbeat each 15 seconds, a member is refused.
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    private long _lookedAt = clock.GetTimestamp();

    private bool IsDue => clock.GetElapsedTime(_lookedAt) >= s_interval;

    /// <summary>What is sent to the caller, as long as they are let in.</summary>
    /// <param name="answers">The stream.</param>
    public IServerStreamWriter<T> Around<T>(IServerStreamWriter<T> answers) => new Answers<T>(answers, this);

    /// <summary>What the caller sends, as long as they are let in; the end is looked at too, because what was uploaded is stored then.</summary>
    /// <param name="questions">The stream.</param>
    public IAsyncStreamReader<T> Around<T>(IAsyncStreamReader<T> questions) => new Questions<T>(questions, this);

    private async Task LookAsync()
    {
        _lookedAt = clock.GetTimestamp();
        var admitted = await territories.AdmitAsync(await ranks.AdmitAgainAsync(caller, token, context.CancellationToken), context.CancellationToken);
        if (admitted != context.Caller())
        {
            context.SetCaller(admitted);
            context.GetHttpContext().RequestServices.GetRequiredService<StoreScope>().Caller = admitted;
        }
    }

    private sealed class Answers<T>(IServerStreamWriter<T> inner, StreamAdmission admission) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get => inner.WriteOptions; set => inner.WriteOptions = value; }

        public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(T message, CancellationToken cancellationToken) =>
            admission.IsDue ? LookAndWriteAsync(message, cancellationToken) : inner.WriteAsync(message, cancellationToken);

        private async Task LookAndWriteAsync(T message, CancellationToken ct)
        {
            await admission.LookAsync();
            await inner.WriteAsync(message, ct);
        }
    }

    private sealed class Questions<T>(IAsyncStreamReader<T> inner, StreamAdmission admission) : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var more = await inner.MoveNext(cancellationToken);
            if (admission.IsDue)
            {
                await admission.LookAsync();
            }

            return more;
        }
    }
}
