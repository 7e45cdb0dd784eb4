using System.Diagnostics;
using System.Globalization;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Survey;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Secrets;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// The national survey from nothing: every mesure of the nation counted into the figures of its years (22,000 mesures and 300,000
/// rencontres a year), against reading the same rows once by raw Npgsql. And what is read of it afterwards.
/// </summary>
internal static class SurveyBenchmark
{
    public const string Name = "survey";
    public const string TwentyName = "survey-20";

    private const double Goal = 6;
    private const int MesuresOfAYear = 22_000;
    private const int RencontresOfAMesure = 14;
    private const int Gestionnaires = 197;
    private const int FillSeconds = 1800;

    public static Task<Result> RunAsync(CancellationToken ct) => OfYearsAsync(Name, 1, 3, ct);

    public static Task<Result> RunTwentyAsync(CancellationToken ct) => OfYearsAsync(TwentyName, 20, 1, ct);

    private static async Task<Result> OfYearsAsync(string name, int years, int rounds, CancellationToken ct)
    {
        await using var database = await TestDatabase.CreateAsync(Servers.Postgres, MesuresModule.Name, connection =>
            Hosts.MigrateAsync(MesuresModule.Name, connection, b => MesuresModule.Build([], b), app => app.MigrateAsync<MesuresDbContext>()));
        await using var host = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), ServiceHost.Settings(
            MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix(),
            new Dictionary<string, string?>
            {
                ["Deadlines:SweepInterval"] = "1.00:00:00",
                ["Delays:FoldInterval"] = "1.00:00:00",
                ["Survey:FoldInterval"] = "1.00:00:00",
                ["Offers:Interval"] = "1.00:00:00",
            }));
        await host.StopRelayAsync();
        var fold = host.App.Services.GetRequiredService<SurveyFold>();
        // What a service does once, over all rows, is done before there are any.
        await host.App.Services.GetRequiredService<SealingWork<MesuresDbContext>>().SealAsync(ct);
        await host.App.Services.GetRequiredService<IndexRenewal>().RenewAsync(ct);
        await fold.FoldAsync(ct);
        await FillAsync(database, host, MesuresOfAYear * years);
        // A service has counted before it counts everything anew.
        await database.RunAsync($"insert into survey_queue (mesure_id) select id from mesures where gestionnaire_id is not null order by transmitted_at desc limit {MesuresOfAYear}", FillSeconds);
        await fold.FoldAsync(ct);
        var result = await Rounds.RunAsync(0, rounds, CountAsync, ReadAsync);
        var statistician = new SurveyService.SurveyServiceClient(host.Channel(Roles.Statisticien, Guid.CreateVersion7(TimeProvider.System.GetUtcNow())));
        var start = Stopwatch.GetTimestamp();
        for (var year = 0; year < years; year++)
        {
            await statistician.GetTerritorySurveyAsync(new GetTerritorySurveyRequest { Year = 2025 - year }, cancellationToken: ct);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  the figures of {years} years by département are read in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.00} s"));
        return Result.AtMost(name, "s", result, Goal);

        async Task<double> CountAsync()
        {
            await database.RunAsync("truncate survey_entries, survey_counts, survey_queue; insert into survey_queue (mesure_id) select id from mesures where gestionnaire_id is not null order by transmitted_at", FillSeconds);
            var begun = Stopwatch.GetTimestamp();
            await fold.FoldAsync(ct);
            var took = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var received = await database.ReadAsync<long>("select sum(count)::bigint from survey_counts, unnest(figures, counts) as f (figure, count) where figure = 1");
            return received == MesuresOfAYear * years ? took : throw new InvalidOperationException($"{received} mesures counted");
        }

        async Task<double> ReadAsync()
        {
            var begun = Stopwatch.GetTimestamp();
            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync(ct);
            var rows = 0L;
            foreach (var query in new[]
            {
                "select id, gestionnaire_id, espace_departement, nature, transmitted_at, visiteur_contact_at, first_scheduling_at, first_planned_rencontre_at, closed_at, closure_reason from mesures",
                "select mesure_id, starts_at, outcome, present_child_ids from rencontres", "select id, mesure_id, birth_date from children",
            })
            {
                await using var command = new NpgsqlCommand(query, connection) { CommandTimeout = 3600 };
                await using var reader = await command.ExecuteReaderAsync(ct);
                var values = new object[reader.FieldCount];
                while (await reader.ReadAsync(ct))
                {
                    reader.GetValues(values);
                    rows++;
                }
            }

            return rows > MesuresOfAYear * years * RencontresOfAMesure ? Stopwatch.GetElapsedTime(begun).TotalSeconds : throw new InvalidOperationException($"{rows} rows");
        }
    }

    private static async Task FillAsync(TestDatabase database, ServiceHost host, int mesures)
    {
        var court = new MesureService.MesureServiceClient(host.Channel(Roles.Juridiction, StressMesures.Court(0)));
        await court.CreateMesureAsync(new CreateMesureRequest
        {
            Decision = new Decision { DecisionDate = new DateOnly(2026, 1, 5).ToProto(), LegalBasis = LegalBasis.Article37329, DurationMonths = 12, Modalite = Modalite.Visite },
            Children = { new Child { GivenName = "Alix", FamilyName = "Fictif", BirthDate = new DateOnly(2020, 1, 5).ToProto() } },
            RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(),
        });
        const string Own = "id, reference, gestionnaire_id, espace_departement, state, transmitted_at, visiteur_contact_at, first_scheduling_at, first_planned_rencontre_at, first_held_rencontre_at, ever_scheduled, closed_at, closure_reason";
        var others = await database.ReadAsync<string>($"""
            select string_agg(quote_ident(column_name), ', ') from information_schema.columns
            where table_schema = 'public' and table_name = 'mesures' and column_name <> all(string_to_array(replace('{Own}', ' ', ''), ','))
            """);
        // Six million rows: indexes are made once over all of them, and what the rows refer to is not looked up. Ids are in the order of
        // time, as those that the services make are.
        const string Indexes = "from pg_index i where i.indrelid in ('mesures'::regclass, 'rencontres'::regclass, 'children'::regclass) and not exists (select from pg_constraint c where c.conindid = i.indexrelid)";
        var make = await database.ReadAsync<string>($"select string_agg(pg_get_indexdef(i.indexrelid), ';') {Indexes}");
        var drop = await database.ReadAsync<string>($"select string_agg('drop index ' || i.indexrelid::regclass, ';') {Indexes}");
        var gestionnaires = string.Join(',', Enumerable.Range(0, Gestionnaires).Select(StressMesures.Gestionnaire));
        await database.RunAsync($"""
            set session_replication_role = replica; set maintenance_work_mem = '1GB'; set work_mem = '256MB';
            create function pg_temp.id_of(made timestamptz) returns uuid language sql as $$
                select (lpad(to_hex((extract(epoch from made) * 1000)::bigint), 12, '0') || '7' || right(gen_random_uuid()::text, 21))::uuid $$;
            {drop};
            update mesures set espace_id = gen_random_uuid();
            create temporary table model as select * from mesures; create temporary table child as select * from children;
            insert into mesures ({Own}, {others})
            select pg_temp.id_of(d.day), 'BENCH-' || i, (string_to_array('{gestionnaires}', ','))[1 + i % {Gestionnaires}]::uuid, lpad((1 + i % {Gestionnaires} % 95)::text, 2, '0'),
                case when d.day < '2025-03-01' then 'CLOTUREE' else 'EN_COURS' end, d.day, d.day + interval '20 days', d.day + interval '60 days', d.day + interval '80 days', d.day + interval '80 days', true,
                case when d.day < '2025-03-01' then d.day + interval '300 days' end, case when d.day < '2025-03-01' then 'ARRIVEE_A_TERME' else 'UNSPECIFIED' end, {others}
            from model, generate_series(1, {mesures}) i
                cross join lateral (select timestamptz '2025-12-31 12:00Z' - interval '1 day' * ((i - 1) / {MesuresOfAYear} * 365.25 + (i % 365)) as day) d;
            insert into children select (jsonb_populate_record(c, jsonb_build_object('id', pg_temp.id_of(m.transmitted_at), 'mesure_id', m.id))).* from child c, mesures m where m.reference like 'BENCH-%';
            insert into rencontres (id, mesure_id, starts_at, duration_minutes, time_zone, outcome, visiteur_present, present_child_ids, modalite, outing, kind, return_outcome, presences, over_capacity,
                arrivals_hote_arrival, arrivals_visiteur_arrival, arrivals_visiteur_departure, arrivals_hote_departure, arrivals_separated)
            select pg_temp.id_of(m.transmitted_at + interval '1 day' * (66 + 14 * n)), c.mesure_id, m.transmitted_at + interval '1 day' * (80 + 14 * n), 60, 'Europe/Paris', case when n % 5 = 0 then 'VISITEUR_ABSENT' else 'HELD' end, n % 5 <> 0,
                case when n % 5 = 0 then array[]::uuid[] else array[c.id] end, 'VISITE', false, 'VISITE', 'UNSPECIFIED', '[]', false, 0, 0, 0, 0, false
            from children c join mesures m on m.id = c.mesure_id, generate_series(1, {RencontresOfAMesure}) n where m.reference like 'BENCH-%';
            delete from children where mesure_id in (select id from model);
            {make};
            """, FillSeconds);
        await database.RunAsync("vacuum analyze", FillSeconds);
        await database.RunAsync("checkpoint", FillSeconds);
    }
}
