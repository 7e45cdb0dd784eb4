using System.Collections.Concurrent;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Limits;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Access;

/// <summary>A credential whose tokens are accepted.</summary>
/// <param name="OrganisationId">Its organisation.</param>
/// <param name="Role">Its role.</param>
/// <param name="Rank">What it may do.</param>
/// <param name="MayActOnBehalf">Whether it may act on behalf of an active member.</param>
/// <param name="Keys">Its keys by their ids, with the instant from which on each is good no more.</param>
internal sealed record SoftwareCredential(
    Guid OrganisationId, string Role, MemberRank Rank, bool MayActOnBehalf, IReadOnlyDictionary<string, (SecurityKey Key, DateTimeOffset ExpiresAt)> Keys)
{
    /// <summary>A key that is good now; null for none.</summary>
    /// <param name="keyId">Its id.</param>
    /// <param name="now">Now.</param>
    public SecurityKey? KeyOf(string keyId, DateTimeOffset now) => Keys.TryGetValue(keyId, out var key) && now < key.ExpiresAt ? key.Key : null;
}

/// <summary>
/// What the directory says of members and credentials, kept for less than a minute (<see cref="KeptAnswers{TKey, TAnswer}"/>). Configuration:
/// Identity:Members, "directory" by default; "none" where nobody keeps members: then issuers alone decide and credentials are not accepted.
/// </summary>
internal sealed class Memberships
{
    // Ids of credentials stand in tokens that nobody has verified yet: this many unknown ones are asked about.
    private const double UnknownPerSecond = 20;
    private const double UnknownBurst = 200;

    private readonly IOrganisations _organisations;
    private readonly KeptAnswers<(Guid Organisation, string Subject), GetMembershipResponse> _members;
    private readonly KeptAnswers<Guid, Keys> _credentials;
    private readonly ConcurrentDictionary<Guid, DateOnly> _used = new();

    public Memberships(IOrganisations organisations, IConfiguration configuration, TimeProvider clock, ILogger<Memberships> logger)
    {
        _organisations = organisations;
        AreKept = configuration["Identity:Members"] switch
        {
            null or "" or "directory" => true,
            "none" => false,
            _ => throw new InvalidOperationException("Identity:Members must be directory or none"),
        };
        if (!AreKept)
        {
            logger.LogWarning("Identity:Members is none: ranks of members are not looked at, and credentials of software not accepted");
        }

        var unknown = new Buckets<bool>(clock, UnknownPerSecond, UnknownBurst, 1);
        _members = new(clock, (key, ct) => organisations.MembershipAsync(key.Organisation, key.Subject, ct));
        _credentials = new(clock, ReadAsync, () => unknown.TryTake(true, 1, out _));
    }

    /// <summary>Whether ranks count in this installation.</summary>
    public bool AreKept { get; }

    /// <summary>What a person is to an organisation.</summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="subject">The person.</param>
    /// <param name="now">Whether to ask anew, whatever is kept: for what is rare and gives rights.</param>
    /// <param name="ct">Cancellation.</param>
    public ValueTask<GetMembershipResponse> OfAsync(Guid organisationId, string subject, bool now, CancellationToken ct) =>
        now ? _members.OfNowAsync((organisationId, subject), ct) : _members.OfAsync((organisationId, subject), ct);

    /// <summary>A credential; null for one that is not known, or good no more.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="ct">Cancellation.</param>
    public async ValueTask<SoftwareCredential?> CredentialAsync(Guid id, CancellationToken ct) => AreKept ? (await _credentials.OfAsync(id, ct)).Credential : null;

    /// <summary>Notes that a credential was used, once a day and beside the call.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="day">The day.</param>
    public void Used(Guid id, DateOnly day)
    {
        if (_used.TryGetValue(id, out var noted) && noted == day)
        {
            return;
        }

        _used[id] = day;
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(async () =>
            {
                try
                {
                    await _organisations.RecordUseAsync(id, day, CancellationToken.None);
                }
                catch (Exception e) when (e is Npgsql.NpgsqlException or RpcException or OperationCanceledException or TimeoutException)
                {
                    // For the managers to look at, not worth a second attempt before the next call.
                    _used.TryRemove(id, out _);
                }
            });
        }
    }

    private async Task<Keys?> ReadAsync(Guid id, CancellationToken ct)
    {
        if (await _organisations.CredentialKeysAsync(id, ct) is not { } said)
        {
            return null;
        }

        return !Guid.TryParseExact(said.OrganisationId, "D", out var organisation)
            ? new Keys(null)
            : new Keys(new SoftwareCredential(organisation, said.Role, said.Rank, said.MayActOnBehalf, said.SigningKeys.ToDictionary(
                k => k.KeyId,
                k => ((SecurityKey)new JsonWebKey(k.PublicKeyJwk) { KeyId = k.KeyId }, k.ExpireTime.ToDateTimeOffset()),
                StringComparer.Ordinal)));
    }

    private sealed record Keys(SoftwareCredential? Credential);
}

