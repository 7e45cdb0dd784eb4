using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Files;

/// <summary>The bytes of a file as the requests of a client bring them: inspected and handed on as they arrive, never held whole.</summary>
/// <param name="first">The first request, which announces the file.</param>
/// <param name="requests">Those after it.</param>
/// <param name="data">The bytes of a request; the field is named "data", those of the announcement "size_bytes" and "sha256".</param>
/// <typeparam name="TRequest">The request.</typeparam>
public sealed class UploadedFile<TRequest>(TRequest first, IAsyncStreamReader<TRequest> requests, Func<TRequest, ByteString> data)
    where TRequest : class
{
    private bool _isEnded;

    /// <summary>
    /// Hands the bytes on in chunks, and refuses a file that is not the announced one or in which the inspection finds something.
    /// </summary>
    /// <param name="sizeBytes">Announced length.</param>
    /// <param name="sha256">Announced SHA-256.</param>
    /// <param name="inspection">What the file must be.</param>
    /// <param name="store">Takes a chunk of <see cref="FileLimits.ChunkBytes"/>, the last one shorter, with its number from 0. The bytes are used again afterwards.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task ReadAsync(
        long sizeBytes, ReadOnlyMemory<byte> sha256, IFileInspection inspection, Func<int, ReadOnlyMemory<byte>, Task> store, TimeProvider clock, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(inspection);
        ArgumentNullException.ThrowIfNull(store);
        using var patience = new CancellationTokenSource(FileLimits.Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[FileLimits.ChunkBytes];
        var (filled, number, length) = (0, 0, 0L);
        try
        {
            var piece = data(first).Memory;
            do
            {
                length += piece.Length;
                Check(piece.Length, length);
                hash.AppendData(piece.Span);
                inspection.Append(piece.Span);
                while (!piece.IsEmpty)
                {
                    var count = Math.Min(piece.Length, buffer.Length - filled);
                    piece[..count].CopyTo(buffer.AsMemory(filled));
                    piece = piece[count..];
                    filled += count;
                    if (filled == buffer.Length)
                    {
                        await StoreAsync();
                    }
                }

                piece = await NextAsync(either.Token) ?? default;
            }
            while (!_isEnded);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw DomainError.LimitExceeded("a file must be there within 2 minutes", TimeSpan.FromSeconds(5));
        }

        if (filled > 0)
        {
            await StoreAsync();
        }

        var check = new FieldChecks();
        check.That(length == sizeBytes, "size_bytes", string.Create(CultureInfo.InvariantCulture, $"differs from the {length} bytes received"));
        check.That(hash.GetHashAndReset().AsSpan().SequenceEqual(sha256.Span), "sha256", "differs from that of the bytes received");
        foreach (var problem in check.Passed ? inspection.Finish() : [])
        {
            check.Add("data", problem);
        }

        check.ThrowIfAny();

        async Task StoreAsync()
        {
            await store(number, buffer.AsMemory(0, filled));
            (filled, number) = (0, number + 1);
        }
    }

    /// <summary>Reads what the client still sends after a repetition was answered: it need not know that nobody wanted it.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task DrainAsync(CancellationToken ct)
    {
        for (var length = (long)data(first).Length; await NextAsync(ct) is { } piece;)
        {
            Check(piece.Length, length += piece.Length);
        }
    }

    private static void Check(int piece, long length)
    {
        if (piece > FileLimits.MaxPiece)
        {
            throw DomainError.Invalid("data", "must have at most 1 MiB in one request");
        }

        if (length > FileLimits.MaxBytes)
        {
            throw DomainError.Invalid("data", "must have at most 10 MiB in all");
        }
    }

    private async Task<ReadOnlyMemory<byte>?> NextAsync(CancellationToken ct)
    {
        if (!_isEnded && await requests.MoveNext(ct))
        {
            return data(requests.Current).Memory;
        }

        _isEnded = true;
        return null;
    }
}
