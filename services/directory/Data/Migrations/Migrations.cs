using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Secrets;
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

[DbContext(typeof(DirectoryDbContext)), Migration("202611280101_revision_later")]
internal sealed class RevisionLater : SqlMigration
{
    protected override string Resource => "Migrations.202611280101_revision_later.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280102_attributes")]
internal sealed class FurtherAttributes : SqlMigration
{
    protected override string Resource => "Migrations.202611280102_attributes.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280103_upkeep_of_lieux")]
internal sealed class UpkeepOfLieux : SqlMigration
{
    protected override string Resource => "Migrations.202611280103_upkeep_of_lieux.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280104_enquiries_joined")]
internal sealed class EnquiriesJoined : SqlMigration
{
    protected override string Resource => "Migrations.202611280104_enquiries_joined.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280105_yearly_history")]
internal sealed class YearlyHistory : SqlMigration
{
    protected override string Resource => "Migrations.202611280105_yearly_history.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280580_observed_waits")]
internal sealed class ObservedWaitsOfMesures : SqlMigration
{
    protected override string Resource => "Migrations.202611280580_observed_waits.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280622_upkeep_reminders")]
internal sealed class UpkeepReminderTable : SqlMigration
{
    protected override string Resource => "Migrations.202611280622_upkeep_reminders.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611280699_roles")]
internal sealed class Roles : DatabaseRolesMigration;

[DbContext(typeof(DirectoryDbContext)), Migration("202611280700_journal")]
internal sealed class AccessJournal : JournalMigration;

[DbContext(typeof(DirectoryDbContext)), Migration("202611280711_tenants")]
internal sealed class Tenants : TenantsMigration;

[DbContext(typeof(DirectoryDbContext)), Migration("202611290800_sealing")]
internal sealed class Sealing : SealingMigration;

[DbContext(typeof(DirectoryDbContext)), Migration("202611290801_sealed_columns")]
internal sealed class SealedColumnsMigration : SqlMigration
{
    protected override string Resource => "Migrations.202611290801_sealed_columns.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611290850_members")]
internal sealed class MemberTables : SqlMigration
{
    protected override string Resource => "Migrations.202611290850_members.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611290851_credentials")]
internal sealed class CredentialTables : SqlMigration
{
    protected override string Resource => "Migrations.202611290851_credentials.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611290852_territories")]
internal sealed class OrganisationTerritories : SqlMigration
{
    protected override string Resource => "Migrations.202611290852_territories.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611291100_agrements_of_prefectures")]
internal sealed class AgrementsOfPrefectures : SqlMigration
{
    protected override string Resource => "Migrations.202611291100_agrements_of_prefectures.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611291101_credential_warnings")]
internal sealed class CredentialWarningColumns : SqlMigration
{
    protected override string Resource => "Migrations.202611291101_credential_warnings.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611291300_followed_steps")]
internal sealed class FollowedSteps : SqlMigration
{
    protected override string Resource => "Migrations.202611291300_followed_steps.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611291401_places")]
internal sealed class PlaceTables : SqlMigration
{
    protected override string Resource => "Migrations.202611291401_places.sql";
}

[DbContext(typeof(DirectoryDbContext)), Migration("202611301200_mesure_terms")]
internal sealed class MesureTermColumns : SqlMigration
{
    protected override string Resource => "Migrations.202611301200_mesure_terms.sql";
}
