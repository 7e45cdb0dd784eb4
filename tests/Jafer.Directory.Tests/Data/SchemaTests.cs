using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Tests.Slices;
using Jafer.ServiceDefaults;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.Directory.Tests.Data;

public class SchemaTests
{
    [Fact]
    public async Task Model_AgainstTheMigratedDatabase_HasNoDifference()
    {
        await using var database = await DirectoryFixture.CloneAsync();
        await using var db = new DirectoryDbContext(new DbContextOptionsBuilder<DirectoryDbContext>().UseNpgsql(database.ConnectionString).Options);

        Assert.Empty(await SchemaComparison.DifferencesAsync(db, "directory_revision", "reference_files", "distancier_ways", "distancier_imports", "mesure_receptions",
            "stale_groups_told", "agrement_ends_told", "agrement_lieux_ends_told", "upkeep_reminders", "place_holds"));
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

        await DirectoryFixture.MigrateAsync(database.ConnectionString);

        Assert.Equal("Lyon", await database.ReadAsync<string>("select name from communes where insee = '69123'"));
        Assert.Equal(35_014, await database.ReadAsync<long>("select count(*) from communes"));
    }

    [Fact]
    public async Task Migration_DeclarationsFromBeforeTheirHistory_AreItsBeginning()
    {
        await using var directory = new DirectoryFixture();
        await directory.InitializeAsync();
        await directory.ImportAsync(DirectoryFixture.Espace("before"));
        var gestionnaire = StableIds.Gestionnaire("test", "G-before");
        await directory.Database.RunAsync($"""
            drop table yearly_declaration_changes;
            drop function yearly_declaration_changes_only_grow;
            delete from "__EFMigrationsHistory" where "MigrationId" = '202611280105_yearly_history';
            insert into yearly_declarations values ('{gestionnaire}', 2024, 620, 120, now(), 3);
            insert into personnels values ('{gestionnaire}', 2024, 'SALARIE', 'PSYCHOLOGUE', 4, 2.35);
            insert into ressources values ('{gestionnaire}', 2024, 'CAF', 120000);
            """);

        await DirectoryFixture.MigrateAsync(directory.Database.ConnectionString);

        var declaration = Assert.Single((await directory.Operateur.ListYearlyDeclarationsAsync(
            new() { GestionnaireId = gestionnaire.ToString() }, cancellationToken: DirectoryFixture.Cancel)).Declarations);
        Assert.Equal((2024, 620, 120, "3", gestionnaire.ToString()), (declaration.Year, declaration.OpeningHours, declaration.OpeningDays, declaration.Etag, declaration.OrganisationId));
        Assert.Equal(
            [new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.Psychologue, HeadCount = 4, FullTimeEquivalent = 2.35 }], declaration.Personnels);
        Assert.Equal([new Ressource { Funder = Funder.Caf, AmountEuros = 120_000 }], declaration.Ressources);
    }

    [Fact]
    public async Task Schema_ImpossibleState_IsRefusedByTheDatabase()
    {
        await using var directory = new DirectoryFixture();
        await directory.InitializeAsync();
        await directory.ImportAsync(DirectoryFixture.Espace("impossible"));

        foreach (var sql in new[]
        {
            "update modalites set wait_days = 5, wait_as_of = null",
            "update modalites set min_age = 12, max_age = 3",
            "update agrements set start_date = date '2026-01-02', end_date = date '2026-01-01'",
            "update espaces set state = 'INCONNU'",
            "update gestionnaires set siret = '1'",
            "insert into directory_revision values (true, 1)",
        })
        {
            await Assert.ThrowsAsync<PostgresException>(() => directory.Database.RunAsync(sql));
        }
    }
}
