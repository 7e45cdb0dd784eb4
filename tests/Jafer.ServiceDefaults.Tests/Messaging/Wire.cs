using System.Net;
using System.Net.Sockets;

namespace Jafer.ServiceDefaults.Tests.Messaging;

/// <summary>
/// Stands between a client and a server and can fall silent: connections stay open and nothing goes through any more, as when a
/// proxy hangs or a network loses its way.
/// </summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _silent = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly List<TcpClient> _ends = [];
    private readonly Uri _server;
    private readonly Task _accepting;

    public Wire(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new UriBuilder(server) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    public void FallSilent() => _silent.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _silent.CancelAsync();
        await _ended.CancelAsync();
        await _accepting;
        _listener.Dispose();
        foreach (var end in _ends)
        {
            end.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_ended.Token);
                var server = new TcpClient();
                _ends.AddRange([client, server]);
                await server.ConnectAsync(_server.Host, _server.Port, _ended.Token);
                _ = PumpAsync(client, server);
                _ = PumpAsync(server, client);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), _silent.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // Silent, or one end has gone.
        }
    }
}
