using System.Collections.Concurrent;
using Jafer.ServiceDefaults.Secrets;
using Npgsql;

namespace Jafer.Testing;

/// <summary>
/// A database of its own for a test class, cloned from a template that is migrated once per process. Dropped at the end.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> s_templates = new();
    private static readonly SemaphoreSlim s_cloning = new(1);
    private static long s_counter;

    private readonly string _server;

    private TestDatabase(string server, string name)
    {
        _server = server;
        Name = name;
    }

    /// <summary>Name of the database.</summary>
    public string Name { get; }

    /// <summary>Connection string of the database.</summary>
    public string ConnectionString => For(_server, Name);

    // The test's own connections do not outlive a query: a server that was restarted between two of them is no matter.
    private string OwnConnectionString => _server == Servers.Postgres ? ConnectionString : ConnectionString + ";Pooling=false";

    /// <summary>Clones a database.</summary>
    /// <param name="service">Name of the service, which names the template.</param>
    /// <param name="migrate">Brings an empty database up to date, given its connection string; runs once per process.</param>
    public static async Task<TestDatabase> CloneAsync(string service, Func<string, Task> migrate)
    {
        var template = await s_templates.GetOrAdd(service, s => new Lazy<Task<string>>(() => MakeTemplateAsync(s, migrate))).Value;
        var name = Unique(service);

        // PostgreSQL refuses to copy a template that is being copied.
        await s_cloning.WaitAsync();
        try
        {
            await ExecuteAsync(Servers.Postgres, $"create database {name} template {template}");
        }
        finally
        {
            s_cloning.Release();
        }

        return new TestDatabase(Servers.Postgres, name);
    }

    /// <summary>Makes a database on a server of the test's own.</summary>
    /// <param name="server">Connection string of a role that may create databases there.</param>
    /// <param name="service">Name of the service.</param>
    /// <param name="migrate">Brings an empty database up to date, given its connection string.</param>
    public static async Task<TestDatabase> CreateAsync(string server, string service, Func<string, Task> migrate)
    {
        ArgumentNullException.ThrowIfNull(migrate);
        _ = KeyRing.Install(TestKeys.Ring);
        var database = new TestDatabase(server, Unique(service));
        await ExecuteAsync(server, $"create database {database.Name}");
        await migrate(database.OwnConnectionString);
        return database;
    }

    /// <summary>Runs a statement.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="seconds">How long it may take.</param>
    /// <returns>Rows concerned.</returns>
    public async Task<int> RunAsync(string sql, int seconds = 30)
    {
        await using var connection = new NpgsqlConnection(OwnConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = seconds };
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>Reads one value.</summary>
    /// <param name="sql">A query with one column and at least one row.</param>
    public async Task<T> ReadAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(OwnConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Reads the first column of a query.</summary>
    /// <param name="sql">The query.</param>
    public async Task<IReadOnlyList<T>> ReadAllAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(OwnConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetFieldValue<T>(0));
        }

        return values;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await ExecuteAsync(_server, $"drop database if exists {Name} with (force)");

    private static async Task<string> MakeTemplateAsync(string service, Func<string, Task> migrate)
    {
        _ = KeyRing.Install(TestKeys.Ring);
        var name = Unique(service + "_template");
        await ExecuteAsync(Servers.Postgres, $"create database {name}");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => ExecuteAsync(Servers.Postgres, $"drop database if exists {name} with (force)").GetAwaiter().GetResult();
        await migrate(For(Servers.Postgres, name) + ";Pooling=false");
        return name;
    }

    private static string Unique(string prefix) => $"jafer_test_{prefix}_{Environment.ProcessId}_{Interlocked.Increment(ref s_counter)}";

    private static string For(string server, string database) => new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;

    private static async Task ExecuteAsync(string server, string sql)
    {
        await using var connection = new NpgsqlConnection(For(server, "postgres") + (server == Servers.Postgres ? "" : ";Pooling=false"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
