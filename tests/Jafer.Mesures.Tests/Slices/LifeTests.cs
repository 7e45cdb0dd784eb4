using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using Closures = Jafer.Mesures.Domain.Closures;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Suspension, dangers, proposals to close, new terms, reopening, mesures that no judge ordered, the past.</summary>
public sealed class LifeTests(MesuresFixture jafer)
{
    private static readonly Date s_day = new DateOnly(2026, 4, 1).ToProto();

    [Fact]
    public async Task SuspendMesure_Programmed_RefersADifficultyAndTheJudgeHoldsIt()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);

        var suspended = await jafer.AsEspace.SuspendMesureAsync(new() { MesureId = id, Reason = DifficultyReason.Incident, Comment = "fait", RequestId = NewId() });

        Assert.Equal((MesureState.Suspendue, Holder.Juridiction, 1), (suspended.Mesure.State, suspended.Mesure.Holder, suspended.Mesure.OpenDifficultyCount));
        var whole = await jafer.GetAsync(id);
        Assert.Equal((suspended.DifficultyId, DifficultyReason.Incident), (whole.Difficulties[0].DifficultyId, whole.Difficulties[0].Reason));
        Assert.NotNull(whole.Milestones.SuspendedTime);

        // The judge's answer hands it back; only then the espace resumes, and what was scheduled still is.
        var answered = await jafer.AsCourt.AnswerDifficultyAsync(new() { MesureId = id, DifficultyId = suspended.DifficultyId, Answer = DifficultyAnswer.Maintain, RequestId = NewId() });
        Assert.Equal(Holder.Espace, answered.Mesure.Holder);
        var resumed = await jafer.AsEspace.ResumeMesureAsync(new() { MesureId = id, RequestId = NewId() });
        Assert.Equal(MesureState.Programmee, resumed.Mesure.State);
        Assert.Null((await jafer.GetAsync(id)).Milestones.SuspendedTime);
    }

    [Fact]
    public async Task ResumeMesure_ByTheCourtAfterARencontreHeld_IsEnCours()
    {
        var id = await jafer.MesureInAsync(MesureState.EnCours);
        var from = TimeProvider.System.GetUtcNow().AddDays(-10);
        await jafer.AsEspace.SuspendMesureAsync(new() { MesureId = id, Reason = DifficultyReason.Incident, OccurredTime = Timestamp.FromDateTimeOffset(from), RequestId = NewId() });

        var resumed = await jafer.AsCourt.ResumeMesureAsync(new() { MesureId = id, OccurredTime = Timestamp.FromDateTimeOffset(from.AddDays(7)), RequestId = NewId() });

        Assert.Equal(MesureState.EnCours, resumed.Mesure.State);
        Assert.Equal(7, (await jafer.GetAsync(id)).Milestones.SuspendedDays);
    }

    [Fact]
    public async Task ScheduleRencontre_Suspended_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Suspendue);

        var refusal = await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, "ScheduleRencontre", id));

        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task RecordRencontreOutcome_HeldInTheSuspension_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        var whole = await jafer.GetAsync(id);
        var before = whole.Rencontres[0].StartTime.ToDateTimeOffset().AddMinutes(-1);
        await jafer.AsEspace.SuspendMesureAsync(new() { MesureId = id, Reason = DifficultyReason.Incident, OccurredTime = Timestamp.FromDateTimeOffset(before), RequestId = NewId() });
        var outcome = new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = whole.Rencontres[0].RencontreId,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { whole.Children[0].ChildId },
            RequestId = NewId(),
        };

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsEspace.RecordRencontreOutcomeAsync(outcome))).Reason);
        outcome.Outcome = RencontreOutcome.CancelledByEspace;
        Assert.Equal(MesureState.Suspendue, (await jafer.AsEspace.RecordRencontreOutcomeAsync(outcome)).Mesure.State);
        Assert.Equal(MesureState.EnAttente, (await jafer.AsEspace.ResumeMesureAsync(new() { MesureId = id, RequestId = NewId() })).Mesure.State);
    }

    [Fact]
    public async Task Danger_NobodyOutsideWasTold_CanNeitherBeAnsweredNorClosed()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var danger = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() })).DifficultyId;
        var answer = new AnswerDifficultyRequest { MesureId = id, DifficultyId = danger, Answer = DifficultyAnswer.Maintain, RequestId = NewId() };
        var close = new CloseMesureRequest { MesureId = id, Reason = ClosureReason.SansSuiteRefusHote, RequestId = NewId() };

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsCourt.AnswerDifficultyAsync(answer))).Reason);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsEspace.CloseMesureAsync(close))).Reason);

        // Acknowledging is not closing.
        await jafer.AsCourt.AcknowledgeDifficultyAsync(new() { MesureId = id, DifficultyId = danger, RequestId = NewId() });
        await jafer.AsEspace.RecordExternalAlertAsync(Alert(id, danger));
        await jafer.AsCourt.RecordExternalAlertAsync(Alert(id, danger, ExternalAlertRecipient.ProtectionDeLEnfance, ExternalAlertKind.InformationPreoccupante));

        var alerts = (await jafer.GetAsync(id)).Difficulties[0].ExternalAlerts;
        Assert.Equal([ExternalAlertRecipient.Parquet, ExternalAlertRecipient.ProtectionDeLEnfance], alerts.Select(a => a.Recipient));
        Assert.Equal([Gestionnaire.ToString(), Court.ToString()], alerts.Select(a => a.ActorOrganisationId));
        await jafer.AsCourt.AnswerDifficultyAsync(answer);
        Assert.Equal(MesureState.Cloturee, (await jafer.AsEspace.CloseMesureAsync(close)).Mesure.State);
    }

    [Fact]
    public async Task Danger_JudgeRevokes_IsNotStoppedAndTheAlertStaysPossible()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var danger = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() })).DifficultyId;

        await jafer.AsCourt.RevokeMesureAsync(new() { MesureId = id, Revocation = new() { DecisionDate = s_day }, RequestId = NewId() });

        Assert.Equal(MesureState.Cloturee, (await jafer.AsEspace.RecordExternalAlertAsync(Alert(id, danger))).Mesure.State);
    }

    [Theory]
    [InlineData(MesureState.PriseEnCharge, Roles.Juridiction)]
    [InlineData(MesureState.PriseEnCharge, Roles.Espace)]
    [InlineData(MesureState.Programmee, Roles.Juridiction)]
    [InlineData(MesureState.Programmee, Roles.Espace)]
    public async Task CloseMesure_AnyReasonByAnybodyAnyTime_IsRefusedOrCountsInOneCategory(MesureState state, string role)
    {
        var scheduled = state == MesureState.Programmee;
        string? id = null;
        foreach (var reason in System.Enum.GetValues<ClosureReason>().Where(r => r != ClosureReason.Unspecified))
        {
            // A reason that was refused has left the mesure as it was.
            id ??= await jafer.MesureInAsync(state, r => r.Decision.ContactDeadline = new DateOnly(2026, 3, 20).ToProto());
            var close = new CloseMesureRequest { MesureId = id, Reason = reason, RequestId = NewId() };
            var code = await Refusal.CodeOfAsync(role == Roles.Espace ? jafer.AsEspace.CloseMesureAsync(close) : jafer.AsCourt.CloseMesureAsync(close));
            var whole = await jafer.GetAsync(id);

            // "Sans suite" never after a scheduling, an interruption never without one; the category is that of the reason.
            var fits = Closures.MayGive(role, reason) && !(scheduled ? Closures.IsSansSuite(reason) : Closures.IsInterruption(reason));
            Assert.True(reason == ClosureReason.ArriveeATerme || fits == (code == StatusCode.OK), $"{reason} {role} {state}: {code}");
            Assert.Equal(code == StatusCode.OK ? Closures.CategoryOf(reason, scheduled) : null, whole.Closure?.Category);
            Assert.Equal(code == StatusCode.OK ? MesureState.Cloturee : state, whole.Summary.State);
            id = code == StatusCode.OK ? null : id;
        }
    }

    [Fact]
    public async Task ProposeClosure_DeadlinePassed_JudgeClosesByItsAnswer()
    {
        var id = await jafer.MesureInAsync(MesureState.PriseEnCharge, r => r.Decision.ContactDeadline = new DateOnly(2026, 3, 20).ToProto());
        var proposal = new ProposeClosureRequest { MesureId = id, Reason = ClosureReason.SansSuiteAbsenceDeContactVisiteur, RequestId = NewId() };

        var proposed = await jafer.AsEspace.ProposeClosureAsync(proposal);

        Assert.Equal((MesureState.PriseEnCharge, 1), (proposed.Mesure.State, proposed.Mesure.OpenDifficultyCount));
        Assert.Equal(proposal.Reason, (await jafer.GetAsync(id)).Difficulties[0].ProposedClosureReason);
        await jafer.AsCourt.AnswerDifficultyAsync(new() { MesureId = id, DifficultyId = proposed.DifficultyId, Answer = DifficultyAnswer.Close, RequestId = NewId() });
        var closure = (await jafer.GetAsync(id)).Closure;
        Assert.Equal((proposal.Reason, ClosureCategory.SansSuite), (closure.Reason, closure.Category));
    }

    [Fact]
    public async Task ProposeClosure_DeadlineNotPassed_IsRefusedLikeTheClosing()
    {
        var id = await jafer.MesureInAsync(MesureState.PriseEnCharge, r => r.Decision.ContactDeadline = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(30).ToProto());

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, "ProposeClosure", id))).Reason);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsEspace.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.SansSuiteAbsenceDeContactHote, RequestId = NewId() }))).Reason);

        // A refusal is no absence: nobody has to wait for the deadline.
        await jafer.AsEspace.ProposeClosureAsync(new() { MesureId = id, Reason = ClosureReason.SansSuiteRefusHote, RequestId = NewId() });
    }

    [Fact]
    public async Task AnswerDifficulty_CloseWithoutProposal_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var difficulty = await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() });

        var refusal = await Refusal.OfAsync(jafer.AsCourt.AnswerDifficultyAsync(new() { MesureId = id, DifficultyId = difficulty.DifficultyId, Answer = DifficultyAnswer.Close, RequestId = NewId() }));

        Assert.Equal((StatusCode.InvalidArgument, "answer"), (refusal.Code, Assert.Single(refusal.Fields)));
    }

    [Fact]
    public async Task ModifyMesure_LaterEffect_KeepsVersionsAndNamesConflicts()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var now = TimeProvider.System.GetUtcNow();
        var effective = DateOnly.FromDateTime(now.AddDays(30).UtcDateTime);
        await ScheduleAsync(id, now.AddDays(10));
        var late = await ScheduleAsync(id, now.AddDays(45));

        var modified = await jafer.AsCourt.ModifyMesureAsync(new()
        {
            MesureId = id,
            Modification = new() { DecisionDate = s_day, EffectiveDate = effective.ToProto(), RencontreMinutes = 60, DurationMonths = 18 },
            RequestId = NewId(),
        });

        // Only the one after the new terms hold; it was scheduled for 120 minutes.
        Assert.Equal((late, RencontreConflictCode.Length), (Assert.Single(modified.Conflicts).RencontreId, modified.Conflicts[0].Code));
        Assert.Equal(MesureState.Programmee, modified.Mesure.State);
        Assert.Equal(new DateOnly(2027, 9, 2).ToProto(), modified.Mesure.TermDate);
        var whole = await jafer.GetAsync(id);
        Assert.Equal(120, whole.Decision.RencontreMinutes);
        Assert.Equal([(1, 120, 12), (2, 60, 18)], whole.DecisionVersions.Select(v => (v.Number, v.Decision.RencontreMinutes, v.Decision.DurationMonths)));
        Assert.Equal(whole.Decision.RgNumber, whole.DecisionVersions[1].Decision.RgNumber);
        Assert.Equal(modified.Conflicts, whole.RencontreConflicts);

        // A later decision that holds at once is in force today.
        await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = s_day, OutingGranted = true }, RequestId = NewId() });
        whole = await jafer.GetAsync(id);
        Assert.Equal((true, 60, 3), (whole.Decision.OutingGranted, whole.Decision.RencontreMinutes, whole.DecisionVersions.Count));
    }

    [Fact]
    public async Task ModifyMesure_ShorterDuration_NamesRencontresAfterTheTermAndRefusesNewOnes()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente, r => r.Decision.DurationMonths = 24);
        var start = TimeProvider.System.GetUtcNow().AddDays(60);
        var planned = await ScheduleAsync(id, start);

        var modified = await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = s_day, DurationMonths = 9, Modalite = Modalite.RemiseEnfant }, RequestId = NewId() });

        Assert.Equal([(planned, RencontreConflictCode.Term), (planned, RencontreConflictCode.Modalite)], modified.Conflicts.Select(c => (c.RencontreId, c.Code)));
        Assert.Equal(Modalite.RemiseEnfant, modified.Mesure.Modalite);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => ScheduleAsync(id, start))).Reason);
    }

    [Theory]
    [InlineData("modification.decision_date", 2026, 1, 1)]
    [InlineData("modification.decision_date", 2999, 1, 1)]
    public async Task ModifyMesure_DayOutOfPlace_IsRefusedByItsPath(string path, int year, int month, int day)
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var request = new ModifyMesureRequest { MesureId = id, Modification = new() { DecisionDate = new() { Year = year, Month = month, Day = day }, RencontreMinutes = 60 }, RequestId = NewId() };

        var refusal = await Refusal.OfAsync(jafer.AsCourt.ModifyMesureAsync(request));

        Assert.Equal((StatusCode.InvalidArgument, path), (refusal.Code, Assert.Single(refusal.Fields)));
    }

    [Fact]
    public async Task ModifyMesure_NothingSetOrByTheEspace_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var nothing = new ModifyMesureRequest { MesureId = id, Modification = new() { DecisionDate = s_day }, RequestId = NewId() };

        Assert.Equal(["modification"], (await Refusal.OfAsync(jafer.AsCourt.ModifyMesureAsync(nothing))).Fields);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, "ModifyMesure", id))).Code);
    }

    [Fact]
    public async Task AnswerDifficulty_Modify_ChangesTheTermsInTheSameAct()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var difficulty = await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.ModaliteNotOffered, RequestId = NewId() });

        var answered = await jafer.AsCourt.AnswerDifficultyAsync(new()
        {
            MesureId = id,
            DifficultyId = difficulty.DifficultyId,
            Answer = DifficultyAnswer.Modify,
            Modification = new() { DecisionDate = s_day, RencontreMinutes = 45 },
            RequestId = NewId(),
        });

        Assert.Equal((MesureState.Recue, 0), (answered.Mesure.State, answered.Mesure.OpenDifficultyCount));
        Assert.Equal(45, (await jafer.GetAsync(id)).Decision.RencontreMinutes);
    }

    [Fact]
    public async Task ReopenMesure_ClosedByTheEspace_StandsWhereItStood()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        var before = await jafer.GetAsync(id);
        await jafer.AsEspace.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.InterruptionIncident, RequestId = NewId() });

        var reopened = await jafer.AsEspace.ReopenMesureAsync(new() { MesureId = id, Comment = "mauvais dossier", RequestId = NewId() });

        Assert.Equal((MesureState.Programmee, Holder.Famille, before.Summary.NextRencontreTime), (reopened.Mesure.State, reopened.Mesure.Holder, reopened.Mesure.NextRencontreTime));
        var whole = await jafer.GetAsync(id);
        Assert.Null(whole.Closure);
        Assert.Equal("mauvais dossier", whole.ReopeningComment);
        var acts = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events.Select(e => e.Act).ToList();
        Assert.Equal([MesureAct.Close, MesureAct.Reopen], acts[^2..]);
    }

    [Fact]
    public async Task ReopenMesure_ClosedByTheJudge_IsTheCourtsAlone()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        await jafer.AsCourt.RevokeMesureAsync(new() { MesureId = id, Revocation = new() { DecisionDate = s_day }, RequestId = NewId() });

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, "ReopenMesure", id))).Reason);
        Assert.Equal(MesureState.Recue, (await jafer.AsCourt.ReopenMesureAsync(new() { MesureId = id, Comment = "erreur", RequestId = NewId() })).Mesure.State);
    }

    [Fact]
    public async Task ReopenMesure_GoesOnElsewhere_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        await jafer.AsCourt.RedesignateMesureAsync(new() { MesureId = id, Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = s_day }, RequestId = NewId() });

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsCourt, "ReopenMesure", id))).Reason);
    }

    [Fact]
    public async Task RegisterNonJudicialMesure_FromALawyer_EntersAsReceivedAndLivesOn()
    {
        var registered = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure;

        Assert.Equal((MesureState.Recue, MesureNature.NonJudiciaire, "", Holder.Espace), (registered.State, registered.Nature, registered.JuridictionId, registered.Holder));
        Assert.StartsWith("NJ", registered.Reference, StringComparison.Ordinal);
        Assert.Equal(new DateOnly(2026, 9, 2).ToProto(), registered.TermDate);
        await jafer.AsEspace.TakeChargeAsync(new() { MesureId = registered.MesureId, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new() { MesureId = registered.MesureId, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        var whole = (await jafer.AsEspace.GetMesureAsync(new() { MesureId = registered.MesureId })).Mesure;
        Assert.Equal((MesureState.EnAttente, NonJudicialOrigin.Avocat, 2, 1), (whole.Summary.State, whole.Origin, whole.Parties.Count, whole.Children.Count));
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(jafer.AsCourt.GetMesureAsync(new() { MesureId = registered.MesureId }))).Code);
    }

    [Fact]
    public async Task RegisterNonJudicialMesure_NoJudge_NothingWaitsForOne()
    {
        var id = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure.MesureId;

        foreach (var rpc in new[] { "RequestInformation", "ProposeClosure" })
        {
            Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, rpc, id))).Reason);
        }

        var difficulty = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Incident, RequestId = NewId() })).DifficultyId;
        await jafer.AsEspace.AcknowledgeDifficultyAsync(new() { MesureId = id, DifficultyId = difficulty, RequestId = NewId() });
        var revoke = new AnswerDifficultyRequest { MesureId = id, DifficultyId = difficulty, Answer = DifficultyAnswer.Revoke, Revocation = new() { DecisionDate = s_day }, RequestId = NewId() };
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsEspace.AnswerDifficultyAsync(revoke))).Reason);
        await jafer.AsEspace.AnswerDifficultyAsync(new() { MesureId = id, DifficultyId = difficulty, Answer = DifficultyAnswer.Maintain, RequestId = NewId() });
        await jafer.AsEspace.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = s_day, RencontreMinutes = 60 }, RequestId = NewId() });
    }

    [Fact]
    public async Task AnswerDifficulty_JudicialMesureByTheEspace_IsForbidden()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var difficulty = await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() });

        var refusal = await Refusal.OfAsync(jafer.AsEspace.AnswerDifficultyAsync(new() { MesureId = id, DifficultyId = difficulty.DifficultyId, Answer = DifficultyAnswer.Maintain, RequestId = NewId() }));

        Assert.Equal(StatusCode.PermissionDenied, refusal.Code);
    }

    [Fact]
    public async Task RegisterNonJudicialMesure_Prolongement_FollowsTheClosedMesureWithItsFamily()
    {
        var ended = await jafer.MesureInAsync(MesureState.Cloturee);
        var request = NonJudicial(Prolonging(ended));

        var registered = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(request)).Mesure;

        Assert.Equal(ended, registered.PredecessorMesureId);
        var whole = (await jafer.AsEspace.GetMesureAsync(new() { MesureId = registered.MesureId })).Mesure;
        Assert.Equal(["Hote", "Visiteur"], whole.Parties.Select(p => p.GivenName));
        Assert.Equal("Enfant", Assert.Single(whole.Children).GivenName);
        Assert.Contains(registered.MesureId, (await jafer.AsEspace.GetMesureAsync(new() { MesureId = ended })).Mesure.SuccessorMesureIds);
        Assert.DoesNotContain(registered.MesureId, (await jafer.GetAsync(ended)).SuccessorMesureIds);
    }

    [Fact]
    public async Task RegisterNonJudicialMesure_ProlongementOfAnOpenOrForeignMesure_IsRefused()
    {
        var open = await jafer.MesureInAsync(MesureState.EnCours);

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial(Prolonging(open))))).Reason);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial(Prolonging(NewId()))))).Code);
        Assert.Equal(["predecessor_mesure_id"], (await Refusal.OfAsync(jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial(r => r.PredecessorMesureId = open)))).Fields);
    }

    [Fact]
    public async Task GetMesure_AsOfEachEvent_IsTheStateAfterIt()
    {
        var id = await jafer.MesureInAsync(MesureState.EnCours);
        await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = s_day, RencontreMinutes = 60 }, RequestId = NewId() });
        await jafer.AsEspace.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.InterruptionEspaceAutre, RequestId = NewId() });
        await jafer.AsEspace.ReopenMesureAsync(new() { MesureId = id, Comment = "erreur", RequestId = NewId() });
        var events = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events;

        foreach (var e in events)
        {
            var past = (await jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = e.RecordedTime })).Mesure;
            var last = events.Last(other => other.RecordedTime == e.RecordedTime);
            Assert.Equal((last.State, last.Version.ToEtag()), (past.Summary.State, past.Summary.Etag));
            Assert.Equal(last.State == MesureState.Cloturee, past.Closure is not null);
            Assert.Equal(last.Version >= events.First(x => x.Act == MesureAct.Modify).Version ? 60 : 120, past.Decision.RencontreMinutes);
            Assert.Equal(last.Version >= events.First(x => x.Act == MesureAct.ScheduleRencontre).Version ? 1 : 0, past.Rencontres.Count);
            Assert.All(past.Rencontres, r => Assert.Equal(last.Version >= events.First(x => x.Act == MesureAct.RencontreHeld).Version, r.Outcome == RencontreOutcome.Held));
            Assert.Empty(past.Parties);
        }
    }

    [Fact]
    public async Task GetMesure_AsOfAnInstant_CountsTheDefectsOfThatMoment()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente, r =>
        {
            r.Decision.DurationMonths = 0;
            r.Decision.RencontreMinutes = 0;
            r.Decision.Modalite = Modalite.Visite;
        });
        await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = s_day, RencontreMinutes = 60 }, RequestId = NewId() });
        await jafer.AsCourt.ModifyMesureAsync(
            new() { MesureId = id, Modification = new() { DecisionDate = s_day, DurationMonths = 6, Modalite = Modalite.VisitePresenceContinue }, RequestId = NewId() });
        var events = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events;
        Assert.Equal(0, (await jafer.GetAsync(id)).Summary.DefectCount);

        foreach (var (act, nth, defects, modalite) in new[]
        {
            (MesureAct.Create, 0, 0, Modalite.Visite), (MesureAct.Complete, 0, 2, Modalite.Visite), (MesureAct.Transmit, 0, 2, Modalite.Visite), (MesureAct.ContactReached, 0, 2, Modalite.Visite),
            (MesureAct.Modify, 0, 1, Modalite.Visite), (MesureAct.Modify, 1, 0, Modalite.VisitePresenceContinue),
        })
        {
            var then = events.Where(e => e.Act == act).ElementAt(nth).RecordedTime;
            var past = (await jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = then })).Mesure;
            Assert.Equal((defects, modalite), (past.Summary.DefectCount, past.Summary.Modalite));
        }
    }

    [Fact]
    public async Task GetMesure_AsOfAnInstant_ShowsTheAlertsAndTheClosingOfThatMoment()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var danger = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() })).DifficultyId;
        var before = (await jafer.GetAsync(id)).Summary.UpdateTime;
        await jafer.AsEspace.RecordExternalAlertAsync(Alert(id, danger));
        var told = (await jafer.GetAsync(id)).Summary.UpdateTime;
        await jafer.AsEspace.CloseMesureAsync(
            new() { MesureId = id, Reason = ClosureReason.Autre, Comment = "fait", Destination = ClosureDestination.Accord, RequestId = NewId() });
        var closed = (await jafer.GetAsync(id)).Summary.UpdateTime;

        Assert.Empty((await AsOfAsync(before)).Difficulties[0].ExternalAlerts);
        var past = await AsOfAsync(told);
        Assert.Equal((ExternalAlertRecipient.Parquet, null), (Assert.Single(past.Difficulties[0].ExternalAlerts).Recipient, past.Closure));
        Assert.Equal((await jafer.GetAsync(id)).Closure, (await AsOfAsync(closed)).Closure);

        // What was said with a closing is not kept beyond it; that it was, is.
        await jafer.AsEspace.ReopenMesureAsync(new() { MesureId = id, Comment = "erreur", RequestId = NewId() });
        var undone = (await AsOfAsync(closed)).Closure;
        Assert.Equal((ClosureReason.Autre, "", ClosureDestination.Unspecified), (undone.Reason, undone.Comment, undone.Destination));

        async Task<Mesure> AsOfAsync(Timestamp time) => (await jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = time })).Mesure;
    }

    [Fact]
    public async Task CloseMesure_ArriveeATerme_IsRefusedUntilTheTerm()
    {
        var id = await jafer.MesureInAsync(MesureState.EnCours);
        var close = new CloseMesureRequest { MesureId = id, Reason = ClosureReason.ArriveeATerme, RequestId = NewId() };

        var refusal = await Refusal.OfAsync(jafer.AsEspace.CloseMesureAsync(close));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
        Assert.Equal(MesureState.EnCours, (await jafer.GetAsync(id)).Summary.State);

        // The judge shortens it: six months have passed.
        await jafer.AsCourt.ModifyMesureAsync(new() { MesureId = id, Modification = new() { DecisionDate = s_day, DurationMonths = 6 }, RequestId = NewId() });
        Assert.Equal(MesureState.Cloturee, (await jafer.AsEspace.CloseMesureAsync(close)).Mesure.State);
        Assert.Equal(ClosureCategory.ArriveeATerme, (await jafer.GetAsync(id)).Closure.Category);
    }

    [Theory]
    [InlineData(6, TermStart.FirstRencontre, false)]
    [InlineData(0, TermStart.Unspecified, true)]
    [InlineData(6, TermStart.Unspecified, true)]
    public async Task CloseMesure_ArriveeATermeInTheQueue_DependsOnWhetherTheDurationRan(int months, TermStart from, bool closes)
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente, r => (r.Decision.DurationMonths, r.Decision.TermStart) = (months, from));
        var close = jafer.AsEspace.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.ArriveeATerme, RequestId = NewId() });

        Assert.Equal(closes ? StatusCode.OK : StatusCode.FailedPrecondition, await Refusal.CodeOfAsync(close));
    }

    [Fact]
    public async Task ListMesureEvents_RencontreCorrected_NamesIt()
    {
        var id = await jafer.MesureInAsync(MesureState.EnCours);
        var rencontre = (await jafer.GetAsync(id)).Rencontres[0].RencontreId;
        await new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", Gestionnaire)).CorrectRencontreOutcomeAsync(
            new() { MesureId = id, RencontreId = rencontre, Outcome = RencontreOutcome.VisiteurAbsent, RequestId = NewId() });

        var events = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events;

        Assert.All(
            events, e => Assert.Equal(e.Act is MesureAct.ScheduleRencontre or MesureAct.RencontreHeld or MesureAct.CorrectRencontreOutcome ? rencontre : "", e.RencontreId));
        Assert.Equal(MesureAct.CorrectRencontreOutcome, events[^1].Act);
    }

    [Fact]
    public async Task GetMesure_AsOfBeforeItsCreationOrTheFuture_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Ordonnee);
        var now = TimeProvider.System.GetUtcNow();

        foreach (var time in new[] { now.AddDays(-1), now.AddDays(1) })
        {
            var refusal = await Refusal.OfAsync(jafer.AsCourt.GetMesureAsync(new() { MesureId = id, AsOfTime = Timestamp.FromDateTimeOffset(time) }));
            Assert.Equal((StatusCode.InvalidArgument, "as_of_time"), (refusal.Code, Assert.Single(refusal.Fields)));
        }
    }

    private static Action<RegisterNonJudicialMesureRequest> Prolonging(string mesureId) => r =>
    {
        r.Origin = NonJudicialOrigin.Prolongement;
        r.PredecessorMesureId = mesureId;
        r.Parties.Clear();
        r.Children.Clear();
    };

    private static RecordExternalAlertRequest Alert(
        string mesureId, string difficultyId, ExternalAlertRecipient recipient = ExternalAlertRecipient.Parquet, ExternalAlertKind kind = ExternalAlertKind.Signalement) =>
        new() { MesureId = mesureId, DifficultyId = difficultyId, Recipient = recipient, Kind = kind, RequestId = NewId() };

    private async Task<string> ScheduleAsync(string mesureId, DateTimeOffset start) => (await jafer.AsEspace.ScheduleRencontreAsync(new()
    {
        MesureId = mesureId,
        StartTime = Timestamp.FromDateTimeOffset(start),
        DurationMinutes = 120,
        RequestId = NewId(),
    })).RencontreId;
}
