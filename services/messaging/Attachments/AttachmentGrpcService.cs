using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Threads;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Entity = Jafer.Messaging.Data.ThreadAttachment;
using Proto = Jafer.Contracts.Messaging.V1.Attachment;

namespace Jafer.Messaging.Attachments;

/// <summary>
/// The gRPC face of the files of threads, in three files: those who hold the thread read and discard (this one), upload (.Upload.cs),
/// and what a scanner calls (.Scanning.cs).
/// </summary>
internal sealed partial class AttachmentGrpcService(
    MessagingDbContext db, ThreadAccess threads, Commands<MessagingDbContext> commands, PageTokens pageTokens, UploadSlots slots, AttachmentSignal signal,
    IOptions<AttachmentOptions> options, TimeProvider clock, ILogger<AttachmentGrpcService> logger) : AttachmentService.AttachmentServiceBase
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    public override async Task GetAttachmentContent(
        GetAttachmentContentRequest request, IServerStreamWriter<GetAttachmentContentResponse> responseStream, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var id = check.Uuid("attachment_id", request.AttachmentId);
        check.That(request.Offset >= 0, "offset", "must not be negative");
        check.ThrowIfAny();
        var (attachment, thread) = await VisibleAsync(id, context.Caller(), ct);
        RequireClean(attachment);
        check.That(request.Offset <= attachment.SizeBytes, "offset", "must not be beyond the end of the file");
        check.ThrowIfAny();

        await responseStream.WriteAsync(new GetAttachmentContentResponse { Attachment = ToProto(attachment, thread) }, ct);
        try
        {
            var position = 0L;
            await foreach (var piece in StoredContent.ReadAsync(db, attachment, ct))
            {
                // What the caller has already counts for the hash too.
                var skipped = (int)Math.Clamp(request.Offset - position, 0, piece.Length);
                position += piece.Length;
                if (skipped < piece.Length)
                {
                    await responseStream.WriteAsync(new GetAttachmentContentResponse { Data = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(piece[skipped..]) }, ct);
                }
            }
        }
        catch (AlteredContentException)
        {
            // Refused in the middle of the download, or tampered with.
            var now = await db.Attachments.AsNoTracking().SingleOrDefaultAsync(a => a.AttachmentId == id, ct) ?? throw DomainError.Forbidden();
            RequireClean(now);
            throw Altered(id);
        }
    }

    public override async Task<GetAttachmentResponse> GetAttachment(GetAttachmentRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("attachment_id", request.AttachmentId);
        check.ThrowIfAny();
        var (attachment, thread) = await VisibleAsync(id, context.Caller(), context.CancellationToken);
        return new GetAttachmentResponse { Attachment = ToProto(attachment, thread) };
    }

    public override async Task<ListAttachmentsResponse> ListAttachments(ListAttachmentsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = ThreadKey.Of(check, request.MesureId, request.EspaceId);
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        for (var i = 0; i < request.States.Count; i++)
        {
            check.Known($"states[{i}]", request.States[i]);
        }

        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = pageTokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var thread = await threads.FindAsync(caller, key, ct);
        var threadId = key.ThreadId;

        // Ids follow the time at which they were given.
        var own = caller.OrganisationId;
        var files = db.Attachments.AsNoTracking().Where(a => a.ThreadId == threadId && (a.MessageId != null || a.OrganisationId == own));
        if (request.States.Count > 0)
        {
            var states = request.States.Distinct().ToArray();
            files = files.Where(a => states.Contains(a.State));
        }

        if (cursor is not null)
        {
            files = files.Where(a => a.AttachmentId < cursor.AttachmentId);
        }

        var page = await files.OrderByDescending(a => a.AttachmentId).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListAttachmentsResponse();
        if (page.Count > pageSize)
        {
            page.RemoveAt(pageSize);
            response.NextPageToken = pageTokens.Protect(new Cursor(page[^1].AttachmentId), binding);
        }

        response.Attachments.AddRange(page.Select(a => ToProto(a, thread)));
        return response;
    }

    public override Task<DiscardAttachmentResponse> DiscardAttachment(DiscardAttachmentRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("attachment_id", request.AttachmentId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            await db.Database.BeginTransactionAsync(ct);
            var caller = context.Caller();
            var attachment = await Verdicts.LockAsync(db, id, ct);
            if (attachment is null || attachment.OrganisationId != caller.OrganisationId)
            {
                throw DomainError.Forbidden();
            }

            context.JournalAlso($"threads/{attachment.ThreadId}");
            if (attachment.MessageId is not null)
            {
                throw DomainError.StateForbids(attachment.State.ToCode(), "DISCARD_ATTACHMENT", "a message names the file");
            }

            db.Attachments.Remove(attachment);
            return new DiscardAttachmentResponse();
        }, _ => Name(id));
    }

    /// <summary>What is known of a file, as those who hold its thread see it.</summary>
    /// <param name="attachment">The file.</param>
    /// <param name="thread">Its thread.</param>
    internal static Proto Describe(Entity attachment, MessageThread thread) => new()
    {
        AttachmentId = attachment.AttachmentId.ToString(),
        MesureId = thread.Kind == ThreadKind.Mesure ? thread.ThreadId.ToString() : "",
        EspaceId = thread.Kind == ThreadKind.Espace ? thread.ThreadId.ToString() : "",
        OrganisationId = attachment.OrganisationId.ToString(),
        MessageId = attachment.MessageId?.ToString() ?? "",
        FileName = attachment.FileName,
        MediaType = attachment.MediaType,
        SizeBytes = attachment.SizeBytes,
        Sha256 = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(attachment.Sha256),
        State = attachment.State,
        CreateTime = attachment.CreatedAt.ToProto(),
        EraseTime = attachment.ErasedAt.ToProto(),
        VerdictTime = attachment.VerdictAt?.ToProto(),
    };

    /// <summary>The same with the time at which it is removed, should no message name it.</summary>
    private Proto ToProto(Entity attachment, MessageThread thread)
    {
        var proto = Describe(attachment, thread);
        proto.ExpireTime = attachment.MessageId is null ? (attachment.CreatedAt + options.Value.UnnamedLifetime).ToProto() : null;
        return proto;
    }

    private static string Name(Guid attachmentId) => $"attachments/{attachmentId}";

    private static void RequireClean(Entity attachment)
    {
        if (attachment.ErasedAt is not null)
        {
            throw DomainError.StateForbids("EFFACEE", "GET_ATTACHMENT_CONTENT", "the time to keep the file is over: it is erased");
        }

        if (attachment.State != AttachmentState.Sain)
        {
            throw DomainError.StateForbids(attachment.State.ToCode(), "GET_ATTACHMENT_CONTENT", "the file is not cleared");
        }
    }

    private DomainError Altered(Guid attachmentId)
    {
        logger.LogError("The stored bytes of attachment {AttachmentId} are not those that were uploaded: it is not served", attachmentId);
        return DomainError.StateForbids("ALTEREE", "READ_ATTACHMENT", "the stored bytes are not those that were uploaded");
    }

    /// <summary>A file that the caller may see: of a thread of theirs, named by a message or their own.</summary>
    private async Task<(Entity Attachment, MessageThread Thread)> VisibleAsync(Guid id, Caller caller, CancellationToken ct)
    {
        var attachment = await db.Attachments.AsNoTracking().SingleOrDefaultAsync(a => a.AttachmentId == id, ct);
        var thread = ThreadAccess.Admit(
            caller, attachment is null ? null : await db.Threads.AsNoTracking().SingleAsync(t => t.ThreadId == attachment.ThreadId, ct));
        return attachment!.MessageId is not null || attachment.OrganisationId == caller.OrganisationId ? (attachment, thread) : throw DomainError.Forbidden();
    }

    private sealed record Cursor(Guid AttachmentId);
}
