using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Jafer.Testing;

/// <summary>A service in a process of its own, which a test can kill as a power cut would.</summary>
public static class ServiceProcess
{
    /// <summary>Starts it and waits until it is healthy.</summary>
    /// <param name="service">Name of the service.</param>
    /// <param name="assembly">Its assembly, beside the test's, such as "Jafer.Notifications".</param>
    /// <param name="database">Its database.</param>
    /// <param name="prefix">Broker prefix.</param>
    /// <param name="grpcPort">gRPC port.</param>
    /// <param name="healthPort">Health port.</param>
    /// <param name="more">Further settings.</param>
    public static async Task<Process> StartAsync(
        string service, string assembly, TestDatabase database, string prefix, int grpcPort, int healthPort, params IReadOnlyList<(string Key, string Value)> more)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly + ".dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var settings = ServiceHost.Settings(service, database.ConnectionString, prefix, new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:grpc:Url"] = $"http://127.0.0.1:{grpcPort}",
            ["Kestrel:Endpoints:health:Url"] = $"http://127.0.0.1:{healthPort}",
        });
        foreach (var (key, value) in settings.Select(s => (s.Key, s.Value)).Concat(more.Select(m => (m.Key, (string?)m.Value))))
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{healthPort}") };
        try
        {
            await Eventually.BecomesAsync(
                async () =>
                {
                    try
                    {
                        using var response = await http.GetAsync(new Uri("/health", UriKind.Relative));
                        return response.StatusCode;
                    }
                    catch (HttpRequestException)
                    {
                        return default;
                    }
                },
                status => status == HttpStatusCode.OK,
                "a healthy process");
            return process;
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    /// <summary>A port that nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
