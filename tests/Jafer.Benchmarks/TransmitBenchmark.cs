using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// TransmitMesure against <see cref="TransmitFloor"/>, each on a database of its own that holds the same completed mesures. The
/// relay of both is stopped: what it costs is the same for both, and measured by <see cref="RelayBenchmark"/>.
/// </summary>
internal static class TransmitBenchmark
{
    public const string Name = "transmit";

    private const double Goal = 0.6;
    private const int WarmUps = 6;
    private const int RoundCount = 9;
    private const int CallsOfARound = 2_000;

    // The columns of a table but those given, for copying rows.
    private const string Others = """
        select string_agg(quote_ident(column_name), ', ') from information_schema.columns
        where table_schema = 'public' and table_name = '{0}' and column_name not in ('id', 'mesure_id', 'reference')
        """;

    // What must be the same row, whoever wrote it: everything but ids and times.
    private static readonly string[] s_written =
    [
        "select (to_jsonb(m) - '{holder_since,transmitted_at,updated_at,created_at,next_due_at}'::text[])::text from mesures m where id = '{0}'",
        "select string_agg(kind || ' ' || must_act, ';' order by kind) from deadlines where mesure_id = '{0}'",
        "select string_agg((to_jsonb(f) - '{id,occurred_at,recorded_at}'::text[])::text, ';' order by version) from mesure_facts f where mesure_id = '{0}'",
        """
        select string_agg((to_jsonb(o) - '{id,message_id,headers,occurred_at,payload}'::text[] || jsonb_build_object('payload', payload - '{eventId,occurredAt,recordedAt,correlationId}'::text[]))::text, ';')
        from outbox_messages o where ordering_key = '{0}'
        """,
        "select string_agg((to_jsonb(r) - '{request_id,request_hash,response,created_at}'::text[])::text, ';') from processed_requests r",
        "select string_agg((to_jsonb(j) - '{id,at}'::text[])::text, ';') from journal_entries j where resource = 'mesures/{0}'",
    ];

    private static readonly Guid s_court = StableIds.Court("tj69123");
    private static readonly Guid s_gestionnaire = StableIds.Gestionnaire("bench", "G1");
    private static readonly Guid s_espace = StableIds.Espace("bench", "E1");

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        // Ids of mesures grow in life as they do here.
        var now = TimeProvider.System.GetUtcNow();
        Guid[] ids = [.. Enumerable.Range(0, 1 + (CallsOfARound * (WarmUps + RoundCount))).Select(i => Guid.CreateVersion7(now.AddMilliseconds(i)))];
        Task Prepare(string connection) => PrepareAsync(connection, ids);
        await using var first = await TestDatabase.CloneAsync("transmit", Prepare);
        await using var second = await TestDatabase.CloneAsync("transmit", Prepare);
        ct.ThrowIfCancellationRequested();
        await using var product = await StartAsync(b => MesuresModule.Build([], b), first);
        await using var floor = await StartAsync(b => Hosts.BuildFloor<MesuresDbContext, TransmitFloor>(MesuresModule.Name, b), second);
        await product.StopRelayAsync();
        await floor.StopRelayAsync();
        var transmit = product.Clients(Roles.Juridiction, s_court, c => new MesureService.MesureServiceClient(c));
        var write = floor.Clients(Roles.Juridiction, s_court, c => new MesureService.MesureServiceClient(c));
        await CompareAsync((transmit[0], first), (write[0], second), ids[0].ToString());

