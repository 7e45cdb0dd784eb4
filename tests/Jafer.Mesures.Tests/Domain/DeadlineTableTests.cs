using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;
using Difficulty = Jafer.Mesures.Domain.Difficulty;
using Interview = Jafer.Mesures.Domain.Interview;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>By when who must act, step by step. The acts begin on Monday 2 March 2026, 10 o'clock in Paris.</summary>
public sealed class DeadlineTableTests
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly WorkingCalendar s_court = WorkingCalendar.Of("Europe/Paris", "69");

    private readonly List<Difficulty> _difficulties = [];
    private readonly List<Interview> _interviews = [];
    private readonly Mesure _mesure;
    private DateTimeOffset _now = s_start;

    public DeadlineTableTests() => _mesure = Mesure.Create(
        Guid.CreateVersion7(s_start), "TJ-2026-000001", Guid.CreateVersion7(s_start),
        new Decision { Date = new DateOnly(2026, 3, 2), DurationMonths = 6, Modalite = Contracts.Type.V1.Modalite.Visite, ContactDeadline = new DateOnly(2026, 4, 1) }, null, Acting);

    private Acting Acting => new(Guid.CreateVersion7(s_start), "test", _now, _now);

    [Fact]
    public void Table_EveryKind_StandsThereOnceAndIsSomebodys()
    {
        Assert.Equal(Enum.GetValues<DeadlineKind>().Where(k => k is not (DeadlineKind.Unspecified or DeadlineKind.TermInTwoMonths)), DeadlineTable.Rows.Select(r => r.Kind).Order());
        Assert.All(DeadlineTable.Rows, r => Assert.True(r.MustAct is Holder.Juridiction or Holder.Espace));
        Assert.Equal([DeadlineKind.DeliveryFailed, DeadlineKind.EscalateDifficulty, DeadlineKind.EscalateExternalAlert], DeadlineTable.Rows.Select(r => r.Kind).Where(DeadlineTable.Escalates).Order());
    }

    [Fact]
    public void Of_ADraft_AsksForItsTransmissionOnceItIsComplete()
    {
        Assert.Empty(Due());

        _mesure.Complete([], Acting);

        Assert.Equal([(DeadlineKind.Transmit, Holder.Juridiction, Paris(3, 5))], Due());
    }

    [Fact]
    public void Of_ATransmission_WarnsByHoursAndAsksByWorkingDays()
    {
        Transmit();

        Assert.Equal(
            [
                (DeadlineKind.DeliveryWarning, Holder.Juridiction, s_start.AddHours(12)), (DeadlineKind.DeliveryFailed, Holder.Juridiction, s_start.AddHours(24)),
                (DeadlineKind.Retrieval, Holder.Espace, Paris(3, 6)), (DeadlineKind.Acknowledge, Holder.Espace, Paris(3, 10)),
                (DeadlineKind.ContactDeadline, Holder.Espace, Paris(4, 2)), (DeadlineKind.TermInThreeMonths, Holder.Juridiction, Paris(6, 2)),
                (DeadlineKind.TermInOneMonth, Holder.Juridiction, Paris(8, 2)), (DeadlineKind.ExpiresBeforeVisit, Holder.Juridiction, Paris(8, 3)),
                (DeadlineKind.TermInOneWeek, Holder.Juridiction, Paris(8, 26)), (DeadlineKind.TermPassed, Holder.Espace, Paris(9, 3)),
            ],
            Due());

        _mesure.Deliver(DeliveryChannel.Feed, Acting);
        Assert.Equal(DeadlineKind.Retrieval, Due()[0].Kind);
        _mesure.Retrieve(Acting);
        Assert.Equal(DeadlineKind.Acknowledge, Due()[0].Kind);
    }

    [Fact]
    public void Of_WhatJaferLearntLate_LeavesWhoMustActTheirTimeFromThere()
    {
        _mesure.Complete([], Acting);
        _now = s_start.AddDays(28);
        var late = Acting with { OccurredAt = s_start.AddDays(1) };
        _mesure.Transmit(Espace("Europe/Paris", "69"), late);

        // On paper it went four weeks ago; the espace can read and acknowledge it from Monday 30 March on.
        Assert.Equal(
            [
                (DeadlineKind.DeliveryWarning, _now.AddHours(12)), (DeadlineKind.DeliveryFailed, _now.AddHours(24)), (DeadlineKind.ContactDeadline, Paris(4, 2)),
                (DeadlineKind.Retrieval, Paris(4, 3)), (DeadlineKind.Acknowledge, Paris(4, 8)),
            ],
            Due().Take(5).Select(d => (d.Kind, d.DueAt)));

        // So it is with what an espace reports after days without connection.
        _mesure.Acknowledge(late);
        _mesure.RequestInformation(InformationReason.Other, "?", late);
        _difficulties.Add(_mesure.ReportDifficulty(DifficultyReason.Danger, "", late));
        Assert.Equal((Paris(4, 8), _now.AddHours(4), _now.AddHours(12)), (At(DeadlineKind.ProvideInformation), At(DeadlineKind.AcknowledgeDifficulty), At(DeadlineKind.EscalateDifficulty)));

        // What it should itself have told others by then is late.
        Assert.Equal(late.OccurredAt.AddHours(4), At(DeadlineKind.ExternalAlert));
    }

    [Fact]
    public void Of_AMesureToldWithinItsTerm_WarnsOfNoTimeThatHadPassed()
    {
        _now = s_start.AddDays(100);
        var mesure = Mesure.Create(Guid.CreateVersion7(_now), "TJ-2026-000002", Guid.CreateVersion7(_now), _mesure.Decision, null, Acting);
        mesure.Complete([], Acting);
        mesure.Transmit(Espace("Europe/Paris", "69"), Acting with { OccurredAt = s_start.AddDays(1) });

        // Three months before the term were 2 June: 8 days ago.
        Assert.Equal(
            [DeadlineKind.TermInOneMonth, DeadlineKind.TermInOneWeek],
            DeadlineTable.Of(mesure, [], []).Select(d => d.Kind).Where(k => k is DeadlineKind.TermInThreeMonths or DeadlineKind.TermInOneMonth or DeadlineKind.TermInOneWeek));
    }

    [Fact]
    public void Of_ATransmissionThatWasRead_WarnsOfNoDelivery()
    {
        Transmit();
        _mesure.Retrieve(Acting);

        Assert.DoesNotContain(Due(), d => d.Kind is DeadlineKind.DeliveryWarning or DeadlineKind.DeliveryFailed or DeadlineKind.Retrieval);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_AFamilyThatHasADate_IsCalledOnlyOnceThatIsLost(bool chargeTaken)
    {
        Transmit();
        var interview = Book(PartyRole.Visiteur, 7);
        _mesure.Acknowledge(Acting);
        if (chargeTaken)
        {
            _mesure.TakeCharge(Acting);
        }

        // What became of it is asked for 2 working days after it: Monday 9 March.
        Assert.Equal((DeadlineKind.Interview, Holder.Espace, Paris(3, 12)), Due().Single(d => d.Kind is DeadlineKind.FirstContact or DeadlineKind.Interview));

        _mesure.ReleaseInterview(interview, InterviewReleaseReason.SlotWithdrawn, Acting);
        Assert.Equal((DeadlineKind.FirstContact, Holder.Espace, Paris(3, 6)), Due().Single(d => d.Kind is DeadlineKind.FirstContact or DeadlineKind.Interview));
        Book(PartyRole.Hote, 8);
        Assert.DoesNotContain(Due(), d => d.Kind == DeadlineKind.FirstContact);
    }

    [Fact]
    public void Of_AFamilyThatCameToItsDate_IsGoneOnWithFromThere()
    {
        Transmit();
        var interview = Book(PartyRole.Visiteur, 7);
        _mesure.Acknowledge(Acting);
        _mesure.TakeCharge(Acting);
        _now = _now.AddDays(7);

        _mesure.RecordInterview(PartyRole.Visiteur, interview, Acting);

        Assert.Equal((DeadlineKind.FirstContact, Holder.Espace, Paris(3, 13)), Due()[0]);
    }

    [Theory]
    [InlineData("revoke")]
    [InlineData("redesignate")]
    [InlineData("open")]
    public void Of_ADangerThatNobodyOutsideWasTold_RunsUntilSomebodyWas(string ended)
    {
        Transmit();
        Report(DifficultyReason.Danger);
        Report(DifficultyReason.Capacity);
        switch (ended)
        {
            case "revoke":
                _mesure.Revoke(new DateOnly(2026, 3, 2), "", Acting);
                break;
            case "redesignate":
                _mesure.Redesignate(Guid.CreateVersion7(s_start), "TJ-2026-000002", Espace("Europe/Paris", "69"), new DateOnly(2026, 3, 2), null, "", Acting);
                break;
        }

        var untold = Due().Where(d => ended != "open" || d.Kind is DeadlineKind.ExternalAlert or DeadlineKind.EscalateExternalAlert);
        Assert.Equal(
            [(DeadlineKind.ExternalAlert, Holder.Espace, s_start.AddHours(4)), (DeadlineKind.EscalateExternalAlert, Holder.Espace, s_start.AddHours(12))], untold);

        _mesure.RecordExternalAlert(_difficulties[0], ExternalAlertRecipient.Parquet, ExternalAlertKind.Signalement, Acting);
        Assert.DoesNotContain(Due(), d => ended != "open" || d.Kind is DeadlineKind.ExternalAlert or DeadlineKind.EscalateExternalAlert);
    }

    [Fact]
    public void Of_TheWayToARencontre_AsksForOneStepAfterTheOther()
    {
        Transmit();
        _mesure.Acknowledge(Acting);
        // The family waits from the reception on: the call comes before the taking charge.
        Assert.Equal([(DeadlineKind.FirstContact, Holder.Espace, Paris(3, 6)), (DeadlineKind.TakeCharge, Holder.Espace, Paris(3, 17))], Due().Take(2));
        _mesure.RequestInformation(InformationReason.Other, "?", Acting);
        Assert.Equal((DeadlineKind.ProvideInformation, Holder.Juridiction, Paris(3, 10)), Due()[0]);
        _mesure.ProvideInformation(new() { Id = default, MesureId = default, Reason = InformationReason.Other, Question = "?", RequestedAt = _now }, "!", Acting);
        _mesure.TakeCharge(Acting);
        Assert.Equal((DeadlineKind.FirstContact, Holder.Espace, Paris(3, 6)), Due()[0]);

        // One attempt is what is asked for: then it is the family's turn.
        _mesure.RecordContact(PartyRole.Hote, reached: false, ContactChannel.Unspecified, Acting);
        Assert.DoesNotContain(Due(), d => d.Kind == DeadlineKind.FirstContact);
        _mesure.RecordContact(PartyRole.Hote, reached: true, ContactChannel.Unspecified, Acting);
        Assert.Equal((DeadlineKind.ContactDeadline, Holder.Espace, Paris(4, 2)), Due()[0]);
        _mesure.RecordContact(PartyRole.Visiteur, reached: true, ContactChannel.Unspecified, Acting);
        Assert.Equal((DeadlineKind.Interview, Holder.Espace, Paris(4, 3)), Due()[0]);
        _mesure.RecordInterview(PartyRole.Hote, null, Acting);
        Assert.Equal(DeadlineKind.TermInThreeMonths, Due()[0].Kind);

        _mesure.ScheduleRencontre(_now.AddDays(3), 60, TimeZoneInfo.Utc, null, Acting);
        Assert.Equal((DeadlineKind.RencontreOutcome, Holder.Espace, Paris(3, 10)), Due()[0]);

        _mesure.Close(ClosureReason.Autre, "", ClosureDestination.Inconnue, Acting);
        Assert.Empty(Due());
    }

    [Fact]
    public void Of_Difficulties_AsksForTheOldestAndSoonerForAnUrgentOne()
    {
        Transmit();
        Report(DifficultyReason.Capacity);
        var first = _now;
        Assert.Equal(first.AddHours(24), At(DeadlineKind.AcknowledgeDifficulty));
        Assert.Equal(first.AddHours(96), At(DeadlineKind.EscalateDifficulty));
        Assert.Equal(Paris(3, 17), At(DeadlineKind.AnswerDifficulty));

        _now = _now.AddHours(1);
        Report(DifficultyReason.Danger);
        Assert.Equal(_now.AddHours(4), At(DeadlineKind.AcknowledgeDifficulty));
        Assert.Equal(_now.AddHours(12), At(DeadlineKind.EscalateDifficulty));
        Assert.Equal(Paris(3, 5), At(DeadlineKind.AnswerDifficulty));
        Assert.Equal([_now.AddHours(12), first.AddHours(96)], Due().Where(d => d.Kind == DeadlineKind.EscalateDifficulty).Select(d => d.DueAt));

        _mesure.AcknowledgeDifficulty(_difficulties[1], Acting);
        Assert.Equal(first.AddHours(24), At(DeadlineKind.AcknowledgeDifficulty));
        _mesure.AnswerDifficulty(_difficulties[0], DifficultyAnswer.Maintain, "", Acting);
        Assert.DoesNotContain(Due(), d => d.Kind is DeadlineKind.AcknowledgeDifficulty or DeadlineKind.EscalateDifficulty);
        Assert.Equal(Paris(3, 5), At(DeadlineKind.AnswerDifficulty));
    }

    [Fact]
    public void Of_RencontresWithoutOutcome_WaitsForEachOfTheEarliest()
    {
        Transmit();
        _mesure.Acknowledge(Acting);
        _mesure.TakeCharge(Acting);
        _mesure.RecordContact(PartyRole.Hote, reached: true, ContactChannel.Unspecified, Acting);
        var starts = Enumerable.Range(1, 6).Select(week => _now.AddDays(7 * week)).ToList();
        var rencontres = starts.AsEnumerable().Reverse().Select(start => _mesure.ScheduleRencontre(start, 60, TimeZoneInfo.Utc, null, Acting)).Reverse().ToList();

        Assert.Equal(starts.Take(4).Select(s => s_court.AfterWorkingDays(s, 2)), Outcomes());

        // Nothing is ever heard of the first; the others are told, and what comes after them is waited for all the same.
        _now = starts[3].AddHours(2);
        foreach (var i in new[] { 1, 2 })
        {
            _mesure.RecordOutcome(
                rencontres[i], RencontreOutcome.VisiteurAbsent, false, [], [.. rencontres.Where(r => r != rencontres[i]).Select(r => r.PendingStart()).OfType<DateTimeOffset>()], Acting);
        }

        Assert.Equal(starts[0], _mesure.NextRencontreAt);
        Assert.Equal(new[] { 0, 3, 4, 5 }.Select(i => s_court.AfterWorkingDays(starts[i], 2)), Outcomes());

        IEnumerable<DateTimeOffset> Outcomes() => Due().Where(d => d.Kind == DeadlineKind.RencontreOutcome).Select(d => d.DueAt);
    }

    [Fact]
    public void Of_AnExpiringDecision_WarnsByTheWaitThatTheEspaceHadDeclared()
    {
        Transmit(waitDays: 160);

        // The term is 2 September: 160 days before it are 26 March; a rencontre within the term puts the worry off until it should have been heard of, one that is lost brings it back.
        Assert.Equal(Paris(3, 26), At(DeadlineKind.ExpiresBeforeVisit));
        _mesure.Acknowledge(Acting);
        _mesure.TakeCharge(Acting);
        _mesure.RecordContact(PartyRole.Hote, reached: true, ContactChannel.Unspecified, Acting);
        var rencontre = _mesure.ScheduleRencontre(_now.AddDays(150), 60, TimeZoneInfo.Utc, null, Acting);
        Assert.Equal(s_court.AfterWorkingDays(rencontre.StartsAt, 10), At(DeadlineKind.ExpiresBeforeVisit));
        var late = _mesure.ScheduleRencontre(_now.AddDays(170), 60, TimeZoneInfo.Utc, null, Acting);
        Assert.DoesNotContain(Due(), d => d.Kind == DeadlineKind.ExpiresBeforeVisit);
        _mesure.CancelRencontre(late, RencontreOutcome.CancelledByHote, [rencontre.StartsAt], Acting);
        _mesure.CancelRencontre(rencontre, RencontreOutcome.CancelledByHote, [], Acting);
        Assert.Equal(Paris(3, 26), At(DeadlineKind.ExpiresBeforeVisit));
    }

    [Theory]
    [InlineData(184)]
    [InlineData(5000)]
    public void Of_ADecisionThatExpiresAlready_LeavesWhoTransmittedItAWeek(int waitDays)
    {
        Transmit(waitDays: waitDays);

        Assert.Equal(Paris(3, 10), At(DeadlineKind.ExpiresBeforeVisit));
    }

    [Fact]
    public void Of_AnyDeadline_IsRemindedOfWhenPeopleWorkButOfADangerAtOnce()
    {
        _now = new DateTimeOffset(2026, 4, 3, 18, 0, 0, TimeSpan.Zero);
        Transmit();
        Report(DifficultyReason.Danger);
        Report(DifficultyReason.Capacity);

        Assert.All(DeadlineTable.Of(_mesure, _difficulties, _interviews), d =>
        {
            var calendar = DeadlineTable.CalendarOf(d.MustAct, "TJ-2026-000001", "Europe/Paris", "69");
            Assert.Equal(ReminderTable.Of(d.Kind, d.Urgent).Steps[0].Every.InWorkingDays ? calendar.WorkingTimeFrom(d.DueAt) : d.DueAt, d.RemindAt);
        });
        Assert.Equal(
            [true, false], DeadlineTable.Of(_mesure, _difficulties, _interviews).Where(d => d.Kind == DeadlineKind.AcknowledgeDifficulty).Select(d => d.Urgent));
    }

    [Fact]
    public void Of_AnEspaceOverseas_CountsItsDaysAndHolidays()
    {
        // Monday 20 December 2027 is the holiday of La Réunion.
        _now = new DateTimeOffset(2027, 12, 17, 9, 0, 0, TimeSpan.Zero);
        Transmit("Indian/Reunion", "974");

        Assert.Equal(new DateTimeOffset(2027, 12, 23, 20, 0, 0, TimeSpan.Zero), At(DeadlineKind.Retrieval));
    }

    [Fact]
    public void Of_ACourtThatItsReferenceNames_CountsItsOwnDaysAndClocks()
    {
        // Good Friday is a holiday at the court of Strasbourg and none at the espace.
        _now = new DateTimeOffset(2026, 4, 1, 9, 0, 0, TimeSpan.Zero);
        var mesure = Mesure.Create(Guid.CreateVersion7(_now), "TJ67482-2026-000001", Guid.CreateVersion7(_now), _mesure.Decision, null, Acting);
        mesure.Complete([], Acting);
        Assert.Equal(Paris(4, 8), Assert.Single(DeadlineTable.Of(mesure, [], [])).DueAt);

        var cayenne = Mesure.Create(Guid.CreateVersion7(_now), "TJ97302-2026-000001", Guid.CreateVersion7(_now), _mesure.Decision, null, Acting);
        cayenne.Complete([], Acting);
        Assert.Equal(new DateTimeOffset(2026, 4, 4, 3, 0, 0, TimeSpan.Zero), Assert.Single(DeadlineTable.Of(cayenne, [], [])).DueAt);
    }

    private void Transmit(string zone = "Europe/Paris", string departement = "69", int? waitDays = null)
    {
        _mesure.Complete([], Acting);
        _mesure.Transmit(Espace(zone, departement, waitDays), Acting);
    }

    private static EspaceView Espace(string zone, string departement, int? waitDays = null) => new()
    {
        Id = Guid.CreateVersion7(s_start),
        GestionnaireId = Guid.CreateVersion7(s_start),
        State = "OUVERT",
        AgrementPeriods = [new ApprovedPeriod(new DateOnly(2013, 9, 1), null)],
        TimeZone = zone,
        Departement = departement,
        Waits = waitDays is { } days ? [new KnownWait(Contracts.Type.V1.Modalite.Visite, days)] : [],
        Version = 1,
    };

    private Interview Book(PartyRole with, int days)
    {
        var interview = _mesure.BookInterview(with, null, new SlotContent(_now.AddDays(days), 45, "Europe/Paris", null, with), Acting);
        _interviews.Add(interview);
        return interview;
    }

    private void Report(DifficultyReason reason) => _difficulties.Add(_mesure.ReportDifficulty(reason, "", Acting));

    private List<(DeadlineKind Kind, Holder MustAct, DateTimeOffset DueAt)> Due() => [.. DeadlineTable.Of(_mesure, _difficulties, _interviews).Select(d => (d.Kind, d.MustAct, d.DueAt))];

    private DateTimeOffset At(DeadlineKind kind) => Due().First(d => d.Kind == kind).DueAt;

    // The first instant of a day of 2026 in Paris: the end of the day before.
    private static DateTimeOffset Paris(int month, int day) => ServiceDefaults.Time.ClockExtensions.StartInParis(new DateOnly(2026, month, day)).ToUniversalTime();
}
