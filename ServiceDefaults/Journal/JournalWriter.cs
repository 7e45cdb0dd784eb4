using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>
/// Puts the lines of reads on disk. Those that come while others are being written wait together and share the next statement and
/// its commit, so that many readers at once cost little more than one.
/// </summary>
internal sealed class JournalWriter(NpgsqlDataSource source, ILogger<JournalWriter> logger)
{
    private const int Portion = 500;
    private const int TimeoutSeconds = 5;

    private const string Insert = """
        insert into journal.entries (subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, resources, purpose, outcome, is_write, trace_id)
        select subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, string_to_array(resources, ' '), purpose, outcome, is_write, trace_id
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            as t (subject, issuer, role, organisation_id, is_person, on_behalf_of, rpc, resources, purpose, outcome, is_write, trace_id)
        """;

    private readonly Lock _gate = new();
    private List<Waiting> _waiting = [];
    private bool _writing;

    /// <summary>Completes once the line is on disk. UNAVAILABLE when it cannot be: then nothing may be answered.</summary>
    /// <param name="line">The line.</param>
    public Task WriteAsync(JournalEntry line)
    {
        var waiting = new Waiting(line, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            _waiting.Add(waiting);
            if (_writing)
            {
                return waiting.Done.Task;
            }

            _writing = true;
        }

        _ = Task.Run(WriteWaitingAsync);
        return waiting.Done.Task;
    }

    private async Task WriteWaitingAsync()
    {
        while (true)
        {
            List<Waiting> lines;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _writing = false;
                    return;
                }

                (lines, _waiting) = (_waiting, []);
            }

            foreach (var portion in lines.Chunk(Portion))
            {
                await WriteAsync(portion);
            }
        }
    }

    private async Task WriteAsync(Waiting[] lines)
    {
        try
        {
            await InsertAsync(Array.ConvertAll(lines, l => l.Line));
        }
        catch (Exception e)
        {
            if (lines.Length > 1 && !RpcErrors.IsTransient(e))
            {
                // One that the database does not take must not keep the others from their answers.
                foreach (var line in lines)
                {
                    await WriteAsync([line]);
                }

                return;
            }

            logger.LogError("The access journal could not be written, and what {Count} calls read is not answered: {Fault}", lines.Length, Redaction.Describe(e));
            foreach (var line in lines)
            {
                line.Done.SetException(DomainError.Unavailable(TimeSpan.FromSeconds(1)));
            }

            return;
        }

        foreach (var line in lines)
        {
            line.Done.SetResult();
        }
    }

    private async Task InsertAsync(JournalEntry[] lines)
    {
        await using var command = source.CreateCommand(Insert);
        command.CommandTimeout = TimeoutSeconds;
        Add(NpgsqlDbType.Text, l => l.Subject);
        Add(NpgsqlDbType.Text, l => l.Issuer);
        Add(NpgsqlDbType.Text, l => l.Role);
        Add(NpgsqlDbType.Uuid, l => l.OrganisationId);
        Add(NpgsqlDbType.Boolean, l => l.IsPerson);
        Add(NpgsqlDbType.Text, l => l.OnBehalfOf);
        Add(NpgsqlDbType.Text, l => l.Rpc);
        Add(NpgsqlDbType.Text, l => string.Join(' ', l.Resources));
        Add(NpgsqlDbType.Text, l => l.Purpose);
        Add(NpgsqlDbType.Text, l => l.Outcome);
        Add(NpgsqlDbType.Boolean, l => l.IsWrite);
        Add(NpgsqlDbType.Text, l => l.TraceId);
        await command.ExecuteNonQueryAsync();

        void Add<T>(NpgsqlDbType type, Converter<JournalEntry, T> column) =>
            command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = Array.ConvertAll(lines, column), NpgsqlDbType = NpgsqlDbType.Array | type });
    }

    private sealed record Waiting(JournalEntry Line, TaskCompletionSource Done);
}
