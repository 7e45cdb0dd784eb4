using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Feed;

internal sealed partial class NotificationGrpcService
{
    public override async Task<ListFeedConsumersResponse> ListFeedConsumers(ListFeedConsumersRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();

        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var now = clock.GetStoredNow();
        // Taken here and not with the service: a watcher would hold it as long as it watches.
        var db = context.GetHttpContext().RequestServices.GetRequiredService<Data.NotificationsDbContext>();
        var listed = db.Consumers.AsNoTracking();
        if (caller.Tenancy == Tenancy.Own)
        {
            listed = listed.Where(c => c.OrganisationId == caller.OrganisationId);
        }
        else if (caller.OrganisationsWithin is { } organisations)
        {
            listed = listed.Where(c => organisations.Contains(c.OrganisationId));
        }

        if (request.SilentOnly)
        {
            listed = listed.Where(c => c.SilentAt <= now);
        }

        if (tokens.Read<ConsumerCursor>(request.PageToken, binding) is { } after)
        {
            listed = listed.Where(c => EF.Functions.GreaterThan(ValueTuple.Create(c.LastDay, c.OrganisationId), ValueTuple.Create(after.LastDay, after.OrganisationId)));
        }

        var page = await listed.OrderBy(c => c.LastDay).ThenBy(c => c.OrganisationId).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListFeedConsumersResponse();
        response.Consumers.AddRange(page.Take(size).Select(c => new FeedConsumer
        {
            OrganisationId = c.OrganisationId.ToString(),
            LastDate = c.LastDay.ToProto(),
            UsualDays = c.UsualDays ?? 0,
            Silent = c.IsSilent(now),
            Told = c.SilenceTold,
        }));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new ConsumerCursor(page[size - 1].LastDay, page[size - 1].OrganisationId), binding);
        }

        return response;
    }

    private sealed record ConsumerCursor(DateOnly LastDay, Guid OrganisationId);
}