/// <summary>Lets a caller in by the rank of the member who calls, or for whom software calls.</summary>
internal sealed class MemberRanks(Memberships memberships, TimeProvider clock)
{
    /// <summary>Whether what the directory says decides of a caller: who is not looked at at the beginning is not while a stream goes on.</summary>
    /// <param name="caller">The caller, whom the cell admits.</param>
    /// <param name="token">Their token.</param>
    public bool Decide(Caller caller, TokenIdentity token) =>
        memberships.AreKept && !caller.Cell.OpenToInvited && token.Role != Roles.Systeme && (token.IsPerson || token.OnBehalfOf is not null || token.CredentialRank is not null);

    /// <summary>The caller of a stream that goes on, as they would be let in now.</summary>
    /// <param name="caller">The caller, whom the cell admits.</param>
    /// <param name="token">Their token, which was good at the beginning.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">As of <see cref="AdmitAsync"/>; UNAUTHENTICATED when the credential, or its key, is good no more.</exception>
    public async ValueTask<Caller> AdmitAgainAsync(Caller caller, TokenIdentity token, CancellationToken ct)
    {
        if (token.SignedBy is { } signed)
        {
            var credential = await memberships.CredentialAsync(signed.CredentialId, ct);
            if (credential?.KeyOf(signed.KeyId, clock.GetUtcNow()) is null || (token.OnBehalfOf is not null && !credential.MayActOnBehalf))
            {
                throw DomainError.TokenInvalid();
            }

            token = token with { CredentialRank = credential.Rank };
        }

        return await AdmitAsync(caller, token, ct);
    }

    /// <summary>The caller with their rank.</summary>
    /// <param name="caller">The caller, whom the cell admits.</param>
    /// <param name="token">Their token.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">PERMISSION_DENIED, or UNAVAILABLE when nothing is known and the directory does not answer.</exception>
    public ValueTask<Caller> AdmitAsync(Caller caller, TokenIdentity token, CancellationToken ct)
    {
        if (!Decide(caller, token))
        {
            return new(caller);
        }

        if (token.CredentialRank < caller.Cell.Rank)
        {
            throw DomainError.RankInsufficient(caller.Cell.Rank);
        }

        var person = token.IsPerson ? token.Subject : token.OnBehalfOf;
        return person is null ? new(caller with { Rank = token.CredentialRank }) : OfPersonAsync(caller, token, person, ct);
    }

    private async ValueTask<Caller> OfPersonAsync(Caller caller, TokenIdentity token, string person, CancellationToken ct)
    {
        var member = await memberships.OfAsync(token.OrganisationId, person, now: caller.Cell.Rank == MemberRank.Manager, ct);
        if (token.IsPerson ? !member.OrganisationHasMembers : token.CredentialRank is null && member.State is MemberState.Unspecified or MemberState.Invited)
        {
            // The word of the issuer suffices; software of outside issuers may name persons whom Jafer does not know.
            return caller;
        }

        switch (member.State)
        {
            case MemberState.Active: break;
            case MemberState.Suspended: throw DomainError.MemberSuspended();
            default: throw DomainError.MemberUnknown();
        }

        var now = clock.GetUtcNow();
        var needed = caller.Cell.Rank;
        var lent = member.DelegatedRanks.Where(d => d.Rank > member.Rank && d.StartTime.ToDateTimeOffset() <= now && now < d.EndTime.ToDateTimeOffset()).MaxBy(d => d.Rank);
        var rank = lent?.Rank ?? member.Rank;
        if (rank < needed)
        {
            throw DomainError.RankInsufficient(needed);
        }

        return caller with
        {
            Rank = token.CredentialRank < rank ? token.CredentialRank : rank,
            OnBehalfOf = token.IsPerson && member.Rank < needed ? lent!.Subject : caller.OnBehalfOf,
        };
    }
}
