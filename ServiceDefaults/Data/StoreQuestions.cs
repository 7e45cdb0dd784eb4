using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>Questions to a service's database that need no model of it.</summary>
public static class StoreQuestions
{
    /// <summary>
    /// Whether the query gives a row. Work that recurs asks this first: mostly there is nothing to do, and a process that is
    /// at rest, or just starting, then never builds the model of its tables.
    /// </summary>
    /// <param name="source">The service's database.</param>
    /// <param name="query">A query, with $1, $2 … for its values.</param>
    /// <param name="values">The values of $1, $2 …</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<bool> AnyAsync(this NpgsqlDataSource source, string query, object[] values, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"select exists ({query})");
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }
}
