using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using RencontreOutcome = Jafer.Contracts.Mesure.V1.RencontreOutcome;

namespace Jafer.Directory.Search;

/// <summary>
/// Notes which mesures came to which espace, for the balance of what comes against places, when they took their steps to the first
/// rencontre, for the waits that are observed, and for how long they take a place, for the forecast. A mesure that goes on at another
/// espace counts there alone.
/// </summary>
internal sealed class DemandProjection : IEventHandler<DirectoryDbContext>
{
    /// <summary>What it listens to.</summary>
    public static readonly Type[] Subscriptions =
    [
        typeof(MesureTransmitted), typeof(MesureCreated), typeof(ContactRecorded), typeof(RencontreScheduled), typeof(RencontreHeld), typeof(RencontreOutcomeCorrected),
        typeof(MesureModified), typeof(MesureClosed), typeof(MesureReopened),
    ];

    private static readonly string s_held = RencontreOutcome.Held.ToCode();

    // Of the events that are applied together: what was known of each mesure before. A mesure of which one of them changed something is taken out.
    private Dictionary<Guid, Known> _before = [];

    // Most rencontres are not the first of their mesure and change nothing here: one question tells of all of them, none asks for itself.
    public async Task PrepareAsync(DirectoryDbContext db, IReadOnlyList<DomainEvent> messages, CancellationToken ct)
    {
        Guid[] mesures = messages.Count < 2 ? [] : [.. messages.Select(m => m.AggregateId).Distinct()];
        _before = mesures.Length == 0 ? [] : (await db.Database.SqlQuery<Known>($"""
            select m.id as "Id", r.mesure_id is not null as "Received", r.contacted_on as "ContactedOn", r.scheduled_on as "ScheduledOn",
                r.planned_on as "PlannedOn", r.placed_on as "PlacedOn", r.first_held_on as "FirstHeldOn", r.first_held_id as "FirstHeldId"
            from unnest({mesures}) m (id) left join mesure_receptions r on r.mesure_id = m.id
            """).ToListAsync(ct)).ToDictionary(k => k.Id);
    }

    public Task HandleAsync(DirectoryDbContext db, DomainEvent message, CancellationToken ct)
    {
        if (_before.TryGetValue(message.AggregateId, out var known) && !known.Changes(message))
            return Task.CompletedTask;
        _before.Remove(message.AggregateId);
        return ApplyAsync(db, message, ct);
    }

    private static Task ApplyAsync(DirectoryDbContext db, DomainEvent message, CancellationToken ct) => message switch
    {
        // A draft of a court is no demand yet.
        MesureTransmitted or MesureCreated { JuridictionId: null } => ReceivedAsync(db, (TermsEvent)message, ct),
        MesureModified modified => ModifiedAsync(db, modified, ct),
        ContactRecorded { Reached: true } contact => ContactedAsync(db, contact, contact.OccurredAt.DayInParis(), ct),
        RencontreScheduled scheduled => ScheduledAsync(db, scheduled, scheduled.OccurredAt.DayInParis(), scheduled.StartsAt.DayInParis(), ct),
        RencontreHeld held => HeldAsync(db, held, held.RencontreId, held.StartsAt.DayInParis(), ct),
        RencontreOutcomeCorrected corrected when corrected.Outcome == s_held => HeldAsync(db, corrected, corrected.RencontreId, corrected.StartsAt.DayInParis(), ct),
        RencontreOutcomeCorrected corrected => NotHeldAsync(db, corrected, ct),
        MesureClosed closed => ClosedAsync(db, closed, closed.OccurredAt.DayInParis(), ct),
        MesureReopened reopened => ClosedAsync(db, reopened, null, ct),
        _ => Task.CompletedTask,
    };

