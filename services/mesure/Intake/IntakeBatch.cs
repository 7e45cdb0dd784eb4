using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Deadlines;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using IntakeItem = Jafer.Mesures.Domain.IntakeItem;
using IntakeSource = Jafer.Mesures.Domain.IntakeSource;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Intake;

/// <summary>Another transaction wrote the same mesures meanwhile: everything must be read again.</summary>
internal sealed class IntakeConflictException() : Exception("the mesures of the batch were written meanwhile");

/// <summary>
/// One batch of the intake: loads what its items concern by a few queries, applies them in memory by the mesure's own acts, and
/// writes all of it by a few statements. Used once, in the transaction that was begun.
/// </summary>
/// <remarks>
/// The order of the writes keeps two batches from waiting for each other crosswise: sequences first and then facts, each in the
/// order of the mesures. A single act writes its fact before its mesure, as is done here.
/// </remarks>
internal sealed class IntakeBatch(MesuresDbContext db, IServiceScopeFactory scopes, HoldLimits limits, DateTimeOffset now)
{
    private const int MaxDescription = 500;

    private readonly Places _places = new();
    private readonly Dictionary<Guid, MesureRows> _mesures = [];
    private readonly Dictionary<(Guid MesureId, string SourceSystem), IntakeSequence> _sequences = [];
    private readonly HashSet<IntakeSequence> _changedSequences = [];
    private readonly Dictionary<IntakeItem, Judged> _judged = [];
    private readonly List<Judged> _incoming = [];
    private readonly List<Judged> _released = [];
    private readonly List<DomainEvent> _events = [];

    /// <summary>Judges the items of a report and everything that waited for them.</summary>
    /// <param name="caller">Who reports, and to what mesures the access table lets them.</param>
    /// <param name="requestId">The request or batch.</param>
    /// <param name="items">The items.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<ReportStatusResponse> ReportAsync(Caller caller, Guid requestId, IReadOnlyList<ReportedItem> items, CancellationToken ct)
    {
        var (gestionnaireId, subject) = (caller.OrganisationId, caller.Subject);
        await LoadMesuresAsync([.. items.Where(i => i.Identified).Select(i => i.MesureId!.Value).Distinct()], caller, ct);
        var admitted = items.Where(i => i.Identified && _mesures.ContainsKey(i.MesureId!.Value)).ToList();
        await LoadSequencesAsync([.. admitted.Select(i => (i.MesureId!.Value, i.SourceSystem)).Distinct()], ct);
        var known = await KnownAsync(gestionnaireId, admitted, ct);
        var passed = await PassedAsync(admitted, ct);
        await LoadConcernedAsync(items, ct);

        foreach (var item in items)
        {
            _incoming.Add(Judge(item, RowOf(item, gestionnaireId, subject, requestId), known, passed));
        }

        TakeDue();
        await WriteAsync(gestionnaireId, admitted, ct);
        var response = new ReportStatusResponse();
        response.Results.AddRange(_incoming.Select(ToProto));
        response.ReleasedItems.AddRange(_released.Select(j => new ReleasedItem { SourceSystem = j.Row.SourceSystem, ExternalId = j.Row.ExternalId, Result = ToProto(j) }));
        return response;
    }

    /// <summary>Decides what was held for too long.</summary>
    /// <param name="sequences">The sequences that hold it.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Items decided.</returns>
    public async Task<int> ReleaseAsync(IReadOnlyList<(Guid MesureId, string SourceSystem)> sequences, CancellationToken ct)
    {
        await LoadMesuresAsync([.. sequences.Select(s => s.MesureId).Distinct()], null, ct);
        await LoadSequencesAsync(sequences, ct);
        await LoadConcernedAsync([], ct);
        TakeDue();
        await WriteAsync(default, [], ct);
        return _released.Count;
    }

