using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>A file that was given out of a thread.</summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class ThreadExportNote
{
    public required Guid ThreadId { get; init; }

    /// <summary>Of the file's bytes.</summary>
    [InClear(DataCategory.Pseudonym)]
    public required byte[] Sha256 { get; init; }

    public required DateTimeOffset ExportedAt { get; init; }

    /// <summary>To whom it was given.</summary>
    public required Guid OrganisationId { get; init; }
}

internal sealed class ThreadExportNoteConfiguration : IEntityTypeConfiguration<ThreadExportNote>
{
    public void Configure(EntityTypeBuilder<ThreadExportNote> builder)
    {
        builder.ToTable("thread_exports");
        builder.HasKey(e => new { e.ThreadId, e.Sha256 });
    }
}
