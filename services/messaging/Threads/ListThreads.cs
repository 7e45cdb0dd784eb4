using System.Linq.Expressions;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override async Task<ListThreadsResponse> ListThreads(ListThreadsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.OptionalUuid("mesure_id", request.MesureId);
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var kind = check.KnownOrUnspecified("kind", request.Kind);
        var state = check.KnownOrUnspecified("state", request.State);
        var from = check.OptionalTime("from_time", request.FromTime);
        var until = check.OptionalTime("until_time", request.UntilTime);
        check.That(!(until < from), "until_time", "must not be before from_time");
        var contactId = check.Text("must_act_contact_id", request.MustActContactId, MaxContactIdLength);
        var dueBefore = check.OptionalTime("due_before_time", request.DueBeforeTime);
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var before = pageTokens.Read<ThreadCursor>(check, request.PageToken, binding);
        var reader = ReaderOf(caller);
        CheckPerson(check, state, reader);
        check.ThrowIfAny();

        IQueryable<MessageThread> threads = db.Threads.AsNoTracking();
        if (mesureId is not null)
        {
            threads = threads.Where(t => t.ThreadId == mesureId && t.Kind == ThreadKind.Mesure);
        }

        if (espaceId is not null)
        {
            threads = threads.Where(t => t.EspaceId == espaceId);
        }

        if (kind != ThreadKind.Unspecified)
        {
            threads = threads.Where(t => t.Kind == kind);
        }

        if (from is not null)
        {
            threads = threads.Where(t => t.LastMessageAt >= from);
        }

        if (until is not null)
        {
            threads = threads.Where(t => t.LastMessageAt < until);
        }

        if (request.UnreadOnly)
        {
            threads = Of(threads, Attention.Unread, reader);
        }

        threads = Of(threads, state, reader);
        if (contactId.Length > 0)
        {
            threads = Waiting(threads, e => e.MustActContactId == contactId, mine: true, reader);
        }

        if (dueBefore is not null)
        {
            threads = threads.Where(t => db.Expectations.Any(e => e.ThreadId == t.ThreadId && e.State == ExpectationState.Open && e.DueAt < dueBefore));
        }

        if (before is not null)
        {
            threads = threads.Where(t => EF.Functions.LessThan(
                ValueTuple.Create(t.LastMessageAt, t.ThreadId), ValueTuple.Create(before.LastMessageAt, before.ThreadId)));
        }

        // Each part reads its own index in order; an organisation is a court, a gestionnaire or the operator, so two are empty.
        var organisationId = reader.OrganisationId;
        var latest = Latest(
            Latest(threads.Where(t => t.JuridictionId == organisationId), pageSize)
                .Concat(Latest(threads.Where(t => t.GestionnaireId == organisationId), pageSize))
                .Concat(Latest(reader.AsOperator(threads), pageSize)),
            pageSize);
        var ct = context.CancellationToken;
        var page = await Count(latest, reader).ToListAsync(ct);

        var response = new ListThreadsResponse();
        if (page.Count > pageSize)
        {
            page.RemoveAt(pageSize);
            response.NextPageToken = pageTokens.Protect(new ThreadCursor(page[^1].Thread.LastMessageAt, page[^1].Thread.ThreadId), binding);
        }

        response.Threads.AddRange(await ToProtosAsync(caller, page, ct));
        return response;
    }

    /// <summary>Threads with a message that asks something of the reader's organisation, or for which another is awaited.</summary>
    private IQueryable<MessageThread> Of(IQueryable<MessageThread> threads, Attention state, Reader reader) => state switch
    {
        Attention.Unread => Count(threads, reader with { PersonId = null }).Where(t => t.Unread > 0).Select(t => t.Thread),
        Attention.PersonUnread => Count(threads, reader).Where(t => t.PersonUnread > 0).Select(t => t.Thread),
        Attention.ToAnswer => Waiting(threads, e => e.Kind == ExpectationKind.Answer, mine: true, reader),
        Attention.ToAcknowledge => Waiting(threads, e => e.Kind == ExpectationKind.Acknowledgement, mine: true, reader),
        Attention.Awaiting => Waiting(threads, e => true, mine: false, reader),
        _ => threads,
    };

    private IQueryable<MessageThread> Waiting(IQueryable<MessageThread> threads, Expression<Func<MessageExpectation, bool>> which, bool mine, Reader reader)
    {
        var (organisationId, operateurId) = (reader.OrganisationId, reader.OperateurId);
        var open = db.Expectations.Where(e => e.State == ExpectationState.Open).Where(which);
        return mine
            ? threads.Where(t => open.Any(e => e.ThreadId == t.ThreadId
                && ((e.MustAct == AuthorKind.Juridiction && t.JuridictionId == organisationId)
                    || (e.MustAct == AuthorKind.Espace && t.GestionnaireId == organisationId)
                    || (e.MustAct == AuthorKind.Operateur && t.OperateurId == operateurId))))
            : threads.Where(t => open.Any(e => e.ThreadId == t.ThreadId
                && ((e.AskedBy == AuthorKind.Juridiction && t.JuridictionId == organisationId)
                    || (e.AskedBy == AuthorKind.Espace && t.GestionnaireId == organisationId)
                    || (e.AskedBy == AuthorKind.Operateur && t.OperateurId == operateurId))));
    }

    private static void CheckPerson(FieldChecks check, Attention state, Reader reader) =>
        check.That(state != Attention.PersonUnread || reader.PersonId is not null, "state", "asks for what a person has not read, and none calls");

    /// <summary>One more than a page, to know whether another follows.</summary>
    private static IQueryable<MessageThread> Latest(IQueryable<MessageThread> threads, int pageSize) =>
        threads.OrderByDescending(t => t.LastMessageAt).ThenByDescending(t => t.ThreadId).Take(pageSize + 1);

    private sealed record ThreadCursor(DateTimeOffset LastMessageAt, Guid ThreadId);
}