    /// <summary>The first judgment of an item: what does not depend on its turn.</summary>
    private Judged Judge(
        ReportedItem item, IntakeItem row, Dictionary<(string SourceSystem, string ExternalId), IntakeItem> known, HashSet<(Guid MesureId, string SourceSystem, long Sequence)> passed)
    {
        var judged = new Judged(row) { Act = item.Act };
        _judged.Add(row, judged);
        if (!item.Identified)
        {
            return Refuse(judged, item.Violations);
        }

        var mesureId = item.MesureId!.Value;
        if (!_mesures.TryGetValue(mesureId, out var mesure))
        {
            return Refuse(judged, DomainError.Forbidden());
        }

        judged.Mesure = mesure;
        if (known.TryGetValue((item.SourceSystem, item.ExternalId), out var first))
        {
            if (first.ContentHash != item.Hash)
            {
                return Refuse(judged, [new FieldViolation("external_id", "was already used for another item")]);
            }

            judged.First = first;
            row.Decide(IntakeResult.Duplicate, now);
            return judged;
        }

        var sequence = _sequences[(mesureId, item.SourceSystem)];
        var late = sequence.HasPassed(item.Sequence);
        if (late ? !passed.Add((mesureId, item.SourceSystem, item.Sequence)) : sequence.At(item.Sequence) is not null)
        {
            return Refuse(judged, [new FieldViolation("sequence", "was already used for another item")]);
        }

        known.Add((item.SourceSystem, item.ExternalId), row);
        row.Taken = true;
        _changedSequences.Add(sequence);
        if (!late)
        {
            sequence.Add(row);
        }

        if (item.Act is null)
        {
            Refuse(judged, item.Violations);
        }
        else if (late)
        {
            ApplyLate(judged);
        }
        else
        {
            row.Result = IntakeResult.Held;
            row.Content = item.Content;
        }

        return judged;
    }

    /// <summary>Applies everything whose turn has come, then what waits for nothing.</summary>
    private void TakeDue()
    {
        foreach (var sequence in _sequences.Values)
        {
            while (sequence.TakeDue(now, limits) is { } row)
            {
                _changedSequences.Add(sequence);
                Apply(_judged[row]);
            }

            foreach (var row in sequence.Ahead.Where(r => r.Result == IntakeResult.Held))
            {
                var judged = _judged[row];
                if (judged.Act is { Waits: false })
                {
                    Apply(judged, inTurn: false);
                }
                else if (judged.Act?.AtOnce is { } part)
                {
                    Tell(judged, part);
                }
            }
        }
    }

    private void Apply(Judged judged, bool inTurn = true)
    {
        if (Perform(judged, inTurn) && judged.Stored)
        {
            _released.Add(judged);
        }
    }

    /// <summary>Performs the act of an item; false when it waits after all.</summary>
    private bool Perform(Judged judged, bool inTurn)
    {
        var row = judged.Row;
        var mesure = judged.Mesure!;
        if (judged.Act is null)
        {
            // Held by a version that knew more than this one.
            Refuse(judged, [new FieldViolation("what", "is required, and must be a kind that this version knows")]);
            return true;
        }

        var (facts, freed, taken) = (mesure.Mesure.NewFacts.Count, mesure.NewFreeSlots.Count, mesure.TakenFreeSlots.Count);
        var acting = ActingOf(row);
        try
        {
            judged.RencontreId = judged.Act.Apply(mesure, acting);
        }
        catch (DomainError e) when (!inTurn && e.Reason == ErrorReason.StateForbids)
        {
            // What is missing may allow it.
            return false;
        }
        catch (DomainError e)
        {
            // An act names the fields of its own message.
            Refuse(judged, e.Fields.Count == 0 ? e : DomainError.Invalid([.. e.Fields.Select(f => f with { Field = $"{judged.Act.Path}.{f.Field}" })]));
            return true;
        }

        row.Decide(IntakeResult.Applied, now);
        judged.State = mesure.Mesure.Status.State;
        _events.AddRange(mesure.Mesure.NewFacts.Skip(facts).Select(f => MesureEvents.From(mesure.Mesure, f)));
        _events.AddRange(mesure.NewFreeSlots.Skip(freed).Select(s => Bookings.Freed(s, acting)));
        _events.AddRange(mesure.TakenFreeSlots.Skip(taken).Select(s => Bookings.Taken(s, acting)));
        return true;
    }

    /// <summary>Tells the judge what they must read of an item that waits. It is a fact under the item's own name, by which it is told once.</summary>
    private void Tell(Judged judged, StatusAct part)
    {
        var (row, mesure) = (judged.Row, judged.Mesure!);
        if (mesure.DifficultyOf(row.SourceSystem, row.ExternalId) is not null)
        {
            return;
        }

        var facts = mesure.Mesure.NewFacts.Count;
        try
        {
            part.Apply(mesure, ActingOf(row));
        }
        catch (DomainError e) when (e.Reason == ErrorReason.StateForbids)
        {
            // What is missing may allow it.
            return;
        }

        _events.AddRange(mesure.Mesure.NewFacts.Skip(facts).Select(f => MesureEvents.From(mesure.Mesure, f)));
    }

    private Acting ActingOf(IntakeItem row) => new(row.GestionnaireId, row.Subject, row.OccurredAt, now, Source: new FactSource(row.SourceSystem, row.ExternalId));

