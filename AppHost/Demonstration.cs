using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Jafer.AppHost;

/// <summary>The command line tool of Jafer as the dashboard's buttons call it: output goes to the resource's console.</summary>
internal sealed class CommandLine(Place place, EndpointReference issuer)
{
    private IReadOnlyList<IResourceBuilder<ProjectResource>> _services = [];

    /// <summary>The services whose addresses the tool is given.</summary>
    public void Knows(IReadOnlyList<IResourceBuilder<ProjectResource>> services) => _services = services;

    /// <summary>Gives the tool what it needs as a resource: the services' addresses and the issuer.</summary>
    public IResourceBuilder<ProjectResource> Configure(IResourceBuilder<ProjectResource> tool)
    {
        foreach (var service in _services)
            tool.WithReference(service);
        return tool.WithEnvironment("Identity__Authority", issuer);
    }

    /// <summary>Runs the tool once for what no software may do by itself: as a person of the national operator, whom the development issuer names.</summary>
    public async Task<ExecuteCommandResult> RunAsPersonAsync(ExecuteCommandContext context, params string[] arguments)
    {
        var token = await Tool.RunAsync(context, TokenCommand.Of(place, "operateur", "national", "--person", "exploitation"), place.Root, quiet: true);
        return token is { Success: true, Message: { } person } ? await RunAsync(context, person, arguments) : token;
    }

    /// <summary>Runs the tool once, outside the model; its last line becomes the answer.</summary>
    public Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context, params string[] arguments) => RunAsync(context, null, arguments);

    private Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context, string? token, string[] arguments)
    {
        var start = Tool.Of<Projects.Jafer_Cli>(arguments);
        foreach (var service in _services)
        {
            foreach (var endpoint in (string[])["grpc", "health"])
                start.Environment[$"services__{service.Resource.Name}__{endpoint}__0"] = service.GetEndpoint(endpoint).Url;
        }
        start.Environment["Identity__Authority"] = issuer.Url;
        if (token is not null)
            start.Environment["JAFER_TOKEN"] = token;
        return Tool.RunAsync(context, start, place.Root);
    }
}

/// <summary>A token as ./jafer token prints it.</summary>
internal static class TokenCommand
{
    /// <summary>What prints it.</summary>
    public static ProcessStartInfo Of(Place place, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(place.Root, "eng", "token.mjs"), .. arguments]);
        start.Environment["JAFER_ENDPOINTS"] = place.EndpointsFile;
        return start;
    }

    public static async Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context, Place place, string role, string organisation)
    {
        var start = Of(place, role, organisation);
        // Shown to the person who asked, never logged.
        var result = await Tool.RunAsync(context, start, place.Root, quiet: true);
        return result is { Success: true, Message: { } token }
            ? CommandResults.Success($"A token for {role} {organisation}, valid for one hour.", new CommandResultData { Value = token, DisplayImmediately = true })
            : result;
    }
}

/// <summary>The main job done once by the foreign clients, as the demonstration client does it.</summary>
internal static class JourneyCommand
{
    public static Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context, Place place)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(place.Root, "AppHost", "scripts", "journey.sh")]);
        start.Environment["JAFER_ENDPOINTS"] = place.EndpointsFile;
        return Tool.RunAsync(context, start, place.Root);
    }
}

/// <summary>A service's database vacuumed by its own program, as an operator does it by hand.</summary>
internal static class VacuumCommand
{
    public static async Task<ExecuteCommandResult> RunAsync<TProject>(ExecuteCommandContext context, Place place, string name, IResourceWithConnectionString database)
        where TProject : IProjectMetadata, new()
    {
        var start = Tool.Of<TProject>("--vacuum");
        start.Environment[$"ConnectionStrings__{name}"] = await database.GetConnectionStringAsync(context.CancellationToken);
        return await Tool.RunAsync(context, start, place.Root);
    }
}

/// <summary>A program that a command runs to its end.</summary>
internal static class Tool
{
    /// <summary>One of Jafer's own programs.</summary>
    public static ProcessStartInfo Of<TProject>(params string[] arguments)
        where TProject : IProjectMetadata, new()
    {
        var program = Path.GetFileNameWithoutExtension(new TProject().ProjectPath);
        // Beside the AppHost's own output, which may be a copy of what was built.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return new ProcessStartInfo("dotnet", [Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", program, configuration, $"{program}.dll")), .. arguments]);
    }

    public static async Task<ExecuteCommandResult> RunAsync(ExecuteCommandContext context, ProcessStartInfo start, string folder, bool quiet = false)
    {
        start.WorkingDirectory = folder;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        try
        {
            var output = ReadAsync(process.StandardOutput, error: false);
            var errors = ReadAsync(process.StandardError, error: true);
            await process.WaitForExitAsync(context.CancellationToken);
            var (lastLine, lastError) = (await output, await errors);
            return process.ExitCode == 0
                ? CommandResults.Success(lastLine ?? "Done.")
                : CommandResults.Failure(lastError ?? lastLine ?? $"Ended with {process.ExitCode}.");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        async Task<string?> ReadAsync(StreamReader reader, bool error)
        {
            string? last = null;
            while (await reader.ReadLineAsync(context.CancellationToken) is { } line)
            {
                if (error)
                    context.Logger.LogError("{Line}", line);
                else if (!quiet)
                    context.Logger.LogInformation("{Line}", line);
                last = line.Length > 0 ? line : last;
            }
            return last;
        }
    }
}

/// <summary>The npm packages of the issuer, the mail catcher and the foreign client.</summary>
internal static class NodeModules
{
    public static string Command(Place place) => Current(place) ? "node" : OperatingSystem.IsWindows() ? "npm.cmd" : "npm";

    public static string[] Arguments(Place place) => Current(place)
        ? ["--eval", "console.log('node_modules is what package-lock.json asks for')"]
        : ["ci", "--no-audit", "--no-fund"];

    /// <summary>npm writes its own copy of the lock file last.</summary>
    private static bool Current(Place place)
    {
        var installed = Path.Combine(place.Root, "node_modules", ".package-lock.json");
        return File.Exists(installed) && File.GetLastWriteTimeUtc(installed) >= File.GetLastWriteTimeUtc(Path.Combine(place.Root, "package-lock.json"));
    }
}

internal static class Expressions
{
    /// <summary>One part of an address as the whole value of a variable.</summary>
    public static ReferenceExpression AsText(this EndpointReferenceExpression part) => ReferenceExpression.Create($"{part}");
}
