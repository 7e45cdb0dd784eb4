using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>When the broker took a transmission; written by the database as the relay deletes the message.</summary>
[Holds(DataCategory.Technical, Processing.Mesures, Kept.UntilDone)]
internal sealed class TransmissionRelay
{
    public required Guid MesureId { get; init; }

    public required Guid EventId { get; init; }

    public required DateTimeOffset RelayedAt { get; init; }
}

/// <summary>The proofs of a transmission.</summary>
internal static class Transmissions
{
    /// <summary>What is proved of the transmission of a mesure; null when it was not transmitted.</summary>
    /// <param name="db">The context.</param>
    /// <param name="mesure">The mesure.</param>
    /// <param name="asOf">Only what was on record at that instant; null for all.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<Transmission?> TransmissionAsync(this MesuresDbContext db, Mesure mesure, DateTimeOffset? asOf, CancellationToken ct)
    {
        if (mesure.Status.TransmittedAt is null)
        {
            return null;
        }

        // Facts that are not saved yet count.
        var facts = await db.Facts.AsNoTracking()
            .Where(f => f.MesureId == mesure.Id && (f.Act == MesureAct.Transmit || f.Act == MesureAct.Deliver || f.Act == MesureAct.Retrieve)).ToListAsync(ct);
        facts.AddRange(mesure.NewFacts.Where(n => facts.TrueForAll(f => f.Id != n.Id)));
        facts.RemoveAll(f => f.RecordedAt > asOf);
        var relay = await db.TransmissionRelays.AsNoTracking().SingleOrDefaultAsync(r => r.MesureId == mesure.Id && (asOf == null || r.RelayedAt <= asOf), ct);
        return !facts.Exists(f => f.Act == MesureAct.Transmit) ? null : new Transmission
        {
            Submitted = Proof(facts, MesureAct.Transmit),
            Relayed = relay is null ? null : new TransmissionProof { OccurredTime = relay.RelayedAt.ToProto() },
            Delivered = Proof(facts, MesureAct.Deliver),
            Retrieved = Proof(facts, MesureAct.Retrieve),
        };
    }

    /// <summary>Whether somebody recorded a delivery for an espace that is not connected; false for other facts.</summary>
    public static bool IsOnBehalf(DeliveryChannel? channel) => channel is not null && !IsProvedBySystem(channel);

    /// <summary>Whether a system of the espace's own proves the delivery, or a person of it by an opened notice; else somebody recorded it for the espace.</summary>
    public static bool IsProvedBySystem(DeliveryChannel? channel) => channel is DeliveryChannel.Feed or DeliveryChannel.Webhook or DeliveryChannel.Notice;

    private static TransmissionProof? Proof(List<MesureFact> facts, MesureAct act) => facts.Find(f => f.Act == act) is not { } fact ? null : new TransmissionProof
    {
        OccurredTime = fact.OccurredAt.ToProto(),
        OrganisationId = fact.ActorOrganisationId?.ToString() ?? "",
        Channel = fact.Details.Delivery ?? DeliveryChannel.Unspecified,
        OnBehalf = IsOnBehalf(fact.Details.Delivery),
    };
}
