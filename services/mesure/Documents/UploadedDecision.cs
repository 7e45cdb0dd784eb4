using System.Globalization;
using System.Security.Cryptography;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Documents;

/// <summary>The bytes of a decision's file as the requests bring them: stored and inspected as they arrive, never held whole.</summary>
/// <param name="first">The first request, which announces the file.</param>
/// <param name="requests">Those after it.</param>
internal sealed class UploadedDecision(AttachDecisionRequest first, IAsyncStreamReader<AttachDecisionRequest> requests)
{
    /// <summary>How long the bytes may take: a transaction is open meanwhile.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const int MaxPiece = 1 << 20;

    private bool _isEnded;

    /// <summary>
    /// Stores the bytes in chunks, in the transaction that is open, and refuses a file that is not the announced one or not a
    /// PDF as <see cref="PdfInspection"/> wants it.
    /// </summary>
    /// <param name="db">Database.</param>
    /// <param name="documentId">The file.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task StoreAsync(MesuresDbContext db, Guid documentId, TimeProvider clock, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var inspection = new PdfInspection();
        var buffer = new byte[DecisionDocumentChunk.MaxBytes];
        var (filled, number, length) = (0, 0, 0L);
        try
        {
            var piece = first.Data.Memory;
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
                        await StoreChunkAsync(buffer);
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
            await StoreChunkAsync(buffer[..filled]);
        }

        var check = new FieldChecks();
        check.That(length == first.SizeBytes, "size_bytes", string.Create(CultureInfo.InvariantCulture, $"differs from the {length} bytes received"));
        check.That(hash.GetHashAndReset().AsSpan().SequenceEqual(first.Sha256.Span), "sha256", "differs from that of the bytes received");
        foreach (var problem in check.Passed ? inspection.Finish() : [])
        {
            check.Add("data", problem);
        }

        check.ThrowIfAny();

        async Task StoreChunkAsync(byte[] data)
        {
            await db.Database.ExecuteSqlAsync($"insert into decision_document_chunks (document_id, number, data) values ({documentId}, {number}, {data})", ct);
            (filled, number) = (0, number + 1);
        }
    }

    /// <summary>Reads what the client still sends after a repetition was answered: it need not know that nobody wanted it.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task DrainAsync(CancellationToken ct)
    {
        for (var length = (long)first.Data.Length; await NextAsync(ct) is { } piece;)
        {
            Check(piece.Length, length += piece.Length);
        }
    }

    private static void Check(int piece, long length)
    {
        if (piece > MaxPiece)
        {
            throw DomainError.Invalid("data", "must have at most 1 MiB in one request");
        }

        if (length > PdfInspection.MaxBytes)
        {
            throw DomainError.Invalid("data", "must have at most 10 MiB in all");
        }
    }

    private async Task<ReadOnlyMemory<byte>?> NextAsync(CancellationToken ct)
    {
        if (!_isEnded && await requests.MoveNext(ct))
        {
            return requests.Current.Data.Memory;
        }

        _isEnded = true;
        return null;
    }
}
