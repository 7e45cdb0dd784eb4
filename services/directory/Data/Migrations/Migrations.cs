using Jafer.ServiceDefaults.Data;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.Directory.Data.Migrations;

[DbContext(typeof(DirectoryDbContext)), Migration("202611210001_common_tables")]
internal sealed class CommonTables : CommonTablesMigration;

[DbContext(typeof(DirectoryDbContext)), Migration("202611210002_directory")]
internal sealed class DirectoryTables : SqlMigration
{
    protected override string Resource => "Migrations.202611210002_directory.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611210002_espace")]
internal sealed class EspaceTables : SqlMigration
{
    protected override string Resource => "Migrations.202611210002_espace.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611210003_search")]
internal sealed class SearchTables : SqlMigration
{
    protected override string Resource => "Migrations.202611210003_search.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611210004_territory")]
internal sealed class TerritoryTables : SqlMigration
{
    protected override string Resource => "Migrations.202611210004_territory.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611210005_upkeep")]
internal sealed class UpkeepTables : SqlMigration
{
    protected override string Resource => "Migrations.202611210005_upkeep.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611210006_espace_history")]
internal sealed class EspaceHistory : SqlMigration
{
    protected override string Resource => "Migrations.202611210006_espace_history.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280001_schedules_in_search")]
internal sealed class SchedulesInSearch : SqlMigration
{
    protected override string Resource => "Migrations.202611280001_schedules_in_search.sql";
}
