using Jafer.Contracts.Directory.V1;
using Jafer.Mesures.Bulk;
using Jafer.Mesures.Data;
using Jafer.Mesures.Deadlines;
using Jafer.Mesures.Delays;
using Jafer.Mesures.Documents;
using Jafer.Mesures.Impact;
using Jafer.Mesures.Intake;
using Jafer.Mesures.Interviews;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Projections;
using Jafer.Mesures.Rencontres;
using Jafer.Mesures.Retention;
using Jafer.Mesures.Sessions;
using Jafer.Mesures.Survey;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Retention;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Jafer.Mesures;

/// <summary>The mesure service, ready to run.</summary>
public static class MesuresModule
{
    /// <summary>Name of the service.</summary>
    public const string Name = "mesure";

    /// <summary>Builds the service.</summary>
    /// <param name="args">Arguments of the process.</param>
    /// <param name="configure">What a host adds before the service's own parts; null for nothing.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = JaferService.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.AddJaferService<MesuresDbContext>(Name, Projection.Subscriptions);
        builder.Services.AddScoped<DirectoryProjection>();
        builder.Services.AddScoped<DeliveryProjection>();
        builder.Services.AddScoped<IEventHandler<MesuresDbContext>, Projection>();
        builder.Services.AddScoped<MesureActs>();
        builder.Services.AddScoped<InterviewBookings>();
        builder.Services.AddSingleton<KeyedIndex>();
        builder.Services.TryAddScoped<DirectoryForecast>();
        builder.Services.AddSingleton<BulkSignal>();
        builder.Services.AddHostedService<BulkWorker>();
        builder.Services.AddScoped<Bookings>();
        builder.Services.AddScoped<EspaceSchedule>();
        builder.Services.AddScoped<SlotMatching>();
        builder.Services.Configure<OfferOptions>(builder.Configuration.GetSection("Offers"));
        builder.Services.AddSingleton<SlotOffers>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SlotOffers>());
        builder.Services.AddScoped<DirectoryWelcome>();
        builder.Services.AddScoped<DirectoryAlternatives>();
        builder.Services.AddScoped<DirectoryPlaces>();
        builder.Services.Configure<IntakeOptions>(builder.Configuration.GetSection("Intake"));
        builder.Services.AddScoped<StatusReports>();
        builder.Services.AddHostedService<IntakeSweep>();
        builder.Services.AddJaferClient<DirectoryService.DirectoryServiceClient>("directory");
        builder.Services.AddJaferClient<PlaceService.PlaceServiceClient>("directory");
        builder.Services.Configure<DeadlineOptions>(builder.Configuration.GetSection("Deadlines"));
        builder.Services.Configure<ReminderOptions>(builder.Configuration.GetSection("Reminders"));
        builder.Services.AddSingleton<DeadlineSweep>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DeadlineSweep>());
        builder.Services.Configure<DelayOptions>(builder.Configuration.GetSection("Delays"));
        builder.Services.AddSingleton<DelayFold>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DelayFold>());
        builder.Services.AddSingleton<DelayReader>();
        builder.Services.AddSingleton<ImpactReader>();
        builder.Services.Configure<SurveyOptions>(builder.Configuration.GetSection("Survey"));
        builder.Services.AddSingleton<SurveyFold>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SurveyFold>());
        builder.Services.AddSingleton<SurveyFigures>();
        builder.Services.AddSingleton<WithheldPatterns>();
        builder.Services.AddScoped<SserReturns>();
        builder.Services.AddScoped<SurveyCampaigns>();
        builder.Services.AddScoped<DirectoryDeclarations>();
        builder.Services.AddSingleton<IndexRenewal>();
        builder.Services.AddHostedService(services => services.GetRequiredService<IndexRenewal>());
        builder.Services.Configure<RetentionOptions>(builder.Configuration.GetSection("Retention"));
        // A period outside of its bounds must be seen now, not in the night.
        builder.Services.AddSingleton(RetentionTable.BuiltIn.With(builder.Configuration));
        builder.Services.AddSingleton<RetentionSignal>();
        builder.Services.AddSingleton<RetentionSweep>();
        builder.Services.AddHostedService(services => services.GetRequiredService<RetentionSweep>());
        builder.Services.AddHostedService<RetentionCensus>();
        builder.Services.AddHealthChecks().AddCheck<RetentionHealthCheck>("retention", HealthStatus.Degraded, timeout: TimeSpan.FromSeconds(3));
        builder.Services.AddJournalOfMesures<MesureHolders>();
        var app = builder.Build();
        app.MapJaferService<MesuresDbContext>();
        app.MapGrpcService<MesureGrpcService>();
        app.MapGrpcService<BulkGrpcService>();
        app.MapGrpcService<InterviewGrpcService>();
        app.MapGrpcService<RencontreGrpcService>();
        app.MapGrpcService<SessionGrpcService>();
        app.MapGrpcService<TransmissionGrpcService>();
        app.MapGrpcService<WorklistGrpcService>();
        app.MapGrpcService<ReminderGrpcService>();
        app.MapGrpcService<DelaysGrpcService>();
        app.MapGrpcService<ImpactGrpcService>();
        app.MapGrpcService<RedesignationGrpcService>();
        app.MapGrpcService<DocumentGrpcService>();
        app.MapGrpcService<IntakeGrpcService>();
        app.MapGrpcService<RetentionGrpcService>();
        app.MapGrpcService<SurveyGrpcService>();
        app.MapJournalOfMesures();
        return app;
    }

    /// <summary>Brings the database up to date, as the process does with --migrate.</summary>
    /// <param name="app">The service.</param>
    public static Task MigrateAsync(WebApplication app) => app.MigrateAsync<MesuresDbContext>();
}
