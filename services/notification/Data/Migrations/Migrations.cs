using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.Notifications.Data.Migrations;

[DbContext(typeof(NotificationsDbContext)), Migration("202611210000_common")]
internal sealed class Common : CommonTablesMigration;

[DbContext(typeof(NotificationsDbContext)), Migration("202611210001_feed")]
internal sealed class Feed : SqlMigration
{
    protected override string Resource => "Migrations.202611210001_feed.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611210002_calls_of_a_day")]
internal sealed class CallsOfADay : SqlMigration
{
    protected override string Resource => "Migrations.202611210002_calls_of_a_day.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280431_proofs_and_deadlines")]
internal sealed class ProofsAndDeadlines : SqlMigration
{
    protected override string Resource => "Migrations.202611280431_proofs_and_deadlines.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280531_webhooks")]
internal sealed class Webhooks : SqlMigration
{
    protected override string Resource => "Migrations.202611280531_webhooks.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280605_webhooks_of_espaces")]
internal sealed class WebhooksOfEspaces : SqlMigration
{
    protected override string Resource => "Migrations.202611280605_webhooks_of_espaces.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280610_mail_recipients")]
internal sealed class MailRecipients : SqlMigration
{
    protected override string Resource => "Migrations.202611280610_mail_recipients.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280621_rungs")]
internal sealed class Rungs : SqlMigration
{
    protected override string Resource => "Migrations.202611280621_rungs.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280650_feed_consumers")]
internal sealed class FeedConsumers : SqlMigration
{
    protected override string Resource => "Migrations.202611280650_feed_consumers.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280699_roles")]
internal sealed class Roles : DatabaseRolesMigration;

[DbContext(typeof(NotificationsDbContext)), Migration("202611280700_journal")]
internal sealed class AccessJournal : JournalMigration;

[DbContext(typeof(NotificationsDbContext)), Migration("202611280711_tenants")]
internal sealed class Tenants : TenantsMigration;

[DbContext(typeof(NotificationsDbContext)), Migration("202611280712_row_security")]
internal sealed class RowSecurity : SqlMigration
{
    protected override string Resource => "202611280712_row_security.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280750_mail_ages")]
internal sealed class MailAges : SqlMigration
{
    protected override string Resource => "Migrations.202611280750_mail_ages.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280751_upkeep_mails")]
internal sealed class UpkeepMails : SqlMigration
{
    protected override string Resource => "Migrations.202611280751_upkeep_mails.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280755_hours_of_consumers")]
internal sealed class HoursOfConsumers : SqlMigration
{
    protected override string Resource => "Migrations.202611280755_hours_of_consumers.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280756_webhooks_in_order")]
internal sealed class WebhooksInOrder : SqlMigration
{
    protected override string Resource => "Migrations.202611280756_webhooks_in_order.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611280757_notice_proofs")]
internal sealed class NoticeProofs : SqlMigration
{
    protected override string Resource => "Migrations.202611280757_notice_proofs.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611290800_sealing")]
internal sealed class Sealing : SealingMigration;

[DbContext(typeof(NotificationsDbContext)), Migration("202611290801_sealed_columns")]
internal sealed class SealedColumnsMigration : SqlMigration
{
    protected override string Resource => "Migrations.202611290801_sealed_columns.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611291110_espace_of_mesures")]
internal sealed class EspaceOfMesures : SqlMigration
{
    protected override string Resource => "Migrations.202611291110_espace_of_mesures.sql";
}

[DbContext(typeof(NotificationsDbContext)), Migration("202611292002_bounces")]
internal sealed class Bounces : SqlMigration
{
    protected override string Resource => "Migrations.202611292002_bounces.sql";
}
