using Jafer.Contracts.Mesure.V1;
using Jafer.Directory;
using Jafer.Mesures;
using Jafer.Messaging;
using Jafer.Notifications;
using Jafer.ServiceDefaults.Time;
using Jafer.Simulation.Replay;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Jafer.Simulation.Tests;

/// <summary>The four services on real servers, through which a part of the simulated year was played.</summary>
public sealed class ReplayedYear : IAsyncLifetime
{
    private const double Fraction = 0.02;

    private readonly List<IAsyncDisposable> _parts = [];
    private readonly Dictionary<string, ServiceHost> _hosts = [];

    public ReplayedYear(SimulatedYears years)
    {
        Callers = new(service => _hosts[service].Grpc, (caller, _) => Task.FromResult(TestIssuer.Shared.Token(caller.Role, caller.Id)));
        Year = (years.Territory, years.Demands[0], Engine.Run(years.Territory, years.Demands[0], Policy.Base, withActs: true));
    }

    internal ReplayPlan Plan { get; } = new(Seed: 0, Fraction, TimeProvider.System.TodayInParis().AddDays(-1));

    internal Callers Callers { get; }

    internal (Territory Territory, Demand Demand, Books Books) Year { get; }

    internal List<Life> Lives { get; private set; } = [];

    internal Player Player { get; private set; } = null!;

    internal Stage Stage { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var prefix = ServiceHost.UniquePrefix();
        await StartAsync(DirectoryModule.Name, c => DirectoryModule.Build([], c), app => app.MigrateDirectoryAsync());
        await StartAsync(MesuresModule.Name, c => MesuresModule.Build([], c), MesuresModule.MigrateAsync);
        await StartAsync(MessagingModule.Name, c => MessagingModule.Build([], c), MessagingModule.MigrateAsync);
        await StartAsync(NotificationsModule.Name, c => NotificationsModule.Build([], c), NotificationsModule.MigrateAsync);
        foreach (var host in _hosts.Values)
            await host.ReadyAsync();

        Stage = new(Plan.LastDay);
        Lives = Life.Of(Year.Territory, Year.Demand, Year.Books, Plan, Stage);
        Player = new(Plan, Stage, Lives, Callers, concurrency: 8, _ => { });
        await Player.PlayAsync(TestContext.Current.CancellationToken);

        async Task StartAsync(string name, Func<Action<WebApplicationBuilder>, WebApplication> build, Func<WebApplication, Task> migrate)
        {
            var database = await TestDatabase.CloneAsync(name, async connection =>
            {
                await using var app = build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(name, connection, "migrate")));
                await migrate(app);
            });
            _parts.Add(database);
            _parts.Add(_hosts[name] = await ServiceHost.StartAsync(build, ServiceHost.Settings(name, database.ConnectionString, prefix, new Dictionary<string, string?>
            {
                ["Reminders:Enabled"] = "false",
                ["Mail:Enabled"] = "false",
                ["Delays:FoldInterval"] = "00:00:01",
                ["Outbox:ErrorQueueInterval"] = "00:00:01",
                ["Upkeep:FirstSweepAfter"] = "1.00:00:00",
            })));
        }
    }

    public async ValueTask DisposeAsync()
    {
        Callers.Dispose();
        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync();
    }

    internal async Task<List<Figure>> CompareAsync(IReadOnlyList<Life> lives, TimeSpan patience)
    {
        var reconciliation = new Reconciliation(Plan, Stage, lives, Player.Mesures, Callers, TimeProvider.System.TodayInParis(), concurrency: 8);
        var figures = await reconciliation.CompareAsync(patience, _ => { }, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", Player.Times) + "; " + string.Join(", ", reconciliation.Times));
        return figures;
    }
}

public sealed class ReplayTests(ReplayedYear year) : IClassFixture<ReplayedYear>
{
    [Fact]
    public async Task Replay_OfAPartOfTheYear_GivesEveryCountOfTheBooksAndFindsATamperedOne()
    {
        var figures = await year.CompareAsync(year.Lives, TimeSpan.FromSeconds(30));

        Assert.Empty(year.Player.Pushed.Wrong);
        Assert.All(figures, f => Assert.True(f.IsEqual, f.ToString()));
        Assert.True(year.Lives.Count > 400);
        Assert.True(year.Player.Pushed is { Waited: > 700, Duplicates: > 200 });
        Assert.All(new[] { MesureState.Completee, MesureState.EnAttente, MesureState.Programmee, MesureState.EnCours, MesureState.Cloturee }, s => Assert.Contains(year.Lives, l => l.State == s));

        // One rencontre more that was held: of a mesure that is under way, on the day of its last one.
        var (territory, demand, books) = year.Year;
        var mesure = year.Lives.First(l => l.State == MesureState.EnCours).Number;
        var tampered = new Books(demand.Count) { Acts = [.. books.Acts!] };
        books.Closed.CopyTo(tampered.Closed, 0);
        var at = tampered.Acts.FindLastIndex(a => a.Mesure == mesure && a.Kind == ActKind.Held && a.Day < Calendar.YearEnd);
        tampered.Acts.Insert(at, tampered.Acts[at]);
        var against = await year.CompareAsync(Life.Of(territory, demand, tampered, year.Plan, year.Stage), TimeSpan.Zero);

        Assert.Contains(against, f => f.Name == "mesure.rencontre-held.v1 in the feeds of espaces" && !f.IsEqual);
        Assert.Contains(against, f => f.Name == "rencontres held in the year" && !f.IsEqual);
    }
}
