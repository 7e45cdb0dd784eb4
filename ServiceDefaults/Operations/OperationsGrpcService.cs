using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Jafer.Contracts.Operations.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.ServiceDefaults.Operations;

/// <summary>Publishes the current state of what a service owns again. A service that owns nothing to project needs none.</summary>
/// <typeparam name="TContext">The service's context.</typeparam>
public interface IStateRepublisher<in TContext>
    where TContext : JaferDbContext
{
    /// <summary>Adds the events to the outbox.</summary>
    /// <param name="db">The context; what is added is saved by the caller.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Number of events.</returns>
    Task<long> RepublishAsync(TContext db, CancellationToken ct);
}

[SuppressMessage("Performance", "CA1812", Justification = "made by the gRPC server")]
internal sealed class OperationsGrpcService<TContext>(
    TContext db, OutboxState outbox, InboxState inbox, ErrorQueue errors, Commands<TContext> commands, IEnumerable<IStateRepublisher<TContext>> republishers,
    NpgsqlDataSource source, PageTokens tokens) : OperationsService.OperationsServiceBase
    where TContext : JaferDbContext
{
    private const string Resource = "outbox";
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    private const string Passes = "select table_name, key_id, resealed, began_at, finished_at from sealing_passes order by table_name";

    private const string Alarms = """
        select e.at, e.id, e.subject, coalesce(e.issuer, ''), e.role, e.organisation_id, ltrim(e.rpc, '/'), coalesce(e.is_person, false), coalesce(e.on_behalf_of, '')
        from journal.entries e
        where e.resources && array[@name] and e.outcome = @outcome and (e.at, e.id) < (@at, @id)
        order by e.at desc, e.id desc limit @size
        """;

    public override async Task<GetOutboxResponse> GetOutbox(GetOutboxRequest request, ServerCallContext context)
    {
        var counts = await outbox.ReadAsync(context.CancellationToken);
        var response = new GetOutboxResponse
        {
            PendingCount = counts.Pending,
            OldestAgeSeconds = counts.OldestAge.TotalSeconds,
            ParkedCount = counts.Parked,
        };
        try
        {
            response.FailedCount = await inbox.ReadAsync(context.CancellationToken);
        }
        catch (TimeoutException)
        {
            // The outbox is worth knowing most when the broker is away.
        }

        return response;
    }

    public override Task<RedriveParkedMessagesResponse> RedriveParkedMessages(RedriveParkedMessagesRequest request, ServerCallContext context)
    {
        var requestId = RequestId(request.RequestId);
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            // Not part of the transaction: moved again after a failure, the messages are still applied once.
            var moved = await errors.RedriveAsync(ct);
            await db.Database.BeginTransactionAsync(ct);
            var parked = await db.Database.ExecuteSqlAsync(
                $"update outbox_messages set parked_at = null, attempts = 0, next_attempt_at = '-infinity' where parked_at is not null", ct);
            return new RedriveParkedMessagesResponse { RedrivenCount = parked + moved };
        }, _ => Resource, effectsOutside: true);
    }

    public override Task<RepublishStateResponse> RepublishState(RepublishStateRequest request, ServerCallContext context)
    {
        var requestId = RequestId(request.RequestId);
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var response = new RepublishStateResponse();
            foreach (var republisher in republishers)
            {
                response.EventCount += await republisher.RepublishAsync(db, ct);
            }

            return response;
        }, _ => Resource);
    }

    public override async Task<GetKeyPassesResponse> GetKeyPasses(GetKeyPassesRequest request, ServerCallContext context)
    {
        await using var command = source.CreateCommand(Passes);
        await using var reader = await command.ExecuteReaderAsync(context.CancellationToken);
        var response = new GetKeyPassesResponse();
        while (await reader.ReadAsync(context.CancellationToken))
        {
            response.Passes.Add(new KeyPass
            {
                Name = reader.GetString(0),
                KeyId = reader.GetString(1),
                ResealedCount = reader.GetInt64(2),
                BeginTime = reader.GetFieldValue<DateTimeOffset>(3).ToProto(),
                FinishTime = reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4).ToProto(),
            });
        }

        return response;
    }

    public override async Task<ListAlarmsResponse> ListAlarms(ListAlarmsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        await using var command = source.CreateCommand(Alarms);
        command.Parameters.AddWithValue("name", JournalEntry.EnumerationAlarms);
        command.Parameters.AddWithValue("outcome", JournalEntry.Alarm);
        command.Parameters.AddWithValue("at", cursor?.At ?? DateTimeOffset.MaxValue);
        command.Parameters.AddWithValue("id", cursor?.Id ?? long.MaxValue);
        command.Parameters.AddWithValue("size", size + 1);
        await using var reader = await command.ExecuteReaderAsync(context.CancellationToken);
        var found = new List<(Cursor At, Alarm Alarm)>();
        while (await reader.ReadAsync(context.CancellationToken))
        {
            var at = new Cursor(reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1));
            found.Add((at, new Alarm
            {
                AlarmTime = at.At.ToProto(),
                Subject = reader.GetString(2),
                Issuer = reader.GetString(3),
                Role = reader.GetString(4),
                OrganisationId = reader.GetGuid(5).ToString(),
                Rpc = reader.GetString(6),
                IsPerson = reader.GetBoolean(7),
                OnBehalfOf = reader.GetString(8),
            }));
        }

        var response = new ListAlarmsResponse { Alarms = { found.Take(size).Select(f => f.Alarm) } };
        if (found.Count > size)
        {
            response.NextPageToken = tokens.Protect(found[size - 1].At, binding);
        }

        return response;
    }

    private static Guid RequestId(string value)
    {
        var check = new FieldChecks();
        var id = check.RequestId(value);
        check.ThrowIfAny();
        return id;
    }

    private sealed record Cursor(DateTimeOffset At, long Id);
}
