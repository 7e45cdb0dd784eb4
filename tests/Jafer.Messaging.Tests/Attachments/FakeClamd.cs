using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>How the scanner behaves.</summary>
public enum Mood
{
    /// <summary>It finds the test file of EICAR, and nothing in others.</summary>
    Well,

    /// <summary>It takes the bytes and never answers.</summary>
    Silent,

    /// <summary>It hangs up after the first bytes.</summary>
    HangsUp,

    /// <summary>It says that the file is too large, and hangs up before having read all of it.</summary>
    SizeLimit,

    /// <summary>It answers with an error.</summary>
    Error,

    /// <summary>It hangs up in the middle of its answer.</summary>
    CutAnswer,
}

/// <summary>A scanner that speaks clamd's INSTREAM on a socket.</summary>
internal sealed class FakeClamd : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    public FakeClamd()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public Mood Mood { get; set; }

    /// <summary>SHA-256 of each file that it looked at, in hexadecimal.</summary>
    public ConcurrentQueue<string> Seen { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _serving;
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = AnswerAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The end.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var command = new byte["zINSTREAM\0".Length];
                await stream.ReadExactlyAsync(command, _end.Token);
                Assert.Equal("zINSTREAM\0", Encoding.ASCII.GetString(command));
                using var file = new MemoryStream();
                var length = new byte[4];
                while (true)
                {
                    await stream.ReadExactlyAsync(length, _end.Token);
                    var count = BinaryPrimitives.ReadInt32BigEndian(length);
                    if (count == 0)
                    {
                        break;
                    }

                    var piece = new byte[count];
                    await stream.ReadExactlyAsync(piece, _end.Token);
                    file.Write(piece);
                    if (Mood == Mood.HangsUp)
                    {
                        return;
                    }

                    if (Mood == Mood.SizeLimit)
                    {
                        await stream.WriteAsync("INSTREAM size limit exceeded. ERROR\0"u8.ToArray(), _end.Token);
                        return;
                    }
                }

                if (Mood == Mood.Silent)
                {
                    await Task.Delay(Timeout.Infinite, _end.Token);
                }

                Seen.Enqueue(Convert.ToHexStringLower(SHA256.HashData(file.ToArray())));
                var answer = Mood switch
                {
                    Mood.Error => "stream: Can't allocate memory ERROR\0",
                    Mood.CutAnswer => "stream: OK",
                    _ => file.ToArray().AsSpan().IndexOf(TestFiles.Eicar) >= 0 ? "stream: Eicar-Test-Signature FOUND\0" : "stream: OK\0",
                };
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), _end.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // It left, or this is the end.
            }
        }
    }
}
