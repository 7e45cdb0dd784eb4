using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>What a message expects of the other side, and what became of it. Changed only while the thread's row is locked, reminders apart.</summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class MessageExpectation
{
    public required Guid MessageId { get; init; }

    public required ExpectationKind Kind { get; init; }

    public required Guid ThreadId { get; init; }

    /// <summary>Place of the message in its thread.</summary>
    public required long Position { get; init; }

    /// <summary>The side that asks.</summary>
    public required AuthorKind AskedBy { get; init; }

    /// <summary>The side that must act; the same in a thread of one side.</summary>
    public required AuthorKind MustAct { get; init; }

    /// <summary>The contact of that side of whom the author asks it, by external_id; null for anybody there.</summary>
    [InClear(DataCategory.Professional)]
    public string? MustActContactId { get; init; }

    public required DateTimeOffset DueAt { get; init; }

    public ExpectationState State { get; set; } = ExpectationState.Open;

    /// <summary>How often it was told that it is overdue, over all rungs.</summary>
    public int Reminders { get; set; }

    /// <summary>Whom the last reminder went to; null before the first, as are the next two.</summary>
    public ReminderRung? Rung { get; set; }

    /// <summary>Which one of its rung the last reminder was.</summary>
    public int? RungNumber { get; set; }

    public DateTimeOffset? RemindedAt { get; set; }

    /// <summary>When it is told next; null when it is told no more.</summary>
    public DateTimeOffset? RemindAt { get; set; }

    /// <summary>When it was met or withdrawn; null while it is open, as are the next three.</summary>
    public DateTimeOffset? ClosedAt { get; set; }

    /// <summary>The answer that met it; null when none did.</summary>
    public Guid? AnswerMessageId { get; set; }

    public Guid? ClosedByOrganisationId { get; set; }

    /// <summary>Who met or withdrew it; null for software that names nobody.</summary>
    [InClear(DataCategory.Professional)]
    public string? ClosedByPersonId { get; set; }

    /// <summary>Ends the waiting; nothing happens to one that has ended.</summary>
    /// <param name="state">Met or withdrawn.</param>
    /// <param name="at">When.</param>
    /// <param name="organisationId">By whose act.</param>
    /// <param name="personId">By whom; null for software that names nobody.</param>
    /// <param name="answerId">The answer; null when there is none.</param>
    public void Close(ExpectationState state, DateTimeOffset at, Guid organisationId, string? personId, Guid? answerId = null)
    {
        if (State == ExpectationState.Open)
        {
            (State, ClosedAt, ClosedByOrganisationId, ClosedByPersonId, AnswerMessageId, RemindAt) = (state, at, organisationId, personId, answerId, null);
        }
    }
}

internal sealed class MessageExpectationConfiguration : IEntityTypeConfiguration<MessageExpectation>
{
    public void Configure(EntityTypeBuilder<MessageExpectation> builder)
    {
        builder.ToTable("expectations");
        builder.HasKey(e => new { e.MessageId, e.Kind });
        builder.HasOne<MessageThread>().WithMany().HasForeignKey(e => e.ThreadId);
        builder.HasOne<ThreadMessage>().WithMany().HasForeignKey(e => e.MessageId).HasPrincipalKey(m => m.MessageId);
    }
}
