using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override async Task<ListMessagesResponse> ListMessages(ListMessagesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        check.ThrowIfAny();

        var caller = context.Caller();
        var ct = context.CancellationToken;
        Admit(caller, await FindAsync(mesureId, ct));
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = pageTokens.Read<MessageCursor>(request.PageToken, binding)?.Position ?? 0;

        var page = await db.Messages.AsNoTracking()
            .Where(m => m.MesureId == mesureId && m.Position > after)
            .OrderBy(m => m.Position)
            .Take(pageSize + 1)
            .ToListAsync(ct);
        var receipts = await db.Receipts.AsNoTracking()
            .Where(r => r.MesureId == mesureId && r.Position > after)
            .OrderBy(r => r.Position)
            .ToListAsync(ct);

        // Reading what people wrote leaves a line in the journal; counting it does not.
        db.Journal(JournalEntry.For(context, ResourceOf(request.MesureId), clock.GetStoredNow()));
        await db.SaveChangesAsync(ct);

        var response = new ListMessagesResponse();
        if (page.Count > pageSize)
        {
            page.RemoveAt(pageSize);
            response.NextPageToken = pageTokens.Protect(new MessageCursor(page[^1].Position), binding);
        }

        var byReader = receipts.ToLookup(r => r.OrganisationId);
        response.Messages.AddRange(page.Select(m => ToProto(m, byReader)));
        return response;
    }

    private static Message ToProto(ThreadMessage message, ILookup<Guid, ThreadReceipt> receipts)
    {
        var proto = new Message
        {
            MessageId = message.MessageId.ToString(),
            MesureId = message.MesureId.ToString(),
            Position = message.Position,
            AuthorKind = message.AuthorKind,
            AuthorOrganisationId = message.AuthorOrganisationId?.ToString() ?? "",
            Body = message.Body ?? "",
            EventType = message.EventType ?? "",
            CreateTime = message.CreatedAt.ToProto(),
        };
        if (message.AuthorOrganisationId is { } author)
        {
            // Of each reader the first receipt that covers the message; having written it proves no reading.
            proto.Receipts.AddRange(receipts
                .Where(reader => reader.Key != author)
                .Select(reader => reader.FirstOrDefault(r => r.Position >= message.Position))
                .OfType<ThreadReceipt>()
                .OrderBy(r => r.ReadAt)
                .Select(r => new ReadReceipt { OrganisationId = r.OrganisationId.ToString(), ReadTime = r.ReadAt.ToProto() }));
        }

        return proto;
    }

    private sealed record MessageCursor(long Position);
}
