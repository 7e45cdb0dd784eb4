using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Vacuums the tables of a service as their owner, which the running service is not: what was erased leaves them now, not when autovacuum
/// comes by. Nothing waits for it.
/// </summary>
internal static class Vacuum
{
    /// <summary>Vacuums, and says what became of it.</summary>
    /// <param name="name">Name of the service.</param>
    /// <param name="connectionString">Its database, as the owner of its tables; null where none is configured.</param>
    /// <param name="output">Takes the last line.</param>
    /// <param name="errors">Takes what is wrong.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The exit status: 0 when every table was vacuumed.</returns>
    public static async Task<int> RunAsync(string name, string? connectionString, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        if (connectionString is null)
        {
            await errors.WriteLineAsync($"--vacuum: set ConnectionStrings__{name} to the database of the service, as the owner of its tables");
            return 1;
        }

        try
        {
            var (tables, refused, locked) = await RunAsync(connectionString, ct);
            if (refused > 0)
            {
                await errors.WriteLineAsync($"--vacuum: {refused} of {tables} tables of {name} are not this login's: log in as their owner, as --migrate does");
            }
            else if (locked > 0)
            {
                await errors.WriteLineAsync($"--vacuum: {locked} of {tables} tables of {name} were locked by somebody: run it again");
            }
            else if (tables == 0)
            {
                await errors.WriteLineAsync($"--vacuum: the database of ConnectionStrings__{name} has no tables of a service");
            }
            else
            {
                await output.WriteLineAsync($"{name}: {tables} tables vacuumed");
                return 0;
            }
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException)
        {
            await errors.WriteLineAsync($"--vacuum: {name}: {e.Message}");
        }

        return 1;
    }

    private static async Task<(int Tables, int Refused, int Locked)> RunAsync(string connectionString, CancellationToken ct)
    {
        await using var owner = new NpgsqlDataSourceBuilder(connectionString).Build();
        await using var connection = await owner.OpenConnectionAsync(ct);

        // Named one by one: what belongs to another PostgreSQL leaves out with a mere warning, and the catalogues always do.
        var tables = new List<string>();
        var refused = 0;
        await using (var list = new NpgsqlCommand("""
            select format('%I.%I', n.nspname, c.relname), pg_has_role(c.relowner, 'USAGE') or pg_has_role(d.datdba, 'USAGE')
            from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_database d on d.datname = current_database()
            where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = 'public'
            """, connection))
        await using (var reader = await list.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                tables.Add(reader.GetString(0));
                refused += reader.GetBoolean(1) ? 0 : 1;
            }
        }

        if (tables.Count == 0 || refused > 0)
        {
            return (tables.Count, refused, 0);
        }

        var locked = 0;
        connection.Notice += (_, e) => locked += e.Notice.SqlState == PostgresErrorCodes.LockNotAvailable ? 1 : 0;
        await using var command = new NpgsqlCommand($"vacuum (analyze, skip_locked) {string.Join(", ", tables)}", connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
        return (tables.Count, 0, locked);
    }
}
