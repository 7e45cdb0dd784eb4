using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Jafer.Testing;
using MimeKit;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>A real SMTP server, in a process of its own, that refuses, greylists, delays or falls silent as a test says.</summary>
internal sealed partial class FaultySmtp : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _http;

    private FaultySmtp(Process process, int smtpPort, Uri page)
    {
        (_process, SmtpPort) = (process, smtpPort);
        _http = new HttpClient { BaseAddress = page };
    }

    public int SmtpPort { get; }

    /// <param name="environment">What it should begin with, such as SMTP_KEY.</param>
    public static async Task<FaultySmtp> StartAsync(params IReadOnlyList<(string Key, string Value)> environment)
    {
        var start = new ProcessStartInfo("node", [Path.Combine("tests", "Jafer.Notifications.Tests", "Mails", "smtp.mjs")])
        {
            WorkingDirectory = MailCatcher.Root(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

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
        var match = await ready.Task.WaitAsync(Eventually.Limit, TimeProvider.System);
        return new FaultySmtp(process, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), new Uri(match.Groups[2].Value));
    }

    /// <summary>From now on it does this, and nothing of before.</summary>
    public async Task DoAsync(object rules)
    {
        using var answer = await _http.PostAsJsonAsync("rules", rules);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<Seen> SeenAsync()
    {
        var seen = await _http.GetFromJsonAsync<JsonElement>("seen");
        return new Seen(
            seen.GetProperty("connections").GetInt32(), seen.GetProperty("most").GetInt32(),
            [.. seen.GetProperty("recipients").EnumerateArray().Select(r => new SeenRecipient(r.GetProperty("address").GetString()!, r.GetProperty("code").GetInt32()))],
            [.. seen.GetProperty("mails").EnumerateArray().Select(ReadMail)]);
    }

    /// <summary>For how many addresses it saw a mail.</summary>
    public async Task<int> PeopleAsync() => int.Parse(await _http.GetStringAsync(new Uri("people", UriKind.Relative)), CultureInfo.InvariantCulture);

    /// <summary>The mails that it took for an address.</summary>
    public async Task<IReadOnlyList<SeenMail>> TakenAsync(string address) => [.. (await SeenAsync()).Mails.Where(m => m.Address == address && m.Code == 250)];

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    [GeneratedRegex(@"smtp 127\.0\.0\.1:(\d+), page (http://\S+)")]
    private static partial Regex Ready { get; }

    private static SeenMail ReadMail(JsonElement mail)
    {
        using var raw = new MemoryStream(mail.GetProperty("raw").GetBytesFromBase64());
        return new SeenMail(
            mail.GetProperty("address").GetString()!, mail.GetProperty("code").GetInt32(), MimeMessage.Load(raw), mail.GetProperty("secure").GetBoolean(),
            mail.GetProperty("user").GetString()!, mail.GetProperty("recipients").GetInt32(), mail.GetProperty("from").GetString()!, mail.GetProperty("envelopeId").GetString()!,
            string.Join(',', mail.GetProperty("notify").EnumerateArray()));
    }
}

internal sealed record Seen(int Connections, int Most, IReadOnlyList<SeenRecipient> Recipients, IReadOnlyList<SeenMail> Mails);

internal sealed record SeenRecipient(string Address, int Code);

internal sealed record SeenMail(string Address, int Code, MimeMessage Message, bool Secure, string User, int Recipients, string From, string EnvelopeId, string Notify);
