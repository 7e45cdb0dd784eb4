using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>
/// The access journal of a service: its schema, its months, and who may do what to it. Each service declares a migration of its own
/// that derives from this one.
/// </summary>
public abstract class JournalMigration : Migration
{
    /// <inheritdoc/>
    protected sealed override void Up(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        using var reader = new StreamReader(typeof(JournalMigration).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Journal.journal.sql")!);
        migrationBuilder.Sql(reader.ReadToEnd());
    }
}
