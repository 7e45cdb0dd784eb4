using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Jafer.Messaging.Data;

/// <summary>The messaging service's database.</summary>
internal sealed class MessagingDbContext(DbContextOptions<MessagingDbContext> options) : JaferDbContext(options)
{
    public DbSet<MessageThread> Threads => Set<MessageThread>();

    public DbSet<ThreadMessage> Messages => Set<ThreadMessage>();

    public DbSet<ThreadReceipt> Receipts => Set<ThreadReceipt>();

    public DbSet<MessageExpectation> Expectations => Set<MessageExpectation>();

    public DbSet<ThreadParticipant> Participants => Set<ThreadParticipant>();

    public DbSet<EspaceView> Espaces => Set<EspaceView>();

    public DbSet<CourtView> Courts => Set<CourtView>();

    public DbSet<ThreadExportNote> Exports => Set<ThreadExportNote>();

    public DbSet<ThreadAttachment> Attachments => Set<ThreadAttachment>();

    public DbSet<AttachmentChunk> AttachmentChunks => Set<AttachmentChunk>();

    /// <summary>
    /// The thread with its row locked until the transaction ends: whoever adds a message waits here, which is what makes
    /// positions follow each other without gap and in the order of commits. Null when there is none.
    /// </summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="threadId">The mesure or espace.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<MessageThread?> LockThreadAsync(ThreadKind kind, Guid threadId, CancellationToken ct)
    {
        var found = await Threads.FromSql($"select * from threads where thread_id = {threadId} for update").ToListAsync(ct);
        return found.Count == 0 || found[0].Kind != kind ? null : found[0];
    }

    /// <summary>Locks threads in the order of their ids and keeps them in the context.</summary>
    /// <param name="threadIds">The mesures or espaces.</param>
    /// <param name="ct">Cancellation.</param>
    public Task LockThreadsAsync(Guid[] threadIds, CancellationToken ct) =>
        Threads.FromSql($"select * from threads where thread_id = any({threadIds}) order by thread_id for update").LoadAsync(ct);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        foreach (var type in (Type[])[typeof(ThreadKind), typeof(AuthorKind), typeof(MessageKind), typeof(ExpectationKind), typeof(ExpectationState), typeof(ParticipantRole), typeof(ReminderRung)])
        {
            configurationBuilder.Properties(type).HaveConversion(typeof(CodeConverter<>).MakeGenericType(type));
        }
    }

    protected override void Map(ModelBuilder modelBuilder) => modelBuilder.ApplyConfigurationsFromAssembly(typeof(MessagingDbContext).Assembly);
}

/// <summary>Enums of the contract are kept by their codes.</summary>
internal sealed class CodeConverter<T>() : ValueConverter<T, string>(v => v.ToCode(), s => ProtoConversions.FromCode<T>(s))
    where T : struct, Enum;
