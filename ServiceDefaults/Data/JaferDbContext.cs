using System.Text.Json;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Base of every service's context: the tables that all of them have (outbox, inbox, request log, journal) and snake_case
/// names. One SaveChanges writes state, outbox, journal and request id in one transaction.
/// </summary>
/// <param name="options">Options of the derived context.</param>
public abstract class JaferDbContext(DbContextOptions options) : DbContext(options)
{
    internal DbSet<OutboxMessage> OutboxMessages => Set<OutboxMessage>();

    internal DbSet<ProcessedRequest> ProcessedRequests => Set<ProcessedRequest>();

    internal DbSet<JournalEntry> JournalEntries => Set<JournalEntry>();

    /// <summary>Adds an event to the outbox; it is published once the changes are saved.</summary>
    /// <param name="message">The event.</param>
    public void Publish(DomainEvent message)
    {
        ArgumentNullException.ThrowIfNull(message);
        OutboxMessages.Add(OutboxMessage.From(message));
    }

    /// <summary>Adds a line to the access journal.</summary>
    /// <param name="entry">The line.</param>
    public void Journal(JournalEntry entry) => JournalEntries.Add(entry);

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
        modelBuilder.Entity<ProcessedRequest>(e =>
        {
            e.ToTable("processed_requests");
            e.HasKey(r => new { r.Caller, r.RequestId });
        });
        modelBuilder.Entity<JournalEntry>(e =>
        {
            e.ToTable("journal_entries");
            e.Property(j => j.Id).UseIdentityAlwaysColumn();
        });
        Map(modelBuilder);
        NameInSnakeCase(modelBuilder);
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
