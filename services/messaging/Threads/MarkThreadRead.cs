using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override Task<MarkThreadReadResponse> MarkThreadRead(MarkThreadReadRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var messageId = check.Uuid("message_id", request.MessageId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = await LockAsync(caller, key, ct);
            var position = await db.Messages.Where(m => m.MessageId == messageId && m.ThreadId == key.ThreadId).Select(m => (long?)m.Position).SingleOrDefaultAsync(ct)
                ?? throw DomainError.Invalid("message_id", "is not a message of this thread");
            var (organisationId, person) = (caller.OrganisationId, PersonOf(caller) ?? "");
            var readBefore = await db.Receipts
                .Where(r => r.ThreadId == key.ThreadId && r.OrganisationId == organisationId && r.PersonId == person)
                .MaxAsync(r => (long?)r.Position, ct) ?? 0;
            if (position > readBefore)
            {
                Leave(thread, organisationId, person, position, messageId);

                // In the transaction of the command: the counts below see it.
                await db.SaveChangesAsync(ct);
            }

            return new MarkThreadReadResponse { Thread = await ToProtoAsync(caller, thread, ct) };
        }, _ => ResourceOf(key));
    }

    private void Leave(MessageThread thread, Guid organisationId, string person, long position, Guid messageId)
    {
        var now = clock.GetStoredNow();
        db.Receipts.Add(new ThreadReceipt { ThreadId = thread.ThreadId, OrganisationId = organisationId, PersonId = person, Position = position, ReadAt = now });
        db.Publish((EventTypes.Blank<ThreadRead>() with
        {
            MessageId = messageId,
            ReaderOrganisationId = organisationId,
        }).About(thread, position, now));
    }
}
