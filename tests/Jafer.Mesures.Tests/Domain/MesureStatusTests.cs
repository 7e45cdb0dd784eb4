using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>What the fold says of particular histories.</summary>
public sealed class MesureStatusTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void TakeCharge_FamilyCalledBefore_IsWaitingAtOnce() =>
        Assert.Equal(MesureState.EnAttente, Fold(MesureAct.Acknowledge, MesureAct.ContactReached, MesureAct.TakeCharge).State);

    [Fact]
    public void RencontreNotHeld_NoneElseScheduledAndNoneHeld_IsWaitingAgain() =>
        Assert.Equal(MesureState.EnAttente, Fold(MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactReached, MesureAct.ScheduleRencontre, MesureAct.RencontreNotHeld).State);

    [Fact]
    public void RencontreNotHeld_AnotherScheduled_StaysScheduled() =>
        Assert.Equal(MesureState.Programmee, Fold(
            MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactReached, MesureAct.ScheduleRencontre, MesureAct.ScheduleRencontre, MesureAct.RencontreNotHeld).State);

    [Fact]
    public void RencontreNotHeld_OneWasHeld_StaysUnderWay() =>
        Assert.Equal(MesureState.EnCours, Fold(
            MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactReached, MesureAct.ScheduleRencontre, MesureAct.RencontreHeld, MesureAct.ScheduleRencontre, MesureAct.RencontreNotHeld).State);

    [Fact]
    public void ContactAttempted_NobodyReached_FamilyMustComeForward()
    {
        var status = Fold(MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactAttempted);

        Assert.Equal(Holder.Famille, status.Holder);
        Assert.Equal(MesureState.PriseEnCharge, status.State);
    }

    [Fact]
    public void ContactAttempted_SecondTime_HolderSinceStandsAtTheFirst()
    {
        var once = Fold(MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactAttempted);
        var twice = Fold(MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactAttempted, MesureAct.ContactAttempted);

        Assert.Equal(once.HolderSince, twice.HolderSince);
    }

    [Fact]
    public void ContactReached_LateNewsOfAnEarlierContact_MovesTheMilestoneBack()
    {
        var facts = Facts(MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactReached);
        facts.Add(Fact(facts.Count + 1, MesureAct.ContactReached, s_start.AddMinutes(1)));

        Assert.Equal(s_start.AddMinutes(1), MesureStatus.Fold(facts).VisiteurContactAt);
    }

    [Fact]
    public void ContactAttempted_ThenReached_TheFirstAttemptIsAMilestoneOfItsOwn()
    {
        var status = Fold(MesureAct.Acknowledge, MesureAct.TakeCharge, MesureAct.ContactAttempted, MesureAct.ContactReached);

        Assert.Equal((s_start.AddHours(5), s_start.AddHours(6)), (status.FirstAttemptAt, status.VisiteurContactAt));
        Assert.Equal(s_start.AddHours(3), Fold(MesureAct.Acknowledge).AcknowledgedAt);
        Assert.Null(Fold(MesureAct.Acknowledge).FirstAttemptAt);
    }

    [Fact]
    public void BookInterview_BeforeTheAcknowledgement_IsAMilestoneAndNoState()
    {
        var status = Fold(MesureAct.BookInterview, MesureAct.ReleaseInterview);

        Assert.Equal((MesureState.Transmise, Holder.Espace, s_start.AddHours(3)), (status.State, status.Holder, status.InterviewBookedAt));
    }

    [Fact]
    public void RequestInformation_Asked_TheCourtMustAct() =>
        Assert.Equal(Holder.Juridiction, Fold(MesureAct.Acknowledge, MesureAct.RequestInformation).Holder);

    [Fact]
    public void Difficulty_ReportedAndAnswered_NeverChangesTheState()
    {
        var status = Fold(MesureAct.Acknowledge, MesureAct.ReportDifficulty);
        Assert.Equal((MesureState.Recue, 1), (status.State, status.OpenDifficulties));

        status = Fold(MesureAct.Acknowledge, MesureAct.ReportDifficulty, MesureAct.AnswerDifficulty);
        Assert.Equal((MesureState.Recue, 0), (status.State, status.OpenDifficulties));
    }

    [Theory]
    [InlineData("2026-01-31", 1, "2026-02-28")]
    [InlineData("2026-01-15", 6, "2026-07-15")]
    [InlineData("2027-08-31", 6, "2028-02-29")]
    public void Term_FromTheDecision_IsTheSameDayOfTheMonth(string decided, int months, string term) =>
        Assert.Equal(DateOnly.Parse(term, null), new Decision { Date = DateOnly.Parse(decided, null), DurationMonths = months }.Term(null));

    [Fact]
    public void Term_FromTheFirstRencontre_IsUnknownUntilIt()
    {
        var decision = new Decision { Date = new DateOnly(2026, 1, 1), DurationMonths = 6, TermStart = TermStart.FirstRencontre };

        Assert.Null(decision.Term(null));
        Assert.Equal(new DateOnly(2026, 12, 20), decision.Term(new DateOnly(2026, 6, 20)));
    }

    private static MesureStatus Fold(params MesureAct[] afterTransmission) => MesureStatus.Fold(Facts(afterTransmission));

    private static List<MesureFact> Facts(params MesureAct[] afterTransmission) =>
        [.. new[] { MesureAct.Create, MesureAct.Complete, MesureAct.Transmit }.Concat(afterTransmission).Select((act, i) => Fact(i + 1, act, s_start.AddHours(i)))];

    private static MesureFact Fact(long version, MesureAct act, DateTimeOffset at) => new()
    {
        Id = Guid.CreateVersion7(at),
        MesureId = default,
        Version = version,
        Act = act,
        OccurredAt = at,
        RecordedAt = at,
        Details = act == MesureAct.ContactReached ? new FactDetails { PartyRole = PartyRole.Visiteur } : FactDetails.None,
    };
}
