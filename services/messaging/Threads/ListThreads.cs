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
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        check.ThrowIfAny();

        var organisationId = context.Caller().OrganisationId;
        var binding = PageTokens.Binding(organisationId, request);
        var before = pageTokens.Read<ThreadCursor>(request.PageToken, binding);

        IQueryable<MesureThread> threads = db.Threads.AsNoTracking();
        if (request.UnreadOnly)
        {
            threads = Count(threads, organisationId).Where(t => t.Unread > 0).Select(t => t.Thread);
        }

        if (before is not null)
        {
            threads = threads.Where(t => EF.Functions.LessThan(
                ValueTuple.Create(t.LastMessageAt, t.MesureId), ValueTuple.Create(before.LastMessageAt, before.MesureId)));
        }

        // Each half reads its own index in order; an organisation is either a court or a gestionnaire, so one half is empty.
        var latest = Latest(
            Latest(threads.Where(t => t.JuridictionId == organisationId), pageSize)
                .Concat(Latest(threads.Where(t => t.GestionnaireId == organisationId), pageSize)),
            pageSize);
        var page = await Count(latest, organisationId).ToListAsync(context.CancellationToken);

        var response = new ListThreadsResponse();
        if (page.Count > pageSize)
        {
            page.RemoveAt(pageSize);
            response.NextPageToken = pageTokens.Protect(new ThreadCursor(page[^1].Thread.LastMessageAt, page[^1].Thread.MesureId), binding);
        }

        response.Threads.AddRange(page.Select(t => ToProto(t.Thread, t.Unread)));
        return response;
    }

    /// <summary>One more than a page, to know whether another follows.</summary>
    private static IQueryable<MesureThread> Latest(IQueryable<MesureThread> threads, int pageSize) =>
        threads.OrderByDescending(t => t.LastMessageAt).ThenByDescending(t => t.MesureId).Take(pageSize + 1);

    private sealed record ThreadCursor(DateTimeOffset LastMessageAt, Guid MesureId);
}
