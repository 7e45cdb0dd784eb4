using Npgsql;

namespace Jafer.Testing;

/// <summary>
/// A login with the rights of tenants' calls in a database and no others, as in production: what a query can do that goes past the
/// service's own checks.
/// </summary>
public sealed class TenantLogin : IAsyncDisposable
{
    private static long s_counter;

    private readonly TestDatabase _database;
    private readonly string _name = $"jafer_test_calls_{Environment.ProcessId}_{Interlocked.Increment(ref s_counter)}";

    private TenantLogin(TestDatabase database) => _database = database;

    /// <summary>Connection string of the login; its role is the service's to take.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Username = _name, Password = _name }.ConnectionString;

    /// <summary>Makes a login for a database.</summary>
    /// <param name="database">The database, migrated.</param>
    /// <param name="role">The role that it may take.</param>
    public static async Task<TenantLogin> CreateAsync(TestDatabase database, string role = "jafer_calls")
    {
        ArgumentNullException.ThrowIfNull(database);
        var login = new TenantLogin(database);
        await database.RunAsync($"create role {login._name} login noinherit password '{login._name}'; grant {role} to {login._name}");
        return login;
    }

    /// <summary>A session that serves a tenant until it ends, as one transaction of the service does.</summary>
    /// <param name="tenant">The organisation; null for a session in which none is set.</param>
    /// <param name="role">Its role.</param>
    public async Task<NpgsqlConnection> OpenAsync(Guid? tenant, string role = "espace")
    {
        var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false;Options=-c role=jafer_calls");
        await connection.OpenAsync();
        if (tenant is not null)
        {
            await connection.RunAsync($"select set_config('jafer.tenant', '{tenant}', false), set_config('jafer.role', '{role}', false)");
        }

        return connection;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _database.RunAsync($"drop role {_name}");
}

/// <summary>What row security leaves open.</summary>
public static class RowSecurity
{
    /// <summary>Tables of which a call may read or write rows that no policy chooses, in the order of their names.</summary>
    /// <param name="database">The database.</param>
    public static Task<IReadOnlyList<string>> UnsecuredAsync(TestDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.ReadAllAsync<string>("""
            select c.relname::text from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'm', 'f')
                and (has_table_privilege('jafer_calls', c.oid, 'select, insert, update, delete') or has_any_column_privilege('jafer_calls', c.oid, 'select, insert, update'))
                and not (c.relrowsecurity and c.relforcerowsecurity
                    and exists (select from pg_policy p where p.polrelid = c.oid and p.polroles = array['jafer_calls'::regrole::oid]))
            order by c.relname::text collate "C"
            """);
    }

    /// <summary>
    /// What would lead past row security, in words: rights of the two roles, views that read as their owner, functions that run as
    /// theirs beyond those that are known.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="definers">Functions that may run as their owner.</param>
    public static Task<IReadOnlyList<string>> LeaksAsync(TestDatabase database, params string[] definers)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.ReadAllAsync<string>($$"""
            select 'role ' || rolname from pg_roles where rolname in ('jafer_calls', 'jafer_work') and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin)
            union all
            select 'member of ' || r.rolname from pg_roles r
            where r.rolname <> 'jafer_calls' and pg_has_role('jafer_calls', r.oid, 'member')
            union all
            select 'owner of ' || relname from pg_class where relowner in ('jafer_calls'::regrole, 'jafer_work'::regrole)
            union all
            select 'view ' || relname from pg_class
            where relkind = 'v' and relnamespace = 'public'::regnamespace and not coalesce(reloptions::text like '%security_invoker=true%', false)
            union all
            select 'function ' || proname from pg_proc
            where pronamespace = 'public'::regnamespace and prosecdef and proname <> all('{{{string.Join(',', definers)}}}')
            union all
            select 'may truncate ' || relname from pg_class
            where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
                and (has_table_privilege('jafer_calls', oid, 'truncate, references, trigger') or has_table_privilege('jafer_work', oid, 'truncate, references, trigger'))
            union all
            select 'may make objects' where has_schema_privilege('jafer_calls', 'public', 'create') or has_schema_privilege('jafer_work', 'public', 'create')
            """);
    }

    /// <summary>The secured tables of which a session reads a row, in the order of their names.</summary>
    /// <param name="session">The session.</param>
    public static async Task<IReadOnlyList<string>> SeenAsync(NpgsqlConnection session)
    {
        var seen = new List<string>();
        foreach (var table in await session.ReadAllAsync("""
            select relname::text from pg_class
            where relnamespace = 'public'::regnamespace and relrowsecurity and has_table_privilege(oid, 'select') order by relname::text collate "C"
            """))
        {
            if ((await session.ReadAllAsync($"select 'x' from {table} limit 1")).Count > 0)
            {
                seen.Add(table);
            }
        }

        return seen;
    }

    /// <summary>The error code with which a statement is refused; null when it is not, and then it is undone.</summary>
    /// <param name="session">The session.</param>
    /// <param name="sql">The statement.</param>
    public static async Task<string?> RefusalAsync(this NpgsqlConnection session, string sql)
    {
        ArgumentNullException.ThrowIfNull(session);
        await using var transaction = await session.BeginTransactionAsync();
        try
        {
            await session.RunAsync(sql);
            return null;
        }
        catch (PostgresException e)
        {
            return e.SqlState;
        }
    }

    /// <summary>Runs statements.</summary>
    /// <param name="session">The session.</param>
    /// <param name="sql">The statements.</param>
    /// <returns>Rows concerned.</returns>
    public static async Task<int> RunAsync(this NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>Reads the first column of a query as text.</summary>
    /// <param name="session">The session.</param>
    /// <param name="sql">The query.</param>
    public static async Task<IReadOnlyList<string>> ReadAllAsync(this NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.IsDBNull(0) ? "" : reader.GetValue(0).ToString()!);
        }

        return values;
    }
}
