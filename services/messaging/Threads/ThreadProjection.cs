using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Messaging.Threads;

/// <summary>
/// Opens the thread of a mesure at its transmission and enters each step. A step that overtook the transmission opens the
/// thread too: positions never change, so what comes late stands where it came, with the time at which it happened.
/// </summary>
internal sealed class ThreadProjection : IEventHandler<MessagingDbContext>
{
    public async Task HandleAsync(MessagingDbContext db, DomainEvent message, CancellationToken ct)
    {
        // A non-judicial mesure has no court to talk with, and so no thread.
        if (message is not MesureEvent { JuridictionId: { } juridictionId, GestionnaireId: { } gestionnaireId } step || !Steps.IsShared(step))
        {
            return;
        }

        var thread = await db.LockThreadAsync(step.AggregateId, ct);
        if (thread is null)
        {
            thread = new MesureThread
            {
                MesureId = step.AggregateId,
                JuridictionId = juridictionId,
                GestionnaireId = gestionnaireId,
                HoldersVersion = step.AggregateVersion,
                MessageCount = 0,
                LastMessageAt = step.OccurredAt,
            };
            db.Threads.Add(thread);
        }
        else if (step.AggregateVersion > thread.HoldersVersion)
        {
            thread.JuridictionId = juridictionId;
            thread.GestionnaireId = gestionnaireId;
            thread.HoldersVersion = step.AggregateVersion;
        }

        db.Messages.Add(new ThreadMessage
        {
            MesureId = step.AggregateId,
            Position = thread.Append(step.OccurredAt),
            MessageId = step.EventId,
            AuthorKind = AuthorKind.Systeme,
            EventType = EventTypes.NameOf(step.GetType()),
            CreatedAt = step.OccurredAt,
        });
    }
}
