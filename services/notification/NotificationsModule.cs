using System.Net;
using System.Net.Mail;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Feed;
using Jafer.Notifications.Mails;
using Jafer.Notifications.Notices;
using Jafer.Notifications.Webhooks;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Jafer.Notifications;

/// <summary>The notification service: the feed of each organisation, its webhooks, and the mails that say where to look.</summary>
public static class NotificationsModule
{
    /// <summary>Name of the service: of its connection string, its queue and its telemetry.</summary>
    public const string Name = "notification";

    /// <summary>Builds the service, not started.</summary>
    /// <param name="args">Arguments of the process.</param>
    /// <param name="configure">What a host changes before the service is built; null for nothing.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = JaferService.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.AddJaferService<NotificationsDbContext>(Name, [.. EventTypes.All.Where(IsTold)]);
        builder.Services.AddScoped<IEventHandler<NotificationsDbContext>, EventProjection>();

        builder.Services.Configure<FeedOptions>(builder.Configuration.GetSection("Feed"));
        builder.Services.Configure<EscalationOptions>(builder.Configuration.GetSection("Escalation"));
        builder.Services.AddSingleton<DeliveryProofs>();
        builder.Services.AddSingleton<FeedReader>();
        builder.Services.AddSingleton<FeedHub>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FeedHub>());
        builder.Services.AddHostedService<FeedRetention>();
        builder.Services.AddSingleton<FeedConsumers>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FeedConsumers>());
        builder.Services.AddSingleton<CommitListener, FeedSignal>();

        builder.Services.AddOptions<MailOptions>().Bind(builder.Configuration.GetSection("Mail"))
            .Validate(o => MailAddress.TryCreate(o.From, out _), "Mail:From is not a mail address: it must be one, such as ne-pas-repondre@justice.example")
            .Validate(o => o.Port is > 0 and <= 65535, "Mail:Port is not a port: it must lie between 1 and 65535")
            .Validate(o => string.IsNullOrEmpty(o.User) || o.IsEncrypted, "Mail:User needs Mail:StartTls or Mail:ImplicitTls: a password does not travel in the clear")
            .Validate(o => !o.StartTls || !o.ImplicitTls, "Mail:StartTls and Mail:ImplicitTls exclude each other: a connection is encrypted once")
            .Validate(o => string.IsNullOrEmpty(o.BounceAddress) || MailAddress.TryCreate(o.BounceAddress, out _), "Mail:BounceAddress is not a mail address")
            .Validate(o => string.IsNullOrEmpty(o.AuthoritiesFile) || File.Exists(o.AuthoritiesFile), "Mail:AuthoritiesFile is not a file that can be read")
            .Validate(o => o.Concurrency is > 0 and <= 64, "Mail:Concurrency is not a number of mails: it must lie between 1 and 64")
            .Validate(o => o.Lease > o.Timeout, "Mail:Lease must be longer than Mail:Timeout")
            .ValidateOnStart();
        builder.Services.AddJaferClient<DirectoryService.DirectoryServiceClient>("directory");
        builder.Services.AddJaferClient<MessagingService.MessagingServiceClient>("messaging");
        builder.Services.AddSingleton<AddressBook>();
        builder.Services.AddSingleton<NamedContacts>();
        builder.Services.AddSingleton<NoticeReader>();
        builder.Services.AddSingleton<MailServer>();
        builder.Services.AddSingleton<MailCensus>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MailCensus>());
        builder.Services.AddHostedService<MailAddressing>();
        builder.Services.AddHostedService<MailSender>();

        builder.Services.AddOptions<WebhookOptions>().Bind(builder.Configuration.GetSection("Webhooks"))
            .Validate(o => Array.TrueForAll(o.AllowedNetworks, n => IPNetwork.TryParse(n, out _)), "Webhooks:AllowedNetworks must be networks such as 10.20.0.0/16")
            .Validate(o => o.Lease > o.Timeout, "Webhooks:Lease must be longer than Webhooks:Timeout")
            .Validate(o => o.Concurrency > 0 && o.EndpointConcurrency > 0 && o.RestAfterFailures > 0, "Webhooks: limits must be above 0")
            .ValidateOnStart();
        builder.Services.TryAddSingleton<NameResolver>(_ => (host, ct) => Dns.GetHostAddressesAsync(host, ct));
        builder.Services.AddSingleton<WebhookSignal>();
        builder.Services.AddSingleton<WebhookSecrets>();
        builder.Services.AddSingleton<WebhookAddresses>();
        builder.Services.AddSingleton<WebhookPost>();
        builder.Services.AddSingleton<WebhookCensus>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WebhookCensus>());
        builder.Services.AddHostedService<WebhookDispatcher>();
        builder.Services.AddHostedService<WebhookNotices>();

        builder.Services.AddJournalOfMesures<MesureHolders>();
        var app = builder.Build();
        app.MapJaferService<NotificationsDbContext>();
        app.MapGrpcService<NotificationGrpcService>();
        app.MapGrpcService<WebhookGrpcService>();
        app.MapGrpcService<NoticeGrpcService>();
        app.MapJournalOfMesures();
        return app;
    }

    /// <summary>Runs the service; with the argument --migrate brings its database up to date and ends.</summary>
    /// <param name="app">The service.</param>
    /// <param name="args">Arguments of the process.</param>
    public static Task RunAsync(WebApplication app, string[] args) => app.RunJaferAsync<NotificationsDbContext>(args);

    /// <summary>Brings the service's database up to date.</summary>
    /// <param name="app">The service, not started.</param>
    public static Task MigrateAsync(WebApplication app) => app.MigrateAsync<NotificationsDbContext>();

    private static bool IsTold(Type type) => type == typeof(EspaceGroupStale) || type == typeof(EspaceGroupConfirmed) || type == typeof(WaitDeclared) || type == typeof(EspacePublished) || type == typeof(AgrementEnded) || type == typeof(AgrementLieuEnded) || type == typeof(UpkeepReminderDue)
        || type == typeof(CapacityEnquiryOpened) || type == typeof(CapacityEnquiryAnswered) || type == typeof(ConsumerSilent) || type == typeof(CredentialEnding)
        || EventTypes.NameOf(type).StartsWith("mesure.", StringComparison.Ordinal) || EventTypes.NameOf(type).StartsWith("messaging.", StringComparison.Ordinal);
}
