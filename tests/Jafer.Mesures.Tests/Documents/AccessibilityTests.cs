using System.Diagnostics;
using Jafer.ServiceDefaults.Printing;
using Xunit;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>Every page that Jafer prints, in a browser, by axe: WCAG 2.2 A and AA, RGAA 4.</summary>
public sealed class AccessibilityTests
{
    [Fact]
    public async Task Pages_InABrowser_HaveNoViolation()
    {
        using var folder = new Folder();
        var files = new List<string>();
        foreach (var (name, document) in Samples.All)
        {
            files.Add(folder.Write(name + ".html", HtmlWriter.Write(document)));
        }

        var (status, output) = await CheckAsync(files);

        Assert.True(status == 0, output);
        Assert.Contains($"{files.Count} pages", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_WithFaults_EachIsFound()
    {
        using var folder = new Folder();
        var page = HtmlWriter.Write(Samples.Notes["note-factuelle"]);
        var faults = new (string Rule, string Right, string Wrong)[]
        {
            ("html-has-lang", "<html lang=\"fr\">", "<html>"), ("color-contrast", "color: #161616", "color: #bbbbbb"), ("document-title", "<title>", "<title></title><title>"),
            ("scope-attr-valid", "scope=\"col\"", "scope=\"colonne\""),
        };
        foreach (var (_, right, wrong) in faults)
        {
            Assert.Contains(right, page, StringComparison.Ordinal);
            page = page.Replace(right, wrong, StringComparison.Ordinal);
        }

        // A line names the page and the rule.
        var (status, output) = await CheckAsync([folder.Write("faults.html", page)]);

        Assert.True(status == 1, output);
        Assert.All(faults, fault => Assert.Matches($@"(?m)^faults\.html \([^)]*\): {fault.Rule}: ", output));
    }

    private static async Task<(int Status, string Output)> CheckAsync(IReadOnlyList<string> files)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root() };
        start.ArgumentList.Add(Path.Combine("eng", "accessibility.mjs"));
        foreach (var file in files)
        {
            start.ArgumentList.Add(file);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Jafer.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Jafer.sln is above no folder of this test");
        }

        return folder.FullName;
    }

    private sealed class Folder : IDisposable
    {
        private readonly DirectoryInfo _folder = System.IO.Directory.CreateTempSubdirectory("jafer-pages-");

        public string Write(string name, string html)
        {
            var file = Path.Combine(_folder.FullName, name);
            File.WriteAllText(file, html);
            return file;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
