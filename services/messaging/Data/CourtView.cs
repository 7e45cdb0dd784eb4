using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>What this service keeps of a court: where it sits, for the days on which it works.</summary>
[Holds(DataCategory.Organisation, Processing.Conversations, Kept.WithOrganisation)]
internal sealed class CourtView
{
    public required Guid OrganisationId { get; init; }

    /// <summary>Code, such as "tj69123".</summary>
    public required string Code { get; set; }
}

internal sealed class CourtViewConfiguration : IEntityTypeConfiguration<CourtView>
{
    public void Configure(EntityTypeBuilder<CourtView> builder)
    {
        builder.ToTable("courts");
        builder.HasKey(c => c.OrganisationId);
        builder.Property(c => c.OrganisationId).ValueGeneratedNever();
    }
}
