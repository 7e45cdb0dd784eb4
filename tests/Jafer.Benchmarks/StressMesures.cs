using System.Globalization;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Mesures.Delays;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// The mesure service over 20,000 mesures, about a year of France, and over 2,000,000, about ninety: the same open ones in both,
/// all others closed. Made once for all benchmarks that need it, by SQL.
/// </summary>
internal sealed class StressMesures
{
    public const int Few = 20_000;
    public const int Many = 2_000_000;

    private const int Open = 16_000;
    private const int Courts = 164;
    private const int Espaces = 250;

    private static readonly Dictionary<int, Task<StressMesures>> s_made = [];

    private readonly TestDatabase _database;
    private readonly ServiceHost _host;

    private StressMesures(TestDatabase database, ServiceHost host) => (_database, _host) = (database, host);

    public static Guid Court(int number) => StableIds.For(string.Create(CultureInfo.InvariantCulture, $"bench:court:{number % Courts}"));

    public static Guid Gestionnaire(int number) => StableIds.For(string.Create(CultureInfo.InvariantCulture, $"bench:gestionnaire:{number % Espaces}"));

    /// <summary>The service with so many mesures.</summary>
    public static Task<StressMesures> OfAsync(int mesures)
    {
        if (!s_made.TryGetValue(mesures, out var made))
        {
            s_made[mesures] = made = MakeAsync(mesures);
        }

        return made;
    }

    public T Client<T>(string role, Guid organisation, Func<Grpc.Net.Client.GrpcChannel, T> make) => make(_host.Channel(role, organisation));

