using System.Data;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Printing;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    private const int MaxChunk = 256 * 1024;

    public override async Task GetThreadExport(
        GetThreadExportRequest request, IServerStreamWriter<GetThreadExportResponse> responseStream, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var format = check.Known("format", request.Format);
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var now = clock.GetStoredNow();
        var export = await ReadAsync(context.Caller(), key, now, ct);
        var (bytes, extension, mediaType) = format == ExportFormat.Json
            ? (JsonSerializer.SerializeToUtf8Bytes(export, ThreadChain.Json), "json", "application/json")
            : (Encoding.UTF8.GetBytes(HtmlWriter.Write(ThreadPage.Write(export))), "html", "text/html; charset=utf-8");
        var sha256 = SHA256.HashData(bytes);

        // What was given out is known before it is.
        await db.Database.ExecuteSqlAsync($"""
            insert into thread_exports (thread_id, sha256, exported_at, organisation_id) values ({key.ThreadId}, {sha256}, {now}, {context.Caller().OrganisationId})
            on conflict do nothing
            """, ct);
        await snapshot.CommitAsync(CancellationToken.None);
        await responseStream.WriteAsync(
            new GetThreadExportResponse
            {
                File = new ExportedFile
                {
                    FileName = $"fil-{key.ThreadId}.{extension}",
                    MediaType = mediaType,
                    SizeBytes = bytes.Length,
                    Sha256 = Bytes(sha256),
                    MessageCount = export.Thread.MessageCount,
                    HeadHash = export.Thread.HeadHash is { } head ? Bytes(Convert.FromHexString(head)) : ByteString.Empty,
                },
            },
            ct);
        for (var at = 0; at < bytes.Length; at += MaxChunk)
        {
            await responseStream.WriteAsync(
                new GetThreadExportResponse { Data = UnsafeByteOperations.UnsafeWrap(bytes.AsMemory(at, Math.Min(MaxChunk, bytes.Length - at))) }, ct);
        }
    }

    public override async Task<CheckThreadExportResponse> CheckThreadExport(CheckThreadExportRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        check.That(request.Sha256.Length == SHA256.HashSizeInBytes, "sha256", "must have 32 bytes");
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        await FindAsync(context.Caller(), key, ct);
        var sha256 = request.Sha256.ToByteArray();
        var given = await db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.ThreadId == key.ThreadId && e.Sha256 == sha256, ct);
        return new CheckThreadExportResponse { Known = given is not null, ExportTime = given?.ExportedAt.ToProto(), OrganisationId = given?.OrganisationId.ToString() ?? "" };
    }

    /// <summary>The whole thread as the open transaction sees it.</summary>
    private async Task<ThreadExport> ReadAsync(Caller caller, ThreadKey key, DateTimeOffset now, CancellationToken ct)
    {
        var thread = await FindAsync(caller, key, ct);
        var messages = await db.Messages.AsNoTracking().Where(m => m.ThreadId == key.ThreadId).OrderBy(m => m.Position).ToListAsync(ct);
        var receipts = await db.Receipts.AsNoTracking().Where(r => r.ThreadId == key.ThreadId).OrderBy(r => r.Position).ToListAsync(ct);
        var expectations = (await db.Expectations.AsNoTracking().Where(e => e.ThreadId == key.ThreadId).OrderBy(e => e.Kind).ToListAsync(ct)).ToLookup(e => e.MessageId);

        // As in the list: none of an organisation that holds the thread no more.
        var participants = (await db.Participants.AsNoTracking()
            .Where(p => p.ThreadId == key.ThreadId).OrderBy(p => p.OrganisationId).ThenBy(p => p.ContactId).ToListAsync(ct)).FindAll(p => thread.SideOf(p.OrganisationId) is not null);
        var files = (await db.Attachments.AsNoTracking().Where(a => a.ThreadId == key.ThreadId && a.MessageId != null).OrderBy(a => a.MessageIndex).ToListAsync(ct))
            .ToLookup(a => a.MessageId!.Value);
        return new ThreadExport
        {
            Format = ThreadExport.CurrentFormat,
            ExportTime = ThreadChain.Text(now),
            Thread = new ExportedThread
            {
                Kind = thread.Kind.ToCode(),
                ThreadId = thread.ThreadId.ToString(),
                JuridictionId = thread.JuridictionId?.ToString(),
                GestionnaireId = thread.GestionnaireId.ToString(),
                OperateurId = thread.OperateurId?.ToString(),
                EspaceId = thread.EspaceId?.ToString(),
                MessageCount = thread.MessageCount,
                HeadHash = ThreadFile.Hex(thread.HeadHash),
                CloseTime = ThreadFile.Text(thread.ClosedAt),
            },
            Participants =
            [
                .. participants.Select(p => new ExportedParticipant
                {
                    OrganisationId = p.OrganisationId.ToString(),
                    ContactId = p.ContactId,
                    Role = p.Role.ToCode(),
                    AssignTime = ThreadChain.Text(p.AssignedAt),
                }),
            ],
            Messages =
            [
                .. messages.Select((m, i) => ThreadFile.Whole(
                    m, i == 0 ? ThreadChain.Start : ThreadFile.Hex(messages[i - 1].Hash)!, ReadersOf(m, receipts), expectations[m.MessageId], files[m.MessageId])),
            ],
        };
    }
}
