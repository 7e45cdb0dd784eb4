using Npgsql;

namespace Jafer.Directory.Places;

/// <summary>
/// Deletes the rows of places whose time is over. Searches leave those out by their time already; the rows only must not stay.
/// </summary>
internal sealed class ExpiredHolds(NpgsqlDataSource source, TimeProvider clock)
{
    /// <summary>Deletes them.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Rows deleted.</returns>
    public async Task<int> DeleteAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            delete from place_holds where mesure_id in (select mesure_id from place_holds where expires_at <= $1 for update skip locked)
            """);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        return await command.ExecuteNonQueryAsync(ct);
    }
}
