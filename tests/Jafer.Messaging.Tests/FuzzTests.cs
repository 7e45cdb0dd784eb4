using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class FuzzTests(MessagingFixture fixture)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task EveryRpc_WithRandomRequests_AnswersWithAStatusOfTheContract(int seed)
    {
        var mesure = await fixture.OpenThreadAsync();
        var posted = await fixture.Court(mesure).PostMessageAsync(Messages.Post(mesure, "un"), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Empty(await Fuzz.FaultsAsync(
            [fixture.Court(mesure), fixture.Espace(mesure), fixture.Client("espace", TestMesure.NewId())],
            MessagingService.Descriptor, seed, 80, [mesure.Id.ToString(), posted.MessageId]));

        var messages = await fixture.Court(mesure).AllMessagesAsync(mesure);
        Assert.Equal(Enumerable.Range(1, messages.Count).Select(p => (long)p), messages.Select(m => m.Position));
    }
}
