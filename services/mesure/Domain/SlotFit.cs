using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>The morning or the afternoon of a day at a lieu, or both where a slot lies across them.</summary>
/// <param name="From">Its begin.</param>
/// <param name="To">Its end, not included.</param>
internal readonly record struct HalfDay(DateTimeOffset From, DateTimeOffset To)
{
    // People go home for lunch: who came in the morning does not meet who comes after it.
    private const int Noon = 13 * 60;

    /// <summary>The half-day of a slot.</summary>
    public static HalfDay Of(DateTimeOffset startsAt, int minutes, TimeZoneInfo zone)
    {
        var (first, last) = (zone.DayOf(startsAt), zone.DayOf(startsAt.AddMinutes(minutes)));
        var (noonBefore, noonAfter) = (zone.At(first, Noon), zone.At(last, Noon));
        return new(startsAt < noonBefore ? zone.At(first, 0) : noonBefore, startsAt.AddMinutes(minutes) <= noonAfter ? noonAfter : zone.At(last, 24 * 60));
    }

    /// <summary>Whether a stay lies in it, wholly or in part.</summary>
    public bool Holds(Stay stay) => stay.From < To && From < stay.To;
}

/// <summary>Ages that an espace receives for a modalité, both included.</summary>
internal readonly record struct ReceivedAges(int Min, int Max)
{
    /// <summary>Whether a child who was born on a day is received on another.</summary>
    public bool Receive(DateOnly born, DateOnly on)
    {
        var age = on.Year - born.Year - (on < born.AddYears(on.Year - born.Year) ? 1 : 0);
        return age >= Min && age <= Max;
    }
}

/// <summary>What of an espace and its other families a slot is matched by.</summary>
/// <param name="Ages">Ages that it receives; null when they are not known.</param>
/// <param name="Present">Parties of other families who are there on the half-day, by their digests, with their mesure.</param>
/// <param name="KeptApart">Of the parties that are asked about, by their digests, from whom decisions of open mesures keep each apart.</param>
internal sealed record SlotSurroundings(ReceivedAges? Ages, IReadOnlyCollection<(Guid MesureId, string Party)> Present, ILookup<string, string> KeptApart);

/// <summary>
/// Whether a free slot fits a mesure: the rules of any booking, and those of an offer, that nobody looks at by hand. Here every
/// finding refuses. Pure.
/// </summary>
internal static class SlotFit
{
    /// <summary>The slot is of another modalité than the terms on its day.</summary>
    public const string ModaliteDiffers = "MODALITE_DIFFERS";

    /// <summary>A child is too young or too old for what the espace receives.</summary>
    public const string AgeNotReceived = "AGE_NOT_RECEIVED";

    /// <summary>The family has a rencontre in the same week, and its periodicity gives no two a week.</summary>
    public const string SameWeek = "SAME_WEEK";

    /// <summary>Somebody is there on that half-day from whom a side is kept apart.</summary>
    public const string KeptApart = "KEPT_APART";

    /// <summary>The rencontre that a mesure would have in a slot: as long as the decision says where that fits, else as the slot.</summary>
    public static PlannedRencontre Planned(FreeSlot slot, Decision terms, TimeZoneInfo zone, DateTimeOffset? returnsAt) => new(
        slot.StartsAt, terms.RencontreMinutes is { } minutes && minutes <= slot.DurationMinutes ? minutes : slot.DurationMinutes, zone, slot.LieuId,
        returnsAt is null ? RencontreKind.Visite : RencontreKind.Remise, returnsAt);

    /// <summary>What stands against it; empty when it fits.</summary>
    /// <param name="booking">What bookings of the mesure are compared with.</param>
    /// <param name="planned">The rencontre in the slot.</param>
    /// <param name="modalite">Modalité of the slot.</param>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="children">When its children were born, as far as that is known.</param>
    /// <param name="parties">Its parties, by their digests.</param>
    /// <param name="around">The espace and its other families.</param>
    public static IReadOnlyList<BookingFinding> Look(
        BookingContext booking, PlannedRencontre planned, Modalite modalite, Guid mesureId, IEnumerable<DateOnly> children, IReadOnlyCollection<string> parties,
        SlotSurroundings around)
    {
        var terms = booking.TermsOn(planned.Day);
        var found = BookingRules.Look(booking, planned, overCapacity: false, open: null).ToList();
        if (terms.Modalite != modalite)
        {
            found.Add(new(ModaliteDiffers, "The slot is of another modalité.", "Le créneau relève d'une autre modalité.", Refuses: true));
        }

        if (around.Ages is { } ages && children.Any(born => !ages.Receive(born, planned.Day)))
        {
            found.Add(new(AgeNotReceived, "The espace does not receive children of this age.", "L'espace ne reçoit pas les enfants de cet âge.", Refuses: true));
        }

        if (!GivesTwoAWeek(terms) && BookingContext.Counted(booking.Own).Any(r => WeekOf(r.Day) == WeekOf(planned.Day)))
        {
            found.Add(new(SameWeek, "The family has another rencontre in that week.", "La famille a déjà une rencontre cette semaine-là.", Refuses: true));
        }

        if (around.Present.Any(p => p.MesureId != mesureId && parties.Any(own => around.KeptApart[own].Contains(p.Party))))
        {
            found.Add(new(
                KeptApart, "Somebody from whom a side is kept apart is there on that half-day.", "Une personne avec laquelle tout contact est à éviter est présente cette demi-journée.",
                Refuses: true));
        }

        return found;
    }

    // The two rencontres of a month may lie in two months and still in one week: an offer shall not bring that about.
    private static bool GivesTwoAWeek(Decision terms) => Cadence.Of(terms) is { } cadence
        && (cadence.Unit == PeriodicityUnit.Week ? cadence.Count > cadence.Interval : cadence.Count > 5 * cadence.Interval);

    // Day 0 of the calendar is a Monday.
    private static int WeekOf(DateOnly day) => day.DayNumber / 7;
}
