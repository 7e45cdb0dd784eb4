using System.Text.Json;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Base of every service's context: the tables that all of them have (outbox, inbox, request log) and snake_case
/// names. One SaveChanges writes state, outbox, journal and request id in one transaction.
/// </summary>
public abstract class JaferDbContext : DbContext
{
    private readonly List<IAppended> _appended = [];
    private int _lease;
    private bool _commits;
    private CommitListener? _listener;
    private Tenant? _tenant;
    private Guid _tenantOf;

    /// <summary>Makes a context.</summary>
    /// <param name="options">Options of the derived context.</param>
    protected JaferDbContext(DbContextOptions options)
        : base(options) =>
        // Whoever begins a transaction gives it up as a whole; a savepoint would cost two round trips for each save.
        Database.AutoSavepointsEnabled = false;

    internal DbSet<InboxMessage> InboxMessages => Set<InboxMessage>();

    internal DbSet<ProcessedRequest> ProcessedRequests => Set<ProcessedRequest>();

    /// <summary>Whether the rows of one organisation alone are seen, for whose call this is.</summary>
    public bool ServesTenant => _tenant is not null;

    /// <summary>Rows that are appended with the next save.</summary>
    internal int AppendedCount => Appended.Count;

    /// <summary>Whether the changes not yet saved hold events.</summary>
    internal bool Publishes => Appended.Exists(row => row is OutboxMessage);

    /// <summary>Rows that are appended with the next save. A context of the pool forgets those that its last user did not save.</summary>
    private List<IAppended> Appended
    {
        get
        {
            if (_lease != ContextId.Lease)
            {
                _lease = ContextId.Lease;
                _appended.Clear();
            }

            return _appended;
        }
    }

    /// <summary>
    /// Adds a row that is only ever appended: it is saved with the other changes, after them, in the order of adding. On the way of a
    /// command the change tracker costs more than all else that the service does, so such rows go past it.
    /// </summary>
    /// <param name="row">The row.</param>
    public void Append(IAppended row) => Appended.Add(row);

    /// <summary>Forgets everything that was not saved.</summary>
    public void Forget()
    {
        Appended.Clear();
        ChangeTracker.Clear();
    }

    /// <summary>Adds an event to the outbox; it is published once the changes are saved.</summary>
    /// <param name="message">The event.</param>
    public void Publish(DomainEvent message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Append(OutboxMessage.From(message));
    }

    /// <summary>Writes many events to the outbox at once, in the transaction that was begun, in their order.</summary>
    /// <param name="messages">The events.</param>
    /// <param name="cancellationToken">Cancellation.</param>
    public Task PublishAsync(IEnumerable<DomainEvent> messages, CancellationToken cancellationToken) =>
        this.BulkInsertAsync([.. messages.Select(OutboxMessage.From)], cancellationToken);

    /// <summary>Adds a line to the access journal.</summary>
    /// <param name="entry">The line.</param>
    internal void Journal(JournalEntry entry) => Append(entry);

    /// <summary>
    /// Adds a line to the access journal for what the service does by itself and saves next: of the mesures and threads that the events
    /// to be saved are about. None when there are none.
    /// </summary>
    /// <param name="work">What it does, in a word or two, such as "deadlines".</param>
    /// <param name="onBehalfOf">For whom; null when nobody asked for it.</param>
    public void JournalOwnWork(string work, string? onBehalfOf = null) => JournalOwnWork(work, onBehalfOf, null);

    /// <summary>As the other, of one thing more.</summary>
    /// <param name="work">What the service does.</param>
    /// <param name="onBehalfOf">For whom.</param>
    /// <param name="resource">The thing; null for none.</param>
    /// <param name="after">Rows to be appended that are other work's: what was appended after them counts.</param>
    internal void JournalOwnWork(string work, string? onBehalfOf, string? resource, int after = 0)
    {
        var names = new NameList();
        foreach (var name in Appended.Skip(after).OfType<OutboxMessage>().Select(m => JournalEntry.ResourceOf(m.MessageType, m.OrderingKey)).Prepend(resource).OfType<string>())
        {
            names.Add(name);
        }

        if (names.Names.Count > 0)
        {
            Journal(JournalEntry.Own(work, names.Names, onBehalfOf));
        }
    }

