using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Members;

/// <summary>The public keys of organisations' software: registered, rotated, revoked, listed.</summary>
internal sealed class Credentials(DirectoryDbContext db, Commands<DirectoryDbContext> commands, PageTokens tokens, TimeProvider clock)
{
    private const int MaxName = 100;
    private const int MaxJwk = 2000;
    private const int MaxCredentials = 50;
    private const int MaxKeys = 5;
    private const int MaxMonths = 24;
    private const int DefaultMonths = 12;
    private const int SoonDays = 30;

    private static readonly TimeSpan s_overlap = TimeSpan.FromDays(7);
    private static readonly TimeSpan s_longestOverlap = TimeSpan.FromDays(30);

    private sealed record Cursor(Guid Id);

    /// <summary>Registers a program.</summary>
    public Task<CreateCredentialResponse> CreateAsync(CreateCredentialRequest request, ServerCallContext call)
    {
        var caller = call.Caller();
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.Text("display_name", request.DisplayName, MaxName, required: true);
        check.Known("rank", request.Rank);
        check.That(request.Rank != MemberRank.Manager, "rank", "must be READER or AGENT: rights are given by persons");
        var key = Key(check, request.PublicKeyJwk);
        var expiresOn = ExpireDate(check, request.ExpireDate) ?? clock.TodayInParis().SameDayAfter(DefaultMonths);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, requestId, async ct =>
        {
            caller.Require(organisation);
            if (caller.Rank is null)
                throw DomainError.StateForbids("NO_MANAGER", "CREATE_CREDENTIAL", "the organisation has no manager who answers for it");
            await db.BeginMemberWriteAsync(organisation, ct);
            if (await db.Credentials.CountAsync(c => c.OrganisationId == organisation && c.RevokedAt == null, ct) >= MaxCredentials)
                throw DomainError.LimitExceeded("an organisation has at most 50 credentials", TimeSpan.FromHours(1));
            var now = clock.GetStoredNow();
            var credential = new CredentialRow
            {
                Id = Guid.CreateVersion7(now),
                OrganisationId = organisation,
                Role = caller.Role,
                DisplayName = request.DisplayName.Trim(),
                Rank = request.Rank,
                MayActOnBehalf = request.MayActOnBehalf,
                ExpiresOn = expiresOn,
                CreatedAt = now,
                UpdatedAt = now,
                Version = 1,
            };
            credential.Keys.Add(NewKey(credential, key, now));
            db.Credentials.Add(credential);
            return new CreateCredentialResponse { Credential = ToProto(credential, now) };
        }, r => Name(r.Credential));
    }

    /// <summary>Gives a credential a further key.</summary>
    public Task<RotateCredentialResponse> RotateAsync(RotateCredentialRequest request, ServerCallContext call)
    {
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var key = Key(check, request.PublicKeyJwk);
        var previousEnd = check.OptionalTime("previous_expire_time", request.PreviousExpireTime) ?? now + s_overlap;
        check.That(previousEnd <= now + s_longestOverlap, "previous_expire_time", "must lie at most 30 days ahead");
        var expiresOn = ExpireDate(check, request.ExpireDate);
        return ChangeAsync(call, request, check, request.CredentialId, request.Etag, request.RequestId, now, credential =>
        {
            db.RemoveRange(credential.Keys.Where(k => k.ExpiresAt <= now));
            credential.Keys.RemoveAll(k => k.ExpiresAt <= now);
            if (credential.Keys.Count >= MaxKeys)
                throw DomainError.LimitExceeded("a credential has at most 5 keys at once", TimeSpan.FromHours(1));
            foreach (var held in credential.Keys.Where(k => k.ExpiresAt is null || k.ExpiresAt > previousEnd))
                held.ExpiresAt = previousEnd;
            var added = NewKey(credential, key, now);
            credential.Keys.Add(added);
            db.Add(added);
            credential.ExpiresOn = expiresOn ?? credential.ExpiresOn;
        }, credential => new RotateCredentialResponse { Credential = credential }, r => r.Credential);
    }

    /// <summary>Ends a credential.</summary>
    public Task<RevokeCredentialResponse> RevokeAsync(RevokeCredentialRequest request, ServerCallContext call)
    {
        var now = clock.GetStoredNow();
        return ChangeAsync(call, request, new FieldChecks(), request.CredentialId, request.Etag, request.RequestId, now,
            credential => credential.RevokedAt = now, credential => new RevokeCredentialResponse { Credential = credential }, r => r.Credential);
    }

    /// <summary>Lists credentials, the latest first.</summary>
    public async Task<ListCredentialsResponse> ListAsync(ListCredentialsRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        caller.Require(organisation);

        var credentials = db.Credentials.AsNoTracking().Include(c => c.Keys).Where(c => c.OrganisationId == organisation && (request.WithRevoked || c.RevokedAt == null));
        if (cursor is not null)
            credentials = credentials.Where(c => c.Id < cursor.Id);
        var page = await credentials.OrderByDescending(c => c.Id).Take(size + 1).ToListAsync(ct);
        var now = clock.GetUtcNow();
        var response = new ListCredentialsResponse();
        response.Credentials.Add(page.Take(size).Select(c => ToProto(c, now)));
        if (page.Count > size)
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        return response;
    }

    private Task<TResponse> ChangeAsync<TRequest, TResponse>(
        ServerCallContext call, TRequest request, FieldChecks check, string credentialId, string etag, string requestId, DateTimeOffset now,
        Action<CredentialRow> change, Func<Credential, TResponse> answer, Func<TResponse, Credential> credentialOf)
        where TRequest : Google.Protobuf.IMessage<TRequest>
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        var caller = call.Caller();
        var id = check.Uuid("credential_id", credentialId);
        var read = check.Etag(etag);
        var key = check.RequestId(requestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, key, async ct =>
        {
            await db.BeginMemberWriteAsync(caller.OrganisationId, ct);
            var credential = await db.Credentials.Include(c => c.Keys).SingleOrDefaultAsync(c => c.Id == id && c.OrganisationId == caller.OrganisationId, ct)
                ?? throw DomainError.Forbidden();
            if (read is { } version && version != credential.Version)
                throw DomainError.EtagMismatch(credential.Version.ToEtag());
            if (credential.RevokedAt is not null)
                throw DomainError.StateForbids("REVOKED", "CHANGE_CREDENTIAL");
            change(credential);
            (credential.UpdatedAt, credential.Version) = (now, credential.Version + 1);
            return answer(ToProto(credential, now));
        }, r => Name(credentialOf(r)));
    }

    private static string Key(FieldChecks check, string jwk)
    {
        var key = "";
        check.Text("public_key_jwk", jwk, MaxJwk, required: true);
        if (!string.IsNullOrWhiteSpace(jwk) && jwk.Length <= MaxJwk && SoftwareKeys.Read(jwk, out key) is { } wrong)
            check.Add("public_key_jwk", wrong);
        return key;
    }

    private DateOnly? ExpireDate(FieldChecks check, Contracts.Type.V1.Date? value)
    {
        var date = check.OptionalDate("expire_date", value);
        var today = clock.TodayInParis();
        check.That(date is null || (date >= today && date <= today.SameDayAfter(MaxMonths)), "expire_date", "must not be past, and lie at most 2 years ahead");
        return date;
    }

    private static CredentialKeyRow NewKey(CredentialRow credential, string key, DateTimeOffset now) =>
        new() { Id = Guid.CreateVersion7(now), CredentialId = credential.Id, PublicKeyJwk = key, CreatedAt = now };

    private static string Name(Credential credential) => $"credentials/{credential.CredentialId}";

    private static Credential ToProto(CredentialRow row, DateTimeOffset now)
    {
        var today = now.DayInParis();
        var credential = new Credential
        {
            CredentialId = row.Id.ToString(),
            OrganisationId = row.OrganisationId.ToString(),
            Role = row.Role,
            DisplayName = row.DisplayName,
            Rank = row.Rank,
            MayActOnBehalf = row.MayActOnBehalf,
            State = row.RevokedAt is not null ? CredentialState.Revoked
                : row.ExpiresOn < today ? CredentialState.Expired
                : row.ExpiresOn <= today.AddDays(SoonDays) ? CredentialState.ExpiresSoon : CredentialState.Active,
            ExpireDate = row.ExpiresOn.ToProto(),
            LastUseDate = row.LastUsedOn.ToProto(),
            CreateTime = row.CreatedAt.ToProto(),
            UpdateTime = row.UpdatedAt.ToProto(),
            Etag = row.Version.ToEtag(),
        };
        credential.Keys.Add(row.Keys.Where(k => k.ExpiresAt is null || k.ExpiresAt > now).OrderByDescending(k => k.Id)
            .Select(k => new CredentialKey { KeyId = k.Id.ToString(), PublicKeyJwk = k.PublicKeyJwk, ExpireTime = k.ExpiresAt.ToProto() }));
        return credential;
    }
}
