using Jafer.Contracts.Events;

namespace Jafer.Messaging.Domain;

/// <summary>Which events of a mesure stand in its thread.</summary>
internal static class Steps
{
    /// <summary>
    /// Whether all who hold the thread may see the step. Drafts are their court's own affair until transmission; everything after it
    /// is an act of one side that the other must know, reading included. What no judge ordered is the espace's own from its creation.
    /// A deadline that passed, is reminded of or was lifted is nobody's act. Kinds that later versions add are shown.
    /// </summary>
    /// <param name="step">The event.</param>
    public static bool IsShared(MesureEvent step) => step is not (DeadlineDue or ReminderDue or DeadlineLifted or MesureCreated { JuridictionId: not null } or MesureUpdated or MesureCompleted);
}
