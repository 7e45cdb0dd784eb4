using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// SearchEspaces with every filter for 480 families of all France, on the demonstration's 197 espaces and on 20,000 made from
/// them, against <see cref="SearchFloor"/>; what a hundred times the data cost; and what a long history costs.
/// </summary>
internal static class SearchBenchmark
{
    public const string Name = "search";

    /// <summary>The same on 20,000 espaces.</summary>
    public const string ManyName = "search-20k";

    /// <summary>What a search costs on 20,000 espaces, in microseconds of all callers together, against 197.</summary>
    public const string GrowthName = "search-growth";

    /// <summary>What a search costs over 197 espaces with a million rows of history, against the same without.</summary>
    public const string HistoryName = "search-history";

    private const int Many = 20_000;
    private const int HistoryRows = 1_000_000;
    private const double Goal = 0.6;
    private const double GrowthGoal = 3;
    private const double HistoryGoal = 1.1;
    private const int WarmUps = 3;
    private const int RoundCount = 9;
    private const int CallsOfARound = 8_000;
    private const int Families = 480;

    // Nearly every family has as many results among 197 espaces.
    private const int Page = 10;

    public static Task<Result> RunAsync(CancellationToken ct) => AgainstFloorAsync(Name, 0, ct);

    public static Task<Result> RunManyAsync(CancellationToken ct) => AgainstFloorAsync(ManyName, Many, ct);

    public static async Task<Result> RunGrowthAsync(CancellationToken ct)
    {
        await using var few = await Side.StartAsync(0, ct);
        await using var many = await Side.StartAsync(Many, ct);
        var requests = await RequestsAsync(few.Database);
        return Result.AtMost(GrowthName, "µs/call", await Rounds.RunAsync(WarmUps, RoundCount, () => CostAsync(many), () => CostAsync(few)), GrowthGoal);

        async Task<double> CostAsync(Side side) => 1e6 / await RoundAsync(side.Clients, requests, ct);
    }

    public static async Task<Result> RunHistoryAsync(CancellationToken ct)
    {
        await using var plain = await Side.StartAsync(0, ct);
        await using var old = await Side.StartAsync(0, ct);
        await old.AgeAsync(HistoryRows, ct);
        var requests = await RequestsAsync(plain.Database);
        await CompareAsync(old.Clients[0], plain.Clients[0], requests, ct);
        return Result.AtMost(HistoryName, "µs/call", await Rounds.RunAsync(WarmUps, RoundCount, () => CostAsync(old), () => CostAsync(plain)), HistoryGoal);

        async Task<double> CostAsync(Side side)
        {
            // Somebody changes an espace between the rounds, so that what follows from a change is in the figure too.
            await side.Database.RunAsync("update espaces set revision = revision where id = (select min(id::text)::uuid from espaces)");
            return 1e6 / await RoundAsync(side.Clients, requests, ct);
        }
    }

