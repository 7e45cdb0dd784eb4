using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The second wall: what a query that goes past the service's own checks sees and writes of others.</summary>
public sealed class RowSecurityTests(MesuresFixture jafer) : IAsyncLifetime, IClassFixture<MesuresFixture>
{
    private const string Denied = PostgresErrorCodes.InsufficientPrivilege;

    private TenantLogin? _login;

    private TenantLogin Login => _login!;

    public async ValueTask InitializeAsync() => _login = await TenantLogin.CreateAsync(jafer.Database);

    public async ValueTask DisposeAsync() => await Login.DisposeAsync();

    [Fact]
    public async Task Catalog_EveryTableOfCalls_IsSecuredButThoseThatAreNobodys()
    {
        Assert.Equal(
            ["__EFMigrationsHistory", "espaces", "organisations", "outbox_messages", "reference_counters", "survey_campaigns"], await RowSecurity.UnsecuredAsync(jafer.Database));
        Assert.Empty(await RowSecurity.LeaksAsync(jafer.Database, "document_is_known", "queue_delays", "queue_survey_of_mesure", "queue_survey_of_rencontres"));
        Assert.Equal(["a_later_table"], (await WithLaterTableAsync()).Except(await RowSecurity.UnsecuredAsync(jafer.Database)));
    }

    [Fact]
    public async Task Query_OfTheHolders_SeesTheirMesureWithAllThatBelongsToIt()
    {
        var own = await jafer.MesureInAsync(MesureState.EnCours);
        await jafer.SlotAsync();

        foreach (var (tenant, role) in new[] { (Court, "juridiction"), (Gestionnaire, "espace") })
        {
            await using var session = await Login.OpenAsync(tenant, role);
            Assert.Contains(own, await session.ReadAllAsync("select id from mesures"));
            Assert.Equal(await CountsAsync(own), await CountsAsync(session, own));
            Assert.Superset(
                new HashSet<string> { "children", "interview_slots", "mesure_facts", "mesures", "parties", "processed_requests", "rencontres" },
                (await RowSecurity.SeenAsync(session)).ToHashSet());
        }
    }

    [Fact]
    public async Task Query_OfAnotherTenantOrNone_SeesNoRowOfAnyTable()
    {
        var mesure = await jafer.MesureInAsync(MesureState.EnCours);
        await jafer.SlotAsync();

        foreach (var tenant in new Guid?[] { OtherGestionnaire, null })
        {
            await using var session = await Login.OpenAsync(tenant);
            Assert.Empty(await RowSecurity.SeenAsync(session));
            Assert.Empty(await session.ReadAllAsync($"select id from mesures where id = '{mesure}' or true"));
            Assert.Empty(await session.ReadAllAsync($"select mesure_id from delay_segments union all select id from ended_mesures"));
            Assert.Empty(await session.ReadAllAsync($"select reference from mesures m join parties p on p.mesure_id = m.id where p.family_name is not null"));

            await session.RunAsync("create temp view peek as select * from mesures; create function pg_temp.peek() returns setof mesures language sql as 'select * from mesures'");
            Assert.Empty(await session.ReadAllAsync("select id from peek union all select id from pg_temp.peek()"));
        }

        // A court sees the slots that are offered to courts, and of other courts nothing else.
        await using var court = await Login.OpenAsync(StableIds.Court("tj99999"), "juridiction");
        Assert.Equal(["interview_slots"], await RowSecurity.SeenAsync(court));
    }

    [Fact]
    public async Task Session_ThatWouldTakeMoreRights_HasNone()
    {
        var mesure = await jafer.MesureInAsync(MesureState.Ordonnee);
        await using var session = await Login.OpenAsync(Court, "juridiction");
        var owner = (await jafer.Database.ReadAsync<string>("select tableowner::text from pg_tables where tablename = 'mesures'"));
        string[] refused =
        [
            "set role jafer_work", $"set role {owner}", $"set session authorization {owner}", "set role none; select * from mesures", "reset session authorization; set role jafer_work",
            "set row_security = off; select * from mesures", "alter table mesures disable row level security", "alter table mesures no force row level security",
            "drop policy calls on mesures", "create policy mine on mesures to jafer_calls using (true)", "truncate mesures cascade", "create table mine as select * from mesures",
            "create function mine() returns int language sql security definer as 'select 1'", "alter role jafer_calls bypassrls", "select secure_rows('mesures', 'true')",
            "select * from delay_counts", "select * from bulk_jobs", "select * from inbox_messages", "select * from outbox_messages", "select * from mesure_returns",
            "delete from mesure_facts", "update mesure_facts set act = act", "select * from journal.entries", "update journal.entries set rpc = rpc", "delete from journal.entries", "select * from journal.seals",
            "copy parties from program 'true'", "update espaces set gestionnaire_id = gestionnaire_id",
        ];

        foreach (var sql in refused)
        {
            Assert.True(await session.RefusalAsync(sql) == Denied, sql);
        }

        // What is reset is as if nothing had been set; the role that was taken with the connection stays.
        foreach (var reset in new[] { "reset jafer.tenant", "reset all", "reset role; reset jafer.tenant", "discard all", "set jafer.tenant = ''" })
        {
            await using var other = await Login.OpenAsync(Court, "juridiction");
            Assert.Contains(mesure, await other.ReadAllAsync("select id from mesures"));
            await other.RunAsync(reset);
            Assert.Equal(["jafer_calls"], await other.ReadAllAsync("select current_user"));
            Assert.Empty(await other.ReadAllAsync("select id from mesures"));
        }
    }