    private static async Task<StressMesures> MakeAsync(int mesures)
    {
        var database = await TestDatabase.CreateAsync(Servers.Postgres, MesuresModule.Name, connection =>
            Hosts.MigrateAsync(MesuresModule.Name, connection, b => MesuresModule.Build([], b), app => app.MigrateAsync<MesuresDbContext>()));
        var host = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), ServiceHost.Settings(
            MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix(),
            new Dictionary<string, string?> { ["Deadlines:SweepInterval"] = "1.00:00:00", ["Delays:FoldInterval"] = "1.00:00:00", ["Survey:FoldInterval"] = "1.00:00:00" }));
        AppDomain.CurrentDomain.ProcessExit += (_, _) => DisposeAsync().GetAwaiter().GetResult();
        await host.StopRelayAsync();
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await FillAsync(connection, host, mesures);
        await host.App.Services.GetRequiredService<DelayFold>().FoldAsync(default, 100_000);
        await RunAsync(connection, "vacuum analyze");
        await RunAsync(connection, "checkpoint");
        return new StressMesures(database, host);

        async Task DisposeAsync()
        {
            await host.DisposeAsync();
            await database.DisposeAsync();
        }
    }

    private static async Task FillAsync(NpgsqlConnection connection, ServiceHost host, int mesures)
    {
        // One mesure of the rpcs is the model of the columns that lists and delays do not look at.
        var court = new MesureService.MesureServiceClient(host.Channel(Roles.Juridiction, Court(0)));
        await court.CreateMesureAsync(new CreateMesureRequest
        {
            Decision = new Decision { DecisionDate = new DateOnly(2026, 1, 5).ToProto(), LegalBasis = LegalBasis.Article37329, DurationMonths = 12, Modalite = Modalite.Visite },
            RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(),
        });
        var indexes = await ReadAsync(connection, "select string_agg(indexdef, ';') from pg_indexes where tablename = 'mesures' and indexname like 'mesures_o%'");
        await RunAsync(connection, await ReadAsync(connection, "select string_agg('drop index ' || indexname, ';') from pg_indexes where tablename = 'mesures' and indexname like 'mesures_o%'"));
        var own = """
            id, reference, juridiction_id, espace_id, gestionnaire_id, state, holder, holder_since, decision_date, decision_modalite, transmitted_at, delivered_at, retrieved_at,
            acknowledged_at, charge_taken_at, visiteur_contact_at, first_scheduling_at, first_held_rencontre_at, ever_scheduled, closed_at, closure_reason, next_due_at,
            deadlines_version, created_at, updated_at, open_difficulties, term
            """;
        var others = await ReadAsync(connection, $"""
            select string_agg(quote_ident(column_name), ', ') from information_schema.columns
            where table_schema = 'public' and table_name = 'mesures' and column_name <> all(string_to_array(regexp_replace('{own}', '\s', '', 'g'), ','))
            """);
        await using (var fill = new NpgsqlCommand($"""
            insert into mesures ({own}, {others})
            select gen_random_uuid(), 'BENCH-' || i, (@courts::uuid[])[1 + i % {Courts}], (@espaces::uuid[])[1 + i % {Espaces}], (@gestionnaires::uuid[])[1 + i % {Espaces}],
                case when not f.open then 'CLOTUREE' else (array['ORDONNEE', 'COMPLETEE', 'TRANSMISE', 'RECUE', 'PRISE_EN_CHARGE', 'EN_ATTENTE', 'PROGRAMMEE', 'EN_COURS'])[1 + f.step] end,
                case when not f.open then 'PERSONNE' when f.step < 2 then 'JURIDICTION' else 'ESPACE' end, coalesce(t.t8, t.t6, t.t4, t.t3, t.t2, d.day)::timestamptz,
                d.day, (array['VISITE', 'VISITE', 'REMISE_ENFANT', 'VISITE_AVEC_SORTIE'])[1 + i % 4], t.t2, t.t2, t.t3, t.t3, t.t3, t.t4, t.t6, t.t8, t.t6 is not null,
                case when not f.open then coalesce(t.t8, t.t2) + interval '200 days' end, case when f.open then 'UNSPECIFIED' else 'AUTRE' end,
                case when f.open then coalesce(t.t8, t.t6, t.t4, t.t3, t.t2, d.day) + interval '9 days' else '9999-12-30Z' end, 1, d.day, d.day,
                case when f.open and i % 20 = 0 then 1 else 0 end, d.day + 365, {others}
            from (select {others} from mesures limit 1) m, generate_series(1, @mesures) i
                cross join lateral (select i > @mesures - {Open} as open, i % 8 as step, random() + 0 * i as a, random() + 0 * i as b, random() + 0 * i as c, random() + 0 * i as e) f
                cross join lateral (select case when f.open then current_date - (f.a * 300)::integer else current_date - 300 - ((@mesures - i) / 22000.0 * 365)::integer end as day) d
                cross join lateral (select
                    case when not f.open or f.step >= 2 then d.day + (f.a * 24)::integer end::timestamptz as t2,
                    case when not f.open or f.step >= 3 then d.day + (f.a * 24 + f.b * 5)::integer end::timestamptz as t3,
                    case when (not f.open and f.e < 0.85) or (f.open and f.step >= 5) then d.day + (f.a * 24 + f.b * 5 + f.c * 60)::integer end::timestamptz as t4,
                    case when (not f.open and f.e < 0.75) or (f.open and f.step >= 6) then d.day + (f.a * 24 + f.b * 5 + f.c * 60 + f.b * f.e * 200)::integer end::timestamptz as t6,
                    case when (not f.open and f.e < 0.72) or (f.open and f.step >= 7) then d.day + (f.a * 24 + f.b * 65 + f.c * 60 + f.b * f.e * 200)::integer end::timestamptz as t8) t
            """, connection) { CommandTimeout = 3600 })
        {
            fill.Parameters.AddWithValue("courts", Enumerable.Range(0, Courts).Select(Court).ToArray());
            fill.Parameters.AddWithValue("espaces", Enumerable.Range(0, Espaces).Select(n => StableIds.For(string.Create(CultureInfo.InvariantCulture, $"bench:espace:{n}"))).ToArray());
            fill.Parameters.AddWithValue("gestionnaires", Enumerable.Range(0, Espaces).Select(Gestionnaire).ToArray());
            fill.Parameters.AddWithValue("mesures", mesures);
            await fill.ExecuteNonQueryAsync();
        }

        await RunAsync(connection, indexes);
        await RunAsync(connection, """
            insert into deadlines (mesure_id, kind, must_act, due_at)
            select id, k.kind, 'ESPACE', next_due_at + k.later * interval '1 day'
            from mesures, (values ('ACKNOWLEDGE', 0), ('RETRIEVAL', 5), ('CONTACT_DEADLINE', 20), ('TERM_PASSED', 200)) k (kind, later) where state <> 'CLOTUREE';
            insert into difficulties (id, mesure_id, reason, state, comment, answer, answer_comment, reported_at, rule_codes, proposed_closure)
            select gen_random_uuid(), id, 'CAPACITY', 'OPEN', in_clear(''), 'UNSPECIFIED', in_clear(''), holder_since, '{}', 'UNSPECIFIED' from mesures where open_difficulties > 0
            """);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 3600 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> ReadAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
