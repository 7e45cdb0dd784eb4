using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Writes hundreds of rows of an entity at once, past the change tracker, by a single INSERT or UPDATE: row security knows no COPY.
/// Columns come from the model, so a property that is mapped is written. In the transaction that was begun.
/// </summary>
public static class BulkRows
{
    /// <summary>Inserts rows.</summary>
    /// <param name="db">The context.</param>
    /// <param name="rows">The rows; what the database numbers itself is left to it.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task BulkInsertAsync<T>(this JaferDbContext db, IReadOnlyList<T> rows, CancellationToken ct)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
        {
            return;
        }

        var table = Table<T>.Of(db.Model);
        await using var command = new NpgsqlCommand(table.Insert, await ConnectionAsync(db, ct));
        foreach (var column in table.Columns.Where(c => !c.Generated))
        {
            command.Parameters.Add(column.ToParameter(rows));
        }

        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Updates rows by their key: every column whose property may change.</summary>
    /// <param name="db">The context.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="ct">Cancellation.</param>
    /// <param name="loadedVersion">The version that a row had when it was loaded: one that has another by now is not updated.</param>
    /// <param name="leftOut">A complex property that is known to be as it was; null for none.</param>
    /// <returns>Rows updated.</returns>
    public static async Task<int> BulkUpdateAsync<T>(
        this JaferDbContext db, IReadOnlyList<T> rows, CancellationToken ct, Func<T, long>? loadedVersion = null, string? leftOut = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
        {
            return 0;
        }

        var table = Table<T>.Of(db.Model);
        var columns = table.Columns.Where(c => c.IsKey || (c.Changes && (leftOut is null || c.Part != leftOut))).ToList();
        await using var command = new NpgsqlCommand(table.Update(columns, loadedVersion is not null), await ConnectionAsync(db, ct));
        foreach (var column in columns)
        {
            command.Parameters.Add(column.ToParameter(rows));
        }

        if (loadedVersion is not null)
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. rows.Select(loadedVersion)] });
        }

        return await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<NpgsqlConnection> ConnectionAsync(JaferDbContext db, CancellationToken ct)
    {
        if (db.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException("rows in bulk are written in a transaction that was begun");
        }

        await db.SetTenantAsync(ct);
        return (NpgsqlConnection)db.Database.GetDbConnection();
    }

    private sealed class Table<T>
        where T : class
    {
        private static readonly ConcurrentDictionary<IModel, Table<T>> s_ofModels = new();
        private readonly string _name;

        private Table(IEntityType entity)
        {
            _name = entity.GetTableName()!;
            Columns = [.. Of(entity, Expression.Parameter(typeof(T)), e => e, null, changes: true)];
            var columns = Columns.Where(c => !c.Generated).ToList();
            var names = string.Join(", ", columns.Select(c => c.Name));
            Insert = $"insert into {_name} ({names}) select {string.Join(", ", columns.Select(Unpacked))} from {Unnest(columns)} as v ({names})";
        }

        public string Insert { get; }

        public Column<T>[] Columns { get; }

        public static Table<T> Of(IModel model) => s_ofModels.GetOrAdd(model, static m => new Table<T>(m.FindEntityType(typeof(T))!));

        public string Update(List<Column<T>> columns, bool versioned)
        {
            var sql = new StringBuilder($"update {_name} as t set ");
            sql.AppendJoin(", ", columns.Where(c => !c.IsKey).Select(c => $"{c.Name} = {Unpacked(c)}"));
            sql.Append(" from ").Append(Unnest(columns, versioned ? $", ${columns.Count + 1}::bigint[]" : "")).Append(" as v (").AppendJoin(", ", columns.Select(c => c.Name)).Append(versioned ? ", loaded" : "").Append(") where ");
            return sql.AppendJoin(" and ", columns.Where(c => c.IsKey).Select(c => $"t.{c.Name} = v.{c.Name}")).Append(versioned ? " and t.version = v.loaded" : "").ToString();
        }

        private static string Unnest(List<Column<T>> columns, string more = "") => $"unnest({string.Join(", ", columns.Select((c, i) => $"${i + 1}::{c.Packed}[]"))}{more})";

        private static string Unpacked(Column<T> column) => $"v.{column.Name}{(column.IsArray ? "::" + column.Type : "")}";

        private static IEnumerable<Column<T>> Of(ITypeBase type, ParameterExpression row, Func<Expression, Expression> path, string? part, bool changes)
        {
            foreach (var property in type.GetProperties())
            {
                var get = Expression.Lambda<Func<T, object?>>(Expression.Convert(Expression.Property(path(row), property.PropertyInfo!), typeof(object)), row).Compile();
                yield return new Column<T>(property, get, part, changes && (type is IComplexType || MayChange(property.PropertyInfo!)));
            }

            foreach (var complex in type.GetComplexProperties())
            {
                foreach (var column in Of(
                    complex.ComplexType, row, e => Expression.Property(path(e), complex.PropertyInfo!), part ?? complex.Name, changes && (type is IComplexType || MayChange(complex.PropertyInfo!))))
                {
                    yield return column;
                }
            }
        }

        private static bool MayChange(PropertyInfo property) =>
            property.SetMethod is { } set && !set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
    }

    private sealed class Column<T>
    {
        private readonly Func<T, object?> _get;
        private readonly Func<object?, object?>? _convert;
        private readonly Type _stored;

        public Column(IProperty property, Func<T, object?> get, string? part, bool changes)
        {
            var converter = property.GetTypeMapping().Converter;
            (_get, _convert) = (get, converter?.ConvertToProvider);
            Name = property.GetColumnName();
            Type = property.GetColumnType();
            Part = part;
            IsKey = property.IsPrimaryKey();
            Changes = changes;
            Generated = property.ValueGenerated == ValueGenerated.OnAddOrUpdate || (property.ValueGenerated == ValueGenerated.OnAdd && property.ClrType == typeof(long));
            var stored = converter?.ProviderClrType ?? property.ClrType;
            IsArray = Type.EndsWith("[]", StringComparison.Ordinal);
            _stored = IsArray ? typeof(string) : stored.IsValueType && Nullable.GetUnderlyingType(stored) is null ? typeof(Nullable<>).MakeGenericType(stored) : stored;
        }

        public string Name { get; }

        public string Type { get; }

        /// <summary>The complex property that it belongs to; null for one of the entity itself.</summary>
        public string? Part { get; }

        public bool IsKey { get; }

        public bool Changes { get; }

        public bool Generated { get; }

        /// <summary>Arrays cannot stand in an array that unnest takes apart row by row: they travel as their literals.</summary>
        public bool IsArray { get; }

        public string Packed => IsArray ? "text" : Type;

        public object? Get(T row) => _get(row) is { } value ? _convert is null ? value : _convert(value) : null;

        public NpgsqlParameter ToParameter(IReadOnlyList<T> rows)
        {
            var values = Array.CreateInstance(_stored, rows.Count);
            for (var i = 0; i < rows.Count; i++)
            {
                values.SetValue(IsArray ? Literal((Array?)Get(rows[i])) : Get(rows[i]), i);
            }

            return new NpgsqlParameter { Value = values, DataTypeName = Packed + "[]" };
        }

        private static string? Literal(Array? values) => values is null ? null : $"{{{string.Join(',', values.Cast<object?>().Select(Quoted))}}}";

        private static string Quoted(object? value) => value is null ? "NULL"
            : $"\"{Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
