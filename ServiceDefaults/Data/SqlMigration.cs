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

    private protected virtual System.Reflection.Assembly Holder => GetType().Assembly;

    /// <inheritdoc/>
    protected sealed override void Up(MigrationBuilder migrationBuilder)
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);
        migrationBuilder.Sql(Read(Holder, Resource));
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

/// <summary>
/// The roles under which a service works (<see cref="DatabaseRoles"/>), with what they are granted on every table, those of later
/// migrations included. Each service declares a migration of its own that derives from this one.
/// </summary>
public abstract class DatabaseRolesMigration : SqlMigration
{
    /// <inheritdoc/>
    protected sealed override string Resource => "Data.database_roles.sql";

    private protected sealed override System.Reflection.Assembly Holder => typeof(DatabaseRolesMigration).Assembly;
}

/// <summary>
/// The tenant of row security, secure_rows for the tables of services, and the rules of those that all services have. Each service
/// declares a migration of its own that derives from this one.
/// </summary>
public abstract class TenantsMigration : SqlMigration
{
    /// <inheritdoc/>
    protected sealed override string Resource => "Data.tenants.sql";

    private protected sealed override System.Reflection.Assembly Holder => typeof(TenantsMigration).Assembly;
}
