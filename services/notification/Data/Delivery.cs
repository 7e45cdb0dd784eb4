using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>
/// What an organisation is due to be told by mail because of an event; written with the feed, addressed and sent by jobs. At most
/// one for each event and organisation. It holds no address and no text: both are made when it is sent.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.Feed)]
internal sealed class Delivery
{
    public required Guid DeliveryId { get; init; }

    public required Guid OrganisationId { get; init; }

    public required Guid EventId { get; init; }

    public required string EventType { get; init; }

    /// <summary>What the mail names: the mesure, or the espace or enquiry where the event is about one.</summary>
    public required Guid MesureId { get; init; }

    public required bool Urgent { get; init; }

    /// <summary>Code of the deadline that passed, or of what an espace is reminded of; null where the event is neither.</summary>
    public string? Deadline { get; init; }

    /// <summary>When it was due, the start of the day where a day was; null where the event is of nothing that is due, or was queued by an older version.</summary>
    public DateTimeOffset? DeadlineDueAt { get; init; }

    /// <summary>
    /// The groups of an espace that it reminds of and nobody has seen to since, each with its modalité where there are several; null where
    /// it reminds of none.
    /// </summary>
    public string[]? Items { get; init; }

    /// <summary>Whether it goes to whoever is left: those for whom it is have no address that works.</summary>
    public bool Escalated { get; init; }

    /// <summary>Code of the rung that it is for (<c>ReminderRung</c>); null where it is no reminder, or was queued by an older version.</summary>
    public string? Rung { get; init; }

    /// <summary>Which reminder of that rung, from 1; 0 where it is none.</summary>
    public int Reminder { get; init; }

    /// <summary>Code of a <see cref="DeliveryStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Failed attempts to address it.</summary>
    public required int Attempts { get; init; }

    public required DateTimeOffset NextAttemptAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the mail server took it for the first of its recipients; null until then.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>Since when the directory answers that the organisation has no address; null when it does not.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Code of the last failure, or of why nobody is told, without addresses.</summary>
    public string? LastError { get; init; }
}

internal sealed class DeliveryConfiguration : IEntityTypeConfiguration<Delivery>
{
    public void Configure(EntityTypeBuilder<Delivery> builder)
    {
        builder.ToTable("deliveries");
        builder.HasKey(d => d.DeliveryId);
        builder.Property(d => d.DeliveryId).ValueGeneratedNever();
    }
}
