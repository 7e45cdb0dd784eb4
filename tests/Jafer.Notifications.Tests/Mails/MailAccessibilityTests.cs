using System.Diagnostics;
using Jafer.Contracts.Mesure.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>The web page that a mail is, in a browser, by axe: WCAG 2.2 A and AA, RGAA 4; nothing is loaded.</summary>
public sealed class MailAccessibilityTests
{
    private const string Url = "https://jafer.test/mesures/{0}?avis={1}";

    [Fact]
    public async Task Mails_InABrowser_HaveNoViolation()
    {
        var deadlines = Enum.GetValues<DeadlineKind>().Where(k => k != DeadlineKind.Unspecified)
            .Select(k => new MailLine("mesure.deadline-due.v1", TestMesure.NewId(), k.ToCode().StartsWith("ESCALATE", StringComparison.Ordinal), k.ToCode(), TestMesure.NewId())).ToList();
        var one = new MailLine("mesure.mesure-transmitted.v1", TestMesure.NewId(), false);
        var mails = new[]
        {
            MailText.Compose([one], Url), MailText.Compose([one], null), MailText.Compose([one with { Urgent = true }], Url), MailText.Compose(deadlines, Url),
            MailText.WebhookDisabled(TestMesure.NewId(), gone: true),
        };

        var (status, output) = await CheckAsync([.. mails.Select(m => m.Html)]);

        Assert.True(status == 0, output);
        Assert.Contains($"{mails.Length} pages", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mails_WithAFault_AreFound()
    {
        var html = MailText.Compose([new MailLine("mesure.mesure-transmitted.v1", TestMesure.NewId(), false)], Url).Html;
        Assert.Contains("color: #161616", html, StringComparison.Ordinal);

        var (status, output) = await CheckAsync([html.Replace("color: #161616", "color: #bbbbbb", StringComparison.Ordinal)]);

        Assert.True(status == 1, output);
        Assert.Contains("color-contrast", output, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output)> CheckAsync(IReadOnlyList<string> pages)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("jafer-mails-");
        try
        {
            var start = new ProcessStartInfo("node", [Path.Combine("eng", "accessibility.mjs")]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = MailCatcher.Root() };
            foreach (var (i, page) in pages.Index())
            {
                var file = Path.Combine(folder.FullName, $"mail-{i}.html");
                await File.WriteAllTextAsync(file, page);
                start.ArgumentList.Add(file);
            }

            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
