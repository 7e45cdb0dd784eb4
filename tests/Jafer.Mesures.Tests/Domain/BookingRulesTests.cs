using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Xunit;
using Arrivals = Jafer.Mesures.Domain.Arrivals;
using Decision = Jafer.Mesures.Domain.Decision;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>What is looked at when a rencontre is booked, and who is on the premises when.</summary>
public sealed class BookingRulesTests
{
    private static readonly DateTimeOffset s_start = new(2026, 12, 5, 9, 0, 0, TimeSpan.Zero);

    private static readonly PlannedRencontre s_planned = new(s_start, 120, TimeZoneInfo.Utc, null);

    private static Arbitrary<PartyOffsets> Offsets => (
        from a in Gen.Choose(-120, 120)
        from b in Gen.Choose(-120, 120)
        from c in Gen.Choose(-120, 120)
        from d in Gen.Choose(-120, 120)
        select new PartyOffsets(a, b, c, d)).ToArbitrary();

    [Fact]
    public void Arrivals_SidesThatMustNotMeet_AreApartAtBothEndsWhateverTheyWish() => Prop.ForAll(Offsets, wished =>
    {
        var arrivals = Arrivals.Of(wished, separated: true);
        return Math.Abs(arrivals.HoteArrival - arrivals.VisiteurArrival) >= Arrivals.Separation
            && Math.Abs(arrivals.HoteDeparture - arrivals.VisiteurDeparture) >= Arrivals.Separation

            // Nobody comes later or leaves earlier than they wish.
            && arrivals.HoteArrival <= wished.HoteArrival && arrivals.VisiteurArrival <= wished.VisiteurArrival
            && arrivals.HoteDeparture >= wished.HoteDeparture && arrivals.VisiteurDeparture >= wished.VisiteurDeparture;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Arrivals_SidesThatMayMeet_ComeAsTheyWish() => Prop.ForAll(Offsets, wished =>
        Arrivals.Of(wished, separated: false) is var a && (a.HoteArrival, a.HoteDeparture, a.VisiteurArrival, a.VisiteurDeparture) == (wished.HoteArrival, wished.HoteDeparture, wished.VisiteurArrival, wished.VisiteurDeparture))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Arrivals_NothingWished_TheHoteComesFirstAndFetchesTheChildLast()
    {
        var arrivals = Arrivals.Of(default, separated: true);

        Assert.Equal((-15, 0, 0, 15), (arrivals.HoteArrival, arrivals.VisiteurArrival, arrivals.VisiteurDeparture, arrivals.HoteDeparture));
    }

    [Fact]
    public void MustBeSeparated_ViolenceNoContactOrProtection_AndNothingElse()
    {
        Assert.True(Arrivals.MustBeSeparated(new Decision { InterdictionDeContact = true }));
        Assert.True(Arrivals.MustBeSeparated(new Decision { LegalBasis = LegalBasis.Article51511 }));
        Assert.True(Arrivals.MustBeSeparated(new Decision { Situations = [SituationParticuliere.Addiction, SituationParticuliere.ViolencesIntrafamiliales] }));
        Assert.False(Arrivals.MustBeSeparated(new Decision { LegalBasis = LegalBasis.Article37329, Situations = [SituationParticuliere.Addiction] }));
    }

    [Fact]
    public void MostAtOnce_AnyStays_IsWhatCountingMinuteByMinuteGives() => Prop.ForAll(
        (from stays in (from s in Gen.Choose(0, 100) from l in Gen.Choose(1, 60) select (s, l)).ListOf()
         from s in Gen.Choose(0, 100)
         from l in Gen.Choose(1, 60)
         select (stays.ToList(), (s, l))).ToArbitrary(),
        input =>
        {
            var (others, own) = input;
            var counted = Enumerable.Range(own.s, own.l).Max(minute => others.Count(o => o.s <= minute && minute < o.s + o.l));
            return Occupancy.MostAtOnce(others.Select(Stay), Stay(own)) == counted;

            static Stay Stay((int Start, int Length) s) => new(s_start.AddMinutes(s.Start), s_start.AddMinutes(s.Start + s.Length));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void StaysOf_Remise_AreItsTwoHalves()
    {
        var stays = Occupancy.StaysOf(s_start, 30, s_start.AddDays(2), Arrivals.Of(default, separated: true));

        Assert.Equal([new Stay(s_start.AddMinutes(-15), s_start.AddMinutes(30)), new Stay(s_start.AddDays(2), s_start.AddDays(2).AddMinutes(30))], stays);
    }

    [Fact]
    public void Look_NothingAgainstIt_FindsNothing() => Assert.Empty(Look(RencontreSeriesTests.Nothing));

    [Fact]
    public void Look_Each_IsFoundAndSaysWhetherItRefuses()
    {
        var day = DateOnly.FromDateTime(s_start.UtcDateTime);
        var row = new Rencontre { Id = default, MesureId = default, StartsAt = s_start.AddHours(1), DurationMinutes = 60, TimeZone = "Etc/UTC" };
        var stay = new Stay(s_start, s_start.AddMinutes(5));
        foreach (var (context, planned, open, code, refuses) in new (BookingContext, PlannedRencontre, bool?, string, bool)[]
        {
            (RencontreSeriesTests.Nothing with { Term = day.AddDays(-1) }, s_planned, null, BookingRules.AfterTerm, true),
            (RencontreSeriesTests.Nothing, s_planned with { Outing = true }, null, BookingRules.OutingNotGranted, true),
            (RencontreSeriesTests.Nothing, s_planned with { Kind = RencontreKind.Remise, ReturnsAt = s_start.AddDays(1) }, null, BookingRules.RemiseNotGranted, true),
            (RencontreSeriesTests.Nothing with { Capacity = 1, Others = [stay] }, s_planned, null, BookingRules.EspaceFull, true),
            (RencontreSeriesTests.Nothing, s_planned, false, BookingRules.NotOpen, false),
            (RencontreSeriesTests.Nothing with { Own = [row] }, s_planned, null, BookingRules.OverlapsOther, false),
            (RencontreSeriesTests.Nothing with { Ordered = new Decision { RencontreMinutes = 60 } }, s_planned, null, BookingRules.LengthDiffers, false),
            (Monthly([row]), s_planned with { StartsAt = s_start.AddDays(7) }, null, BookingRules.TooFrequent, false),
        })
        {
            var finding = Assert.Single(BookingRules.Look(context, planned, false, open));
            Assert.Equal((code, refuses), (finding.Code, finding.Refuses));
        }

        Assert.Empty(Look(RencontreSeriesTests.Nothing with { Ordered = new Decision { OutingGranted = true } }, s_planned with { Outing = true }));
        Assert.Empty(BookingRules.Look(RencontreSeriesTests.Nothing with { Capacity = 1, Others = [stay] }, s_planned, overCapacity: true, null));
        row.Lose(RencontreOutcome.CancelledByEspace, s_start);
        Assert.Empty(Look(Monthly([row]), s_planned with { StartsAt = s_start.AddDays(7) }));
    }

    [Fact]
    public void LieuIsOfTheEspace_LieuThatItDoesNotHave_RefusesWhatLiesAhead()
    {
        var (own, foreign) = (Guid.CreateVersion7(s_start), Guid.CreateVersion7(s_start));

        Assert.Empty(At(own));
        Assert.Empty(At(null));
        Assert.Equal([(BookingRules.LieuUnknown, true)], At(foreign));
        // It took place there; and what the directory has not told yet refuses nobody.
        Assert.Empty(At(foreign, now: s_start.AddDays(1)));
        Assert.Empty(At(foreign, known: false));

        List<(string, bool)> At(Guid? lieu, DateTimeOffset? now = null, bool known = true) =>
            Findings(lieu, s_start, Espace(known ? [own] : null), now: now);
    }

    [Fact]
    public void LieuIsApproved_LieuOutsideTheAgrement_RefusesUnlessItWasCoveredOnTheDecisionDate()
    {
        var lieu = Guid.CreateVersion7(s_start);
        var day = DateOnly.FromDateTime(s_start.UtcDateTime);
        var decided = day.AddDays(-100);

        Assert.Empty(At(new ApprovedPeriod(decided.AddYears(-1), null)));
        Assert.Empty(At(new ApprovedPeriod(day, day)));
        Assert.Equal([(BookingRules.LieuNotApproved, true)], At());
        Assert.Equal([(BookingRules.LieuNotApproved, true)], At(new ApprovedPeriod(day.AddDays(1), null)));
        // It lost it since: the judge was warned and decides.
        Assert.Equal([(BookingRules.LieuNotApproved, false)], At(new ApprovedPeriod(decided, day.AddDays(-1))));

        // What no judge ordered needs no agrément, and a lieu that the espace does not tell apart has its own.
        Assert.Empty(Findings(lieu, s_start, Espace([lieu], new ApprovedLieu(lieu, [])), decided, judicial: false));
        Assert.Empty(Findings(lieu, s_start, Espace([lieu]), decided));

        List<(string, bool)> At(params ApprovedPeriod[] periods) => Findings(lieu, s_start, Espace([lieu], new ApprovedLieu(lieu, periods)), decided);
    }

    private static List<(string, bool)> Findings(Guid? lieu, DateTimeOffset start, EspaceView espace, DateOnly? decided = null, bool judicial = true, DateTimeOffset? now = null) =>
    [
        .. Look(
            RencontreSeriesTests.Nothing with { Ordered = new Decision { Date = decided }, Premises = new Premises(espace, judicial, now ?? start.AddDays(-1)) },
            s_planned with { LieuId = lieu }).Select(f => (f.Code, f.Refuses)),
    ];

    private static EspaceView Espace(Guid[]? lieux, params ApprovedLieu[] apart) => new()
    {
        Id = default,
        GestionnaireId = default,
        State = "OUVERT",
        AgrementPeriods = [new ApprovedPeriod(new DateOnly(2013, 9, 1), null)],
        LieuAgrements = apart,
        LieuIds = lieux,
        TimeZone = "Europe/Paris",
        Version = 1,
    };

    [Fact]
    public void Conflicts_TermsModified_ListsWhatNoLongerFits()
    {
        var rows = new[] { 0, 7, 40 }.Select(d => new Rencontre
        {
            Id = Guid.CreateVersion7(s_start.AddDays(d)),
            MesureId = default,
            StartsAt = s_start.AddDays(d),
            DurationMinutes = 120,
            TimeZone = "Etc/UTC",
            Modalite = Modalite.VisiteAvecSortie,
            Outing = d == 40,
        }).ToList();
        var terms = new Decision { Modalite = Modalite.VisiteAvecSortie, RencontreMinutes = 120, OutingGranted = true, PeriodicityCount = 2, PeriodicityInterval = 1, PeriodicityUnit = PeriodicityUnit.Month };
        var term = DateOnly.FromDateTime(s_start.UtcDateTime).AddDays(60);

        Assert.Empty(RencontreConflicts.Of(terms, term, rows));
        Assert.Equal([RencontreConflictCode.Frequency], RencontreConflicts.Of(terms with { PeriodicityCount = 1 }, term, rows).Select(c => c.Code));
        Assert.Equal([RencontreConflictCode.Outing], RencontreConflicts.Of(terms with { OutingGranted = false }, term, rows).Select(c => c.Code));
        Assert.Equal([rows[2]], RencontreConflicts.Of(terms, term.AddDays(-30), rows).Select(c => c.Rencontre));
        Assert.Equal(3, RencontreConflicts.Of(terms with { RencontreMinutes = 60 }, term, rows).Count(c => c.Code == RencontreConflictCode.Length));
        Assert.Equal(3, RencontreConflicts.Of(terms with { Modalite = Modalite.Visite }, term, rows).Count(c => c.Code == RencontreConflictCode.Modalite));
        Assert.Equal(3, RencontreConflicts.Of(terms with { InterdictionDeContact = true }, term, rows).Count(c => c.Code == RencontreConflictCode.Separation));
        var remise = new Rencontre { Id = default, MesureId = default, Kind = RencontreKind.Remise, StartsAt = s_start, DurationMinutes = 30, TimeZone = "Etc/UTC", ReturnsAt = s_start.AddDays(1) };
        Assert.Equal([RencontreConflictCode.Remise], RencontreConflicts.Of(terms, term, [remise]).Select(c => c.Code));
        Assert.Empty(RencontreConflicts.Of(terms with { RemiseGranted = true }, term, [remise]));
        rows[0].Outcome = RencontreOutcome.Held;
        Assert.Equal([rows[1]], RencontreConflicts.Of(terms with { PeriodicityCount = 1 }, term, rows).Select(c => c.Rencontre));
    }

    private static BookingContext Monthly(IReadOnlyList<Rencontre> own) => RencontreSeriesTests.Nothing with
    {
        Ordered = new Decision { PeriodicityCount = 1, PeriodicityInterval = 1, PeriodicityUnit = PeriodicityUnit.Month },
        Own = own,
    };

    private static IReadOnlyList<BookingFinding> Look(BookingContext context, PlannedRencontre? planned = null) => BookingRules.Look(context, planned ?? s_planned, false, null);
}
