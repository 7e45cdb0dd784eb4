using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>Whom mails are due to. One worker has a person at a time, so that nobody gets two mails where one would do.</summary>
[Holds(DataCategory.Technical, Processing.Notices, Kept.UntilDone)]
internal sealed class MailPerson
{
    public required Guid OrganisationId { get; init; }

    [InClear(DataCategory.Professional)]
    public required string ContactId { get; init; }

    /// <summary>When something is due; while a worker has the person, when another may take over; null when nothing waits.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Whether something urgent waits.</summary>
    public required bool Urgent { get; init; }

    /// <summary>The worker's, while it has the person.</summary>
    public Guid? Lease { get; init; }
}

internal sealed class MailPersonConfiguration : IEntityTypeConfiguration<MailPerson>
{
    public void Configure(EntityTypeBuilder<MailPerson> builder)
    {
        builder.ToTable("mail_people");
        builder.HasKey(p => new { p.OrganisationId, p.ContactId });
    }
}
