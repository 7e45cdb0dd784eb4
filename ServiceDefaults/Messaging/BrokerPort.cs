using System.Net.Sockets;
using RabbitMQ.Client;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Waits until the broker's port opens, before each attempt to connect: the bus alone tries at growing distances of up to 30 s,
/// and events would wait as long after a broker that is back.
/// </summary>
internal static class BrokerPort
{
    // After that the bus tries all the same and reports what it meets: a firewall may answer nobody but a client.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Completes when the port takes connections, or when that lasts too long.</summary>
    /// <param name="factory">Where the broker is.</param>
    public static async Task AwaitAsync(ConnectionFactory factory)
    {
        using var patience = new CancellationTokenSource(s_patience, TimeProvider.System);
        using var pause = new PeriodicTimer(s_pause, TimeProvider.System);
        try
        {
            while (!await IsOpenAsync(factory.HostName, factory.Endpoint.Port, patience.Token))
            {
                await pause.WaitForNextTickAsync(patience.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Left to the bus.
        }
    }

    private static async Task<bool> IsOpenAsync(string host, int port, CancellationToken ct)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(host, port, ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
