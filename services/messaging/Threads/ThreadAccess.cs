using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Jafer.Messaging.Threads;

/// <summary>Which thread is meant.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="ThreadId">The mesure or espace.</param>
internal readonly record struct ThreadKey(ThreadKind Kind, Guid ThreadId)
{
    /// <summary>Which thread a request names.</summary>
    /// <param name="check">What is wrong with the request.</param>
    /// <param name="mesureId">mesure_id.</param>
    /// <param name="espaceId">espace_id.</param>
    public static ThreadKey Of(FieldChecks check, string mesureId, string espaceId)
    {
        if (espaceId.Length == 0)
        {
            return new ThreadKey(ThreadKind.Mesure, check.Uuid("mesure_id", mesureId));
        }

        if (mesureId.Length > 0)
        {
            check.Uuid("mesure_id", mesureId);
            check.Add("espace_id", "must be empty when mesure_id is given");
        }

        return new ThreadKey(ThreadKind.Espace, check.Uuid("espace_id", espaceId));
    }
}

/// <summary>The threads that a caller holds.</summary>
internal sealed class ThreadAccess(MessagingDbContext db, IOptions<ConversationOptions> options, IOptions<EscalationOptions> escalation, TimeProvider clock)
{
    /// <summary>Refuses a thread that is not the caller's, and one that does not exist, with the same answer.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="thread">The thread.</param>
    public static MessageThread Admit(Caller caller, MessageThread? thread)
    {
        if (thread is null || !(caller.MayTouch(thread.JuridictionId) || caller.MayTouch(thread.GestionnaireId) || caller.MayTouch(thread.OperateurId) || IsOperatorHere(caller, thread)))
        {
            throw DomainError.Forbidden();
        }

        return thread;
    }

    /// <summary>Whether the caller is an operator who is competent for a part of France in which the espace of the thread lies: they speak for the operator's side.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="thread">The thread.</param>
    public static bool IsOperatorHere(Caller caller, MessageThread thread) => thread.Kind == ThreadKind.Espace && caller.HasInTerritory(thread.EspaceId);

    /// <summary>The caller's thread for reading. That of an espace may still be without any message: then no row has it.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="key">The thread.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<MessageThread> FindAsync(Caller caller, ThreadKey key, CancellationToken ct)
    {
        var thread = await db.Threads.AsNoTracking().SingleOrDefaultAsync(t => t.ThreadId == key.ThreadId && t.Kind == key.Kind, ct);
        return Admit(caller, thread ?? await UnopenedAsync(key, ct));
    }

    /// <summary>
    /// The caller's thread with its row locked for a change; that of an espace is opened by the first one, an erased one is refused.
    /// A transaction was begun.
    /// </summary>
    /// <param name="caller">The caller.</param>
    /// <param name="key">The thread.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<MessageThread> LockAsync(Caller caller, ThreadKey key, CancellationToken ct)
    {
        var thread = await db.LockThreadAsync(key.Kind, key.ThreadId, ct);
        if (thread is null && await UnopenedAsync(key, ct) is { } unopened)
        {
            Admit(caller, unopened);
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into threads (thread_id, kind, gestionnaire_id, operateur_id, espace_id, holders_version, message_count, last_message_at)
                values ({unopened.ThreadId}, 'ESPACE', {unopened.GestionnaireId}, {unopened.OperateurId}, {unopened.EspaceId}, {unopened.HoldersVersion}, 0, {unopened.LastMessageAt})
                on conflict do nothing
                """,
                ct);
            thread = await db.LockThreadAsync(key.Kind, key.ThreadId, ct);
        }

        // Names of readers and contacts must not come back either.
        return Admit(caller, thread) is { ErasedAt: null } writable ? writable : throw DomainError.Anonymised(key.ThreadId);
    }

    private async Task<MessageThread?> UnopenedAsync(ThreadKey key, CancellationToken ct)
    {
        if (key.Kind != ThreadKind.Espace || await db.Espaces.AsNoTracking().SingleOrDefaultAsync(e => e.EspaceId == key.ThreadId, ct) is not { } espace
            || espace.GestionnaireId == escalation.Value.OperatorId)
        {
            return null;
        }

        return new MessageThread
        {
            ThreadId = espace.EspaceId,
            Kind = ThreadKind.Espace,
            GestionnaireId = espace.GestionnaireId,
            OperateurId = escalation.Value.OperatorId,
            EspaceId = espace.EspaceId,
            HoldersVersion = espace.Version,
            MessageCount = 0,
            LastMessageAt = clock.GetUtcNow(),
        };
    }

    /// <summary>Refuses to add to the thread of a mesure that was closed too long ago.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="act">What is refused.</param>
    /// <param name="now">Now.</param>
    public void RequireWritable(MessageThread thread, string act, DateTimeOffset now)
    {
        if (thread.ClosedAt is { } closed && now > closed + options.Value.WritableAfterClosing)
        {
            throw DomainError.StateForbids("CLOTUREE", act, "the mesure was closed too long ago");
        }
    }
}
