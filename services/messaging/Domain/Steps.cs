using Jafer.Contracts.Events;

namespace Jafer.Messaging.Domain;

/// <summary>Which events of a mesure stand in its thread.</summary>
internal static class Steps
{
    /// <summary>
    /// Whether all who hold the thread may see the step. Drafts are their court's own affair until transmission; everything after it
    /// both sides must know: acts, reading included, and what was not done in time. What no judge ordered is the espace's own from its
    /// creation. Kinds that later versions add are shown.
    /// </summary>
    /// <param name="step">The event.</param>
    public static bool IsShared(MesureEvent step) => step is not (MesureCreated { JuridictionId: not null } or MesureUpdated or MesureCompleted);
}
