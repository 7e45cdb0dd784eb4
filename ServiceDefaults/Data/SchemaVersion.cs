using System.Reflection;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Tells by one query whether a database holds every migration of a service. Nearly every start finds that it does, and then
/// needs nothing of EF: its migrator alone is a second of compiling in each of four processes.
/// </summary>
internal static class SchemaVersion
{
    /// <summary>True when every migration of an assembly is in the history; false when one is not, or when there is no history.</summary>
    /// <param name="source">The database.</param>
    /// <param name="assembly">The service.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<bool> IsCurrentAsync(NpgsqlDataSource source, Assembly assembly, CancellationToken ct)
    {
        var migrations = assembly.GetTypes().Select(t => t.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().ToArray();
        await using var command = source.CreateCommand("""select count(*) from "__EFMigrationsHistory" where "MigrationId" = any(@migrations)""");
        command.Parameters.AddWithValue("migrations", migrations);
        try
        {
            return (long)(await command.ExecuteScalarAsync(ct))! == migrations.Length;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidCatalogName)
        {
            return false;
        }
    }
}
