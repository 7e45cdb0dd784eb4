using Google.Protobuf;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Espaces;

/// <summary>Who says something of an espace, and how it comes.</summary>
/// <param name="Source">How it comes.</param>
/// <param name="OrganisationId">Organisation of the caller.</param>
internal sealed record Speaker(FigureSource Source, Guid OrganisationId)
{
    /// <summary>The caller who declares, or whose software pushes.</summary>
    public static Speaker Of(Caller caller) => new(caller.IsPerson ? FigureSource.Declared : FigureSource.Pushed, caller.OrganisationId);

    /// <summary>The caller who imports.</summary>
    public static Speaker Importing(Caller caller) => new(FigureSource.Imported, caller.OrganisationId);
}

/// <summary>
/// The one way by which an espace is changed: begun before anything of the row is touched, concluded afterwards. It compares
/// the groups' documents, writes provenance and history of those that differ, and gives the espace its new version, so that
/// no writer can forget any of it.
/// </summary>
internal sealed class EspaceEdit
{
    /// <summary>All groups; contacts need the gestionnaire's.</summary>
    public static readonly IReadOnlyCollection<EspaceGroup> AllGroups = Enum.GetValues<EspaceGroup>()[1..];

    // What the projections of others hold.
    private static readonly EspaceGroup[] s_published = [EspaceGroup.Identite, EspaceGroup.Agrement, EspaceGroup.Lieux, EspaceGroup.Modalite];

    private readonly EspaceRow _row;
    private readonly IReadOnlyCollection<EspaceGroup> _groups;
    private readonly Dictionary<GroupKey, IMessage> _before;
    private readonly List<EspaceChangeRow> _changes = [];

    private EspaceEdit(EspaceRow row, IReadOnlyCollection<EspaceGroup> groups, bool isNew)
    {
        (_row, _groups, IsNew) = (row, groups, isNew);
        _before = isNew ? [] : GroupDocuments.Of(row, groups);
    }

    /// <summary>Whether the espace was not recorded before.</summary>
    public bool IsNew { get; }

    /// <summary>Whether anything was said or removed, and not only confirmed. Known once concluded.</summary>
    public bool Changed { get; private set; }

    /// <summary>What the history gains. Known once concluded.</summary>
    public IReadOnlyList<EspaceChangeRow> Changes => _changes;

    /// <summary>What others are told; null when nothing of it is theirs to know. Known once concluded.</summary>
    public EspacePublished? Event { get; private set; }

    /// <summary>The stale groups that are fresh again, for whoever was to be reminded of them. Known once concluded.</summary>
    public IReadOnlyList<EspaceGroupConfirmed> Refreshed { get; private set; } = [];

    /// <summary>Begins to change an espace.</summary>
    /// <param name="row">The espace, with all that belongs to the groups and with their provenance.</param>
    /// <param name="groups">Groups that may change.</param>
    public static EspaceEdit Begin(EspaceRow row, params IReadOnlyCollection<EspaceGroup> groups) => new(row, groups, isNew: false);

    /// <summary>Begins to fill an espace that is not recorded yet.</summary>
    /// <param name="row">The espace.</param>
    public static EspaceEdit New(EspaceRow row) => new(row, AllGroups, isNew: true);

    /// <summary>Concludes: provenance, history, version, event.</summary>
    /// <param name="db">Where it is written.</param>
    /// <param name="speaker">Who says it.</param>
    /// <param name="now">Now.</param>
    /// <param name="confirmedAt">When the speaker held it to be true; now, unless a source says of itself that it is older.</param>
    /// <param name="confirms">Whether a group that stays as it was is thereby confirmed.</param>
    /// <returns>True when anything was written.</returns>
    public bool Conclude(DirectoryDbContext db, Speaker speaker, DateTimeOffset now, DateTimeOffset? confirmedAt = null, Func<GroupKey, bool>? confirms = null)
    {
        var written = Conclude(speaker, now, confirmedAt, confirms);
        db.EspaceChanges.AddRange(_changes);
        if (Event is { } message)
            db.Publish(message);
        foreach (var refreshed in Refreshed)
            db.Publish(refreshed);
        return written;
    }

