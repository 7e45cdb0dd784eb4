using Jafer.Contracts.Events;

namespace Jafer.Notifications.Domain;

/// <summary>An organisation that is to be told by mail.</summary>
/// <param name="OrganisationId">The organisation.</param>
/// <param name="Urgent">Whether it must look at once.</param>
internal readonly record struct Call(Guid OrganisationId, bool Urgent);

/// <summary>Who is told by mail: only whoever must act next, and only when somebody else brought it about.</summary>
internal static class Calls
{
    /// <summary>The organisation to be told of an event; null for none.</summary>
    /// <param name="message">The event.</param>
    /// <param name="heldBefore">The organisation that had to act before the event; null when none ever had.</param>
    public static Call? For(DomainEvent message, Guid? heldBefore) => message switch
    {
        // A difficulty stands beside the state of the mesure: it never changes the holder, and still each side waits for the other.
        DifficultyReported difficulty => Told(difficulty.JuridictionId, difficulty.Urgent),
        DifficultyAnswered answered => Told(answered.GestionnaireId),
        MessagePosted posted => Told(posted.AuthorOrganisationId == posted.GestionnaireId ? posted.JuridictionId : posted.GestionnaireId),

        // Whoever drafts has the draft before them.
        MesureCreated or MesureUpdated or MesureCompleted => null,
        MesureEvent step when Audience.Holder(step) is { } holder && holder != heldBefore => Told(holder),
        _ => null,
    };

    private static Call? Told(Guid? organisationId, bool urgent = false) => organisationId is { } id ? new Call(id, urgent) : null;
}
