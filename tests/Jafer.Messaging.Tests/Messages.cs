using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

/// <summary>Requests as a careful client sends them.</summary>
internal static class Messages
{
    public static PostMessageRequest Post(TestMesure mesure, string body) =>
        new() { MesureId = mesure.Id.ToString(), Body = body, RequestId = TestMesure.NewId().ToString() };

    public static MarkThreadReadRequest Read(TestMesure mesure, string messageId) =>
        new() { MesureId = mesure.Id.ToString(), MessageId = messageId, RequestId = TestMesure.NewId().ToString() };

    public static async Task<List<Message>> AllMessagesAsync(this MessagingService.MessagingServiceClient client, TestMesure mesure, int pageSize = 0)
    {
        var all = new List<Message>();
        var token = "";
        do
        {
            var page = await client.ListMessagesAsync(
                new ListMessagesRequest { MesureId = mesure.Id.ToString(), PageSize = pageSize, PageToken = token }, cancellationToken: TestContext.Current.CancellationToken);
            all.AddRange(page.Messages);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return all;
    }

    public static async Task<Jafer.Contracts.Messaging.V1.Thread> ThreadAsync(this MessagingService.MessagingServiceClient client, TestMesure mesure) =>
        (await client.GetThreadAsync(new GetThreadRequest { MesureId = mesure.Id.ToString() }, cancellationToken: TestContext.Current.CancellationToken)).Thread;

    public static PostMessageRequest PostToEspace(Guid espaceId, string body) =>
        new() { EspaceId = espaceId.ToString(), Body = body, RequestId = TestMesure.NewId().ToString() };

    public static AcknowledgeMessageRequest Acknowledge(TestMesure mesure, string messageId) =>
        new() { MesureId = mesure.Id.ToString(), MessageId = messageId, RequestId = TestMesure.NewId().ToString() };

    public static WithdrawQuestionRequest Withdraw(TestMesure mesure, string messageId) =>
        new() { MesureId = mesure.Id.ToString(), MessageId = messageId, RequestId = TestMesure.NewId().ToString() };

    public static AssignParticipantRequest Assign(TestMesure mesure, string contactId, ParticipantRole role = ParticipantRole.Responsable) =>
        new() { MesureId = mesure.Id.ToString(), ContactId = contactId, Role = role, RequestId = TestMesure.NewId().ToString() };

    public static RemoveParticipantRequest Remove(TestMesure mesure, string contactId) =>
        new() { MesureId = mesure.Id.ToString(), ContactId = contactId, RequestId = TestMesure.NewId().ToString() };

    public static HandOverMessagesRequest HandOver(TestMesure from, TestMesure to, params string[] messageIds) =>
        new() { FromMesureId = from.Id.ToString(), ToMesureId = to.Id.ToString(), MessageIds = { messageIds }, RequestId = TestMesure.NewId().ToString() };

    public static async Task<PostMessageResponse> SayAsync(
        this MessagingService.MessagingServiceClient client, TestMesure mesure, string body, Action<PostMessageRequest>? change = null)
    {
        var request = Post(mesure, body);
        change?.Invoke(request);
        return await client.PostMessageAsync(request, cancellationToken: TestContext.Current.CancellationToken);
    }

    /// <summary>A thread as a file, whole as its description says.</summary>
    public static async Task<byte[]> ExportAsync(this MessagingService.MessagingServiceClient client, TestMesure mesure, ExportFormat format)
    {
        using var call = client.GetThreadExport(
            new GetThreadExportRequest { MesureId = mesure.Id.ToString(), Format = format }, cancellationToken: TestContext.Current.CancellationToken);
        await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
        var file = call.ResponseStream.Current.File;
        var bytes = new List<byte>();
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            bytes.AddRange(call.ResponseStream.Current.Data.Span);
        }

        Assert.Equal(file.SizeBytes, bytes.Count);
        Assert.Equal(file.Sha256.ToByteArray(), System.Security.Cryptography.SHA256.HashData([.. bytes]));
        return [.. bytes];
    }

    public static async Task<Jafer.Contracts.Threads.ThreadExport> FileAsync(this MessagingService.MessagingServiceClient client, TestMesure mesure) =>
        System.Text.Json.JsonSerializer.Deserialize<Jafer.Contracts.Threads.ThreadExport>(
            await client.ExportAsync(mesure, ExportFormat.Json), Jafer.Contracts.Threads.ThreadChain.Json)!;
}