    /// <summary>Newer items were applied already: an older one never overrides them.</summary>
    private void ApplyLate(Judged judged)
    {
        const string Late = "newer items of the mesure were applied before it";
        var adds = judged.Act!.OnlyAdds;
        if (adds)
        {
            Apply(judged);
        }
        else if (judged.Act.AtOnce is { } rest)
        {
            judged.Act = rest;
            Apply(judged);
        }

        if (!adds || judged.Row.Reason == ErrorReason.StateForbids)
        {
            judged.Row.Decide(IntakeResult.Superseded, now, ErrorReason.StateForbids, Late);
            judged.State = judged.Mesure!.Mesure.Status.State;
        }
    }

    private Judged Refuse(Judged judged, DomainError error)
    {
        var because = error.Fields.Count > 0 ? string.Join("; ", error.Fields.Select(f => $"{f.Field} {f.Description}"))
            : error.Reason == ErrorReason.RuleViolated ? string.Join("; ", error.Rules.Select(r => $"{r.Type}: {r.Description}"))
            : error.Message;
        judged.Row.Decide(IntakeResult.Refused, now, error.Reason, Cut(because));
        judged.Violations = error.Fields;
        judged.State = judged.Mesure?.Mesure.Status.State ?? MesureState.Unspecified;
        return judged;
    }

    private Judged Refuse(Judged judged, IReadOnlyList<FieldViolation> violations) => Refuse(judged, DomainError.Invalid(violations));

    private static string Cut(string text) => text.Length <= MaxDescription ? text : text[..MaxDescription];

    private IntakeItem RowOf(ReportedItem item, Guid gestionnaireId, string subject, Guid requestId) => new()
    {
        GestionnaireId = gestionnaireId,
        SourceSystem = item.SourceSystem,
        ExternalId = item.ExternalId,
        Sequence = item.Sequence,
        MesureId = item.MesureId,
        Act = item.Act?.Act ?? MesureAct.Unspecified,
        OccurredAt = item.OccurredAt,
        ReceivedAt = now,
        Subject = subject,
        RequestId = requestId,
        ContentHash = item.Hash,
    };

    // Those to which the caller has a relation that the access table names: all others and those that do not exist are the same to it.
    private async Task LoadMesuresAsync(Guid[] ids, Caller? caller, CancellationToken ct)
    {
        var mesures = db.Mesures.AsNoTracking().Where(m => ids.Contains(m.Id));
        if (caller is { OrganisationId: var holder })
        {
            mesures = mesures.Where(m => m.GestionnaireId == holder);
        }

        await foreach (var mesure in mesures.AsAsyncEnumerable().WithCancellation(ct))
        {
            if (caller is null || caller.MayTouch(mesure.GestionnaireId, MesureActs.RelationOfGestionnaire(mesure)))
            {
                _mesures.Add(mesure.Id, new MesureRows(mesure, _places));
            }
        }
    }

    private async Task LoadSequencesAsync(IReadOnlyList<(Guid MesureId, string SourceSystem)> keys, CancellationToken ct)
    {
        if (keys.Count == 0)
        {
            return;
        }

        Guid[] mesureIds = [.. keys.Select(k => k.MesureId)];
        string[] sources = [.. keys.Select(k => k.SourceSystem)];
        await foreach (var sequence in db.IntakeSequences.FromSql($"""
            select s.* from unnest({mesureIds}, {sources}) as k (mesure_id, source_system)
            join intake_sequences s on s.mesure_id = k.mesure_id and s.source_system = k.source_system
            """).AsNoTracking().AsAsyncEnumerable().WithCancellation(ct))
        {
            _sequences.Add((sequence.MesureId, sequence.SourceSystem), sequence);
        }

        if (_sequences.Count > 0)
        {
            await foreach (var row in db.IntakeItems.FromSql($"""
                select i.* from unnest({mesureIds}, {sources}) as k (mesure_id, source_system)
                join intake_sequences s on s.mesure_id = k.mesure_id and s.source_system = k.source_system
                join intake_items i on i.mesure_id = s.mesure_id and i.source_system = s.source_system and i.sequence >= s.next_sequence and i.taken
                """).AsNoTracking().AsAsyncEnumerable().WithCancellation(ct))
            {
                _sequences[(row.MesureId!.Value, row.SourceSystem)].Add(row);
                _judged.Add(row, new Judged(row)
                {
                    Stored = true,
                    Mesure = _mesures[row.MesureId.Value],
                    Act = row.Content is null ? null : StatusChecks.Read(StatusItem.Parser.ParseFrom(row.Content), row.ReceivedAt).Act,
                });
            }
        }

        foreach (var key in keys)
        {
            _sequences.TryAdd(key, new IntakeSequence { MesureId = key.MesureId, SourceSystem = key.SourceSystem });
        }
    }

