using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Files;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Attachments;

/// <summary>What a scanner calls that does not speak clamd's protocol.</summary>
internal sealed partial class AttachmentGrpcService
{
    private const int MaxFindingLength = 100;

    public override async Task<ListQuarantinedAttachmentsResponse> ListQuarantinedAttachments(ListQuarantinedAttachmentsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var cursor = pageTokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var files = db.Attachments.AsNoTracking().Where(a => a.NextCheckAt != null);
        if (cursor is not null)
        {
            files = files.Where(a => a.AttachmentId > cursor.AttachmentId);
        }

        var page = await files.OrderBy(a => a.AttachmentId).Take(pageSize + 1).ToListAsync(context.CancellationToken);
        var response = new ListQuarantinedAttachmentsResponse();
        if (page.Count > pageSize)
        {
            page.RemoveAt(pageSize);
            response.NextPageToken = pageTokens.Protect(new Cursor(page[^1].AttachmentId), binding);
        }

        response.Attachments.AddRange(page.Select(a => new QuarantinedAttachment
        {
            AttachmentId = a.AttachmentId.ToString(),
            MediaType = a.MediaType,
            SizeBytes = a.SizeBytes,
            Sha256 = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(a.Sha256),
            State = a.State,
            CreateTime = a.CreatedAt.ToProto(),
            FailureCount = a.Failures,
        }));
        return response;
    }

    public override async Task GetQuarantinedContent(
        GetQuarantinedContentRequest request, IServerStreamWriter<GetQuarantinedContentResponse> responseStream, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var id = check.Uuid("attachment_id", request.AttachmentId);
        check.ThrowIfAny();
        var attachment = await db.Attachments.AsNoTracking().SingleOrDefaultAsync(a => a.AttachmentId == id, ct) ?? throw DomainError.NotFound(Name(id));
        context.JournalAlso($"threads/{attachment.ThreadId}");
        if (!attachment.Waits)
        {
            throw DomainError.StateForbids(attachment.State.ToCode(), "GET_QUARANTINED_CONTENT", "the file waits for no verdict");
        }

        try
        {
            await foreach (var piece in StoredContent.ReadAsync(db, attachment, ct))
            {
                await responseStream.WriteAsync(new GetQuarantinedContentResponse { Data = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(piece) }, ct);
            }
        }
        catch (AlteredContentException)
        {
            throw Altered(id);
        }
    }

    public override Task<RecordVerdictResponse> RecordVerdict(RecordVerdictRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("attachment_id", request.AttachmentId);
        var requestId = check.RequestId(request.RequestId);
        check.That(request.Sha256.Length == FileLimits.Sha256Bytes, "sha256", "must be 32 bytes");
        if (check.Known("verdict", request.Verdict) == AttachmentState.Quarantaine)
        {
            check.Add("verdict", "must be SAIN, REFUSE or ECHEC_ANALYSE");
        }

        var isRefused = request.Verdict == AttachmentState.Refuse;
        check.That(isRefused == (request.FindingCode.Length > 0), "finding_code", "must be given with REFUSE, and only then");
        check.That(
            request.FindingCode.Length <= MaxFindingLength && request.FindingCode.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '/' or '+' or '-'),
            "finding_code", "must be at most 100 letters, digits and ._:/+-");
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            await db.Database.BeginTransactionAsync(ct);
            var verdict = request.Verdict switch
            {
                AttachmentState.Sain => Verdict.Clean,
                AttachmentState.Refuse => Verdict.Infected(request.FindingCode),
                _ => Verdict.Failed("REPORTED"),
            };
            var locked = await Verdicts.LockAsync(db, id, verdict, ct) ?? throw DomainError.NotFound(Name(id));
            var attachment = locked.File;
            context.JournalAlso($"threads/{attachment.ThreadId}");
            if (!attachment.Sha256.AsSpan().SequenceEqual(request.Sha256.Span))
            {
                throw DomainError.Invalid("sha256", "is not that of the file");
            }

            foreach (var resource in locked.SameBytes.SelectMany(a => new[] { Name(a.AttachmentId), $"threads/{a.ThreadId}" }).Distinct())
            {
                context.JournalAlso(resource);
            }

            await Verdicts.ApplyAsync(db, locked, verdict, options.Value.Scanner.FirstBackoff, clock.GetStoredNow(), ct);
            return new RecordVerdictResponse { State = attachment.State };
        }, _ => Name(id));
    }
}
