using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Activity = System.Diagnostics.Activity;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override Task<MarkThreadReadResponse> MarkThreadRead(MarkThreadReadRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var messageId = check.Uuid("message_id", request.MessageId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = Admit(caller, await db.LockThreadAsync(mesureId, ct));
            var position = await db.Messages.Where(m => m.MessageId == messageId && m.MesureId == mesureId).Select(m => (long?)m.Position).SingleOrDefaultAsync(ct)
                ?? throw DomainError.Invalid("message_id", "is not a message of this thread");
            var organisationId = caller.OrganisationId;
            var readBefore = await db.Receipts
                .Where(r => r.MesureId == mesureId && r.OrganisationId == organisationId)
                .MaxAsync(r => (long?)r.Position, ct) ?? 0;
            if (position > readBefore)
            {
                Leave(thread, organisationId, position, messageId);
            }

            var read = Math.Max(position, readBefore);
            var unread = await db.Messages.LongCountAsync(m =>
                m.MesureId == mesureId && m.Position > read && m.AuthorOrganisationId != null && m.AuthorOrganisationId != organisationId, ct);
            return new MarkThreadReadResponse { Thread = ToProto(thread, unread) };
        }, _ => ResourceOf(request.MesureId));
    }

    private void Leave(MesureThread thread, Guid readerId, long position, Guid messageId)
    {
        var now = clock.GetStoredNow();
        db.Receipts.Add(new ThreadReceipt { MesureId = thread.MesureId, OrganisationId = readerId, Position = position, ReadAt = now });
        db.Publish(new ThreadRead
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = thread.MesureId,
            AggregateVersion = position,
            OccurredAt = now,
            RecordedAt = now,
            CorrelationId = Activity.Current?.TraceId.ToString(),
            MessageId = messageId,
            JuridictionId = thread.JuridictionId,
            GestionnaireId = thread.GestionnaireId,
            ReaderOrganisationId = readerId,
        });
    }
}
