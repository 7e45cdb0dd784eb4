using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.RencontreFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Series, what changes before and after the day, remises and free slots, with a real directory beside.</summary>
[Collection(RencontreFixture.Together)]
public sealed partial class RencontreTests(MesuresFixture jafer, RencontreFixture rencontres)
{
    private static readonly TimeZoneInfo s_paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    [Fact]
    public async Task Series_TwiceAMonthUntilTheTerm_IsProposedAndBookedAsItStands()
    {
        var id = await rencontres.WaitingAsync(change: r => r.Decision.DurationMonths = 4);
        var proposed = await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id));

        Assert.True(proposed.OpeningKnown);
        Assert.Equal(Today.AddMonths(4).ToProto(), proposed.TermDate);
        Assert.Equal(proposed.TermDate, proposed.LastDate);
        Assert.InRange(proposed.Rencontres.Count, 6, 10);
        Assert.All(proposed.Rencontres, r =>
        {
            var local = TimeZoneInfo.ConvertTime(r.StartTime.ToDateTimeOffset(), s_paris);
            Assert.Contains(local.DayOfWeek, new[] { DayOfWeek.Saturday, DayOfWeek.Wednesday });
            Assert.Equal((10, 0, 120, "Europe/Paris"), (local.Hour, local.Minute, r.DurationMinutes, r.TimeZone));
            Assert.NotEmpty(r.LieuId);
        });
        Assert.All(proposed.Rencontres.GroupBy(r => s_paris.DayOf(r.StartTime.ToDateTimeOffset()).Month), month => Assert.InRange(month.Count(), 1, 2));

        var request = new ScheduleRencontreSeriesRequest { MesureId = id, Rencontres = { proposed.Rencontres }, RequestId = NewId() };
        var booked = await rencontres.AsEspace.ScheduleRencontreSeriesAsync(request);

        Assert.Equal((MesureState.Programmee, proposed.Rencontres[0].StartTime, true), (booked.Mesure.State, booked.Mesure.NextRencontreTime, booked.OpeningKnown));
        Assert.All(booked.Bookings, b => Assert.True(b.RencontreId.Length > 0 && b.Findings.Count == 0));
        Assert.Equal(booked, await rencontres.AsEspace.ScheduleRencontreSeriesAsync(request));
        var whole = await jafer.GetAsync(id);
        Assert.Equal(proposed.Rencontres.Select(r => r.StartTime), whole.Rencontres.Select(r => r.StartTime));
        Assert.Equal(proposed.Arrivals, whole.Rencontres.Select(r => r.Arrivals));

        // What is booked is looked past.
        Assert.Empty((await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id))).Rencontres);
    }

    [Fact]
    public async Task CheckRencontreSeries_ClosedMonthCountWeekdayAndRemise_AreHeeded()
    {
        var closed = await rencontres.EspaceAsync(3, e => e.Fermetures.Add(new Contracts.Directory.V1.Fermeture
        {
            StartDate = Today.AddDays(7).ToProto(),
            EndDate = Today.AddDays(70).ToProto(),
            Reason = Contracts.Directory.V1.FermetureReason.Travaux,
        }));
        var id = await rencontres.WaitingAsync(closed, r => r.Decision.RemiseGranted = true);

        var late = await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.RencontreCount = 3));
        Assert.Equal(3, late.Rencontres.Count);
        Assert.All(late.Rencontres, r => Assert.True(s_paris.DayOf(r.StartTime.ToDateTimeOffset()) > Today.AddDays(70)));
        Assert.NotEmpty(late.Gaps);
        Assert.All(late.Gaps, g => Assert.Equal(SeriesGapReason.NotOpen, g.Reason));

        var wednesdays = await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.Weekdays.Add(Weekday.Wednesday)));
        Assert.All(wednesdays.Rencontres, r => Assert.Equal(DayOfWeek.Wednesday, s_paris.DayOf(r.StartTime.ToDateTimeOffset()).DayOfWeek));
        Assert.NotEmpty(wednesdays.Rencontres);

        var remises = await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => (r.ReturnAfterMinutes, r.DurationMinutes) = (5 * 60, 30)));
        Assert.NotEmpty(remises.Rencontres);
        Assert.All(remises.Rencontres, r => Assert.Equal((RencontreKind.Remise, TimeSpan.FromHours(5)), (r.Kind, r.ReturnTime.ToDateTimeOffset() - r.StartTime.ToDateTimeOffset())));
    }

    [Fact]
    public async Task CheckRencontreSeries_EspaceWithoutHours_IsTakenAtItsWord()
    {
        var id = await rencontres.WaitingAsync(await rencontres.EspaceAsync(3, e => e.Ouvertures.Clear()));

        var proposed = await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.RencontreCount = 4));

        Assert.False(proposed.OpeningKnown);
        Assert.Equal(4, proposed.Rencontres.Count);
    }

    [Fact]
    public async Task CheckRencontreSeries_WhatTheDecisionSaysOrDoesNot_IsAskedForOrRefused()
    {
        var silent = await rencontres.WaitingAsync(change: r =>
        {
            r.Decision.Periodicity = null;
            r.Decision.RencontreMinutes = 0;
            r.Decision.TermsLeftToService = true;
        });
        var missing = await Refusal.OfAsync(rencontres.AsEspace.CheckRencontreSeriesAsync(Series(silent)));
        Assert.Equal(["periodicity", "duration_minutes"], missing.Fields);
        var weekly = new Periodicity { RencontreCount = 1, IntervalCount = 1, Unit = PeriodicityUnit.Week };
        Assert.NotEmpty((await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(silent, r => (r.Periodicity, r.DurationMinutes) = (weekly, 60)))).Rencontres);

        var whole = await rencontres.WaitingAsync();
        Assert.Equal(["periodicity"], (await Refusal.OfAsync(rencontres.AsEspace.CheckRencontreSeriesAsync(Series(whole, r => r.Periodicity = weekly)))).Fields);
        Assert.Equal(["end_date"], (await Refusal.OfAsync(rencontres.AsEspace.CheckRencontreSeriesAsync(Series(whole, r => r.EndDate = Today.AddDays(500).ToProto())))).Fields);
        Assert.Empty((await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(whole, r => r.StartDate = Today.AddYears(2).ToProto()))).Rencontres);
    }

    [Fact]
    public async Task Series_DirectoryAway_IsNotProposedButBookedUnchecked()
    {
        var id = await rencontres.WaitingAsync();
        var away = new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", Gestionnaire));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), await CodeOfAsync(away.CheckRencontreSeriesAsync(Series(id))));
        var booked = await away.ScheduleRencontreSeriesAsync(new() { MesureId = id, Rencontres = { Planned(10, 3) }, RequestId = NewId() });
        Assert.Equal((false, 1), (booked.OpeningKnown, booked.Bookings.Count(b => b.RencontreId.Length > 0)));
    }

    [Fact]
    public async Task ScheduleRencontreSeries_SomeDoNotFit_AllOrThoseThatDo()
    {
        var id = await rencontres.WaitingAsync();
        var proposed = (await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.RencontreCount = 2))).Rencontres;
        var night = proposed[1].Clone();
        night.StartTime = Timestamp.FromDateTimeOffset(night.StartTime.ToDateTimeOffset().AddHours(12));
        var request = new ScheduleRencontreSeriesRequest { MesureId = id, Rencontres = { proposed[0], night, Planned(800, 10) }, RequestId = NewId() };
        Assert.Equal(["rencontres"], (await Refusal.OfAsync(rencontres.AsEspace.ScheduleRencontreSeriesAsync(request))).Fields);

        request.Rencontres[2] = Planned(380, 10);
        var refusal = await Refusal.OfAsync(rencontres.AsEspace.ScheduleRencontreSeriesAsync(request));
        Assert.Equal((StatusCode.FailedPrecondition, "RULE_VIOLATED"), (refusal.Code, refusal.Reason));
        Assert.Contains("NOT_OPEN", refusal.Rules);
        Assert.Contains("AFTER_TERM", refusal.Rules);
        Assert.Empty((await jafer.GetAsync(id)).Rencontres);

        request.Partial = true;
        var booked = await rencontres.AsEspace.ScheduleRencontreSeriesAsync(request);
        Assert.Equal([true, false, false], booked.Bookings.Select(b => b.RencontreId.Length > 0));
        Assert.Contains(booked.Bookings[1].Findings, f => f.Code == "NOT_OPEN");
        Assert.Contains(booked.Bookings[2].Findings, f => f.Code == "AFTER_TERM");
        Assert.Single((await jafer.GetAsync(id)).Rencontres);

        // None at all is no booking.
        request.Rencontres.RemoveAt(0);
        request.RequestId = NewId();
        Assert.Equal("RULE_VIOLATED", (await Refusal.OfAsync(rencontres.AsEspace.ScheduleRencontreSeriesAsync(request))).Reason);
    }

    [Fact]
    public async Task Lieu_OutsideTheAgrementOrOfAnotherEspace_IsRefusedHoweverItIsBooked()
    {
        // The second lieu opens on Wednesdays; the agrément covers the first one alone.
        var espace = await rencontres.EspaceAsync(5, e =>
        {
            e.Lieux.Add(new Contracts.Directory.V1.Lieu { ExternalId = "L2", Name = "Autre lieu fictif", CommuneInsee = "69266" });
            e.Agrements[0].LieuExternalIds.Add("L1");
            e.Ouvertures[1].LieuExternalId = "L2";
        });
        var lieux = await jafer.Database.ReadAllAsync<string>($"select unnest(lieu_ids)::text from espaces where id = '{espace}'");
        var foreign = Assert.Single(await jafer.Database.ReadAllAsync<string>($"select unnest(lieu_ids)::text from espaces where id = '{rencontres.Espace}'"));
        var id = await rencontres.WaitingAsync(espace);

        foreach (var (lieu, code) in new[] { (lieux[1], "LIEU_NOT_APPROVED"), (foreign, "LIEU_UNKNOWN") })
        {
            var refusal = await Refusal.OfAsync(() => rencontres.BookAsync(id, 3, 10, r => r.LieuId = lieu));
            Assert.Equal((StatusCode.FailedPrecondition, "RULE_VIOLATED", code), (refusal.Code, refusal.Reason, Assert.Single(refusal.Rules)));
            var planned = Planned(3, 10);
            planned.LieuId = lieu;
            Assert.Contains(code, (await Refusal.OfAsync(
                rencontres.AsEspace.ScheduleRencontreSeriesAsync(new() { MesureId = id, Rencontres = { planned }, RequestId = NewId() }))).Rules);
            var reported = (await jafer.First.Intake().ReportStatusAsync(Reports.Report(Reports.Item(id, lieux.Contains(lieu) ? 1 : 2, i =>
            {
                Reports.Scheduled("a", TimeProvider.System.GetUtcNow().AddDays(3))(i);
                i.RencontreScheduled.LieuId = lieu;
            })))).Results[0];
            Assert.Equal((IntakeResult.Refused, ErrorReason.RuleViolated), (reported.Result, reported.Reason));
            Assert.StartsWith(code, reported.Description, StringComparison.Ordinal);
        }

        // Nothing is proposed there either; in the lieu that it covers all goes on.
        Assert.Empty((await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.Weekdays.Add(Weekday.Wednesday)))).Rencontres);
        Assert.NotEmpty((await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.Weekdays.Add(Weekday.Saturday)))).Rencontres);
        var booked = await rencontres.BookAsync(id, 3, 10, r => r.LieuId = lieux[0]);
        var moved = Planned(4, 10);
        moved.LieuId = lieux[1];
        Assert.Equal(["LIEU_NOT_APPROVED"], (await Refusal.OfAsync(
            rencontres.AsEspace.MoveRencontreAsync(new() { MesureId = id, RencontreId = booked, Planned = moved, RequestId = NewId() }))).Rules);
        Assert.Equal(lieux[0], Assert.Single((await jafer.GetAsync(id)).Rencontres).LieuId);

        // What took place is recorded wherever it did.
        await rencontres.BookAsync(id, -1, 10, r => r.LieuId = lieux[1]);
    }

    [Fact]
    public async Task Lieu_OutsideTheAgrement_ReceivesWhatNoJudgeOrdered()
    {
        var espace = await rencontres.EspaceAsync(5, e =>
        {
            e.Lieux.Add(new Contracts.Directory.V1.Lieu { ExternalId = "L2", Name = "Autre lieu fictif", CommuneInsee = "69266" });
            e.Agrements[0].LieuExternalIds.Add("L1");
        });
        var lieux = await jafer.Database.ReadAllAsync<string>($"select unnest(lieu_ids)::text from espaces where id = '{espace}'");
        var id = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(
            NonJudicial(r => (r.EspaceId, r.Agreement.AgreementDate) = (espace.ToString(), Today.ToProto())))).Mesure.MesureId;
        await jafer.AsEspace.TakeChargeAsync(new() { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new() { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });

        await rencontres.BookAsync(id, 3, 10, r => r.LieuId = lieux[1]);

        Assert.Equal("RULE_VIOLATED", (await Refusal.OfAsync(() => rencontres.BookAsync(id, 5, 10, r => r.LieuId = NewId()))).Reason);
    }

    [Theory]
    [InlineData(MesureState.Recue)]
    [InlineData(MesureState.Cloturee)]
    public async Task ScheduleRencontreSeries_WrongState_IsRefused(MesureState state)
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        if (state == MesureState.Cloturee)
        {
            await jafer.AsEspace.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.SansSuiteRefusHote, RequestId = NewId() });
            Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id)))).Reason);
        }

        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), await CodeOfAsync(
            rencontres.AsEspace.ScheduleRencontreSeriesAsync(new() { MesureId = id, Rencontres = { Planned(10, 10) }, RequestId = NewId() })));
    }

    [Fact]
    public async Task ScheduleRencontre_MoreAtOnceThanDeclared_ExactlyAsManyAreBooked()
    {
        var espace = await rencontres.EspaceAsync(2);
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add(await rencontres.WaitingAsync(espace));
        }

        var outcomes = await Task.WhenAll(ids.Select(id => Refusal.OrNullAsync(() => rencontres.Mesures.ScheduleRencontreAsync(Booking(id, 10)).ResponseAsync)));

        Assert.Equal(2, outcomes.Count(o => o is null));
        Assert.All(outcomes.OfType<Refusal>(), r => Assert.Equal(["ESPACE_FULL"], r.Rules));

        // At another hour there is room; on purpose there always is, and it is kept.
        var late = ids[Array.FindIndex(outcomes, o => o is not null)];
        await rencontres.BookAsync(late, 10, 12);
        var over = ids[Array.FindLastIndex(outcomes, o => o is not null)];
        await rencontres.BookAsync(over, 10, change: r => r.OverCapacity = true);
        await rencontres.BookAsync(over, 10, 15, r => r.OverCapacity = true);
        Assert.Equal([true, false], (await jafer.GetAsync(over)).Rencontres.Select(r => r.OverCapacity));
    }

    [Fact]
    public async Task ScheduleRencontre_SidesThatMustNotMeet_ComeAndLeaveApart()
    {
        var id = await rencontres.WaitingAsync(change: r => r.Decision.InterdictionDeContact = true);
        await rencontres.BookAsync(id, 10);

        var arrivals = Assert.Single((await jafer.GetAsync(id)).Rencontres).Arrivals;
        Assert.True(arrivals.Separated);
        Assert.Equal(
            (At(10, 10).ToDateTimeOffset().AddMinutes(-15), At(10, 10).ToDateTimeOffset(), At(10, 12).ToDateTimeOffset(), At(10, 12).ToDateTimeOffset().AddMinutes(15)),
            (arrivals.HoteArrivalTime.ToDateTimeOffset(), arrivals.VisiteurArrivalTime.ToDateTimeOffset(), arrivals.VisiteurDepartureTime.ToDateTimeOffset(), arrivals.HoteDepartureTime.ToDateTimeOffset()));

        // What the parties wish stands where it keeps them apart, and is widened where it does not.
        var wished = await rencontres.WaitingAsync(change: r =>
        {
            r.Decision.InterdictionDeContact = true;
            (r.Parties[0].ArrivalOffsetMinutes, r.Parties[0].DepartureOffsetMinutes) = (-5, 40);
        });
        await rencontres.BookAsync(wished, 10);
        arrivals = Assert.Single((await jafer.GetAsync(wished)).Rencontres).Arrivals;
        Assert.Equal(
            (At(10, 10).ToDateTimeOffset().AddMinutes(-15), At(10, 12).ToDateTimeOffset().AddMinutes(40)),
            (arrivals.HoteArrivalTime.ToDateTimeOffset(), arrivals.HoteDepartureTime.ToDateTimeOffset()));

        // Two families that follow each other meet at the door all the same: the hôte of the first is still there.
        var full = await rencontres.EspaceAsync(1);
        await rencontres.BookAsync(await rencontres.WaitingAsync(full, r => r.Decision.InterdictionDeContact = true), 10);
        Assert.Equal(["ESPACE_FULL"], (await Refusal.OfAsync(rencontres.Mesures.ScheduleRencontreAsync(Booking(await rencontres.WaitingAsync(full), 10, 12)))).Rules);
    }

    [Fact]
    public async Task ScheduleRencontre_Outing_OnlyWhereTheDecisionGrantsIt()
    {
        var id = await rencontres.WaitingAsync();
        Assert.Equal(["OUTING_NOT_GRANTED"], (await Refusal.OfAsync(() => rencontres.BookAsync(id, 10, change: r => r.Outing = true))).Rules);

        var granted = await rencontres.WaitingAsync(change: r => r.Decision.OutingGranted = true);
        await rencontres.BookAsync(granted, 10, change: r => r.Outing = true);
        Assert.True(Assert.Single((await jafer.GetAsync(granted)).Rencontres).Outing);
    }

    [Fact]
    public async Task Remise_NeitherOrderedNorGranted_IsRefusedUntilTheJudgeGrantsIt()
    {
        var id = await rencontres.WaitingAsync();
        Action<ScheduleRencontreRequest> remise = r => (r.ReturnTime, r.DurationMinutes) = (At(12, 18), 30);
        var series = Series(id, r => (r.ReturnAfterMinutes, r.DurationMinutes) = (5 * 60, 30));
        var planned = new PlannedRencontre { StartTime = At(10, 10), ReturnTime = At(12, 18), DurationMinutes = 30 };
        Assert.Equal(["REMISE_NOT_GRANTED"], (await Refusal.OfAsync(() => rencontres.BookAsync(id, 10, change: remise))).Rules);
        Assert.Equal(["REMISE_NOT_GRANTED"], (await Refusal.OfAsync(rencontres.AsEspace.CheckRencontreSeriesAsync(series))).Rules);
        Assert.Contains("REMISE_NOT_GRANTED", (await Refusal.OfAsync(rencontres.AsEspace.ScheduleRencontreSeriesAsync(new() { MesureId = id, Rencontres = { planned }, RequestId = NewId() }))).Rules);
        var visite = await rencontres.BookAsync(id, 20);
        Assert.Equal(
            ["REMISE_NOT_GRANTED"], (await Refusal.OfAsync(rencontres.AsEspace.MoveRencontreAsync(new() { MesureId = id, RencontreId = visite, Planned = planned, RequestId = NewId() }))).Rules);

        await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = Today.ToProto(), RemiseGranted = true }, RequestId = NewId() });
        var booked = await rencontres.BookAsync(id, 10, change: remise);
        await rencontres.AsEspace.CheckRencontreSeriesAsync(series);

        var withdrawn = await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = Today.ToProto(), RemiseGranted = false }, RequestId = NewId() });
        Assert.Equal([(booked, RencontreConflictCode.Remise)], withdrawn.Conflicts.Select(c => (c.RencontreId, c.Code)));
    }

    [Fact]
    public async Task ModifyMesure_SidesThatMustNoLongerMeet_WhatIsBookedTogetherIsAConflictUntilItIsMoved()
    {
        var id = await rencontres.WaitingAsync();
        var together = await rencontres.BookAsync(id, 10);

        var modified = await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = Today.ToProto(), InterdictionDeContact = true }, RequestId = NewId() });
        Assert.Equal([(together, RencontreConflictCode.Separation)], modified.Conflicts.Select(c => (c.RencontreId, c.Code)));

        await rencontres.AsEspace.MoveRencontreAsync(new() { MesureId = id, RencontreId = together, Planned = Planned(10, 10), RequestId = NewId() });
        var whole = await jafer.GetAsync(id);
        Assert.Empty(whole.RencontreConflicts);
        Assert.True(whole.Rencontres.Single(r => r.Outcome == RencontreOutcome.Scheduled).Arrivals.Separated);
    }

    [Fact]
    public async Task ScheduleRencontre_DurationFromTheFirstRencontre_WhatWouldLieAfterItIsSaidAndThenAConflict()
    {
        var id = await rencontres.WaitingAsync(change: r => (r.Decision.TermStart, r.Decision.DurationMonths) = (TermStart.FirstRencontre, 1));
        var first = await rencontres.BookAsync(id, -1);
        var late = await rencontres.Mesures.ScheduleRencontreAsync(Booking(id, 60));
        Assert.Equal(["AFTER_TERM"], late.Warnings.Select(w => w.Code));
        var series = new ScheduleRencontreSeriesRequest { MesureId = id, Rencontres = { Planned(60, 10) }, RequestId = NewId() };
        Assert.Contains("AFTER_TERM", (await Refusal.OfAsync(rencontres.AsEspace.ScheduleRencontreSeriesAsync(series))).Rules);
        Assert.Empty((await jafer.GetAsync(id)).RencontreConflicts);

        await HeldAsync(id, first);

        Assert.Equal([(late.RencontreId, RencontreConflictCode.Term)], (await jafer.GetAsync(id)).RencontreConflicts.Select(c => (c.RencontreId, c.Code)));
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.Mesures.ScheduleRencontreAsync(Booking(id, 61)))).Reason);
    }

    [Fact]
    public async Task GetMesure_WhileRencontresAreBooked_TellsThoseOfTheVersionThatItsEtagNames()
    {
        var id = await rencontres.WaitingAsync();
        var known = new Dictionary<string, int> { [(await jafer.GetAsync(id)).Summary.Etag] = 0 };
        using var over = new CancellationTokenSource();
        var reading = Enumerable.Range(0, 4).Select(async _ =>
        {
            var read = new List<(string Etag, int Rencontres)>();
            while (!over.IsCancellationRequested)
            {
                var mesure = await jafer.GetAsync(id);
                read.Add((mesure.Summary.Etag, mesure.Rencontres.Count));
            }

            return read;
        }).ToArray();

        for (var day = 10; day < 40; day++)
        {
            await rencontres.BookAsync(id, day);
            var mesure = await jafer.GetAsync(id);
            known[mesure.Summary.Etag] = mesure.Rencontres.Count;
        }

        await over.CancelAsync();
        Assert.Equal(31, known.Count);
        Assert.All((await Task.WhenAll(reading)).SelectMany(r => r), r => Assert.Equal(known[r.Etag], r.Rencontres));
    }

    [Fact]
    public async Task ScheduleRencontre_ThirdOfAMonthAtAnotherLength_IsBookedAndSaid()
    {
        var id = await rencontres.WaitingAsync();
        var first = Today.AddMonths(1);
        var offset = new DateOnly(first.Year, first.Month, 3).DayNumber - Today.DayNumber;
        await rencontres.BookAsync(id, offset);
        await rencontres.BookAsync(id, offset + 7);
        var third = Booking(id, offset + 14);
        third.DurationMinutes = 60;

        Assert.Equal(["TOO_FREQUENT", "LENGTH_DIFFERS"], (await rencontres.Mesures.ScheduleRencontreAsync(third)).Warnings.Select(w => w.Code));
    }

    [Fact]
    public async Task ConfirmRencontre_EachSide_OnceAndOnlyWhileScheduled()
    {
        var id = await rencontres.WaitingAsync();
        var rencontre = await rencontres.BookAsync(id, 10);
        ConfirmRencontreRequest By(PartyRole role) => new() { MesureId = id, RencontreId = rencontre, PartyRole = role, RequestId = NewId() };

        await rencontres.AsEspace.ConfirmRencontreAsync(By(PartyRole.Hote));
        Assert.Equal(MesureState.Programmee, (await rencontres.AsEspace.ConfirmRencontreAsync(By(PartyRole.Visiteur))).Mesure.State);

        var confirmed = Assert.Single((await jafer.GetAsync(id)).Rencontres);
        Assert.NotNull(confirmed.HoteConfirmedTime);
        Assert.NotNull(confirmed.VisiteurConfirmedTime);
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.ConfirmRencontreAsync(By(PartyRole.Hote)))).Reason);
        Assert.Equal(["party_role"], (await Refusal.OfAsync(rencontres.AsEspace.ConfirmRencontreAsync(By(PartyRole.Enfant)))).Fields);
        Assert.Equal(["rencontre_id"], (await Refusal.OfAsync(rencontres.AsEspace.ConfirmRencontreAsync(
            new() { MesureId = id, RencontreId = NewId(), PartyRole = PartyRole.Hote, RequestId = NewId() }))).Fields);
    }

    [Fact]
    public async Task CancelRencontre_BeforeItStarts_KeepsTheNoticeAndFreesTheSlot()
    {
        var id = await rencontres.WaitingAsync();
        var rencontre = await rencontres.BookAsync(id, 10);
        var request = new CancelRencontreRequest { MesureId = id, RencontreId = rencontre, Outcome = RencontreOutcome.CancelledByHote, RequestId = NewId() };

        var cancelled = await rencontres.AsEspace.CancelRencontreAsync(request);

        Assert.Equal(MesureState.EnAttente, cancelled.Mesure.State);
        Assert.Null(cancelled.Mesure.NextRencontreTime);
        var slot = Assert.Single(cancelled.FreeSlots);
        Assert.Equal(
            (rencontres.Espace.ToString(), At(10, 10), 120, Modalite.Visite, rencontre, FreeSlotState.Free),
            (slot.EspaceId, slot.StartTime, slot.DurationMinutes, slot.Modalite, slot.RencontreId, slot.State));
        Assert.Equal(cancelled, await rencontres.AsEspace.CancelRencontreAsync(request));
        var row = Assert.Single((await jafer.GetAsync(id)).Rencontres);
        Assert.Equal(RencontreOutcome.CancelledByHote, row.Outcome);
        Assert.InRange(row.NoticeMinutes, 8 * 24 * 60, 11 * 24 * 60);
        request.RequestId = NewId();
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.CancelRencontreAsync(request))).Reason);
        request.Outcome = RencontreOutcome.VisiteurAbsent;
        Assert.Equal(["outcome"], (await Refusal.OfAsync(rencontres.AsEspace.CancelRencontreAsync(request))).Fields);

        // One that has begun has an outcome, not a cancelling.
        var begun = await rencontres.BookAsync(id, -1);
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.CancelRencontreAsync(
            new() { MesureId = id, RencontreId = begun, Outcome = RencontreOutcome.CancelledByEspace, RequestId = NewId() }))).Reason);
    }

    [Fact]
    public async Task RecordRencontreOutcome_LossKnownEarly_FreesTheSlotAndLateDoesNot()
    {
        var espace = await rencontres.EspaceAsync(5);
        var id = await rencontres.WaitingAsync(espace);
        var early = await rencontres.BookAsync(id, 10);
        var late = await rencontres.BookAsync(id, -1);
        foreach (var rencontre in new[] { early, late })
        {
            await rencontres.Mesures.RecordRencontreOutcomeAsync(new() { MesureId = id, RencontreId = rencontre, Outcome = RencontreOutcome.VisiteurAbsent, RequestId = NewId() });
        }

        Assert.Equal([early], (await SlotsAsync(espace)).Select(s => s.RencontreId));
    }

    [Fact]
    public async Task MoveRencontre_ToAnotherDay_KeepsTheLinkAndTheCount()
    {
        var espace = await rencontres.EspaceAsync(1);
        var id = await rencontres.WaitingAsync(espace);
        var first = await rencontres.BookAsync(id, 10);
        await rencontres.AsEspace.ConfirmRencontreAsync(new() { MesureId = id, RencontreId = first, PartyRole = PartyRole.Hote, RequestId = NewId() });

        // An hour later overlaps only itself.
        var moved = await rencontres.AsEspace.MoveRencontreAsync(new() { MesureId = id, RencontreId = first, Planned = Planned(10, 11), RequestId = NewId() });
        var again = await rencontres.AsEspace.MoveRencontreAsync(new() { MesureId = id, RencontreId = moved.RencontreId, Planned = Planned(17, 10), RequestId = NewId() });

        Assert.Equal((MesureState.Programmee, At(17, 10)), (again.Mesure.State, again.Mesure.NextRencontreTime));
        Assert.Equal(At(10, 11), Assert.Single(again.FreeSlots).StartTime);
        var rows = (await jafer.GetAsync(id)).Rencontres.ToDictionary(r => r.RencontreId);
        Assert.Equal((RencontreOutcome.Moved, moved.RencontreId), (rows[first].Outcome, rows[first].MovedToRencontreId));
        Assert.Equal((first, again.RencontreId), (rows[moved.RencontreId].MovedFromRencontreId, rows[moved.RencontreId].MovedToRencontreId));
        Assert.Equal((RencontreOutcome.Scheduled, moved.RencontreId), (rows[again.RencontreId].Outcome, rows[again.RencontreId].MovedFromRencontreId));
        Assert.Null(rows[again.RencontreId].HoteConfirmedTime);
        Assert.Equal(1L, await jafer.Database.ReadAsync<long>($"select pending_rencontres::bigint from mesures where id = '{id}'"));
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.MoveRencontreAsync(
            new() { MesureId = id, RencontreId = first, Planned = Planned(20, 10), RequestId = NewId() }))).Reason);
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.MoveRencontreAsync(
            new() { MesureId = id, RencontreId = again.RencontreId, Planned = Planned(800, 10), RequestId = NewId() }))).Reason);

        // As it was known after the first booking, none of it had happened.
        var then = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events.First(e => e.Act == MesureAct.ScheduleRencontre).RecordedTime;
        var past = Assert.Single((await jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = then })).Mesure.Rencontres);
        Assert.Equal((first, RencontreOutcome.Scheduled, ""), (past.RencontreId, past.Outcome, past.MovedToRencontreId));
        Assert.Null(past.HoteConfirmedTime);
    }

    [Fact]
    public async Task CorrectRencontreOutcome_AMistake_ChangesStateAndNoteAndKeepsWhatWasSaid()
    {
        var id = await rencontres.WaitingAsync();
        var rencontre = await rencontres.BookAsync(id, -1);
        var request = new CorrectRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = rencontre,
            Outcome = RencontreOutcome.Held,
            Presences =
            {
                new Presence { PartyRole = PartyRole.Visiteur, Present = true, MinutesLate = 10 },
                new Presence { PartyRole = PartyRole.Enfant, ChildId = (await jafer.GetAsync(id)).Children[0].ChildId, Present = true },
            },
            RequestId = NewId(),
        };
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.CorrectRencontreOutcomeAsync(request))).Reason);
        await rencontres.Mesures.RecordRencontreOutcomeAsync(new() { MesureId = id, RencontreId = rencontre, Outcome = RencontreOutcome.VisiteurAbsent, RequestId = NewId() });
        var said = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events[^1];

        request.RequestId = NewId();
        var corrected = await rencontres.AsEspace.CorrectRencontreOutcomeAsync(request);
        Assert.Equal(corrected, await rencontres.AsEspace.CorrectRencontreOutcomeAsync(request));

        Assert.Equal(MesureState.EnCours, corrected.Mesure.State);
        var whole = await jafer.GetAsync(id);
        Assert.Equal(At(-1, 10), whole.Milestones.FirstHeldRencontreTime);
        Assert.Equal(10, whole.Rencontres[0].Presences.Single(p => p.PartyRole == PartyRole.Visiteur).MinutesLate);
        var past = (await jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = said.RecordedTime })).Mesure;
        Assert.Equal((MesureState.EnAttente, RencontreOutcome.VisiteurAbsent, 0), (past.Summary.State, past.Rencontres[0].Outcome, past.Rencontres[0].Presences.Count));

        // Not held after all: nothing was ever held then, and a rencontre had been scheduled all the same.
        (request.Outcome, request.RequestId) = (RencontreOutcome.HoteAbsent, NewId());
        request.Presences.Clear();
        Assert.Equal(MesureState.EnAttente, (await rencontres.AsEspace.CorrectRencontreOutcomeAsync(request)).Mesure.State);
        Assert.Null((await jafer.GetAsync(id)).Milestones.FirstHeldRencontreTime);
        var events = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events;
        Assert.Equal([MesureAct.RencontreNotHeld, MesureAct.CorrectRencontreOutcome, MesureAct.CorrectRencontreOutcome], events.TakeLast(3).Select(e => e.Act));
        Assert.Equal([MesureState.EnAttente, MesureState.EnCours, MesureState.EnAttente], events.TakeLast(3).Select(e => e.State));
    }

    [Fact]
    public async Task RecordRencontreOutcome_AfterTheClosing_IsTakenForWhatHadBegun()
    {
        var id = await rencontres.WaitingAsync();
        var rencontre = await rencontres.BookAsync(id, -1);
        await jafer.AsCourt.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.Autre, RequestId = NewId() });

        var held = await HeldAsync(id, rencontre);

        Assert.Equal((MesureState.Cloturee, Holder.Personne, null), (held.State, held.Holder, held.NextRencontreTime));
        Assert.Equal(At(-1, 10), (await jafer.GetAsync(id)).Milestones.FirstHeldRencontreTime);
        await rencontres.AsEspace.CorrectRencontreOutcomeAsync(new() { MesureId = id, RencontreId = rencontre, Outcome = RencontreOutcome.ForceMajeure, RequestId = NewId() });
        var reopened = await jafer.AsCourt.ReopenMesureAsync(new() { MesureId = id, Comment = "erreur", RequestId = NewId() });
        Assert.Equal((MesureState.EnAttente, Holder.Espace), (reopened.Mesure.State, reopened.Mesure.Holder));
    }

    [Fact]
    public async Task Remise_HandoverThenReturn_EachHasItsTimeAndOutcome()
    {
        var id = await rencontres.WaitingAsync(change: r => r.Decision.RemiseGranted = true);
        var remise = await rencontres.BookAsync(id, -1, change: r => (r.ReturnTime, r.DurationMinutes) = (At(1, 18), 30));
        var request = new RecordRemiseReturnRequest { MesureId = id, RencontreId = remise, Outcome = RencontreOutcome.Held, RequestId = NewId() };
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.RecordRemiseReturnAsync(request))).Reason);

        var held = await HeldAsync(id, remise);
        Assert.Equal((MesureState.EnCours, At(1, 18)), (held.State, held.NextRencontreTime));
        request.Outcome = RencontreOutcome.CancelledByHote;
        Assert.Equal(["outcome"], (await Refusal.OfAsync(rencontres.AsEspace.RecordRemiseReturnAsync(request))).Fields);
        request.Outcome = RencontreOutcome.VisiteurAbsent;
        var returned = await rencontres.AsEspace.RecordRemiseReturnAsync(request);

        Assert.Null(returned.Mesure.NextRencontreTime);
        var row = Assert.Single((await jafer.GetAsync(id)).Rencontres);
        Assert.Equal((RencontreKind.Remise, RencontreOutcome.Held, RencontreOutcome.VisiteurAbsent, At(1, 18)), (row.Kind, row.Outcome, row.ReturnOutcome, row.ReturnTime));
        request.RequestId = NewId();
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.RecordRemiseReturnAsync(request))).Reason);

        // Brought back after all: a correction says so and leaves the handover as it was; the past still shows what was said.
        var correction = new CorrectRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = remise,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { row.PresentChildIds },
            ReturnOutcome = RencontreOutcome.Scheduled,
            RequestId = NewId(),
        };
        Assert.Equal(["return_outcome"], (await Refusal.OfAsync(rencontres.AsEspace.CorrectRencontreOutcomeAsync(correction))).Fields);
        correction.ReturnOutcome = RencontreOutcome.Held;
        var said = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events[^1].RecordedTime;
        await rencontres.AsEspace.CorrectRencontreOutcomeAsync(correction);
        Assert.Equal((RencontreOutcome.Held, RencontreOutcome.Held), Halves((await jafer.GetAsync(id)).Rencontres[0]));
        Assert.Equal((RencontreOutcome.Held, RencontreOutcome.VisiteurAbsent), Halves((await jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = said })).Mesure.Rencontres[0]));
        var visite = await rencontres.WaitingAsync();
        correction.MesureId = visite;
        correction.RencontreId = await rencontres.BookAsync(visite, -1);
        await HeldAsync(visite, correction.RencontreId);
        (correction.PresentChildIds[0], correction.RequestId) = ((await jafer.GetAsync(visite)).Children[0].ChildId, NewId());
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.AsEspace.CorrectRencontreOutcomeAsync(correction))).Reason);

        static (RencontreOutcome, RencontreOutcome) Halves(Rencontre rencontre) => (rencontre.Outcome, rencontre.ReturnOutcome);

        // Both halves of one that is cancelled become free.
        var later = await rencontres.BookAsync(id, 10, change: r => (r.ReturnTime, r.DurationMinutes) = (At(12, 18), 30));
        var cancelled = await rencontres.AsEspace.CancelRencontreAsync(new() { MesureId = id, RencontreId = later, Outcome = RencontreOutcome.CancelledByVisiteur, RequestId = NewId() });
        Assert.Equal([At(10, 10), At(12, 18)], cancelled.FreeSlots.Select(s => s.StartTime));
    }

    [Fact]
    public async Task ScheduleRencontre_RemiseWithoutReturnOrVisiteWithOne_IsRefused()
    {
        var id = await rencontres.WaitingAsync();
        foreach (var change in new Action<ScheduleRencontreRequest>[]
        {
            r => r.Kind = RencontreKind.Remise,
            r => (r.Kind, r.ReturnTime) = (RencontreKind.Visite, At(12, 10)),
            r => r.ReturnTime = At(10, 11),
            r => r.ReturnTime = At(42, 10),
        })
        {
            Assert.Equal(["return_time"], (await Refusal.OfAsync(() => rencontres.BookAsync(id, 10, change: change))).Fields);
        }
    }

    [Fact]
    public async Task RecordRencontreOutcome_Presences_SayWhoCameAndHowLate()
    {
        var id = await rencontres.WaitingAsync();
        var rencontre = await rencontres.BookAsync(id, -1);
        var child = (await jafer.GetAsync(id)).Children[0].ChildId;
        var request = new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = rencontre,
            Outcome = RencontreOutcome.Held,
            Presences =
            {
                new Presence { PartyRole = PartyRole.Hote, Present = true },
                new Presence { PartyRole = PartyRole.Visiteur, Present = true, MinutesLate = 20 },
                new Presence { PartyRole = PartyRole.Enfant, ChildId = child, Present = true },
            },
            ActualStartTime = Timestamp.FromDateTimeOffset(At(-1, 10).ToDateTimeOffset().AddMinutes(20)),
            ActualEndTime = At(-1, 12),
            RequestId = NewId(),
        };
        foreach (var (wrong, field) in new (Action<RecordRencontreOutcomeRequest>, string)[]
        {
            (r => r.Presences[2].ChildId = "", "presences[2].child_id"),
            (r => r.Presences[2].ChildId = NewId(), "presences[2].child_id"),
            (r => r.Presences[1].PartyRole = PartyRole.Hote, "presences[1].party_role"),
            (r => (r.Presences[0].Present, r.Presences[0].MinutesLate) = (false, 5), "presences[0].minutes_late"),
            (r => r.Presences[1].MinutesLate = 721, "presences[1].minutes_late"),
            (r => r.ActualEndTime = At(-1, 9), "actual_end_time"),
            (r => r.ActualEndTime = At(1, 12), "actual_end_time"),
            (r => r.ActualStartTime = At(-3, 10), "actual_start_time"),
            (r => r.Presences[1].MinutesLate = 120, "presences[1].minutes_late"),
            (r => (r.VisiteurPresent, r.Presences[1].Present, r.Presences[1].MinutesLate) = (true, false, 0), "visiteur_present"),
            (r => Named(r, child), "present_child_ids[0]"),
            (r => NotHeld(r, RencontreOutcome.VisiteurAbsent), "visiteur_present"),
            (r => NotHeld(r, RencontreOutcome.HoteAbsent), "presences"),
            (r => r.Outcome = RencontreOutcome.Moved, "outcome"),
        })
        {
            var other = request.Clone();
            wrong(other);
            Assert.Contains(field, (await Refusal.OfAsync(rencontres.Mesures.RecordRencontreOutcomeAsync(other))).Fields);
        }

        await rencontres.Mesures.RecordRencontreOutcomeAsync(request);

        var row = Assert.Single((await jafer.GetAsync(id)).Rencontres);
        Assert.True(row.VisiteurPresent);
        Assert.Equal([child], row.PresentChildIds);
        Assert.Equal(request.Presences, row.Presences);
        Assert.Equal((request.ActualStartTime, request.ActualEndTime), (row.ActualStartTime, row.ActualEndTime));

        // To a handover, which takes half an hour, somebody may come later than that.
        var remises = await rencontres.WaitingAsync(change: r => r.Decision.RemiseGranted = true);
        request.RencontreId = await rencontres.BookAsync(remises, -1, change: r => (r.ReturnTime, r.DurationMinutes) = (At(1, 18), 30));
        request.Presences[2].ChildId = (await jafer.GetAsync(remises)).Children[0].ChildId;
        (request.MesureId, request.Presences[1].MinutesLate, request.RequestId) = (remises, 40, NewId());
        await rencontres.Mesures.RecordRencontreOutcomeAsync(request);

        static void Named(RecordRencontreOutcomeRequest request, string child)
        {
            request.Presences[2].Present = false;
            request.PresentChildIds.Add(child);
        }

        static void NotHeld(RecordRencontreOutcomeRequest request, RencontreOutcome outcome) =>
            (request.Outcome, request.ActualStartTime, request.ActualEndTime) = (outcome, null, null);
    }

    [Fact]
    public async Task ScheduleRencontre_NoZoneNamed_IsOnTheClockOfTheEspace()
    {
        var reunion = await rencontres.EspaceAsync(5, e =>
        {
            e.Departement = "974";
            e.Agrements[0].Departement = "974";
            e.Lieux[0].CommuneInsee = "97411";
        });
        var id = await rencontres.WaitingAsync(reunion);
        var term = (await jafer.GetAsync(id)).Summary.TermDate;

        // By the clock of Paris this is still the last day, where the family comes it is the day after.
        var late = ScheduleAt(new DateOnly(term.Year, term.Month, term.Day), 22);
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(rencontres.Mesures.ScheduleRencontreAsync(late))).Reason);
        late.StartTime = At(10, 6);
        await rencontres.Mesures.ScheduleRencontreAsync(late);

        Assert.Equal("Indian/Reunion", Assert.Single((await jafer.GetAsync(id)).Rencontres).TimeZone);

        ScheduleRencontreRequest ScheduleAt(DateOnly day, int hour) =>
            new() { MesureId = id, StartTime = s_paris.At(day, hour * 60).ToProto(), DurationMinutes = 60, RequestId = NewId() };
    }

    [Fact]
    public async Task ScheduleRencontreSeries_AnotherModaliteFromADayOn_IsHeldToThePlacesOfEach()
    {
        var espace = await rencontres.EspaceAsync(5, e => e.Modalites.Add(
            new Contracts.Directory.V1.ModaliteOfferte { Modalite = Modalite.VisitePresenceContinue, State = Contracts.Directory.V1.ModaliteState.Ouverte, CapacityFamilies = 1, SlotsPerWeek = 10, MaxAge = 17 }));
        var id = await rencontres.WaitingAsync(espace);
        var other = await rencontres.WaitingAsync(espace, r => r.Decision.Modalite = Modalite.VisitePresenceContinue);
        var proposed = (await rencontres.AsEspace.CheckRencontreSeriesAsync(Series(id, r => r.RencontreCount = 4))).Rencontres;
        foreach (var taken in new[] { proposed[0], proposed[3] })
        {
            await rencontres.Mesures.ScheduleRencontreAsync(
                new() { MesureId = other, StartTime = taken.StartTime, DurationMinutes = taken.DurationMinutes, RequestId = NewId() });
        }

        var changes = s_paris.DayOf(proposed[2].StartTime.ToDateTimeOffset()).ToProto();
        await jafer.AsCourt.ModifyMesureAsync(new()
        {
            MesureId = id,
            Modification = new() { DecisionDate = Today.ToProto(), EffectiveDate = changes, Modalite = Modalite.VisitePresenceContinue },
            RequestId = NewId(),
        });

        var booked = await rencontres.AsEspace.ScheduleRencontreSeriesAsync(new() { MesureId = id, Rencontres = { proposed }, Partial = true, RequestId = NewId() });

        Assert.Equal([true, true, true, false], booked.Bookings.Select(b => b.RencontreId.Length > 0));
        Assert.Equal(["ESPACE_FULL"], booked.Bookings[3].Findings.Select(f => f.Code));
        Assert.True(booked.OpeningKnown);
    }

    [Fact]
    public async Task FreeSlot_TakenByTwoAtOnce_GoesToOneAndIsKeptOnBothSides()
    {
        var espace = await rencontres.EspaceAsync(1);
        var slot = await FreedAsync(espace, 10);
        var ids = new[] { await rencontres.WaitingAsync(espace), await rencontres.WaitingAsync(espace) };
        Task<ScheduleRencontreResponse> TakeAsync(string id) =>
            rencontres.Mesures.ScheduleRencontreAsync(new() { MesureId = id, FreeSlotId = slot.FreeSlotId, OverCapacity = true, RequestId = NewId() }).ResponseAsync;

        var outcomes = await Task.WhenAll(ids.Select(id => Refusal.OrNullAsync(() => TakeAsync(id))));

        var refusal = Assert.Single(outcomes, o => o is not null)!;
        Assert.Contains(refusal.Reason, new[] { "ETAG_MISMATCH", "STATE_FORBIDS" });
        var winner = ids[Array.IndexOf(outcomes, null)];
        var row = Assert.Single((await jafer.GetAsync(winner)).Rencontres);
        Assert.Equal((slot.FreeSlotId, slot.StartTime, 120), (row.FreeSlotId, row.StartTime, row.DurationMinutes));
        var taken = Assert.Single(await SlotsAsync(espace, FreeSlotState.Taken));
        Assert.Equal((winner, row.RencontreId), (taken.TakenByMesureId, taken.TakenByRencontreId));
        Assert.Empty(await SlotsAsync(espace));
        var loser = ids[1 - Array.IndexOf(outcomes, null)];
        Assert.Equal("STATE_FORBIDS", (await CodeOfAsync(TakeAsync(loser))).Reason);
        Assert.Empty((await jafer.GetAsync(loser)).Rencontres);
    }

    [Fact]
    public async Task FreeSlot_OutsideItOrOfAnotherEspace_IsRefused()
    {
        var espace = await rencontres.EspaceAsync(4);
        var slot = await FreedAsync(espace, 10);
        var id = await rencontres.WaitingAsync(espace);

        Assert.Equal(["free_slot_id"], (await Refusal.OfAsync(() => rencontres.BookAsync(id, 10, 11, r => r.FreeSlotId = slot.FreeSlotId))).Fields);
        Assert.Equal(["free_slot_id"], (await Refusal.OfAsync(() => rencontres.BookAsync(id, 10, change: r => r.FreeSlotId = NewId()))).Fields);
        var elsewhere = await rencontres.WaitingAsync();
        Assert.Equal(["free_slot_id"], (await Refusal.OfAsync(() => rencontres.BookAsync(elsewhere, 10, change: r => r.FreeSlotId = slot.FreeSlotId))).Fields);
        var first = await rencontres.BookAsync(id, 17);
        var moved = await rencontres.AsEspace.MoveRencontreAsync(
            new() { MesureId = id, RencontreId = first, Planned = Planned(10, 10), FreeSlotId = slot.FreeSlotId, RequestId = NewId() });
        Assert.Equal(moved.RencontreId, Assert.Single(await SlotsAsync(espace, FreeSlotState.Taken)).TakenByRencontreId);
    }

    [Fact]
    public async Task ListSlotCandidates_MesuresThatWait_ThoseThatFitInTheOrderOfOffering()
    {
        var espace = await rencontres.EspaceAsync(4);
        var running = await rencontres.WaitingAsync(espace);
        await HeldAsync(running, await rencontres.BookAsync(running, -1));
        var oldest = await rencontres.WaitingAsync(espace);
        await rencontres.WaitingAsync(espace, r => r.Decision.RencontreMinutes = 180);
        await rencontres.WaitingAsync(espace, r => (r.Decision.DecisionDate, r.Decision.DurationMonths) = (new DateOnly(2026, 3, 2).ToProto(), 1));
        var booked = await rencontres.WaitingAsync(espace);
        await rencontres.BookAsync(booked, 20);
        var newest = await rencontres.WaitingAsync(espace);

        // What no judge ordered waits too, since its registration, and a page may end with it.
        var agreed = await AgreedAsync(espace);
        var slot = await FreedAsync(espace, 45, close: true);

        foreach (var size in new[] { 0, 1, 2 })
        {
            var candidates = new List<SlotCandidate>();
            var request = new ListSlotCandidatesRequest { FreeSlotId = slot.FreeSlotId, PageSize = size };
            do
            {
                var page = await rencontres.AsEspace.ListSlotCandidatesAsync(request);
                candidates.AddRange(page.Candidates);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            Assert.Equal([oldest, newest, agreed, running], candidates.Select(c => c.Mesure.MesureId));
            Assert.Equal([true, true, true, false], candidates.Select(c => c.FirstRencontre));
        }

        await rencontres.BookAsync(newest, 45, change: r => r.FreeSlotId = slot.FreeSlotId);
        Assert.Empty((await rencontres.AsEspace.ListSlotCandidatesAsync(new() { FreeSlotId = slot.FreeSlotId })).Candidates);
    }

    [Fact]
    public async Task ListFreeSlots_AnyPageSize_IsTheWholeListOfTheCallerAlone()
    {
        var espace = await rencontres.EspaceAsync(10);
        var freed = new List<string>();
        foreach (var days in new[] { 30, 20, 10, 20 })
        {
            freed.Add((await FreedAsync(espace, days)).FreeSlotId);
        }

        var whole = await SlotsAsync(espace);
        Assert.Equal(freed.Order(), whole.Select(s => s.FreeSlotId).Order());
        Assert.Equal(whole.OrderBy(s => s.StartTime.Seconds).ThenBy(s => Guid.Parse(s.FreeSlotId)), whole);
        foreach (var size in new[] { 1, 2, 3 })
        {
            // They are offered meanwhile.
            Assert.Equal(whole.Select(s => s.FreeSlotId), (await SlotsAsync(espace, FreeSlotState.Free, size)).Select(s => s.FreeSlotId));
        }

        Assert.Empty(await SlotsAsync(espace, FreeSlotState.Expired));
        await jafer.Database.RunAsync($"update free_slots set starts_at = starts_at - interval '1 year' where id = '{freed[0]}'");
        Assert.Equal([freed[0]], (await SlotsAsync(espace, FreeSlotState.Expired)).Select(s => s.FreeSlotId));
        Assert.Equal(3, (await SlotsAsync(espace)).Count);
        var other = new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", OtherGestionnaire));
        Assert.Empty((await other.ListFreeSlotsAsync(new() { EspaceId = espace.ToString() })).FreeSlots);
        var token = (await rencontres.AsEspace.ListFreeSlotsAsync(new() { EspaceId = espace.ToString(), PageSize = 1 })).NextPageToken;
        Assert.Equal("PAGE_TOKEN_INVALID", (await CodeOfAsync(other.ListFreeSlotsAsync(new() { EspaceId = espace.ToString(), PageToken = token }))).Reason);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("revoke")]
    [InlineData("redesignate")]
    [InlineData("answer")]
    public async Task Closing_AnyWay_ReleasesWhatWasToCome(string way)
    {
        var espace = await rencontres.EspaceAsync(4);
        var id = await rencontres.WaitingAsync(espace);
        var begun = await rencontres.BookAsync(id, -1);
        var ahead = await rencontres.BookAsync(id, 10);
        var revocation = new Revocation { DecisionDate = Today.ToProto() };
        var difficulty = (await rencontres.Mesures.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() })).DifficultyId;

        var closed = way switch
        {
            "close" => (await rencontres.Mesures.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.InterruptionIncident, RequestId = NewId() })).Mesure,
            "revoke" => (await jafer.AsCourt.RevokeMesureAsync(new() { MesureId = id, Revocation = revocation, RequestId = NewId() })).Mesure,
            "redesignate" => (await jafer.AsCourt.RedesignateMesureAsync(
                new() { MesureId = id, Redesignation = new() { EspaceId = Espace.ToString(), DecisionDate = Today.ToProto() }, RequestId = NewId() })).Mesure,
            _ => (await jafer.AsCourt.AnswerDifficultyAsync(
                new() { MesureId = id, DifficultyId = difficulty, Answer = DifficultyAnswer.Revoke, Revocation = revocation, RequestId = NewId() })).Mesure,
        };

        var whole = await jafer.GetAsync(id);
        Assert.Equal(closed.Etag, whole.Summary.Etag);
        Assert.Equal(
            way switch
            {
                "close" => ClosureCategory.InterruptionEspace,
                "redesignate" => ClosureCategory.HorsStatistique,
                _ => ClosureCategory.InterruptionJuge,
            },
            whole.Closure.Category);
        Assert.Equal(
            [(begun, RencontreOutcome.Scheduled), (ahead, RencontreOutcome.MesureClosed)], whole.Rencontres.Select(r => (r.RencontreId, r.Outcome)));
        Assert.Equal([ahead], (await SlotsAsync(espace)).Select(s => s.RencontreId));
        if (way == "close")
        {
            var reopened = (await rencontres.Mesures.ReopenMesureAsync(new() { MesureId = id, Comment = "erreur", RequestId = NewId() })).Mesure;
            Assert.Equal((MesureState.Programmee, At(-1, 10)), (reopened.State, reopened.NextRencontreTime));
            await rencontres.Mesures.RecordRencontreOutcomeAsync(new() { MesureId = id, RencontreId = begun, Outcome = RencontreOutcome.HoteAbsent, RequestId = NewId() });
            Assert.Equal(MesureState.EnAttente, (await jafer.GetAsync(id)).Summary.State);
        }
    }

    [Fact]
    public async Task ReopenMesure_AllWasReleased_WaitsAgain()
    {
        var id = await rencontres.WaitingAsync();
        await rencontres.BookAsync(id, 10);
        await rencontres.Mesures.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.InterruptionIncident, RequestId = NewId() });

        var reopened = (await rencontres.Mesures.ReopenMesureAsync(new() { MesureId = id, Comment = "erreur", RequestId = NewId() })).Mesure;

        Assert.Equal((MesureState.EnAttente, Holder.Espace), (reopened.State, reopened.Holder));
        Assert.Null(reopened.NextRencontreTime);
    }

    [Fact]
    public async Task FreeSlot_FreedThenTaken_IsToldInTheOrderOfItsVersions()
    {
        var espace = await rencontres.EspaceAsync(4);
        await jafer.Database.RunAsync("""
            create schema if not exists test;
            create table if not exists test.told (message_type text, payload jsonb);
            create or replace function test.keep_told() returns trigger language plpgsql security definer as $$ begin insert into test.told values (new.message_type, new.payload); return new; end $$;
            create or replace trigger keep_told before insert on outbox_messages for each row when (new.message_type like 'mesure.slot-%') execute function test.keep_told();
            """);
        var slot = await FreedAsync(espace, 10);
        var id = await rencontres.WaitingAsync(espace);
        await rencontres.BookAsync(id, 10, change: r => r.FreeSlotId = slot.FreeSlotId);

        var told = await jafer.Database.ReadAsync<string>(
            $"select string_agg(message_type || ' ' || (payload->>'aggregateVersion') || ' ' || (payload->>'gestionnaireId'), ', ' order by payload->>'aggregateVersion') from test.told where payload->>'aggregateId' = '{slot.FreeSlotId}' and message_type not like '%offer%'");
        Assert.Equal($"mesure.slot-freed.v1 1 {Gestionnaire}, mesure.slot-taken.v1 2 {Gestionnaire}", told);
    }

    private async Task<string> AgreedAsync(Guid espace)
    {
        var id = (await rencontres.Mesures.RegisterNonJudicialMesureAsync(NonJudicial(r =>
        {
            r.EspaceId = espace.ToString();
            (r.Agreement.DurationMonths, r.Agreement.RencontreMinutes) = (24, 60);
        }))).Mesure.MesureId;
        await rencontres.Mesures.TakeChargeAsync(new() { MesureId = id, RequestId = NewId() });
        await rencontres.Mesures.RecordContactAsync(new() { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        return id;
    }

    private static CheckRencontreSeriesRequest Series(string id, Action<CheckRencontreSeriesRequest>? change = null)
    {
        var request = new CheckRencontreSeriesRequest { MesureId = id, StartDate = Today.AddDays(7).ToProto(), StartTimeOfDay = new TimeOfDay { Hours = 10 } };
        change?.Invoke(request);
        return request;
    }

    private static PlannedRencontre Planned(int days, int hour) => new() { StartTime = At(days, hour), DurationMinutes = 120 };

    private static async Task<(StatusCode Code, string Reason)> CodeOfAsync<T>(AsyncUnaryCall<T> call)
    {
        var refusal = await Refusal.OfAsync(call);
        return (refusal.Code, refusal.Reason);
    }

    private static async Task<(StatusCode Code, string Reason)> CodeOfAsync<T>(Task<T> call)
    {
        var refusal = await Refusal.OfAsync(() => call);
        return (refusal.Code, refusal.Reason);
    }

    private async Task<MesureSummary> HeldAsync(string id, string rencontre) => (await rencontres.Mesures.RecordRencontreOutcomeAsync(new()
    {
        MesureId = id,
        RencontreId = rencontre,
        Outcome = RencontreOutcome.Held,
        VisiteurPresent = true,
        PresentChildIds = { (await jafer.GetAsync(id)).Children[0].ChildId },
        RequestId = NewId(),
    })).Mesure;

    /// <summary>A slot that another mesure left.</summary>
    private async Task<FreeSlot> FreedAsync(Guid espace, int days, bool close = false)
    {
        var id = await rencontres.WaitingAsync(espace);
        var lost = await rencontres.BookAsync(id, days);
        var slot = Assert.Single((await rencontres.AsEspace.CancelRencontreAsync(
            new() { MesureId = id, RencontreId = lost, Outcome = RencontreOutcome.CancelledByVisiteur, RequestId = NewId() })).FreeSlots);
        if (close)
        {
            await rencontres.Mesures.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.Autre, RequestId = NewId() });
        }

        return slot;
    }

    private async Task<List<FreeSlot>> SlotsAsync(Guid espace, FreeSlotState state = FreeSlotState.Free, int size = 0)
    {
        var slots = new List<FreeSlot>();
        var request = new ListFreeSlotsRequest { EspaceId = espace.ToString(), States = { state }, PageSize = size };
        do
        {
            var page = await rencontres.AsEspace.ListFreeSlotsAsync(request);
            slots.AddRange(page.FreeSlots);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return slots;
    }
}
