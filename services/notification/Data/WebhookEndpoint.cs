using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>An address of an organisation to which events are posted. What deliveries change in it (below the version) is no change of its version.</summary>
[Holds(DataCategory.Organisation, Processing.Notices, Kept.WithOrganisation)]
internal sealed class WebhookEndpoint
{
    /// <summary>State of an endpoint that its owner deleted: only its log is left.</summary>
    public const string Deleted = "DELETED";

    public required Guid EndpointId { get; init; }

    public required Guid OrganisationId { get; init; }

    public required string Url { get; set; }

    /// <summary>Wanted types; none for all.</summary>
    public required string[] Types { get; set; }

    [Sealed(DataCategory.Professional)]
    public required string ContactEmail { get; set; }

    /// <summary>Code of a <c>WebhookEndpointState</c>, or <see cref="Deleted"/>.</summary>
    public required string State { get; set; }

    [InClear(DataCategory.Technical)]
    public required Guid SecretId { get; set; }

    /// <summary>The secret, sealed.</summary>
    [InClear(DataCategory.Secret, "sealed by a key of its own (docs/decisions/0026)")]
    public required string Secret { get; set; }

    [InClear(DataCategory.Technical)]
    public Guid? PreviousSecretId { get; set; }

    /// <summary>The secret before, sealed; it signs too until it expires.</summary>
    [InClear(DataCategory.Secret, "sealed by a key of its own (docs/decisions/0026)")]
    public string? PreviousSecret { get; set; }

    public DateTimeOffset? PreviousSecretExpiresAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    /// <summary>When Jafer disabled it; null when it did not.</summary>
    public DateTimeOffset? DisabledAt { get; set; }

    /// <summary>Failures since the last success.</summary>
    public int Failures { get; set; }

    /// <summary>The first of them.</summary>
    public DateTimeOffset? FailingSince { get; set; }

    /// <summary>Until when nothing is posted, after failures or because the receiver asked for it.</summary>
    public DateTimeOffset? RestUntil { get; set; }

    /// <summary>When the mail about its end is due; null for none.</summary>
    public DateTimeOffset? NoticeAt { get; set; }

    /// <summary>Failed attempts at that mail.</summary>
    public int NoticeAttempts { get; set; }
}

internal sealed class WebhookEndpointConfiguration : IEntityTypeConfiguration<WebhookEndpoint>
{
    public void Configure(EntityTypeBuilder<WebhookEndpoint> builder)
    {
        builder.ToTable("webhook_endpoints");
        builder.HasKey(e => e.EndpointId);
        builder.Property(e => e.EndpointId).ValueGeneratedNever();
        builder.Property(e => e.Version).IsConcurrencyToken();
    }
}
