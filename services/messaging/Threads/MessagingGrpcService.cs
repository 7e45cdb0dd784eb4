using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;
using Proto = Jafer.Contracts.Messaging.V1;

namespace Jafer.Messaging.Threads;

/// <summary>The rpcs of messaging, each in its own file; here what they share.</summary>
internal sealed partial class MessagingGrpcService(
    MessagingDbContext db, Commands<MessagingDbContext> commands, PageTokens pageTokens, TimeProvider clock) : MessagingService.MessagingServiceBase
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    private static string ResourceOf(string mesureId) => "threads/" + mesureId;

    /// <summary>Refuses a thread that is not the caller's, and one that does not exist, with the same answer.</summary>
    private static MesureThread Admit(Caller caller, MesureThread? thread)
    {
        if (thread is null || !(caller.MayTouch(thread.JuridictionId) || caller.MayTouch(thread.GestionnaireId)))
        {
            throw DomainError.Forbidden();
        }

        return thread;
    }

    private Task<MesureThread?> FindAsync(Guid mesureId, CancellationToken ct) =>
        db.Threads.AsNoTracking().SingleOrDefaultAsync(t => t.MesureId == mesureId, ct);

    /// <summary>Threads with the number of messages that an organisation has neither written nor marked as read.</summary>
    private IQueryable<CountedThread> Count(IQueryable<MesureThread> threads, Guid organisationId) => threads.Select(t => new CountedThread
    {
        Thread = t,
        Unread = db.Messages.LongCount(m =>
            m.MesureId == t.MesureId && m.AuthorOrganisationId != null && m.AuthorOrganisationId != organisationId
            && m.Position > (db.Receipts.Where(r => r.MesureId == t.MesureId && r.OrganisationId == organisationId).Max(r => (long?)r.Position) ?? 0)),
    });

    private static Proto.Thread ToProto(MesureThread thread, long unread) => new()
    {
        MesureId = thread.MesureId.ToString(),
        JuridictionId = thread.JuridictionId.ToString(),
        GestionnaireId = thread.GestionnaireId.ToString(),
        MessageCount = thread.MessageCount,
        UnreadCount = unread,
        LastMessageTime = thread.LastMessageAt.ToProto(),
    };

    private sealed class CountedThread
    {
        public required MesureThread Thread { get; init; }

        public required long Unread { get; init; }
    }
}
