using System.Globalization;
using System.Reflection;
using System.Text;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Jafer.ServiceDefaults.Secrets;

/// <summary>Gives the properties with <see cref="SealedAttribute"/> their converter: what reads and writes them through the model does not notice.</summary>
public static class SealedColumns
{
    /// <summary>The sealed columns of a model, by table.</summary>
    /// <param name="model">The model.</param>
    public static ILookup<string, string> Of(IModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.GetEntityTypes().SelectMany(e => Properties(e).Where(IsSealed).Select(p => (Table: e.GetTableName()!, Column: p.GetColumnName())))
            .ToLookup(c => c.Table, c => c.Column);
    }

    /// <summary>All properties of a type, those of its parts included.</summary>
    /// <param name="type">The type.</param>
    public static IEnumerable<IReadOnlyProperty> Properties(IReadOnlyTypeBase type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.GetProperties().Concat(type.GetComplexProperties().SelectMany(p => Properties(p.ComplexType)));
    }

    internal static void Seal(IMutableModel model)
    {
        foreach (var entity in model.GetEntityTypes())
        {
            foreach (var property in Properties(entity).Where(IsSealed).Cast<IMutableProperty>())
            {
                var column = $"{entity.GetTableName()}.{property.GetColumnName()}";
                var first = property.GetValueConverter();
                var stored = first?.ProviderClrType ?? property.ClrType;
                ValueConverter converter = stored == typeof(string) ? Text(column) : stored == typeof(byte[]) ? Bytes(column)
                    : stored == typeof(DateOnly) || stored == typeof(DateOnly?) ? Date(column)
                    : throw new InvalidOperationException($"{column} is of a type that cannot be sealed");
                property.SetValueConverter(first is null ? converter : first.ComposeWith(converter));
                property.SetColumnType("bytea");
            }
        }
    }

    private static bool IsSealed(IReadOnlyProperty property) => property.PropertyInfo?.GetCustomAttribute<SealedAttribute>() is not null;

    private static ValueConverter<string, byte[]> Text(string column)
    {
        var binding = KeyRing.Binding(column);
        return new ValueConverter<string, byte[]>(
            text => KeyRing.Process.Seal(Encoding.UTF8.GetBytes(text), binding), value => Encoding.UTF8.GetString(KeyRing.Process.Open(value, binding)));
    }

    private static ValueConverter<byte[], byte[]> Bytes(string column)
    {
        var binding = KeyRing.Binding(column);
        return new ValueConverter<byte[], byte[]>(bytes => KeyRing.Process.Seal(bytes, binding), value => KeyRing.Process.Open(value, binding));
    }

    private static ValueConverter<DateOnly, byte[]> Date(string column)
    {
        var binding = KeyRing.Binding(column);
        return new ValueConverter<DateOnly, byte[]>(
            date => KeyRing.Process.Seal(Encoding.ASCII.GetBytes(date.ToString("O", CultureInfo.InvariantCulture)), binding),
            value => DateOnly.ParseExact(Encoding.ASCII.GetString(KeyRing.Process.Open(value, binding)), "O", CultureInfo.InvariantCulture));
    }
}
