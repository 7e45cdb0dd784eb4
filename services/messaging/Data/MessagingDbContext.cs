using Jafer.ServiceDefaults.Data;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Data;

/// <summary>The messaging service's database.</summary>
internal sealed class MessagingDbContext(DbContextOptions<MessagingDbContext> options) : JaferDbContext(options)
{
    public DbSet<MesureThread> Threads => Set<MesureThread>();

    public DbSet<ThreadMessage> Messages => Set<ThreadMessage>();

    public DbSet<ThreadReceipt> Receipts => Set<ThreadReceipt>();

    /// <summary>
    /// The thread with its row locked until the transaction ends: whoever adds a message waits here, which is what makes
    /// positions follow each other without gap and in the order of commits. Null when there is none.
    /// </summary>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<MesureThread?> LockThreadAsync(Guid mesureId, CancellationToken ct)
    {
        var found = await Threads.FromSql($"select * from threads where mesure_id = {mesureId} for update").ToListAsync(ct);
        return found.Count == 0 ? null : found[0];
    }

    protected override void Map(ModelBuilder modelBuilder) => modelBuilder.ApplyConfigurationsFromAssembly(typeof(MessagingDbContext).Assembly);
}