    private static async Task<Result> AgainstFloorAsync(string name, int espaces, CancellationToken ct)
    {
        await using var product = await Side.StartAsync(espaces, ct);
        await using var floor = await ServiceHost.StartAsync(
            b => Hosts.BuildFloor<DirectoryDbContext, SearchFloor>(DirectoryModule.Name, b),
            ServiceHost.Settings(DirectoryModule.Name, product.Database.ConnectionString, ServiceHost.UniquePrefix()));
        var requests = await RequestsAsync(product.Database);
        var known = floor.Clients(Roles.Juridiction, StableIds.Court("tj69123"), c => new DirectoryService.DirectoryServiceClient(c));
        await FillAsync(product.Database, product.Clients[0], requests, ct);
        await CompareAsync(product.Clients[0], known[0], requests, ct);

        var rounds = await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(product.Clients, requests, ct), () => RoundAsync(known, requests, ct));
        await ReportAsync("product", product.Clients, requests, ct);
        await ReportAsync("floor", known, requests, ct);
        // As nobody asked before: the ways of these families are not kept yet.
        await ReportAsync("product, families never seen", product.Clients, await RequestsAsync(product.Database, 2027, 4_000), ct);
        return Result.AtLeast(name, "calls/s", rounds, Goal);
    }

    private static Task<double> RoundAsync(DirectoryService.DirectoryServiceClient[] clients, SearchEspacesRequest[] requests, CancellationToken ct) => Rounds.ThroughputAsync(
        Hosts.Callers, CallsOfARound, async (caller, number) => await clients[caller].SearchEspacesAsync(requests[number % requests.Length]), ct);

    // How long single calls take while 32 callers ask at once.
    private static async Task ReportAsync(string side, DirectoryService.DirectoryServiceClient[] clients, SearchEspacesRequest[] requests, CancellationToken ct)
    {
        var times = new double[4_000];
        await Rounds.ThroughputAsync(
            Hosts.Callers, times.Length,
            async (caller, number) =>
            {
                var start = Stopwatch.GetTimestamp();
                await clients[caller].SearchEspacesAsync(requests[number % requests.Length]);
                times[number] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            },
            ct);
        Array.Sort(times);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  {side}, {Hosts.Callers} callers: median {times[times.Length / 2]:0.0} ms, p99 {times[times.Length * 99 / 100]:0.0} ms"));
    }

    // Families of all sizes of communes; half of the parents live in the same département, the others anywhere in France.
    private static async Task<SearchEspacesRequest[]> RequestsAsync(TestDatabase database, int seed = 2026, int count = Families)
    {
        var communes = await database.ReadAllAsync<string>("select insee from communes where is_commune and latitude is not null and road_block = 'METRO' order by insee");
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var hote = random.Next(communes.Count);
            var visiteur = i % 2 == 0 ? Math.Clamp(hote + random.Next(-100, 100), 0, communes.Count - 1) : random.Next(communes.Count);
            var mesure = new MesureProfile
            {
                Modalite = i % 5 == 0 ? Modalite.VisiteAvecSortie : Modalite.Visite,
                ChildAges = { random.Next(3, 9), random.Next(4, 12) },
                CourtCode = "tj69123",
                HoteCommuneInsee = communes[hote],
                VisiteurCommuneInsee = communes[visiteur],
                DecisionDate = TimeProvider.System.TodayInParis().AddDays(-random.Next(20)).ToProto(),
                Periodicity = new() { RencontreCount = 2, IntervalCount = 1, Unit = PeriodicityUnit.Month },
                RencontreMinutes = 60 + 15 * random.Next(3),
                DurationMonths = 6 + random.Next(6),
                Besoins = { i % 2 == 0 ? BesoinAccueil.FauteuilRoulant : BesoinAccueil.LienRompu },
            };
            if (i % 4 == 1)
                mesure.Situations.Add(SituationParticuliere.Addiction);
            if (i % 8 == 3)
                mesure.ProtectionOrder = true;
            if (i % 8 == 6)
                mesure.Languages.Add("eng");
            return new SearchEspacesRequest { Mesure = mesure, PageSize = Page };
        })];
    }

    private static async Task FillAsync(TestDatabase database, DirectoryService.DirectoryServiceClient product, SearchEspacesRequest[] requests, CancellationToken ct)
    {
        await database.RunAsync(SearchFloor.Table);
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(ct);
        var (results, matches) = (0, 0L);
        await using (var copy = await connection.BeginBinaryImportAsync("copy bench_pages from stdin (format binary)", ct))
        {
            foreach (var request in requests)
            {
                var page = await product.SearchEspacesAsync(request, cancellationToken: ct);
                (results, matches) = (results + page.Results.Count, matches + page.TotalCount);
                var key = request.Mesure.ToByteArray();
                for (var i = 0; i < page.Results.Count; i++)
                    await copy.WriteRowAsync(ct, key, i, page.Results[i].ToByteArray(), page.TotalCount, i == 0 ? page.NextPageToken : null, i == 0 ? Notes(page) : null);
                if (page.Results.Count == 0)
                    throw new InvalidOperationException("a page without results measures nothing");
            }

            await copy.CompleteAsync(ct);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {(double)results / requests.Length:0.0} results of {(double)matches / requests.Length:0} matching espaces for a family"));
        await database.RunAsync("vacuum analyze");

        static byte[] Notes(SearchEspacesResponse page)
        {
            var notes = new SearchEspacesResponse();
            notes.Notes.Add(page.Notes);
            return notes.ToByteArray();
        }
    }

    // The same page, or the ratio would mean nothing. Only the token differs: it is encrypted anew each time.
    private static async Task CompareAsync(
        DirectoryService.DirectoryServiceClient product, DirectoryService.DirectoryServiceClient floor, SearchEspacesRequest[] requests, CancellationToken ct)
    {
        foreach (var request in requests)
        {
            var (one, other) = (await product.SearchEspacesAsync(request, cancellationToken: ct), await floor.SearchEspacesAsync(request, cancellationToken: ct));
            if (one.CalculateSize() != other.CalculateSize() || !one.Results.Equals(other.Results))
                throw new InvalidOperationException("the floor does not answer the same page");
        }
    }

    /// <summary>A directory with its espaces and clients.</summary>
    private sealed record Side(TestDatabase Database, ServiceHost Host, DirectoryService.DirectoryServiceClient[] Clients) : IAsyncDisposable
    {
        // Copies of the demonstration's espaces, each moved to another commune, with another wait.
        private const string Multiply = """
            create temp table copies as
            select e.id as old_id, md5(e.id::text || n)::uuid as new_id, n, row_number() over (order by n, e.id) as position
            from espaces e cross join generate_series(1, {0} / 190) n;
            delete from copies where position > {0} - (select count(*) from espaces);
            create temp table places as
            select row_number() over (order by md5(insee)) as position, insee, latitude, longitude from communes where is_commune and latitude is not null and road_block = 'METRO';
            analyze copies;
            analyze places;
            insert into espaces select (jsonb_populate_record(e, jsonb_build_object('id', c.new_id, 'external_id', e.external_id || '/' || c.n))).*
            from copies c join espaces e on e.id = c.old_id;
            insert into agrements select (jsonb_populate_record(a, jsonb_build_object('espace_id', c.new_id))).* from copies c join agrements a on a.espace_id = c.old_id;
            insert into lieux select (jsonb_populate_record(l, jsonb_build_object(
                'id', md5(l.id::text || c.n)::uuid, 'espace_id', c.new_id, 'commune_insee', p.insee, 'latitude', p.latitude, 'longitude', p.longitude))).*
            from copies c join lieux l on l.espace_id = c.old_id join places p on p.position = 1 + (c.position + 7919 * l.position) % 30000;
            insert into modalites select (jsonb_populate_record(m, jsonb_build_object('espace_id', c.new_id, 'wait_days', m.wait_days + c.position % 90))).*
            from copies c join modalites m on m.espace_id = c.old_id;
            insert into espace_groups select (jsonb_populate_record(g, jsonb_build_object('espace_id', c.new_id))).* from copies c join espace_groups g on g.espace_id = c.old_id;
            analyze;
            """;

        // Every espace says the same again and again, a minute apart: nine rows in ten of its groups, one of its waits.
        private const string Age = """
            insert into espace_changes (espace_id, sequence, espace_group, key, kind, source, organisation_id, recorded_at, confirmed_at, content)
            select c.espace_id, 1000000 + row_number() over (partition by c.espace_id order by n, c.sequence),
                c.espace_group, c.key, c.kind, c.source, c.organisation_id, c.recorded_at - n * interval '1 minute', c.confirmed_at - n * interval '1 minute', c.content
            from espace_changes c cross join generate_series(1, 1 + {0} * 9 / 10 / (select count(*) from espace_changes)::int) n
            limit {0} * 9 / 10;
            insert into wait_declarations (espace_id, modalite, days, as_of, source, recorded_at)
            select w.espace_id, w.modalite, w.days, w.as_of - n, w.source, w.recorded_at - n * interval '1 day'
            from wait_declarations w cross join generate_series(1, 1 + {0} / 10 / (select count(*) from wait_declarations)::int) n
            limit {0} / 10;
            analyze;
            """;

        /// <summary>Gives the espaces a long history.</summary>
        public async Task AgeAsync(int rows, CancellationToken ct)
        {
            await using var connection = new NpgsqlConnection(Database.ConnectionString);
            await connection.OpenAsync(ct);
            await using var age = new NpgsqlCommand(Age.Replace("{0}", rows.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), connection) { CommandTimeout = 600 };
            await age.ExecuteNonQueryAsync(ct);
            var held = await Database.ReadAsync<long>("select (select count(*) from espace_changes) + (select count(*) from wait_declarations)");
            if (held < rows)
                throw new InvalidOperationException($"only {held} rows of history");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {held} rows of history"));
        }

        public static async Task<Side> StartAsync(int espaces, CancellationToken ct)
        {
            var database = await TestDatabase.CloneAsync(DirectoryModule.Name, connection =>
                Hosts.MigrateAsync(DirectoryModule.Name, connection, b => DirectoryModule.Build([], b), app => app.MigrateDirectoryAsync()));
            var host = await ServiceHost.StartAsync(b => DirectoryModule.Build([], b), ServiceHost.Settings(DirectoryModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
            await ImportAsync(new(host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national"))), ct);
            var clients = host.Clients(Roles.Juridiction, StableIds.Court("tj69123"), c => new DirectoryService.DirectoryServiceClient(c));
            if (espaces > 0)
            {
                await using (var connection = new NpgsqlConnection(database.ConnectionString))
                {
                    await connection.OpenAsync(ct);
                    await using var multiply = new NpgsqlCommand(Multiply.Replace("{0}", espaces.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), connection) { CommandTimeout = 600 };
                    await multiply.ExecuteNonQueryAsync(ct);
                }

                var start = Stopwatch.GetTimestamp();
                await clients[0].SearchEspacesAsync(new() { Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: ct);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {espaces} espaces read in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
            }

            return new(database, host, clients);
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await Database.DisposeAsync();
        }

        private static async Task ImportAsync(DirectoryService.DirectoryServiceClient operateur, CancellationToken ct)
        {
            foreach (var batch in new Generator(Generator.DefaultSeed, TimeProvider.System.TodayInParis()).Espaces().Chunk(25))
            {
                var request = new ImportEspacesRequest { Source = Generator.Source, RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString() };
                request.Espaces.Add(batch);
                await operateur.ImportEspacesAsync(request, cancellationToken: ct);
            }
        }
    }
}