    /// <summary>
    /// Saves everything in one transaction: its own, or the one that was begun, which the caller commits.
    /// </summary>
    /// <param name="acceptAllChangesOnSuccess">As in EF.</param>
    /// <param name="cancellationToken">Cancellation; not heeded any more once a commit has begun.</param>
    /// <returns>Rows written.</returns>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        var detects = ChangeTracker.AutoDetectChangesEnabled;
        ChangeTracker.AutoDetectChangesEnabled = false;
        try
        {
            IAppended[] appended = [.. Appended];
            Appended.Clear();
            ChangeTracker.DetectChanges();
            if (appended.Length == 0)
            {
                return await SaveTrackedAsync(acceptAllChangesOnSuccess, cancellationToken);
            }

            // The commit rides with the last batch. Once begun, it is not given up because the client left.
            await using var own = ChangeTracker.HasChanges() && Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
            var written = ChangeTracker.HasChanges() ? await SaveTrackedAsync(acceptAllChangesOnSuccess, cancellationToken) : 0;
            cancellationToken.ThrowIfCancellationRequested();
            var commits = _commits || own is not null;
            await AppendAsync(appended, commits ? CancellationToken.None : cancellationToken, commits);
            _commits = false;
            if (commits)
            {
                _listener?.Committed(this);
            }

            return written + appended.Length;
        }
        finally
        {
            ChangeTracker.AutoDetectChangesEnabled = detects;
        }
    }

    /// <summary>Saves, and commits the transaction that was begun, if one was: the commit rides with the last rows.</summary>
    /// <param name="ct">Cancellation; not heeded any more once the commit has begun.</param>
    internal async Task SaveAndCommitAsync(CancellationToken ct)
    {
        var transaction = Database.CurrentTransaction;
        _commits = transaction is not null;
        try
        {
            await SaveChangesAsync(ct);
            if (_commits)
            {
                // Once begun, a commit is not given up because the client left.
                await transaction!.CommitAsync(CancellationToken.None);
            }
        }
        finally
        {
            _commits = false;
        }

        if (transaction is not null)
        {
            await transaction.DisposeAsync();
        }
    }

    /// <summary>
    /// Sets the tenant in the transaction that was begun, unless it is set or there is none: for statements that go past EF and may
    /// be the first of it.
    /// </summary>
    /// <param name="ct">Cancellation.</param>
    public async Task SetTenantAsync(CancellationToken ct)
    {
        if (TakeTenant() is { } tenant)
        {
            await using var batch = new NpgsqlBatch((NpgsqlConnection)Database.GetDbConnection(), (NpgsqlTransaction)Database.CurrentTransaction!.GetDbTransaction());
            batch.BatchCommands.Add(tenant.ToStatement());
            await batch.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>Whose database this is, as long as the context is leased.</summary>
    /// <param name="tenant">Whose rows alone are seen; null for everybody's.</param>
    /// <param name="store">The database.</param>
    /// <param name="listener">Who learns of its commits.</param>
    internal void Serve(Tenant? tenant, TenantStore store, CommitListener listener)
    {
        (_tenant, _listener) = (tenant, listener);
        var connection = this.GetService<IRelationalConnection>();
        // A context that comes back to the pool is reset asynchronously, and EF then keeps the count of openings of its last user.
        connection.ResetState();
        connection.SetDbConnection(store.CreateConnection(tenant), contextOwnsConnection: true);
    }

    /// <summary>The tenant that the next command must set; null when there is none, or when the transaction has it already.</summary>
    internal Tenant? TakeTenant()
    {
        if (_tenant is null || Database.CurrentTransaction is not { } transaction)
        {
            return _tenant;
        }

        if (_tenantOf == transaction.TransactionId)
        {
            return null;
        }

        _tenantOf = transaction.TransactionId;
        return _tenant;
    }

    /// <summary>Maps the service's own entities.</summary>
    /// <param name="modelBuilder">The builder.</param>
    protected abstract void Map(ModelBuilder modelBuilder);

    /// <inheritdoc/>
    protected sealed override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.Entity<OutboxMessage>(e =>
        {
            e.ToTable("outbox_messages");
            e.Property(m => m.Id).UseIdentityAlwaysColumn();
            e.Property(m => m.Payload).HasColumnType("jsonb");
            e.Property(m => m.Headers).HasColumnType("jsonb");
        });
        modelBuilder.Entity<InboxMessage>(e =>
        {
            e.ToTable("inbox_messages");
            e.HasKey(m => new { m.MessageId, m.Consumer });
        });
        modelBuilder.Entity<ProcessedRequest>(e =>
        {
            e.ToTable("processed_requests");
            e.HasKey(r => new { r.Caller, r.RequestId });
        });
        Map(modelBuilder);
        NameInSnakeCase(modelBuilder);
        SealedColumns.Seal(modelBuilder.Model);
    }

    /// <summary>Saves what is tracked; for a tenant in a transaction, in which it is set before.</summary>
    private async Task<int> SaveTrackedAsync(bool acceptAllChangesOnSuccess, CancellationToken ct)
    {
        if (_tenant is null || !ChangeTracker.HasChanges())
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, ct);
        }

        await using var own = Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(ct) : null;
        await SetTenantAsync(ct);
        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, ct);
        if (own is not null)
        {
            // Once begun, a commit is not given up because the client left.
            await own.CommitAsync(CancellationToken.None);
        }

        return written;
    }

    /// <summary>Writes rows by one batch: one round trip, and one transaction of its own when none is open.</summary>
    private async Task AppendAsync(IAppended[] rows, CancellationToken ct, bool commit = false)
    {
        await Database.OpenConnectionAsync(ct);
        try
        {
            await using var batch = new NpgsqlBatch((NpgsqlConnection)Database.GetDbConnection(), (NpgsqlTransaction?)Database.CurrentTransaction?.GetDbTransaction());
            if (TakeTenant() is { } tenant)
            {
                batch.BatchCommands.Add(tenant.ToStatement());
            }

            JournalEntry[] work = [.. rows.OfType<JournalEntry>().Where(line => line.IsPlainWork)];
            foreach (var row in work.Length < 2 ? rows : rows.Where(row => row is not JournalEntry { IsPlainWork: true }))
            {
                batch.BatchCommands.Add(row.ToInsert());
            }

            if (work.Length > 1)
            {
                batch.BatchCommands.Add(JournalEntry.ToInsert(work));
            }

            if (commit)
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
            }

            await batch.ExecuteNonQueryAsync(ct);
        }
        finally
        {
            await Database.CloseConnectionAsync();
        }
    }

    private static void NameInSnakeCase(ModelBuilder modelBuilder)
    {
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            NameInSnakeCase(entity, "");
        }
    }

    private static void NameInSnakeCase(IMutableTypeBase type, string prefix)
    {
        foreach (var property in type.GetProperties().Where(p => p.FindAnnotation(RelationalAnnotationNames.ColumnName) is null))
        {
            property.SetColumnName(prefix + JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }

        foreach (var part in type.GetComplexProperties())
        {
            NameInSnakeCase(part.ComplexType, prefix + JsonNamingPolicy.SnakeCaseLower.ConvertName(part.Name) + "_");
        }
    }
}
