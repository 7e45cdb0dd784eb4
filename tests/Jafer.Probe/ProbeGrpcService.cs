using System.Diagnostics;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Probe;

#pragma warning disable CA1309 // Becomes SQL.

public sealed class ProbeGrpcService(
    ProbeDbContext db, Commands<ProbeDbContext> commands, PageTokens tokens, ProbeHooks hooks, ProbeService.ProbeServiceClient other, TimeProvider clock)
    : ProbeService.ProbeServiceBase
{
    public override Task<WriteNoteResponse> WriteNote(WriteNoteRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var requestId = check.RequestId(request.RequestId);
        var id = check.Uuid("note_id", request.NoteId);
        var text = check.Text("text", request.Text, 100, required: true);
        var etag = check.Etag(request.Etag);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var execution = hooks.CountExecution();
            await hooks.BeforeWrite(ct);
            if (text == "refused")
            {
                throw DomainError.StateForbids("ECRITE", "WRITE_NOTE");
            }

            if (request.Raw)
            {
                await db.Database.BeginTransactionAsync(ct);
                await db.Database.ExecuteSqlAsync($"insert into notes (id, text, version) values ({Guid.CreateVersion7(clock.GetUtcNow())}, {text + " (raw)"}, 1)", ct);
            }

            var note = etag is null ? null : await db.Notes.SingleOrDefaultAsync(n => n.Id == id, ct);
            if (etag is not null && note?.Version != etag)
            {
                throw DomainError.EtagMismatch();
            }

            if (note is null)
            {
                db.Notes.Add(note = new Note { Id = id, Text = text, Version = 1 });
            }
            else
            {
                note.Text = text;
                note.Version++;
            }

            for (var i = 0; i < request.EventCount; i++)
            {
                var now = clock.GetUtcNow();
                db.Publish(Event(id, note.Version, now, request.Modalite));
            }

            return new WriteNoteResponse { Etag = note.Version.ToEtag(), Execution = execution };
        }, _ => $"notes/{id}");
    }

    public override async Task<ListNotesResponse> ListNotes(ListNotesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 10, 50);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var after = tokens.Read<Cursor>(request.PageToken, binding)?.Text;
        var texts = await db.Notes.AsNoTracking()
            .Where(n => n.Text.StartsWith(request.Prefix) && (after == null || string.Compare(n.Text, after) > 0))
            .OrderBy(n => n.Text)
            .Select(n => n.Text)
            .Take(size + 1)
            .ToListAsync(context.CancellationToken);
        var response = new ListNotesResponse();
        response.Texts.AddRange(texts.Take(size));
        if (texts.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(texts[size - 1]), binding);
        }

        return response;
    }

    public override async Task<FailResponse> Fail(FailRequest request, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var calls = hooks.CountCall();
        switch (request.Kind)
        {
            case "unknown":
                throw new InvalidOperationException("about " + request.Marker, new ArgumentException(request.Marker));
            case "sql":
                // The server quotes the value in its message.
                await db.Database.ExecuteSqlRawAsync("select {0}::text::int", [request.Marker], ct);
                break;
            case "sql-save":
                db.Notes.Add(new Note { Id = Guid.CreateVersion7(clock.GetUtcNow()), Text = request.Marker, Version = 1 });
                db.Notes.Add(new Note { Id = Guid.CreateVersion7(clock.GetUtcNow()), Text = request.Marker, Version = 1 });
                await db.SaveChangesAsync(ct);
                break;
            case "transient":
                throw new TimeoutException(request.Marker);
            case "transient-once" when calls == 1:
                throw new TimeoutException(request.Marker);
            case "hang":
                await Task.Delay(Timeout.InfiniteTimeSpan, clock, ct);
                break;
            case "invalid":
                throw DomainError.Invalid("kind", "is not known");
            case "invalid-many":
                throw DomainError.Invalid([.. Enumerable.Range(0, 500).Select(i => new FieldViolation($"fields[{i}]", "is wrong"))]);
            case "drain":
                await hooks.BeforeWrite(ct);
                break;
        }

        var caller = context.Caller();
        return new FailResponse
        {
            OnBehalfOf = caller.OnBehalfOf ?? "",
            Subject = caller.Subject,
            TraceId = Activity.Current?.TraceId.ToString() ?? "",
            Calls = calls,
            SecondsLeft = context.Deadline == DateTime.MaxValue ? -1 : (context.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime).TotalSeconds,
        };
    }

    public override async Task<GetNoteResponse> GetNote(GetNoteRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("note_id", request.NoteId);
        check.ThrowIfAny();
        if (id == Guid.AllBitsSet)
        {
            throw DomainError.Forbidden();
        }

        var note = await db.Notes.AsNoTracking().SingleOrDefaultAsync(n => n.Id == id, context.CancellationToken);
        return new GetNoteResponse { Text = note?.Text ?? "", Mesures = { new NotedMesure { Next = new NotedMesure { MesureId = request.NoteId } } } };
    }

    public override async Task StreamNotes(
        IAsyncStreamReader<StreamNotesRequest> requestStream, IServerStreamWriter<StreamNotesResponse> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            await responseStream.WriteAsync(new StreamNotesResponse { Mesures = { requestStream.Current.MesureIds.Select(id => new NotedMesure { MesureId = id }) } });
        }
    }

    public override async Task WatchNotes(WatchNotesRequest request, IServerStreamWriter<WatchNotesResponse> responseStream, ServerCallContext context)
    {
        await responseStream.WriteAsync(new WatchNotesResponse { OrganisationId = context.Caller().OrganisationId.ToString() }, context.CancellationToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, context.CancellationToken);
    }

    public override async Task<AskOtherResponse> AskOther(AskOtherRequest request, ServerCallContext context)
    {
        var call = other.FailAsync(request.Fail, cancellationToken: context.CancellationToken);
        var answer = request.Fallback ? await call.OrNoAnswerAsync(context.CancellationToken) : await call;
        return new AskOtherResponse { Answered = answer is not null, Answer = answer, TraceId = Activity.Current?.TraceId.ToString() ?? "" };
    }

    public static WaitDeclared Event(Guid aggregateId, long version, DateTimeOffset now, string modalite) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = aggregateId,
        AggregateVersion = version,
        OccurredAt = now,
        RecordedAt = now,
        GestionnaireId = aggregateId,
        Modalite = modalite,
        Days = 1,
        AsOfDate = DateOnly.FromDateTime(now.UtcDateTime),
    };

    private sealed record Cursor(string Text);
}
