using Jafer.Messaging.Attachments;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.Messaging.Threads;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Reminders;

namespace Jafer.Messaging;

/// <summary>The messaging service: the threads of mesures and espaces, their messages, their receipts.</summary>
public static class MessagingModule
{
    /// <summary>Name of the service: of its connection string, its queue and its telemetry.</summary>
    public const string Name = "messaging";

    /// <summary>Builds the service, not started.</summary>
    /// <param name="args">Arguments of the process.</param>
    /// <param name="configure">What a host changes before the service is built; null for nothing.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = JaferService.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.AddJaferService<MessagingDbContext>(Name, ThreadProjection.Subscriptions);
        builder.Services.AddSingleton<IEventHandler<MessagingDbContext>, ThreadProjection>();
        builder.Services.Configure<ConversationOptions>(builder.Configuration.GetSection("Conversations"));
        builder.Services.Configure<ReminderOptions>(builder.Configuration.GetSection("Reminders"));
        builder.Services.Configure<EscalationOptions>(builder.Configuration.GetSection("Escalation"));
        builder.Services.AddScoped<ThreadAccess>();
        builder.Services.AddSingleton<OverdueSweep>();
        builder.Services.AddHostedService(services => services.GetRequiredService<OverdueSweep>());

        builder.Services.AddOptions<AttachmentOptions>().Bind(builder.Configuration.GetSection("Attachments"))
            .Validate(o => o.Scanner.Address.Length == 0 || o.Scanner.EndPoint is not null, "Attachments:Scanner:Address must be host:port or unix:/path")
            .Validate(o => o.Scanner.Lease > o.Scanner.Timeout, "Attachments:Scanner:Lease must be longer than Attachments:Scanner:Timeout")
            .Validate(o => o.MaxUploads > 0 && o.MaxUploadsPerOrganisation > 0 && o.Scanner.Concurrency > 0, "Attachments: limits must be above 0")
            .Validate(o => Array.TrueForAll(o.AllowedTypes, t => FileTypes.All.Any(k => k.MediaType.Equals(t, StringComparison.OrdinalIgnoreCase))), "Attachments:AllowedTypes names a type that cannot be told from its content")
            .ValidateOnStart();
        builder.Services.AddSingleton<AttachmentSignal>();
        builder.Services.AddSingleton<UploadSlots>();
        builder.Services.AddSingleton<ClamdScanner>();
        builder.Services.AddHostedService<AttachmentCensus>();
        builder.Services.AddSingleton<AttachmentUpkeep>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AttachmentUpkeep>());
        builder.Services.AddHostedService<AttachmentScanner>();

        builder.Services.AddJournalOfMesures<MesureHolders>();
        var app = builder.Build();
        app.MapJaferService<MessagingDbContext>();
        app.MapGrpcService<MessagingGrpcService>();
        app.MapGrpcService<AttachmentGrpcService>();
        app.MapJournalOfMesures();
        return app;
    }

    /// <summary>Runs the service; with the argument --migrate brings its database up to date and ends.</summary>
    /// <param name="app">The service.</param>
    /// <param name="args">Arguments of the process.</param>
    public static Task RunAsync(WebApplication app, string[] args) => app.RunJaferAsync<MessagingDbContext>(args);

    /// <summary>Brings the service's database up to date.</summary>
    /// <param name="app">The service, not started.</param>
    public static Task MigrateAsync(WebApplication app) => app.MigrateAsync<MessagingDbContext>();
}