    /// <summary>Concludes for a caller that writes <see cref="Changes"/>, <see cref="Event"/> and <see cref="Refreshed"/> itself, many at once.</summary>
    /// <param name="speaker">Who says it.</param>
    /// <param name="now">Now.</param>
    /// <param name="confirmedAt">When the speaker held it to be true; now, unless a source says of itself that it is older.</param>
    /// <param name="confirms">Whether a group that stays as it was is thereby confirmed.</param>
    /// <returns>True when anything is to be written.</returns>
    public bool Conclude(Speaker speaker, DateTimeOffset now, DateTimeOffset? confirmedAt, Func<GroupKey, bool>? confirms)
    {
        var held = _row.Groups.ToDictionary(g => new GroupKey(g.Group, g.Key));
        var at = confirmedAt ?? now;
        var (touched, refreshed, confirmed) = (new HashSet<EspaceGroup>(), new List<GroupKey>(), false);
        var after = GroupDocuments.Of(_row, _groups);
        foreach (var (key, document) in after.OrderBy(d => d.Key.Group).ThenBy(d => d.Key.Key, StringComparer.Ordinal))
        {
            var known = held.GetValueOrDefault(key);
            if (known is not null && _before.TryGetValue(key, out var before) && before.Equals(document))
            {
                if (confirms?.Invoke(key) != true || at <= known.ConfirmedAt)
                    continue;
                NoteRefreshed(key, known);
                known.ConfirmedAt = at;
                Append(key, EspaceChangeKind.Confirmed, null);
                continue;
            }
            // Without a provenance it was never said: it is said now, even though it stays as it was.
            if (known is null && !IsNew && _before.TryGetValue(key, out before) && before.Equals(document) && confirms?.Invoke(key) != true)
                continue;
            NoteRefreshed(key, known);
            if (known is null)
                _row.Groups.Add(known = new EspaceGroupRow { EspaceId = _row.Id, Group = key.Group, Key = key.Key, Source = speaker.Source, OrganisationId = speaker.OrganisationId, SaidAt = at, ConfirmedAt = at });
            (known.Source, known.OrganisationId, known.SaidAt, known.ConfirmedAt) = (speaker.Source, speaker.OrganisationId, at, at);
            Append(key, EspaceChangeKind.Said, document);
        }
        foreach (var key in _before.Keys.Where(k => !after.ContainsKey(k)))
        {
            if (held.TryGetValue(key, out var gone))
                _row.Groups.Remove(gone);
            Append(key, EspaceChangeKind.Removed, null);
        }
        Changed = touched.Count > 0;
        if (!Changed && !confirmed)
            return false;
        if (!IsNew)
            _row.Changed(now);
        if (touched.Overlaps(s_published))
            Event = _row.ToEvent(now);
        Refreshed = [.. refreshed.Select(k => ToEvent(k, now))];
        return true;

        void NoteRefreshed(GroupKey key, EspaceGroupRow? known)
        {
            if (known is not null && key.Group != EspaceGroup.Attente && IsStale(key.Group, known.ConfirmedAt) && !IsStale(key.Group, at))
                refreshed.Add(key);
        }

        bool IsStale(EspaceGroup group, DateTimeOffset confirmed) => Freshness.IsStaleOn(group, confirmed.DayInParis(), now.DayInParis());

        void Append(GroupKey key, EspaceChangeKind kind, IMessage? document)
        {
            confirmed |= kind == EspaceChangeKind.Confirmed;
            if (kind != EspaceChangeKind.Confirmed)
                touched.Add(key.Group);
            _changes.Add(new EspaceChangeRow
            {
                EspaceId = _row.Id,
                Sequence = ++_row.ChangeCount,
                Group = key.Group,
                Key = key.Key,
                Kind = kind,
                Source = speaker.Source,
                OrganisationId = speaker.OrganisationId,
                RecordedAt = now,
                ConfirmedAt = at,
                Content = (document as Espace)?.ToByteArray(),
            });
        }
    }

    private EspaceGroupConfirmed ToEvent(GroupKey key, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = _row.Id,
        AggregateVersion = _row.Version,
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        GestionnaireId = _row.GestionnaireId,
        Group = key.Group.ToCode(),
        Key = key.Key is { Length: > 0 } one ? one : null,
    };
}
