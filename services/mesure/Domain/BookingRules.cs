using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Rules;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>A rencontre as it would be booked.</summary>
/// <param name="StartsAt">Start.</param>
/// <param name="Minutes">Length; of a remise, of each half.</param>
/// <param name="Zone">Clock of the lieu.</param>
/// <param name="LieuId">The lieu, if it is known.</param>
/// <param name="Kind">Visite or remise.</param>
/// <param name="ReturnsAt">Start of the return of a remise.</param>
/// <param name="Outing">Whether it leaves the premises.</param>
internal sealed record PlannedRencontre(
    DateTimeOffset StartsAt, int Minutes, TimeZoneInfo Zone, Guid? LieuId, RencontreKind Kind = RencontreKind.Visite, DateTimeOffset? ReturnsAt = null, bool Outing = false)
{
    /// <summary>Its day at the lieu.</summary>
    public DateOnly Day => Zone.DayOf(StartsAt);

    /// <summary>Its last day at the lieu: that of the return of a remise.</summary>
    public DateOnly LastDay => Zone.DayOf(ReturnsAt ?? StartsAt);
}

/// <summary>Something to know of a booking.</summary>
/// <param name="Code">Stable code.</param>
/// <param name="Description">What it is, in English, without personal data.</param>
/// <param name="DescriptionFr">What it is, in French, for a person.</param>
/// <param name="Refuses">Whether it stands against any booking; else only against one in a series.</param>
internal sealed record BookingFinding(string Code, string Description, string DescriptionFr, bool Refuses = false)
{
    /// <summary>Whether it stands against a booking in a series: there only another length than the decision's does not.</summary>
    public bool RefusesInSeries => Code != BookingRules.LengthDiffers;
}

/// <summary>What a booking is compared with.</summary>
/// <param name="Ordered">The terms of a mesure without versions.</param>
/// <param name="Versions">All versions of the terms; empty while they were never modified.</param>
/// <param name="Term">Last day of the mesure; null while it cannot be known.</param>
/// <param name="Own">The rencontres of the mesure, all of them.</param>
/// <param name="Offsets">When its sides wish to come and leave.</param>
/// <param name="Others">When other families are there, of the same modalité.</param>
/// <param name="Capacity">Families at the same time; null when the espace does not say.</param>
internal sealed record BookingContext(
    Decision Ordered, IReadOnlyList<DecisionVersion> Versions, DateOnly? Term, IReadOnlyList<Rencontre> Own, PartyOffsets Offsets, IReadOnlyList<Stay> Others,
    int? Capacity)
{
    /// <summary>Where bookings are made; null where no lieu is looked at.</summary>
    public Premises? Premises { get; init; }

    /// <summary>The first day on which the periodicity is counted; null when nothing is booked yet.</summary>
    public DateOnly? Anchor => Counted(Own).Select(r => r.Day).Order().Cast<DateOnly?>().FirstOrDefault();

    /// <summary>The terms in force on a day.</summary>
    public Decision TermsOn(DateOnly day) => Versions.InForceOn(day, Ordered);

    /// <summary>When the sides come and leave on a day.</summary>
    public Arrivals ArrivalsOn(DateOnly day) => Arrivals.Of(Offsets, Arrivals.MustBeSeparated(TermsOn(day)));

    /// <summary>Those that count in the periodicity: held, or to be held.</summary>
    public static IEnumerable<Rencontre> Counted(IEnumerable<Rencontre> rencontres) =>
        rencontres.Where(r => r.Outcome is RencontreOutcome.Scheduled or RencontreOutcome.Held);
}

/// <summary>Where bookings of a mesure are made.</summary>
/// <param name="Espace">Its espace, as the directory told last.</param>
/// <param name="Judicial">Whether a judge ordered the mesure: only then the lieu needs an agrément.</param>
/// <param name="Now">Now: what is recorded afterwards took place there.</param>
internal sealed record Premises(EspaceView Espace, bool Judicial, DateTimeOffset Now)
{
    /// <summary>Whether the mesure may be received in a lieu on a day, as far as its agrément goes.</summary>
    public bool Cover(Guid lieuId, DateOnly day) => !Judicial || !Espace.TellsApart(lieuId) || Espace.ApprovedOn(day, lieuId);
}

