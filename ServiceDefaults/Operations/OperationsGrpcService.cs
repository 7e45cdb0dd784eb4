using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Jafer.Contracts.Operations.V1;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;

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
    TContext db, OutboxState outbox, InboxState inbox, ErrorQueue errors, Commands<TContext> commands, IEnumerable<IStateRepublisher<TContext>> republishers) : OperationsService.OperationsServiceBase
    where TContext : JaferDbContext
{
    private const string Resource = "outbox";

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

    private static Guid RequestId(string value)
    {
        var check = new FieldChecks();
        var id = check.RequestId(value);
        check.ThrowIfAny();
        return id;
    }
}
