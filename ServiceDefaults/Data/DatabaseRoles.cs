using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// The roles under which a service works in its database. Neither owns a table, is a superuser or goes past row security; what
/// they may do is in database_roles.sql and in each service's migrations (docs/decisions/0032).
/// </summary>
public static class DatabaseRoles
{
    /// <summary>Calls of tenants: row security shows each of them the rows of its own organisation.</summary>
    public const string Calls = "jafer_calls";

    /// <summary>The service's own work (consumers, relay, sweeps), and calls that may touch everybody's things.</summary>
    public const string Work = "jafer_work";

    /// <summary>
    /// The service's database under a role, which the login takes as it connects: by ConnectionStrings:NAME-calls for calls where
    /// that is configured, else by ConnectionStrings:NAME.
    /// </summary>
    /// <param name="configuration">Configuration.</param>
    /// <param name="name">Name of the service.</param>
    /// <param name="role">Role.</param>
    internal static NpgsqlDataSource Connect(IConfiguration configuration, string name, string role)
    {
        var calls = role == Calls;
        var connection = (calls ? configuration.GetConnectionString($"{name}-calls") : null) ?? ConnectionString(configuration, name);
        var source = new NpgsqlDataSourceBuilder(connection) { Name = calls ? $"{name}-calls" : name };
        var settings = source.ConnectionStringBuilder;
        settings.ApplicationName ??= $"jafer-{name}";
        if (settings.MaxAutoPrepare == 0)
        {
            settings.MaxAutoPrepare = 100;
        }

        // Nothing here changes a session beyond its transaction; a reset would cost seven statements for each taking from the pool.
        settings.NoResetOnClose = true;
        settings.Options = $"{settings.Options} -c role={role}".TrimStart();
        return source.Build();
    }

    /// <summary>The service's database as whoever logs in: migrations run as the owner.</summary>
    /// <param name="configuration">Configuration.</param>
    /// <param name="name">Name of the service.</param>
    internal static string ConnectionString(IConfiguration configuration, string name) =>
        configuration.GetConnectionString(name) ?? throw new InvalidOperationException($"ConnectionStrings:{name} is not configured");
}
