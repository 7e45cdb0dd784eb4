using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Notifications.Feed;

internal sealed partial class NotificationGrpcService
{
    public override async Task<ListEventsResponse> ListEvents(ListEventsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 100, 500);
        var types = Types(check, request.Types_);
        check.ThrowIfAny();

        var caller = context.Caller();
        var position = Position(caller, request.ResumeToken);
        var page = await feed.ReadAsync(caller, position, types, size, context.CancellationToken);
        if (position is not null)
        {
            // Who begins may be trying: what goes on has a token.
            await consumers.NoteAsync(caller.OrganisationId, context.CancellationToken);
        }

        await ProveAsync(caller, position, page, types, context.CancellationToken);
        var response = new ListEventsResponse { ResumeToken = Token(caller, page.Position), More = page.More };
        response.Events.AddRange(page.Events.Select(e => e.Event));
        return response;
    }
}
