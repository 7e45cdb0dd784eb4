using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>The first opening of a notice, as the organisation's interface told it.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.Feed)]
internal sealed class NoticeOpening
{
    public required Guid OrganisationId { get; init; }

    public required Guid NoticeId { get; init; }

    public required Guid EventId { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }
}

internal sealed class NoticeOpeningConfiguration : IEntityTypeConfiguration<NoticeOpening>
{
    public void Configure(EntityTypeBuilder<NoticeOpening> builder)
    {
        builder.ToTable("notice_openings");
        builder.HasKey(o => new { o.OrganisationId, o.NoticeId });
    }
}
