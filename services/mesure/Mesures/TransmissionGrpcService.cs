using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Mesures;

/// <summary>Proofs of delivery that no system brings.</summary>
internal sealed class TransmissionGrpcService(MesuresDbContext db, MesureActs acts) : TransmissionService.TransmissionServiceBase
{
    public override Task<RecordDeliveryResponse> RecordDelivery(RecordDeliveryRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var channel = check.Known("channel", request.Channel);
        check.That(!Transmissions.IsProvedBySystem(channel), "channel", "is proved by the espace's own system");
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, async (mesure, acting, ct) =>
        {
            if (acting.OccurredAt < mesure.Status.TransmittedAt)
            {
                throw DomainError.Invalid("occurred_time", "must not lie before the transmission");
            }

            if (!mesure.Deliver(channel, acting))
            {
                throw DomainError.StateForbids(
                    mesure.Status.State.ToCode(), MesureAct.Deliver.ToCode(), mesure.Status.DeliveredAt is null ? null : "it was delivered already");
            }

            return new RecordDeliveryResponse { Mesure = mesure.ToSummary(), Transmission = await db.TransmissionAsync(mesure, asOf: null, ct) };
        });
    }
}
