using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>The way of a notice about a mesure, kept when the feed, the log of webhooks or the mails no longer have it. No payload, no address.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.WithMesure)]
internal sealed class NoticeProof
{
    public required Guid MesureId { get; init; }

    public required Guid NoticeId { get; init; }

    public required Guid OrganisationId { get; init; }

    /// <summary>Code of a <c>NoticeChannel</c>.</summary>
    public required string Channel { get; init; }

    public required Guid EventId { get; init; }

    public required string EventType { get; init; }

    /// <summary>Code of a <c>NoticeState</c>, without openings.</summary>
    public required string State { get; init; }

    public required DateTimeOffset QueuedAt { get; init; }

    public DateTimeOffset? SentAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public DateTimeOffset? OpenedAt { get; init; }

    public required int Attempts { get; init; }

    public int? LastStatus { get; init; }

    public string? LastError { get; init; }

    [InClear(DataCategory.Professional)]
    public string? ContactId { get; init; }

    public Guid? EndpointId { get; init; }
}

internal sealed class NoticeProofConfiguration : IEntityTypeConfiguration<NoticeProof>
{
    public void Configure(EntityTypeBuilder<NoticeProof> builder)
    {
        builder.ToTable("notice_proofs");
        builder.HasKey(p => new { p.MesureId, p.NoticeId, p.OrganisationId });
    }
}
