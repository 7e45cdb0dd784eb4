using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.ServiceDefaults.Tests.Clients;

#pragma warning disable RS0030 // What a client catches.

public sealed class NoAnswerTests
{
    [Theory]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.Internal)]
    public async Task OrNoAnswer_BrokenOffByTheOtherSide_IsNull(StatusCode code) =>
        Assert.Null(await Call(code).OrNoAnswerAsync(CancellationToken.None));

    [Fact]
    public async Task OrNoAnswer_CancelledByOurToken_IsACancellation() =>
        await Assert.ThrowsAsync<OperationCanceledException>(() => Call(StatusCode.Cancelled).OrNoAnswerAsync(new CancellationToken(canceled: true)));

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.PermissionDenied)]
    public async Task OrNoAnswer_Refusal_IsThrown(StatusCode code) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(() => Call(code).OrNoAnswerAsync(CancellationToken.None))).StatusCode);

    private static AsyncUnaryCall<FailResponse> Call(StatusCode code)
    {
        var status = new Status(code, "");
        return new(Task.FromException<FailResponse>(new RpcException(status)), Task.FromResult<Metadata>([]), () => status, () => [], () => { });
    }
}
