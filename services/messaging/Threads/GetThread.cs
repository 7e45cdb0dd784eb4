using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override async Task<GetThreadResponse> GetThread(GetThreadRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        check.ThrowIfAny();

        var caller = context.Caller();
        var ct = context.CancellationToken;
        var found = await Count(db.Threads.AsNoTracking().Where(t => t.MesureId == mesureId), caller.OrganisationId).SingleOrDefaultAsync(ct);
        return new GetThreadResponse { Thread = ToProto(Admit(caller, found?.Thread), found!.Unread) };
    }
}
