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
}
