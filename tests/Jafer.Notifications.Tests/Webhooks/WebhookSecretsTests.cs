using Jafer.Notifications.Webhooks;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Jafer.Notifications.Tests.Webhooks;

public sealed class WebhookSecretsTests
{
    private const string Key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string OtherKey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    private static readonly Guid s_endpoint = TestMesure.NewId();

    [Fact]
    public void New_WithAKey_OpensForItsEndpointAndByThatKeyAlone()
    {
        foreach (var setting in new[] { "PageTokens:Key", "Webhooks:Key" })
        {
            var kept = Secrets((setting, Key)).New(s_endpoint);

            Assert.StartsWith("whsec_", Secrets((setting, Key)).TryOpen(s_endpoint, kept), StringComparison.Ordinal);
            Assert.NotEqual(kept, Secrets((setting, Key)).New(s_endpoint));
            Assert.Null(Secrets((setting, Key)).TryOpen(TestMesure.NewId(), kept));
            Assert.Null(Secrets((setting, OtherKey)).TryOpen(s_endpoint, kept));
            Assert.Null(Secrets().TryOpen(s_endpoint, kept));
        }

        // A key of its own goes before the derived one, and the derived one is not the other's.
        Assert.Null(Secrets(("PageTokens:Key", Key)).TryOpen(s_endpoint, Secrets(("Webhooks:Key", Key), ("PageTokens:Key", Key)).New(s_endpoint)));
    }

    [Fact]
    public void New_WithoutAKey_IsRefused() => Assert.Equal("STATE_FORBIDS", Assert.Throws<DomainError>(() => Secrets().New(s_endpoint)).Reason.ToCode());

    [Fact]
    public void Key_OfAnotherLength_IsRefused() => Assert.Throws<InvalidOperationException>(() => Secrets(("Webhooks:Key", "AAAA")));

    private static WebhookSecrets Secrets(params (string Key, string Value)[] settings) => new(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value))).Build(), NullLogger<WebhookSecrets>.Instance);
}

public sealed class CensusTests(WebhookFixture fixture) : IClassFixture<WebhookFixture>
{
    [Fact]
    public async Task Gauges_AfterACount_TellWhatWaitsAndWhatIsDisabled()
    {
        await using var failing = await WebhookReceiver.StartAsync();
        failing.AnswerWith(500);
        await using var gone = await WebhookReceiver.StartAsync();
        gone.AnswerWith(410);
        var mesure = TestMesure.Create();
        await fixture.CreateAsync(mesure.GestionnaireId, failing);
        await fixture.CreateAsync(mesure.JuridictionId, gone);
        await fixture.ApplyAsync(mesure.Transmitted());
        await Eventually.BecomesAsync(() => fixture.Database.ReadAsync<long>("select count(*) from webhook_endpoints where state = 'DISABLED_GONE'"), n => n == 1, "disabled");
        await fixture.Database.RunAsync("update webhook_deliveries set queued_at = now() - interval '1 hour' where state = 'QUEUED'");

        var census = fixture.Host.App.Services.GetRequiredService<WebhookCensus>();
        await census.CountAsync(TestContext.Current.CancellationToken);

        var seen = Gauges.Read("jafer.webhook.", census);
        Assert.Equal((1, 1), (seen["jafer.webhook.pending"], seen["jafer.webhook.disabled_endpoints"]));
        Assert.InRange(seen["jafer.webhook.oldest_age"], 3600, 3700);
    }
}
