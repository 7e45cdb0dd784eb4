using System.Security.Cryptography;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Attachments;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    private const int MaxHandedOver = 100;

    public override Task<HandOverMessagesResponse> HandOverMessages(HandOverMessagesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var from = new ThreadKey(ThreadKind.Mesure, check.Uuid("from_mesure_id", request.FromMesureId));
        var to = new ThreadKey(ThreadKind.Mesure, check.Uuid("to_mesure_id", request.ToMesureId));
        var ids = check.Uuids("message_ids", request.MessageIds, 1, MaxHandedOver);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var source = await FindAsync(caller, from, ct);
            var thread = await LockAsync(caller, to, ct);
            if (SideOf(caller, source) != AuthorKind.Juridiction || SideOf(caller, thread) != AuthorKind.Juridiction)
            {
                throw DomainError.Forbidden();
            }

            if (thread.PredecessorId != source.ThreadId)
            {
                throw DomainError.StateForbids("NO_SUCCESSOR", "HAND_OVER_MESSAGES", "the second mesure does not follow the first one");
            }

            var now = clock.GetStoredNow();
            RequireWritable(thread, "HAND_OVER_MESSAGES", now);
            var messages = await FormerAsync(source, thread, ids, ct);
            var copies = messages.ConvertAll(m => Copy(m, thread, caller, now));
            foreach (var copy in copies)
            {
                thread.Append(copy);
                db.Messages.Add(copy);
            }

            await NamedFiles.CopyAsync(db, [.. messages.Zip(copies, (m, copy) => (m.MessageId, copy))], now, ct);

            var last = copies[^1];
            db.Publish((EventTypes.Blank<MessagesHandedOver>() with
            {
                MessageId = last.MessageId,
                PredecessorMesureId = source.ThreadId,
                MessageCount = copies.Count,
                Hash = Convert.ToHexStringLower(last.Hash),
            }).About(thread, last.Position, now));

            // The answer is kept for a repetition, and so has no text.
            var response = new HandOverMessagesResponse();
            response.Messages.AddRange(copies.Select(m => ToProto(thread, m)));
            foreach (var message in response.Messages)
            {
                message.Body = "";
            }

            return response;
        }, _ => ResourceOf(to));
    }

    /// <summary>The messages to be handed over, in the order of their thread.</summary>
    private async Task<List<ThreadMessage>> FormerAsync(MessageThread source, MessageThread thread, List<Guid> ids, CancellationToken ct)
    {
        var messages = await db.Messages.AsNoTracking().Where(m => m.ThreadId == source.ThreadId && ids.Contains(m.MessageId)).OrderBy(m => m.Position).ToListAsync(ct);
        var origins = messages.ToDictionary(m => m.MessageId, m => m.OriginMessageId ?? m.MessageId);
        var handedOver = await db.Messages
            .Where(m => m.ThreadId == thread.ThreadId && m.OriginMessageId != null && origins.Values.Contains(m.OriginMessageId.Value))
            .Select(m => m.OriginMessageId!.Value)
            .ToListAsync(ct);
        var check = new FieldChecks();
        foreach (var (i, id) in ids.Index())
        {
            var message = messages.Find(m => m.MessageId == id);
            check.That(message is not null, $"message_ids[{i}]", "is not a message of the first thread");
            check.That(message?.EventType is null, $"message_ids[{i}]", "is an entry of Jafer");
            check.That(message?.ErasedAt is null, $"message_ids[{i}]", "is erased");
            check.That(message is null || !handedOver.Contains(origins[id]), $"message_ids[{i}]", "was handed over before");
        }

        check.ThrowIfAny();
        return messages;
    }

    // Of what was handed over to the former espace, the first origin: the court only carries it.
    private static ThreadMessage Copy(ThreadMessage message, MessageThread thread, Caller caller, DateTimeOffset now)
    {
        var salt = RandomNumberGenerator.GetBytes(ThreadChain.SaltLength);
        return new ThreadMessage
        {
            ThreadId = thread.ThreadId,
            MessageId = Guid.CreateVersion7(now),
            AuthorKind = AuthorKind.Juridiction,
            AuthorOrganisationId = caller.OrganisationId,
            AuthorPersonId = PersonOf(caller),
            Kind = MessageKind.Ordinaire,
            Body = message.Body,
            Salt = salt,
            BodyDigest = ThreadChain.BodyDigest(salt, message.Body!),
            AttachmentDigests = message.AttachmentDigests,
            OriginMesureId = message.OriginMesureId ?? message.ThreadId,
            OriginMessageId = message.OriginMessageId ?? message.MessageId,
            OriginAuthorKind = message.OriginAuthorKind ?? message.AuthorKind,
            OriginKind = message.OriginKind ?? message.Kind,
            OriginCreatedAt = message.OriginCreatedAt ?? message.CreatedAt,
            CreatedAt = now,
        };
    }
}
