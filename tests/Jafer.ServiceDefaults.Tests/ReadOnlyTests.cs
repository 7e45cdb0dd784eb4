using System.Diagnostics;
using System.Globalization;
using System.Net;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.Testing;
using Grpc.Net.Client;

namespace Jafer.ServiceDefaults.Tests;

/// <summary>A service needs no place to write, and no rights: it runs from a folder that it cannot change, as a user who owns nothing.</summary>
public sealed class ReadOnlyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Service_AsNobodyFromAFolderThatCannotBeWritten_AnswersAndOpensNoFileToWrite()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("users and rights of Linux");
        }

        await using var database = await ProbeHost.CloneAsync();
        var folder = Path.Combine(Path.GetTempPath(), "jafer-read-only-" + ServiceHost.UniquePrefix());
        Copy(AppContext.BaseDirectory, folder);
        var before = Files(folder);
        Process? service = null;
        try
        {
            var (grpc, health) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
            service = Start(folder, ServiceHost.Settings(ProbeApp.Name, database.ConnectionString, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
            {
                ["Kestrel:Endpoints:grpc:Url"] = $"http://127.0.0.1:{grpc}",
                ["Kestrel:Endpoints:health:Url"] = $"http://127.0.0.1:{health}",
            }));
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{health}") };
            await Eventually.BecomesAsync(() => StatusAsync(http), s => s == HttpStatusCode.OK, "a healthy service");

            using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{grpc}");
            await new ProbeService.ProbeServiceClient(channel).FailAsync(
                new() { Kind = "ok" }, new() { { "authorization", "Bearer " + TestIssuer.Shared.Token("juridiction", Organisations.Court) } }, cancellationToken: Ct);

            Assert.Equal(before, Files(folder));
            Assert.Empty(WrittenBy(service));
        }
        finally
        {
            service?.Kill(entireProcessTree: true);
            service?.Dispose();
            // What may not be written may not be deleted by its owner either.
            Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Prepend(folder).ToList().ForEach(d => SetMode(d, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Process Start(string folder, Dictionary<string, string?> settings)
    {
        string[] program = ["dotnet", Path.Combine(folder, "Jafer.Probe.dll")];
        // Root may write everywhere: it becomes nobody. Whoever else runs the tests cannot write there either.
        string[] command = Environment.UserName == "root"
            ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--no-new-privs", .. program]
            : program;
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        // As the images have it: the runtime makes a socket for diagnostics otherwise, in a folder that is not there.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["HOME"] = start.Environment["TMPDIR"] = "/nonexistent";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Regular files that a process has open to write.</summary>
    private static List<string> WrittenBy(Process process)
    {
        var written = new List<string>();
        foreach (var link in new DirectoryInfo($"/proc/{process.Id}/fd").EnumerateFileSystemInfos())
        {
            // Memory that has a name, and what is no file.
            if (link.LinkTarget is not { } target || !target.StartsWith('/') || target.StartsWith("/dev/", StringComparison.Ordinal) || target.StartsWith("/memfd:", StringComparison.Ordinal))
            {
                continue;
            }

            var flags = File.ReadLines($"/proc/{process.Id}/fdinfo/{link.Name}").First(l => l.StartsWith("flags:", StringComparison.Ordinal))["flags:".Length..].Trim();
            if ((Convert.ToInt64(flags, 8) & 3) != 0)
            {
                written.Add(string.Create(CultureInfo.InvariantCulture, $"{target} {flags}"));
            }
        }

        return written;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http)
    {
        try
        {
            using var response = await http.GetAsync(new Uri("/health", UriKind.Relative), Ct);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return default;
        }
    }

    private static List<string> Files(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)];

    private static void Copy(string from, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories).Prepend(from))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (var file in Files(from))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            File.Copy(file, copy);
            SetMode(copy, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        foreach (var folder in Directory.EnumerateDirectories(to, "*", SearchOption.AllDirectories).Prepend(to).Reverse())
        {
            SetMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
