using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What the judge decides after the transmission.</summary>
public sealed class JudgeTests(MesuresFixture jafer)
{
    private static readonly Contracts.Type.V1.Date s_day = new DateOnly(2026, 4, 1).ToProto();

    [Theory]
    [InlineData(MesureState.Transmise, ClosureCategory.Autre)]
    [InlineData(MesureState.EnAttente, ClosureCategory.Autre)]
    [InlineData(MesureState.Programmee, ClosureCategory.InterruptionJuge)]
    public async Task RevokeMesure_OpenMesure_IsClosedWithTheJudgesDecision(MesureState state, ClosureCategory category)
    {
        var id = await jafer.MesureInAsync(state);

        var revoked = (await jafer.AsCourt.RevokeMesureAsync(Revoke(id))).Mesure;

        Assert.Equal((MesureState.Cloturee, Holder.Personne), (revoked.State, revoked.Holder));
        Assert.Null(revoked.NextRencontreTime);
        var closure = (await jafer.GetAsync(id)).Closure;
        Assert.Equal((ClosureReason.JugeRapportee, category, s_day), (closure.Reason, closure.Category, closure.DecisionDate));
        Assert.Equal(MesureAct.Revoke, (await jafer.AsEspace.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events[^1].Act);
    }

    [Fact]
    public async Task RevokeMesure_SameRequestTwiceThenAnother_IsAnsweredAlikeThenRefused()
    {
        var request = Revoke(await jafer.MesureInAsync(MesureState.Recue));

        Assert.Equal(await jafer.AsCourt.RevokeMesureAsync(request), await jafer.AsCourt.RevokeMesureAsync(request));
        var refusal = await Refusal.OfAsync(jafer.AsCourt.RevokeMesureAsync(Revoke(request.MesureId)));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task RevokeMesure_DecisionNotRendered_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.Decision.DecisionDate = null);

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsCourt.RevokeMesureAsync(Revoke(id)))).Reason);
    }

    [Fact]
    public async Task RevokeMesure_StaleEtag_IsAborted()
    {
        var request = Revoke(await jafer.MesureInAsync(MesureState.Transmise));
        request.Etag = "1";

        Assert.Equal(StatusCode.Aborted, (await Refusal.OfAsync(jafer.AsCourt.RevokeMesureAsync(request))).Code);
    }

    [Theory]
    [InlineData(2026, 3, 1)]
    [InlineData(2999, 1, 1)]
    public async Task RevokeMesure_DayBeforeTheDecisionOrInTheFuture_IsRefused(int year, int month, int day)
    {
        var request = Revoke(await jafer.MesureInAsync(MesureState.Transmise));
        request.Revocation.DecisionDate = new DateOnly(year, month, day).ToProto();

        Assert.Equal(["revocation.decision_date"], (await Refusal.OfAsync(jafer.AsCourt.RevokeMesureAsync(request))).Fields);
    }

    [Fact]
    public async Task AnswerDifficulty_Revoke_AnswersAndClosesInOneTransaction()
    {
        var (id, difficultyId) = await WithDifficultyAsync();

        var answered = (await jafer.AsCourt.AnswerDifficultyAsync(Answer(id, difficultyId, s_day))).Mesure;

        Assert.Equal((MesureState.Cloturee, 0), (answered.State, answered.OpenDifficultyCount));
        var whole = await jafer.GetAsync(id);
        Assert.Equal(DifficultyAnswer.Revoke, Assert.Single(whole.Difficulties).Answer);
        Assert.Equal((ClosureReason.JugeRapportee, s_day), (whole.Closure.Reason, whole.Closure.DecisionDate));
    }

    [Fact]
    public async Task AnswerDifficulty_RevocationRefused_LeavesTheDifficultyOpen()
    {
        var (id, difficultyId) = await WithDifficultyAsync();

        var refusal = await Refusal.OfAsync(jafer.AsCourt.AnswerDifficultyAsync(Answer(id, difficultyId, new DateOnly(2026, 3, 1).ToProto())));

        Assert.Equal(["revocation.decision_date"], refusal.Fields);
        var whole = await jafer.GetAsync(id);
        Assert.Equal((MesureState.EnAttente, DifficultyState.Open), (whole.Summary.State, Assert.Single(whole.Difficulties).State));
    }

    [Theory]
    [InlineData(DifficultyAnswer.Revoke, false)]
    [InlineData(DifficultyAnswer.Maintain, true)]
    public async Task AnswerDifficulty_RevocationMissingOrOutOfPlace_IsRefused(DifficultyAnswer answer, bool given)
    {
        var request = Answer(NewId(), NewId(), s_day);
        request.Answer = answer;
        request.Revocation = given ? request.Revocation : null;

        Assert.Equal(["revocation"], (await Refusal.OfAsync(jafer.AsCourt.AnswerDifficultyAsync(request))).Fields);
    }

    [Fact]
    public async Task RedesignateMesure_OtherEspace_ClosesThisOneAndTransmitsItsSuccessor()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);

        var answer = await jafer.AsCourt.RedesignateMesureAsync(Redesignate(id, YoungEspace));

        Assert.Equal((MesureState.Cloturee, MesureState.Transmise), (answer.Mesure.State, answer.Successor.State));
        Assert.Equal((id, YoungEspace.ToString(), Holder.Espace), (answer.Successor.PredecessorMesureId, answer.Successor.EspaceId, answer.Successor.Holder));
        // The duration goes on: twelve months from the first decision.
        Assert.Equal(new DateOnly(2027, 3, 2).ToProto(), answer.Successor.TermDate);
        var old = await jafer.GetAsync(id);
        Assert.Equal((ClosureReason.Transfert, ClosureCategory.HorsStatistique, s_day), (old.Closure.Reason, old.Closure.Category, old.Closure.DecisionDate));
        Assert.Equal([answer.Successor.MesureId], old.SuccessorMesureIds);
        var next = (await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = answer.Successor.MesureId })).Mesure;
        Assert.Equal(old.Parties, next.Parties);
        Assert.Equal(old.Children.Select(c => (c.GivenName, c.FamilyName, c.BirthDate)), next.Children.Select(c => (c.GivenName, c.FamilyName, c.BirthDate)));
        Assert.Equal((s_day, old.Decision.RgNumber), (next.Decision.DecisionDate, next.Decision.RgNumber));
        Assert.Equal(
            [MesureAct.Create, MesureAct.Complete, MesureAct.Transmit, MesureAct.Retrieve],
            (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = answer.Successor.MesureId })).Events.Select(e => e.Act));
    }

    [Fact]
    public async Task RedesignateMesure_WithoutEspace_TakesTheSubsidiaryOne()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.SubsidiaryEspaceId = YoungEspace.ToString());
        var request = new RedesignateMesureRequest { MesureId = id, Redesignation = new Redesignation(), RequestId = NewId() };

        var answer = await jafer.AsCourt.RedesignateMesureAsync(request);

        Assert.Equal(YoungEspace.ToString(), answer.Successor.EspaceId);
        Assert.Equal("", (await jafer.GetAsync(answer.Successor.MesureId)).Decision.SubsidiaryEspaceId);
        Assert.Equal(answer, await jafer.AsCourt.RedesignateMesureAsync(request));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from mesures where predecessor_id = '{id}'"));
    }

    [Fact]
    public async Task RedesignateMesure_NoSubsidiaryEspaceOrItsOwnOrNeverApproved_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        var nowhere = await Refusal.OfAsync(jafer.AsCourt.RedesignateMesureAsync(new RedesignateMesureRequest { MesureId = id, Redesignation = new Redesignation(), RequestId = NewId() }));
        Assert.Equal(["redesignation.espace_id"], nowhere.Fields);
        foreach (var espace in new[] { Espace, UnapprovedEspace })
        {
            Assert.Equal("ESPACE_NOT_DESIGNABLE", (await Refusal.OfAsync(jafer.AsCourt.RedesignateMesureAsync(Redesignate(id, espace)))).Reason);
        }

        Assert.Equal(MesureState.Transmise, (await jafer.GetAsync(id)).Summary.State);
    }

    [Fact]
    public async Task RedesignateMesure_Draft_IsRefused() => Assert.Equal(
        "STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsCourt.RedesignateMesureAsync(Redesignate(await jafer.MesureInAsync(MesureState.Completee), YoungEspace)))).Reason);

    [Fact]
    public async Task AnswerDifficulty_Redesignate_AnswersClosesAndTransmits()
    {
        var (id, difficultyId) = await WithDifficultyAsync();
        var request = Answer(id, difficultyId, s_day);
        request.Answer = DifficultyAnswer.Redesignate;
        request.Revocation = null;
        request.Redesignation = new Redesignation { EspaceId = YoungEspace.ToString(), DecisionDate = s_day };

        var answered = await jafer.AsCourt.AnswerDifficultyAsync(request);

        Assert.Equal((MesureState.Cloturee, 0, MesureState.Transmise), (answered.Mesure.State, answered.Mesure.OpenDifficultyCount, answered.Successor.State));
    }

    [Fact]
    public async Task AnswerDifficulty_ModifyThatMendsTheDecision_LeavesNoDefectToBeReferredAgain()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.DurationMonths = 0);
        var difficulty = Assert.Single((await jafer.GetAsync(id)).Difficulties);

        var answered = await jafer.AsCourt.AnswerDifficultyAsync(new AnswerDifficultyRequest
        {
            MesureId = id,
            DifficultyId = difficulty.DifficultyId,
            Answer = DifficultyAnswer.Modify,
            Modification = new Modification { DecisionDate = s_day, DurationMonths = 12 },
            RequestId = NewId(),
        });

        Assert.Equal((0, 0), (answered.Mesure.DefectCount, answered.Mesure.OpenDifficultyCount));
        var successor = (await jafer.AsCourt.RedesignateMesureAsync(Redesignate(id, YoungEspace))).Successor;
        Assert.Equal((0, 0), (successor.DefectCount, successor.OpenDifficultyCount));
    }

    [Fact]
    public async Task RedesignateMesure_DayToMakeContactPassed_DoesNotBindTheFamilyAtTheOtherEspace()
    {
        var passed = await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.ContactDeadline = new() { Year = 2026, Month = 4, Day = 1 });
        var ahead = TimeProvider.System.GetUtcNow().AddDays(20);
        var open = await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.ContactDeadline = new() { Year = ahead.Year, Month = ahead.Month, Day = ahead.Day });

        var late = await jafer.GetAsync((await jafer.AsCourt.RedesignateMesureAsync(Redesignate(passed, YoungEspace))).Successor.MesureId);
        var early = await jafer.GetAsync((await jafer.AsCourt.RedesignateMesureAsync(Redesignate(open, YoungEspace))).Successor.MesureId);

        Assert.Null(late.Decision.ContactDeadline);
        Assert.DoesNotContain(late.Deadlines, d => d.Kind == DeadlineKind.ContactDeadline);
        Assert.Equal(ahead.Day, early.Decision.ContactDeadline.Day);
    }

    [Fact]
    public async Task CloseMesure_WithDestination_IsKept()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);

        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest
        {
            MesureId = id,
            Reason = ClosureReason.InterruptionMeilleurAccord,
            Destination = ClosureDestination.Accord,
            RequestId = NewId(),
        });

        var closure = (await jafer.GetAsync(id)).Closure;
        Assert.Equal((ClosureDestination.Accord, ClosureCategory.InterruptionHote), (closure.Destination, closure.Category));
    }

    [Fact]
    public async Task CloseMesure_BetterAgreementUnderAnOrdonnanceDeProtection_IsForTheJudgeAlone()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee, r => r.Decision.LegalBasis = LegalBasis.Article51511);

        var refusal = await Refusal.OfAsync(jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.InterruptionMeilleurAccord, RequestId = NewId() }));

        Assert.Equal("STATE_FORBIDS", refusal.Reason);
        Assert.Equal(MesureState.Cloturee, (await jafer.AsCourt.RevokeMesureAsync(Revoke(id))).Mesure.State);
    }

    private static RevokeMesureRequest Revoke(string id) => new() { MesureId = id, Revocation = new Revocation { DecisionDate = s_day }, RequestId = NewId() };

    private static RedesignateMesureRequest Redesignate(string id, Guid espace) =>
        new() { MesureId = id, Redesignation = new Redesignation { EspaceId = espace.ToString(), DecisionDate = s_day }, RequestId = NewId() };

    private static AnswerDifficultyRequest Answer(string id, string difficultyId, Contracts.Type.V1.Date day) => new()
    {
        MesureId = id,
        DifficultyId = difficultyId,
        Answer = DifficultyAnswer.Revoke,
        Revocation = new Revocation { DecisionDate = day },
        RequestId = NewId(),
    };

    private async Task<(string Id, string DifficultyId)> WithDifficultyAsync()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        return (id, (await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Incident, RequestId = NewId() })).DifficultyId);
    }
}
