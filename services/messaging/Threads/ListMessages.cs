using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Attachments;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override async Task<ListMessagesResponse> ListMessages(ListMessagesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        ThreadKey? key = request.MesureId.Length + request.EspaceId.Length == 0 ? null : Key(check, request.MesureId, request.EspaceId);
        foreach (var (i, kind) in request.Kinds.Index())
        {
            check.Known($"kinds[{i}]", kind);
        }

        var author = check.KnownOrUnspecified("author_kind", request.AuthorKind);
        var state = check.KnownOrUnspecified("state", request.State);
        var from = check.OptionalTime("from_time", request.FromTime);
        var until = check.OptionalTime("until_time", request.UntilTime);
        check.That(!(until < from), "until_time", "must not be before from_time");
        var contactId = check.Text("must_act_contact_id", request.MustActContactId, MaxContactIdLength);
        var dueBefore = check.OptionalTime("due_before_time", request.DueBeforeTime);
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        var caller = context.Caller();
        var reader = ReaderOf(caller);
        CheckPerson(check, state, reader);
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        var thread = key is { } named ? await FindAsync(caller, named, ct) : null;
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var messages = Of(db.Messages.AsNoTracking(), state, reader);
        if (request.Kinds.Count > 0)
        {
            var kinds = request.Kinds.Distinct().Cast<MessageKind?>().ToArray();
            messages = messages.Where(m => kinds.Contains(m.Kind));
        }

        if (author != AuthorKind.Unspecified)
        {
            messages = messages.Where(m => m.AuthorKind == author);
        }

        if (from is not null)
        {
            messages = messages.Where(m => m.CreatedAt >= from);
        }

        if (until is not null)
        {
            messages = messages.Where(m => m.CreatedAt < until);
        }

        if (contactId.Length > 0)
        {
            // A contact's id is its own organisation's: the same one at the other side is somebody else.
            messages = Of(messages, Attention.ToAnswer, reader).Where(m => db.Expectations.Any(e =>
                e.MessageId == m.MessageId && e.State == ExpectationState.Open && e.MustActContactId == contactId));
        }

        if (dueBefore is not null)
        {
            messages = messages.Where(m => db.Expectations.Any(e => e.MessageId == m.MessageId && e.State == ExpectationState.Open && e.DueAt < dueBefore));
        }

        var page = thread is not null
            ? await OneThreadAsync(messages, thread, pageTokens.Read<MessageCursor>(request.PageToken, binding), pageSize, ct)
            : await AllThreadsAsync(messages, reader, pageTokens.Read<TimeCursor>(request.PageToken, binding), pageSize, ct);
        var response = new ListMessagesResponse();
        if (page.Count > pageSize)
        {
            page.RemoveAt(pageSize);
            var last = page[^1].Message;
            response.NextPageToken = thread is not null
                ? pageTokens.Protect(new MessageCursor(last.Position), binding)
                : pageTokens.Protect(new TimeCursor(last.CreatedAt, last.MessageId), binding);
        }

        response.Messages.AddRange(await ToProtosAsync(page, ct));
        return response;
    }

    /// <summary>Messages that ask something of the caller's organisation, or for which another is awaited.</summary>
    private IQueryable<ThreadMessage> Of(IQueryable<ThreadMessage> messages, Attention state, Reader reader)
    {
        var (organisationId, person, operateurId) = (reader.OrganisationId, reader.PersonId, reader.OperateurId);
        switch (state)
        {
            case Attention.Unread:
                return messages.Where(m => m.ErasedAt == null && m.AuthorOrganisationId != null && m.AuthorOrganisationId != organisationId
                    && m.Position > (db.Receipts.Where(r => r.ThreadId == m.ThreadId && r.OrganisationId == organisationId).Max(r => (long?)r.Position) ?? 0));
            case Attention.PersonUnread:
                return messages.Where(m => m.ErasedAt == null && m.AuthorOrganisationId != null && !(m.AuthorOrganisationId == organisationId && m.AuthorPersonId == person)
                    && m.Position > (db.Receipts.Where(r => r.ThreadId == m.ThreadId && r.OrganisationId == organisationId && r.PersonId == person).Max(r => (long?)r.Position) ?? 0));
            case Attention.ToAnswer or Attention.ToAcknowledge:
                var kind = state == Attention.ToAnswer ? ExpectationKind.Answer : ExpectationKind.Acknowledgement;
                return messages.Where(m => db.Expectations.Any(e => e.MessageId == m.MessageId && e.State == ExpectationState.Open && e.Kind == kind
                    && db.Threads.Any(t => t.ThreadId == e.ThreadId
                        && ((e.MustAct == AuthorKind.Juridiction && t.JuridictionId == organisationId)
                            || (e.MustAct == AuthorKind.Espace && t.GestionnaireId == organisationId)
                            || (e.MustAct == AuthorKind.Operateur && t.OperateurId == operateurId)))));
            case Attention.Awaiting:
                return messages.Where(m => db.Expectations.Any(e => e.MessageId == m.MessageId && e.State == ExpectationState.Open
                    && db.Threads.Any(t => t.ThreadId == e.ThreadId
                        && ((e.AskedBy == AuthorKind.Juridiction && t.JuridictionId == organisationId)
                            || (e.AskedBy == AuthorKind.Espace && t.GestionnaireId == organisationId)
                            || (e.AskedBy == AuthorKind.Operateur && t.OperateurId == operateurId)))));
            default:
                return messages;
        }
    }

    private static async Task<List<ReadMessage>> OneThreadAsync(
        IQueryable<ThreadMessage> messages, MessageThread thread, MessageCursor? cursor, int pageSize, CancellationToken ct)
    {
        var after = cursor?.Position ?? 0;
        var page = await messages.Where(m => m.ThreadId == thread.ThreadId && m.Position > after).OrderBy(m => m.Position).Take(pageSize + 1).ToListAsync(ct);
        return page.ConvertAll(m => new ReadMessage(thread, m));
    }

    /// <summary>Of each thread its latest, by an index, and of these the latest: a page costs a look at each thread, not at each message.</summary>
    private async Task<List<ReadMessage>> AllThreadsAsync(
        IQueryable<ThreadMessage> messages, Reader reader, TimeCursor? before, int pageSize, CancellationToken ct)
    {
        if (before is not null)
        {
            messages = messages.Where(m => EF.Functions.LessThan(
                ValueTuple.Create(m.CreatedAt, m.MessageId), ValueTuple.Create(before.CreatedAt, before.MessageId)));
        }

        var organisationId = reader.OrganisationId;
        var threads = reader.Espaces is null
            ? db.Threads.AsNoTracking().Where(t => t.JuridictionId == organisationId || t.GestionnaireId == organisationId || t.OperateurId == organisationId)
            : reader.AsOperator(db.Threads.AsNoTracking());
        var latest =
            from t in threads
            from m in messages.Where(m => m.ThreadId == t.ThreadId).OrderByDescending(m => m.CreatedAt).ThenByDescending(m => m.MessageId).Take(pageSize + 1)
            orderby m.CreatedAt descending, m.MessageId descending
            select new { Thread = t, Message = m };
        var page = await latest.Take(pageSize + 1).ToListAsync(ct);
        return page.ConvertAll(p => new ReadMessage(p.Thread, p.Message));
    }

    private async Task<List<Message>> ToProtosAsync(List<ReadMessage> page, CancellationToken ct)
    {
        if (page.Count == 0)
        {
            return [];
        }

        var threadIds = page.Select(p => p.Thread.ThreadId).Distinct().ToArray();
        var ids = page.Select(p => p.Message.MessageId).ToArray();
        var first = page.Min(p => p.Message.Position);
        var receipts = (await db.Receipts.AsNoTracking().Where(r => threadIds.Contains(r.ThreadId) && r.Position >= first).OrderBy(r => r.Position).ToListAsync(ct))
            .ToLookup(r => r.ThreadId);
        var expectations = (await db.Expectations.AsNoTracking().Where(e => ids.Contains(e.MessageId)).OrderBy(e => e.Kind).ToListAsync(ct)).ToLookup(e => e.MessageId);
        var corrections = await db.Messages
            .Where(m => m.CorrectsMessageId != null && ids.Contains(m.CorrectsMessageId.Value))
            .Select(m => new { Corrected = m.CorrectsMessageId!.Value, m.MessageId })
            .ToDictionaryAsync(m => m.Corrected, m => m.MessageId, ct);
        var files = await NamedFiles.OfAsync(db, ids, ct);
        return page.ConvertAll(p =>
        {
            var proto = ToProto(p.Thread, p.Message);
            proto.Attachments.AddRange(files[p.Message.MessageId].Select(f => AttachmentGrpcService.Describe(f, p.Thread)));
            proto.CorrectedByMessageId = corrections.TryGetValue(p.Message.MessageId, out var correction) ? correction.ToString() : "";
            proto.Expectations.AddRange(expectations[p.Message.MessageId].Select(e => ToProto(p.Thread, e)));
            proto.Receipts.AddRange(ReadersOf(p.Message, receipts[p.Thread.ThreadId])
                .Select(r => new ReadReceipt { OrganisationId = r.OrganisationId.ToString(), PersonId = r.PersonId, ReadTime = r.ReadAt.ToProto() }));
            return proto;
        });
    }

    /// <summary>
    /// Of each reader the first receipt that covers a message, the first reader first. Having written it proves no reading, nor does
    /// what software of the author's organisation did.
    /// </summary>
    private static IEnumerable<ThreadReceipt> ReadersOf(ThreadMessage message, IEnumerable<ThreadReceipt> receiptsByPosition) => message.AuthorOrganisationId is not { } author
        ? []
        : receiptsByPosition
            .Where(r => r.Position >= message.Position && (r.OrganisationId != author || (r.PersonId.Length > 0 && r.PersonId != message.AuthorPersonId)))
            .DistinctBy(r => (r.OrganisationId, r.PersonId))
            .OrderBy(r => r.ReadAt);

    private static Message ToProto(MessageThread thread, ThreadMessage message) => new()
    {
        MessageId = message.MessageId.ToString(),
        MesureId = thread.Kind == ThreadKind.Mesure ? thread.ThreadId.ToString() : "",
        EspaceId = thread.Kind == ThreadKind.Espace ? thread.ThreadId.ToString() : "",
        Position = message.Position,
        AuthorKind = message.AuthorKind,
        AuthorOrganisationId = message.AuthorOrganisationId?.ToString() ?? "",
        AuthorPersonId = message.AuthorPersonId ?? "",
        Kind = message.Kind ?? MessageKind.Unspecified,
        Body = message.Body ?? "",
        EraseTime = message.ErasedAt.ToProto(),
        EventType = message.EventType ?? "",
        CreateTime = message.CreatedAt.ToProto(),
        CorrectsMessageId = message.CorrectsMessageId?.ToString() ?? "",
        AnswersMessageId = message.AnswersMessageId?.ToString() ?? "",
        AnswerDueTime = message.AnswerDueAt.ToProto(),
        TemplateCode = message.TemplateCode ?? "",
        TemplateVersion = message.TemplateVersion ?? 0,
        Origin = message.OriginMesureId is not { } mesureId ? null : new MessageOrigin
        {
            MesureId = mesureId.ToString(),
            MessageId = message.OriginMessageId!.Value.ToString(),
            AuthorKind = message.OriginAuthorKind!.Value,
            Kind = message.OriginKind!.Value,
            CreateTime = message.OriginCreatedAt.ToProto(),
        },
        Hash = Bytes(message.Hash),
    };

    private sealed record ReadMessage(MessageThread Thread, ThreadMessage Message);

    private sealed record MessageCursor(long Position);

    private sealed record TimeCursor(DateTimeOffset CreatedAt, Guid MessageId);
}