    private static async Task ReceivedAsync(DirectoryDbContext db, TermsEvent came, CancellationToken ct)
    {
        if (came is not { EspaceId: { } espace, Modalite: { } modalite })
            return;
        var left = (came as MesureTransmitted)?.PredecessorMesureId;
        await db.LockPlaceAsync(came.AggregateId, ct);
        await db.ReviseAsync($"""
            select id as "Value" from espaces
            where id = {espace} or id = any (select espace_id from mesure_receptions where mesure_id in ({came.AggregateId}, {left}))
                or id = (select espace_id from place_holds where mesure_id = {came.AggregateId})
            order by id for no key update
            """, ct);
        // The place that was held for it, there or elsewhere, is this reception from now on.
        await db.Database.ExecuteSqlAsync($"delete from place_holds where mesure_id = {came.AggregateId}", ct);
        await db.Database.ExecuteSqlAsync($"delete from mesure_receptions where mesure_id = {left}", ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into mesure_receptions (
                mesure_id, espace_id, modalite, received_on, version, transmitted, steps_known, juridiction_id, rencontres_per_year, duration_months, term_on)
            values (
                {came.AggregateId}, {espace}, {modalite}, {came.OccurredAt.DayInParis()}, {came.AggregateVersion}, {came is MesureTransmitted}, true, {came.JuridictionId},
                {came.RencontresPerYear}, {came.DurationMonths}, {came.TermDate})
            on conflict (mesure_id) do update set espace_id = excluded.espace_id, modalite = excluded.modalite,
                received_on = excluded.received_on, version = excluded.version, transmitted = excluded.transmitted, juridiction_id = excluded.juridiction_id,
                rencontres_per_year = excluded.rencontres_per_year, duration_months = excluded.duration_months, term_on = excluded.term_on
            where mesure_receptions.version < excluded.version
            """, ct);
    }

    private static async Task ContactedAsync(DirectoryDbContext db, MesureEvent told, DateOnly day, CancellationToken ct)
    {
        if (!await db.ReviseAsync($"""
            select id as "Value" from espaces where id = (
                select espace_id from mesure_receptions where mesure_id = {told.AggregateId} and (contacted_on is null or contacted_on > {day}))
            for no key update
            """, ct))
            return;
        await db.Database.ExecuteSqlAsync($"""
            update mesure_receptions set contacted_on = {day} where mesure_id = {told.AggregateId} and (contacted_on is null or contacted_on > {day})
            """, ct);
    }

    // Of a series that is scheduled at once, the first date counts. A freed slot is a rencontre, and no place.
    private static async Task ScheduledAsync(DirectoryDbContext db, RencontreScheduled told, DateOnly day, DateOnly planned, CancellationToken ct)
    {
        var placed = told.FreeSlotId is null;
        if (!await db.ReviseAsync($"""
            select id as "Value" from espaces where id = (
                select espace_id from mesure_receptions where mesure_id = {told.AggregateId}
                    and (scheduled_on is null or (scheduled_on, planned_on) > ({day}, {planned}) or ({placed} and (placed_on is null or placed_on > {day}))))
            for no key update
            """, ct))
            return;
        await db.Database.ExecuteSqlAsync($"""
            update mesure_receptions set scheduled_on = {day}, planned_on = {planned}
            where mesure_id = {told.AggregateId} and (scheduled_on is null or (scheduled_on, planned_on) > ({day}, {planned}))
            """, ct);
        if (placed)
        {
            await db.Database.ExecuteSqlAsync($"""
                update mesure_receptions set placed_on = {day} where mesure_id = {told.AggregateId} and (placed_on is null or placed_on > {day})
                """, ct);
        }
    }

    // The duration from a first rencontre that is not held yet has no term: with the months it is reckoned from that.
    private static async Task ModifiedAsync(DirectoryDbContext db, MesureModified told, CancellationToken ct)
    {
        if (!await db.ReviseAsync($"""
            select id as "Value" from espaces where id = (
                select espace_id from mesure_receptions where mesure_id = {told.AggregateId} and revised_version < {told.AggregateVersion})
            for no key update
            """, ct))
            return;
        await db.Database.ExecuteSqlAsync($"""
            update mesure_receptions set revised_on = {told.OccurredAt.DayInParis()}, revised_months = {told.DurationMonths}, revised_term_on = {told.TermDate},
                rencontres_per_year = {told.RencontresPerYear}, revised_version = {told.AggregateVersion}
            where mesure_id = {told.AggregateId} and revised_version < {told.AggregateVersion}
            """, ct);
    }

    // Whichever is told first, the earliest counts. Most are not the first: for them nobody waits for the lock of the revision.
    private static async Task HeldAsync(DirectoryDbContext db, MesureEvent told, Guid rencontre, DateOnly day, CancellationToken ct)
    {
        if (!await db.ReviseAsync($"""
            select id as "Value" from espaces where id = (
                select espace_id from mesure_receptions where mesure_id = {told.AggregateId} and (first_held_on is null or first_held_on > {day}))
            for no key update
            """, ct))
            return;
        // Asked again behind the lock: another may have been told meanwhile.
        await db.Database.ExecuteSqlAsync($"""
            update mesure_receptions set first_held_on = {day}, first_held_id = {rencontre}
            where mesure_id = {told.AggregateId} and (first_held_on is null or first_held_on > {day})
            """, ct);
    }

    // Which one was the next is not kept: until another is told, the mesure waits again.
    private static async Task NotHeldAsync(DirectoryDbContext db, RencontreOutcomeCorrected corrected, CancellationToken ct)
    {
        if (!await db.ReviseAsync($"""
            select id as "Value" from espaces where id = (
                select espace_id from mesure_receptions where mesure_id = {corrected.AggregateId} and first_held_id = {corrected.RencontreId})
            for no key update
            """, ct))
            return;
        await db.Database.ExecuteSqlAsync($"""
            update mesure_receptions set first_held_on = null, first_held_id = null
            where mesure_id = {corrected.AggregateId} and first_held_id = {corrected.RencontreId}
            """, ct);
    }

    private static async Task ClosedAsync(DirectoryDbContext db, MesureEvent told, DateOnly? day, CancellationToken ct)
    {
        await db.ReviseAsync($"""
            select id as "Value" from espaces where id = (select espace_id from mesure_receptions where mesure_id = {told.AggregateId}) for no key update
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            update mesure_receptions set closed_on = {day}, closed_version = {told.AggregateVersion}
            where mesure_id = {told.AggregateId} and closed_version < {told.AggregateVersion}
            """, ct);
    }

    /// <summary>What is known of the steps of a mesure.</summary>
    private sealed record Known(
        Guid Id, bool Received, DateOnly? ContactedOn, DateOnly? ScheduledOn, DateOnly? PlannedOn, DateOnly? PlacedOn, DateOnly? FirstHeldOn, Guid? FirstHeldId)
    {
        /// <summary>Whether an event may change it; when in doubt it may. The statements of the event decide.</summary>
        public bool Changes(DomainEvent message) => message switch
        {
            ContactRecorded { Reached: true } contact => Received && !(ContactedOn <= contact.OccurredAt.DayInParis()),
            ContactRecorded => false,
            RencontreScheduled scheduled => Received && (ScheduledOn is not { } on || PlannedOn is not { } planned
                || (scheduled.OccurredAt.DayInParis(), scheduled.StartsAt.DayInParis()).CompareTo((on, planned)) < 0
                || (scheduled.FreeSlotId is null && !(PlacedOn <= scheduled.OccurredAt.DayInParis()))),
            RencontreHeld held => Received && !(FirstHeldOn <= held.StartsAt.DayInParis()),
            RencontreOutcomeCorrected corrected when corrected.Outcome == s_held => Received && !(FirstHeldOn <= corrected.StartsAt.DayInParis()),
            RencontreOutcomeCorrected corrected => FirstHeldId == corrected.RencontreId,
            _ => true,
        };
    }
}
