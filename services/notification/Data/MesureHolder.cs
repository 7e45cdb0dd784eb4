using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>The organisation that last had to act on a mesure, to know when another one has to; and its two sides, who may ask what was told.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.WithMesure)]
internal sealed class MesureHolder
{
    public required Guid MesureId { get; init; }

    /// <summary>Version of the mesure from which this is known.</summary>
    public required long Version { get; set; }

    /// <summary>The organisation; kept while nobody or the family holds the mesure, null when no organisation ever did.</summary>
    public Guid? OrganisationId { get; set; }

    /// <summary>The court; null when no judge ordered it.</summary>
    public Guid? JuridictionId { get; set; }

    /// <summary>The gestionnaire, once the mesure is its affair.</summary>
    public Guid? GestionnaireId { get; set; }

    /// <summary>Its espace; null for none, and where its last event was told before this was kept.</summary>
    public Guid? EspaceId { get; set; }
}

internal sealed class MesureHolderConfiguration : IEntityTypeConfiguration<MesureHolder>
{
    public void Configure(EntityTypeBuilder<MesureHolder> builder)
    {
        builder.ToTable("mesure_holders");
        builder.HasKey(h => h.MesureId);
        builder.Property(h => h.MesureId).ValueGeneratedNever();
    }
}