/// <summary>
/// What is looked at when a rencontre is booked: the rules of <see cref="Rules"/> one by one. What the decision does not grant
/// and a full espace refuse; the rest is told to the espace, which may have its reasons, and refuses in a series.
/// </summary>
internal static class BookingRules
{
    /// <summary>It lies after the term.</summary>
    public const string AfterTerm = "AFTER_TERM";

    /// <summary>Its lieu is none of the espace.</summary>
    public const string LieuUnknown = "LIEU_UNKNOWN";

    /// <summary>No agrément of the espace covers its lieu.</summary>
    public const string LieuNotApproved = "LIEU_NOT_APPROVED";

    /// <summary>It leaves the premises and the decision grants no outing.</summary>
    public const string OutingNotGranted = "OUTING_NOT_GRANTED";

    /// <summary>It is a remise, which the decision neither orders nor grants.</summary>
    public const string RemiseNotGranted = "REMISE_NOT_GRANTED";

    /// <summary>The same in English.</summary>
    public const string RemiseNotGrantedText = "The decision neither orders nor grants handovers.";

    /// <summary>The periodicity allows no more in its interval.</summary>
    public const string TooFrequent = "TOO_FREQUENT";

    /// <summary>It is longer or shorter than the decision says.</summary>
    public const string LengthDiffers = "LENGTH_DIFFERS";

    /// <summary>The espace receives as many families as it declared.</summary>
    public const string EspaceFull = "ESPACE_FULL";

    /// <summary>The espace is not open then for the modalité.</summary>
    public const string NotOpen = "NOT_OPEN";

    /// <summary>Another rencontre of the mesure lies at that time.</summary>
    public const string OverlapsOther = "OVERLAPS_OTHER";

    // What refuses first.
    private static readonly IBookingRule[] s_all =
    [
        new RencontreLiesWithinTheTerm(), new LieuIsOfTheEspace(), new LieuIsApproved(), new OutingIsGrantedWhereBooked(), new RemiseIsGrantedWhereBooked(),
        new EspaceHasRoom(), new EspaceIsOpen(),
        new OverlapsNoOther(), new PeriodicityIsKept(), new LengthIsKept(),
    ];

    /// <summary>What is found, what refuses first.</summary>
    /// <param name="context">What is compared with.</param>
    /// <param name="planned">The rencontre.</param>
    /// <param name="overCapacity">Whether the espace goes beyond its capacity on purpose.</param>
    /// <param name="open">Whether the espace is open then; null when that is not known.</param>
    public static IReadOnlyList<BookingFinding> Look(BookingContext context, PlannedRencontre planned, bool overCapacity, bool? open)
    {
        var booking = new LookedAtBooking(context, planned, context.TermsOn(planned.Day), overCapacity, open);
        return [.. s_all.Select(rule => rule.Look(booking)).OfType<BookingFinding>()];
    }

    /// <summary>Whether the espace is full at some moment of a rencontre.</summary>
    public static bool IsFull(BookingContext context, PlannedRencontre planned) =>
        Occupancy.IsFull(context.Capacity, context.Others, Occupancy.StaysOf(planned.StartsAt, planned.Minutes, planned.ReturnsAt, context.ArrivalsOn(planned.Day)));

    /// <summary>Whether a rencontre lies at the time of another one of its mesure that is still scheduled.</summary>
    public static bool Overlaps(IEnumerable<Rencontre> own, PlannedRencontre planned) => own.Any(r =>
        r.Outcome == RencontreOutcome.Scheduled
        && r.StartsAt < (planned.ReturnsAt ?? planned.StartsAt).AddMinutes(planned.Minutes) && planned.StartsAt < r.EndsAt);
}
