using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using DecisionVersion = Jafer.Mesures.Domain.DecisionVersion;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Party = Jafer.Mesures.Domain.Party;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Rencontres;

/// <summary>Books rencontres by the rules, and keeps the slots that lost ones leave.</summary>
internal sealed class Bookings(MesuresDbContext db, IServiceScopeFactory scopes)
{
    /// <summary>What bookings are compared with, without other families: those are asked for apart.</summary>
    public async Task<BookingContext> ContextAsync(Mesure mesure, CancellationToken ct)
    {
        var own = await db.Rencontres.Where(r => r.MesureId == mesure.Id).ToListAsync(ct);
        var versions = await db.DecisionVersions.AsNoTracking().Where(v => v.MesureId == mesure.Id).ToListAsync(ct);
        var parties = await db.Parties.AsNoTracking().Where(p => p.MesureId == mesure.Id).ToListAsync(ct);
        return ContextOf(mesure, versions, own, parties);
    }

    /// <summary>What bookings are compared with, from what is the mesure's own.</summary>
    public static BookingContext ContextOf(
        Mesure mesure, IReadOnlyList<DecisionVersion> versions, IReadOnlyList<Rencontre> own, IReadOnlyCollection<Party> parties) =>
        new(mesure.Decision, versions, mesure.Term, own, PartyOffsets.Of(parties), [], null);

    /// <summary>Where bookings of a mesure are made.</summary>
    public static Premises PremisesOf(Mesure mesure, EspaceView espace, DateTimeOffset now) => new(espace, mesure.Nature == MesureNature.Judiciaire, now);

    /// <summary>
    /// The families of a modalité that an espace receives between two times, and how many it receives at once; nothing where it
    /// does not say. To book, its other bookings of the modalité wait until this one is decided; to look, nothing waits.
    /// </summary>
    public async Task<(IReadOnlyList<Stay> Others, int? Capacity)> OthersAsync(
        Guid? espaceId, Modalite modalite, DateTimeOffset from, DateTimeOffset to, bool lockBookings, CancellationToken ct)
    {
        if (espaceId is not { } id || (await db.EspaceAsync(id, ct))?.CapacityOf(modalite) is not { } capacity)
        {
            return ([], null);
        }

        if (lockBookings)
        {
            if (db.Database.CurrentTransaction is null)
            {
                await db.Database.BeginTransactionAsync(ct);
            }

            var key = $"bookings:{id}:{modalite.ToCode()}";
            await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({key}, 0))", ct);
        }