    /// <summary>The items that came before under the same names.</summary>
    private async Task<Dictionary<(string SourceSystem, string ExternalId), IntakeItem>> KnownAsync(Guid gestionnaireId, List<ReportedItem> items, CancellationToken ct)
    {
        string[] sources = [.. items.Select(i => i.SourceSystem)];
        string[] externalIds = [.. items.Select(i => i.ExternalId)];
        var known = new Dictionary<(string SourceSystem, string ExternalId), IntakeItem>();
        if (items.Count == 0)
        {
            return known;
        }

        // Name by name, each by the index: a join may be planned as one over the whole history, and stay so while that grows.
        await foreach (var row in db.IntakeItems.FromSql($"""
            select i.* from unnest({sources}, {externalIds}) as k (source_system, external_id) cross join lateral (
                select * from intake_items where gestionnaire_id = {gestionnaireId} and source_system = k.source_system and external_id = k.external_id and taken limit 1) i
            """).AsNoTracking().AsAsyncEnumerable().WithCancellation(ct))
        {
            // One that is held is decided with its sequence, where it stands as another object.
            var same = row.MesureId is { } id && _sequences.TryGetValue((id, row.SourceSystem), out var sequence)
                ? sequence.At(row.Sequence)
                : null;
            known.TryAdd((row.SourceSystem, row.ExternalId), same ?? row);
        }

        return known;
    }

    /// <summary>Sequences of late items that were used already; those of gaps were not.</summary>
    private async Task<HashSet<(Guid MesureId, string SourceSystem, long Sequence)>> PassedAsync(List<ReportedItem> items, CancellationToken ct)
    {
        var late = items.Where(i => _sequences[(i.MesureId!.Value, i.SourceSystem)].HasPassed(i.Sequence)).ToList();
        if (late.Count == 0)
        {
            return [];
        }

        Guid[] mesureIds = [.. late.Select(i => i.MesureId!.Value)];
        string[] sources = [.. late.Select(i => i.SourceSystem)];
        long[] numbers = [.. late.Select(i => i.Sequence)];
        var used = await db.IntakeItems.FromSql($"""
            select i.* from unnest({mesureIds}, {sources}, {numbers}) as k (mesure_id, source_system, sequence) cross join lateral (
                select * from intake_items where mesure_id = k.mesure_id and source_system = k.source_system and sequence = k.sequence and taken limit 1) i
            """).AsNoTracking().Select(i => new { MesureId = i.MesureId!.Value, i.SourceSystem, i.Sequence }).ToListAsync(ct);
        return [.. used.Select(u => (u.MesureId, u.SourceSystem, u.Sequence))];
    }

    /// <summary>Everything beside the mesures that may be applied to them in this batch: what was reported and what was held before.</summary>
    private async Task LoadConcernedAsync(IReadOnlyList<ReportedItem> reported, CancellationToken ct)
    {
        var concerned = reported.Select(i => (i.MesureId, i.SourceSystem, i.Act, Waited: false))
            .Concat(_judged.Values.Where(j => j.Row.Result == IntakeResult.Held).Select(j => (j.Row.MesureId, j.Row.SourceSystem, j.Act, Waited: true)))
            .Where(i => i.Act is not null && i.MesureId is { } id && _mesures.ContainsKey(id))
            .Select(i => new Concern(_mesures[i.MesureId!.Value], i.SourceSystem, i.Act!, i.Waited)).ToList();
        await LoadRencontresAsync(concerned, ct);
        await LoadInterviewsAsync(concerned, ct);
        await LoadPlacesAsync([.. concerned.Where(c => c.Act is StatusAct.Booking)], ct);
        await LoadHistoriesAsync(concerned, ct);
    }

