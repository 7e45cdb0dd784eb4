using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Jafer.Testing;

/// <summary>
/// PostgreSQL and RabbitMQ for one test class alone, which may stop, kill and start them: an instance of eng/servers.sh beside
/// the one that the other tests share. Purged at the end.
/// </summary>
public sealed partial class OwnServers : IAsyncDisposable
{
    private static int s_counter;
    private readonly string _instance = $"own-{Environment.ProcessId}-{Interlocked.Increment(ref s_counter)}";

    private OwnServers()
    {
    }

    /// <summary>Connection string of PostgreSQL.</summary>
    public string Postgres { get; private set; } = "";

    /// <summary>Address of RabbitMQ.</summary>
    public string RabbitMq { get; private set; } = "";

    /// <summary>Starts both.</summary>
    public static async Task<OwnServers> StartNewAsync()
    {
        var servers = new OwnServers();
        await servers.RunAsync("start");
        var environment = await servers.RunAsync("env");
        string Value(string name) => Export().Matches(environment).Single(m => m.Groups[1].Value == name).Groups[2].Value;
        servers.Postgres = Value("JAFER_TEST_POSTGRES");
        servers.RabbitMq = Value("JAFER_TEST_RABBITMQ");
        return servers;
    }

    /// <summary>Starts a server again, on its port and with its data.</summary>
    /// <param name="server">"postgres" or "rabbitmq".</param>
    public Task StartAsync(string server) => RunAsync("start", server);

    /// <summary>Stops a server in good order.</summary>
    /// <param name="server">"postgres" or "rabbitmq".</param>
    public Task StopAsync(string server) => RunAsync("stop", server);

    /// <summary>Ends a server at once, as a power cut would.</summary>
    /// <param name="server">"postgres" or "rabbitmq".</param>
    public Task KillAsync(string server) => RunAsync("kill", server);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await RunAsync("purge");

    private async Task<string> RunAsync(string action, params string[] servers)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Root(), "eng", "servers.sh"), action, "--instance", _instance, .. servers])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"eng/servers.sh {action} ended with {process.ExitCode}: {await error}");
    }

    /// <summary>The checkout: JAFER_ROOT, or the folder above this program that holds the solution.</summary>
    public static string Root()
    {
        if (Environment.GetEnvironmentVariable("JAFER_ROOT") is { Length: > 0 } root)
        {
            return root;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Jafer.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("JAFER_ROOT is not set and no folder above holds Jafer.sln");
    }

    [GeneratedRegex("export ([A-Z_]+)='([^']*)'")]
    private static partial Regex Export();
}
