using System.Diagnostics;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Decision = Jafer.Mesures.Domain.Decision;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Benchmarks;

/// <summary>
/// The rules of a lost slot over 20,000 mesures that wait, each with eight rencontres behind it: the order of offering, then each rule
/// of a booking and of an offer; against one pass over the same rencontres that compares days.
/// </summary>
internal static class SlotFitBenchmark
{
    public const string Name = "slot-fit";

    private const double Goal = 60;
    private const int Mesures = 20_000;
    private const int Rencontres = 8;

    private static readonly TimeZoneInfo s_paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    /// <summary>Measures.</summary>
    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        var (random, day) = (new Random(1129), TimeProvider.System.TodayInParis().AddDays(20));
        var now = TimeProvider.System.GetUtcNow();
        var waiting = Enumerable.Range(1, Mesures).Select(number =>
        {
            var id = new Guid(number, 0, 0, new byte[8]);
            var terms = new Decision
            {
                Modalite = random.Next(5) == 0 ? Modalite.RemiseEnfant : Modalite.Visite,
                PeriodicityCount = 1,
                PeriodicityInterval = 2,
                PeriodicityUnit = PeriodicityUnit.Week,
                RencontreMinutes = 60,
            };
            Rencontre[] own = [.. Enumerable.Range(1, Rencontres).Select(r => At(id, day.AddDays((-14 * r) + random.Next(-3, 4)), 10, r % 5 == 0 ? RencontreOutcome.VisiteurAbsent : RencontreOutcome.Held))];
            return (Claim: SlotClaim.Of(id, random.Next(2) == 0 ? MesureState.EnAttente : MesureState.EnCours, now.AddDays(-random.Next(1, 400)), LegalBasis.Article37329, day.AddDays(random.Next(20, 400)), day),
                Booking: new BookingContext(terms, [], day.AddDays(random.Next(20, 400)), own, default, [], null), Born: day.AddYears(-random.Next(1, 17)));
        }).ToArray();
        var slot = FreeSlot.Of(At(Guid.Empty, day, 10, RencontreOutcome.Scheduled), Guid.Empty, Guid.Empty, new Acting(Guid.Empty, "", now, now))[0];
        var around = new SlotSurroundings(new ReceivedAges(2, 15), [], Array.Empty<(string, string)>().ToLookup(a => a.Item1, a => a.Item2));
        return Result.AtMost(Name, "ms", await Rounds.SampleAsync(2, 9, 5, () => Timed(Match, ct), () => Timed(Pass, ct)), Goal);

        void Match()
        {
            var fitting = waiting.OrderBy(w => w.Claim).Count(w =>
                SlotFit.Look(w.Booking, SlotFit.Planned(slot, w.Booking.TermsOn(day), s_paris, null), Modalite.Visite, w.Claim.Id, [w.Born], ["H", "V"], around).Count == 0);
            if (fitting is 0 or Mesures)
                throw new InvalidOperationException("nothing was told apart");
        }

        void Pass()
        {
            var near = 0;
            foreach (var (_, booking, _) in waiting)
            {
                foreach (var rencontre in booking.Own)
                    near += Math.Abs((rencontre.StartsAt - slot.StartsAt).TotalDays) < 7 ? 1 : 0;
            }
            if (near < 0)
                throw new InvalidOperationException("nothing was compared");
        }
    }

    private static Task<double> Timed(Action measured, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var start = Stopwatch.GetTimestamp();
        measured();
        return Task.FromResult(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    private static Rencontre At(Guid mesure, DateOnly day, int hour, RencontreOutcome outcome) => new()
    {
        Id = Guid.CreateVersion7(s_paris.At(day, hour * 60)),
        MesureId = mesure,
        StartsAt = s_paris.At(day, hour * 60),
        DurationMinutes = 60,
        TimeZone = "Europe/Paris",
        Modalite = Modalite.Visite,
        Outcome = outcome,
    };
}
