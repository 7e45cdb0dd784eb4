using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.Probe;

public sealed class Note
{
    public required Guid Id { get; init; }

    public required string Text { get; set; }

    public required long Version { get; set; }
}

public sealed class AppliedEvent
{
    public long Position { get; init; }

    public required Guid EventId { get; init; }

    public required Guid AggregateId { get; init; }

    public required long AggregateVersion { get; init; }

    public required int Process { get; init; }
}

public sealed class ProbeDbContext(DbContextOptions<ProbeDbContext> options) : JaferDbContext(options)
{
    public DbSet<Note> Notes => Set<Note>();

    public DbSet<AppliedEvent> AppliedEvents => Set<AppliedEvent>();

    protected override void Map(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Note>(e =>
        {
            e.ToTable("notes");
            e.Property(n => n.Version).IsConcurrencyToken();
        });
        modelBuilder.Entity<AppliedEvent>(e =>
        {
            e.ToTable("applied_events");
            e.HasKey(a => a.Position);
            e.Property(a => a.Position).UseIdentityAlwaysColumn();
        });
    }
}

[DbContext(typeof(ProbeDbContext)), Migration("202611210000_common")]
public sealed class CommonTables : CommonTablesMigration;

[DbContext(typeof(ProbeDbContext)), Migration("202611210001_initial")]
public sealed class Initial : SqlMigration
{
    protected override string Resource => "202611210001_initial.sql";
}

[DbContext(typeof(ProbeDbContext)), Migration("202611280699_roles")]
public sealed class Roles : DatabaseRolesMigration;

[DbContext(typeof(ProbeDbContext)), Migration("202611280700_journal")]
public sealed class AccessJournal : JournalMigration;

[DbContext(typeof(ProbeDbContext)), Migration("202611280711_tenants")]
public sealed class Tenants : TenantsMigration;

[DbContext(typeof(ProbeDbContext)), Migration("202611290800_sealing")]
public sealed class Sealing : SealingMigration;
