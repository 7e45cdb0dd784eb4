using System.Globalization;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Rencontres;

internal sealed partial class RencontreGrpcService
{
    private const int MaxRencontres = 100;
    private const int MaxDays = 400;
    private const int LastYear = 9000;

    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    public override async Task<CheckRencontreSeriesResponse> CheckRencontreSeries(CheckRencontreSeriesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var from = check.Date("start_date", request.StartDate);
        check.That(from.Year <= LastYear, "start_date", "must lie before the year 9001");
        var end = check.OptionalDate("end_date", request.EndDate);
        check.That(end is not { } last || (last >= from && last.DayNumber - from.DayNumber <= MaxDays), "end_date", "must lie from start_date to 400 days later");
        check.Range("rencontre_count", request.RencontreCount, 0, MaxRencontres);
        var minute = Minute(check, "start_time_of_day", request.StartTimeOfDay);
        var minutes = request.DurationMinutes == 0 ? (int?)null : check.Range("duration_minutes", request.DurationMinutes, 5, 720);
        var cadence = SentCadence(check, "periodicity", request.Periodicity);
        for (var i = 0; i < request.Weekdays.Count; i++)
        {
            check.Known(MesureChecks.Index("weekdays", i), request.Weekdays[i]);
        }

        var lieuId = check.OptionalUuid("lieu_id", request.LieuId);
        var returnAfter = request.ReturnAfterMinutes == 0
            ? (int?)null
            : check.Range("return_after_minutes", request.ReturnAfterMinutes, Math.Max(5, request.DurationMinutes), 31 * 24 * 60);
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        var mesure = await acts.LoadAsync(mesureId, context.Caller(), ct);
        mesure.RequirePlannable();
        var own = await bookings.ContextAsync(mesure, ct);
        var terms = own.TermsOn(from);
        if (returnAfter is not null && !terms.GrantsRemises)
        {
            throw DomainError.RulesViolated([new RuleViolation(BookingRules.RemiseNotGranted, "return_after_minutes", BookingRules.RemiseNotGrantedText)]);
        }

        var decided = Cadence.Of(terms);
        check.That(decided is null || cadence is null, "periodicity", "must be absent: the decision names it");
        check.That(decided is not null || cadence is not null, "periodicity", "is required: the decision leaves it to the espace");
        check.That((minutes ?? terms.RencontreMinutes) is not null, "duration_minutes", "is required: the decision names none");
        check.ThrowIfAny();

        // Where the duration runs from the first rencontre and none was held, this series would begin it.
        var term = mesure.Term ?? mesure.Decision.Term(own.Anchor is { } first && first < from ? first : from);
        var to = end ?? from.AddDays(MaxDays);
        to = term < to ? term.Value : to;
        // Other terms are another series.
        var changed = own.Versions.Where(v => v.EffectiveOn > from).Min(v => v.EffectiveOn)?.AddDays(-1);
        to = changed < to ? changed.Value : to;
        var response = new CheckRencontreSeriesResponse { LastDate = to.ToProto(), TermDate = term.ToProto(), OpeningKnown = true };
        if (to < from)
        {
            return response;
        }

        var espace = await EspaceAsync(mesure, ct);
        var open = await schedule.BetweenAsync(espace, terms.Modalite, from, to, ct) ?? throw DomainError.Unavailable(s_retryAfter);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(espace.TimeZone);
        var (others, capacity) = await bookings.OthersAsync(mesure.EspaceId, terms.Modalite, zone.At(from, 0), zone.At(to, 24 * 60), lockBookings: false, ct);
        own = own with { Others = others, Capacity = capacity };
        var plan = new SeriesPlan(
            from, to, (decided ?? cadence)!.Value, request.RencontreCount == 0 ? MaxRencontres : request.RencontreCount, minute,
            (minutes ?? terms.RencontreMinutes)!.Value, request.Weekdays.Select(DayOf).ToHashSet(), lieuId, returnAfter);
        // To a mesure a lieu without agrément is closed.
        var premises = Bookings.PremisesOf(mesure, espace, clock.GetStoredNow());
        var series = RencontreSeries.Propose(plan, [.. open.Hours.Where(h => h.LieuId is not { } lieu || premises.Cover(lieu, h.Zone.DayOf(h.Start)))], own);
        response.OpeningKnown = open.Known;
        response.UnknownSchoolYears.AddRange(open.UnknownSchoolYears);
        response.Rencontres.AddRange(series.Rencontres.Select(r => r.ToProto()));
        response.Arrivals.AddRange(series.Rencontres.Select(r => own.ArrivalsOn(r.Day).ToProto(r.StartsAt, r.ReturnsAt ?? r.StartsAt.AddMinutes(r.Minutes))));
        response.Gaps.AddRange(series.Gaps.Select(g => new SeriesGap { StartDate = g.From.ToProto(), EndDate = g.To.ToProto(), Reason = g.Reason }));
        return response;
    }

