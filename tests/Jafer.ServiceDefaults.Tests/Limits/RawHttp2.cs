using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Jafer.ServiceDefaults.Tests.Limits;

/// <summary>A client of HTTP/2 that keeps no rule: frames as a test wants them.</summary>
internal sealed class RawHttp2 : IDisposable
{
    public const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>
    /// Connects from an address of the loopback, all of which belong to the machine, and says hello. A window is how many bytes of
    /// each answer the server may send before it is asked for more.
    /// </summary>
    public static async Task<RawHttp2> ConnectAsync(Uri server, CancellationToken ct, string from = "127.0.0.1", int? window = null)
    {
        var client = new RawHttp2();
        client._socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await client._socket.ConnectAsync(IPAddress.Loopback, server.Port, ct);
        await client.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), ct);
        await client.SendAsync(Frame(Settings, 0, 0, window is { } bytes ? [0, 4, (byte)(bytes >> 24), (byte)(bytes >> 16), (byte)(bytes >> 8), (byte)bytes] : []), ct);
        return client;
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)payload.Length);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The header block of a gRPC call, without compression.</summary>
    public static byte[] Block(string path, string? token = null)
    {
        var block = new List<byte>();
        Add(block, ":method", "POST");
        Add(block, ":scheme", "http");
        Add(block, ":path", path);
        Add(block, ":authority", "localhost");
        Add(block, "content-type", "application/grpc");
        Add(block, "te", "trailers");
        if (token is not null)
        {
            Add(block, "authorization", "Bearer " + token);
        }

        return [.. block];
    }

    public static void Add(List<byte> block, string name, string value)
    {
        block.Add(0);
        AddText(block, name);
        AddText(block, value);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, ct)..];
        }
    }

    /// <summary>Sends as much as is taken; false when the other side has ended the connection.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        try
        {
            await SendAsync(bytes, ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The types of all frames that come until the other side ends the connection, with the code of a GOAWAY or RST_STREAM.</summary>
    public async Task<List<(byte Type, int Code)>> ReadToEndAsync(CancellationToken ct)
    {
        var frames = new List<(byte, int)>();
        try
        {
            while (await ReadAsync(ct) is { } frame)
            {
                frames.Add(frame);
            }
        }
        catch (SocketException)
        {
            // Cut off in the middle: the end as well.
        }

        return frames;
    }

    /// <summary>The type of the next frame, with the code of a GOAWAY or RST_STREAM; null at the end.</summary>
    public async Task<(byte Type, int Code)?> ReadAsync(CancellationToken ct) => await ReadFrameAsync(ct) is not { } frame ? null : (frame.Type, frame.Type switch
    {
        GoAway => BinaryPrimitives.ReadInt32BigEndian(frame.Payload.AsSpan(4)),
        ResetStream => BinaryPrimitives.ReadInt32BigEndian(frame.Payload),
        _ => 0,
    });

    /// <summary>The next frame as it came; null at the end.</summary>
    public async Task<(byte Type, byte Flags, int Stream, byte[] Payload)?> ReadFrameAsync(CancellationToken ct)
    {
        var head = new byte[9];
        if (!await FillAsync(head, ct))
        {
            return null;
        }

        var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
        return await FillAsync(payload, ct) ? (head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload) : null;
    }

    public void Dispose() => _socket.Dispose();

    private static void AddText(List<byte> block, string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        if (bytes.Length < 127)
        {
            block.Add((byte)bytes.Length);
        }
        else
        {
            block.Add(127);
            var rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7)
            {
                block.Add((byte)(rest | 128));
            }

            block.Add((byte)rest);
        }

        block.AddRange(bytes);
    }

    private async Task<bool> FillAsync(Memory<byte> buffer, CancellationToken ct)
    {
        while (buffer.Length > 0)
        {
            var read = await _socket.ReceiveAsync(buffer, ct);
            if (read == 0)
            {
                return false;
            }

            buffer = buffer[read..];
        }

        return true;
    }
}
