using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>A transmission in the feed of its espace's organisation, as long as that has not resumed past it.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.UntilDone)]
internal sealed class UndeliveredTransmission
{
    public required Guid OrganisationId { get; init; }

    /// <summary>Position in the feed.</summary>
    public required long Position { get; init; }

    public required Guid EventId { get; init; }

    public required Guid MesureId { get; init; }

    public required long MesureVersion { get; init; }

    public required DateTimeOffset AppendedAt { get; init; }
}

internal sealed class UndeliveredTransmissionConfiguration : IEntityTypeConfiguration<UndeliveredTransmission>
{
    public void Configure(EntityTypeBuilder<UndeliveredTransmission> builder)
    {
        builder.ToTable("undelivered_transmissions");
        builder.HasKey(t => new { t.OrganisationId, t.Position });
    }
}
