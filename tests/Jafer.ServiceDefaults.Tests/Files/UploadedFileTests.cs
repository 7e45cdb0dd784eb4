using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Files;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;

namespace Jafer.ServiceDefaults.Tests.Files;

/// <summary>How a file's bytes are taken: however they are cut, and whoever stops in the middle.</summary>
public sealed class UploadedFileTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 28, 9, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void ReadAsync_HoweverThePiecesAreCut_HandsOnTheSameBytesInWholeChunks() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), ArbMap.Default.ArbFor<int>(), (lengths, seed) =>
        {
            var pieces = lengths.Select(l => (int)(Math.Abs((long)l) * 9973 % 700_000)).Select(length =>
            {
                var bytes = new byte[length];
                new Random(seed + length).NextBytes(bytes);
                return bytes;
            }).Take(12).ToList();
            var whole = pieces.SelectMany(p => p).ToArray();
            var chunks = new List<byte[]>();
            var seen = new Nothing();

            Of([.. pieces]).ReadAsync(
                whole.Length, SHA256.HashData(whole), seen,
                (number, chunk) =>
                {
                    Assert.Equal(chunks.Count, number);
                    chunks.Add(chunk.ToArray());
                    return Task.CompletedTask;
                },
                TimeProvider.System, Ct).GetAwaiter().GetResult();

            Assert.True(whole.AsSpan().SequenceEqual(chunks.SelectMany(c => c).ToArray()));
            Assert.Equal(whole.Length, seen.Length);
            Assert.All(chunks.SkipLast(1), c => Assert.Equal(FileLimits.ChunkBytes, c.Length));
            Assert.All(chunks, c => Assert.InRange(c.Length, 1, FileLimits.ChunkBytes));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    [Fact]
    public async Task ReadAsync_AnotherFileThanAnnounced_IsRefusedAtTheFieldConcerned()
    {
        byte[] bytes = [1, 2, 3];

        var shorter = await Assert.ThrowsAsync<DomainError>(() => ReadAsync(Of(bytes), 4, SHA256.HashData(bytes)));
        var other = await Assert.ThrowsAsync<DomainError>(() => ReadAsync(Of(bytes), 3, SHA256.HashData([1, 2, 4])));

        Assert.Equal(["size_bytes"], shorter.Fields.Select(f => f.Field));
        Assert.Equal(["sha256"], other.Fields.Select(f => f.Field));
    }

    [Fact]
    public async Task ReadAsync_AClientThatStops_IsGivenUpAfterTheLimit()
    {
        var clock = new TestClock(s_now);
        var client = new Silent();
        var reading = ReadAsync(new UploadedFile<AttachDecisionRequest>(new AttachDecisionRequest(), client, r => r.Data), 10, new byte[32], clock);
        await client.Waiting;

        clock.Advance(FileLimits.Patience + TimeSpan.FromSeconds(1));

        var refusal = await Assert.ThrowsAsync<DomainError>(() => reading);
        Assert.Equal((StatusCode.ResourceExhausted, ErrorReason.LimitExceeded), (refusal.Code, refusal.Reason));
    }

    [Theory]
    [InlineData(1 << 20, "1 MiB in one request")]
    [InlineData(0, "10 MiB in all")]
    public async Task DrainAsync_MoreThanMayCome_IsRefusedBeforeTheEnd(int more, string expected)
    {
        var piece = new AttachDecisionRequest { Data = ByteString.CopyFrom(new byte[more > 0 ? more + 1 : 1 << 20]) };
        var uploaded = new UploadedFile<AttachDecisionRequest>(new AttachDecisionRequest(), new Endless(piece), r => r.Data);

        // Nothing asks for it: it is only read to its end, as after a repetition.
        var refusal = await Assert.ThrowsAsync<DomainError>(() => uploaded.DrainAsync(Ct));

        Assert.Contains(expected, Assert.Single(refusal.Fields).Description, StringComparison.Ordinal);
    }

    private static Task ReadAsync(UploadedFile<AttachDecisionRequest> file, long length, byte[] sha256, TimeProvider? clock = null) =>
        file.ReadAsync(length, sha256, new Nothing(), (_, _) => Task.CompletedTask, clock ?? TimeProvider.System, Ct);

    private static UploadedFile<AttachDecisionRequest> Of(params byte[][] pieces) => new(
        new AttachDecisionRequest { Data = UnsafeByteOperations.UnsafeWrap(pieces.FirstOrDefault() ?? []) }, new Pieces(pieces.Skip(1)), r => r.Data);

    private sealed class Nothing : IFileInspection
    {
        public long Length { get; private set; }

        public void Append(ReadOnlySpan<byte> bytes) => Length += bytes.Length;

        public IReadOnlyList<string> Finish() => [];
    }

    private sealed class Pieces(IEnumerable<byte[]> pieces) : IAsyncStreamReader<AttachDecisionRequest>
    {
        private readonly Queue<byte[]> _left = new(pieces);

        public AttachDecisionRequest Current { get; private set; } = new();

        public Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var found = _left.TryDequeue(out var piece);
            Current = new AttachDecisionRequest { Data = UnsafeByteOperations.UnsafeWrap(piece ?? []) };
            return Task.FromResult(found);
        }
    }

    private sealed class Silent : IAsyncStreamReader<AttachDecisionRequest>
    {
        private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Waiting => _waiting.Task;

        public AttachDecisionRequest Current => throw new InvalidOperationException();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var never = new TaskCompletionSource<bool>();
            using var _ = cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
            _waiting.TrySetResult();
            return await never.Task;
        }
    }

    private sealed class Endless(AttachDecisionRequest piece) : IAsyncStreamReader<AttachDecisionRequest>
    {
        public AttachDecisionRequest Current => piece;

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
