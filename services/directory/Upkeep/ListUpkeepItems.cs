using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Directory.Upkeep;

/// <summary>What should be looked after: to a gestionnaire of its own espaces, to an operator of those of its territory, to a préfecture the agréments of its own; the most overdue first.</summary>
internal sealed class ListUpkeepItems(NpgsqlDataSource source, SnapshotSource snapshots, PageTokens tokens, TimeProvider clock)
{
    private const int MonthsBeforeAnAgrementEnds = 6;

    private static readonly UpkeepKind[] s_ofAgrements = [UpkeepKind.AgrementEnds, UpkeepKind.AgrementMissing];

    // One kind after the other; each has a last day on which all was well, and what tells it from others of that day.
    private const string Items = $"""
        with {UpkeepSql.Groups},
        scope as (
            select e.id, e.gestionnaire_id, e.name, e.departement, e.fictive, e.created_at from espaces e
            where e.state <> 'FERME' and (@gestionnaire is null or e.gestionnaire_id = @gestionnaire) and (@departement = '' or e.departement = @departement)
                and (@territory::text[] is null or e.departement = any(@territory))),
        today_valid as (
            select s.id as espace_id,
                (select upper(d) - 1 from unnest(v.days) as d where d @> @today) as last_day,
                exists (select from unnest(v.days) as d where d @> @today) as valid,
                (select max(upper(d)) - 1 from unnest(v.days) as d where upper(d) <= @today) as ended_on
            from scope s left join agrement_validities v on v.espace_id = s.id),
        lieux_valid as (
            select l.espace_id, l.id as lieu_id, t.last_day as espace_last_day,
                (select upper(d) - 1 from unnest(v.days) as d where d @> @today) as last_day,
                exists (select from unnest(v.days) as d where d @> @today) as valid,
                (select max(upper(d)) - 1 from unnest(v.days) as d where upper(d) <= @today) as ended_on
            from today_valid t join lieux l on l.espace_id = t.espace_id left join lateral (select days from lieu_validities where lieu_id = l.id) v on true
            where t.valid and exists (select from agrements a where a.espace_id = t.espace_id and cardinality(a.lieu_external_ids) > 0)),
        heard as (select s.id as espace_id, max(g.confirmed_at) as confirmed_at from scope s left join espace_groups g on g.espace_id = s.id group by s.id),
        items as (
            select 'CONFIRM' as kind, espace_id, espace_group, key, '' as reference, fresh_until as due_on, confirmed_at
            from kept where fresh_until < @before
            union all
            select 'SILENT', h.espace_id, '', '', '', (coalesce(h.confirmed_at, s.created_at) at time zone 'Europe/Paris')::date + @silent_days, h.confirmed_at
            from heard h join scope s on s.id = h.espace_id
            where (coalesce(h.confirmed_at, s.created_at) at time zone 'Europe/Paris')::date + @silent_days < @before
            union all
            select 'AGREMENT_ENDS', espace_id, 'AGREMENT', '', '', last_day, null from today_valid where valid and last_day <= @agrement_before
            union all
            select 'AGREMENT_MISSING', t.espace_id, 'AGREMENT', '', '', coalesce(t.ended_on, (s.created_at at time zone 'Europe/Paris')::date), null
            from today_valid t join scope s on s.id = t.espace_id where not t.valid
            union all
            select 'AGREMENT_ENDS', espace_id, 'AGREMENT', '', lieu_id::text, last_day, null from lieux_valid
            where valid and last_day <= @agrement_before and (espace_last_day is null or last_day < espace_last_day)
            union all
            select 'AGREMENT_MISSING', l.espace_id, 'AGREMENT', '', l.lieu_id::text, coalesce(l.ended_on, (s.created_at at time zone 'Europe/Paris')::date), null
            from lieux_valid l join scope s on s.id = l.espace_id where not l.valid
            union all
            select 'ENQUIRY', espace_id, '', modalite, id::text, (created_at at time zone 'Europe/Paris')::date, null
            from capacity_enquiries where answered_at is null and joined_id is null and expires_at > @now),
        listed as (
            select i.kind, i.espace_id, i.espace_group, i.key, i.reference, i.due_on, i.confirmed_at, s.gestionnaire_id, s.name, s.departement, s.fictive
            from items i join scope s on s.id = i.espace_id where cardinality(@kinds) = 0 or i.kind = any(@kinds))
        """;

    private const string Page = $"""
        {Items}
        select * from listed
        where @after_due is null or (due_on, espace_id, kind, espace_group, key, reference) > (@after_due, @after_espace, @after_kind, @after_group, @after_key, @after_reference)
        order by due_on, espace_id, kind, espace_group, key, reference limit @count
        """;

