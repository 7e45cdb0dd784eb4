using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The main job, act by act, over the real server.</summary>
public sealed class JourneyTests(MesuresFixture jafer)
{
    [Fact]
    public async Task WholeLife_FromDraftToFirstRencontreHeldAndClosing_PassesThroughEveryState()
    {
        var content = Content();
        var created = (await jafer.AsCourt.CreateMesureAsync(content)).Mesure;
        Assert.Equal(MesureState.Ordonnee, created.State);
        Assert.StartsWith("TJ69123-", created.Reference, StringComparison.Ordinal);
        Assert.Equal(Holder.Juridiction, created.Holder);
        var id = created.MesureId;

        var check = await jafer.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = id });
        Assert.Empty(check.Findings);
        Assert.True(check.Completable);

        Assert.Equal(MesureState.Completee, (await jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() })).Mesure.State);
        var transmitted = (await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() })).Mesure;
        Assert.Equal((MesureState.Transmise, Gestionnaire.ToString(), Holder.Espace), (transmitted.State, transmitted.GestionnaireId, transmitted.Holder));

        var read = (await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = id })).Mesure;
        Assert.NotNull(read.Milestones.RetrievedTime);
        Assert.Equal(content.Decision.RgNumber, read.Decision.RgNumber);

        Assert.Equal(MesureState.Recue, (await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() })).Mesure.State);
        Assert.Equal(MesureState.PrecisionDemandee, (await jafer.AsEspace.RequestInformationAsync(
            new RequestInformationRequest { MesureId = id, Reason = InformationReason.Coordinates, Question = "Téléphone ?", RequestId = NewId() })).Mesure.State);
        Assert.Equal(MesureState.Recue, (await jafer.AsCourt.ProvideInformationAsync(new ProvideInformationRequest { MesureId = id, Answer = "Le voici.", RequestId = NewId() })).Mesure.State);
        Assert.Equal(MesureState.PriseEnCharge, (await jafer.AsEspaceOnSecond.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() })).Mesure.State);
        Assert.Equal(MesureState.EnAttente, (await jafer.AsEspace.RecordContactAsync(
            new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() })).Mesure.State);
        Assert.Equal(MesureState.EnAttente, (await jafer.AsEspace.RecordInterviewAsync(
            new RecordInterviewRequest { MesureId = id, PartyRole = PartyRole.Visiteur, RequestId = NewId() })).Mesure.State);
        var scheduled = await jafer.AsEspace.ScheduleRencontreAsync(new ScheduleRencontreRequest
        {
            MesureId = id,
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
            DurationMinutes = 60,
            RequestId = NewId(),
        });
        Assert.Equal(MesureState.Programmee, scheduled.Mesure.State);
        var held = await jafer.AsEspaceOnSecond.RecordRencontreOutcomeAsync(new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = scheduled.RencontreId,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { read.Children[0].ChildId },
            RequestId = NewId(),
        });
        Assert.Equal(MesureState.EnCours, held.Mesure.State);
        Assert.Equal(MesureState.Cloturee, (await jafer.AsEspace.CloseMesureAsync(
            new CloseMesureRequest { MesureId = id, Reason = ClosureReason.InterruptionEspaceAutre, RequestId = NewId() })).Mesure.State);

        var whole = await jafer.GetAsync(id);
        Assert.Equal(ClosureReason.InterruptionEspaceAutre, whole.Closure.Reason);
        Assert.Equal(RencontreOutcome.Held, Assert.Single(whole.Rencontres).Outcome);
        Assert.Equal("Le voici.", Assert.Single(whole.InformationExchanges).Answer);
        var events = (await jafer.AsEspace.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events;
        Assert.Equal(
            [
                MesureAct.Create, MesureAct.Complete, MesureAct.Transmit, MesureAct.Retrieve, MesureAct.Acknowledge, MesureAct.RequestInformation, MesureAct.ProvideInformation,
                MesureAct.TakeCharge, MesureAct.ContactReached, MesureAct.Interview, MesureAct.ScheduleRencontre, MesureAct.RencontreHeld, MesureAct.Close,
            ], events.Select(e => e.Act));
        Assert.Equal(events.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), whole.Summary.Etag);
    }

    [Fact]
    public async Task CheckMesure_DirectoryAway_GoesOnAndSaysSo()
    {
        var id = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.Decision.DurationMonths = 0);

        var check = await jafer.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = id });

        Assert.False(check.ForecastAvailable);
        Assert.Equal(["DURATION_MISSING"], check.Findings.Select(f => f.Code));
        Assert.True(check.Completable);
    }

    [Fact]
    public async Task TransmitMesure_DefectiveRenderedDecision_IsSentAndReferredAtOnce()
    {
        var id = (await jafer.AsCourt.CreateMesureAsync(Content(r => r.Decision.DurationMonths = 0))).Mesure.MesureId;
        var completed = await jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() });
        Assert.Equal(["DURATION_MISSING"], completed.Findings.Select(f => f.Code));

        var transmitted = (await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() })).Mesure;

        Assert.Equal((MesureState.Transmise, 1, 1), (transmitted.State, transmitted.DefectCount, transmitted.OpenDifficultyCount));
        var difficulty = Assert.Single((await jafer.GetAsync(id)).Difficulties);
        Assert.Equal(DifficultyReason.DecisionContent, difficulty.Reason);
        Assert.Equal(["DURATION_MISSING"], difficulty.RuleCodes);
    }

    [Fact]
    public async Task CompleteMesure_DecisionBeingPrepared_IsBlockedByEveryViolatedRule()
    {
        var id = (await jafer.AsCourt.CreateMesureAsync(Content(r =>
        {
            r.Decision.DecisionDate = null;
            r.Decision.DurationMonths = 0;
            r.Decision.Periodicity = null;
            r.Decision.TermsLeftToService = true;
        }))).Mesure.MesureId;

        var refusal = await Refusal.OfAsync(jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() }));

        Assert.Equal((StatusCode.FailedPrecondition, "RULE_VIOLATED"), (refusal.Code, refusal.Reason));
        Assert.Equal(["DURATION_MISSING", "PERIODICITY_MISSING", "TERMS_LEFT_TO_SERVICE"], refusal.Rules);
    }

    [Fact]
    public async Task TransmitMesure_AgrementBeganAfterTheDecision_IsFlagged()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee, r =>
        {
            r.Decision.DecisionDate = new Contracts.Type.V1.Date { Year = 2025, Month = 12, Day = 1 };
            r.EspaceId = "";
        });

        var transmitted = (await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, EspaceId = YoungEspace.ToString(), RequestId = NewId() })).Mesure;

        Assert.Equal(1, transmitted.DefectCount);
        Assert.Equal(["AGREMENT_INVALID"], Assert.Single((await jafer.GetAsync(id)).Difficulties).RuleCodes);
    }

    [Fact]
    public async Task TransmitMesure_ToAnotherEspaceThanTheOneWithoutAgrement_IsNotFlagged()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee, r =>
        {
            r.Decision.DecisionDate = new Contracts.Type.V1.Date { Year = 2025, Month = 12, Day = 1 };
            r.EspaceId = YoungEspace.ToString();
        });
        Assert.Equal(1, (await jafer.GetAsync(id)).Summary.DefectCount);

        var transmitted = (await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, EspaceId = Espace.ToString(), RequestId = NewId() })).Mesure;

        Assert.Equal((MesureState.Transmise, 0, 0), (transmitted.State, transmitted.DefectCount, transmitted.OpenDifficultyCount));
    }

    [Fact]
    public async Task CompleteMesure_DecisionBeingPreparedForAnEspaceWithoutAgrement_IsBlocked()
    {
        var id = (await jafer.AsCourt.CreateMesureAsync(Content(r =>
        {
            r.Decision.DecisionDate = null;
            r.EspaceId = UnapprovedEspace.ToString();
        }))).Mesure.MesureId;

        var check = await jafer.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = id });
        Assert.False(check.Completable);
        Assert.Equal("L'espace de rencontre n'a pas d'agrément valide à ce jour.", Assert.Single(check.Findings, f => f.Code == "AGREMENT_INVALID").DescriptionFr);
        var refusal = await Refusal.OfAsync(jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() }));
        Assert.Equal(("RULE_VIOLATED", "AGREMENT_INVALID"), (refusal.Reason, Assert.Single(refusal.Rules)));
    }

    [Theory]
    [InlineData("FERME")]
    [InlineData("SUSPENDU")]
    public async Task EspaceIsNotClosed_DecisionBeingPreparedThenRendered_BlocksThenIsFlaggedAndReferred(string state)
    {
        var espace = await EspaceAsync("OUVERT");
        var id = await jafer.MesureInAsync(MesureState.Completee, r => r.EspaceId = espace);

        // It closed on the way: the greffe learns it before anybody signs, and the family waits no longer for it afterwards.
        await jafer.Database.RunAsync($"update espaces set state = '{state}' where id = '{espace}'");
        var draft = (await jafer.AsCourt.CreateMesureAsync(Content(r => (r.EspaceId, r.Decision.DecisionDate) = (espace, null)))).Mesure.MesureId;
        var check = await jafer.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = draft });
        Assert.False(check.Completable);
        Assert.Equal((FindingSeverity.Violation, "summary.espace_id"), (check.Findings[0].Severity, Assert.Single(check.Findings, f => f.Code == "ESPACE_CLOSED").Field));
        var refusal = await Refusal.OfAsync(jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = draft, RequestId = NewId() }));
        Assert.Equal((StatusCode.FailedPrecondition, "RULE_VIOLATED", "ESPACE_CLOSED"), (refusal.Code, refusal.Reason, Assert.Single(refusal.Rules)));

        var transmitted = (await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() })).Mesure;
        Assert.Equal((MesureState.Transmise, 1, 1), (transmitted.State, transmitted.DefectCount, transmitted.OpenDifficultyCount));
        var difficulty = Assert.Single((await jafer.GetAsync(id)).Difficulties);
        Assert.Equal((DifficultyReason.DecisionContent, "ESPACE_CLOSED"), (difficulty.Reason, Assert.Single(difficulty.RuleCodes)));

        // The judge's answer is another espace, of which it is no defect.
        var answered = await jafer.AsCourt.AnswerDifficultyAsync(new AnswerDifficultyRequest
        {
            MesureId = id,
            DifficultyId = difficulty.DifficultyId,
            Answer = DifficultyAnswer.Redesignate,
            Redesignation = new Redesignation { EspaceId = Espace.ToString(), DecisionDate = new Contracts.Type.V1.Date { Year = 2026, Month = 4, Day = 1 } },
            RequestId = NewId(),
        });
        Assert.Equal((MesureState.Transmise, 0), (answered.Successor.State, answered.Successor.DefectCount));
    }

    private async Task<string> EspaceAsync(string state)
    {
        var espace = NewId();
        await jafer.Database.RunAsync($$"""
            insert into espaces (id, gestionnaire_id, state, agrement_periods, time_zone, departement, capacities, version)
            values ('{{espace}}', '{{Gestionnaire}}', '{{state}}', '[{"from":"2013-09-01"}]', 'Europe/Paris', '69', '[]', 1)
            """);
        return espace;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransmitMesure_EspaceUnknownOrNeverApproved_IsRefused(bool unknown)
    {
        var id = await jafer.MesureInAsync(MesureState.Completee, r => r.EspaceId = "");
        var espace = unknown ? NewId() : UnapprovedEspace.ToString();

        var refusal = await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, EspaceId = espace, RequestId = NewId() }));

        Assert.Equal((StatusCode.FailedPrecondition, "ESPACE_NOT_DESIGNABLE"), (refusal.Code, refusal.Reason));
        Assert.Equal(espace, refusal.Metadata["espace_id"]);
    }

    [Fact]
    public async Task UpdateMesure_CompletedMesure_FallsBackAndReplacesParts()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);

        var updated = await jafer.AsCourt.UpdateMesureAsync(new UpdateMesureRequest
        {
            MesureId = id,
            Children = new ChildList { Children = { new Child { GivenName = "Autre" }, new Child { GivenName = "Encore" } } },
            RequestId = NewId(),
        });

        Assert.Equal(MesureState.Ordonnee, updated.Mesure.State);
        var whole = await jafer.GetAsync(id);
        Assert.Equal(["Autre", "Encore"], whole.Children.Select(c => c.GivenName));
        Assert.Equal(2, whole.Parties.Count);
    }

    [Fact]
    public async Task GetMesure_ProtectedAddress_IsMaskedForEverybody()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise, r =>
        {
            r.Parties[0].Address = "1 rue Cachée";
            r.Parties[0].AddressProtected = true;
        });

        foreach (var client in new[] { jafer.AsCourt, jafer.AsEspace })
        {
            var text = (await client.GetMesureAsync(new GetMesureRequest { MesureId = id })).ToString();
            Assert.DoesNotContain("Cachée", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"69123\"", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ScheduleRencontre_AfterTheTerm_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);

        var refusal = await Refusal.OfAsync(jafer.AsEspace.ScheduleRencontreAsync(new ScheduleRencontreRequest
        {
            MesureId = id,
            StartTime = Timestamp.FromDateTimeOffset(new DateTimeOffset(2027, 3, 3, 9, 0, 0, TimeSpan.Zero)),
            DurationMinutes = 60,
            RequestId = NewId(),
        }));

        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task CloseMesure_SansSuiteOnceARencontreWasScheduled_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);

        var refusal = await Refusal.OfAsync(jafer.AsEspace.CloseMesureAsync(
            new CloseMesureRequest { MesureId = id, Reason = ClosureReason.SansSuiteAbsenceDeContactVisiteur, RequestId = NewId() }));

        Assert.Equal(StatusCode.FailedPrecondition, refusal.Code);
        Assert.Equal(MesureState.Cloturee, (await jafer.AsEspace.CloseMesureAsync(
            new CloseMesureRequest { MesureId = id, Reason = ClosureReason.InterruptionAbsenceVisiteur, RequestId = NewId() })).Mesure.State);
    }

    [Fact]
    public async Task Difficulty_ReportedAcknowledgedAnswered_StopsNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var reported = await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() });
        Assert.Equal((MesureState.EnAttente, 1), (reported.Mesure.State, reported.Mesure.OpenDifficultyCount));

        await jafer.AsCourt.AcknowledgeDifficultyAsync(new AcknowledgeDifficultyRequest { MesureId = id, DifficultyId = reported.DifficultyId, RequestId = NewId() });
        var answered = await jafer.AsCourt.AnswerDifficultyAsync(
            new AnswerDifficultyRequest { MesureId = id, DifficultyId = reported.DifficultyId, Answer = DifficultyAnswer.Maintain, RequestId = NewId() });

        Assert.Equal(0, answered.Mesure.OpenDifficultyCount);
        Assert.Equal(DifficultyState.Answered, Assert.Single((await jafer.GetAsync(id)).Difficulties).State);
        var again = await Refusal.OfAsync(jafer.AsCourt.AnswerDifficultyAsync(
            new AnswerDifficultyRequest { MesureId = id, DifficultyId = reported.DifficultyId, Answer = DifficultyAnswer.Maintain, RequestId = NewId() }));
        Assert.Equal(StatusCode.FailedPrecondition, again.Code);
    }
}
