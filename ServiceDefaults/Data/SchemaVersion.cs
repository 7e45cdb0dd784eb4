using System.Reflection;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Tells by one query whether a database holds every migration of a service. Nearly every start finds that it does, and then
/// needs neither EF's migrator nor the service around it.
/// </summary>
internal static class SchemaVersion
{
    /// <summary>True when every migration of an assembly is in the history; false when one is not, or when there is no history.</summary>
    /// <param name="source">The database.</param>
    /// <param name="assembly">The service.</param>
    public static async Task<bool> IsCurrentAsync(NpgsqlDataSource source, Assembly assembly)
    {
        var migrations = assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Migration))).Select(t => t.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().ToHashSet();
        await using var command = source.CreateCommand("""select "MigrationId" from "__EFMigrationsHistory" """);
        try
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                migrations.Remove(reader.GetString(0));
            }

            return migrations.Count == 0;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidCatalogName)
        {
            return false;
        }
    }
}