    private const string Total = $"{Items} select count(*)::int from listed";

    private sealed record Cursor(DateOnly DueOn, Guid EspaceId, string Kind, string Group, string Key, string Reference);

    public async Task<ListUpkeepItemsResponse> HandleAsync(ListUpkeepItemsRequest request, Caller caller, CancellationToken ct)
    {
        var geography = await snapshots.GeographyAsync(ct);
        var check = new FieldChecks();
        var gestionnaire = check.OptionalUuid("gestionnaire_id", request.GestionnaireId);
        check.That(request.Departement.Length == 0 || geography.Departements.Contains(request.Departement), "departement", "is not a known département");
        for (var i = 0; i < request.Kinds.Count; i++)
            check.Known($"kinds[{i}]", request.Kinds[i]);
        var within = check.Range("within_days", request.WithinDays, 0, 365);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        if (caller.Tenancy == Tenancy.Own)
            gestionnaire ??= caller.OrganisationId;
        if (caller.Tenancy == Tenancy.Own)
            caller.Require(gestionnaire);
        UpkeepKind[] kinds = [.. request.Kinds.Distinct()];
        if (caller.Role == Roles.Prefecture)
        {
            // How an espace keeps its description is between it and the operator.
            kinds = kinds.Length == 0 ? s_ofAgrements : kinds;
            if (kinds.Except(s_ofAgrements).Any())
                throw DomainError.Forbidden();
        }

        var today = clock.TodayInParis();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(Page));
        batch.BatchCommands.Add(Command(Total));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var response = new ListUpkeepItemsResponse();
        Cursor? last = null;
        while (await reader.ReadAsync(ct))
        {
            if (response.Items.Count == size)
            {
                response.NextPageToken = tokens.Protect(last!, binding);
                break;
            }
            var (item, place) = Read(reader);
            response.Items.Add(item);
            last = place;
        }
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        response.TotalCount = reader.GetInt32(0);
        return response;

        NpgsqlBatchCommand Command(string sql)
        {
            var command = new NpgsqlBatchCommand(sql)
            {
                Parameters =
                {
                    new("gestionnaire", NpgsqlDbType.Uuid) { Value = (object?)gestionnaire ?? DBNull.Value },
                    new("departement", request.Departement),
                    new("today", today),
                    new("before", today.PlusDays(within)),
                    new("agrement_before", today.AddMonths(MonthsBeforeAnAgrementEnds)),
                    new("now", clock.GetUtcNow()),
                    new("silent_days", Freshness.LongestFreshDays),
                    new("kinds", kinds.Select(k => k.ToCode()).ToArray()),
                    new("territory", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = (object?)caller.Territory?.Departements.ToArray() ?? DBNull.Value },
                },
            };
            foreach (var rule in UpkeepSql.Rules())
                command.Parameters.Add(rule);
            if (sql != Page)
                return command;
            command.Parameters.Add(new("after_due", NpgsqlDbType.Date) { Value = (object?)cursor?.DueOn ?? DBNull.Value });
            command.Parameters.Add(new("after_espace", cursor?.EspaceId ?? Guid.Empty));
            command.Parameters.Add(new("after_kind", cursor?.Kind ?? ""));
            command.Parameters.Add(new("after_group", cursor?.Group ?? ""));
            command.Parameters.Add(new("after_key", cursor?.Key ?? ""));
            command.Parameters.Add(new("after_reference", cursor?.Reference ?? ""));
            command.Parameters.Add(new("count", size + 1));
            return command;
        }
    }

    private static (UpkeepItem Item, Cursor Place) Read(NpgsqlDataReader row)
    {
        var place = new Cursor(row.GetFieldValue<DateOnly>(5), row.GetGuid(1), row.GetString(0), row.GetString(2), row.GetString(3), row.GetString(4));
        var kind = ProtoConversions.FromCode<UpkeepKind>(place.Kind);
        return (new UpkeepItem
        {
            EspaceId = place.EspaceId.ToString(),
            GestionnaireId = row.GetGuid(7).ToString(),
            EspaceName = row.GetString(8),
            Departement = row.GetString(9),
            Kind = kind,
            Group = place.Group.Length == 0 ? EspaceGroup.Unspecified : ProtoConversions.FromCode<EspaceGroup>(place.Group),
            Key = place.Key,
            DueDate = place.DueOn.ToProto(),
            ConfirmedTime = row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6).ToProto(),
            Fictive = row.GetBoolean(10),
            EnquiryId = kind == UpkeepKind.Enquiry ? place.Reference : "",
            LieuId = kind == UpkeepKind.Enquiry ? "" : place.Reference,
        }, place);
    }
}
