using Jafer.ServiceDefaults.Data;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Data;

/// <summary>The notification service's database.</summary>
internal sealed class NotificationsDbContext(DbContextOptions<NotificationsDbContext> options) : JaferDbContext(options)
{
    public DbSet<FeedHead> Heads => Set<FeedHead>();

    public DbSet<FeedEvent> Events => Set<FeedEvent>();

    public DbSet<FeedConsumer> Consumers => Set<FeedConsumer>();

    public DbSet<MesureHolder> Holders => Set<MesureHolder>();

    public DbSet<UndeliveredTransmission> UndeliveredTransmissions => Set<UndeliveredTransmission>();

    public DbSet<Delivery> Deliveries => Set<Delivery>();

    public DbSet<MailRecipient> MailRecipients => Set<MailRecipient>();

    public DbSet<MailPerson> MailPeople => Set<MailPerson>();

    public DbSet<NoticeOpening> NoticeOpenings => Set<NoticeOpening>();

    public DbSet<NoticeProof> NoticeProofs => Set<NoticeProof>();

    public DbSet<FeedResumption> FeedResumptions => Set<FeedResumption>();

    public DbSet<WebhookEndpoint> WebhookEndpoints => Set<WebhookEndpoint>();

    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();

    /// <summary>
    /// The next position of an organisation's feed. Its counter row stays locked until the transaction ends, so positions
    /// follow each other without gap and become visible in their order. A sequence would hand 7 and 8 to two transactions and
    /// let 8 commit first: a reader that has passed 8 would never see 7.
    /// </summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<long> NextPositionAsync(Guid organisationId, CancellationToken ct) => (await Database.SqlQuery<long>($"""
        insert into feed_heads (organisation_id, last_position, trimmed_to) values ({organisationId}, 1, 0)
        on conflict (organisation_id) do update set last_position = feed_heads.last_position + 1
        returning last_position
        """).ToListAsync(ct))[0];

    protected override void Map(ModelBuilder modelBuilder) => modelBuilder.ApplyConfigurationsFromAssembly(typeof(NotificationsDbContext).Assembly);
}
