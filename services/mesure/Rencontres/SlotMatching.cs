using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;
using Mesure = Jafer.Mesures.Domain.Mesure;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;

namespace Jafer.Mesures.Rencontres;

/// <summary>Which of the families that wait a free slot fits: what the list, the offer and the taking of it share.</summary>
internal sealed class SlotMatching(MesuresDbContext db, Bookings bookings, EspaceSchedule schedule, IServiceScopeFactory scopes)
{
    /// <summary>Mesures that wait at the espace of a slot with nothing booked, in the order of offering; whether it fits is not looked at yet but for what the database can tell.</summary>
    public IQueryable<Mesure> Waiting(FreeSlot slot, SlotClaim? after)
    {
        var day = DayOf(slot);
        return db.Mesures.AsNoTracking().Where(m => m.EspaceId == slot.EspaceId && m.GestionnaireId == slot.GestionnaireId
                && m.Decision.Modalite == slot.Modalite && m.Status.PendingRencontres == 0
                && (m.Status.State == MesureState.EnAttente || m.Status.State == MesureState.EnCours)
                && (m.Decision.RencontreMinutes == null || m.Decision.RencontreMinutes <= slot.DurationMinutes)
                && (m.Term == null || m.Term >= day))
            .After(after, day).InOrderOfOffering(day);
    }

    /// <summary>The day of a slot at its lieu.</summary>
    public static DateOnly DayOf(FreeSlot slot) => TimeZoneInfo.FindSystemTimeZoneById(slot.TimeZone).DayOf(slot.StartsAt);

    /// <summary>Those of some mesures that the slot fits, in their order.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="mesures">The mesures.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<Mesure>> FittingAsync(FreeSlot slot, IReadOnlyList<Mesure> mesures, DateTimeOffset now, CancellationToken ct)
    {
        if (mesures.Count == 0)
        {
            return [];
        }

        var ids = mesures.Select(m => m.Id).ToList();
        var zone = TimeZoneInfo.FindSystemTimeZoneById(slot.TimeZone);
        var rencontres = (await db.Rencontres.AsNoTracking().Where(r => ids.Contains(r.MesureId)).ToListAsync(ct)).ToLookup(r => r.MesureId);
        var versions = (await db.DecisionVersions.AsNoTracking().Where(v => ids.Contains(v.MesureId)).ToListAsync(ct)).ToLookup(v => v.MesureId);
        var parties = (await db.Parties.AsNoTracking().Where(p => ids.Contains(p.MesureId)).ToListAsync(ct)).ToLookup(p => p.MesureId);
        var children = (await db.Children.AsNoTracking().Where(c => ids.Contains(c.MesureId)).ToListAsync(ct)).ToLookup(c => c.MesureId);
        var (others, capacity) = await bookings.OthersAsync(slot.EspaceId, slot.Modalite, slot.StartsAt, slot.StartsAt.AddMinutes(slot.DurationMinutes), lockBookings: false, ct);
        var espace = await db.EspaceAsync(slot.EspaceId, ct);
        var around = await AroundAsync(slot, zone, [.. parties.SelectMany(p => p).Select(p => p.IdentityIndex).OfType<string>().Distinct()], ct);
        return
        [
            .. mesures.Where(mesure =>
            {
                var booking = Bookings.ContextOf(mesure, [.. versions[mesure.Id]], [.. rencontres[mesure.Id]], [.. parties[mesure.Id]]) with
                {
                    Others = others,
                    Capacity = capacity,
                    Premises = espace is null ? null : Bookings.PremisesOf(mesure, espace, now),
                };
                var planned = SlotFit.Planned(slot, booking.TermsOn(DayOf(slot)), zone, null);
                return SlotFit.Look(
                    booking, planned, slot.Modalite, mesure.Id, children[mesure.Id].Select(c => c.BirthDate).OfType<DateOnly>(),
                    [.. parties[mesure.Id].Select(p => p.IdentityIndex).OfType<string>()], around).Count == 0;
            }),
        ];
    }

    /// <summary>What stands against a mesure that takes a slot; the capacity is looked at when it is booked.</summary>
    public async Task<IReadOnlyList<BookingFinding>> LookAsync(
        FreeSlot slot, Mesure mesure, BookingContext booking, PlannedRencontre planned, DateTimeOffset now, CancellationToken ct)
    {
        var parties = await db.Parties.AsNoTracking().Where(p => p.MesureId == mesure.Id && p.IdentityIndex != null).Select(p => p.IdentityIndex!).ToListAsync(ct);
        var children = await db.Children.AsNoTracking().Where(c => c.MesureId == mesure.Id).ToListAsync(ct);
        var espace = await db.EspaceAsync(slot.EspaceId, ct);
        var around = await AroundAsync(slot, planned.Zone, parties, ct);
        return SlotFit.Look(
            booking with { Premises = espace is null ? null : Bookings.PremisesOf(mesure, espace, now) }, planned, slot.Modalite, mesure.Id,
            children.Select(c => c.BirthDate).OfType<DateOnly>(), parties, around);
    }

    /// <summary>The espace and the other families of the half-day of a slot, as far as they matter to some parties.</summary>
    private async Task<SlotSurroundings> AroundAsync(FreeSlot slot, TimeZoneInfo zone, List<string> parties, CancellationToken ct)
    {
        // The other families are those of every court: no caller sees them all, and none is told more than that the slot does not fit.
        await using var scope = db.ServesTenant ? scopes.CreateAsyncScope() : (AsyncServiceScope?)null;
        var all = scope?.ServiceProvider.GetRequiredService<MesuresDbContext>() ?? db;
        var half = HalfDay.Of(slot.StartsAt, slot.DurationMinutes, zone);
        var (from, to) = (half.From.AddHours(-Occupancy.MaxHours), half.To.AddHours(Occupancy.MaxHours));
        var there = await all.Rencontres.AsNoTracking().Where(r => r.EspaceId == slot.EspaceId
            && ((r.Outcome == RencontreOutcome.Scheduled && r.StartsAt > from && r.StartsAt < to)
                || (r.ReturnOutcome == RencontreOutcome.Scheduled && r.ReturnsAt > from && r.ReturnsAt < to))).ToListAsync(ct);
        var families = there.Where(r => Occupancy.StaysOf(r).Any(half.Holds)).Select(r => r.MesureId).Distinct().ToList();
        var present = families.Count == 0 || parties.Count == 0 ? [] : await all.Parties.AsNoTracking()
            .Where(p => families.Contains(p.MesureId) && p.IdentityIndex != null).Select(p => new { p.MesureId, p.IdentityIndex }).ToListAsync(ct);
        var linked = present.Count == 0 ? [] : await (
            from own in all.Parties
            join mesure in all.Mesures on own.MesureId equals mesure.Id
            join other in all.Parties on own.MesureId equals other.MesureId
            where parties.Contains(own.IdentityIndex!) && other.IdentityIndex != null && other.Id != own.Id && mesure.Status.State != MesureState.Cloturee
            select new { Own = own.IdentityIndex!, Other = other.IdentityIndex!, mesure.Decision.InterdictionDeContact, mesure.Decision.LegalBasis, mesure.Decision.Situations }).ToListAsync(ct);
        var apart = linked.Where(l => Domain.Arrivals.MustBeSeparated(l.InterdictionDeContact, l.LegalBasis, l.Situations)).ToLookup(l => l.Own, l => l.Other);
        return new(
            await schedule.AgesAsync(slot.EspaceId, slot.Modalite, ct), [.. present.Select(p => (p.MesureId, p.IdentityIndex!))], apart);
    }
}
