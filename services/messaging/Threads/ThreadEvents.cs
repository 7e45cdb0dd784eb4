using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Messaging.Threads;

/// <summary>What all events of a thread say.</summary>
internal static class ThreadEvents
{
    /// <summary>An event with its header: whose thread it is, and when it happened, which is now.</summary>
    /// <param name="own">The event with the fields of its own type; see <see cref="ServiceDefaults.Messaging.EventTypes.Blank{T}"/>.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="position">Place in the thread that the event is about.</param>
    /// <param name="now">Now.</param>
    public static ThreadEvent About(this ThreadEvent own, MessageThread thread, long position, DateTimeOffset now) => own with
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = thread.ThreadId,
        AggregateVersion = position,
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = Activity.Current?.TraceId.ToString(),
        ThreadKind = thread.Kind.ToCode(),
        JuridictionId = thread.JuridictionId,
        GestionnaireId = thread.GestionnaireId,
        OperateurId = thread.OperateurId,
    };
}
