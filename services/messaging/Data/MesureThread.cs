using Jafer.Contracts.Messaging.V1;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>The thread of one mesure and the two organisations that hold it.</summary>
internal sealed class MesureThread
{
    /// <summary>The mesure, which is the id of its thread.</summary>
    public required Guid MesureId { get; init; }

    /// <summary>The court as an organisation.</summary>
    public required Guid JuridictionId { get; set; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; set; }

    /// <summary>Version of the mesure from which the two holders are known.</summary>
    public required long HoldersVersion { get; set; }

    /// <summary>Messages in the thread, which is the position of the last one.</summary>
    public required long MessageCount { get; set; }

    /// <summary>Latest time of a message: a step entered late does not move the thread back.</summary>
    public required DateTimeOffset LastMessageAt { get; set; }

    /// <summary>For which side an organisation speaks; null when it holds nothing here.</summary>
    /// <param name="organisationId">The organisation.</param>
    public AuthorKind? SideOf(Guid organisationId) =>
        organisationId == JuridictionId ? AuthorKind.Juridiction
        : organisationId == GestionnaireId ? AuthorKind.Espace
        : null;

    /// <summary>Gives the next position to a message; the row must be locked.</summary>
    /// <param name="at">Time of the message.</param>
    public long Append(DateTimeOffset at)
    {
        LastMessageAt = at > LastMessageAt ? at : LastMessageAt;
        return ++MessageCount;
    }
}

internal sealed class MesureThreadConfiguration : IEntityTypeConfiguration<MesureThread>
{
    public void Configure(EntityTypeBuilder<MesureThread> builder)
    {
        builder.ToTable("threads");
        builder.HasKey(t => t.MesureId);
        builder.Property(t => t.MesureId).ValueGeneratedNever();
    }
}
