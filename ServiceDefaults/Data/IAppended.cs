using Npgsql;
using NpgsqlTypes;

namespace Jafer.ServiceDefaults.Data;

/// <summary>A row that is written once and never changed through the context: <see cref="JaferDbContext"/> appends it.</summary>
public interface IAppended
{
    /// <summary>The statement that writes the row.</summary>
    NpgsqlBatchCommand ToInsert();
}

/// <summary>Statements with positional parameters.</summary>
internal static class Inserts
{
    public static NpgsqlBatchCommand With(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        return command;
    }

    public static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    public static NpgsqlParameter<string> Json(string value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Jsonb };

    public static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };
}
