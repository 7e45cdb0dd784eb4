using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>A contact whom an organisation named for a thread.</summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class ThreadParticipant
{
    public required Guid ThreadId { get; init; }

    public required Guid OrganisationId { get; init; }

    /// <summary>external_id of the contact in the directory.</summary>
    [InClear(DataCategory.Professional)]
    public required string ContactId { get; init; }

    public required ParticipantRole Role { get; set; }

    public required DateTimeOffset AssignedAt { get; set; }
}

internal sealed class ThreadParticipantConfiguration : IEntityTypeConfiguration<ThreadParticipant>
{
    public void Configure(EntityTypeBuilder<ThreadParticipant> builder)
    {
        builder.ToTable("participants");
        builder.HasKey(p => new { p.ThreadId, p.OrganisationId, p.ContactId });
        builder.HasOne<MessageThread>().WithMany().HasForeignKey(p => p.ThreadId);
    }
}
