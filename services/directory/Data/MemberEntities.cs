using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Directory.Data;

/// <summary>A person of an organisation.</summary>
[Holds(DataCategory.Organisation, Processing.Accountability, Kept.WithOrganisation)]
internal sealed class MemberRow
{
    public required Guid Id { get; init; }

    public required Guid OrganisationId { get; init; }

    /// <summary>Role of the tokens that may accept the invitation; empty for any.</summary>
    public required string Role { get; set; }

    [InClear(DataCategory.Professional, "found by each call")]
    public string? Subject { get; set; }

    [Sealed(DataCategory.Professional)]
    public required string DisplayName { get; set; }

    public required MemberRank Rank { get; set; }

    public required MemberState State { get; set; }

    /// <summary>SHA-256 of the code; null once it was used or withdrawn.</summary>
    [InClear(DataCategory.Pseudonym)]
    public byte[]? InvitationHash { get; set; }

    public DateTimeOffset? InvitationExpiresAt { get; set; }

    public required DateTimeOffset InvitedAt { get; init; }

    public DateTimeOffset? AcceptedAt { get; set; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }
}

/// <summary>A rank lent by one member to another.</summary>
[Holds(DataCategory.Organisation, Processing.Accountability, Kept.WithOrganisation)]
internal sealed class DelegationRow
{
    public required Guid Id { get; init; }

    public required Guid OrganisationId { get; init; }

    public required Guid FromMemberId { get; init; }

    public required Guid ToMemberId { get; init; }

    public required DateOnly StartOn { get; init; }

    public required DateOnly EndOn { get; init; }

    public required DateTimeOffset StartsAt { get; init; }

    public required DateTimeOffset EndsAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required long Version { get; set; }
}

/// <summary>A program of an organisation that signs its own tokens.</summary>
[Holds(DataCategory.Organisation, Processing.Accountability, Kept.WithOrganisation)]
internal sealed class CredentialRow
{
    public required Guid Id { get; init; }

    public required Guid OrganisationId { get; init; }

    public required string Role { get; init; }

    public required string DisplayName { get; init; }

    public required MemberRank Rank { get; init; }

    public required bool MayActOnBehalf { get; init; }

    /// <summary>Last day, in Paris.</summary>
    public required DateOnly ExpiresOn { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }

    public DateOnly? LastUsedOn { get; init; }

    /// <summary>The last day of which the organisation was warned; null while it was not.</summary>
    public DateOnly? WarnedOf { get; init; }

    /// <summary>How many days ahead it was last warned: 30 or 7.</summary>
    public short? WarnedDays { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    public List<CredentialKeyRow> Keys { get; init; } = [];
}

/// <summary>A public key of a credential.</summary>
[Holds(DataCategory.Organisation, Processing.Accountability, Kept.WithOrganisation)]
internal sealed class CredentialKeyRow
{
    public required Guid Id { get; init; }

    public required Guid CredentialId { get; init; }

    public required string PublicKeyJwk { get; init; }

    /// <summary>From when on it is good no more; null for the latest.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Where an organisation is competent.</summary>
[Holds(DataCategory.Organisation, Processing.Accountability, Kept.WithOrganisation)]
internal sealed class TerritoryRow
{
    public required Guid OrganisationId { get; init; }

    public required string DisplayName { get; set; }

    /// <summary>Codes, sorted; none for the whole nation.</summary>
    public required string[] Departements { get; set; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }
}
