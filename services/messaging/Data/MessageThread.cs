using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>The thread of one mesure or espace and the organisations that hold it.</summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class MessageThread
{
    /// <summary>The mesure or the espace, which is the id of its thread.</summary>
    public required Guid ThreadId { get; init; }

    public required ThreadKind Kind { get; init; }

    /// <summary>The court as an organisation; null where no judge ordered the mesure, and for the thread of an espace.</summary>
    public Guid? JuridictionId { get; set; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; set; }

    /// <summary>The operator as an organisation, for the thread of an espace; else null.</summary>
    public Guid? OperateurId { get; init; }

    /// <summary>The espace; null while no step since the first version named it.</summary>
    public Guid? EspaceId { get; set; }

    /// <summary>The mesure that this one follows after a redesignation; null for none.</summary>
    public Guid? PredecessorId { get; set; }

    /// <summary>When the mesure was closed; null while it is open.</summary>
    public DateTimeOffset? ClosedAt { get; set; }

    /// <summary>When its files were erased; null before.</summary>
    public DateTimeOffset? FilesErasedAt { get; set; }

    /// <summary>When its texts were erased, after which nothing is entered any more; null before.</summary>
    public DateTimeOffset? ErasedAt { get; set; }

    /// <summary>Version of the mesure or espace from which the holders are known.</summary>
    public required long HoldersVersion { get; set; }

    /// <summary>Messages in the thread, which is the position of the last one.</summary>
    public required long MessageCount { get; set; }

    /// <summary>Latest time of a message: a step entered late does not move the thread back. Of a thread without messages, when it was opened.</summary>
    public required DateTimeOffset LastMessageAt { get; set; }

    /// <summary>Hash of the last message; null when there is none.</summary>
    public byte[]? HeadHash { get; set; }

    /// <summary>For which side an organisation speaks; null when it holds nothing here.</summary>
    /// <param name="organisationId">The organisation.</param>
    public AuthorKind? SideOf(Guid organisationId) =>
        organisationId == GestionnaireId ? AuthorKind.Espace
        : organisationId == JuridictionId ? AuthorKind.Juridiction
        : organisationId == OperateurId ? AuthorKind.Operateur
        : null;

    /// <summary>The organisation of a side; null when the thread has no such side.</summary>
    /// <param name="side">The side.</param>
    public Guid? OrganisationOf(AuthorKind side) => side switch
    {
        AuthorKind.Juridiction => JuridictionId,
        AuthorKind.Espace => GestionnaireId,
        AuthorKind.Operateur => OperateurId,
        _ => null,
    };

    /// <summary>The side that a side speaks to; itself in a thread of one side.</summary>
    /// <param name="side">The side.</param>
    public AuthorKind OtherThan(AuthorKind side) =>
        side != AuthorKind.Espace ? AuthorKind.Espace
        : JuridictionId is not null ? AuthorKind.Juridiction
        : OperateurId is not null ? AuthorKind.Operateur
        : AuthorKind.Espace;

    /// <summary>Gives a message the next position and chains it to the one before; the row must be locked.</summary>
    /// <param name="message">The message, not yet saved.</param>
    public void Append(ThreadMessage message)
    {
        LastMessageAt = message.CreatedAt > LastMessageAt ? message.CreatedAt : LastMessageAt;
        message.Position = ++MessageCount;
        message.Hash = HeadHash = ThreadChain.Hash(Kind.ToCode(), ThreadId.ToString(), ThreadFile.Chained(message), HashBefore);
    }

    private string HashBefore => HeadHash is null ? ThreadChain.Start : Convert.ToHexStringLower(HeadHash);
}

internal sealed class MessageThreadConfiguration : IEntityTypeConfiguration<MessageThread>
{
    public void Configure(EntityTypeBuilder<MessageThread> builder)
    {
        builder.ToTable("threads");
        builder.HasKey(t => t.ThreadId);
        builder.Property(t => t.ThreadId).ValueGeneratedNever();
    }
}
