using System.Collections.Concurrent;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using RpcStatus = Google.Rpc.Status;
using StatusCode = Grpc.Core.StatusCode;

#pragma warning disable RS0030 // What a client catches.

namespace Jafer.Simulation.Replay;

/// <summary>An organisation that calls.</summary>
/// <param name="Role">Its role.</param>
/// <param name="Key">What the development issuer calls it, such as "tj69123" or "A69-1".</param>
/// <param name="Id">Its id.</param>
/// <param name="Person">Name of the fictive person who acts; null where software does.</param>
internal sealed record Caller(string Role, string Key, Guid Id, string? Person = null);

/// <summary>
/// The running services as outside software reaches them: by addresses and tokens alone. Calls that were held up are made again with the same
/// request, after the delay that the service names.
/// </summary>
/// <param name="addressOf">The gRPC address of a service.</param>
/// <param name="tokenOf">A token of an organisation.</param>
internal sealed class Callers(Func<string, Uri> addressOf, Func<Caller, CancellationToken, Task<string>> tokenOf) : IDisposable
{
    private const int Attempts = 12;
    private const int ChannelsOfAService = 4;

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<(string, int), GrpcChannel> _channels = [];
    private readonly ConcurrentDictionary<Caller, Lazy<Task<string>>> _tokens = [];
    private int _repeated;

    /// <summary>Calls that were made again.</summary>
    public int Repeated => _repeated;

    /// <summary>Makes a call.</summary>
    /// <param name="service">Which service.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="call">The call.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<T> CallAsync<T>(string service, Caller caller, Func<CallInvoker, CallOptions, AsyncUnaryCall<T>> call, CancellationToken ct)
    {
        var token = await _tokens.GetOrAdd(caller, c => new(() => tokenOf(c, CancellationToken.None))).Value;
        var channel = _channels.GetOrAdd((service, (caller.Id.GetHashCode() & int.MaxValue) % ChannelsOfAService), k => GrpcChannel.ForAddress(addressOf(k.Item1)));
        var wait = TimeSpan.FromMilliseconds(200);
        for (var left = Attempts; ; left--)
        {
            try
            {
                var options = new CallOptions(new Metadata { { "authorization", "Bearer " + token } }, TimeProvider.System.GetUtcNow().UtcDateTime + s_deadline, ct);
                return await call(channel.CreateCallInvoker(), options);
            }
            catch (RpcException e) when (left > 0 && !ct.IsCancellationRequested
                && e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted or StatusCode.Aborted)
            {
                Interlocked.Increment(ref _repeated);
                await Task.Delay(DelayOf(e) is { } asked && asked > wait ? asked : wait, ct);
                wait = wait < TimeSpan.FromSeconds(5) ? wait * 2 : wait;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }

    private static TimeSpan? DelayOf(RpcException refused) =>
        refused.Trailers.GetValueBytes("grpc-status-details-bin") is { } bytes
        && RpcStatus.Parser.ParseFrom(bytes).Details.FirstOrDefault(d => d.Is(RetryInfo.Descriptor)) is { } retry
            ? retry.Unpack<RetryInfo>().RetryDelay.ToTimeSpan() : null;
}
