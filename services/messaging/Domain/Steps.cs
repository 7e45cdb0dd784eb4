using Jafer.Contracts.Events;

namespace Jafer.Messaging.Domain;

/// <summary>Which events of a mesure stand in its thread.</summary>
internal static class Steps
{
    /// <summary>
    /// Whether both sides may see the step. Drafts are their court's own affair until transmission; everything after it is an
    /// act of one side that the other must know, reading included. A deadline that passed is nobody's act. Kinds that later versions
    /// add are shown.
    /// </summary>
    /// <param name="step">The event.</param>
    public static bool IsShared(MesureEvent step) => step is not (MesureCreated or MesureUpdated or MesureCompleted or DeadlineDue);
}
