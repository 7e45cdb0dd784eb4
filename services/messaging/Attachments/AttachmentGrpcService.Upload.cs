using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Domain;
using Jafer.Messaging.Threads;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Files;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Secrets;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Entity = Jafer.Messaging.Data.ThreadAttachment;

namespace Jafer.Messaging.Attachments;

/// <summary>How a file comes in.</summary>
internal sealed partial class AttachmentGrpcService
{
    private const int MaxNameLength = 255;

    private static readonly TimeSpan s_tomorrow = TimeSpan.FromDays(1);
    private static readonly byte[] s_chunks = KeyRing.Binding("attachment_chunks.data");

    public override async Task<UploadAttachmentResponse> UploadAttachment(IAsyncStreamReader<UploadAttachmentRequest> requestStream, ServerCallContext context)
    {
        var first = await requestStream.MoveNext(context.CancellationToken) ? requestStream.Current : new UploadAttachmentRequest();
        var caller = context.Caller();
        var check = new FieldChecks();
        var key = ThreadKey.Of(check, first.MesureId, first.EspaceId);
        var threadId = key.ThreadId;
        var requestId = check.RequestId(first.RequestId);
        check.That(!string.IsNullOrWhiteSpace(first.FileName), "file_name", "is required");
        check.That(first.FileName.Length <= MaxNameLength, "file_name", "must have at most 255 characters");
        check.That(first.SizeBytes is > 0 and <= FileLimits.MaxBytes, "size_bytes", "must be from 1 to 10485760");
        check.That(first.Sha256.Length == FileLimits.Sha256Bytes, "sha256", "must be 32 bytes");
        check.ThrowIfAny();

        var file = new UploadedFile<UploadAttachmentRequest>(first, requestStream, r => r.Data);

        // The announcement names the whole content by its hash, so it tells a repetition.
        var announcement = new UploadAttachmentRequest(first) { Data = Google.Protobuf.ByteString.Empty };
        UploadAttachmentResponse response;
        using (slots.Take(caller.OrganisationId))
        {
            response = await commands.RunAsync(context, announcement, requestId, UploadAsync, r => $"attachments/{r.Attachment.AttachmentId}", effectsOutside: true);
        }

        signal.Notify();
        await file.DrainAsync(context.CancellationToken);

        // The answer kept for a repetition does not hold it. Nothing once the file is gone.
        var id = Guid.Parse(response.Attachment.AttachmentId);
        response.Attachment.FileName = await db.Attachments.Where(a => a.AttachmentId == id).Select(a => a.FileName).SingleOrDefaultAsync(context.CancellationToken) ?? "";
        return response;

        async Task<UploadAttachmentResponse> UploadAsync(CancellationToken ct)
        {
            // Refused before its bytes are taken; counted again once they are there.
            var now = clock.GetStoredNow();
            threads.RequireWritable(await threads.FindAsync(caller, key, ct), "UPLOAD_ATTACHMENT", now);
            await RequireRoomAsync(threadId, caller.OrganisationId, first.SizeBytes, ct);
            var attachmentId = Guid.CreateVersion7(now);
            await db.Database.BeginTransactionAsync(ct);
            var inspection = new ContentInspection();
            await file.ReadAsync(first.SizeBytes, first.Sha256.Memory, inspection, (number, chunk) => StoreAsync(attachmentId, number, KeyRing.Process.Seal(chunk.Span, s_chunks), ct), clock, ct);
            var type = await TypeAsync(inspection, attachmentId, first.SizeBytes, ct);

            // Always the organisation before the thread, so that two uploads never wait for each other. The first file may open the thread.
            await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({"attachments:" + caller.OrganisationId}, 0))", ct);
            var thread = await threads.LockAsync(caller, key, ct);
            threads.RequireWritable(thread, "UPLOAD_ATTACHMENT", now);
            await RequireRoomAsync(threadId, caller.OrganisationId, first.SizeBytes, ct);
            var attachment = new Entity
            {
                AttachmentId = attachmentId,
                ThreadId = threadId,
                OrganisationId = caller.OrganisationId,
                FileName = FileNames.Clean(first.FileName, type),
                MediaType = type.MediaType,
                SizeBytes = first.SizeBytes,
                Sha256 = first.Sha256.ToByteArray(),
                State = AttachmentState.Quarantaine,
                CreatedAt = now,
                NextCheckAt = now,
            };
            db.Attachments.Add(attachment);
            var answer = new UploadAttachmentResponse { Attachment = ToProto(attachment, thread) };
            answer.Attachment.FileName = "";
            return answer;
        }
    }

    /// <summary>What the file is, a package by what is in it; refused when it is nothing that is taken here.</summary>
    private async Task<FileType> TypeAsync(ContentInspection inspection, Guid id, long length, CancellationToken ct)
    {
        var (type, problem) = (inspection.Type, (string?)null);
        if (inspection.IsPackage)
        {
            await using var stored = new ChunkStream(db, id, length);
            (type, problem) = await PackageInspection.LookAsync(stored, ct);
        }

        return type is null ? throw DomainError.Invalid("data", problem!)
            : options.Value.Allows(type) ? type
            : throw DomainError.Invalid("data", "is of a type that is not taken here");
    }

    private Task<int> StoreAsync(Guid id, int number, byte[] data, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"insert into attachment_chunks (attachment_id, number, data) values ({id}, {number}, {data})", ct);

    private async Task RequireRoomAsync(Guid threadId, Guid organisationId, long more, CancellationToken ct)
    {
        var limits = options.Value;
        var ofThread = await db.Attachments.Where(a => a.ThreadId == threadId).GroupBy(_ => 1)
            .Select(g => new { Count = g.Count(), Bytes = g.Sum(a => a.SizeBytes) }).SingleOrDefaultAsync(ct);
        var ofOrganisation = await db.Attachments.Where(a => a.OrganisationId == organisationId).GroupBy(_ => 1)
            .Select(g => new { Unnamed = g.Count(a => a.MessageId == null), Bytes = g.Sum(a => a.SizeBytes) }).SingleOrDefaultAsync(ct);
        var passed = ofThread?.Count >= limits.MaxPerThread ? "files in this thread"
            : (ofThread?.Bytes ?? 0) + more > limits.MaxBytesPerThread ? "bytes of files in this thread"
            : ofOrganisation?.Unnamed >= limits.MaxUnnamed ? "files of the organisation that no message names"
            : (ofOrganisation?.Bytes ?? 0) + more > limits.MaxBytesPerOrganisation ? "bytes of files of the organisation"
            : null;
        if (passed is not null)
        {
            throw DomainError.LimitExceeded(passed, s_tomorrow);
        }
    }
}
