using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// The current state of an espace, as far as other services need it. <see cref="DomainEvent.AggregateId"/> is the espace.
/// Published on each change and again when a projection is rebuilt.
/// </summary>
[EntityName("directory.espace-published.v1"), MessageUrn("directory.espace-published.v1")]
public sealed record EspacePublished : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Code of the département.</summary>
    public required string Departement { get; init; }

    /// <summary>State of the espace, such as "OUVERT".</summary>
    public required string State { get; init; }

    /// <summary>Periods in which the espace may be designated.</summary>
    public required IReadOnlyList<AgrementPeriod> AgrementPeriods { get; init; }

    /// <summary>
    /// Lieux that not every one of these agréments covers, each with the periods in which one does; all others have those of the
    /// espace. Absent from older versions.
    /// </summary>
    public IReadOnlyList<LieuAgrement>? LieuAgrements { get; init; }

    /// <summary>All lieux of the espace; absent from older versions.</summary>
    public IReadOnlyList<Guid>? LieuIds { get; init; }

    /// <summary>Modalités that take new mesures, such as "VISITE".</summary>
    public required IReadOnlyList<string> OpenModalites { get; init; }

    /// <summary>IANA time zone of its first lieu.</summary>
    public required string TimeZone { get; init; }

    /// <summary>Families that it receives at the same time, of the modalités for which it says so; absent from older versions.</summary>
    public IReadOnlyList<ModaliteCapacity>? Capacities { get; init; }

    /// <summary>How long families wait there, of the modalités for which it says so; absent from older versions.</summary>
    public IReadOnlyList<ModaliteWait>? Waits { get; init; }
}

/// <summary>A lieu that not every agrément of its espace covers.</summary>
/// <param name="LieuId">The lieu.</param>
/// <param name="Periods">Periods in which an agrément covers it; none when no agrément ever did.</param>
public sealed record LieuAgrement(Guid LieuId, IReadOnlyList<AgrementPeriod> Periods);

/// <summary>Families that an espace receives at the same time.</summary>
/// <param name="Modalite">Modalité, such as "VISITE".</param>
/// <param name="Families">Families, from 1.</param>
public sealed record ModaliteCapacity(string Modalite, int Families);

/// <summary>How long families wait at an espace.</summary>
/// <param name="Modalite">Modalité, such as "VISITE".</param>
/// <param name="Days">Days from the transmission to the first rencontre.</param>
public sealed record ModaliteWait(string Modalite, int Days);

/// <summary>
/// A court or gestionnaire as the directory knows it. <see cref="DomainEvent.AggregateId"/> is the organisation. Published when
/// it is recorded and again when a projection is rebuilt.
/// </summary>
[EntityName("directory.organisation-published.v1"), MessageUrn("directory.organisation-published.v1")]
public sealed record OrganisationPublished : DomainEvent
{
    /// <summary>"JURIDICTION" or "GESTIONNAIRE".</summary>
    public required string Kind { get; init; }

    /// <summary>Code of the court, such as "tj69123"; absent for a gestionnaire.</summary>
    public string? Code { get; init; }
}

/// <summary>A period in which an agrément is valid.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day, included; absent when it has no end.</param>
public sealed record AgrementPeriod(DateOnly From, DateOnly? To);

/// <summary>An espace declared its wait for a modalité. <see cref="DomainEvent.AggregateId"/> is the espace.</summary>
[EntityName("directory.wait-declared.v1"), MessageUrn("directory.wait-declared.v1")]
public sealed record WaitDeclared : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Modalité, such as "VISITE".</summary>
    public required string Modalite { get; init; }

    /// <summary>Days from transmission to first rencontre.</summary>
    public required int Days { get; init; }

    /// <summary>Day for which the figure holds.</summary>
    public required DateOnly AsOfDate { get; init; }
}

/// <summary>
/// A group of an espace's fields was not confirmed for longer than its rule allows. <see cref="DomainEvent.AggregateId"/> is
/// the espace. Published once for each time that the group goes stale; a confirmation lets it begin anew.
/// </summary>
[EntityName("directory.espace-group-stale.v1"), MessageUrn("directory.espace-group-stale.v1")]
public sealed record EspaceGroupStale : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The group, such as "MODALITE".</summary>
    public required string Group { get; init; }

    /// <summary>Which one of several: the code of the modalité, such as "VISITE"; absent for the other groups.</summary>
    public string? Key { get; init; }

    /// <summary>First day on which it counts as stale.</summary>
    public required DateOnly Since { get; init; }
}

/// <summary>
/// A group of an espace's fields that had gone stale was confirmed or said anew: nobody need be reminded of it any more. Not published
/// of a declared wait, of which <see cref="WaitDeclared"/> tells. <see cref="DomainEvent.AggregateId"/> is the espace.
/// </summary>
[EntityName("directory.espace-group-confirmed.v1"), MessageUrn("directory.espace-group-confirmed.v1")]
public sealed record EspaceGroupConfirmed : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The group, such as "MODALITE".</summary>
    public required string Group { get; init; }

    /// <summary>Which one of several: the code of the modalité, such as "VISITE"; absent for the other groups.</summary>
    public string? Key { get; init; }
}

