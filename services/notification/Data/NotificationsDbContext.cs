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
    /// The next positions of the feeds of some organisations. Their counter rows stay locked until the transaction ends, so positions
    /// follow each other without gap and become visible in their order. A sequence would hand 7 and 8 to two transactions and
    /// let 8 commit first: a reader that has passed 8 would never see 7.
    /// </summary>
    /// <param name="entries">How many entries each organisation gets; they are locked in the order of their ids.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The first position of each; the others follow it.</returns>
    public async Task<Dictionary<Guid, long>> NextPositionsAsync(IReadOnlyDictionary<Guid, int> entries, CancellationToken ct)
    {
        Guid[] ids = [.. entries.Keys.Order()];
        int[] counts = [.. ids.Select(id => entries[id])];
        return ids.Length == 0 ? [] : (await Database.SqlQuery<NextPosition>($"""
            insert into feed_heads (organisation_id, last_position, trimmed_to) select o.id, o.entries, 0 from unnest({ids}, {counts}) o (id, entries) order by o.id
            on conflict (organisation_id) do update set last_position = feed_heads.last_position + excluded.last_position
            returning organisation_id as "OrganisationId", last_position as "Position"
            """).ToListAsync(ct)).ToDictionary(n => n.OrganisationId, n => n.Position - entries[n.OrganisationId] + 1);
    }

    protected override void Map(ModelBuilder modelBuilder) => modelBuilder.ApplyConfigurationsFromAssembly(typeof(NotificationsDbContext).Assembly);

    private sealed record NextPosition(Guid OrganisationId, long Position);
}