    [Fact]
    public async Task Write_ToWhatIsAnothers_IsRefusedOrConcernsNoRow()
    {
        var mesure = await jafer.MesureInAsync(MesureState.EnCours);
        var foreign = (await jafer.AsOtherCourt.CreateMesureAsync(Content())).Mesure.MesureId;
        await using var session = await Login.OpenAsync(Court, "juridiction");
        string[] refused =
        [
            // Away to others: a mesure alone, and what belongs to one.
            $"update mesures set juridiction_id = '{OtherCourt}', gestionnaire_id = null where id = '{mesure}'",
            $"update parties set mesure_id = '{foreign}' where mesure_id = '{mesure}'",
            $"update children set mesure_id = '{foreign}' where mesure_id = '{mesure}'",
            $"update rencontres set mesure_id = '{foreign}' where mesure_id = '{mesure}'",
            // Rows that are another's from the beginning.
            $"insert into children (id, mesure_id, position, given_name, family_name, needs) values (gen_random_uuid(), '{foreign}', 9, 'A', 'B', '{{}}')",
            $"insert into mesure_facts (id, mesure_id, version, act, occurred_at, recorded_at, details) values (gen_random_uuid(), '{foreign}', 99, 'TRANSMIT', now(), now(), '{{}}')",
            $"insert into journal.entries (subject, role, organisation_id, rpc, resources, outcome, is_write) values ('s', 'espace', '{OtherCourt}', 'x', array['y'], 'OK', true)",
            $"insert into processed_requests (caller, request_id, method, request_hash, response, created_at, organisation_id) values ('x', gen_random_uuid(), 'm', '', '', now(), '{OtherCourt}')",
            $"insert into deadlines (mesure_id, kind, must_act, due_at) values ('{foreign}', 'RETRIEVAL', 'ESPACE', now())",
        ];

        foreach (var sql in refused)
        {
            Assert.True(await session.RefusalAsync(sql) == Denied, sql);
        }

        foreach (var sql in new[]
        {
            $"update mesures set closure_comment = 'x' where id = '{foreign}'", $"delete from parties where mesure_id = '{foreign}'",
            $"update children set given_name = 'x' where mesure_id = '{foreign}'", $"delete from deadlines where mesure_id = '{foreign}'",
            $"update processed_requests set response = '' where organisation_id = '{OtherCourt}'",
        })
        {
            Assert.True(await session.RunAsync(sql) == 0, sql);
        }
    }

    [Fact]
    public async Task Chunk_OfADocumentOfAnother_CannotBeAdded()
    {
        var mesure = await jafer.MesureInAsync(MesureState.Ordonnee);
        var document = Guid.Parse(NewId());
        await jafer.Database.RunAsync($"""
            insert into decision_documents (id, mesure_id, content_id, number, size_bytes, sha256, attached_at)
            values ('{document}', '{mesure}', '{document}', 1, 1, sha256('x'), now());
            insert into decision_document_chunks (document_id, number, data) values ('{document}', 0, 'x')
            """);
        await using var own = await Login.OpenAsync(Court, "juridiction");
        await using var other = await Login.OpenAsync(OtherCourt, "juridiction");

        Assert.Equal(["0"], await own.ReadAllAsync($"select number from decision_document_chunks where document_id = '{document}'"));
        Assert.Empty(await other.ReadAllAsync("select number from decision_document_chunks"));
        Assert.Equal(Denied, await other.RefusalAsync($"insert into decision_document_chunks (document_id, number, data) values ('{document}', 1, 'y')"));
    }

