using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Jafer.AppHost;

/// <summary>What one run of the AppHost was asked for on its command line and by the variables of ./jafer.</summary>
/// <param name="Arguments">Everything that is configuration.</param>
/// <param name="Reset">Begin with empty data.</param>
/// <param name="PortBase">First of the fixed public ports; null for free ones.</param>
/// <param name="Dashboard">Serve the dashboard.</param>
/// <param name="DataFolder">Where servers keep their data; null for the checkout's own place.</param>
/// <param name="EndpointsFile">Where the addresses are written once all is healthy; null for .jafer/endpoints.json.</param>
/// <param name="StartLimit">How long all may take to become healthy; null for ten minutes.</param>
public sealed record Wishes(
    string[] Arguments, bool Reset = false, int? PortBase = null, bool Dashboard = true, string? DataFolder = null, string? EndpointsFile = null,
    TimeSpan? StartLimit = null)
{
    /// <summary>How many processes of a service are wanted: Replicas:NAME of the configuration.</summary>
    /// <exception cref="ArgumentException">It is no number that makes sense.</exception>
    public static int Replicas(IConfiguration configuration, string service, int usual)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration[$"Replicas:{service}"] is not { } wanted ? usual
            : int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= 20 ? count
            : throw new ArgumentException($"Replicas:{service} must be a number from 1 to 20, not '{wanted}'.");
    }

    /// <summary>Reads the command line: --reset, --port-base N, and configuration as key=value pairs.</summary>
    /// <exception cref="ArgumentException">--port-base is not a port.</exception>
    public static Wishes Read(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        var wishes = new Wishes([])
        {
            PortBase = Port(Environment.GetEnvironmentVariable("JAFER_PORT_BASE")),
            DataFolder = Environment.GetEnvironmentVariable("JAFER_DATA"),
            EndpointsFile = Environment.GetEnvironmentVariable("JAFER_ENDPOINTS"),
            Dashboard = Environment.GetEnvironmentVariable("JAFER_DASHBOARD") != "false",
            StartLimit = Seconds(Environment.GetEnvironmentVariable("JAFER_START_LIMIT")),
        };
        var rest = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            wishes = args[i] switch
            {
                "--reset" => wishes with { Reset = true },
                "--port-base" => wishes with { PortBase = Port(args.ElementAtOrDefault(++i) ?? "") },
                _ => wishes,
            };
            if (args[i] != "--reset" && (i == 0 || args[i - 1] != "--port-base"))
                rest.Add(args[i]);
        }
        return wishes with { Arguments = [.. rest] };

        static int? Port(string? text) => string.IsNullOrEmpty(text) && text is null ? null
            : int.TryParse(text, out var port) && port is >= 1024 and <= 65000 ? port
            : throw new ArgumentException("--port-base needs a port between 1024 and 65000.");

        static TimeSpan? Seconds(string? text) => string.IsNullOrEmpty(text) ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 ? TimeSpan.FromSeconds(seconds)
            : throw new ArgumentException($"JAFER_START_LIMIT must be a number of seconds, not '{text}'.");
    }
}

/// <summary>The AppHost will not run as it was asked to; the message says why and what to do.</summary>
internal sealed class RefusedException(string message) : Exception(message);

/// <summary>Where a run finds the checkout and keeps what is its own.</summary>
internal sealed class Place : IDisposable
{
    private readonly Wishes _wishes;
    private readonly FileStream? _lock;

    public Place(string appHostDirectory, Wishes wishes)
    {
        _wishes = wishes;
        Root = Path.GetFullPath("..", appHostDirectory);
        State = Path.GetFullPath(Environment.GetEnvironmentVariable("JAFER_STATE") ?? Path.Combine(Root, ".jafer"));
        Data = Path.GetFullPath(wishes.DataFolder ?? DefaultDataFolder());
        EndpointsFile = Path.GetFullPath(wishes.EndpointsFile ?? Path.Combine(State, "endpoints.json"));
        Directory.CreateDirectory(Path.GetDirectoryName(EndpointsFile)!);
        _lock = Take();
        if (wishes.Reset && Directory.Exists(Data))
            Directory.Delete(Data, recursive: true);
        Directory.CreateDirectory(Data);
        File.Delete(EndpointsFile);
    }

    public string Root { get; }
    public string State { get; }
    /// <summary>Folder of the servers' data; deleted by --reset.</summary>
    public string Data { get; }
    public string EndpointsFile { get; }

    /// <summary>The fixed public port at this distance from --port-base, or null for a free one.</summary>
    public int? Port(int offset) => _wishes.PortBase + offset;

    /// <summary>How long all may take to become healthy.</summary>
    public TimeSpan StartLimit => _wishes.StartLimit ?? TimeSpan.FromMinutes(10);

    /// <summary>A secret made once per data folder, readable by its owner alone.</summary>
    public string Secret(string name)
    {
        var file = Path.Combine(Data, $"{name}.password");
        WriteOnce(file, RandomNumberGenerator.GetHexString(32, lowercase: true));
        return File.ReadAllText(file).Trim();
    }

    /// <summary>A container's volume that belongs to this data folder alone: where the folder is made anew, so is the volume.</summary>
    public string Volume(string server)
    {
        var file = Path.Combine(Data, "volumes.id");
        WriteOnce(file, RandomNumberGenerator.GetHexString(12, lowercase: true));
        return $"jafer-{File.ReadAllText(file).Trim()}-{server}";
    }

    /// <summary>Lets others have the place.</summary>
    public void Dispose() => _lock?.Dispose();

    /// <summary>Writes a file that its owner alone may read, unless it is there already; nobody ever reads half of it.</summary>
    public static void WriteOnce(string file, string content)
    {
        if (File.Exists(file))
            return;
        var aside = $"{file}.{Environment.ProcessId}";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(aside, options))
            writer.Write(content);
        try
        {
            File.Move(aside, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(aside); // another was first
        }
    }

    /// <summary>A loopback port that nobody listens on at this moment, below the range of outgoing connections.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, RandomNumberGenerator.GetInt32(20_000, 32_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken: draw again.
            }
        }
    }

    /// <summary>
    /// One run for each place, before anything of it is touched. The scripts of eng/ take the same lock for the AppHost and all
    /// that it starts, and say so by JAFER_PLACE_HELD.
    /// </summary>
    /// <exception cref="RefusedException">Another run has it.</exception>
    private FileStream? Take()
    {
        if (Environment.GetEnvironmentVariable("JAFER_PLACE_HELD") == EndpointsFile)
            return null;
        try
        {
            return new FileStream($"{EndpointsFile}.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new RefusedException($"Jafer already runs here; its addresses are in {EndpointsFile}. Stop it first (Ctrl+C there).");
        }
    }

    /// <summary>In the checkout, unless the servers' user cannot reach it (a clone in the home of the superuser); eng/env.sh knows.</summary>
    private string DefaultDataFolder()
    {
        if (Environment.UserName != "root")
            return Path.Combine(State, "data");
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", ". eng/env.sh && data_root"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        })!;
        return Path.Combine(shell.StandardOutput.ReadToEnd().Trim(), "data");
    }
}
