using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.ServiceDefaults.Secrets;

/// <summary>What every database needs for sealed columns. Each service declares a migration of its own that derives from this one.</summary>
public abstract class SealingMigration : Migration
{
    /// <inheritdoc/>
    protected sealed override void Up(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        using var reader = new StreamReader(typeof(SealingMigration).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Secrets.sealing.sql")!);
        migrationBuilder.Sql(reader.ReadToEnd());
    }
}
