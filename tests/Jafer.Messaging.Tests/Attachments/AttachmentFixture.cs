using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>The messaging service with a scanner beside it; one for each test class.</summary>
public sealed class AttachmentFixture : IAsyncLifetime
{
    internal FakeClamd Clamd { get; } = new();

    /// <summary>Settings of this one's own; with an empty address of the scanner it looks at nothing.</summary>
    public IReadOnlyList<(string Key, string Value)> Own { get; init; } = [];

    public string Prefix { get; } = ServiceHost.UniquePrefix();

    public ServiceHost Host { get; private set; } = null!;

    public TestDatabase Database { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CloneAsync(MessagingModule.Name, async connection =>
        {
            await using var app = Build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(MessagingModule.Name, connection, "none")));
            await MessagingModule.MigrateAsync(app);
        });
        Host = await StartReplicaAsync();
    }

    /// <summary>A further replica on the same database and queue.</summary>
    /// <param name="more">Settings of its own.</param>
    public Task<ServiceHost> StartReplicaAsync(params IReadOnlyList<(string Key, string Value)> more)
    {
        var settings = Settings().ToDictionary();
        foreach (var (key, value) in Own.Concat(more))
        {
            settings[key] = value;
        }

        return ServiceHost.StartAsync(Build, ServiceHost.Settings(MessagingModule.Name, Database.ConnectionString, Prefix, settings));
    }

    /// <summary>Quick ones, so that nobody waits. A real clamd may take the place of ours for those tests that want a scanner that is well.</summary>
    public IReadOnlyDictionary<string, string?> Settings() => new Dictionary<string, string?>
    {
        ["Attachments:Scanner:Address"] = Environment.GetEnvironmentVariable("JAFER_TEST_CLAMD") ?? Clamd.Address,
        ["Attachments:Scanner:PollInterval"] = "00:00:00.100",
        ["Attachments:Scanner:FirstBackoff"] = "00:00:00.050",
        ["Attachments:Scanner:Timeout"] = "00:00:05",
        ["Attachments:Scanner:Lease"] = "00:00:06",
        ["Attachments:MaxUploadsPerOrganisation"] = "16",
    };

    public AttachmentService.AttachmentServiceClient Court(TestMesure mesure, ServiceHost? host = null) => new((host ?? Host).Channel(Roles.Juridiction, mesure.JuridictionId));

    public AttachmentService.AttachmentServiceClient Espace(TestMesure mesure, ServiceHost? host = null) => new((host ?? Host).Channel(Roles.Espace, mesure.GestionnaireId));

    public AttachmentService.AttachmentServiceClient Scanner(ServiceHost? host = null) => new((host ?? Host).Channel(Roles.Systeme, TestMesure.NewId()));

    /// <summary>A transmitted mesure whose thread stands.</summary>
    public async Task<TestMesure> OpenThreadAsync()
    {
        var mesure = TestMesure.Create();
        await Host.PublishAsync<MessagingDbContext>(mesure.Transmitted());
        await Eventually.BecomesAsync(() => Database.ReadAsync<long>($"select count(*) from messages where thread_id = '{mesure.Id}'"), n => n == 1, "the thread to open");
        return mesure;
    }

    public static Task<Attachment> BecomesAsync(AttachmentService.AttachmentServiceClient client, string id, AttachmentState state) => Eventually.BecomesAsync(
        async () => (await client.GetAttachmentAsync(new() { AttachmentId = id }, cancellationToken: Ct)).Attachment, a => a.State == state, $"a file in state {state}");

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
        await Clamd.DisposeAsync();
    }

    internal static WebApplication Build(Action<WebApplicationBuilder> configure) => MessagingModule.Build([], configure);
}

/// <summary>Uploads and downloads as a careful client makes them.</summary>
internal static class Transfers
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static UploadAttachmentRequest Header(TestMesure mesure, byte[] file, string name = "rapport.pdf") => new()
    {
        MesureId = mesure.Id.ToString(),
        FileName = name,
        SizeBytes = file.Length,
        Sha256 = ByteString.CopyFrom(SHA256.HashData(file)),
        RequestId = TestMesure.NewId().ToString(),
    };

    public static Task<Attachment> UploadAsync(this AttachmentService.AttachmentServiceClient client, TestMesure mesure, byte[] file, string name = "rapport.pdf") =>
        client.UploadAsync(Header(mesure, file, name), file);

    public static async Task<Attachment> UploadAsync(this AttachmentService.AttachmentServiceClient client, UploadAttachmentRequest header, byte[] file, int piece = 200_000)
    {
        using var call = client.UploadAttachment(cancellationToken: Ct);
        try
        {
            await call.RequestStream.WriteAsync(header, Ct);
            for (var at = 0; at < file.Length; at += piece)
            {
                await call.RequestStream.WriteAsync(new() { Data = ByteString.CopyFrom(file.AsSpan(at, Math.Min(piece, file.Length - at))) }, Ct);
            }

            await call.RequestStream.CompleteAsync();
        }
#pragma warning disable RS0030 // What a client catches.
        catch (Exception e) when (e is InvalidOperationException or RpcException)
#pragma warning restore RS0030
        {
            // Refused while it was sent: the answer tells why.
        }

        return (await call).Attachment;
    }

    public static async Task<(Attachment Attachment, byte[] Bytes)> DownloadAsync(this AttachmentService.AttachmentServiceClient client, string id, long offset = 0, List<byte>? received = null)
    {
        using var call = client.GetAttachmentContent(new() { AttachmentId = id, Offset = offset }, cancellationToken: Ct);
        Attachment? attachment = null;
        received ??= [];
        await foreach (var response in call.ResponseStream.ReadAllAsync(Ct))
        {
            attachment ??= response.Attachment;
            received.AddRange(response.Data.Span);
        }

        return (attachment!, [.. received]);
    }
}
