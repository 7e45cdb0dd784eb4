using Jafer.Directory.Data;
using Jafer.Directory.Tests.Slices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Jafer.Directory.Tests.Data;

public class SchemaTests
{
    [Fact]
    public async Task Model_EveryMappedTable_EqualsTheRealSchema()
    {
        await using var database = await DirectoryFixture.CloneAsync();
        var real = (await database.ReadAllAsync<string>("""
            select c.table_name || '.' || c.column_name || ' ' || case when c.data_type = 'ARRAY' then substr(c.udt_name, 2) || '[]' else c.data_type end
                || case c.is_nullable when 'YES' then ' null' else '' end
            from information_schema.columns c where c.table_schema = 'public'
            """)).ToHashSet();
        await using var db = new DirectoryDbContext(new DbContextOptionsBuilder<DirectoryDbContext>().UseNpgsql(database.ConnectionString).Options);

        var model = db.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables.SelectMany(t => t.Columns).ToList();

        Assert.NotEmpty(model);
        Assert.All(model, c => Assert.Contains($"{c.Table.Name}.{c.Name} {c.StoreType}{(c.IsNullable ? " null" : "")}", real));
        // A column that EF does not know must have a value of its own accord, or inserts fail.
        var mapped = model.Select(c => $"{c.Table.Name}.{c.Name}").ToHashSet();
        var tables = model.Select(c => c.Table.Name).ToHashSet();
        Assert.All(
            await database.ReadAllAsync<string>("""
                select table_name || '.' || column_name from information_schema.columns
                where table_schema = 'public' and is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER'
                """),
            column => Assert.True(!tables.Contains(column.Split('.')[0]) || mapped.Contains(column), column));
    }

    [Fact]
    public async Task Model_EveryPrimaryKey_EqualsTheRealOne()
    {
        await using var database = await DirectoryFixture.CloneAsync();
        var real = (await database.ReadAllAsync<string>("""
            select tc.table_name || '(' || string_agg(k.column_name, ',' order by k.ordinal_position) || ')'
            from information_schema.table_constraints tc join information_schema.key_column_usage k using (constraint_schema, constraint_name)
            where tc.constraint_type = 'PRIMARY KEY' and tc.table_schema = 'public' group by tc.table_name
            """)).ToHashSet();
        await using var db = new DirectoryDbContext(new DbContextOptionsBuilder<DirectoryDbContext>().UseNpgsql(database.ConnectionString).Options);

        Assert.All(db.Model.GetEntityTypes(), type => Assert.Contains(
            $"{type.GetTableName()}({string.Join(',', type.FindPrimaryKey()!.Properties.Select(p => p.GetColumnName()))})", real));
    }

    [Fact]
    public async Task Migration_ReferenceData_IsWholeAndLoadedOnce()
    {
        await using var database = await DirectoryFixture.CloneAsync();

        Assert.Equal(35_014, await database.ReadAsync<long>("select count(*) from communes"));
        Assert.Equal(174, await database.ReadAsync<long>("select count(*) from courts"));
        Assert.Equal(109, await database.ReadAsync<long>("select count(*) from departements"));
        Assert.Equal(94, await database.ReadAsync<long>("select count(*) from communes where probable_court_code is null"));
        Assert.Equal(174, await database.ReadAsync<long>("select count(*) from outbox_messages where message_type = 'directory.organisation-published.v1'"));

        var loaded = await database.ReadAsync<DateTime>("select max(loaded_at) from reference_files");
        await DirectoryFixture.MigrateAsync(database.ConnectionString);
        Assert.Equal(loaded, await database.ReadAsync<DateTime>("select max(loaded_at) from reference_files"));
        Assert.Equal(174, await database.ReadAsync<long>("select count(*) from outbox_messages"));
    }

    [Fact]
    public async Task Migration_NewEditionOfAFile_IsMergedByItsCodes()
    {
        await using var database = await DirectoryFixture.CloneAsync();
        await database.RunAsync("update communes set name = 'Ancien nom', population = 1 where insee = '69123'");
        await database.RunAsync("update reference_files set sha256 = '' where name = 'communes.csv.gz'");

        var start = TimeProvider.System.GetTimestamp();
        await DirectoryFixture.MigrateAsync(database.ConnectionString);

        Assert.Equal("Lyon", await database.ReadAsync<string>("select name from communes where insee = '69123'"));
        Assert.Equal(35_014, await database.ReadAsync<long>("select count(*) from communes"));
        // 1.3 s on an idle machine of two cores, the start of the application included; the promise is 5 s.
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 30);
    }

    [Theory]
    [InlineData("update modalites set wait_days = 5, wait_as_of = null")]
    [InlineData("update modalites set min_age = 12, max_age = 3")]
    [InlineData("update agrements set start_date = date '2026-01-02', end_date = date '2026-01-01'")]
    [InlineData("update espaces set state = 'INCONNU'")]
    [InlineData("update gestionnaires set siret = '1'")]
    [InlineData("insert into directory_revision values (true, 1)")]
    public async Task Schema_ImpossibleState_IsRefusedByTheDatabase(string sql)
    {
        await using var directory = new DirectoryFixture();
        await directory.InitializeAsync();
        await directory.ImportAsync(DirectoryFixture.Espace("impossible"));

        await Assert.ThrowsAsync<PostgresException>(() => directory.Database.RunAsync(sql));
    }
}
