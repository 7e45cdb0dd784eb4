using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Jafer.AppHost;

/// <summary>
/// All of Jafer on one machine: two servers, four services with their migrations, the development issuer, the mail catcher and
/// the demonstration. The same program runs on the genuine Aspire.Hosting and on the local subset of it in eng/hosting.
/// </summary>
public static class Program
{
    private const string Health = "health", Grpc = "grpc";

    /// <summary>Runs until Ctrl+C: --reset begins afresh unless Jafer runs here already, --port-base N fixes the public ports from N on.</summary>
    public static async Task<int> Main(string[] args)
    {
        try
        {
            await Build(Wishes.Read(args)).RunAsync();
            return Environment.ExitCode; // the announcer's, when not everything became healthy
        }
        catch (OperationCanceledException)
        {
            return 0; // stopped while it was still starting
        }
        catch (Exception e) when (e is DistributedApplicationException or ArgumentException or RefusedException)
        {
            await Console.Error.WriteLineAsync($"jafer: {e.Message}");
            return 1;
        }
    }

    /// <summary>Declares everything; nothing is started yet. Tests call it too, without the dashboard.</summary>
    /// <param name="wishes">What this run was asked for.</param>
    /// <returns>The application, ready to start.</returns>
    public static DistributedApplication Build(Wishes wishes)
    {
        ArgumentNullException.ThrowIfNull(wishes);
        var dashboard = DashboardAddress.Choose(wishes);
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            AssemblyName = typeof(Program).Assembly.GetName().Name,
            Args = [.. dashboard.Configuration, .. wishes.Arguments],
            DisableDashboard = !wishes.Dashboard,
            AllowUnsecuredTransport = true,
            DashboardApplicationName = "Jafer",
        });
        builder.Services.AddLogging(l => l.AddFilter("Aspire.Hosting", LogLevel.Warning));
        var place = new Place(builder.AppHostDirectory, wishes);
        var announcer = new Announcer(place, wishes.Dashboard ? dashboard : null);

        // ---- servers and what stands beside the services -------------------------------------------------------------

        var servers = new Servers(builder, place);
        servers.AddPostgres();
        servers.AddRabbitMq();

        var npm = builder.AddExecutable("npm", NodeModules.Command(place), place.Root, NodeModules.Arguments(place))
            .WithIconName("BoxMultiple");

        var identity = builder.AddExecutable("identity", "node", place.Root, "eng/identity/provider.mjs")
            .WithHttpEndpoint(port: place.Port(5), env: "PORT")
            .WithHttpHealthCheck("/health")
            .WaitForCompletion(npm)
            .WithUrlForEndpoint("http", u => u.DisplayText = "Issuer")
            .WithIconName("Key");
        var issuer = identity.GetEndpoint("http");
        identity.WithEnvironment("ISSUER", issuer);

        var mail = builder.AddExecutable("mail", "node", place.Root, "eng/mail/catcher.mjs")
            .WithHttpEndpoint(port: place.Port(6), env: "PORT")
            .WithEndpoint(port: place.Port(7), scheme: "smtp", name: "smtp", env: "SMTP_PORT")
            .WithEnvironment("JAFER_MAIL", Path.Combine(place.Data, "mail"))
            .WithHttpHealthCheck("/api/healthz")
            .WaitForCompletion(npm)
            .WithUrlForEndpoint("http", u => u.DisplayText = "Mails")
            .WithIconName("MailInbox");
        var smtp = mail.GetEndpoint("smtp");

        var secrets = new IssuerSecrets(place);
        var pageTokens = builder.AddParameter("page-tokens-key",
            Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(place.Secret("page-tokens")))), secret: true);
        var cli = new CommandLine(place, issuer);

        // ---- the services, each with its database and the step that brings it up to date ------------------------------

        var directory = AddService<Projects.Jafer_Directory>("directory", portOffset: 10);
        var mesure = AddService<Projects.Jafer_Mesures>("mesure", portOffset: 12)
            .WithReference(directory);
        var messaging = AddService<Projects.Jafer_Messaging>("messaging", portOffset: 14)
            .WithReference(mesure)
            .WithReference(directory)
            // No scanner runs here.
            .WithEnvironment("Attachments__ClearWithoutScanner", "true");
        var notification = AddService<Projects.Jafer_Notifications>("notification", portOffset: 16)
            .WithReference(directory)
            .WithReference(messaging)
            .WithEnvironment("Mail__Host", smtp.Property(EndpointProperty.Host).AsText())
            .WithEnvironment("Mail__Port", smtp.Property(EndpointProperty.Port).AsText())
            // A receiver on this machine, such as clients/node/webhook-receiver.mjs.
            .WithEnvironment("Webhooks__AllowHttp", "true")
            .WithEnvironment("Webhooks__AllowedNetworks__0", "127.0.0.0/8")
            .WithEnvironment("Webhooks__AllowedNetworks__1", "::1/128");
        IResourceBuilder<ProjectResource>[] services = [directory, mesure, messaging, notification];

        // ---- the demonstration ---------------------------------------------------------------------------------------

        cli.Knows(services);
        directory.WithCommand("coverage-map", "Draw the coverage map", c => cli.RunAsync(c, "coverage-map", Path.Combine(place.Data, "coverage.svg")), new CommandOptions
        {
            Description = "Travel time from every commune to the nearest lieu, as an SVG file whose place is told.",
            IconName = "Map",
        });
        mesure
            .WithCommand("retention-dry-run", "Retention: dry run", c => cli.RunAsPersonAsync(c, "retention", "dry-run"), new CommandOptions
            {
                Description = "Tells for each rule how much a run of retention would erase now. Nothing is erased.",
                IconName = "DocumentSearch",
            })
            .WithCommand("retention-last", "Retention: last run", c => cli.RunAsync(c, "retention", "last"), new CommandOptions
            {
                Description = "Tells what the last run of retention erased, and how long ago.",
                IconName = "History",
            });
        var demoData = cli.Configure(builder.AddProject<Projects.Jafer_Cli>("demo-data", NoLaunchProfile).WithArgs("demo", "load"))
            .WaitFor(identity)
            .WithCommand("reset", "Reset demonstration data", c => cli.RunAsync(c, "demo", "reset"), new CommandOptions
            {
                Description = "Puts the demonstration data back into their first state.",
                ConfirmationMessage = "The fictive espaces and their waits are put back; mesures are kept. Go on?",
                IconName = "ArrowReset",
            })
            .WithIconName("DatabaseArrowUp");
        foreach (var service in services)
            demoData.WaitFor(service);
        if (announcer.DemonstrationLoaded)
            demoData.WithExplicitStart();

        var demoClient = builder.AddExecutable("demo-client", "bash", ".", "scripts/journey.sh")
            .WithEnvironment("JAFER_ENDPOINTS", place.EndpointsFile)
            .WithExplicitStart()
            .WaitFor(identity)
            .WithCommand("again", "Run the demonstration journey once more", c => JourneyCommand.RunAsync(c, place), new CommandOptions
            {
                Description = "A court's software and an espace's software do the main job once; answers when both came to the end, or says which did not.",
                IconName = "ArrowRepeatAll",
                IsHighlighted = true,
            })
            .WithIconName("PersonRunning");
        foreach (var service in services)
            demoClient.WaitFor(service);

        foreach (var (role, organisation) in (ReadOnlySpan<(string, string)>)[("juridiction", "tj69123"), ("espace", "A69-1"), ("operateur", "national")])
        {
            identity.WithCommand($"token-{role}", $"Issue a token: {role}", c => TokenCommand.RunAsync(c, place, role, organisation), new CommandOptions
            {
                Description = $"A token of one hour for {role} {organisation}, as any caller gets it.",
                IconName = "KeyMultiple",
            });
        }

        announcer.Await(services, identity, mail, demoData);
        builder.Services.AddHostedService(s => announcer.Attach(s));
        return builder.Build();

        IResourceBuilder<ProjectResource> AddService<TProject>(string name, int portOffset) where TProject : IProjectMetadata, new()
        {
            var database = servers.AddDatabase(name);
            var migrations = Common(builder.AddProject<TProject>($"{name}-migrations", NoLaunchProfile).WithArgs("--migrate"));
            servers.Connect(migrations, name, database, broker: false);

            var service = Common(builder.AddProject<TProject>(name, NoLaunchProfile))
                // Two of mesure by default: what only works in one process shows at once.
                .WithReplicas(Wishes.Replicas(builder.Configuration, name, name == "mesure" ? 2 : 1))
                .WithHttpEndpoint(port: place.Port(portOffset), name: Grpc)
                .WithHttpEndpoint(port: place.Port(portOffset + 1), name: Health)
                .WithEndpointsInEnvironment(_ => false)
                .WithEnvironment("Identity__ClientId", $"systeme.{name}")
                .WithEnvironment("Identity__ClientSecret", secrets.Of($"systeme.{name}"))
                // The same in every replica and after a restart: a page begun with one is continued by another.
                .WithEnvironment("PageTokens__Key", pageTokens);
            // Without TLS a port speaks either HTTP/2 or HTTP/1.1: one for gRPC, one for the probes.
            service
                .WithEnvironment("Kestrel__Endpoints__grpc__Url", $"http://localhost:{service.GetEndpoint(Grpc).Property(EndpointProperty.TargetPort)}")
                .WithEnvironment("Kestrel__Endpoints__grpc__Protocols", "Http2")
                .WithEnvironment("Kestrel__Endpoints__health__Url", $"http://localhost:{service.GetEndpoint(Health).Property(EndpointProperty.TargetPort)}")
                .WithEnvironment("Kestrel__Endpoints__health__Protocols", "Http1")
                .WithHttpHealthCheck("/health", endpointName: Health)
                .WithUrlForEndpoint(Grpc, u => u.DisplayText = "gRPC")
                .WithUrlForEndpoint(Health, u =>
                {
                    u.DisplayText = "Health";
                    u.Url = "/health";
                })
                .WaitForCompletion(migrations)
                .WithCommand("redrive", "Re-drive parked messages", c => cli.RunAsync(c, "outbox", "redrive", name), new CommandOptions
                {
                    Description = "Sends the messages of this service's outbox again that were given up after too many failures.",
                    IconName = "ArrowForward",
                })
                .WithCommand("vacuum", "Vacuum the database", c => VacuumCommand.RunAsync<TProject>(c, place, name, database.Resource), new CommandOptions
                {
                    Description = "What retention erased leaves the tables now, as --vacuum does it; nobody waits for it.",
                    IconName = "Broom",
                });
            migrations.WithParentRelationship(service);
            return servers.Connect(service, name, database);
        }

        IResourceBuilder<ProjectResource> Common(IResourceBuilder<ProjectResource> program) => Traced(program
            .WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName)
            .WithEnvironment("Identity__Authority", issuer)
            // Else the collector lets a young heap grow with the processor's cache: 4 MiB are plenty for a service here.
            .WithEnvironment("DOTNET_GCGen0MaxBudget", "0x400000")
            // Else glibc keeps what compiling at the start has used; other C libraries do not know these.
            .WithEnvironment("MALLOC_ARENA_MAX", "2")
            .WithEnvironment("MALLOC_MMAP_THRESHOLD_", "65536")
            .WithEnvironment("MALLOC_TRIM_THRESHOLD_", "65536")
            // The dashboard may end first: with the retries that the engine sets, a service would wait ten seconds for it at its end.
            .WithEnvironment("OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "")
            .WithEnvironment("MASSTRANSIT_USAGE_TELEMETRY", "false"));

        // Where there is no dashboard, only what the caller named gets traces: the engine would name an address where nobody listens.
        IResourceBuilder<ProjectResource> Traced(IResourceBuilder<ProjectResource> program) => wishes.Dashboard
            ? program
            : program.WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "");

        static void NoLaunchProfile(ProjectResourceOptions options)
        {
            options.ExcludeLaunchProfile = true;
            options.ExcludeKestrelEndpoints = true;
        }
    }
}
