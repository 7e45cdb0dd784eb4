using System.IO.Compression;
using System.Net;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Limits;
using Jafer.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StatusCode = Grpc.Core.StatusCode;

namespace Jafer.ServiceDefaults.Tests.Limits;

#pragma warning disable RS0030 // What a client catches.

/// <summary>What is sent to hurt is refused or cut off, and others are answered meanwhile.</summary>
public sealed class FloodTests(FloodTests.Server server) : IClassFixture<FloodTests.Server>
{
    private const string Fail = "/jafer.probe.v1.ProbeService/Fail";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Token { get; } = TestIssuer.Shared.Token("juridiction", Organisations.Court);

    private ServiceHost Host => server.Host;

    /// <summary>A probe with tight limits, and somebody else who calls it.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private TestDatabase? _database;

        public ServiceHost Host { get; private set; } = null!;

        public ProbeService.ProbeServiceClient Other { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _database = await ProbeHost.CloneAsync();
            var limits = new Dictionary<string, string?> { ["Limits:StreamIdle"] = "00:00:00.5", ["Limits:AddressConnections"] = "20" };
            Host = await ProbeHost.StartPublisherAsync(_database, ServiceHost.UniquePrefix(), limits, builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                // As Kestrel sets it, but sooner.
                kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.5));
                kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.5));
            }));
            Other = new(Host.Channel("juridiction", Organisations.New()));
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await _database!.DisposeAsync();
        }
    }

    [Fact]
    public async Task Message_LargerThanOneMayBe_IsRefusedWithDetails()
    {
        var client = new ProbeService.ProbeServiceClient(Host.Channel(Token));

        var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok", Marker = new string('x', 5 * 1024 * 1024) }, cancellationToken: Ct));

        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), (refusal.Code, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
    }

    [Fact]
    public async Task Message_ThatUnpacksToMoreThanOneMayHave_IsRefusedBeforeItIsUnpacked()
    {
        using var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < 100; i++)
            {
                await gzip.WriteAsync(zeros, Ct);
            }
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostAsync(bomb.ToArray(), compressed: true)));
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.All(answers, a => Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), a));
        Assert.InRange(allocated, 0, 200L * 1024 * 1024);
    }

    [Fact]
    public async Task Message_CompressedWithinTheLimit_IsTaken()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            await gzip.WriteAsync(new FailRequest { Kind = "ok", Marker = new string('x', 1024 * 1024) }.ToByteArray(), Ct);
        }

        Assert.Equal(StatusCode.OK, (await PostAsync(packed.ToArray(), compressed: true)).Code);
    }

    [Fact]
    public async Task Message_CompressedByNothingKnown_IsRefusedAsMalformed() =>
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), await PostAsync([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], compressed: true));

    [Fact]
    public async Task Message_NestedTooDeeply_IsRefusedAsMalformed()
    {
        // Groups within groups, of a number that nobody knows.
        var nested = Enumerable.Range(0, 100_000).SelectMany(_ => new byte[] { 0xA3, 0x06 }).ToArray();

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), await PostAsync(nested));
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE })]
    [InlineData(new byte[] { 0xC0, 0xAF })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xE2, 0x82 })]
    public async Task Message_WithTextThatIsNoUtf8_IsRefusedAsMalformed(byte[] text) =>
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), await PostAsync([0x12, (byte)text.Length, .. text, 0x0A, 2, (byte)'o', (byte)'k']));

    [Theory]
    [InlineData(2000, 8)]
    [InlineData(3, 15_000)]
    public async Task Headers_TooManyOrTooLong_AreRefusedAndOthersGoOn(int count, int length)
    {
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        var block = new List<byte>(RawHttp2.Block(Fail, Token));
        for (var i = 0; i < count; i++)
        {
            RawHttp2.Add(block, "x-" + i, new string('x', length));
        }

        var parts = block.Chunk(16_000).ToList();
        for (var i = 0; i < parts.Count; i++)
        {
            var last = (byte)(i == parts.Count - 1 ? 4 : 0);
            if (!await client.TrySendAsync(RawHttp2.Frame(i == 0 ? RawHttp2.Headers : RawHttp2.Continuation, last, 1, parts[i]), Ct))
            {
                break;
            }
        }

        await AssertCutAsync(client);
        await AssertOthersGoOnAsync();
    }

    [Fact]
    public async Task Headers_ContinuedWithoutEnd_AreCutOff()
    {
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        await client.SendAsync(RawHttp2.Frame(RawHttp2.Headers, 0, 1, RawHttp2.Block(Fail, Token)), Ct);
        var more = new List<byte>();
        RawHttp2.Add(more, "x-more", new string('x', 1000));
        var frame = RawHttp2.Frame(RawHttp2.Continuation, 0, 1, [.. more]);
        for (var i = 0; i < 1000 && await client.TrySendAsync(frame, Ct); i++)
        {
            // Until it is enough.
        }

        await AssertCutAsync(client);
        await AssertOthersGoOnAsync();
    }

    [Fact]
    public async Task Streams_OpenedAndCancelledAtOnce_EndTheirConnectionAlone()
    {
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        var block = RawHttp2.Block(Fail, Token);
        for (var stream = 1; stream < 20_000; stream += 2)
        {
            if (!await client.TrySendAsync((byte[])[.. RawHttp2.Frame(RawHttp2.Headers, 4, stream, block), .. RawHttp2.Frame(RawHttp2.ResetStream, 0, stream, [0, 0, 0, 8])], Ct))
            {
                break;
            }
        }

        await AssertCutAsync(client);
        await AssertOthersGoOnAsync();
    }

    [Fact]
    public async Task Pings_WithoutEndAndUnread_LeaveOthersAlone()
    {
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        var pings = Enumerable.Range(0, 500).SelectMany(_ => RawHttp2.Frame(RawHttp2.Ping, 0, 0, new byte[8])).ToArray();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var flood = Task.Run(
            async () =>
            {
                try
                {
                    while (await client.TrySendAsync(pings, stop.Token))
                    {
                        // Until the test is over, the server takes no more, or ends it.
                    }
                }
                catch (OperationCanceledException)
                {
                    // Over.
                }
            },
            Ct);

        for (var i = 0; i < 20; i++)
        {
            await AssertOthersGoOnAsync();
        }

        await stop.CancelAsync();
        await flood;
    }

    [Fact]
    public async Task Streams_MoreThanAConnectionMayHave_AreRefusedOneByOne()
    {
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        var block = RawHttp2.Block(Fail, Token);
        for (var i = 0; i < 120; i++)
        {
            // Begun, never ended.
            await client.SendAsync(RawHttp2.Frame(RawHttp2.Headers, 4, (2 * i) + 1, block), Ct);
        }

        var refused = 0;
        while (refused < 20 && await client.ReadAsync(Ct) is { } frame)
        {
            refused += frame is { Type: RawHttp2.ResetStream, Code: 7 } ? 1 : 0;
        }

        Assert.Equal(20, refused);
        await AssertOthersGoOnAsync();
    }

    [Fact]
    public async Task Message_ThatComesTooSlowly_IsCutOff()
    {
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        await client.SendAsync(RawHttp2.Frame(RawHttp2.Headers, 4, 1, RawHttp2.Block(Fail, Token)), Ct);
        // The head of a message of 1,000 bytes, and the first of them.
        await client.SendAsync(RawHttp2.Frame(RawHttp2.Data, 0, 1, [0, 0, 0, 3, 232, 1]), Ct);

        await AssertCutAsync(client);
        await AssertOthersGoOnAsync();
    }

    [Theory]
    [InlineData(Fail, 100)]
    [InlineData("/jafer.probe.v1.ProbeService/WatchNotes", 100)]
    public async Task Answers_ThatNobodyTakes_AreCutOffAndGiveTheirPlacesBack(string rpc, int count)
    {
        // A caller of their own: all their calls at once, each answered by nothing that the client would take.
        var token = TestIssuer.Shared.Token("juridiction", Organisations.New());
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct, window: 0);
        var block = RawHttp2.Block(rpc, token);
        byte[] ok = rpc == Fail ? [0, 0, 0, 0, 4, 0x0A, 2, (byte)'o', (byte)'k'] : [0, 0, 0, 0, 0];
        for (var i = 0; i < count; i++)
        {
            var stream = (2 * i) + 1;
            await client.SendAsync((byte[])[.. RawHttp2.Frame(RawHttp2.Headers, 4, stream, block), .. RawHttp2.Frame(RawHttp2.Data, 1, stream, ok)], Ct);
        }

        await AssertCutAsync(client);
        await AssertOthersGoOnAsync();
        var places = Host.App.Services.GetRequiredService<CallLimits>();
        await Eventually.BecomesAsync(() => Task.FromResult(places.Running), running => running == 0, "the places of the calls");
    }

    [Fact]
    public async Task Stream_OfWhichNoMessageComes_EndsWithADelay()
    {
        var reflection = new Jafer.ServiceDefaults.Grpc.Reflection.V1.ServerReflection.ServerReflectionClient(Host.Channel((string?)null));
        using var call = reflection.ServerReflectionInfo(cancellationToken: Ct);

        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Ct));

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.NotNull(error.Trailers.GetValueBytes(RpcErrors.DetailsTrailer));
    }

    [Fact]
    public async Task Streams_OfWhichNoMessageComes_LeaveTheNextCallsOfTheirConnectionAlone()
    {
        const int idle = 10, calls = 20;
        using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct);
        for (var i = 0; i < idle; i++)
        {
            await client.SendAsync(RawHttp2.Frame(RawHttp2.Headers, 4, (2 * i) + 1, RawHttp2.Block("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")), Ct);
        }

        for (var ended = 0; ended < idle;)
        {
            ended += (await client.ReadFrameAsync(Ct))!.Value.Type == RawHttp2.ResetStream ? 1 : 0;
        }

        // Ended by the client too: what the server kept of them it uses for the calls that come next, some at once so that none is left out.
        for (var i = 0; i < idle; i++)
        {
            await client.SendAsync(RawHttp2.Frame(RawHttp2.ResetStream, 0, (2 * i) + 1, [0, 0, 0, 8]), Ct);
        }

        var block = RawHttp2.Block(Fail, Token);
        var stream = (2 * idle) + 1;
        for (var round = 0; round < 3; round++)
        {
            await client.SendAsync(RawHttp2.Frame(RawHttp2.Ping, 0, 0, new byte[8]), Ct);
            while ((await client.ReadFrameAsync(Ct))!.Value.Type != RawHttp2.Ping)
            {
                // Until the server has read so far.
            }

            var questions = Enumerable.Range(0, calls).SelectMany(i => (byte[])
            [
                .. RawHttp2.Frame(RawHttp2.Headers, 4, stream + (2 * i), block), .. RawHttp2.Frame(RawHttp2.Data, 1, stream + (2 * i), [0, 0, 0, 0, 4, 0x0A, 2, (byte)'o', (byte)'k']),
            ]);
            await client.SendAsync(questions.ToArray(), Ct);
            stream += 2 * calls;
            var (answered, ended) = (0, 0);
            while (ended < calls)
            {
                // A refusal has no message, only headers.
                var frame = (await client.ReadFrameAsync(Ct))!.Value;
                answered += frame.Type == RawHttp2.Data ? 1 : 0;
                ended += frame.Type == RawHttp2.Headers && (frame.Flags & 1) == 1 ? 1 : 0;
            }

            Assert.Equal(calls, answered);
        }
    }

    [Fact]
    public async Task Connections_MoreThanAnAddressMayHave_AreClosedAndOtherAddressesGoOn()
    {
        var open = new List<RawHttp2>();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                open.Add(await RawHttp2.ConnectAsync(Host.Grpc, Ct, "127.0.0.9"));
                Assert.Equal(RawHttp2.Settings, (await open[^1].ReadAsync(Ct))!.Value.Type);
            }

            Assert.False(await AnswersAsync("127.0.0.9"));
            Assert.True(await AnswersAsync("127.0.0.10"));
            await AssertOthersGoOnAsync();

            open[0].Dispose();
            await Eventually.BecomesAsync(() => AnswersAsync("127.0.0.9"), answers => answers, "a connection in the place of one that ended");
        }
        finally
        {
            open.ForEach(c => c.Dispose());
        }
    }

    /// <summary>Whether a further connection of an address is greeted.</summary>
    private async Task<bool> AnswersAsync(string from)
    {
        try
        {
            using var client = await RawHttp2.ConnectAsync(Host.Grpc, Ct, from);
            return await client.ReadAsync(Ct) is not null;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private static async Task AssertCutAsync(RawHttp2 client)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(Eventually.Limit);
        // A refused stream ends with a reset, a refused connection with its end.
        try
        {
            while (await client.ReadAsync(limit.Token) is { } frame && frame.Type is not (RawHttp2.ResetStream or RawHttp2.GoAway))
            {
                Assert.NotEqual(RawHttp2.Data, frame.Type);
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // Cut off at once.
        }
    }

    private async Task AssertOthersGoOnAsync() => await server.Other.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);

    private async Task<(StatusCode Code, string? Reason)> PostAsync(byte[] message, bool compressed = false)
    {
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        byte[] length = [(byte)(message.Length >> 24), (byte)(message.Length >> 16), (byte)(message.Length >> 8), (byte)message.Length];
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Host.Grpc, Fail))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([(byte)(compressed ? 1 : 0), .. length, .. message]) { Headers = { ContentType = new("application/grpc") } },
        };
        request.Headers.TE.Add(new("trailers"));
        request.Headers.Authorization = new("Bearer", Token);
        if (compressed)
        {
            request.Headers.Add("grpc-encoding", "gzip");
        }

        using var response = await http.SendAsync(request, Ct);
        await response.Content.ReadAsByteArrayAsync(Ct);
        string? Header(string name) => (response.Headers.TryGetValues(name, out var values) || response.TrailingHeaders.TryGetValues(name, out values)) ? values.First() : null;
        var details = Header(RpcErrors.DetailsTrailer) is { } encoded ? Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(encoded)).Details : null;
        return (Enum.Parse<StatusCode>(Header("grpc-status")!), details?.First(d => d.Is(ErrorInfo.Descriptor)).Unpack<ErrorInfo>().Type);
    }
}
