using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Telemetry;

namespace Jafer.Notifications.Mails;

/// <summary>Whom organisations named for a mesure: the participants of its thread who answer, or stand in for who does.</summary>
internal sealed class NamedContacts(MessagingService.MessagingServiceClient messaging, ILogger<NamedContacts> logger)
{
    /// <summary>
    /// Those named for a mesure by organisation and external_id; null when messaging does not answer, whatever the reason: who usually is
    /// told is told then.
    /// </summary>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<(Guid OrganisationId, string ContactId)>?> OfAsync(Guid mesureId, CancellationToken ct)
    {
        try
        {
            // At most 20 for each of the two sides.
            var answer = await messaging.ListParticipantsAsync(
                new ListParticipantsRequest { MesureId = mesureId.ToString(), PageSize = 200 }, cancellationToken: ct).OrNoAnswerAsync(ct);
            return answer?.Participants
                .Where(p => p.Role is ParticipantRole.Responsable or ParticipantRole.Suppleant)
                .Select(p => (Guid.Parse(p.OrganisationId), p.ContactId)).ToList();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            logger.LogWarning("Who is named for mesure {MesureId} could not be read: {Fault}", mesureId, Redaction.Describe(e));
            return null;
        }
    }
}