/// <summary>
/// An espace has no valid agrément any more: the last one was withdrawn or ran out, and none follows it; or the one it has is
/// withdrawn from a later day on, which is told at once. <see cref="DomainEvent.AggregateId"/> is the espace. Published once for
/// each last day.
/// </summary>
[EntityName("directory.agrement-ended.v1"), MessageUrn("directory.agrement-ended.v1")]
public sealed record AgrementEnded : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Last day on which the espace could be designated.</summary>
    public required DateOnly LastDay { get; init; }

    /// <summary>Whether the préfet withdrew it; otherwise it ran out.</summary>
    public required bool Withdrawn { get; init; }
}

/// <summary>
/// A lieu of an espace is covered by no valid agrément any more, or is not from a later day on, while the espace keeps one for
/// others. <see cref="DomainEvent.AggregateId"/> is the espace. Published once for each lieu and last day.
/// </summary>
[EntityName("directory.agrement-lieu-ended.v1"), MessageUrn("directory.agrement-lieu-ended.v1")]
public sealed record AgrementLieuEnded : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The lieu.</summary>
    public required Guid LieuId { get; init; }

    /// <summary>Last day on which the agrément covered it.</summary>
    public required DateOnly LastDay { get; init; }

    /// <summary>Whether the préfet withdrew it; otherwise it ran out.</summary>
    public required bool Withdrawn { get; init; }
}

/// <summary>
/// A court asked an espace whether it has room, and what the directory knows is too old to answer for it.
/// <see cref="DomainEvent.AggregateId"/> is the enquiry: the espace reads it and answers.
/// </summary>
[EntityName("directory.capacity-enquiry-opened.v1"), MessageUrn("directory.capacity-enquiry-opened.v1")]
public sealed record CapacityEnquiryOpened : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The espace that is asked.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>Modalité, such as "VISITE".</summary>
    public required string Modalite { get; init; }

    /// <summary>Until when an answer is waited for, UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>An espace answered whether it has room. <see cref="DomainEvent.AggregateId"/> is the enquiry.</summary>
[EntityName("directory.capacity-enquiry-answered.v1"), MessageUrn("directory.capacity-enquiry-answered.v1")]
public sealed record CapacityEnquiryAnswered : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The organisation that asked.</summary>
    public required Guid RequesterId { get; init; }

    /// <summary>The espace that was asked.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>Modalité, such as "VISITE".</summary>
    public required string Modalite { get; init; }

    /// <summary>The answer, such as "HAS_CAPACITY".</summary>
    public required string Answer { get; init; }
}

/// <summary>
/// A credential of an organisation's software ends soon: its organisation is warned 30 days ahead and 7, once each, unless it was revoked
/// or has a later last day by then. <see cref="DomainEvent.AggregateId"/> is the credential.
/// </summary>
[EntityName("directory.credential-ending.v1"), MessageUrn("directory.credential-ending.v1")]
public sealed record CredentialEnding : DomainEvent
{
    /// <summary>The organisation.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>Role of the credential's tokens, such as "espace".</summary>
    public required string Role { get; init; }

    /// <summary>The last day on which its tokens are accepted, in Paris.</summary>
    public required DateOnly LastDay { get; init; }

    /// <summary>How many days ahead it is told at the latest: 30 or 7.</summary>
    public required int DaysAhead { get; init; }
}

/// <summary>
/// A gestionnaire, or who is above, is reminded of what an espace should see to: a wait that went stale, an agrément that ends.
/// <see cref="DomainEvent.AggregateId"/> is the espace. Each reminder is told once; none comes after it was seen to.
/// </summary>
[EntityName("directory.upkeep-reminder-due.v1"), MessageUrn("directory.upkeep-reminder-due.v1")]
public sealed record UpkeepReminderDue : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Of what: "WAIT_STALE", "AGREMENT_IN_THREE_MONTHS", "AGREMENT_IN_ONE_MONTH" or "AGREMENT_ENDED".</summary>
    public required string Kind { get; init; }

    /// <summary>The modalité of the wait, such as "VISITE"; absent for an agrément.</summary>
    public string? Key { get; init; }

    /// <summary>First day on which the wait counts as stale, or last day of the agrément.</summary>
    public required DateOnly DueDate { get; init; }

    /// <summary>Who is reminded: "MUST_ACT" (the gestionnaire), "MANAGER" or "OPERATOR".</summary>
    public required string Rung { get; init; }

    /// <summary>Which reminder of this rung, from 1 to 3.</summary>
    public required int Reminder { get; init; }
}
