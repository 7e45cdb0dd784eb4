using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.Mesures.Data.Migrations;

[DbContext(typeof(MesuresDbContext))]
[Migration("202611210000_common_tables")]
internal sealed class CommonTables : CommonTablesMigration;

[DbContext(typeof(MesuresDbContext))]
[Migration("202611210001_mesures")]
internal sealed class MesuresTables : SqlMigration
{
    protected override string Resource => "202611210001_mesures.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611210002_agrement_ended")]
internal sealed class AgrementEndedColumns : SqlMigration
{
    protected override string Resource => "202611210002_agrement_ended.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280301_closures")]
internal sealed class ClosureColumns : SqlMigration
{
    protected override string Resource => "202611280301_closures.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280302_redesignation")]
internal sealed class RedesignationColumns : SqlMigration
{
    protected override string Resource => "202611280302_redesignation.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280303_life")]
internal sealed class LifeTables : SqlMigration
{
    protected override string Resource => "202611280303_life.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280304_bulk")]
internal sealed class BulkTables : SqlMigration
{
    protected override string Resource => "202611280304_bulk.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280411_interviews")]
internal sealed class InterviewTables : SqlMigration
{
    protected override string Resource => "202611280411_interviews.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280412_decision_content")]
internal sealed class DecisionContentColumns : SqlMigration
{
    protected override string Resource => "202611280412_decision_content.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280413_keyed_index")]
internal sealed class KeyedIndexColumns : SqlMigration
{
    protected override string Resource => "202611280413_keyed_index.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280441_rencontre_terms")]
internal sealed class RencontreTermColumns : SqlMigration
{
    protected override string Resource => "202611280441_rencontre_terms.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280442_rencontre_life")]
internal sealed class RencontreLifeTables : SqlMigration
{
    protected override string Resource => "202611280442_rencontre_life.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280431_proofs_and_deadlines")]
internal sealed class ProofsAndDeadlines : SqlMigration
{
    protected override string Resource => "202611280431_proofs_and_deadlines.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280432_delays")]
internal sealed class DelayTables : SqlMigration
{
    protected override string Resource => "202611280432_delays.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280421_decision_documents")]
internal sealed class DecisionDocumentTables : SqlMigration
{
    protected override string Resource => "202611280421_decision_documents.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280401_intake")]
internal sealed class IntakeTables : SqlMigration
{
    protected override string Resource => "202611280401_intake.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280511_suspended_delays")]
internal sealed class SuspendedDelays : SqlMigration
{
    protected override string Resource => "202611280511_suspended_delays.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280512_impact")]
internal sealed class ImpactTables : SqlMigration
{
    protected override string Resource => "202611280512_impact.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280541_lieu_agrement")]
internal sealed class LieuAgrementColumns : SqlMigration
{
    protected override string Resource => "202611280541_lieu_agrement.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280561_deadlines_of_each_difficulty")]
internal sealed class DeadlinesOfEachDifficulty : SqlMigration
{
    protected override string Resource => "202611280561_deadlines_of_each_difficulty.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280570_dangers_untold")]
internal sealed class DangersUntoldIndex : SqlMigration
{
    protected override string Resource => "202611280570_dangers_untold.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280571_lieux_of_espaces")]
internal sealed class LieuxOfEspaces : SqlMigration
{
    protected override string Resource => "202611280571_lieux_of_espaces.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280590_delays_of_redesignations")]
internal sealed class DelaysOfRedesignations : SqlMigration
{
    protected override string Resource => "202611280590_delays_of_redesignations.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280620_reminders")]
internal sealed class ReminderTables : SqlMigration
{
    protected override string Resource => "202611280620_reminders.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280691_pending_starts")]
internal sealed class PendingStartsOfMesures : SqlMigration
{
    protected override string Resource => "202611280691_pending_starts.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280699_roles")]
internal sealed class Roles : DatabaseRolesMigration;

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280700_journal")]
internal sealed class AccessJournal : JournalMigration;

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280711_tenants")]
internal sealed class Tenants : TenantsMigration;

[DbContext(typeof(MesuresDbContext))]
[Migration("202611280712_row_security")]
internal sealed class RowSecurity : SqlMigration
{
    protected override string Resource => "202611280712_row_security.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611290800_sealing")]
internal sealed class Sealing : SealingMigration;

[DbContext(typeof(MesuresDbContext)), Migration("202611290801_sealed_columns")]
internal sealed class SealedColumnsMigration : SqlMigration
{
    protected override string Resource => "Migrations.202611290801_sealed_columns.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611290820_retention")]
internal sealed class RetentionTables : SqlMigration
{
    protected override string Resource => "202611290820_retention.sql";
}

[DbContext(typeof(MesuresDbContext))]
[Migration("202611291000_retention_overdue")]
internal sealed class RetentionOverdueColumn : SqlMigration
{
    protected override string Resource => "202611291000_retention_overdue.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611291301_ended_delays")]
internal sealed class EndedDelays : SqlMigration
{
    protected override string Resource => "202611291301_ended_delays.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611291411_offers")]
internal sealed class OfferColumns : SqlMigration
{
    protected override string Resource => "202611291411_offers.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611291501_delays_before_transmission")]
internal sealed class DelaysBeforeTransmission : SqlMigration
{
    protected override string Resource => "202611291501_delays_before_transmission.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611291601_survey")]
internal sealed class SurveyTables : SqlMigration
{
    protected override string Resource => "202611291601_survey.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611300010_recorded_holders")]
internal sealed class RecordedHolders : SqlMigration
{
    protected override string Resource => "202611300010_recorded_holders.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611300301_survey_by_mesure")]
internal sealed class SurveyByMesure : SqlMigration
{
    protected override string Resource => "202611300301_survey_by_mesure.sql";
}

[DbContext(typeof(MesuresDbContext)), Migration("202611300840_survey_contacts")]
internal sealed class SurveyContacts : SqlMigration
{
    protected override string Resource => "202611300840_survey_contacts.sql";
}
