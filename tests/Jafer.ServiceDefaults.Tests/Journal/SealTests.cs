using Jafer.Cli.Journal;
using Jafer.ServiceDefaults.Journal;
using Jafer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.ServiceDefaults.Tests.Journal;

/// <summary>The seals of the access journal and their verifier, on lines written by SQL.</summary>
public sealed class SealTests : IAsyncLifetime
{
    private static string Insert(int count) => $"""
        insert into journal.entries (subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, resources, purpose, outcome, is_write, trace_id)
        select 'subject', 'issuer', 'espace', '0198d9b0-0000-7000-8000-000000000001', true, 'somebody', '/rpc', array['mesures/1', 'notes/2'], 'AUDIENCE', 'OK', false, 'trace'
        from generate_series(1, {count})
        """;

    private TestDatabase? _database;
    private NpgsqlDataSource? _source;

    private TestDatabase Database => _database!;

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        _source = NpgsqlDataSource.Create(Database.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _source!.DisposeAsync();
        await Database.DisposeAsync();
    }

    [Fact]
    public async Task Verify_WhatWasSealed_IsWholeAndNamesTheTail()
    {
        await WriteAsync(3);
        Assert.Equal(3, (await SealAsync())?.LineCount);
        Assert.Null(await SealAsync());
        await WriteAsync(2);
        var second = await SealAsync();
        await WriteAsync(4);

        var verdict = await VerifyAsync();

        Assert.Empty(verdict.Faults);
        Assert.Equal((5, 2, 0), (verdict.LineCount, verdict.SealCount, verdict.ExpiredCount));
        Assert.Equal($"2:{Convert.ToHexStringLower(second!.Hash)}", verdict.Head!.ToString());
        Assert.Equal(4, verdict.Tail.Count);
        Assert.Equal(3, verdict.Tail.Last - verdict.Tail.First);
        Assert.Contains("unsealed tail: 4 lines", string.Join('\n', JournalCheck.Describe("probe", verdict)), StringComparison.Ordinal);
        Assert.Empty((await VerifyAsync(since: 2, head: verdict.Head)).Faults);
    }

    [Fact]
    public async Task Seal_LineThatCommitsLate_IsUnderTheNextAndHoldsBackNobody()
    {
        await using var slow = await _source!.OpenConnectionAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        await using (var insert = new NpgsqlCommand(Insert(2), slow))
        {
            await insert.ExecuteNonQueryAsync();
        }

        await WriteAsync(3);
        Assert.Equal(3, (await SealAsync())?.LineCount);
        await WriteAsync(1);
        Assert.Equal(1, (await SealAsync())?.LineCount);
        Assert.Null(await SealAsync());
        await transaction.CommitAsync();
        Assert.Equal(2, (await SealAsync())?.LineCount);

        var verdict = await VerifyAsync();
        Assert.Empty(verdict.Faults);
        Assert.Equal((6, 3, 0), (verdict.LineCount, verdict.SealCount, verdict.Tail.Count));
    }

    [Fact]
    public async Task Seal_ByManyReplicasWhileLinesCome_TakesEachLineOnce()
    {
        var writers = Enumerable.Range(0, 4).Select(async _ =>
        {
            for (var i = 0; i < 15; i++)
            {
                await WriteAsync(3);
            }
        });
        var sealers = Enumerable.Range(0, 3).Select(async _ =>
        {
            for (var i = 0; i < 20; i++)
            {
                await SealAsync();
            }
        });

        await Task.WhenAll(writers.Concat(sealers));
        await SealAsync();

        var verdict = await VerifyAsync();
        Assert.Empty(verdict.Faults);
        Assert.Equal((180, 0), (verdict.LineCount, verdict.Tail.Count));
    }