    private async Task LoadRencontresAsync(List<Concern> all, CancellationToken ct)
    {
        var concerned = all.Where(c => c.Act.Rencontre is not null).Select(c => (c.Rows.Mesure, Name: c.Act.Rencontre!)).ToList();
        if (concerned.Count == 0)
        {
            return;
        }

        Guid[] mesureIds = [.. concerned.Select(c => c.Mesure.Id).Distinct()];
        var named = concerned.Where(c => c.Name.ExternalId.Length > 0).ToList();
        Guid[] namedOf = [.. named.Select(c => c.Mesure.Id)];
        string[] names = [.. named.Select(c => c.Name.ExternalId)];
        Guid[] espaceIds = [.. concerned.Select(c => c.Mesure.EspaceId).OfType<Guid>().Distinct()];
        Guid[] correctedOf = [.. all.Where(c => c.Act is StatusAct.RencontreOutcomeCorrected).Select(c => c.Rows.Mesure.Id).Distinct()];
        Guid[] ids = [.. concerned.Select(c => c.Name.Id).OfType<Guid>().Distinct()];
        Guid[] slotIds = [.. all.Select(c => (c.Act as StatusAct.Booking)?.FreeSlotId).OfType<Guid>().Distinct()];

        // Each part by an index of its own: a mesure may have had a hundred rencontres, of which two concern its next item.
        // SQL of our own cannot give whole rencontres: EF looks for the columns of their parts by other names there.
        var found = await db.Database.SqlQuery<Guid>($"""
            with recursive named as (
                select r.id, r.moved_to_id from (select distinct * from unnest({namedOf}, {names}) as k (mesure_id, external_id)) k
                join rencontres r on r.mesure_id = k.mesure_id and r.external_id = k.external_id
                union all
                select r.id, r.moved_to_id from named n cross join lateral (select id, moved_to_id from rencontres where id = n.moved_to_id limit 1) r)
            select r.id as "Value" from rencontres r where r.mesure_id = any({mesureIds}) and r.outcome = 'SCHEDULED'
            union
            select r.id from rencontres r where r.espace_id = any({espaceIds}) and r.mesure_id = any({mesureIds}) and r.return_outcome = 'SCHEDULED'
            union
            select r.id from rencontres r where r.id = any({ids}) and r.mesure_id = any({mesureIds})
            union
            select r.id from rencontres r where r.mesure_id = any({correctedOf}) and r.outcome = 'HELD'
            union
            select r.id from free_slots s join rencontres r on r.id = s.taken_by_rencontre_id where s.id = any({slotIds}) and r.mesure_id = any({mesureIds})
            union
            select id from named
            """).ToListAsync(ct);
        if (found.Count > 0)
        {
            await foreach (var rencontre in db.Rencontres.AsNoTracking().Where(r => found.Contains(r.Id)).AsAsyncEnumerable().WithCancellation(ct))
            {
                _mesures[rencontre.MesureId].Rencontres.Add(rencontre);
            }
        }

        await foreach (var child in db.Children.Where(c => mesureIds.Contains(c.MesureId)).Select(c => new { c.MesureId, c.Id }).AsAsyncEnumerable().WithCancellation(ct))
        {
            _mesures[child.MesureId].ChildIds.Add(child.Id);
        }
    }

    private async Task LoadInterviewsAsync(List<Concern> all, CancellationToken ct)
    {
        var concerned = all.Where(c => c.Act.ConcernsInterviews).ToList();
        if (concerned.Count == 0)
        {
            return;
        }

        Guid[] mesureIds = [.. concerned.Select(c => c.Rows.Mesure.Id).Distinct()];
        await foreach (var interview in db.Interviews.AsNoTracking().Where(i => mesureIds.Contains(i.MesureId) && i.State == InterviewState.Booked).AsAsyncEnumerable().WithCancellation(ct))
        {
            _mesures[interview.MesureId].Interviews.Add(interview);
        }

        // Locked before all else and in the order of ids, as everybody does who takes one or gives it up.
        Guid[] slotIds =
        [
            .. concerned.Select(c => c.Act.InterviewSlotId).Concat(concerned.SelectMany(c => c.Rows.Interviews).Select(i => i.SlotAhead(now))).OfType<Guid>().Distinct(),
        ];
        if (slotIds.Length > 0)
        {
            await foreach (var slot in db.InterviewSlots.FromSql($"select * from interview_slots where id = any({slotIds}) order by id for update")
                .AsNoTracking().AsAsyncEnumerable().WithCancellation(ct))
            {
                _places.InterviewSlots.Add(slot.Id, slot);
            }
        }
    }

