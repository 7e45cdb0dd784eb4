using Jafer.ServiceDefaults.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Jafer.Notifications.Data;

/// <summary>The notification service's database.</summary>
internal sealed class NotificationsDbContext(DbContextOptions<NotificationsDbContext> options) : JaferDbContext(options)
{
    private const string NextPositions = """
        insert into feed_heads (organisation_id, last_position, trimmed_to) select o.id, o.entries, 0 from unnest($1, $2) o (id, entries) order by o.id
        on conflict (organisation_id) do update set last_position = feed_heads.last_position + excluded.last_position
        returning organisation_id, last_position
        """;

    private const string Endpoints = "select endpoint_id, organisation_id, types from webhook_endpoints where organisation_id = any($1) and state = 'ENABLED'";

    private const string KnownHolders = """
        select mesure_id, version, organisation_id, juridiction_id, gestionnaire_id, espace_id from mesure_holders where mesure_id = any($1)
        """;

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
    /// What the entries of a transaction need, in one round trip: the next positions of the feeds of some organisations, the webhooks of
    /// those, and who holds some mesures, which is tracked from then on.
    /// </summary>
    /// <remarks>
    /// The counter rows stay locked until the transaction ends, so positions follow each other without gap and become visible in their
    /// order. A sequence would hand 7 and 8 to two transactions and let 8 commit first: a reader that has passed 8 would never see 7.
    /// </remarks>
    /// <param name="entries">How many entries each organisation gets; they are locked in the order of their ids.</param>
    /// <param name="mesures">The mesures.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<FeedPlaces> TakePlacesAsync(IReadOnlyDictionary<Guid, int> entries, Guid[] mesures, CancellationToken ct)
    {
        Guid[] ids = [.. entries.Keys.Order()];
        var places = new FeedPlaces([], []);
        await using var batch = new NpgsqlBatch((NpgsqlConnection)Database.GetDbConnection(), (NpgsqlTransaction?)Database.CurrentTransaction?.GetDbTransaction())
        {
            BatchCommands =
            {
                With(NextPositions, ids, Inserts.Value<int[]>([.. ids.Select(id => entries[id])])), With(Endpoints, ids), With(KnownHolders, mesures),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            places.Next[reader.GetGuid(0)] = reader.GetInt64(1) - entries[reader.GetGuid(0)] + 1;
        }

        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            places.Endpoints.Add((reader.GetGuid(0), reader.GetGuid(1), reader.GetFieldValue<string[]>(2)));
        }

        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            Holders.Attach(new MesureHolder
            {
                MesureId = reader.GetGuid(0),
                Version = reader.GetInt64(1),
                OrganisationId = Id(2),
                JuridictionId = Id(3),
                GestionnaireId = Id(4),
                EspaceId = Id(5),
            });
        }

        return places;

        Guid? Id(int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);

        static NpgsqlBatchCommand With(string sql, Guid[] ids, params NpgsqlParameter[] more) => Inserts.With(sql, [Inserts.Value(ids), .. more]);
    }

    protected override void Map(ModelBuilder modelBuilder) => modelBuilder.ApplyConfigurationsFromAssembly(typeof(NotificationsDbContext).Assembly);
}

/// <summary>Where the entries of a transaction go.</summary>
/// <param name="Next">Of each organisation the first position; the others follow it.</param>
/// <param name="Endpoints">Its webhooks that are enabled, with the types that they want.</param>
internal sealed record FeedPlaces(Dictionary<Guid, long> Next, List<(Guid EndpointId, Guid OrganisationId, string[] Types)> Endpoints);
