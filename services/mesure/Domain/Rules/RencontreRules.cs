using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Rules;

/// <summary>A booking that is looked at.</summary>
/// <param name="Context">What it is compared with.</param>
/// <param name="Planned">The rencontre.</param>
/// <param name="Terms">The terms in force on its day.</param>
/// <param name="OverCapacity">Whether the espace goes beyond its capacity on purpose.</param>
/// <param name="Open">Whether the espace is open then; null when that is not known.</param>
internal sealed record LookedAtBooking(BookingContext Context, PlannedRencontre Planned, Decision Terms, bool OverCapacity, bool? Open);

/// <summary>One rule of a booking. Pure.</summary>
internal interface IBookingRule
{
    /// <summary>What stands against it; null when nothing does.</summary>
    BookingFinding? Look(LookedAtBooking booking);
}

/// <summary>
/// No rencontre after the term without a new decision: the judge fixes the duration (CPC 1180-5 al. 1). Where it runs from the
/// first rencontre and none was held, the term is what it would be if the first one booked were; that may still change, so it
/// refuses in a series alone.
/// </summary>
internal sealed class RencontreLiesWithinTheTerm : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking)
    {
        var (context, planned) = (booking.Context, booking.Planned);
        var first = context.Anchor is { } anchor && anchor < planned.Day ? anchor : planned.Day;
        return !(planned.LastDay > (context.Term ?? context.Ordered.Term(first))) ? null : new(
            BookingRules.AfterTerm, "It lies after the term of the mesure.", "Elle se situe après le terme de la mesure.", Refuses: context.Term is not null);
    }
}

/// <summary>
/// The rencontre takes place in the espace that the judge designates (C. civ. 373-2-1, 373-2-9): in one of the lieux that the
/// directory lists, not in one that was closed or is another's. What is recorded afterwards is not looked at.
/// </summary>
internal sealed class LieuIsOfTheEspace : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) =>
        booking is not { Context.Premises: { Espace.LieuIds: { } lieux } premises, Planned: { LieuId: { } lieu } planned }
            || planned.StartsAt <= premises.Now || lieux.Contains(lieu) ? null : new(
            BookingRules.LieuUnknown, "The lieu is none of the espace.", "Ce lieu n'est pas un lieu d'accueil de l'espace.", Refuses: true);
}

/// <summary>
/// A judge designates only an espace with an agrément, which may cover some of its lieux alone (CASF D216-1 and following, décret
/// 2012-1153). A lieu covered neither on the decision date nor on the day of the rencontre refuses. One that lost its agrément
/// since warns, as the loss itself does: the judge decides. A mesure that no judge ordered needs none.
/// </summary>
internal sealed class LieuIsApproved : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking)
    {
        if (booking is not { Context.Premises: { } premises, Planned: { LieuId: { } lieu } planned }
            || planned.StartsAt <= premises.Now || premises.Cover(lieu, planned.Day))
        {
            return null;
        }

        var before = booking.Context.Ordered.Date is { } decided && premises.Cover(lieu, decided);
        return new(
            BookingRules.LieuNotApproved, "No agrément of the espace covers the lieu on that day.", "Aucun agrément de l'espace ne couvre ce lieu à cette date.", Refuses: !before);
    }
}

/// <summary>
/// An outing takes place only where the decision grants it: the judge fixes the modalités (CPC 1180-5 al. 1), and the espace may
/// not go beyond them.
/// </summary>
internal sealed class OutingIsGrantedWhereBooked : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) => !booking.Planned.Outing || booking.Terms.OutingGranted ? null : new(
        BookingRules.OutingNotGranted, "The decision grants no outing.", "La décision n'autorise pas de sortie.", Refuses: true);
}

/// <summary>
/// A remise de l'enfant takes place in an espace only where the decision orders it as modalité or grants it beside: it is the
/// judge who may provide that the child is handed over there (C. civ. 373-2-1 al. 4, 373-2-9 al. 4; CPC 1180-5 al. 1), since the
/// visit itself then goes on out of the espace's sight.
/// </summary>
internal sealed class RemiseIsGrantedWhereBooked : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) => booking.Planned.Kind != RencontreKind.Remise || booking.Terms.GrantsRemises ? null : new(
        BookingRules.RemiseNotGranted, BookingRules.RemiseNotGrantedText, "La décision n'ordonne ni n'autorise de remise de l'enfant.", Refuses: true);
}

/// <summary>The espace receives no more families at the same time than it declared (CASF D216-3: capacities of reception), unless it means to.</summary>
internal sealed class EspaceHasRoom : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) => booking.OverCapacity || !BookingRules.IsFull(booking.Context, booking.Planned) ? null : new(
        BookingRules.EspaceFull, "The espace then receives as many families as it declared.", "L'espace accueille alors déjà autant de familles que déclaré.", Refuses: true);
}

/// <summary>The espace is open for the modalité: its own hours, less holidays and closures.</summary>
internal sealed class EspaceIsOpen : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) => booking.Open != false ? null : new(
        BookingRules.NotOpen, "The espace is not open then for the modalité.", "L'espace n'est pas ouvert à ce moment pour cette modalité.");
}

/// <summary>A family has one rencontre at a time.</summary>
internal sealed class OverlapsNoOther : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) => !BookingRules.Overlaps(booking.Context.Own, booking.Planned) ? null : new(
        BookingRules.OverlapsOther, "Another rencontre of the mesure lies at that time.", "Une autre rencontre de la mesure a lieu au même moment.");
}

/// <summary>No more rencontres than the periodicity of the decision allows (CPC 1180-5 al. 1).</summary>
internal sealed class PeriodicityIsKept : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking)
    {
        if (Cadence.Of(booking.Terms) is not { } cadence)
        {
            return null;
        }

        var anchor = booking.Context.Anchor ?? booking.Planned.Day;
        var interval = cadence.IntervalOf(booking.Planned.Day, anchor);
        return BookingContext.Counted(booking.Context.Own).Count(r => cadence.IntervalOf(r.Day, anchor) == interval) < cadence.Count ? null : new(
            BookingRules.TooFrequent, "The periodicity allows no more in that interval.", "La périodicité fixée est déjà atteinte pour cette période.");
    }
}

/// <summary>A visite is as long as the decision says (CPC 1180-5 al. 1); of a remise the length is that of the handing over.</summary>
internal sealed class LengthIsKept : IBookingRule
{
    public BookingFinding? Look(LookedAtBooking booking) =>
        booking.Planned.Kind != RencontreKind.Visite || booking.Terms.RencontreMinutes is not { } minutes || minutes == booking.Planned.Minutes ? null : new(
            BookingRules.LengthDiffers, "It is longer or shorter than the decision says.", "Sa durée diffère de celle que fixe la décision.");
}