    public override Task<ScheduleRencontreSeriesResponse> ScheduleRencontreSeries(ScheduleRencontreSeriesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        check.That(request.Rencontres.Count is > 0 and <= MaxRencontres, "rencontres", string.Create(CultureInfo.InvariantCulture, $"must be from 1 to {MaxRencontres}"));
        var sent = request.Rencontres.Take(MaxRencontres).Select((r, i) => RencontreChecks.Planned(check, MesureChecks.Index("rencontres", i), r)).ToList();
        if (check.Passed)
        {
            var (first, last) = (sent.Min(r => r.StartsAt)!.Value, sent.Max(r => r.ReturnsAt ?? r.StartsAt)!.Value);
            check.That(last - first <= TimeSpan.FromDays(MaxDays - 2), "rencontres", "must lie within 398 days");
        }

        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            mesure.RequireBookable();
            var espace = await EspaceAsync(mesure, ct);
            var zone = TimeZoneInfo.FindSystemTimeZoneById(espace.TimeZone);
            var planned = sent.Select((r, i) => (Rencontre: r.In(zone), Index: i)).OrderBy(p => p.Rencontre.StartsAt).ToList();
            var (from, to) = (planned.Min(p => p.Rencontre.Day), planned.Max(p => p.Rencontre.LastDay));
            var booking = await bookings.ContextAsync(mesure, ct) with { Premises = Bookings.PremisesOf(mesure, espace, acting.Now) };

            // A modification may give later ones another modalité, with its own hours and places. Always in the same order: two
            // series that wait for each other would wait for ever. The directory is asked before anybody waits.
            var modalites = planned.Select(p => booking.TermsOn(p.Rencontre.Day).Modalite).Distinct().Order().ToList();
            var hours = new Dictionary<Modalite, OpenTimes?>();
            foreach (var modalite in modalites)
            {
                hours[modalite] = await schedule.BetweenAsync(espace, modalite, from, to, ct);
            }

            var places = new Dictionary<Modalite, (IReadOnlyList<Stay> Others, int? Capacity)>();
            foreach (var modalite in modalites)
            {
                places[modalite] = await bookings.OthersAsync(mesure.EspaceId, modalite, zone.At(from, 0), zone.At(to, 24 * 60), lockBookings: true, ct);
            }

            var response = new ScheduleRencontreSeriesResponse { OpeningKnown = hours.Values.All(h => h is { Known: true }) };
            response.Bookings.AddRange(planned.Select(_ => new SeriesBooking()));
            var refusals = new List<RuleViolation>();
            foreach (var (rencontre, index) in planned)
            {
                var modalite = booking.TermsOn(rencontre.Day).Modalite;
                booking = booking with { Others = places[modalite].Others, Capacity = places[modalite].Capacity };
                var findings = BookingRules.Look(
                    booking, rencontre, request.OverCapacity, hours[modalite] is { Known: true } open ? RencontreSeries.IsOpen(open.Hours, rencontre) : null);
                response.Bookings[index].Findings.AddRange(findings.Select(f => f.ToProto()));
                var against = findings.Where(f => f.RefusesInSeries).ToList();
                if (against.Count > 0)
                {
                    refusals.AddRange(against.Select(f => new RuleViolation(f.Code, MesureChecks.Index("rencontres", index) + ".start_time", f.Description)));
                    continue;
                }

                var booked = mesure.ScheduleRencontre(
                    rencontre.StartsAt, rencontre.Minutes, rencontre.Zone, rencontre.LieuId, acting, Bookings.TermsOf(booking, rencontre, null, request.OverCapacity));
                db.Rencontres.Add(booked);
                response.Bookings[index].RencontreId = booked.Id.ToString();
                booking = booking with { Own = [.. booking.Own, booked] };
                places[modalite] = ([.. booking.Others, .. Occupancy.StaysOf(booked)], booking.Capacity);
            }

            if (refusals.Count > 0 && (!request.Partial || mesure.NewFacts.Count == 0))
            {
                throw DomainError.RulesViolated(refusals);
            }

            response.Mesure = mesure.ToSummary();
            return response;
        });
    }

    /// <summary>The espace of a mesure that was transmitted; known, since it was designated.</summary>
    private async Task<EspaceView> EspaceAsync(Mesure mesure, CancellationToken ct) =>
        (mesure.EspaceId is { } id ? await db.EspaceAsync(id, ct) : null)
        ?? throw DomainError.StateForbids(mesure.Status.State.ToCode(), MesureAct.ScheduleRencontre.ToCode(), "its espace is not known");

    private static int Minute(FieldChecks check, string path, TimeOfDay? time)
    {
        if (time is null)
        {
            check.Add(path, "is required");
            return 0;
        }

        return check.Range($"{path}.hours", time.Hours, 0, 23) * 60 + check.Range($"{path}.minutes", time.Minutes, 0, 59);
    }

    private static Cadence? SentCadence(FieldChecks check, string path, Periodicity? periodicity) => periodicity is null ? null : new Cadence(
        check.Range($"{path}.rencontre_count", periodicity.RencontreCount, 1, 31),
        check.Range($"{path}.interval_count", periodicity.IntervalCount, 1, 12),
        check.Known($"{path}.unit", periodicity.Unit));

    private static DayOfWeek DayOf(Weekday weekday) => (DayOfWeek)((int)weekday % 7);
}
