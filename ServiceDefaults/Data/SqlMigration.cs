using Microsoft.EntityFrameworkCore.Migrations;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// A migration whose steps stand in an embedded .sql file beside the class: constraints, partial indexes, partitions and row
/// security are written as PostgreSQL knows them. Ordering, history and locking are those of EF's migrator.
/// </summary>
public abstract class SqlMigration : Migration
{
    /// <summary>Name of the embedded resource, or its end, such as "Migrations.202611210001_initial.sql".</summary>
    protected abstract string Resource { get; }

    /// <inheritdoc/>
    protected sealed override void Up(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        migrationBuilder.Sql(Read(GetType().Assembly, Resource));
    }

    /// <summary>Jafer's schemas only move forward: a mistake is mended by the next migration.</summary>
    /// <param name="migrationBuilder">Not used.</param>
    protected sealed override void Down(MigrationBuilder migrationBuilder) =>
        throw new NotSupportedException("schemas only move forward");

    private static string Read(System.Reflection.Assembly assembly, string resource)
    {
        var name = assembly.GetManifestResourceNames().Single(n => n.EndsWith(resource, StringComparison.Ordinal));
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

/// <summary>The tables that every service has. Each service declares a migration of its own that derives from this one.</summary>
public abstract class CommonTablesMigration : Migration
{
    /// <inheritdoc/>
    protected sealed override void Up(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        using var reader = new StreamReader(typeof(CommonTablesMigration).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Data.common_tables.sql")!);
        migrationBuilder.Sql(reader.ReadToEnd());
    }
}