    [Fact]
    public async Task Store_ForACallerOfTheirOwnThingsAlone_AddsWhatTheQueryForgot()
    {
        var mesure = await jafer.MesureInAsync(MesureState.Transmise);
        var store = jafer.First.App.Services.GetRequiredService<TenantStore>();

        Assert.Contains(mesure, await ReadAsync("own", Court));
        Assert.Contains(mesure, await ReadAsync("own", Gestionnaire));
        Assert.DoesNotContain(mesure, await ReadAsync("own", OtherCourt));
        Assert.Contains(mesure, await ReadAsync("any", OtherCourt));
        // Nothing stays on the connections of the pool.
        Assert.Empty(await ReadAsync("own", OtherGestionnaire));

        async Task<List<string>> ReadAsync(string cell, Guid organisation)
        {
            var caller = new Caller("subject", "juridiction", organisation, false, null, AccessCell.Parse(cell), DateTimeOffset.MaxValue);
            await using var reader = await store.ReadAsync(caller, "select id from mesures where @all", [new NpgsqlParameter<bool>("all", true)], TestContext.Current.CancellationToken);
            var ids = new List<string>();
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            {
                ids.Add(reader.GetGuid(0).ToString());
            }

            return ids;
        }
    }

    [Fact]
    public async Task Service_WithALoginForEachRole_MigratesAndServesAsInProduction()
    {
        var owner = $"jafer_test_owner_{Environment.ProcessId}";
        await jafer.Database.RunAsync($"create role {owner} login password '{owner}'; grant jafer_calls, jafer_work to {owner}");
        var database = await TestDatabase.CreateAsync(Servers.Postgres, MesuresModule.Name, async connection =>
        {
            var named = new NpgsqlConnectionStringBuilder(connection);
            await jafer.Database.RunAsync($"alter database {named.Database} owner to {owner}");
            await MigrateAsync(new NpgsqlConnectionStringBuilder(connection) { Username = owner, Password = owner, Pooling = false }.ConnectionString);
        });
        try
        {
            await using var calls = await TenantLogin.CreateAsync(database);
            await using var work = await TenantLogin.CreateAsync(database, "jafer_work");
            var settings = ServiceHost.Settings(MesuresModule.Name, work.ConnectionString, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
            {
                [$"ConnectionStrings:{MesuresModule.Name}-calls"] = calls.ConnectionString,
            });
            await using (var host = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), settings))
            {
                var court = new MesureService.MesureServiceClient(host.Channel("juridiction", Court));
                var id = (await court.CreateMesureAsync(Content(r => r.EspaceId = ""))).Mesure.MesureId;
                Assert.Equal(id, (await court.GetMesureAsync(new GetMesureRequest { MesureId = id })).Mesure.Summary.MesureId);
                var other = new MesureService.MesureServiceClient(host.Channel("juridiction", OtherCourt));
                Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(other.GetMesureAsync(new GetMesureRequest { MesureId = id }))).Reason);
                await host.ReadyAsync();

                // Whoever owns the tables sees all rows in the migrations to come, by the rights of the service's work.
                await using var later = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = owner, Password = owner, Pooling = false }.ConnectionString);
                await later.OpenAsync(TestContext.Current.CancellationToken);
                Assert.Equal(1, await later.RunAsync("update mesures set closure_comment = 'x'"));
                NpgsqlConnection.ClearAllPools();
            }
        }
        finally
        {
            await database.DisposeAsync();
            await jafer.Database.RunAsync($"drop role {owner}");
        }
    }

    private async Task<IReadOnlyList<string>> WithLaterTableAsync()
    {
        await jafer.Database.RunAsync("create table a_later_table (mesure_id uuid)");
        try
        {
            return await RowSecurity.UnsecuredAsync(jafer.Database);
        }
        finally
        {
            await jafer.Database.RunAsync("drop table a_later_table");
        }
    }

    private async Task<string> CountsAsync(string mesure)
    {
        await using var all = new NpgsqlConnection(jafer.Database.ConnectionString + ";Pooling=false");
        await all.OpenAsync();
        return await CountsAsync(all, mesure);
    }

    private static async Task<string> CountsAsync(NpgsqlConnection session, string mesure) => string.Join(' ', await session.ReadAllAsync(string.Join(" union all ", new[]
    {
        "mesure_facts", "parties", "children", "rencontres", "difficulties", "information_exchanges", "decision_versions", "external_alerts", "interviews", "decision_documents",
        "deadlines", "reminders", "intake_sequences",
    }.Select(table => $"select '{table} ' || count(*) from {table} where mesure_id = '{mesure}'"))));
}
