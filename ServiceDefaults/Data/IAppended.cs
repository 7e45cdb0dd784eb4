using Npgsql;
using NpgsqlTypes;

namespace Jafer.ServiceDefaults.Data;

/// <summary>A row that is written once and never changed through the context (<see cref="JaferDbContext.Append"/>).</summary>
public interface IAppended
{
    /// <summary>The statement that writes the row.</summary>
    NpgsqlBatchCommand ToInsert();
}

/// <summary>Statements with positional parameters.</summary>
public static class Inserts
{
    /// <summary>A statement.</summary>
    /// <param name="sql">Its text, with $1, $2 and so on.</param>
    /// <param name="parameters">The values, in that order.</param>
    public static NpgsqlBatchCommand With(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        return command;
    }

    /// <summary>A value that is not null.</summary>
    public static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    /// <summary>A document.</summary>
    public static NpgsqlParameter<string> Json(string value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Jsonb };

    /// <summary>A text; null for none.</summary>
    public static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    /// <summary>An identifier; null for none.</summary>
    public static NpgsqlParameter Uuid(Guid? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid };
}
