using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.Reports;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What becomes of single items, batches and streams.</summary>
public sealed class IntakeTests(MesuresFixture jafer)
{
    private readonly IntakeService.IntakeServiceClient _intake = jafer.First.Intake();

    [Fact]
    public async Task ReportStatus_AWholeLifeInOneBatch_IsAppliedWithItsSource()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var child = (await jafer.GetAsync(id)).Children[0].ChildId;

        var answer = await _intake.ReportStatusAsync(Report(
            Item(id, 1, Acknowledged), Item(id, 2, ChargeTaken), Item(id, 3, Reached), Item(id, 4, Interview), Item(id, 5, Scheduled("a")), Item(id, 6, Held("a", child)),
            Item(id, 7, Incident), Item(id, 8, i => i.Closed = new() { Reason = ClosureReason.InterruptionEspaceAutre, Destination = ClosureDestination.Accord })));

        Assert.All(answer.Results, r => Assert.Equal(IntakeResult.Applied, r.Result));
        Assert.Equal(MesureState.PriseEnCharge, answer.Results[1].State);
        var mesure = await jafer.GetAsync(id);
        Assert.Equal((MesureState.Cloturee, ClosureDestination.Accord), (mesure.Summary.State, mesure.Closure.Destination));
        Assert.Equal(RencontreOutcome.Held, Assert.Single(mesure.Rencontres).Outcome);
        Assert.Equal(answer.Results[4].RencontreId, mesure.Rencontres[0].RencontreId);
        Assert.Equal(Timestamp.FromDateTimeOffset(Start.AddMinutes(3)), mesure.Milestones.VisiteurContactTime);
        Assert.Single(mesure.Difficulties);
        var events = (await jafer.AsEspace.ListMesureEventsAsync(new() { MesureId = id })).Events.Where(e => e.SourceSystem.Length > 0).ToList();
        Assert.Equal(Enumerable.Range(1, 8).Select(n => (Source, $"{id[^12..]}/{n}")), events.Select(e => (e.SourceSystem, e.ExternalId)));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and act = 'RENCONTRE_HELD' and actor_organisation_id = '{Gestionnaire}'"));
    }

    [Fact]
    public async Task ReportStatus_EveryAppliedItem_LeavesItsEventInTheFeedWithTheStateAfterIt()
    {
        await jafer.Database.RunAsync("""
            create schema intake_probe;
            create table intake_probe.told (payload jsonb, key uuid);
            create function intake_probe.keep() returns trigger language plpgsql security definer as $$ begin insert into intake_probe.told values (new.payload, new.ordering_key); return new; end $$;
            create trigger intake_kept after insert on outbox_messages for each row execute function intake_probe.keep();
            """);
        try
        {
            var id = await jafer.MesureInAsync(MesureState.Transmise);
            await _intake.ReportStatusAsync(Report(Item(id, 2, ChargeTaken), Item(id, 1, Acknowledged), Item(id, 3, Reached)));

            Assert.Equal(
                ["RECUE", "PRISE_EN_CHARGE", "EN_ATTENTE"],
                (await jafer.Database.ReadAllAsync<string>($"select payload->>'state' from intake_probe.told where key = '{id}' and payload->>'deadline' is null order by (payload->>'aggregateVersion')::int")).TakeLast(3));
        }
        finally
        {
            await jafer.Database.RunAsync("drop trigger intake_kept on outbox_messages; drop schema intake_probe cascade");
        }
    }

    [Fact]
    public async Task ReportStatus_ClosedAtATermThatHasNotCome_IsRefusedAndTheOthersAreNot()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);

        var answer = await _intake.ReportStatusAsync(Report(Item(id, 1, i => i.Closed = new() { Reason = ClosureReason.ArriveeATerme }), Item(id, 2, Attempt)));

        Assert.Equal([IntakeResult.Refused, IntakeResult.Applied], answer.Results.Words());
        Assert.Equal((ErrorReason.StateForbids, MesureState.EnAttente), (answer.Results[0].Reason, answer.Results[0].State));
    }

    [Fact]
    public async Task ReportStatus_TooEarly_IsHeldAndReleasedWithWhatItWaitedFor()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        var early = await _intake.ReportStatusAsync(Report(Item(id, 3, Reached), Item(id, 2, ChargeTaken)));
        Assert.Equal([IntakeResult.Held, IntakeResult.Held], early.Results.Words());
        Assert.Equal(MesureState.Transmise, (await jafer.GetAsync(id)).Summary.State);

        var then = await jafer.Second.Intake().ReportStatusAsync(Report(Item(id, 1, Acknowledged)));

        Assert.Equal([IntakeResult.Applied], then.Results.Words());
        Assert.Equal([$"{id[^12..]}/2", $"{id[^12..]}/3"], then.ReleasedItems.Select(r => r.ExternalId));
        Assert.All(then.ReleasedItems, r => Assert.Equal((Source, IntakeResult.Applied, 0), (r.SourceSystem, r.Result.Result, r.Result.GapBefore)));
        Assert.Equal(MesureState.EnAttente, (await jafer.GetAsync(id)).Summary.State);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from intake_items where mesure_id = '{id}' and (result = 'HELD' or content is not null)"));
    }

    [Fact]
    public async Task ReportStatus_DifficultyTooEarly_IsNotHeld()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        Assert.Equal([IntakeResult.Applied], (await _intake.ReportStatusAsync(Report(Item(id, 3, Incident)))).Results.Words());
        Assert.Equal(1, (await jafer.GetAsync(id)).Summary.OpenDifficultyCount);

        // And leaves no gap behind.
        var rest = await _intake.ReportStatusAsync(Report(Item(id, 1, Acknowledged), Item(id, 2, ChargeTaken), Item(id, 4, Reached)));
        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Applied], rest.Results.Words());
        Assert.All(rest.Results, r => Assert.Equal(0, r.GapBefore));
    }

    [Fact]
    public async Task ReportStatus_Twice_IsADuplicateThatTellsWhatBecameOfTheFirst()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var (first, third, refused) = (Item(id, 1, Acknowledged), Item(id, 3, ChargeTaken), Item(id, 2, Acknowledged));

        var one = await _intake.ReportStatusAsync(Report(first, first, third));
        var other = await _intake.ReportStatusAsync(Report(first, third, refused, refused));
        var last = await _intake.ReportStatusAsync(Report(third, refused));

        Assert.Equal([(IntakeResult.Applied, default), (IntakeResult.Duplicate, IntakeResult.Applied), (IntakeResult.Held, default)], one.Results.Select(r => (r.Result, r.FirstResult)));
        Assert.Equal(
            [(IntakeResult.Duplicate, IntakeResult.Applied), (IntakeResult.Duplicate, IntakeResult.Applied), (IntakeResult.Refused, default), (IntakeResult.Duplicate, IntakeResult.Refused)],
            other.Results.Select(r => (r.Result, r.FirstResult)));
        Assert.Equal([IntakeResult.Applied, IntakeResult.Refused], last.Results.Select(r => r.FirstResult));
        Assert.Equal(2, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and source_system is not null"));
    }

    [Fact]
    public async Task ReportStatus_SameNamesForOtherItems_AreRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await _intake.ReportStatusAsync(Report(Item(id, 1, Acknowledged), Item(id, 3, Reached)));
        var (otherContent, otherSequence, heldSequence) = (Item(id, 1, ChargeTaken), Item(id, 1, ChargeTaken), Item(id, 3, Interview));
        (otherSequence.ExternalId, heldSequence.ExternalId) = (NewId(), NewId());

        var answer = await _intake.ReportStatusAsync(Report(otherContent, otherSequence, heldSequence));

        Assert.All(answer.Results, r => Assert.Equal((IntakeResult.Refused, ErrorReason.RequestInvalid), (r.Result, r.Reason)));
        Assert.Equal(["external_id", "sequence", "sequence"], answer.Results.Select(r => Assert.Single(r.Violations).Field));
    }

    [Fact]
    public async Task ReportStatus_RefusalsBesideAppliedOnes_StopNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var foreign = await jafer.MesureInAsync(MesureState.Completee);

        var answer = await _intake.ReportStatusAsync(Report(
            Item(id, 1, Acknowledged),
            Item(id, 2, i => i.Contact = new() { PartyRole = PartyRole.Enfant }),
            Item(id, 3, Acknowledged),
            Item(id, 4, NotHeld("nobody")),
            Item(id, 5, ChargeTaken),
            Item(foreign, 1, Acknowledged),
            Item(NewId(), 1, Acknowledged),
            new StatusItem { SourceSystem = "Élan", ExternalId = "née Martin", MesureId = "x" }));

        Assert.Equal(
            [IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Refused, IntakeResult.Refused, IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Refused, IntakeResult.Refused],
            answer.Results.Words());
        Assert.Equal(["contact.party_role", "contact.outcome"], answer.Results[1].Violations.Select(v => v.Field));
        Assert.Equal((ErrorReason.StateForbids, MesureState.Recue), (answer.Results[2].Reason, answer.Results[2].State));
        Assert.Equal((ErrorReason.RequestInvalid, "rencontre_outcome.external_rencontre_id"), (answer.Results[3].Reason, answer.Results[3].Violations[0].Field));
        Assert.Equal(MesureState.PriseEnCharge, answer.Results[4].State);
        Assert.Equal(ErrorReason.CallerForbidden, answer.Results[5].Reason);
        Assert.Equal(answer.Results[5], answer.Results[6]);
        Assert.Equal(["source_system", "external_id", "sequence", "mesure_id", "what"], answer.Results[7].Violations.Select(v => v.Field));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>("select count(*) from intake_items where external_id like '%Martin%' or description like '%Martin%'"));
    }

    [Fact]
    public async Task ReportStatus_MesureOfAnotherGestionnaire_IsForbiddenAndLeavesItsNamesFree()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var item = Item(id, 1, Acknowledged);

        var refused = await jafer.First.Intake(OtherGestionnaire).ReportStatusAsync(Report(item));
        Assert.Equal((IntakeResult.Refused, ErrorReason.CallerForbidden, MesureState.Unspecified), (refused.Results[0].Result, refused.Results[0].Reason, refused.Results[0].State));

        Assert.Equal([IntakeResult.Applied], (await _intake.ReportStatusAsync(Report(item))).Results.Words());
    }

    [Fact]
    public async Task ReportStatus_BeforeTransmission_MayBeSentAgainAfterIt()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);
        var item = Item(id, 1, Acknowledged);
        Assert.Equal(ErrorReason.CallerForbidden, (await _intake.ReportStatusAsync(Report(item))).Results[0].Reason);

        await jafer.AsCourt.TransmitMesureAsync(new() { MesureId = id, RequestId = NewId() });

        Assert.Equal([IntakeResult.Applied], (await _intake.ReportStatusAsync(Report(item))).Results.Words());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public async Task ReportStatus_NoItemOrTooMany_IsRefusedAsAWhole(int count)
    {
        var refusal = await Refusal.OfAsync(_intake.ReportStatusAsync(Report(Enumerable.Range(1, count).Select(n => Item(NewId(), n, Acknowledged)))));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Contains("items", refusal.Fields);
    }

    [Theory]
    [InlineData("ReportStatus")]
    [InlineData("ListIntakeItems")]
    [InlineData("ListIntakeSources")]
    public async Task AnyRpc_EveryFieldWrong_NamesEachByItsPath(string rpc)
    {
        var method = IntakeService.Descriptor.FindMethodByName(rpc);

        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(jafer.First.Channel("espace", Gestionnaire), method, Rpcs.Wrong(method.InputType)));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(method.InputType, path), path));
        var unnamed = method.InputType.Fields.InDeclarationOrder().Select(f => f.Name).Where(n => n is not ("page_token" or "silent_only") && !refusal.Fields.Any(path => path.Split('.', '[')[0] == n));
        Assert.Empty(unnamed);
    }

    [Theory]
    [InlineData("juridiction")]
    [InlineData("operateur")]
    public async Task AnyRpc_RoleWithoutGrant_IsRefused(string role)
    {
        foreach (var rpc in IntakeService.Descriptor.Methods.Where(m => role != "operateur" || m.Name != "ListIntakeSources"))
        {
            var refusal = await Refusal.OfAsync(() => Rpcs.OpenAsync(jafer.First.Channel(role, Gestionnaire), rpc));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Fact]
    public async Task ReportStatus_SameRequestTwice_GivesTheFirstAnswerAndLeavesNoTrace()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var request = Report(Item(id, 1, Acknowledged), Item(id, 2, Scheduled("x")), Item(id, 3, ChargeTaken));

        var first = await _intake.ReportStatusAsync(request);
        var second = await jafer.Second.Intake().ReportStatusAsync(request);

        Assert.Equal(first, second);
        Assert.Equal(3, await jafer.Database.ReadAsync<long>($"select count(*) from intake_items where mesure_id = '{id}'"));
        request.Items.RemoveAt(2);
        Assert.Equal("REQUEST_ID_REUSED", (await Refusal.OfAsync(_intake.ReportStatusAsync(request))).Reason);
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from journal.entries where 'intake/{request.RequestId}' = any(resources)"));
    }

    [Fact]
    public async Task ReportStatus_RencontreNamedByIdOrTwice_IsFoundOrRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var booked = await _intake.ReportStatusAsync(Report(Item(id, 1, Scheduled("r")), Item(id, 2, Scheduled("r")), Item(id, 3, Scheduled(""))));
        Assert.Equal([IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Applied], booked.Results.Words());
        Assert.Equal("rencontre_scheduled.external_rencontre_id", booked.Results[1].Violations[0].Field);

        var outcome = await _intake.ReportStatusAsync(Report(
            Item(id, 4, i => i.RencontreOutcome = new() { RencontreId = booked.Results[2].RencontreId, Outcome = RencontreOutcome.HoteAbsent }),
            Item(id, 5, NotHeld("r")),
            Item(id, 6, NotHeld("r")),
            Item(id, 7, i => i.RencontreOutcome = new() { ExternalRencontreId = "r", Outcome = RencontreOutcome.Held, VisiteurPresent = true, PresentChildIds = { NewId() } })));

        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Refused], outcome.Results.Words());
        Assert.Equal((ErrorReason.StateForbids, ErrorReason.RequestInvalid), (outcome.Results[2].Reason, outcome.Results[3].Reason));
        Assert.Equal([RencontreOutcome.VisiteurAbsent, RencontreOutcome.HoteAbsent], (await jafer.GetAsync(id)).Rencontres.Select(r => r.Outcome).Order());
        Assert.Equal(MesureState.EnAttente, (await jafer.GetAsync(id)).Summary.State);
    }

    [Fact]
    public async Task ReportStatus_BookedInterviews_TakePlaceOrAreReleasedAndTheirSlotsAreFree()
    {
        var slots = new[] { await jafer.SlotAsync(s => s.PartyRole = PartyRole.Visiteur), await jafer.SlotAsync(s => s.PartyRole = PartyRole.Hote) };
        var id = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.AsCourt.TransmitMesureAsync(new() { MesureId = id, InterviewSlotIds = { slots.Select(s => s.SlotId) }, RequestId = NewId() });

        // A closing that is refused gives nothing up.
        var refused = await _intake.ReportStatusAsync(Report(Item(id, 1, Acknowledged), Item(id, 2, Interview), Item(id, 3, Closed)));
        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Refused], refused.Results.Words());
        Assert.Equal([InterviewState.Held, InterviewState.Booked], (await jafer.GetAsync(id)).Interviews.OrderByDescending(i => i.PartyRole).Select(i => i.State));

        var closed = await _intake.ReportStatusAsync(Report(Item(id, 4, i => i.Closed = new() { Reason = ClosureReason.SansSuiteRefusHote })));

        Assert.Equal([IntakeResult.Applied], closed.Results.Words());
        Assert.Equal([InterviewState.Held, InterviewState.Released], (await jafer.GetAsync(id)).Interviews.OrderByDescending(i => i.PartyRole).Select(i => i.State));
        Assert.Equal(2, await jafer.Database.ReadAsync<long>($"select count(*) from interview_slots where state = 'FREE' and id in ('{slots[0].SlotId}', '{slots[1].SlotId}')"));
    }

    [Fact]
    public async Task ReportStatus_RencontresAheadThatAreLost_LeaveFreeSlots()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var ahead = TimeProvider.System.GetUtcNow();
        await _intake.ReportStatusAsync(Report(Item(id, 1, Scheduled("one", ahead.AddDays(3))), Item(id, 2, Scheduled("two", ahead.AddDays(9)))));

        var answer = await _intake.ReportStatusAsync(Report(
            Item(id, 3, i => i.RencontreOutcome = new() { ExternalRencontreId = "one", Outcome = RencontreOutcome.CancelledByVisiteur }), Item(id, 4, Closed)));

        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied], answer.Results.Words());
        var mesure = await jafer.GetAsync(id);
        Assert.Equal([RencontreOutcome.CancelledByVisiteur, RencontreOutcome.MesureClosed], mesure.Rencontres.Select(r => r.Outcome));
        Assert.Equal(2, await jafer.Database.ReadAsync<long>($"select count(*) from free_slots s join rencontres r on r.id = s.rencontre_id where r.mesure_id = '{id}'"));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from deadlines where mesure_id = '{id}'"));
    }

    [Fact]
    public async Task ReportStatus_AnyAct_PlansTheDeadlinesThatTheActItselfPlans()
    {
        var (reported, acted) = (await jafer.MesureInAsync(MesureState.Transmise), await jafer.MesureInAsync(MesureState.Transmise));
        var at = Timestamp.FromDateTimeOffset(Start.AddMinutes(1));
        await jafer.AsEspace.AcknowledgeMesureAsync(new() { MesureId = acted, OccurredTime = at, RequestId = NewId() });
        await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = acted, Reason = DifficultyReason.Incident, OccurredTime = Timestamp.FromDateTimeOffset(Start.AddMinutes(2)), RequestId = NewId() });

        await _intake.ReportStatusAsync(Report(Item(reported, 1, Acknowledged)));
        await _intake.ReportStatusAsync(Report(Item(reported, 2, Incident)));

        var planned = await DeadlinesAsync(acted);
        Assert.NotEmpty(planned);
        Assert.Equal(planned, await DeadlinesAsync(reported));

        Task<IReadOnlyList<string>> DeadlinesAsync(string mesureId) => jafer.Database.ReadAllAsync<string>(
            // What the court is given hours for counts from when each was recorded.
            $"""
            select kind || ' ' || must_act || ' ' || case when kind in ('ACKNOWLEDGE_DIFFICULTY', 'ESCALATE_DIFFICULTY')
                then (due_at - (select recorded_at from difficulties d where d.mesure_id = deadlines.mesure_id))::text else due_at::text end
            from deadlines where mesure_id = '{mesureId}'
            union all select 'next ' || (next_due_at = (select min(due_at) from deadlines where mesure_id = '{mesureId}')) from mesures where id = '{mesureId}' order by 1
            """);
    }

    [Fact]
    public async Task ReportStatus_OutingOrRemiseThatTheDecisionDoesNotGrant_IsRefusedByTheRule()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var outing = Item(id, 1, Scheduled("out"));
        outing.RencontreScheduled.Outing = true;
        var remise = Item(id, 2, Scheduled("remise"));
        remise.RencontreScheduled.ReturnTime = remise.RencontreScheduled.StartTime + Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(1));

        var results = (await _intake.ReportStatusAsync(Report(outing, remise))).Results;

        Assert.All(results, result => Assert.Equal((IntakeResult.Refused, ErrorReason.RuleViolated), (result.Result, result.Reason)));
        Assert.Equal(["OUTING_NOT_GRANTED", "REMISE_NOT_GRANTED"], results.Select(r => r.Description[..18]));
        Assert.Empty((await jafer.GetAsync(id)).Rencontres);
    }

    [Fact]
    public async Task ReportStatus_ReturnOfARemiseKnownToBeLost_LeavesAFreeSlot()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente, r => r.Decision.RemiseGranted = true);
        var child = (await jafer.GetAsync(id)).Children[0].ChildId;
        var begun = TimeProvider.System.GetUtcNow().AddHours(-2);
        var remise = Item(id, 1, Scheduled("remise", begun));
        remise.RencontreScheduled.ReturnTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(begun.AddDays(2));
        var held = Item(id, 2, Held("remise", child));
        held.OccurredTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(begun);

        var results = (await _intake.ReportStatusAsync(Report(
            remise, held, Item(id, 3, i => i.RemiseReturn = new() { ExternalRencontreId = "remise", Outcome = RencontreOutcome.ForceMajeure })))).Results;

        Assert.All(results, r => Assert.Equal(IntakeResult.Applied, r.Result));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from free_slots where rencontre_id = '{results[0].RencontreId}' and starts_at > now()"));
    }

    [Fact]
    public async Task ReportStatus_BesideSingleActs_KeepsBoth()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await jafer.AsEspace.AcknowledgeMesureAsync(new() { MesureId = id, RequestId = NewId() });

        var acts = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Refusal.CodeOfAsync(jafer.AsEspaceOnSecond.RecordContactAsync(
            new() { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.NotReached, RequestId = NewId() }))));
        var reports = new List<ItemResult>();
        for (var n = 1; n <= 10; n++)
        {
            reports.AddRange((await _intake.ReportStatusAsync(Report(Item(id, n, Attempt)))).Results);
        }

        Assert.All(await acts, c => Assert.Contains(c, new[] { StatusCode.OK, StatusCode.Aborted, StatusCode.Unavailable }));
        Assert.All(reports, r => Assert.Equal(IntakeResult.Applied, r.Result));
        var versions = await jafer.Database.ReadAllAsync<long>($"select version from mesure_facts where mesure_id = '{id}' order by version");
        Assert.Equal(Enumerable.Range(1, versions.Count).Select(v => (long)v), versions);
        Assert.Equal(versions[^1], await jafer.Database.ReadAsync<long>($"select version from mesures where id = '{id}'"));
    }

    [Fact]
    public async Task StreamStatus_KilledInTheMiddle_IsResumedWithoutLoss()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var batches = Enumerable.Range(0, 6).Select(b => new StreamStatusRequest { RequestId = NewId(), Items = { Enumerable.Range(1, 20).Select(n => Item(id, (b * 20) + n, Attempt)) } }).ToList();

        var answered = 0;
        using (var killed = new CancellationTokenSource())
        {
            using var call = _intake.StreamStatus(cancellationToken: killed.Token);
            foreach (var batch in batches)
            {
                await call.RequestStream.WriteAsync(batch);
            }

            for (; answered < 2; answered++)
            {
                Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
                Assert.All(call.ResponseStream.Current.Results, r => Assert.Equal(IntakeResult.Applied, r.Result));
            }

            await killed.CancelAsync();
        }

        // By the other replica, from the first batch without answer on: some of it may have been done after all.
        using var again = jafer.Second.Intake().StreamStatus();
        foreach (var batch in batches.Skip(answered))
        {
            await again.RequestStream.WriteAsync(batch);
            Assert.True(await again.ResponseStream.MoveNext(CancellationToken.None));
            Assert.All(again.ResponseStream.Current.Results, r => Assert.Equal(IntakeResult.Applied, r.Result));
        }

        await again.RequestStream.CompleteAsync();
        Assert.False(await again.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(120, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and act = 'CONTACT_ATTEMPTED'"));
    }

    [Fact]
    public async Task StreamStatus_WrongBatch_EndsTheStreamAndLeavesTheOnesBefore()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        using var call = _intake.StreamStatus();
        await call.RequestStream.WriteAsync(new StreamStatusRequest { RequestId = NewId(), Items = { Item(id, 1, Attempt) } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        await call.RequestStream.WriteAsync(new StreamStatusRequest { RequestId = NewId() });

        var refusal = await Refusal.OfAsync(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["items"], refusal.Fields);
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and act = 'CONTACT_ATTEMPTED'"));
    }

    [Fact]
    public async Task ListIntakeItems_Filtered_IsTheWholeHistoryInPagesTheLatestFirst()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await _intake.ReportStatusAsync(Report(Item(id, 1, Acknowledged), Item(id, 1, Acknowledged), Item(id, 2, Acknowledged), Item(id, 4, ChargeTaken)));

        var items = new List<IntakeItem>();
        var request = new ListIntakeItemsRequest { MesureId = id, SourceSystem = Source, PageSize = 3 };
        do
        {
            var page = await _intake.ListIntakeItemsAsync(request);
            items.AddRange(page.Items);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(
            [(4, IntakeResult.Held), (2, IntakeResult.Refused), (1, IntakeResult.Duplicate), (1, IntakeResult.Applied)], items.Select(i => (i.Sequence, i.Result)));
        Assert.Null(items[0].DecidedTime);
        Assert.Equal((MesureAct.Acknowledge, ErrorReason.StateForbids), (items[1].Act, items[1].Reason));
        Assert.Equal([4], (await _intake.ListIntakeItemsAsync(new() { MesureId = id, Result = IntakeResult.Held })).Items.Select(i => i.Sequence));
        Assert.Empty((await jafer.First.Intake(OtherGestionnaire).ListIntakeItemsAsync(new() { MesureId = id })).Items);
        Assert.Equal("PAGE_TOKEN_INVALID", (await Refusal.OfAsync(_intake.ListIntakeItemsAsync(new() { PageToken = "x" }))).Reason);
    }

    [Fact]
    public async Task ReportStatus_RandomItemsOfRealMesures_NeverFault()
    {
        var random = new Random(7);
        var ids = new[] { await jafer.MesureInAsync(MesureState.Transmise), await jafer.MesureInAsync(MesureState.Programmee) };
        var seen = new HashSet<IntakeResult>();
        for (var round = 0; round < 60; round++)
        {
            var items = Enumerable.Range(0, 30).Select(_ =>
            {
                var item = (StatusItem)Fuzz.Message(StatusItem.Descriptor, random, [.. ids]);
                (item.SourceSystem, item.MesureId, item.Sequence) = (Source, ids[random.Next(2)], random.Next(1, 400));
                item.ExternalId = $"fuzz/{item.MesureId[^12..]}/{item.Sequence}/{random.Next(2)}";
                return item;
            });
            seen.UnionWith((await _intake.ReportStatusAsync(Report(items))).Results.Words());
        }

        Assert.Contains(IntakeResult.Refused, seen);
    }
}
