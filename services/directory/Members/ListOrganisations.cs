using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Directory.Members;

/// <summary>Lists the organisations that the directory knows, by whatever it knows them.</summary>
internal sealed class ListOrganisations(NpgsqlDataSource source, PageTokens tokens)
{
    // What a court or gestionnaire is called there goes before what operators call it.
    private const string Page = """
        with known as (
            select organisation_id as id, 1 as place, 'JURIDICTION' as kind, name from courts
            union all select id, 2, 'GESTIONNAIRE', name from gestionnaires
            union all select organisation_id, 3, 'OTHER', display_name from territories
            union all select organisation_id, 4, 'OTHER', '' from members
            union all select organisation_id, 4, 'OTHER', '' from credentials),
        named as (select distinct on (id) id, kind, name from known where @after is null or id > @after order by id, place)
        select n.id, n.kind, n.name, m.has_members, coalesce(t.departements, '{}')
        from named n
        left join territories t on t.organisation_id = n.id
        cross join lateral (select exists (select from members where organisation_id = n.id and state = 'ACTIVE') as has_members) m
        where (@kind = '' or n.kind = @kind) and (@within::uuid[] is null or n.id = any(@within)) and not (@without_members and m.has_members)
        order by n.id limit @count
        """;

    private sealed record Cursor(Guid Id);

    /// <summary>Lists them.</summary>
    public async Task<ListOrganisationsResponse> HandleAsync(ListOrganisationsRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var kind = check.KnownOrUnspecified("kind", request.Kind);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        await using var command = source.CreateCommand(Page);
        command.Parameters.Add(new("after", NpgsqlDbType.Uuid) { Value = (object?)cursor?.Id ?? DBNull.Value });
        command.Parameters.Add(new("kind", kind == OrganisationKind.Unspecified ? "" : kind.ToCode()));
        command.Parameters.Add(new("within", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = (object?)caller.OrganisationsWithin ?? DBNull.Value });
        command.Parameters.Add(new("without_members", request.WithoutMembers));
        command.Parameters.Add(new("count", size + 1));
        await using var reader = await command.ExecuteReaderAsync(ct);
        var response = new ListOrganisationsResponse();
        Cursor? last = null;
        while (await reader.ReadAsync(ct))
        {
            if (response.Organisations.Count == size)
            {
                response.NextPageToken = tokens.Protect(last!, binding);
                break;
            }
            last = new Cursor(reader.GetGuid(0));
            response.Organisations.Add(new Organisation
            {
                OrganisationId = last.Id.ToString(),
                Kind = ProtoConversions.FromCode<OrganisationKind>(reader.GetString(1)),
                DisplayName = reader.GetString(2),
                HasMembers = reader.GetBoolean(3),
                Departements = { reader.GetFieldValue<string[]>(4) },
            });
        }
        return response;
    }
}
