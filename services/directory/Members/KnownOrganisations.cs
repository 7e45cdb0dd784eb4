using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Directory.Members;

/// <summary>What the directory itself knows of organisations, their members and their software.</summary>
internal sealed class KnownOrganisations(NpgsqlDataSource source, TimeProvider clock) : IOrganisations
{
    public async Task<Guid?> OfSiretAsync(string siret, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select id from gestionnaires where siret = $1 limit 2");
        command.Parameters.AddWithValue(siret);
        await using var reader = await command.ExecuteReaderAsync(ct);
        Guid? found = await reader.ReadAsync(ct) ? reader.GetGuid(0) : null;

        // What was recorded long ago may give one SIRET to two: then it names nobody.
        return found is not null && await reader.ReadAsync(ct) ? null : found;
    }

    public async Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct)
    {
        // Who was removed and came back is another member. A suspended member lends nothing.
        await using var command = source.CreateCommand("""
            select exists (select from members where organisation_id = $1 and state = 'ACTIVE'), m.state, m.rank, f.rank, f.subject, d.starts_at, d.ends_at
            from (select) one
            left join lateral (
                select id, state, rank from members where organisation_id = $1 and subject = $2 order by state = 'REMOVED', invited_at desc limit 1) m on true
            left join delegations d on d.to_member_id = m.id and d.ends_at > $3
            left join members f on f.id = d.from_member_id and f.state in ('ACTIVE', 'REMOVED')
            """);
        command.Parameters.AddWithValue(organisationId);
        command.Parameters.AddWithValue(subject);
        command.Parameters.AddWithValue(clock.GetUtcNow());
        await using var reader = await command.ExecuteReaderAsync(ct);
        var response = new GetMembershipResponse();
        while (await reader.ReadAsync(ct))
        {
            response.OrganisationHasMembers = reader.GetBoolean(0);
            if (await reader.IsDBNullAsync(1, ct))
                continue;
            response.State = ProtoConversions.FromCode<MemberState>(reader.GetString(1));
            response.Rank = ProtoConversions.FromCode<MemberRank>(reader.GetString(2));
            if (!await reader.IsDBNullAsync(3, ct))
            {
                response.DelegatedRanks.Add(new DelegatedRank
                {
                    Rank = ProtoConversions.FromCode<MemberRank>(reader.GetString(3)),
                    Subject = reader.GetString(4),
                    StartTime = reader.GetFieldValue<DateTimeOffset>(5).ToProto(),
                    EndTime = reader.GetFieldValue<DateTimeOffset>(6).ToProto(),
                });
            }
        }
        return response;
    }

    public async Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var command = source.CreateCommand("""
            select c.organisation_id, c.role, c.rank, c.may_act_on_behalf, c.expires_on, k.id, k.public_key_jwk, k.expires_at
            from credentials c join credential_keys k on k.credential_id = c.id
            where c.id = $1 and c.revoked_at is null and c.expires_on >= $2 and (k.expires_at is null or k.expires_at > $3)
            """);
        command.Parameters.AddWithValue(credentialId);
        command.Parameters.AddWithValue(now.DayInParis());
        command.Parameters.AddWithValue(now);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var response = new GetCredentialKeysResponse();
        while (await reader.ReadAsync(ct))
        {
            response.OrganisationId = reader.GetGuid(0).ToString();
            response.Role = reader.GetString(1);
            response.Rank = ProtoConversions.FromCode<MemberRank>(reader.GetString(2));
            response.MayActOnBehalf = reader.GetBoolean(3);
            var end = reader.GetFieldValue<DateOnly>(4).AddDays(1).StartInParis();
            var keyEnd = await reader.IsDBNullAsync(7, ct) ? end : reader.GetFieldValue<DateTimeOffset>(7);
            response.SigningKeys.Add(new SigningKey
            {
                KeyId = reader.GetGuid(5).ToString(),
                PublicKeyJwk = reader.GetString(6),
                ExpireTime = (keyEnd < end ? keyEnd : end).ToProto(),
            });
        }
        return response;
    }

    public async Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select t.departements,
                array(select organisation_id from courts where departement = any(t.departements)
                      union select gestionnaire_id from espaces where departement = any(t.departements) order by 1),
                array(select id from espaces where departement = any(t.departements) order by id), t.display_name, t.version
            from territories t where t.organisation_id = $1
            """);
        command.Parameters.AddWithValue(organisationId);
        var response = new GetTerritoryResponse { Territory = new() { OrganisationId = organisationId.ToString() } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (await reader.ReadAsync(ct))
        {
            response.Territory.Departements.Add(reader.GetFieldValue<string[]>(0));
            response.OrganisationIds.Add(reader.GetFieldValue<Guid[]>(1).Select(id => id.ToString()));
            response.EspaceIds.Add(reader.GetFieldValue<Guid[]>(2).Select(id => id.ToString()));
            response.Territory.DisplayName = reader.GetString(3);
            response.Territory.Etag = reader.GetInt64(4).ToEtag();
        }
        return response;
    }

    public async Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct)
    {
        await using var command = source.CreateCommand("update credentials set last_used_on = $2 where id = $1 and (last_used_on is null or last_used_on < $2)");
        command.Parameters.AddWithValue(credentialId);
        command.Parameters.AddWithValue(day);
        await command.ExecuteNonQueryAsync(ct);
    }
}
