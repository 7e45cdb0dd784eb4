using System.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.Directory.Territory;
using Npgsql;

namespace Jafer.Directory.Search;

/// <summary>
/// Gives each search a snapshot that holds every change committed before the search arrived, on every replica: one tiny query
/// asks whether the revision has moved, and only what changed is read again. Searches that arrive while such a query runs
/// share the next one. A hold of a place that ran out is left out from that moment on, though nothing was written.
/// </summary>
internal sealed class SnapshotSource(NpgsqlDataSource source, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<Snapshot>? _next;
    private bool _running;
    private Snapshot? _current;

    /// <summary>The reference data; read with the first snapshot.</summary>
    public async ValueTask<Geography> GeographyAsync(CancellationToken ct) => (_current ?? await GetAsync(ct)).Geography;

    /// <summary>A snapshot at least as new as the moment of the call.</summary>
    public Task<Snapshot> GetAsync(CancellationToken ct)
    {
        TaskCompletionSource<Snapshot> mine;
        bool start;
        lock (_gate)
        {
            mine = _next ??= new TaskCompletionSource<Snapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
            start = !_running;
            _running = true;
        }
        if (start)
            _ = RunAsync();
        return mine.Task.WaitAsync(ct);
    }

    // One at a time; whoever asked before it begins gets its answer, its fault included.
    private async Task RunAsync()
    {
        TaskCompletionSource<Snapshot> batch;
        lock (_gate)
            (batch, _next) = (_next!, null);
        try
        {
            batch.SetResult(await RefreshAsync());
        }
#pragma warning disable CA1031 // Every fault belongs to those who wait.
        catch (Exception e)
#pragma warning restore CA1031
        {
            batch.SetException(e);
        }
        lock (_gate)
        {
            if (_next is null)
            {
                _running = false;
                return;
            }
        }
        // The next ones are of other callers: their work must not hang in the trace of the first.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(RunAsync);
    }

    private async Task<Snapshot> RefreshAsync()
    {
        if (_current is { } current)
        {
            await using var probe = source.CreateCommand("select revision from directory_revision");
            if ((long)(await probe.ExecuteScalarAsync())! == current.Revision)
                return _current = current.At(clock.GetUtcNow());
        }
        return _current = await ReadChangesAsync();
    }

    private async Task<Snapshot> ReadChangesAsync()
    {
        var now = clock.GetUtcNow();
        var known = _current?.At(now) ?? Snapshot.Empty(await Geography.ReadAsync(source, CancellationToken.None), new SchoolCalendar([]));
        await using var connection = await source.OpenConnectionAsync();
        // One snapshot of the database for the number and for what it numbers.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        var (revision, schoolRevision) = await NumbersAsync(connection);
        await Distancier.FollowAsync(connection, source, known.Geography.Travel);
        // Every opening schedule follows the school holidays: with new ones all espaces are read again.
        if (schoolRevision > known.Revision)
            known = Snapshot.Empty(known.Geography, await CalendarAsync(connection));
        return known.With(
            revision, await new SnapshotReader(connection, known.Geography, known.Calendar, known.Forecasts, known.Revision, now).ReadAsync(CancellationToken.None));
    }

    private static async Task<(long Revision, long SchoolRevision)> NumbersAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select revision, school_revision from directory_revision", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    private static async Task<SchoolCalendar> CalendarAsync(NpgsqlConnection connection)
    {
        var holidays = new List<SchoolHolidays>();
        await using var command = new NpgsqlCommand("select zone, school_year, start_date, end_date from school_holidays", connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            holidays.Add(new(reader.GetString(0), reader.GetString(1), new Period(reader.GetFieldValue<DateOnly>(2), reader.GetFieldValue<DateOnly>(3))));
        return new SchoolCalendar(holidays);
    }
}
