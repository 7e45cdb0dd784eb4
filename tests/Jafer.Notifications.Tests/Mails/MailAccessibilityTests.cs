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
    public async Task Mails_InABrowser_HaveNoViolationAndAFaultWouldBeFound()
    {
        var deadlines = Enum.GetValues<DeadlineKind>().Where(k => k != DeadlineKind.Unspecified)
            .Select(k => new MailLine("mesure.deadline-due.v1", TestMesure.NewId(), k.ToCode().StartsWith("ESCALATE", StringComparison.Ordinal), k.ToCode(), TestMesure.NewId())).ToList();
        var one = new MailLine("mesure.mesure-transmitted.v1", TestMesure.NewId(), false);
        var mails = new[]
        {
            MailText.Compose([one], Url), MailText.Compose([one], null), MailText.Compose([one with { Urgent = true }], Url), MailText.Compose(deadlines, Url),
            MailText.WebhookDisabled(TestMesure.NewId(), gone: true),
        };

        Assert.Contains("color: #161616", mails[0].Html, StringComparison.Ordinal);
        var faulty = mails[0].Html.Replace("color: #161616", "color: #bbbbbb", StringComparison.Ordinal);

        // One browser for all: the last page shows that a fault would be found.
        var (status, output) = await CheckAsync([.. mails.Select(m => m.Html), faulty]);

        Assert.True(status == 1, output);
        Assert.Contains($"{mails.Length + 1} pages", output, StringComparison.Ordinal);
        var violations = output.Split('\n').Where(l => l.StartsWith("mail-", StringComparison.Ordinal)).ToList();
        Assert.All(violations, l => Assert.StartsWith($"mail-{mails.Length}.html", l, StringComparison.Ordinal));
        Assert.Contains(violations, l => l.Contains("color-contrast", StringComparison.Ordinal));
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
