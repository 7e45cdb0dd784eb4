using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>The journal as part of a service.</summary>
public static class JournalExtensions
{
    /// <summary>Lets those who hold a mesure ask who opened it.</summary>
    /// <typeparam name="THolders">Whose mesures the service knows.</typeparam>
    /// <param name="services">The services.</param>
    public static void AddJournalOfMesures<THolders>(this IServiceCollection services)
        where THolders : class, IMesureHolders =>
        services.AddScoped<IMesureHolders, THolders>();

    /// <summary>
    /// Has the journal's line of a call name what the call turned out to be about, where its request names a part alone and its
    /// answer nothing: who asks who opened a mesure would not find it otherwise.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="resource">Such as "threads/0198…".</param>
    public static void JournalAlso(this ServerCallContext call, string resource) => CallJournal.Of(call).Found(resource);

    /// <summary>Maps jafer.journal.v1.JournalService.</summary>
    /// <param name="app">The application.</param>
    public static void MapJournalOfMesures(this WebApplication app) => app.MapGrpcService<JournalGrpcService>();

    internal static void AddJaferJournal(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<JournalOptions>(builder.Configuration.GetSection("Journal"));
        builder.Services.TryAddSingleton(PersonalTable.BuiltIn);
        builder.Services.AddSingleton<JournalWriter>();
        builder.Services.AddSingleton<JournalInterceptor>();
        builder.Services.AddSingleton<JournalSealer>();
        builder.Services.AddHostedService(services => services.GetRequiredService<JournalSealer>());
        builder.Services.AddHostedService<JournalCensus>();
    }
}
