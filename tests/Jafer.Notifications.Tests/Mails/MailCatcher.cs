using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>The mail catcher of development, a real SMTP server, in a process of its own.</summary>
internal sealed partial class MailCatcher : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;
    private readonly HttpClient _http;

    private MailCatcher(Process process, string folder, int smtpPort, Uri page)
    {
        (_process, _folder, SmtpPort) = (process, folder, smtpPort);
        _http = new HttpClient { BaseAddress = page };
    }

    public int SmtpPort { get; }

    /// <param name="smtpPort">Port; 0 for any free one.</param>
    public static async Task<MailCatcher> StartAsync(int smtpPort = 0)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("jafer-mail").FullName;
        var start = new ProcessStartInfo("node", ["eng/mail/catcher.mjs"])
        {
            WorkingDirectory = Root(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["JAFER_MAIL_OWNED"] = "true", ["JAFER_MAIL"] = folder, ["SMTP_PORT"] = $"{smtpPort}", ["PORT"] = "0" },
        };
        var process = new Process { StartInfo = start };
        var ready = new TaskCompletionSource<Match>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) =>
        {
            if (Ready.Match(line.Data ?? "") is { Success: true } match)
            {
                ready.TrySetResult(match);
            }
        };
        process.ErrorDataReceived += (_, _) => { };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill(process);
        try
        {
            var match = await ready.Task.WaitAsync(Eventually.Limit, TimeProvider.System);
            return new MailCatcher(process, folder, int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), new Uri(match.Groups[2].Value));
        }
        catch (TimeoutException)
        {
            Kill(process);
            throw new InvalidOperationException("the mail catcher did not start: ./jafer setup installs what it needs");
        }
    }

    /// <summary>The mails caught so far to an address.</summary>
    public async Task<IReadOnlyList<Mail>> MailsToAsync(string address) => [.. (await AllAsync()).Where(m => m.To.Contains(address))];

    /// <summary>All mails caught so far.</summary>
    public async Task<IReadOnlyList<Mail>> AllAsync()
    {
        var all = await _http.GetFromJsonAsync<List<JsonElement>>("api/email");
        return
        [
            .. all!.Select(m => new Mail(
                    [.. m.GetProperty("to").EnumerateArray().Select(t => t.GetProperty("address").GetString()!)],
                    m.GetProperty("from")[0].GetProperty("address").GetString()!,
                    m.GetProperty("subject").GetString()!,
                    m.GetProperty("text").GetString()!,
                    m.GetProperty("headers").ToString(),
                    m.GetProperty("html").GetString() ?? "")),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        Kill(_process);
        await _process.WaitForExitAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }

    [GeneratedRegex(@"smtp 127\.0\.0\.1:(\d+), page (http://\S+)")]
    private static partial Regex Ready { get; }

    private static void Kill(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
    }

    internal static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Jafer.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests do not run inside a checkout");
        }

        return folder.FullName;
    }
}

internal sealed record Mail(IReadOnlyList<string> To, string From, string Subject, string Text, string Headers, string Html);
