using System.Reflection;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Jafer.ServiceDefaults.Privacy;

/// <summary>What is known of a column.</summary>
/// <param name="Category">Its category; null when nobody said.</param>
/// <param name="Processing">What its table is for.</param>
/// <param name="Kept">How long its rows are kept.</param>
/// <param name="IsSealed">Whether it is sealed.</param>
/// <param name="Because">Why it is not, where its category would ask for it.</param>
public sealed record ColumnData(DataCategory? Category, Processing? Processing, Kept? Kept, bool IsSealed, string? Because);

/// <summary>Reads what the attributes say of a service's columns.</summary>
public sealed class MappedData
{
    private readonly Dictionary<string, ColumnData> _columns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HeldInSqlAttribute> _inSql = new(StringComparer.Ordinal);

    /// <summary>Reads them.</summary>
    /// <param name="model">The model of the service.</param>
    /// <param name="assemblies">Assemblies that classify tables without a class.</param>
    public MappedData(IModel model, params IEnumerable<Assembly> assemblies)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(assemblies);
        foreach (var held in assemblies.SelectMany(a => a.GetCustomAttributes<HeldInSqlAttribute>()))
        {
            _inSql.Add(held.Name, held);
        }

        foreach (var entity in model.GetEntityTypes())
        {
            var holds = entity.ClrType.GetCustomAttribute<HoldsAttribute>();
            foreach (var property in SealedColumns.Properties(entity))
            {
                var own = property.PropertyInfo?.GetCustomAttribute<ColumnAttribute>();
                var of = property.DeclaringType.ClrType.GetCustomAttribute<HoldsAttribute>() ?? holds;
                _columns[$"{entity.GetTableName()}.{property.GetColumnName()}"] = new(
                    own?.Category ?? of?.Category, holds?.Processing, holds?.Kept, own is SealedAttribute, (own as InClearAttribute)?.Because);
            }
        }
    }

    /// <summary>Names that are classified and should exist.</summary>
    public IEnumerable<string> Named => _inSql.Keys;

    /// <summary>What is known of a column; without category when nobody said.</summary>
    /// <param name="table">Table, with the schema where it is not public.</param>
    /// <param name="column">Column.</param>
    public ColumnData Of(string table, string column) =>
        _columns.TryGetValue($"{table}.{column}", out var mapped) ? mapped
        : _inSql.GetValueOrDefault($"{table}.{column}") is { } one ? new(one.Category, one.Processing, one.Kept, false, null)
        : _inSql.GetValueOrDefault(table) is { } whole ? new(whole.Category, whole.Processing, whole.Kept, false, null)
        : new(null, null, null, false, null);
}