        var (first, last) = (from.AddHours(-Occupancy.MaxHours), to.AddHours(Occupancy.MaxHours));
        // The other families are those of every court and of who had the espace before: no caller sees them all, and none is told more
        // than that there is no place.
        await using var scope = db.ServesTenant ? scopes.CreateAsyncScope() : (AsyncServiceScope?)null;
        var there = (scope?.ServiceProvider.GetRequiredService<MesuresDbContext>() ?? db).Rencontres.AsNoTracking().Where(r => r.EspaceId == id && r.Modalite == modalite);
        var starting = await there.Where(r => r.Outcome == RencontreOutcome.Scheduled && r.StartsAt > first && r.StartsAt < last).ToListAsync(ct);
        var returning = await there.Where(r => r.ReturnOutcome == RencontreOutcome.Scheduled && r.ReturnsAt > first && r.ReturnsAt < last).ToListAsync(ct);
        return ([.. starting.Concat(returning).DistinctBy(r => r.Id).SelectMany(r => Occupancy.StaysOf(r))], capacity);
    }

    /// <summary>Books one rencontre.</summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="context">What it is compared with.</param>
    /// <param name="planned">The rencontre.</param>
    /// <param name="slot">The free slot to take; null for none.</param>
    /// <param name="overCapacity">Whether the espace goes beyond its capacity on purpose.</param>
    /// <param name="acting">Who and when.</param>
    /// <param name="moved">The rencontre that is moved; null for none.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The rencontre, and what the espace should know of it.</returns>
    /// <exception cref="DomainError">A rule refuses, or the slot does.</exception>
    public async Task<(Rencontre Rencontre, IReadOnlyList<BookingFinding> Warnings)> BookAsync(
        Mesure mesure, BookingContext context, PlannedRencontre planned, FreeSlot? slot, bool overCapacity, Acting acting, Rencontre? moved, CancellationToken ct)
    {
        // What is recorded afterwards was received, whatever the capacity.
        if (planned.StartsAt > acting.Now)
        {
            var (others, capacity) = await OthersAsync(
                mesure.EspaceId, context.TermsOn(planned.Day).Modalite, planned.StartsAt, (planned.ReturnsAt ?? planned.StartsAt).AddMinutes(planned.Minutes), lockBookings: true, ct);
            context = context with { Others = others, Capacity = capacity };
            if (planned.LieuId is not null && mesure.EspaceId is { } espaceId && await db.EspaceAsync(espaceId, ct) is { } espace)
            {
                context = context with { Premises = PremisesOf(mesure, espace, acting.Now) };
            }
        }

        var (rencontre, findings) = Book(mesure, context, planned, slot, overCapacity, acting, moved);
        db.Rencontres.Add(rencontre);
        if (slot is not null)
        {
            db.Publish(Taken(slot, acting));
        }

        return (rencontre, findings);
    }

    /// <summary>Books one rencontre by what is known, or throws and leaves everything as it was.</summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="context">What it is compared with; of its own rencontres, those without outcome at least where one is moved.</param>
    /// <param name="planned">The rencontre.</param>
    /// <param name="slot">The free slot to take; null for none.</param>
    /// <param name="overCapacity">Whether the espace goes beyond its capacity on purpose.</param>
    /// <param name="acting">Who and when.</param>
    /// <param name="moved">The rencontre that is moved; null for none.</param>
    public static (Rencontre Rencontre, IReadOnlyList<BookingFinding> Findings) Book(
        Mesure mesure, BookingContext context, PlannedRencontre planned, FreeSlot? slot, bool overCapacity, Acting acting, Rencontre? moved)
    {
        if (moved is null)
        {
            mesure.RequireBookable();
        }
        else
        {
            mesure.RequireMovable(moved, acting);
            context = Without(context, moved);
        }

        // The term is the mesure's own to refuse, as a matter of its state.
        var findings = BookingRules.Look(context, planned, overCapacity, null).Where(f => f is not { Code: BookingRules.AfterTerm, Refuses: true }).ToList();
        Refuse(findings);
        // As of when it was agreed: software that was offline tells of it when the time of the slot has come.
        slot?.RequireOpenTo(planned, acting.OccurredAt < acting.Now ? acting.OccurredAt : acting.Now);
        var terms = TermsOf(context, planned, slot?.Id, overCapacity);
        var rencontre = moved is null
            ? mesure.ScheduleRencontre(planned.StartsAt, planned.Minutes, planned.Zone, planned.LieuId, acting, terms)
            : mesure.MoveRencontre(moved, planned, terms, Pending(context.Own), acting);
        slot?.Take(rencontre, acting);
        return (rencontre, findings);
    }

    /// <summary>What a booking says beyond time, length and lieu; a capacity that is not passed needs no override.</summary>
    public static BookingTerms TermsOf(BookingContext context, PlannedRencontre planned, Guid? slotId, bool overCapacity) => new()
    {
        Kind = planned.Kind,
        ReturnsAt = planned.ReturnsAt,
        Outing = planned.Outing,
        Modalite = context.TermsOn(planned.Day).Modalite,
        Arrivals = context.ArrivalsOn(planned.Day),
        FreeSlotId = slotId,
        OverCapacity = overCapacity && BookingRules.IsFull(context, planned),
    };

    /// <summary>Throws when a finding refuses.</summary>
    public static void Refuse(IEnumerable<BookingFinding> findings)
    {
        var refusals = findings.Where(f => f.Refuses).ToList();
        if (refusals.Count > 0)
        {
            throw DomainError.RulesViolated([.. refusals.Select(f => new RuleViolation(f.Code, "start_time", f.Description))]);
        }
    }

    /// <summary>A free slot of the espace of a mesure.</summary>
    public async Task<FreeSlot> SlotAsync(Guid slotId, Mesure mesure, CancellationToken ct) =>
        await db.FreeSlots.SingleOrDefaultAsync(s => s.Id == slotId && s.EspaceId == mesure.EspaceId && s.GestionnaireId == mesure.GestionnaireId, ct)
        ?? throw NoSlot();

    /// <summary>The refusal of a slot that the espace of the mesure does not have.</summary>
    public static DomainError NoSlot() => DomainError.Invalid("free_slot_id", "is not a free slot of the espace");

    /// <summary>Keeps the slots that a lost rencontre leaves, for others to take.</summary>
    public IReadOnlyList<FreeSlot> Free(Mesure mesure, Rencontre rencontre, Acting acting)
    {
        var slots = SlotsOf(mesure, rencontre, acting);
        foreach (var slot in slots)
        {
            db.FreeSlots.Add(slot);
            db.Publish(Freed(slot, acting));
        }

        return slots;
    }

    /// <summary>The slots that a lost rencontre leaves.</summary>
    public static IReadOnlyList<FreeSlot> SlotsOf(Mesure mesure, Rencontre rencontre, Acting acting) =>
        (rencontre.EspaceId ?? mesure.EspaceId) is { } espaceId && mesure.GestionnaireId is { } gestionnaireId
            ? FreeSlot.Of(rencontre, espaceId, gestionnaireId, acting)
            : [];

    /// <summary>
    /// After a mesure was closed, however it was: what of its rencontres was still to come will not be, and becomes free.
    /// </summary>
    public async Task ReleaseAsync(Mesure mesure, Acting acting, CancellationToken ct)
    {
        // What has begun is left as it is: it may have been held.
        var lost = await db.Rencontres.Where(r => r.MesureId == mesure.Id && r.Outcome == RencontreOutcome.Scheduled && r.StartsAt > acting.Now).ToListAsync(ct);
        foreach (var rencontre in lost.OrderBy(r => r.StartsAt))
        {
            mesure.ReleaseRencontre(rencontre, acting);
            Free(mesure, rencontre, acting);
        }
    }

    /// <summary>Starts of what has no outcome yet.</summary>
    public static IReadOnlyCollection<DateTimeOffset> Pending(IEnumerable<Rencontre> rencontres) => [.. rencontres.Select(r => r.PendingStart()).OfType<DateTimeOffset>()];

    private static BookingContext Without(BookingContext context, Rencontre moved)
    {
        var others = context.Others.ToList();
        foreach (var stay in Occupancy.StaysOf(moved))
        {
            others.Remove(stay);
        }

        return context with { Own = [.. context.Own.Where(r => r != moved)], Others = others };
    }

    /// <summary>The event of a slot that became free.</summary>
    public static SlotFreed Freed(FreeSlot slot, Acting acting) => new()
    {
        EventId = Guid.CreateVersion7(acting.Now),
        AggregateId = slot.Id,
        AggregateVersion = slot.Version,
        OccurredAt = acting.OccurredAt,
        RecordedAt = acting.Now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        EspaceId = slot.EspaceId,
        GestionnaireId = slot.GestionnaireId,
        LieuId = slot.LieuId,
        StartsAt = slot.StartsAt,
        DurationMinutes = slot.DurationMinutes,
        Modalite = slot.Modalite == Modalite.Unspecified ? null : slot.Modalite.ToCode(),
        RencontreId = slot.RencontreId,
    };

    /// <summary>The event of a slot that a rencontre took.</summary>
    public static SlotTaken Taken(FreeSlot slot, Acting acting) => new()
    {
        EventId = Guid.CreateVersion7(acting.Now),
        AggregateId = slot.Id,
        AggregateVersion = slot.Version,
        OccurredAt = acting.OccurredAt,
        RecordedAt = acting.Now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        EspaceId = slot.EspaceId,
        GestionnaireId = slot.GestionnaireId,
        StartsAt = slot.StartsAt,
        MesureId = slot.TakenByMesureId!.Value,
        RencontreId = slot.TakenByRencontreId!.Value,
    };
}
