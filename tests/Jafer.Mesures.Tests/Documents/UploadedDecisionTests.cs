using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Documents;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>A client that takes too long must not keep a transaction open.</summary>
public sealed class UploadedDecisionTests
{
    [Fact]
    public async Task StoreAsync_AClientThatStops_IsGivenUpAfterTheLimit()
    {
        var clock = new TestClock(Samples.Now);
        var client = new Silent();
        var storing = new UploadedDecision(new AttachDecisionRequest { SizeBytes = 10 }, client).StoreAsync(null!, Guid.Empty, clock, TestContext.Current.CancellationToken);
        await client.Waiting;

        clock.Advance(UploadedDecision.Patience + TimeSpan.FromSeconds(1));

        var refusal = await Assert.ThrowsAsync<DomainError>(() => storing);
        Assert.Equal((StatusCode.ResourceExhausted, ErrorReason.LimitExceeded), (refusal.Code, refusal.Reason));
    }

    [Theory]
    [InlineData(1 << 20, "1 MiB in one request")]
    [InlineData(0, "10 MiB in all")]
    public async Task StoreAsync_MoreThanMayCome_IsRefusedBeforeTheEnd(int more, string expected)
    {
        var piece = new AttachDecisionRequest { Data = Google.Protobuf.ByteString.CopyFrom(new byte[more > 0 ? more + 1 : 1 << 20]) };
        var uploaded = new UploadedDecision(new AttachDecisionRequest { SizeBytes = 10 }, new Endless(piece));

        // Nothing asks for it: it is only read to its end, as after a repetition.
        var refusal = await Assert.ThrowsAsync<DomainError>(() => uploaded.DrainAsync(TestContext.Current.CancellationToken));

        Assert.Contains(expected, Assert.Single(refusal.Fields).Description, StringComparison.Ordinal);
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
