using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override async Task<GetThreadResponse> GetThread(GetThreadRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        check.ThrowIfAny();

        var caller = context.Caller();
        var ct = context.CancellationToken;
        return new GetThreadResponse { Thread = await ToProtoAsync(caller, await FindAsync(caller, key, ct), ct) };
    }
}
