using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Jafer.Probe;

namespace Jafer.ServiceDefaults.Tests.Data;

/// <summary>What --migrate does before it builds a service.</summary>
public sealed class MigrateTests
{
    private const int SslRequest = 80877103;
    private const byte Handshake = 22;

    [Fact]
    public async Task IsDone_OfADatabaseThatWantsTls_BeginsIt()
    {
        var ct = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var asking = Record.ExceptionAsync(() => JaferService.IsDoneAsync<ProbeDbContext>(
            ["--migrate", $"--ConnectionStrings:{ProbeApp.Name}=Host=127.0.0.1;Port={port};Username=jafer;Password=jafer;SSL Mode=Require"], ProbeApp.Name)).AsTask();

        var connecting = listener.AcceptTcpClientAsync(ct).AsTask();
        Assert.True(await Task.WhenAny(connecting, asking) == connecting, $"{(asking.IsCompleted ? await asking : null)}");
        var said = new byte[8];
        using (var client = await connecting)
        {
            await using var stream = client.GetStream();
            await stream.ReadExactlyAsync(said, ct);
            Assert.Equal(SslRequest, BinaryPrimitives.ReadInt32BigEndian(said.AsSpan(4)));
            await stream.WriteAsync("S"u8.ToArray(), ct);
            Assert.Equal(1, await stream.ReadAsync(said.AsMemory(0, 1), ct));
        }

        Assert.Equal(Handshake, said[0]);
        Assert.NotNull(await asking);
    }
}
