using System.CommandLine;
using Grpc.Core;
using Jafer.Cli;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Operations.V1;

var seed = new Option<int>("--seed") { Description = "Seed of the generator.", DefaultValueFactory = _ => Generator.DefaultSeed };
var again = new Option<bool>("--again") { Description = "Import even when the demonstration data are there." };
var service = new Argument<string>("service") { Description = "directory, mesure, messaging or notification." };

var load = new Command("load", "Loads the fictive espaces into the running directory, once.") { seed, again };
load.SetAction((parsed, ct) => RunAsync(system => Demonstration(system).LoadAsync(parsed.GetValue(seed), parsed.GetValue(again), ct)));
var reset = new Command("reset", "Puts the fictive espaces back as they were first loaded.") { seed };
reset.SetAction((parsed, ct) => RunAsync(system => Demonstration(system).ResetAsync(parsed.GetValue(seed), ct)));

var status = new Command("status", "Shows what waits in a service's outbox.") { service };
status.SetAction((parsed, ct) => RunAsync(async system =>
{
    var outbox = await (await OperationsAsync(system, parsed.GetValue(service)!, ct)).GetOutboxAsync(new GetOutboxRequest(), cancellationToken: ct);
    Console.WriteLine($"{outbox.PendingCount} pending, the oldest for {outbox.OldestAgeSeconds:F0} s; {outbox.ParkedCount} parked; {outbox.FailedCount} in the error queue");
}));
var redrive = new Command("redrive", "Sends the parked messages of a service's outbox again.") { service };
redrive.SetAction((parsed, ct) => RunAsync(async system =>
{
    var answer = await (await OperationsAsync(system, parsed.GetValue(service)!, ct))
        .RedriveParkedMessagesAsync(new RedriveParkedMessagesRequest { RequestId = NewId() }, cancellationToken: ct);
    Console.WriteLine($"{answer.RedrivenCount} messages are sent again");
}));
var republish = new Command("republish", "Publishes the state of a service again, so that others can rebuild what they keep of it.") { service };
republish.SetAction((parsed, ct) => RunAsync(async system =>
{
    var answer = await (await OperationsAsync(system, parsed.GetValue(service)!, ct))
        .RepublishStateAsync(new RepublishStateRequest { RequestId = NewId() }, cancellationToken: ct);
    Console.WriteLine($"{answer.EventCount} events are published again");
}));

return await new RootCommand("Operates a running Jafer.")
{
    new Command("demo", "The demonstration data: invented, labelled fictive.") { load, reset },
    new Command("outbox", "The events that a service has yet to give to the broker.") { status, redrive },
    republish,
}.Parse(args).InvokeAsync();

static Loader Demonstration(RunningSystem system) => new(system, TimeProvider.System, Console.Out);

static async Task<OperationsService.OperationsServiceClient> OperationsAsync(RunningSystem system, string name, CancellationToken ct) =>
    new(await system.ConnectAsync(name, ct));

static string NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();

static async Task<int> RunAsync(Func<RunningSystem, Task> act)
{
    using var system = new RunningSystem(Environment.GetEnvironmentVariable);
    try
    {
        await act(system);
        return 0;
    }
    catch (UsageException e)
    {
        await Console.Error.WriteLineAsync(e.Message);
    }
#pragma warning disable RS0030 // What a client catches.
    catch (RpcException e)
    {
        await Console.Error.WriteLineAsync($"{e.StatusCode}: {e.Status.Detail}");
    }
#pragma warning restore RS0030
    return 1;
}
