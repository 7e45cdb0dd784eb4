using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>Databases of the mesure service with thousands of mesures that are alike.</summary>
internal static class MesureCopies
{
    // The columns of a table but those given, for copying rows.
    private const string Others = """
        select string_agg(quote_ident(column_name), ', ') from information_schema.columns
        where table_schema = 'public' and table_name = '{0}' and column_name not in ('id', 'mesure_id', 'reference', 'return_index')
        """;

    public static Guid Court { get; } = StableIds.Court("tj69123");

    public static Guid Gestionnaire { get; } = StableIds.Gestionnaire("bench", "G1");

    public static Guid Espace { get; } = StableIds.Espace("bench", "E1");

    public static string NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();

    /// <summary>Makes an empty database hold mesures: one goes the way of the rpcs, the others are its copies.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="ids">Ids of the copies.</param>
    /// <param name="model">Brings the one to where all are to stand, and gives its id.</param>
    public static async Task PrepareAsync(string connectionString, Guid[] ids, Func<ServiceHost, MesureService.MesureServiceClient, Task<string>> model)
    {
        await Hosts.MigrateAsync(MesuresModule.Name, connectionString, b => MesuresModule.Build([], b), app => app.MigrateAsync<MesuresDbContext>());
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await ExecuteAsync($$"""
            insert into organisations (id, kind, code) values ('{{Court}}', 'JURIDICTION', 'tj69123');
            insert into espaces (id, gestionnaire_id, state, agrement_periods, capacities, time_zone, departement, version)
            values ('{{Espace}}', '{{Gestionnaire}}', 'OUVERT', '[{"from":"2013-09-01"}]', '[]', 'Europe/Paris', '69', 1)
            """);
        string original;
        await using (var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), ServiceHost.Settings(MesuresModule.Name, connectionString, ServiceHost.UniquePrefix())))
        {
            await host.StopRelayAsync();
            original = await model(host, new MesureService.MesureServiceClient(host.Channel(Roles.Juridiction, Court)));
        }

        foreach (var (table, key, id) in new[] { ("mesures", "id", "id, reference"), ("mesure_facts", "mesure_id", "id, mesure_id"), ("parties", "mesure_id", "id, mesure_id"), ("children", "mesure_id", "id, mesure_id, return_index"), ("deadlines", "mesure_id", "mesure_id") })
        {
            var columns = await ReadAsync(Others.Replace("{0}", table, StringComparison.Ordinal));
            // Other children each: one child with thousands of mesures would come back to all of them.
            var own = table switch
            {
                "mesures" => "copy.id, 'BENCH-' || copy.number",
                "deadlines" => "copy.id",
                "children" => "gen_random_uuid(), copy.id, copy.id::text",
                _ => "gen_random_uuid(), copy.id",
            };
            await ExecuteAsync($"insert into {table} ({id}, {columns}) select {own}, {columns} from {table}, unnest(@ids) with ordinality as copy (id, number) where {table}.{key} = '{original}'", ids);
        }

        await ExecuteAsync("truncate outbox_messages, processed_requests");
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

    /// <summary>Transmits a mesure to the espace.</summary>
    public static async Task<string> TransmittedAsync(MesureService.MesureServiceClient court)
    {
        var id = (await court.CreateMesureAsync(Content())).Mesure.MesureId;
        await court.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() });
        await court.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() });
        return id;
    }

    /// <summary>A whole and lawful content.</summary>
    public static CreateMesureRequest Content() => TestDraft.Content(Espace);
}
