using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Files;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Secrets;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Documents;

/// <summary>
/// The gRPC face of the documents of a mesure, in two files: the decision's file (this one), what Jafer prints (.Printing.cs).
/// </summary>
internal sealed partial class DocumentGrpcService(
    MesuresDbContext db, MesureActs acts, Commands<MesuresDbContext> commands, DirectoryWelcome directory, TimeProvider clock)
    : DocumentService.DocumentServiceBase
{
    private static readonly byte[] s_chunks = KeyRing.Binding("decision_document_chunks.data");

    public override async Task<AttachDecisionResponse> AttachDecision(IAsyncStreamReader<AttachDecisionRequest> requestStream, ServerCallContext context)
    {
        var first = await requestStream.MoveNext(context.CancellationToken) ? requestStream.Current : new AttachDecisionRequest();
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", first.MesureId);
        var etag = check.Etag(first.Etag);
        var requestId = check.RequestId(first.RequestId);
        check.That(first.SizeBytes is > 0 and <= FileLimits.MaxBytes, "size_bytes", "must be from 1 to 10485760");
        check.That(first.Sha256.Length == FileLimits.Sha256Bytes, "sha256", "must be 32 bytes");
        check.ThrowIfAny();
        var file = new UploadedFile<AttachDecisionRequest>(first, requestStream, r => r.Data);

        // The announcement names the whole content by its hash, so it tells a repetition.
        var announcement = new AttachDecisionRequest(first) { Data = Google.Protobuf.ByteString.Empty };
        var response = await commands.RunAsync(context, announcement, requestId, AttachAsync, _ => $"mesures/{mesureId}", effectsOutside: true);
        await file.DrainAsync(context.CancellationToken);
        return response;

        async Task<AttachDecisionResponse> AttachAsync(CancellationToken ct)
        {
            // Refused before its bytes are taken; decided on what the mesure is once they are there.
            (await LoadAsync()).RequireAttachable();
            db.Forget();
            var id = Guid.CreateVersion7(now);
            await db.Database.BeginTransactionAsync(ct);
            await file.ReadAsync(first.SizeBytes, first.Sha256.Memory, new PdfInspection(), (number, chunk) => StoreAsync(id, number, chunk.ToArray(), ct), clock, ct);
            var mesure = await LoadAsync();
            var current = await CurrentAsync(mesureId, ct);
            var document = mesure.AttachDecision(
                id, current, first.SizeBytes, first.Sha256.ToByteArray(), new Domain.Acting(caller.OrganisationId, caller.Subject, now, now));
            db.DecisionDocuments.Add(document);
            acts.Publish(mesure);
            return new AttachDecisionResponse { Mesure = mesure.ToSummary(), Document = document.ToProto() };

            async Task<Domain.Mesure> LoadAsync()
            {
                var loaded = await acts.LoadAsync(mesureId, caller, ct);
                return etag is null || etag == loaded.Version ? loaded : throw DomainError.EtagMismatch(loaded.Version.ToEtag());
            }
        }
    }

    public override async Task GetDecisionDocument(
        GetDecisionDocumentRequest request, IServerStreamWriter<GetDecisionDocumentResponse> responseStream, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var documentId = check.OptionalUuid("document_id", request.DocumentId);
        check.ThrowIfAny();
        var mesure = await acts.LoadAsync(mesureId, context.Caller(), ct);
        var document = documentId is { } id
            ? await db.DecisionDocuments.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id && d.MesureId == mesureId, ct) ?? throw DomainError.Invalid("document_id", "is not a file of the mesure")
            : await CurrentAsync(mesureId, ct) ?? throw DomainError.StateForbids(mesure.Status.State.ToCode(), "GET_DECISION_DOCUMENT", "no decision is attached");
        await responseStream.WriteAsync(new GetDecisionDocumentResponse { Document = document.ToProto() }, ct);
        var count = (document.SizeBytes + FileLimits.ChunkBytes - 1) / FileLimits.ChunkBytes;
        for (var number = 0; number < count; number++)
        {
            // One by one: a slow reader holds no connection of the database.
            var data = await db.DecisionDocumentChunks.Where(c => c.DocumentId == document.ContentId && c.Number == number).Select(c => c.Data).SingleAsync(ct);
            await responseStream.WriteAsync(new GetDecisionDocumentResponse { Data = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(data) }, ct);
        }
    }

    private Task<int> StoreAsync(Guid documentId, int number, byte[] data, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"insert into decision_document_chunks (document_id, number, data) values ({documentId}, {number}, {KeyRing.Process.Seal(data, s_chunks)})", ct);

    private Task<Domain.DecisionDocument?> CurrentAsync(Guid mesureId, CancellationToken ct) =>
        db.DecisionDocuments.SingleOrDefaultAsync(d => d.MesureId == mesureId && d.ReplacedAt == null, ct);
}
