using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    private const int MaxContactIdLength = 100;
    private const int MaxParticipants = 20;
    private const int MaxAnswerTimes = 50;

    public override Task<AssignParticipantResponse> AssignParticipant(AssignParticipantRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var contactId = check.Text("contact_id", request.ContactId, MaxContactIdLength, required: true);
        var role = check.Known("role", request.Role);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = await LockAsync(caller, key, ct);
            SideOf(caller, thread);
            var named = await db.Participants.Where(p => p.ThreadId == key.ThreadId && p.OrganisationId == caller.OrganisationId).ToListAsync(ct);
            var participant = named.Find(p => p.ContactId == contactId);
            if (participant is null)
            {
                if (named.Count >= MaxParticipants)
                {
                    throw DomainError.Invalid("contact_id", "would be one more than the 20 that an organisation may name");
                }

                participant = new ThreadParticipant
                {
                    ThreadId = key.ThreadId,
                    OrganisationId = caller.OrganisationId,
                    ContactId = contactId,
                    Role = role,
                    AssignedAt = clock.GetStoredNow(),
                };
                db.Participants.Add(participant);
            }
            else if (participant.Role != role)
            {
                (participant.Role, participant.AssignedAt) = (role, clock.GetStoredNow());
            }

            return new AssignParticipantResponse { Participant = ToProto(participant) };
        }, _ => ResourceOf(key));
    }

    public override Task<RemoveParticipantResponse> RemoveParticipant(RemoveParticipantRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var contactId = check.Text("contact_id", request.ContactId, MaxContactIdLength, required: true);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = await LockAsync(caller, key, ct);
            SideOf(caller, thread);
            if (await db.Participants.FindAsync([key.ThreadId, caller.OrganisationId, contactId], ct) is { } participant)
            {
                db.Participants.Remove(participant);
            }

            return new RemoveParticipantResponse();
        }, _ => ResourceOf(key));
    }

    public override async Task<ListParticipantsResponse> ListParticipants(ListParticipantsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        check.ThrowIfAny();

        var caller = context.Caller();
        var ct = context.CancellationToken;
        var thread = caller.Tenancy == Tenancy.Any
            ? await db.Threads.AsNoTracking().SingleOrDefaultAsync(t => t.ThreadId == key.ThreadId && t.Kind == key.Kind, ct)
            : await FindAsync(caller, key, ct);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = pageTokens.Read<ParticipantCursor>(request.PageToken, binding);
        var response = new ListParticipantsResponse();
        if (thread is null)
        {
            return response;
        }

        // A few for each side, and none of an organisation that holds the thread no more.
        var all = (await db.Participants.AsNoTracking().Where(p => p.ThreadId == key.ThreadId).ToListAsync(ct))
            .Where(p => thread.SideOf(p.OrganisationId) is not null)
            .OrderBy(p => p.OrganisationId).ThenBy(p => p.ContactId, StringComparer.Ordinal)
            .Where(p => after is null || p.OrganisationId.CompareTo(after.OrganisationId) is var order
                && (order > 0 || (order == 0 && string.CompareOrdinal(p.ContactId, after.ContactId) > 0)))
            .ToList();
        var asked = (await db.Expectations.AsNoTracking()
            .Where(e => e.ThreadId == key.ThreadId && e.State == ExpectationState.Open && e.MustActContactId != null)
            .OrderBy(e => e.DueAt).Select(e => new { e.MustAct, e.MustActContactId, e.DueAt }).ToListAsync(ct))
            .ToLookup(e => (thread.OrganisationOf(e.MustAct), e.MustActContactId), e => e.DueAt.ToProto());
        response.Participants.AddRange(all.Take(pageSize).Select(p =>
        {
            var participant = ToProto(p);
            participant.AnswerDueTimes.AddRange(asked[(p.OrganisationId, p.ContactId)].Take(MaxAnswerTimes));
            return participant;
        }));
        if (all.Count > pageSize)
        {
            response.NextPageToken = pageTokens.Protect(new ParticipantCursor(all[pageSize - 1].OrganisationId, all[pageSize - 1].ContactId), binding);
        }

        return response;
    }

    private static Participant ToProto(ThreadParticipant participant) => new()
    {
        OrganisationId = participant.OrganisationId.ToString(),
        ContactId = participant.ContactId,
        Role = participant.Role,
        AssignTime = participant.AssignedAt.ToProto(),
    };

    private sealed record ParticipantCursor(Guid OrganisationId, string ContactId);
}
