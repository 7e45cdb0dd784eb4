using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;

namespace Jafer.Messaging.Attachments;

/// <summary>Asks clamd, or whatever speaks its protocol, by INSTREAM: bytes in pieces with their lengths, then one line of answer.</summary>
internal sealed class ClamdScanner(IOptions<AttachmentOptions> options, TimeProvider clock)
{
    private const int MaxAnswer = 1024;
    private const int MaxFinding = 100;

    /// <summary>The verdict on some bytes. Never fails but by cancellation: what goes wrong is a verdict too.</summary>
    /// <param name="endPoint">Where the scanner listens.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<Verdict> ScanAsync(EndPoint endPoint, IAsyncEnumerable<ReadOnlyMemory<byte>> content, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(options.Value.Scanner.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            using var socket = endPoint is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp);
            return await AskAsync(socket, endPoint, content, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Verdict.Failed("TIMEOUT");
        }
        catch (AlteredContentException)
        {
            return Verdict.Failed("ALTERED");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // A socket that is cancelled while it connects or writes may say so by an error of its own.
            return Verdict.Failed(patience.IsCancellationRequested ? "TIMEOUT" : "UNREACHABLE");
        }
    }

    /// <summary>What an answer says.</summary>
    /// <param name="answer">The line, without its end: "stream: OK", "stream: NAME FOUND", or anything else.</param>
    public static Verdict Read(string answer)
    {
        const string Begin = "stream: ";
        const string Found = " FOUND";
        if (answer == Begin + "OK")
        {
            return Verdict.Clean;
        }

        if (answer.StartsWith(Begin, StringComparison.Ordinal) && answer.EndsWith(Found, StringComparison.Ordinal) && answer.Length > Begin.Length + Found.Length)
        {
            // A name of the scanner's; of a rule that somebody wrote, perhaps anything.
            var name = string.Concat(answer[Begin.Length..^Found.Length].Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '/' or '+' or '-' ? c : '_'));
            return Verdict.Infected(name.Length > MaxFinding ? name[..MaxFinding] : name);
        }

        return Verdict.Failed(answer.Length == 0 ? "NO_ANSWER" : answer.Contains("size limit exceeded", StringComparison.OrdinalIgnoreCase) ? "SCANNER_SIZE_LIMIT" : "SCANNER_ERROR");
    }

    private static async Task<Verdict> AskAsync(Socket socket, EndPoint endPoint, IAsyncEnumerable<ReadOnlyMemory<byte>> content, CancellationToken ct)
    {
        await socket.ConnectAsync(endPoint, ct);
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        try
        {
            await stream.WriteAsync("zINSTREAM\0"u8.ToArray(), ct);
            var length = new byte[sizeof(int)];
            await foreach (var piece in content.WithCancellation(ct))
            {
                BinaryPrimitives.WriteInt32BigEndian(length, piece.Length);
                await stream.WriteAsync(length, ct);
                await stream.WriteAsync(piece, ct);
            }

            BinaryPrimitives.WriteInt32BigEndian(length, 0);
            await stream.WriteAsync(length, ct);
        }
        catch (IOException)
        {
            // It hung up in the middle; it may have said why first, such as its limit on sizes.
        }

        return Read(await AnswerAsync(stream, ct));
    }

    private static async Task<string> AnswerAsync(NetworkStream stream, CancellationToken ct)
    {
        var answer = new byte[MaxAnswer];
        var length = 0;
        for (int read; length < answer.Length && (read = await stream.ReadAsync(answer.AsMemory(length), ct)) > 0;)
        {
            length += read;
            var end = answer.AsSpan(0, length).IndexOf((byte)0);
            if (end >= 0)
            {
                return Encoding.UTF8.GetString(answer, 0, end).TrimEnd('\n');
            }
        }

        // An answer that was cut is none: the name of what was found may end in OK.
        return length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"cut after {length} bytes");
    }
}
