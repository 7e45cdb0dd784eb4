using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Attachments;

/// <summary>What a file needs of its thread.</summary>
/// <param name="ThreadId">The thread.</param>
/// <param name="OfEspace">Whether it is about an espace.</param>
/// <param name="JuridictionId">The court as an organisation; null for none.</param>
/// <param name="GestionnaireId">The gestionnaire as an organisation.</param>
/// <param name="OperateurId">The operator as an organisation; null for none.</param>
/// <param name="MessageCount">Position of its last message.</param>
internal sealed record AttachmentThread(Guid ThreadId, bool OfEspace, Guid? JuridictionId, Guid GestionnaireId, Guid? OperateurId, long MessageCount)
{
    /// <summary>The thread; null when there is none.</summary>
    /// <param name="db">Database.</param>
    /// <param name="threadId">The thread.</param>
    /// <param name="ct">Cancellation.</param>
    public static Task<AttachmentThread?> FindAsync(MessagingDbContext db, Guid threadId, CancellationToken ct) => db.Threads.AsNoTracking()
        .Where(t => t.MesureId == threadId)
        .Select(t => new AttachmentThread(t.MesureId, false, t.JuridictionId, t.GestionnaireId, null, t.MessageCount))
        .SingleOrDefaultAsync(ct);

    /// <summary>Whether an organisation holds it.</summary>
    /// <param name="organisationId">The organisation.</param>
    public bool IsHeldBy(Guid organisationId) => organisationId == JuridictionId || organisationId == GestionnaireId || organisationId == OperateurId;

    /// <summary>Refuses a thread that the caller does not hold, and one that does not exist, with the same answer.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="thread">The thread.</param>
    public static AttachmentThread Admit(Caller caller, AttachmentThread? thread) =>
        thread is not null && caller.Tenancy != Tenancy.None && thread.IsHeldBy(caller.OrganisationId) ? thread : throw DomainError.Forbidden();
}
