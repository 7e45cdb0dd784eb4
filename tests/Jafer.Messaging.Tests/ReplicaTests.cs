using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class ReplicaTests(MessagingFixture fixture) : IClassFixture<MessagingFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TwoReplicas_PostingAndConsuming_KeepOneThreadInOrder()
    {
        await using var second = await fixture.StartReplicaAsync();
        var mesure = await fixture.OpenThreadAsync();
        var clients = new[] { fixture.Host, second }
            .Select(h => new MessagingService.MessagingServiceClient(h.Channel("espace", mesure.GestionnaireId))).ToArray();

        var posting = Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            await clients[i % 2].PostMessageAsync(Messages.Post(mesure, $"message {i}"), cancellationToken: Ct)));
        var steps = Enumerable.Range(0, 20).Select(_ => mesure.Contact("FAMILLE")).ToList();
        await fixture.PublishAsync(steps);
        await posting;
        await fixture.EntriesAsync(mesure, 61);

        var messages = await clients[1].AllMessagesAsync(mesure);
        Assert.Equal(Enumerable.Range(1, 61).Select(p => (long)p), messages.Select(m => m.Position));
        Assert.Equal(
            steps.Select(s => s.EventId.ToString()),
            messages.Where(m => m.EventType == "mesure.contact-recorded.v1").Select(m => m.MessageId));
        Assert.Equal(messages, await clients[0].AllMessagesAsync(mesure, 7));
    }

    [Fact]
    public async Task SecondReplica_WhenTheFirstStops_GoesOnConsuming()
    {
        var mesure = TestMesure.Create();
        await using (var first = await fixture.StartReplicaAsync())
        {
            await fixture.PublishAsync(mesure.Transmitted());
            await fixture.EntriesAsync(mesure, 1);
        }

        await fixture.PublishAsync(mesure.Acknowledged());

        Assert.Equal(["mesure.mesure-transmitted.v1", "mesure.mesure-acknowledged.v1"], await fixture.EntriesAsync(mesure, 2));
    }
}