    [Theory]
    [InlineData("subject = 'x'")]
    [InlineData("issuer = null")]
    [InlineData("role = 'juridiction'")]
    [InlineData("organisation_id = gen_random_uuid()")]
    [InlineData("is_person = null")]
    [InlineData("on_behalf_of = 'x'")]
    [InlineData("rpc = '/other'")]
    [InlineData("resources = array['mesures/1']")]
    [InlineData("resources = array['mesures/1,notes/2']")]
    [InlineData("purpose = ''")]
    [InlineData("outcome = 'DENIED'")]
    [InlineData("is_write = true")]
    [InlineData("trace_id = null")]
    [InlineData("at = at - interval '1 microsecond'")]
    public async Task Verify_AlteredLine_IsNamed(string change)
    {
        var ids = await ThreeSealsAsync();

        await TamperAsync($"update journal.entries set {change} where id = {ids[4]}");

        var fault = Assert.Single((await VerifyAsync()).Faults);
        Assert.StartsWith($"line {ids[4]} was altered", fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_RemovedLine_IsNamed()
    {
        var ids = await ThreeSealsAsync();

        await TamperAsync($"delete from journal.entries where id = {ids[4]}");

        Assert.StartsWith($"line {ids[4]} was removed", Assert.Single((await VerifyAsync()).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_InsertedLine_IsNamed()
    {
        var ids = await ThreeSealsAsync();

        await TamperAsync($"""
            insert into journal.entries (at, xact, subject, role, organisation_id, rpc, resources, outcome, is_write)
            select at, xact, 'forged', role, organisation_id, rpc, resources, outcome, is_write from journal.entries where id = {ids[4]}
            """);

        Assert.Contains(" was inserted", Assert.Single((await VerifyAsync()).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_LineInsertedAsIfLongAgo_IsNamedOnceItIsSealed()
    {
        await ThreeSealsAsync();

        await TamperAsync("""
            insert into journal.entries (at, subject, role, organisation_id, rpc, resources, outcome, is_write)
            select now() - interval '2 hours', 'forged', role, organisation_id, rpc, resources, outcome, is_write from journal.entries limit 1
            """);
        await SealAsync();

        Assert.Contains("was inserted after seal 3", Assert.Single((await VerifyAsync()).Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("delete from journal.seals where number = 2", "seal 2 was removed")]
    [InlineData("delete from journal.seals where number = 1", "seal 1 was removed")]
    [InlineData("update journal.seals set sealed_at = sealed_at - interval '1 s' where number = 2", "seal 2 was altered")]
    [InlineData("update journal.seals set hash = sha256('x') where number = 2", "seal 2 was altered")]
    [InlineData("update journal.seals set digest = sha256('x') where number = 2", "seal 2 was altered")]
    public async Task Verify_TamperedSeal_IsFound(string change, string fault)
    {
        await ThreeSealsAsync();

        await TamperAsync(change);

        Assert.Contains((await VerifyAsync()).Faults, f => f.StartsWith(fault, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_EndOfTheChainRemoved_IsFoundByTheHeadThatWasNotedDown()
    {
        var ids = await ThreeSealsAsync();
        var head = (await VerifyAsync()).Head!;
        await TamperAsync($"delete from journal.seals where number = 3; delete from journal.entries where id = {ids[^1]}");

        Assert.Empty((await VerifyAsync()).Faults);
        Assert.StartsWith("seals were removed at the end", Assert.Single((await VerifyAsync(head: head)).Faults), StringComparison.Ordinal);

        await WriteAsync(1);
        await SealAsync();
        Assert.Contains("was written anew", Assert.Single((await VerifyAsync(head: head)).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keep_MonthsOfAYearAgo_AreDroppedAndTheChainStaysProvable()
    {
        await Database.RunAsync("""
            select journal.make_month(date_trunc('month', now() at time zone 'UTC') - interval '13 months');
            select journal.make_month(date_trunc('month', now() at time zone 'UTC') - interval '11 months')
            """);
        foreach (var months in new[] { 13, 11 })
        {
            await Database.RunAsync($"""
                insert into journal.entries (at, subject, role, organisation_id, rpc, resources, outcome, is_write)
                select now() - interval '{months} months', 'old', 'espace', gen_random_uuid(), '/rpc', '{"{}"}', 'OK', false
                """);
            await SealAsync();
        }

        Assert.Equal(1, await Database.ReadAsync<int>("select journal.keep()"));
        Assert.Equal(0, await Database.ReadAsync<int>("select journal.keep()"));

        Assert.Equal(1L, await Database.ReadAsync<long>("select count(*) from journal.entries"));
        var verdict = await VerifyAsync();
        Assert.DoesNotContain(verdict.Faults, f => !f.Contains("was inserted after seal", StringComparison.Ordinal));
        Assert.Equal((1, 2, 1), (verdict.LineCount, verdict.SealCount, verdict.ExpiredCount));
    }

    [Theory]
    [InlineData("jafer_calls", "select from journal.entries")]
    [InlineData("jafer_calls", "select from journal.seals")]
    [InlineData("jafer_calls", "update journal.entries set subject = 'x'")]
    [InlineData("jafer_work", "update journal.entries set subject = 'x'")]
    [InlineData("jafer_work", "delete from journal.entries")]
    [InlineData("jafer_work", "truncate journal.entries")]
    [InlineData("jafer_work", "update journal.seals set hash = hash")]
    [InlineData("jafer_work", "delete from journal.seals")]
    [InlineData("jafer_work", "truncate journal.seals")]
    [InlineData("jafer_work", "select journal.make_month(now()::timestamp)")]
    [InlineData("jafer_work", "alter table journal.entries disable trigger all")]
    public async Task Permission_ToDoMoreThanAdd_IsNobodysThatServes(string role, string statement)
    {
        await Database.RunAsync($"set jafer.tenant = '0198d9b0-0000-7000-8000-000000000001'; set role {role}; {Insert(1)}; reset role");
        await using var connection = await _source!.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"set role {role}; {statement}", connection);

        var error = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
    }

    [Theory]
    [InlineData("update journal.entries set subject = 'x'")]
    [InlineData("delete from journal.entries")]
    [InlineData("truncate journal.entries")]
    [InlineData("update journal.seals set hash = hash")]
    [InlineData("truncate journal.seals")]
    public async Task Owner_WhoMeansNoHarm_IsKeptFromIt(string statement)
    {
        await WriteAsync(1);
        await SealAsync();

        var error = await Assert.ThrowsAsync<PostgresException>(() => Database.RunAsync(statement));

        Assert.Equal("the journal is append-only", error.MessageText);
    }

    /// <summary>Nine lines under three seals; their numbers.</summary>
    private async Task<IReadOnlyList<long>> ThreeSealsAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            await WriteAsync(3);
            await SealAsync();
        }

        return await Database.ReadAllAsync<long>("select id from journal.entries order by id");
    }

    private Task<int> WriteAsync(int count) => Database.RunAsync(Insert(count));

    private Task<Contracts.Journal.JournalSeal?> SealAsync() => new JournalSealer(
        _source!, Options.Create(new JournalOptions()), TimeProvider.System, NullLogger<JournalSealer>.Instance).SealAsync(default);

    // As somebody would who owns the database: no trigger keeps them.
    private Task<int> TamperAsync(string statement) => Database.RunAsync($"set session_replication_role = replica; {statement}; set session_replication_role = origin");

    private async Task<JournalVerdict> VerifyAsync(long since = 1, JournalHead? head = null)
    {
        await using var connection = await _source!.OpenConnectionAsync();
        return await JournalCheck.VerifyAsync(connection, since, head, default);
    }
}