        var (transmitted, written) = (1, 1);
        return Result.AtLeast(Name, "calls/s", await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(transmit, ref transmitted), () => RoundAsync(write, ref written)), Goal);

        Task<double> RoundAsync(MesureService.MesureServiceClient[] clients, ref int used)
        {
            var offset = used;
            used += CallsOfARound;
            return Rounds.ThroughputAsync(Hosts.Callers, CallsOfARound, async (caller, number) => await clients[caller].TransmitMesureAsync(Request(ids[offset + number].ToString())), ct);
        }
    }

    private static Task<ServiceHost> StartAsync(Func<Action<WebApplicationBuilder>, WebApplication> build, TestDatabase database) =>
        ServiceHost.StartAsync(build, ServiceHost.Settings(MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));

    private static TransmitMesureRequest Request(string mesureId) => new() { MesureId = mesureId, RequestId = NewId() };

    private static string NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();

    // One mesure goes the way of the rpcs to its completion; the others are its copies.
    private static async Task PrepareAsync(string connectionString, Guid[] ids)
    {
        await Hosts.MigrateAsync(MesuresModule.Name, connectionString, b => MesuresModule.Build([], b), app => app.MigrateAsync<MesuresDbContext>());
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await ExecuteAsync($$"""
            insert into organisations (id, kind, code) values ('{{s_court}}', 'JURIDICTION', 'tj69123');
            insert into espaces (id, gestionnaire_id, state, agrement_periods, time_zone, departement, version)
            values ('{{s_espace}}', '{{s_gestionnaire}}', 'OUVERT', '[{"from":"2013-09-01"}]', 'Europe/Paris', '69', 1)
            """);
        string model;
        await using (var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), ServiceHost.Settings(MesuresModule.Name, connectionString, ServiceHost.UniquePrefix())))
        {
            await host.StopRelayAsync();
            var court = new MesureService.MesureServiceClient(host.Channel(Roles.Juridiction, s_court));
            model = (await court.CreateMesureAsync(Content())).Mesure.MesureId;
            await court.CompleteMesureAsync(new CompleteMesureRequest { MesureId = model, RequestId = NewId() });
        }

        foreach (var (table, key, id) in new[] { ("mesures", "id", "id, reference"), ("mesure_facts", "mesure_id", "id, mesure_id"), ("parties", "mesure_id", "id, mesure_id"), ("children", "mesure_id", "id, mesure_id") })
        {
            var columns = await ReadAsync(Others.Replace("{0}", table, StringComparison.Ordinal));
            var own = table == "mesures" ? "copy.id, 'BENCH-' || copy.number" : "gen_random_uuid(), copy.id";
            await ExecuteAsync($"insert into {table} ({id}, {columns}) select {own}, {columns} from {table}, unnest(@ids) with ordinality as copy (id, number) where {table}.{key} = '{model}'", ids);
        }

        await ExecuteAsync("truncate outbox_messages, processed_requests, journal_entries");
        await ExecuteAsync("vacuum analyze");
        await ExecuteAsync("checkpoint");

        async Task ExecuteAsync(string sql, Guid[]? parameter = null)
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
            if (parameter is not null)
                command.Parameters.AddWithValue("ids", parameter);
            await command.ExecuteNonQueryAsync();
        }

        async Task<string> ReadAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return (string)(await command.ExecuteScalarAsync())!;
        }
    }

    private static CreateMesureRequest Content()
    {
        var request = new CreateMesureRequest
        {
            Decision = new Decision
            {
                Nature = DecisionNature.Jugement,
                RgNumber = "26/01234",
                DecisionDate = new DateOnly(2026, 3, 2).ToProto(),
                LegalBasis = LegalBasis.Article37329,
                JudgeName = "Juge fictive",
                ParentalAuthority = ParentalAuthority.Joint,
                DurationMonths = 12,
                Periodicity = new Periodicity { RencontreCount = 2, IntervalCount = 1, Unit = PeriodicityUnit.Month },
                RencontreMinutes = 120,
                Modalite = Modalite.Visite,
            },
            EspaceId = s_espace.ToString(),
            RequestId = NewId(),
        };
        request.Parties.Add(new Party { Role = PartyRole.Hote, Kind = PartyKind.Parent, GivenName = "Hote", FamilyName = "Fictif", CommuneInsee = "69123" });
        request.Parties.Add(new Party { Role = PartyRole.Visiteur, Kind = PartyKind.Parent, GivenName = "Visiteur", FamilyName = "Fictif", CommuneInsee = "69266" });
        request.Children.Add(new Child { GivenName = "Enfant", FamilyName = "Fictif", BirthDate = new DateOnly(2019, 5, 4).ToProto() });
        return request;
    }

    // The same rows and the same answer, or the ratio would mean nothing.
    private static async Task CompareAsync(
        (MesureService.MesureServiceClient Client, TestDatabase Database) product, (MesureService.MesureServiceClient Client, TestDatabase Database) floor, string mesureId)
    {
        var (one, other) = ((await product.Client.TransmitMesureAsync(Request(mesureId))).Mesure, (await floor.Client.TransmitMesureAsync(Request(mesureId))).Mesure);
        foreach (var summary in new[] { one, other })
            (summary.HolderSinceTime, summary.UpdateTime) = (null, null);
        if (!one.Equals(other))
            throw new InvalidOperationException("the floor does not give the same answer");
        foreach (var rows in s_written.Select(sql => sql.Replace("{0}", mesureId, StringComparison.Ordinal)))
        {
            if (await product.Database.ReadAsync<string>(rows) is var expected && await floor.Database.ReadAsync<string>(rows) is var actual && expected != actual)
                throw new InvalidOperationException($"the floor does not write the same rows:\n{expected}\n{actual}");
        }
    }
}
