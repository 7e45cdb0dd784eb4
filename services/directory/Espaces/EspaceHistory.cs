using Google.Protobuf;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Reads what an espace was, and what changed. The history is only ever appended.</summary>
internal sealed class EspaceHistory(DirectoryDbContext db, PageTokens tokens)
{
    /// <summary>Every group that there can be: so that the last word of each is one look into an index.</summary>
    internal static readonly IReadOnlyList<(string Group, string Key)> Keys =
    [
        .. GroupDocuments.Single.Append(EspaceGroup.Contacts).Select(g => (g.ToCode(), "")),
        .. Enum.GetValues<Modalite>()[1..].SelectMany(m => new[] { (EspaceGroup.Modalite.ToCode(), m.ToCode()), (EspaceGroup.Attente.ToCode(), m.ToCode()) }),
    ];

    // For each group the last thing said or removed, and the last change of any kind: two probes of an index each, however
    // long the history is.
    internal const string LastWords = """
        select c.* from unnest({0}, {1}) as k (espace_group, key) cross join lateral (
            (select * from espace_changes c where c.espace_id = {2} and c.espace_group = k.espace_group and c.key = k.key
                 and c.recorded_at < {3} and c.kind <> 'CONFIRMED' order by c.recorded_at desc, c.sequence desc limit 1)
            union all
            (select * from espace_changes c where c.espace_id = {2} and c.espace_group = k.espace_group and c.key = k.key
                 and c.recorded_at < {3} order by c.recorded_at desc, c.sequence desc limit 1)) c
        """;

    private sealed record Cursor(long Sequence);

    /// <summary>What was held of an espace at the end of a day in Paris: its documents and their provenance.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="day">The day.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The documents, the provenance and the instant of the last change; nothing when it was not recorded yet.</returns>
    public async Task<(Espace Espace, IReadOnlyList<EspaceGroupRow> Groups, DateTimeOffset ChangedAt)?> AsOfAsync(Guid espaceId, DateOnly day, CancellationToken ct)
    {
        var until = day.AddDays(1).StartInParis();
        var (groups, keys) = (Keys.Select(k => k.Group).ToArray(), Keys.Select(k => k.Key).ToArray());
        var rows = await db.EspaceChanges.FromSqlRaw(LastWords, groups, keys, espaceId, until).AsNoTracking().ToListAsync(ct);
        var (documents, provenances) = (new List<IMessage>(), new List<EspaceGroupRow>());
        foreach (var group in rows.GroupBy(r => new GroupKey(r.Group, r.Key)))
        {
            var said = group.Where(r => r.Kind != EspaceChangeKind.Confirmed).MaxBy(r => r.Sequence);
            if (said is null or { Kind: EspaceChangeKind.Removed })
                continue;
            if (said.Content is { } content)
                documents.Add(Espace.Parser.ParseFrom(content));
            provenances.Add(new EspaceGroupRow
            {
                EspaceId = espaceId,
                Group = said.Group,
                Key = said.Key,
                Source = said.Source,
                OrganisationId = said.OrganisationId,
                SaidAt = said.ConfirmedAt,
                ConfirmedAt = group.Max(r => r.ConfirmedAt),
            });
        }
        return documents.Count == 0 ? null : (GroupDocuments.Merge(documents), provenances, rows.Max(r => r.RecordedAt));
    }

    /// <summary>Lists the changes of an espace, the latest first.</summary>
    public async Task<ListEspaceChangesResponse> ListAsync(ListEspaceChangesRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var group = check.KnownOrUnspecified("group", request.Group);
        var since = check.OptionalTime("since_time", request.SinceTime);
        var pageSize = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        if (!await db.Espaces.AnyAsync(e => e.Id == espaceId, ct))
            throw DomainError.NotFound($"espaces/{espaceId}");

        var query = db.EspaceChanges.AsNoTracking().Where(c => c.EspaceId == espaceId);
        if (group != EspaceGroup.Unspecified)
            query = query.Where(c => c.Group == group);
        if (since is { } time)
            query = query.Where(c => c.RecordedAt >= time);
        if (cursor is not null)
            query = query.Where(c => c.Sequence < cursor.Sequence);
        var rows = await query.OrderByDescending(c => c.Sequence).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListEspaceChangesResponse();
        response.Changes.Add(rows.Take(pageSize).Select(ToProto));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new Cursor(rows[pageSize - 1].Sequence), binding);
        return response;
    }

    private static EspaceChange ToProto(EspaceChangeRow row) => new()
    {
        Sequence = row.Sequence,
        Group = row.Group,
        Key = row.Key,
        Kind = row.Kind,
        Source = row.Source,
        OrganisationId = row.OrganisationId.ToString(),
        RecordTime = row.RecordedAt.ToProto(),
        Content = row.Content is { } content ? Espace.Parser.ParseFrom(content) : null,
    };
}
