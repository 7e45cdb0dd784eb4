using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>What this service keeps of an espace: whose it is, and by which holidays and clocks it works.</summary>
[Holds(DataCategory.Organisation, Processing.Conversations, Kept.WithOrganisation)]
internal sealed class EspaceView
{
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; set; }

    /// <summary>Code of the département.</summary>
    public required string Departement { get; set; }

    /// <summary>IANA time zone.</summary>
    public required string TimeZone { get; set; }

    /// <summary>Version of the espace from which this is known.</summary>
    public required long Version { get; set; }
}

internal sealed class EspaceViewConfiguration : IEntityTypeConfiguration<EspaceView>
{
    public void Configure(EntityTypeBuilder<EspaceView> builder)
    {
        builder.ToTable("espaces");
        builder.HasKey(e => e.EspaceId);
        builder.Property(e => e.EspaceId).ValueGeneratedNever();
    }
}
