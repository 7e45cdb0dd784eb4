using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

public sealed class FuzzTests(NotificationsFixture fixture)
{
    [Fact]
    public async Task EveryRpc_WithRandomRequests_AnswersWithAStatusOfTheContract()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Closed());
        var client = fixture.Espace(mesure);
        string[] known = [await client.EndAsync(), "mesure.mesure-closed.v1"];

        Assert.Empty(await Fuzz.FaultsAsync([client, fixture.Court(mesure)], NotificationService.Descriptor, 1, 150, known));
        Assert.Empty(await Fuzz.FaultsAsync(
            [new NoticeService.NoticeServiceClient(fixture.Host.Channel("espace", mesure.GestionnaireId)), new NoticeService.NoticeServiceClient(fixture.Host.Channel("juridiction", mesure.JuridictionId))],
            NoticeService.Descriptor, 1, 150, [mesure.Id.ToString(), "mesure.mesure-closed.v1"]));

        var random = new Random(1);
        for (var i = 0; i < 60; i++)
        {
            using var watch = client.WatchEvents((WatchEventsRequest)Fuzz.Message(WatchEventsRequest.Descriptor, random, known));
            await watch.ResponseHeadersAsync;
            var code = watch.StatusIfEnded() ?? StatusCode.OK;
            Assert.True(code is StatusCode.OK or StatusCode.InvalidArgument, $"round {i}: {code}");
        }
    }
}

file static class Ended
{
    /// <summary>The status of a stream that was refused at once; null while it runs.</summary>
    public static StatusCode? StatusIfEnded(this AsyncServerStreamingCall<WatchEventsResponse> call)
    {
        try
        {
            return call.GetStatus().StatusCode;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
