using Jafer.Testing;
using Npgsql;

namespace Jafer.Messaging.Tests;

/// <summary>The second wall: what a query that goes past the service's own checks sees and writes of others' threads.</summary>
public sealed class RowSecurityTests(MessagingFixture fixture)
{
    private const string Denied = PostgresErrorCodes.InsufficientPrivilege;

    [Fact]
    public async Task Catalog_EveryTableOfCalls_IsSecuredButThoseThatAreNobodys()
    {
        Assert.Equal(["__EFMigrationsHistory", "courts", "espaces", "outbox_messages"], await RowSecurity.UnsecuredAsync(fixture.Database));
        Assert.Empty(await RowSecurity.LeaksAsync(fixture.Database, "attachment_is_known"));
    }

    [Fact]
    public async Task Query_UnderATenant_SeesItsThreadsAlone()
    {
        var mesure = await fixture.OpenThreadAsync();
        var foreign = await fixture.OpenThreadAsync();
        await fixture.Court(mesure).SayAsync(mesure, "Bonjour");
        await using var login = await TenantLogin.CreateAsync(fixture.Database);

        foreach (var tenant in new[] { mesure.JuridictionId, mesure.GestionnaireId })
        {
            await using var session = await login.OpenAsync(tenant);
            Assert.Equal([mesure.Id.ToString()], await session.ReadAllAsync("select thread_id from threads"));
            Assert.Equal([mesure.Id.ToString()], await session.ReadAllAsync("select distinct thread_id from messages"));
            Assert.Empty(await session.ReadAllAsync($"select body from messages where thread_id = '{foreign.Id}'"));
        }

        foreach (var tenant in new Guid?[] { Guid.Empty, null })
        {
            await using var session = await login.OpenAsync(tenant, "juridiction");
            Assert.Empty(await RowSecurity.SeenAsync(session));
        }
    }

    [Fact]
    public async Task Write_ToWhatIsAnothers_IsRefusedOrConcernsNoRow()
    {
        var mesure = await fixture.OpenThreadAsync();
        var foreign = await fixture.OpenThreadAsync();
        await fixture.Court(mesure).SayAsync(mesure, "Bonjour");
        await using var login = await TenantLogin.CreateAsync(fixture.Database);
        await using var session = await login.OpenAsync(mesure.JuridictionId, "juridiction");

        foreach (var sql in new[]
        {
            $"update threads set juridiction_id = '{foreign.JuridictionId}', gestionnaire_id = '{foreign.GestionnaireId}'",
            $"insert into receipts (thread_id, organisation_id, person_id, position, read_at) values ('{foreign.Id}', '{mesure.JuridictionId}', '', 1, now())",
            $"insert into participants (thread_id, organisation_id, contact_id, role, assigned_at) values ('{foreign.Id}', '{mesure.JuridictionId}', 'x', 'LECTEUR', now())",
            "update messages set body = body", "delete from messages", "set role jafer_work", "set row_security = off; select * from threads",
        })
        {
            Assert.True(await session.RefusalAsync(sql) == Denied, sql);
        }

        Assert.Equal(0, await session.RunAsync($"update threads set closed_at = now() where thread_id = '{foreign.Id}'"));
        Assert.Equal(0, await session.RunAsync($"delete from receipts where thread_id = '{foreign.Id}'"));
    }

    [Fact]
    public async Task Attachment_UntilAMessageNamesIt_IsItsUploadersAlone()
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = Guid.Parse("0198a000-0000-7000-8000-000000000001");
        await fixture.Database.RunAsync($"""
            insert into attachments (attachment_id, thread_id, organisation_id, file_name, media_type, size_bytes, sha256, state, created_at, failures, next_check_at)
            values ('{file}', '{mesure.Id}', '{mesure.JuridictionId}', 'x', 'application/pdf', 1, sha256('x'), 'QUARANTAINE', now(), 0, now() + interval '1 day');
            insert into attachment_chunks (attachment_id, number, data) values ('{file}', 0, 'x')
            """);
        await using var login = await TenantLogin.CreateAsync(fixture.Database);
        await using var court = await login.OpenAsync(mesure.JuridictionId, "juridiction");
        await using var espace = await login.OpenAsync(mesure.GestionnaireId);

        const string Seen = "select number from attachments join attachment_chunks using (attachment_id) union all select number from attachment_chunks";
        Assert.Equal(["0", "0"], await court.ReadAllAsync(Seen));
        Assert.Empty(await espace.ReadAllAsync(Seen));
        Assert.Equal(Denied, await espace.RefusalAsync($"insert into attachment_chunks (attachment_id, number, data) values ('{file}', 1, 'y')"));
    }
}