    /// <summary>
    /// Under which terms rencontres are booked, and who is at the espaces when they lie ahead. Other bookings there wait until the
    /// batch is written, as they do for each other, in one order.
    /// </summary>
    private async Task LoadPlacesAsync(List<Concern> concerned, CancellationToken ct)
    {
        if (concerned.Count == 0)
        {
            return;
        }

        Guid[] slotIds = [.. concerned.Select(c => ((StatusAct.Booking)c.Act).FreeSlotId).OfType<Guid>().Distinct()];
        if (slotIds.Length > 0)
        {
            await foreach (var slot in db.FreeSlots.AsNoTracking().Where(s => slotIds.Contains(s.Id)).AsAsyncEnumerable().WithCancellation(ct))
            {
                _places.FreeSlots.Add(slot.Id, slot);
            }
        }

        Guid[] booked = [.. concerned.Select(c => c.Rows.Mesure.Id).Distinct()];
        await foreach (var party in db.Parties.AsNoTracking().Where(p => booked.Contains(p.MesureId)).AsAsyncEnumerable().WithCancellation(ct))
        {
            _mesures[party.MesureId].Parties.Add(party);
        }

        Guid[] modified = [.. concerned.Select(c => c.Rows.Mesure).Where(m => m.DecisionVersion > 1).Select(m => m.Id).Distinct()];
        if (modified.Length > 0)
        {
            await foreach (var version in db.DecisionVersions.AsNoTracking().Where(v => modified.Contains(v.MesureId)).AsAsyncEnumerable().WithCancellation(ct))
            {
                _mesures[version.MesureId].Versions.Add(version);
            }
        }

        var ahead = concerned.Select(c => (c.Rows, Planned: ((StatusAct.Booking)c.Act).Planned(c.Rows, c.SourceSystem)))
            .Where(b => b.Planned?.StartsAt > now && b.Rows.Mesure.EspaceId is not null)
            .Select(b => (EspaceId: b.Rows.Mesure.EspaceId!.Value, Bookings.ContextOf(b.Rows.Mesure, b.Rows.Versions, [], b.Rows.Parties).TermsOn(b.Planned!.Day).Modalite, Planned: b.Planned!))
            .GroupBy(b => (b.EspaceId, b.Modalite))
            .OrderBy(g => g.Key.EspaceId).ThenBy(g => g.Key.Modalite).ToList();
        Guid[] named = [.. ahead.Where(g => g.Any(b => b.Planned.LieuId is not null)).Select(g => g.Key.EspaceId).Distinct()];
        if (named.Length > 0)
        {
            await foreach (var espace in db.Espaces.AsNoTracking().Where(e => named.Contains(e.Id)).AsAsyncEnumerable().WithCancellation(ct))
            {
                _places.Espaces.Add(espace.Id, espace);
            }
        }

        foreach (var group in ahead)
        {
            var (stays, capacity) = await new Bookings(db, scopes).OthersAsync(
                group.Key.EspaceId, group.Key.Modalite, group.Min(b => b.Planned.StartsAt), group.Max(b => (b.Planned.ReturnsAt ?? b.Planned.StartsAt).AddMinutes(b.Planned.Minutes)),
                lockBookings: true, ct);
            _places.Add(group.Key.EspaceId, group.Key.Modalite, stays, capacity);
        }
    }

    private async Task LoadHistoriesAsync(List<Concern> all, CancellationToken ct)
    {
        Guid[] mesureIds = [.. all.Where(c => c.Act.LooksBack || (c.Waited && c.Act.AtOnce is not null)).Select(c => c.Rows.Mesure.Id).Distinct()];
        if (mesureIds.Length == 0)
        {
            return;
        }

        await foreach (var fact in db.Facts.AsNoTracking().Where(f => mesureIds.Contains(f.MesureId)).AsAsyncEnumerable().WithCancellation(ct))
        {
            _mesures[fact.MesureId].History.Add(fact);
        }

        await foreach (var difficulty in db.Difficulties.AsNoTracking().Where(d => mesureIds.Contains(d.MesureId)).AsAsyncEnumerable().WithCancellation(ct))
        {
            _mesures[difficulty.MesureId].Difficulties.Add(difficulty);
        }
    }

