using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

// The whole of Jafer is started here: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Jafer.AppHost.Tests;

/// <summary>The AppHost as a process of its own, as ./jafer run starts it.</summary>
[Collection("process"), Trait("Category", "journey")]
public sealed class JourneyTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("jafer-journey-");
    private readonly string _mark = $"journey-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}";

    private string EndpointsFile => Path.Combine(_folder.FullName, "endpoints.json");

    public ValueTask InitializeAsync()
    {
        // The servers' own users must reach their data.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_101_101);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var pid in Descendants())
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task AppHost_StoppedThenKilledOnTheSameData_LeavesNoProcessEitherTime()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes are recognised through /proc");
        var ct = TestContext.Current.CancellationToken;

        using (var first = await StartAsync(ct))
        {
            Assert.NotEmpty(Descendants());
            Signal(first, "TERM");
            await first.WaitForExitAsync(ct).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, ct);
            await NoneLeftAsync(TimeSpan.FromSeconds(3), ct);
            Assert.Equal(0, first.ExitCode);
            Assert.False(File.Exists(EndpointsFile), "the endpoints file outlived the run");
        }

        // The second run finds the data of the first: without its password no service could log in.
        using var second = await StartAsync(ct);
        second.Kill();
        await second.WaitForExitAsync(ct);
        // Seven seconds on a machine at rest: those that do not heed SIGTERM are killed after six and a half.
        await NoneLeftAsync(TimeSpan.FromSeconds(20), ct);
    }

    private async Task<Process> StartAsync(CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["JAFER_JOURNEY"] = _mark,
                ["JAFER_DATA"] = Path.Combine(_folder.FullName, "data"),
                ["JAFER_ENDPOINTS"] = EndpointsFile,
            },
        };
        start.Environment.Remove("JAFER_PORT_BASE");
        var process = Process.Start(start)!;
        var output = new List<string>();
        process.OutputDataReceived += (_, line) => output.Add(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => output.Add(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        var limit = Stopwatch.StartNew();
        while (!File.Exists(EndpointsFile))
        {
            if (process.HasExited || limit.Elapsed > TimeSpan.FromMinutes(3))
            {
                Assert.Fail($"not healthy after {limit.Elapsed.TotalSeconds:0} s, {(process.HasExited ? "ended" : "still running")}:\n{string.Join('\n', output)}");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        }
        var written = JsonDocument.Parse(await File.ReadAllTextAsync(EndpointsFile, ct));
        Assert.Equal(process.Id, written.RootElement.GetProperty("pid").GetInt32());
        return process;
    }

    private async Task NoneLeftAsync(TimeSpan limit, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        int[] left;
        while ((left = Descendants()).Length > 0 && watch.Elapsed < limit)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        Assert.True(left.Length == 0, "left over: " + string.Join("; ", left.Select(Describe)));
    }

    /// <summary>Every process that inherited the mark of this run, whoever its parent is by now.</summary>
    private int[] Descendants()
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                if (File.ReadAllText(Path.Combine(folder, "environ")).Contains(_mark, StringComparison.Ordinal))
                    found.Add(pid);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile, or another user's.
            }
        }
        return [.. found];
    }

    private static string Describe(int pid)
    {
        try
        {
            return $"{pid} {File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ')}";
        }
        catch (IOException)
        {
            return $"{pid} (ended just now)";
        }
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, $"{process.Id}"]);
        kill.WaitForExit();
    }
}
