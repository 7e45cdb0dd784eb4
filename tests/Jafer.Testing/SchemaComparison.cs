using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Jafer.Testing;

/// <summary>
/// Compares what EF believes of a database with what stands there. Migrations are SQL files without a snapshot, so nothing else
/// would notice a column that one of the two does not know.
/// </summary>
public static class SchemaComparison
{
    private const string Columns = """
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
               coalesce((select array_position(i.indkey::int2[], a.attnum) is not null from pg_index i where i.indrelid = c.oid and i.indisprimary), false)
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
        """;

    // Written by SQL alone, or EF's own.
    private static readonly string[] s_outsideOfEveryModel =
    [
        "__EFMigrationsHistory", "sealing_passes",
        "outbox_messages.attempts", "outbox_messages.next_attempt_at", "outbox_messages.last_error", "outbox_messages.parked_at",
    ];

    /// <summary>
    /// Every difference between the model and the database, in words: columns, their types and nullability, primary keys,
    /// tables that one side does not have. Empty when they agree.
    /// </summary>
    /// <param name="db">A context connected to a migrated database.</param>
    /// <param name="outsideOfTheModel">Tables, or columns as "table.column", that the model leaves out on purpose.</param>
    public static async Task<IReadOnlyList<string>> DifferencesAsync(DbContext db, params string[] outsideOfTheModel)
    {
        var leftOut = s_outsideOfEveryModel.Concat(outsideOfTheModel).ToHashSet(StringComparer.Ordinal);
        var expected = Describe(db.Model);
        var actual = (await ReadAsync(db)).Where(c => !leftOut.Contains(c.Table) && !leftOut.Contains($"{c.Table}.{c.Name}")).ToList();
        return
        [
            // One that names no context is passed by without a word.
            .. db.GetType().Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Migration)) && !t.IsAbstract && t.GetCustomAttribute<DbContextAttribute>()?.ContextType != db.GetType())
                .Select(t => $"a migration of no context: {t.Name}"),
            .. expected.Except(actual).Select(c => $"only in the model: {c}").Order(StringComparer.Ordinal),
            .. actual.Except(expected).Select(c => $"only in the database: {c}").Order(StringComparer.Ordinal),
        ];
    }

    private static HashSet<Column> Describe(IModel model)
    {
        var columns = new HashSet<Column>();
        foreach (var table in model.GetRelationalModel().Tables)
        {
            foreach (var column in table.Columns)
            {
                columns.Add(new Column(
                    table.Name, column.Name, column.StoreType, column.IsNullable, table.PrimaryKey?.Columns.Contains(column) == true));
            }
        }

        return columns;
    }

    private static async Task<List<Column>> ReadAsync(DbContext db)
    {
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await db.Database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(Columns, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var columns = new List<Column>();
        while (await reader.ReadAsync())
        {
            columns.Add(new Column(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3), reader.GetBoolean(4)));
        }

        return columns;
    }

    private sealed record Column(string Table, string Name, string Type, bool Nullable, bool Key)
    {
        public override string ToString() => $"{Table}.{Name} {Type}{(Nullable ? "" : " not null")}{(Key ? " key" : "")}";
    }
}