    private async Task WriteAsync(Guid gestionnaireId, List<ReportedItem> admitted, CancellationToken ct)
    {
        await WriteSequencesAsync(ct);
        var changed = _mesures.Values.Where(m => m.Mesure.NewFacts.Count > 0).OrderBy(m => m.Mesure.Id).ToList();
        await db.BulkInsertAsync([.. changed.SelectMany(m => m.Mesure.NewFacts)], ct);
        var plans = await PlanAsync(changed, ct);
        var updated = await db.BulkUpdateAsync([.. changed.Select(m => m.Mesure)], ct, m => m.Version - m.NewFacts.Count, leftOut: nameof(Mesure.Decision));
        if (updated != changed.Count)
        {
            throw new IntakeConflictException();
        }

        await DeadlinePlan.WriteAsync((NpgsqlConnection)db.Database.GetDbConnection(), plans, ct);
        await db.BulkInsertAsync([.. changed.SelectMany(m => m.NewRencontres)], ct);
        await db.BulkUpdateAsync([.. changed.SelectMany(m => m.ChangedRencontres.Except(m.NewRencontres))], ct);
        foreach (var named in _mesures.Values.SelectMany(m => m.NamedRencontres.Except(m.NewRencontres)).OrderBy(r => r.Id))
        {
            if (await db.Rencontres.Where(r => r.Id == named.Id && (r.ExternalId == null || r.ExternalId == named.ExternalId)).ExecuteUpdateAsync(
                set => set.SetProperty(r => r.SourceSystem, named.SourceSystem).SetProperty(r => r.ExternalId, named.ExternalId), ct) != 1)
            {
                throw new IntakeConflictException();
            }
        }

        await db.BulkInsertAsync([.. changed.SelectMany(m => m.NewFreeSlots)], ct);
        foreach (var slot in changed.SelectMany(m => m.TakenFreeSlots).OrderBy(s => s.Id))
        {
            // What was taken alone: its offer may have been made since the slot was read.
            if (await db.FreeSlots.Where(s => s.Id == slot.Id && s.Version == slot.Version - 1).ExecuteUpdateAsync(
                set => set.SetProperty(s => s.TakenByMesureId, slot.TakenByMesureId).SetProperty(s => s.TakenByRencontreId, slot.TakenByRencontreId)
                    .SetProperty(s => s.TakenAt, slot.TakenAt).SetProperty(s => s.OfferDueAt, slot.OfferDueAt).SetProperty(s => s.Version, slot.Version), ct) != 1)
            {
                throw new IntakeConflictException();
            }
        }

        // A party has one that is booked: the old one goes first.
        await db.BulkUpdateAsync([.. changed.SelectMany(m => m.ChangedInterviews.Except(m.NewInterviews))], ct);
        await db.BulkInsertAsync([.. changed.SelectMany(m => m.NewInterviews)], ct);
        await db.BulkUpdateAsync([.. _places.InterviewSlots.Values], ct);
        await db.BulkInsertAsync([.. changed.SelectMany(m => m.NewDifficulties)], ct);
        await db.BulkUpdateAsync([.. changed.SelectMany(m => m.ChangedDifficulties.Except(m.NewDifficulties))], ct);
        await db.BulkInsertAsync([.. changed.SelectMany(m => m.NewAlerts)], ct);
        await db.BulkInsertAsync([.. changed.SelectMany(m => m.NewExchanges)], ct);
        await db.PublishAsync(_events, ct);
        await db.BulkInsertAsync([.. _incoming.Select(j => j.Row)], ct);
        await db.BulkUpdateAsync([.. _released.Select(j => j.Row)], ct);
        await WriteSourcesAsync(gestionnaireId, [.. admitted.Select(i => i.SourceSystem).Distinct().Order(StringComparer.Ordinal)], ct);
    }

    /// <summary>The deadlines of what was changed.</summary>
    private async Task<List<DeadlinePlan>> PlanAsync(List<MesureRows> changed, CancellationToken ct)
    {
        Guid[] open = [.. changed.Where(m => DeadlineTable.AsksForDifficulties(m.Mesure.Status) && m.Mesure.Status.OpenDifficulties > m.NewDifficulties.Count).Select(m => m.Mesure.Id)];
        var difficulties = open.Length == 0
            ? []
            : await db.Difficulties.AsNoTracking().Where(d => open.Contains(d.MesureId) && d.State != DifficultyState.Answered).ToListAsync(ct);
        var ofMesure = difficulties.ToLookup(d => d.MesureId);
        Guid[] dated = [.. changed.Where(m => DeadlineTable.AsksForInterviews(m.Mesure.Status)).Select(m => m.Mesure.Id)];
        var interviews = dated.Length == 0
            ? []
            : await db.Interviews.AsNoTracking().Where(i => dated.Contains(i.MesureId) && i.State == InterviewState.Booked).ToListAsync(ct);
        var booked = interviews.ToLookup(i => i.MesureId);

        // What the batch itself changed is not written yet.
        var mayBeTold = changed.Where(m => DeadlinePlan.MayBeTold(m.Mesure, m.Mesure.NewFacts[^1].RecordedAt)).Select(m => m.Mesure.Id).ToHashSet();
        var plans = changed.ConvertAll(m => DeadlinePlan.Of(
            m.Mesure,
            m.NewDifficulties.Concat(m.ChangedDifficulties).Concat(ofMesure[m.Mesure.Id]).DistinctBy(d => d.Id),
            DeadlineTable.AsksForInterviews(m.Mesure.Status) ? m.Interviews.Concat(booked[m.Mesure.Id]).DistinctBy(i => i.Id) : []));
        if (mayBeTold.Count > 0)
        {
            var now = changed.Max(m => m.Mesure.NewFacts[^1].RecordedAt);
            _events.AddRange(await DeadlinePlan.LiftedAsync(db, [.. changed.Select(m => m.Mesure).Zip(plans).Where(p => mayBeTold.Contains(p.First.Id))], now, ct));
        }

        return plans;
    }

