using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Messaging.Threads;

/// <summary>
/// Opens the thread of a mesure at its transmission and enters each step; that of a mesure without a judge at its creation. A step
/// that overtook the transmission opens the thread too: positions never change, so what comes late stands where it came, with the
/// time at which it happened. Of espaces it keeps whose they are, of courts where they sit.
/// </summary>
internal sealed class ThreadProjection : IEventHandler<MessagingDbContext>
{
    /// <summary>The events that it hears.</summary>
    public static IReadOnlyCollection<Type> Subscriptions { get; } = [typeof(EspacePublished), typeof(OrganisationPublished), .. EventTypes.All.Where(t => t.IsSubclassOf(typeof(MesureEvent)))];

    private static readonly string s_closed = Contracts.Mesure.V1.MesureState.Cloturee.ToCode();

    private static readonly string s_content = Contracts.Mesure.V1.PurgeScope.Content.ToCode();
    private static readonly string s_files = Contracts.Mesure.V1.PurgeScope.Files.ToCode();

    public Task PrepareAsync(MessagingDbContext db, IReadOnlyList<DomainEvent> messages, CancellationToken ct)
    {
        Guid[] threads = messages.Count < 2 ? [] : [.. messages.Where(m => m is EspacePublished || (m is MesureEvent step && Steps.IsShared(step))).Select(m => m.AggregateId).Distinct()];
        return threads.Length == 0 ? Task.CompletedTask : db.LockThreadsAsync(threads, ct);
    }

    public Task HandleAsync(MessagingDbContext db, DomainEvent message, CancellationToken ct) => message switch
    {
        EspacePublished espace => KeepAsync(db, espace, ct),
        OrganisationPublished { Code: { } code } court => KeepAsync(db, court.AggregateId, code, ct),
        MesureEvent { GestionnaireId: { } gestionnaireId } step when Steps.IsShared(step) => EnterAsync(db, step, gestionnaireId, ct),
        _ => Task.CompletedTask,
    };

    private static async Task EnterAsync(MessagingDbContext db, MesureEvent step, Guid gestionnaireId, CancellationToken ct)
    {
        var thread = await LockAsync(db, ThreadKind.Mesure, step.AggregateId, ct);
        if (thread is null)
        {
            thread = new MessageThread
            {
                ThreadId = step.AggregateId,
                Kind = ThreadKind.Mesure,
                GestionnaireId = gestionnaireId,
                HoldersVersion = 0,
                MessageCount = 0,
                LastMessageAt = step.OccurredAt,
            };
            db.Threads.Add(thread);
        }

        // What is told late brings nothing back.
        if (thread.ErasedAt is not null)
        {
            return;
        }

        if (step.AggregateVersion > thread.HoldersVersion)
        {
            thread.JuridictionId = step.JuridictionId;
            thread.GestionnaireId = gestionnaireId;
            thread.EspaceId = step.EspaceId;
            thread.ClosedAt = step.State != s_closed ? null : thread.ClosedAt ?? step.RecordedAt;
            thread.HoldersVersion = step.AggregateVersion;
        }

        if (step is MesureTransmitted { PredecessorMesureId: { } predecessor })
        {
            thread.PredecessorId = predecessor;
        }

        var entry = new ThreadMessage
        {
            ThreadId = step.AggregateId,
            MessageId = step.EventId,
            AuthorKind = AuthorKind.Systeme,
            EventType = EventTypes.NameOf(step.GetType()),
            CreatedAt = step.OccurredAt.ToUniversalTime(),
        };
        thread.Append(entry);
        db.Messages.Add(entry);
        if (step is MesurePurged purged)
        {
            // What is erased by statements must have been written.
            await db.SaveChangesAsync(ct);

            // Of a scope that a later version adds nobody here knows what to erase: it is parked with an alert, and redriven then.
            await (purged.Scope == s_content ? ThreadErasure.OfContentAsync(db, thread, step.RecordedAt, ct)
                : purged.Scope == s_files ? ThreadErasure.OfFilesAsync(db, thread, step.RecordedAt, ct)
                : throw new InvalidOperationException("a scope of erasure that this version does not know"));
        }
    }

    // Locked with the others of the transaction, or opened by one of them.
    private static async Task<MessageThread?> LockAsync(MessagingDbContext db, ThreadKind kind, Guid threadId, CancellationToken ct) =>
        db.Threads.Local.FindEntry(threadId) is { } known ? known.Entity.Kind == kind ? known.Entity : null : await db.LockThreadAsync(kind, threadId, ct);

    private static async Task KeepAsync(MessagingDbContext db, Guid courtId, string code, CancellationToken ct)
    {
        if (await db.Courts.FindAsync([courtId], ct) is { } view)
        {
            view.Code = code;
        }
        else
        {
            db.Courts.Add(new CourtView { OrganisationId = courtId, Code = code });
        }
    }

    private static async Task KeepAsync(MessagingDbContext db, EspacePublished espace, CancellationToken ct)
    {
        var view = await db.Espaces.FindAsync([espace.AggregateId], ct);
        if (view is null)
        {
            view = new EspaceView
            {
                EspaceId = espace.AggregateId,
                GestionnaireId = espace.GestionnaireId,
                Departement = espace.Departement,
                TimeZone = espace.TimeZone,
                Version = espace.AggregateVersion,
            };
            db.Espaces.Add(view);
        }
        else if (espace.AggregateVersion >= view.Version)
        {
            (view.GestionnaireId, view.Departement, view.TimeZone, view.Version) = (espace.GestionnaireId, espace.Departement, espace.TimeZone, espace.AggregateVersion);
        }

        if (await LockAsync(db, ThreadKind.Espace, espace.AggregateId, ct) is { } thread && view.Version >= thread.HoldersVersion)
        {
            (thread.GestionnaireId, thread.HoldersVersion) = (view.GestionnaireId, view.Version);
        }
    }
}
