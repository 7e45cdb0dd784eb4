using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.Messaging.Data.Migrations;

[DbContext(typeof(MessagingDbContext)), Migration("202611210000_common")]
internal sealed class Common : CommonTablesMigration;

[DbContext(typeof(MessagingDbContext)), Migration("202611210001_threads")]
internal sealed class Threads : SqlMigration
{
    protected override string Resource => "Migrations.202611210001_threads.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611280600_conversations")]
internal sealed class Conversations : SqlMigration
{
    protected override string Resource => "Migrations.202611280600_conversations.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611280640_attachments")]
internal sealed class Attachments : SqlMigration
{
    protected override string Resource => "Migrations.202611280640_attachments.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611280690_rungs")]
internal sealed class Rungs : SqlMigration
{
    protected override string Resource => "Migrations.202611280690_rungs.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611280692_messages_stay")]
internal sealed class MessagesStay : SqlMigration
{
    protected override string Resource => "Migrations.202611280692_messages_stay.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611280693_thread_exports")]
internal sealed class ThreadExports : SqlMigration
{
    protected override string Resource => "Migrations.202611280693_thread_exports.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611280699_roles")]
internal sealed class Roles : DatabaseRolesMigration;

[DbContext(typeof(MessagingDbContext)), Migration("202611280700_journal")]
internal sealed class AccessJournal : JournalMigration;

[DbContext(typeof(MessagingDbContext)), Migration("202611280711_tenants")]
internal sealed class Tenants : TenantsMigration;

[DbContext(typeof(MessagingDbContext)), Migration("202611280712_row_security")]
internal sealed class RowSecurity : SqlMigration
{
    protected override string Resource => "202611280712_row_security.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611290800_sealing")]
internal sealed class Sealing : SealingMigration;

[DbContext(typeof(MessagingDbContext)), Migration("202611290801_sealed_columns")]
internal sealed class SealedColumnsMigration : SqlMigration
{
    protected override string Resource => "Migrations.202611290801_sealed_columns.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611290830_erasure")]
internal sealed class Erasure : SqlMigration
{
    protected override string Resource => "202611290830_erasure.sql";
}

[DbContext(typeof(MessagingDbContext)), Migration("202611292001_who_must_answer")]
internal sealed class WhoMustAnswer : SqlMigration
{
    protected override string Resource => "Migrations.202611292001_who_must_answer.sql";
}
