using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>One person who is to be told of a delivery by mail, named by the directory's external_id. The address is asked at sending.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.Feed)]
internal sealed class MailRecipient
{
    public required Guid DeliveryId { get; init; }

    [InClear(DataCategory.Professional)]
    public required string ContactId { get; init; }

    /// <summary>What the link of the mail carries.</summary>
    public required Guid NoticeId { get; init; }

    public required Guid OrganisationId { get; init; }

    /// <summary>What it is about, by which mails are grouped: the mesure, the espace, the enquiry or the organisation.</summary>
    public required Guid SubjectId { get; init; }

    public required string EventType { get; init; }

    public string? Deadline { get; init; }

    public required bool Urgent { get; init; }

    /// <summary>Code of the rung that it is for (<c>ReminderRung</c>); null where it is no reminder.</summary>
    public string? Rung { get; init; }

    /// <summary>Which reminder of that rung, from 1; 0 where it is none.</summary>
    public int Reminder { get; init; }

    /// <summary>Code of a <see cref="RecipientStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Failed attempts.</summary>
    public required int Attempts { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset NextAttemptAt { get; init; }

    /// <summary>The mail that it belongs to from its first attempt on: each attempt is the same mail.</summary>
    public Guid? MailId { get; init; }

    public DateTimeOffset? LastAttemptAt { get; init; }

    /// <summary>When the mail server took it; null until then.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>Since when the mail server answers about the person, and takes nothing (4xx, 5xx); null when it does not.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Since when the mail server refuses the address for good (5xx); null when it does not.</summary>
    public DateTimeOffset? RefusedSince { get; init; }

    /// <summary>SMTP status of the last failure; null when there was none or no answer.</summary>
    public int? LastStatus { get; init; }

    /// <summary>Code of the last failure, without addresses.</summary>
    public string? LastError { get; init; }
}

internal sealed class MailRecipientConfiguration : IEntityTypeConfiguration<MailRecipient>
{
    public void Configure(EntityTypeBuilder<MailRecipient> builder)
    {
        builder.ToTable("mail_recipients");
        builder.HasKey(r => new { r.DeliveryId, r.ContactId });
    }
}
