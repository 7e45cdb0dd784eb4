using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Jafer.Benchmarks;

/// <summary>The least of an SMTP server: it takes every mail, and keeps to whom it went and under which id.</summary>
internal sealed class SmtpSink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<(string Address, string MessageId)> _mails = [];
    private readonly Task _accepting;

    public SmtpSink()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Its port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The mails so far.</summary>
    public IReadOnlyList<(string Address, string MessageId)> Mails => [.. _mails];

    /// <summary>How many mails it took so far.</summary>
    public int Count => _mails.Count;

    /// <summary>Forgets them.</summary>
    public void Clear() => _mails.Clear();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
                await using var writer = new StreamWriter(client.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
                await writer.WriteLineAsync("220 sink");
                var address = "";
                while (await reader.ReadLineAsync(_end.Token) is { } line)
                {
                    if (line.StartsWith("RCPT TO:<", StringComparison.OrdinalIgnoreCase))
                        address = line[9..line.IndexOf('>', StringComparison.Ordinal)];
                    if (line.Equals("DATA", StringComparison.OrdinalIgnoreCase))
                    {
                        await writer.WriteLineAsync("354 go on");
                        _mails.Enqueue((address, await ReadMailAsync(reader)));
                    }

                    await writer.WriteLineAsync(line.Equals("QUIT", StringComparison.OrdinalIgnoreCase) ? "221 bye" : "250 ok");
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The sender was killed, or this is the end.
            }
        }
    }

    /// <summary>Reads a mail to its end; its id.</summary>
    private async Task<string> ReadMailAsync(StreamReader reader)
    {
        const string Header = "Message-Id:";
        var id = "";
        while (await reader.ReadLineAsync(_end.Token) is { } line)
        {
            if (line == ".")
                return id;
            if (line.StartsWith(Header, StringComparison.OrdinalIgnoreCase))
                id = line[Header.Length..].Trim();
        }

        throw new IOException("the mail has no end");
    }
}
