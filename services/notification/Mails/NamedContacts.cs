using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Telemetry;

namespace Jafer.Notifications.Mails;

/// <summary>A contact whom an organisation named for a thread.</summary>
/// <param name="OrganisationId">The organisation.</param>
/// <param name="ContactId">External id of the contact.</param>
/// <param name="AnswersDue">Until when questions ask an answer of this one.</param>
internal sealed record NamedContact(Guid OrganisationId, string ContactId, IReadOnlyList<DateTimeOffset> AnswersDue);

/// <summary>Whom organisations named for a mesure or an espace: the participants of its thread who answer, or stand in for who does.</summary>
internal sealed class NamedContacts(MessagingService.MessagingServiceClient messaging, ILogger<NamedContacts> logger)
{
    /// <summary>
    /// Those named for a thread by organisation and external_id; null when messaging has no answer for the moment, and nobody when it
    /// refuses this thread: who usually is told is told then.
    /// </summary>
    /// <param name="about">The mesure or espace.</param>
    /// <param name="ofEspace">Whether it is an espace.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<NamedContact>?> OfAsync(Guid about, bool ofEspace, CancellationToken ct)
    {
        try
        {
            // At most 20 for each of the two sides.
            var answer = await messaging.ListParticipantsAsync(
                new ListParticipantsRequest { MesureId = ofEspace ? "" : about.ToString(), EspaceId = ofEspace ? about.ToString() : "", PageSize = 200 }, cancellationToken: ct).OrNoAnswerAsync(ct);
            return answer?.Participants
                .Where(p => p.Role is ParticipantRole.Responsable or ParticipantRole.Suppleant)
                .Select(p => new NamedContact(Guid.Parse(p.OrganisationId), p.ContactId, [.. p.AnswerDueTimes.Select(t => t.ToDateTimeOffset())])).ToList();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            logger.LogWarning("Who is named for {About} could not be read: {Fault}", about, Redaction.Describe(e));
            return [];
        }
    }
}