    private async Task WriteSequencesAsync(CancellationToken ct)
    {
        if (_changedSequences.Count == 0)
        {
            return;
        }

        var rows = _changedSequences.OrderBy(s => s.MesureId).ThenBy(s => s.SourceSystem, StringComparer.Ordinal).ToList();
        await using var command = new NpgsqlCommand("""
            insert into intake_sequences as s (mesure_id, source_system, next_sequence, version)
            select * from unnest($1, $2, $3, $4)
            on conflict (mesure_id, source_system) do update set next_sequence = excluded.next_sequence, version = excluded.version
            where s.version = excluded.version - 1
            """, (NpgsqlConnection)db.Database.GetDbConnection())
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. rows.Select(s => s.MesureId)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(s => s.SourceSystem)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. rows.Select(s => s.NextSequence)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. rows.Select(s => s.Version + 1)] },
            },
        };
        if (await command.ExecuteNonQueryAsync(ct) != rows.Count)
        {
            throw new IntakeConflictException();
        }
    }

    // Once a day and source. Who comes second on the same day changes nothing.
    private async Task WriteSourcesAsync(Guid gestionnaireId, string[] systems, CancellationToken ct)
    {
        if (systems.Length == 0)
        {
            return;
        }

        var known = await db.IntakeSources.AsNoTracking().Where(s => s.GestionnaireId == gestionnaireId && systems.Contains(s.SourceSystem)).ToDictionaryAsync(s => s.SourceSystem, ct);
        foreach (var system in systems)
        {
            var source = known.GetValueOrDefault(system) ?? new IntakeSource { GestionnaireId = gestionnaireId, SourceSystem = system };
            if (source.Report(now.DayInParis()))
            {
                await db.Database.ExecuteSqlAsync(
                    $"""
                    insert into intake_sources as s (gestionnaire_id, source_system, last_day, gaps, silent_after, silences, silence_told)
                    values ({source.GestionnaireId}, {source.SourceSystem}, {source.LastDay}, {source.Gaps}, {source.SilentAfter}, {source.Silences}, false)
                    on conflict (gestionnaire_id, source_system) do update
                    set last_day = excluded.last_day, gaps = excluded.gaps, silent_after = excluded.silent_after, silence_told = false
                    where s.last_day < excluded.last_day
                    """, ct);
            }
        }
    }

    private static ItemResult ToProto(Judged judged)
    {
        var row = judged.Row;
        var result = new ItemResult
        {
            Result = row.Result,
            Reason = row.Reason,
            Description = row.Description,
            FirstResult = judged.First?.Result ?? IntakeResult.Unspecified,
            GapBefore = row.GapBefore,
            State = judged.State != MesureState.Unspecified ? judged.State : judged.Mesure?.Mesure.Status.State ?? MesureState.Unspecified,
            RencontreId = judged.RencontreId?.ToString() ?? "",
        };
        result.Violations.AddRange(judged.Violations.Select(v => new ItemViolation { Field = v.Field, Description = v.Description }));
        return result;
    }

    /// <summary>An act that may be applied in this batch, and whether it came with an earlier one.</summary>
    private sealed record Concern(MesureRows Rows, string SourceSystem, StatusAct Act, bool Waited);

    /// <summary>An item on its way through the batch.</summary>
    private sealed class Judged(IntakeItem row)
    {
        public IntakeItem Row => row;

        public StatusAct? Act { get; set; }

        /// <summary>Whether it came with an earlier report.</summary>
        public bool Stored { get; init; }

        /// <summary>Null when the caller does not hold it.</summary>
        public MesureRows? Mesure { get; set; }

        /// <summary>The item of which it is a duplicate.</summary>
        public IntakeItem? First { get; set; }

        public MesureState State { get; set; }

        public Guid? RencontreId { get; set; }

        public IReadOnlyList<FieldViolation> Violations { get; set; } = [];
    }
}
