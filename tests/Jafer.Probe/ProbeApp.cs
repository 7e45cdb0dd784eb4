using Jafer.Contracts.Events;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Probe;

/// <summary>What a test changes in a probe that runs in its own process.</summary>
public sealed class ProbeHooks
{
    private int _calls;
    private long _executions;

    /// <summary>Runs before an event is applied, within the inbox's transaction.</summary>
    public Func<DomainEvent, CancellationToken, Task> BeforeApply { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Runs in WriteNote before anything is read.</summary>
    public Func<CancellationToken, Task> BeforeWrite { get; set; } = _ => Task.CompletedTask;

    public int Calls => _calls;

    public int CountCall() => Interlocked.Increment(ref _calls);

    public long CountExecution() => Interlocked.Increment(ref _executions);
}

/// <summary>The probe as an application.</summary>
public static class ProbeApp
{
    public const string Name = "probe";

    public const string AccessRows = """
        rpc,juridiction,espace,operateur,systeme
        jafer.probe.v1.ProbeService/WriteNote,own,own,any,-
        jafer.probe.v1.ProbeService/ListNotes,own,own,any,-
        jafer.probe.v1.ProbeService/Fail,any,-,any,any
        jafer.probe.v1.ProbeService/WatchNotes,own,own,any,-
        jafer.probe.v1.ProbeService/AskOther,any,-,any,-
        jafer.probe.v1.ProbeService/Forget,any,-,any,-
        jafer.probe.v1.ProbeService/GetNote,own,own,any,-
        jafer.probe.v1.ProbeService/StreamNotes,own,own,any,-
        jafer.operations.v1.OperationsService/GetOutbox,-,-,any,any
        jafer.operations.v1.OperationsService/RedriveParkedMessages,-,-,any,any
        jafer.operations.v1.OperationsService/RepublishState,-,-,any,any
        jafer.operations.v1.OperationsService/GetKeyPasses,-,-,any,any
        jafer.operations.v1.OperationsService/ListAlarms,-,-,any,-
        """;

    public const string PersonalRows = """
        rpc,personal
        jafer.probe.v1.ProbeService/WriteNote,no
        jafer.probe.v1.ProbeService/ListNotes,no
        jafer.probe.v1.ProbeService/Fail,no
        jafer.probe.v1.ProbeService/WatchNotes,no
        jafer.probe.v1.ProbeService/AskOther,no
        jafer.probe.v1.ProbeService/Forget,no
        jafer.probe.v1.ProbeService/GetNote,yes
        jafer.probe.v1.ProbeService/StreamNotes,yes
        jafer.operations.v1.OperationsService/GetOutbox,no
        jafer.operations.v1.OperationsService/RedriveParkedMessages,no
        jafer.operations.v1.OperationsService/RepublishState,no
        jafer.operations.v1.OperationsService/GetKeyPasses,no
        jafer.operations.v1.OperationsService/ListAlarms,yes
        """;

    /// <summary>A probe that publishes and consumes.</summary>
    public static WebApplication Build(Action<WebApplicationBuilder> configure) =>
        Build([typeof(WaitDeclared), typeof(MessagePosted)], configure);

    /// <summary>A probe that only publishes.</summary>
    public static WebApplication BuildPublisher(Action<WebApplicationBuilder> configure) => Build([], configure);

    private static WebApplication Build(Type[] subscriptions, Action<WebApplicationBuilder> configure)
    {
        var builder = JaferService.CreateBuilder([]);
        builder.AddJaferService<ProbeDbContext>(Name, subscriptions);
        builder.Services.AddSingleton(AccessTable.Parse(AccessRows.Split('\n')));
        builder.Services.AddSingleton(PersonalTable.Parse(PersonalRows.Split('\n')));
        builder.Services.AddSingleton<ProbeHooks>();
        builder.Services.AddScoped<IEventHandler<ProbeDbContext>, ProbeEventHandler>();
        builder.Services.AddJaferClient<ProbeService.ProbeServiceClient>("other");
        configure(builder);
        var app = builder.Build();
        app.MapJaferService<ProbeDbContext>();
        app.MapGrpcService<ProbeGrpcService>();
        return app;
    }
}
