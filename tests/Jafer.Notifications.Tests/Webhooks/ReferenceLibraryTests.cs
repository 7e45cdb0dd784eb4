using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Notification.V1;
using Jafer.Testing;
using static Jafer.Notifications.Tests.Webhooks.WebhookFixture;

namespace Jafer.Notifications.Tests.Webhooks;

/// <summary>The receiver that integrators read, in Node.js, which verifies by npm's reference library of the specification.</summary>
public sealed class ReferenceLibraryTests(WebhookFixture fixture) : IClassFixture<WebhookFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Posts_OverARotation_AreVerifiedUntilTheOlderSecretExpires()
    {
        var mesure = TestMesure.Create();
        var client = fixture.Webhooks(mesure.GestionnaireId);
        var created = await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint("http://127.0.0.1:9/"), RequestId = NewId() }, cancellationToken: Ct);
        var id = created.Endpoint.EndpointId;
        var lines = new ConcurrentQueue<string>();
        using var receiver = Start(created.Secret, lines);
        try
        {
            var listening = await LineAsync(lines, "listening on ");
            var url = new WebhookEndpoint { EndpointId = id, Url = $"http://127.0.0.1:{listening.Split(' ')[^1]}/" };
            await client.UpdateEndpointAsync(new UpdateEndpointRequest { Endpoint = url, UpdateMask = new FieldMask { Paths = { "url" } }, RequestId = NewId() }, cancellationToken: Ct);

            await fixture.ApplyAsync(mesure.Transmitted());
            Assert.EndsWith($"mesure {mesure.Id}, event {(await fixture.LogAsync(mesure.GestionnaireId, id))[0].EventId}", await LineAsync(lines, "mesure.mesure-transmitted.v1"), StringComparison.Ordinal);

            // The receiver knows the older secret alone.
            await client.RotateSecretAsync(new RotateSecretRequest { EndpointId = id, RequestId = NewId() }, cancellationToken: Ct);
            await fixture.ApplyAsync(mesure.Acknowledged());
            await LineAsync(lines, "mesure.mesure-acknowledged.v1");

            await client.RotateSecretAsync(new RotateSecretRequest { EndpointId = id, PreviousSecretExpireTime = new Timestamp { Seconds = 1 }, RequestId = NewId() }, cancellationToken: Ct);
            var test = await client.SendTestEventAsync(new SendTestEventRequest { EndpointId = id, RequestId = NewId() }, cancellationToken: Ct);
            var refused = await Eventually.BecomesAsync(
                async () => (await fixture.LogAsync(mesure.GestionnaireId, id)).Single(d => d.DeliveryId == test.DeliveryId), d => d.State == WebhookDeliveryState.Failed, "the refusal");
            Assert.Equal("HTTP_401", refused.LastError);
        }
        finally
        {
            receiver.Kill(entireProcessTree: true);
        }
    }

    private static Task<string> LineAsync(ConcurrentQueue<string> lines, string part) =>
        Eventually.BecomesAsync(() => Task.FromResult(lines.FirstOrDefault(l => l.Contains(part, StringComparison.Ordinal)) ?? ""), l => l.Length > 0, part);

    private static Process Start(string secret, ConcurrentQueue<string> lines)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "package.json")))
        {
            root = Path.GetDirectoryName(root)!;
        }

        var start = new ProcessStartInfo("node", ["clients/node/webhook-receiver.mjs"])
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["JAFER_WEBHOOK_SECRET"] = secret, ["PORT"] = "0" },
        };
        var process = new Process { StartInfo = start };
        DataReceivedEventHandler keep = (_, line) => lines.Enqueue(line.Data ?? "");
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill(process);
        return process;
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }
}
