using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>First interviews with a date: slots published, held, booked by the transmission, released.</summary>
public sealed class InterviewTests(MesuresFixture jafer)
{
    [Fact]
    public async Task TransmitMesure_HeldSlot_IsBookedInTheSameAct()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Completee);
        var held = (await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, slot.SlotId, PartyRole.Hote))).Slot;
        Assert.Equal((InterviewSlotState.OnHold, id, ""), (held.State, held.MesureId, held.ExternalId));
        Assert.InRange(held.HoldExpireTime.ToDateTimeOffset() - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(13), TimeSpan.FromMinutes(15));

        var request = Transmit(id, slot.SlotId);
        var transmitted = await jafer.AsCourt.TransmitMesureAsync(request);

        Assert.Equal(MesureState.Transmise, transmitted.Mesure.State);
        Assert.Equal(transmitted, await jafer.AsCourt.TransmitMesureAsync(request));
        foreach (var client in new[] { jafer.AsCourt, jafer.AsEspace })
        {
            var whole = (await client.GetMesureAsync(new GetMesureRequest { MesureId = id })).Mesure;
            var interview = Assert.Single(whole.Interviews);
            Assert.Equal(
                (PartyRole.Hote, slot.StartTime, 45, "Europe/Paris", InterviewState.Booked, slot.SlotId),
                (interview.PartyRole, interview.StartTime, interview.DurationMinutes, interview.TimeZone, interview.State, interview.SlotId));
            Assert.NotNull(whole.Milestones.InterviewBookingTime);
        }

        Assert.Equal((InterviewSlotState.Booked, id), await SlotOfEspaceAsync(slot.SlotId));
        var events = (await jafer.AsEspace.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events;
        Assert.Contains(events, e => e.Act == MesureAct.BookInterview && e.PartyRole == PartyRole.Hote && e.InterviewId.Length > 0);
    }

    [Fact]
    public async Task TransmitMesure_FiftyMesuresWantOneSlot_OneHasItAndTheOthersAreToldWhy()
    {
        var slot = await jafer.SlotAsync();
        var ids = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            ids.Add(await jafer.MesureInAsync(MesureState.Completee));
        }

        var second = new MesureService.MesureServiceClient(jafer.Second.Channel("juridiction", Court));
        var outcomes = await Task.WhenAll(ids.Select(async (id, i) =>
        {
            try
            {
                await (i % 2 == 0 ? jafer.AsCourt : second).TransmitMesureAsync(Transmit(id, slot.SlotId));
                return "OK";
            }
#pragma warning disable RS0030 // A client's catch.
            catch (RpcException e)
#pragma warning restore RS0030
            {
                return (await Refusal.OfAsync(() => throw e)).Reason;
            }
        }));

        Assert.Single(outcomes, "OK");
        Assert.Equal(49, outcomes.Count(o => o == "SLOT_TAKEN"));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from interviews where slot_id = '{slot.SlotId}'"));
        // Who did not get it is not transmitted either.
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from mesures where state = 'TRANSMISE' and id in ('{string.Join("','", ids)}')"));
    }

    [Fact]
    public async Task HoldInterviewSlot_TwoCourtsAtOnce_OneHoldsItAndTheOtherIsToldWhy()
    {
        var slot = await jafer.SlotAsync();
        var ours = await jafer.MesureInAsync(MesureState.Ordonnee);
        var theirs = (await jafer.AsOtherCourt.CreateMesureAsync(Content())).Mesure.MesureId;

        var codes = await Task.WhenAll(
            Refusal.CodeOfAsync(jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(ours, slot.SlotId))),
            Refusal.CodeOfAsync(jafer.InterviewsAsOtherCourt.HoldInterviewSlotAsync(Hold(theirs, slot.SlotId))));

        Assert.Equal([StatusCode.OK, StatusCode.FailedPrecondition], codes.Order());
    }

    [Fact]
    public async Task TransmitMesure_SlotHeldForAnother_IsRefusedUntilTheHoldRunsOut()
    {
        var slot = await jafer.SlotAsync();
        var holder = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(holder, slot.SlotId));
        var id = await jafer.MesureInAsync(MesureState.Completee);

        var refusal = await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(Transmit(id, slot.SlotId)));
        Assert.Equal((StatusCode.FailedPrecondition, "SLOT_TAKEN", slot.SlotId, "ON_HOLD"), (refusal.Code, refusal.Reason, refusal.Metadata["slot_id"], refusal.Metadata["state"]));
        Assert.DoesNotContain(await FreeAsync(), s => s.SlotId == slot.SlotId);

        // Time passes: nothing sweeps, the hold is simply over.
        await jafer.Database.RunAsync($"update interview_slots set held_until = now() - interval '1 second' where id = '{slot.SlotId}'");
        Assert.Contains(await FreeAsync(), s => s.SlotId == slot.SlotId && s.State == InterviewSlotState.Free);
        await jafer.AsCourt.TransmitMesureAsync(Transmit(id, slot.SlotId));
        Assert.Equal((InterviewSlotState.Booked, id), await SlotOfEspaceAsync(slot.SlotId));
    }

    [Fact]
    public async Task TransmitMesure_SlotsOfAnotherEspaceOrTwoForOneParty_AreNamedAndNothingIsSent()
    {
        var elsewhere = (await jafer.InterviewsAsEspace.PublishInterviewSlotsAsync(new PublishInterviewSlotsRequest
        {
            EspaceId = YoungEspace.ToString(),
            Slots = { new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Ahead(2), DurationMinutes = 30 } },
            RequestId = NewId(),
        })).Slots[0];
        var slots = new[] { await jafer.SlotAsync(s => s.PartyRole = PartyRole.Hote), await jafer.SlotAsync(s => s.PartyRole = PartyRole.Hote) };
        var id = await jafer.MesureInAsync(MesureState.Completee);

        Assert.Equal(
            ["interview_slot_ids[1]", "interview_slot_ids[2]"],
            (await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(Transmit(id, slots[0].SlotId, elsewhere.SlotId, NewId())))).Fields);
        Assert.Equal(["interview_slot_ids[1]"], (await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(Transmit(id, slots[0].SlotId, slots[1].SlotId)))).Fields);
        Assert.Equal(["interview_slot_ids"], (await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(Transmit(id, slots[0].SlotId, slots[0].SlotId)))).Fields);
        Assert.Equal(MesureState.Completee, (await jafer.GetAsync(id)).Summary.State);
        Assert.Equal(InterviewSlotState.Free, (await SlotOfEspaceAsync(slots[0].SlotId)).State);
    }

    [Theory]
    [InlineData("revoke")]
    [InlineData("redesignate")]
    [InlineData("close")]
    [InlineData("answer")]
    public async Task EndOfTheMesure_BeforeTheInterview_FreesTheSlot(string by)
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.AsCourt.TransmitMesureAsync(Transmit(id, slot.SlotId));
        var day = new DateOnly(2026, 4, 1).ToProto();
        switch (by)
        {
            case "revoke":
                await jafer.AsCourt.RevokeMesureAsync(new RevokeMesureRequest { MesureId = id, Revocation = new Revocation { DecisionDate = day }, RequestId = NewId() });
                break;
            case "redesignate":
                await jafer.AsCourt.RedesignateMesureAsync(new RedesignateMesureRequest
                {
                    MesureId = id,
                    Redesignation = new Redesignation { EspaceId = YoungEspace.ToString(), DecisionDate = day },
                    RequestId = NewId(),
                });
                break;
            case "close":
                await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.SansSuiteRefusVisiteur, RequestId = NewId() });
                break;
            default:
                var difficulty = await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() });
                await jafer.AsCourt.AnswerDifficultyAsync(new AnswerDifficultyRequest
                {
                    MesureId = id,
                    DifficultyId = difficulty.DifficultyId,
                    Answer = DifficultyAnswer.Revoke,
                    Revocation = new Revocation { DecisionDate = day },
                    RequestId = NewId(),
                });
                break;
        }

        var interview = Assert.Single((await jafer.GetAsync(id)).Interviews);
        Assert.Equal((InterviewState.Released, InterviewReleaseReason.MesureEnded), (interview.State, interview.ReleaseReason));
        Assert.Contains(await FreeAsync(), s => s.SlotId == slot.SlotId);
        var acts = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events.Select(e => e.Act).ToList();
        Assert.Equal(MesureAct.ReleaseInterview, acts[^2]);
    }

    [Fact]
    public async Task TransmitMesure_OneOfSeveralHeldSlots_FreesTheOthersInTheSameAct()
    {
        var slots = new[] { await jafer.SlotAsync(), await jafer.SlotAsync(), await jafer.SlotAsync(), await jafer.SlotAsync() };
        var (id, bystander) = (await jafer.MesureInAsync(MesureState.Completee), await jafer.MesureInAsync(MesureState.Completee));
        foreach (var slot in slots.Take(3))
        {
            await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, slot.SlotId));
        }

        await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(bystander, slots[3].SlotId));

        // Nothing is given up for a transmission that is refused.
        Assert.Equal("SLOT_TAKEN", (await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(Transmit(id, slots[0].SlotId, slots[3].SlotId)))).Reason);
        Assert.Equal((InterviewSlotState.OnHold, id), await HeldAsync(slots[1].SlotId));
        await jafer.AsCourt.TransmitMesureAsync(Transmit(id, slots[0].SlotId));

        var free = (await FreeAsync()).Select(s => s.SlotId).ToList();
        Assert.Contains(slots[1].SlotId, free);
        Assert.Contains(slots[2].SlotId, free);
        Assert.Equal((InterviewSlotState.Booked, id), await SlotOfEspaceAsync(slots[0].SlotId));
        Assert.Equal((InterviewSlotState.OnHold, bystander), await HeldAsync(slots[3].SlotId));
    }

    [Fact]
    public async Task CloseMesure_DraftThatHoldsSlots_FreesThem()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Ordonnee);
        await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, slot.SlotId));

        await jafer.AsCourt.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.Doublon, RequestId = NewId() });

        Assert.Contains(await FreeAsync(), s => s.SlotId == slot.SlotId);
    }

    [Fact]
    public async Task AContacter_FamilyWithADate_StandsThereOnlyOnceThatIsLostOrPassed()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.AsCourt.TransmitMesureAsync(Transmit(id, slot.SlotId));
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() });
        Assert.Equal((false, false), await CallsFirstAsync(id));

        // The espace takes the date back: it must call again.
        await jafer.InterviewsAsEspace.WithdrawInterviewSlotsAsync(
            new WithdrawInterviewSlotsRequest { EspaceId = Espace.ToString(), SlotIds = { slot.SlotId }, IncludingTaken = true, RequestId = NewId() });
        Assert.Equal((true, true), await CallsFirstAsync(id));
        var agreed = await jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id));
        Assert.Equal((false, false), await CallsFirstAsync(id));
        await jafer.InterviewsAsEspace.CancelInterviewAsync(
            new CancelInterviewRequest { MesureId = id, InterviewId = agreed.InterviewId, Reason = InterviewReleaseReason.PartyCancelled, RequestId = NewId() });
        Assert.Equal((true, true), await CallsFirstAsync(id));

        // A date that has passed, and nobody recorded what became of it, is none.
        var passed = await jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id));
        await jafer.Database.RunAsync($"update interviews set starts_at = now() - interval '1 hour' where id = '{passed.InterviewId}'");
        Assert.Equal((true, false), await CallsFirstAsync(id));
    }

    [Fact]
    public async Task WithdrawInterviewSlots_MesureActedOnMeanwhile_TriesAgain()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Recue);
        await jafer.InterviewsAsEspace.BookInterviewAsync(new BookInterviewRequest { MesureId = id, PartyRole = PartyRole.Visiteur, SlotId = slot.SlotId, RequestId = NewId() });

        // Somebody else writes the mesure each time in the middle of the withdrawal, twice: what it read is old then.
        await jafer.Database.RunAsync($"""
            create sequence withdrawals;
            create function meet() returns trigger language plpgsql security definer as $$ begin
                if nextval('withdrawals') <= 2 then raise exception using errcode = '23505', message = 'met another writer'; end if;
                return new;
            end $$;
            create trigger meet before insert on mesure_facts for each row when (new.act = 'RELEASE_INTERVIEW' and new.mesure_id = '{id}') execute function meet();
            """);
        try
        {
            var request = new WithdrawInterviewSlotsRequest { EspaceId = Espace.ToString(), SlotIds = { slot.SlotId }, IncludingTaken = true, RequestId = NewId() };
            var withdrawn = await jafer.InterviewsAsEspace.WithdrawInterviewSlotsAsync(request);

            Assert.Equal(InterviewSlotState.Withdrawn, Assert.Single(withdrawn.Slots).State);
            Assert.Equal(withdrawn, await jafer.InterviewsAsEspace.WithdrawInterviewSlotsAsync(request));
            Assert.Equal(3, await jafer.Database.ReadAsync<long>("select last_value from withdrawals"));
            Assert.Equal(InterviewState.Released, Assert.Single((await jafer.GetAsync(id)).Interviews).State);
        }
        finally
        {
            await jafer.Database.RunAsync("drop trigger meet on mesure_facts; drop function meet; drop sequence withdrawals");
        }
    }

    /// <summary>Whether the espace's worklist, and whether a deadline, asks it to call the family.</summary>
    private async Task<(bool Listed, bool Due)> CallsFirstAsync(string mesureId)
    {
        var worklists = new WorklistService.WorklistServiceClient(jafer.First.Channel("espace", Gestionnaire));
        var request = new ListWorkItemsRequest { Worklist = Worklist.AContacter, PageSize = 200 };
        var listed = false;
        do
        {
            var page = await worklists.ListWorkItemsAsync(request);
            listed |= page.Items.Any(i => i.Mesure.MesureId == mesureId);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return (listed, (await jafer.GetAsync(mesureId)).Deadlines.Any(d => d.Kind == DeadlineKind.FirstContact));
    }

    private async Task<(InterviewSlotState State, string MesureId)> HeldAsync(string slotId)
    {
        var row = await jafer.Database.ReadAsync<string>($"select state || ' ' || mesure_id from interview_slots where id = '{slotId}'");
        return (row.StartsWith("ON_HOLD", StringComparison.Ordinal) ? InterviewSlotState.OnHold : InterviewSlotState.Free, row.Split(' ')[1]);
    }

    [Fact]
    public async Task RecordInterview_PartyWithABookedOne_IsHeld()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var slot = await jafer.SlotAsync();
        await jafer.InterviewsAsEspace.BookInterviewAsync(new BookInterviewRequest { MesureId = id, PartyRole = PartyRole.Visiteur, SlotId = slot.SlotId, RequestId = NewId() });

        await jafer.AsEspace.RecordInterviewAsync(new RecordInterviewRequest { MesureId = id, PartyRole = PartyRole.Hote, RequestId = NewId() });
        Assert.Equal(InterviewState.Booked, Assert.Single((await jafer.GetAsync(id)).Interviews).State);
        await jafer.AsEspace.RecordInterviewAsync(new RecordInterviewRequest { MesureId = id, PartyRole = PartyRole.Visiteur, RequestId = NewId() });

        Assert.Equal(InterviewState.Held, Assert.Single((await jafer.GetAsync(id)).Interviews).State);
        // It was held before its slot began: another family may have that.
        Assert.Contains(await FreeAsync(), s => s.SlotId == slot.SlotId);
    }

    [Fact]
    public async Task BookInterview_DateAgreedWithoutSlotThenCancelled_CanBeBookedAgain()
    {
        var id = await jafer.MesureInAsync(MesureState.PriseEnCharge);
        var booked = await jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id));
        Assert.Equal(MesureState.PriseEnCharge, booked.Mesure.State);

        var twice = await Refusal.OfAsync(jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id)));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (twice.Code, twice.Reason));

        var cancel = new CancelInterviewRequest { MesureId = id, InterviewId = booked.InterviewId, Reason = InterviewReleaseReason.PartyAbsent, RequestId = NewId() };
        await jafer.InterviewsAsEspace.CancelInterviewAsync(cancel);
        cancel.RequestId = NewId();
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.InterviewsAsEspace.CancelInterviewAsync(cancel))).Reason);
        await jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id));

        Assert.Equal([InterviewState.Booked, InterviewState.Released], (await jafer.GetAsync(id)).Interviews.Select(i => i.State).Order());

        // As it stood when the first one was booked.
        var history = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events;
        var then = history.First(e => e.InterviewId == booked.InterviewId).RecordedTime;
        var past = (await jafer.AsCourt.GetMesureAsync(new GetMesureRequest { MesureId = id, AsOfTime = then })).Mesure;
        Assert.Equal((InterviewState.Booked, InterviewReleaseReason.Unspecified), (Assert.Single(past.Interviews).State, past.Interviews[0].ReleaseReason));
    }

    [Fact]
    public async Task BookInterview_FieldsOfTheOtherWayMissingOrGiven_AreNamed()
    {
        var nothing = new BookInterviewRequest { MesureId = NewId(), PartyRole = PartyRole.Hote, RequestId = NewId() };
        Assert.Equal(["start_time", "duration_minutes"], (await Refusal.OfAsync(jafer.InterviewsAsEspace.BookInterviewAsync(nothing))).Fields);
        var both = Agreed(NewId());
        (both.SlotId, both.TimeZone, both.LieuId) = (NewId(), "Europe/Paris", NewId());
        Assert.Equal(["start_time", "duration_minutes", "time_zone", "lieu_id"], (await Refusal.OfAsync(jafer.InterviewsAsEspace.BookInterviewAsync(both))).Fields);
    }

    [Fact]
    public async Task BookInterview_ClosedMesureOrStaleEtag_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var stale = Agreed(id);
        stale.Etag = "1";
        Assert.Equal("ETAG_MISMATCH", (await Refusal.OfAsync(jafer.InterviewsAsEspace.BookInterviewAsync(stale))).Reason);

        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.Autre, RequestId = NewId() });
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id)))).Reason);
    }

    [Fact]
    public async Task BookInterview_SlotForTheOtherParty_IsRefused()
    {
        var slot = await jafer.SlotAsync(s => s.PartyRole = PartyRole.Hote);
        var request = new BookInterviewRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), PartyRole = PartyRole.Visiteur, SlotId = slot.SlotId, RequestId = NewId() };

        Assert.Equal(["party_role"], (await Refusal.OfAsync(jafer.InterviewsAsEspace.BookInterviewAsync(request))).Fields);
    }

    [Fact]
    public async Task WithdrawInterviewSlots_BookedOnes_NeedToBeMeantAndTheCourtLearnsIt()
    {
        var slots = new[] { await jafer.SlotAsync(), await jafer.SlotAsync(), await jafer.SlotAsync() };
        var id = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.AsCourt.TransmitMesureAsync(Transmit(id, slots[0].SlotId, slots[1].SlotId));
        var withdraw = new WithdrawInterviewSlotsRequest { EspaceId = Espace.ToString(), SlotIds = { slots.Select(s => s.SlotId) }, RequestId = NewId() };

        var refusal = await Refusal.OfAsync(jafer.InterviewsAsEspace.WithdrawInterviewSlotsAsync(withdraw));
        Assert.Equal(("SLOT_TAKEN", "BOOKED"), (refusal.Reason, refusal.Metadata["state"]));
        Assert.Equal(InterviewSlotState.Free, (await SlotOfEspaceAsync(slots[2].SlotId)).State);

        withdraw.IncludingTaken = true;
        withdraw.RequestId = NewId();
        Assert.All((await jafer.InterviewsAsEspace.WithdrawInterviewSlotsAsync(withdraw)).Slots, s => Assert.Equal(InterviewSlotState.Withdrawn, s.State));

        Assert.All((await jafer.GetAsync(id)).Interviews, i => Assert.Equal((InterviewState.Released, InterviewReleaseReason.SlotWithdrawn), (i.State, i.ReleaseReason)));
        var events = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events;
        Assert.Equal(2, events.Count(e => e.Act == MesureAct.ReleaseInterview && e.ActorOrganisationId == Gestionnaire.ToString()));
        Assert.Equal(2, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and act = 'RELEASE_INTERVIEW'"));
    }

    [Fact]
    public async Task PublishInterviewSlots_SameExternalIdAgain_ReplacesWhatIsFreeAndNothingElse()
    {
        var item = new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Ahead(2), DurationMinutes = 45, PlaceCount = 3 };
        var first = await PublishAsync(item);
        Assert.Equal(3, first.Count);
        Assert.Equal(first, await PublishAsync(item));

        // Fewer places, another length: one is withdrawn, the ids stay.
        (item.PlaceCount, item.DurationMinutes) = (2, 60);
        var second = await PublishAsync(item);
        Assert.Equal(first.Select(s => s.SlotId), second.Select(s => s.SlotId));
        Assert.Equal([(InterviewSlotState.Free, 60), (InterviewSlotState.Free, 60), (InterviewSlotState.Withdrawn, 45)], second.Select(s => (s.State, s.DurationMinutes)));

        // A booked place stays as it is, and refuses to change.
        var id = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.AsCourt.TransmitMesureAsync(Transmit(id, first[0].SlotId));
        Assert.Equal(InterviewSlotState.Booked, (await PublishAsync(item))[0].State);
        item.DurationMinutes = 30;
        var refusal = await Refusal.OfAsync(() => PublishAsync(item));
        Assert.Equal(("SLOT_TAKEN", first[0].SlotId), (refusal.Reason, refusal.Metadata["slot_id"]));
    }

    [Fact]
    public async Task PublishInterviewSlots_EverythingWrong_NamesEveryField()
    {
        var request = new PublishInterviewSlotsRequest
        {
            EspaceId = Espace.ToString(),
            Slots = { new InterviewSlotToPublish { StartTime = Ahead(-1), DurationMinutes = 4, TimeZone = "UTC+2", LieuId = "x", PartyRole = (PartyRole)99, PlaceCount = 21 }, new InterviewSlotToPublish() },
            RequestId = NewId(),
        };

        Assert.Equal(
            new[]
            {
                "slots[0].start_time", "slots[0].external_id", "slots[0].place_count", "slots[0].duration_minutes", "slots[0].time_zone", "slots[0].lieu_id", "slots[0].party_role",
                "slots[1].start_time", "slots[1].external_id", "slots[1].duration_minutes", "slots",
            }.Order(StringComparer.Ordinal),
            (await Refusal.OfAsync(jafer.InterviewsAsEspace.PublishInterviewSlotsAsync(request))).Fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Slots_OfAnotherEspaceOrForAnothersMesure_AreRefusedBeforeAnythingIsTold()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Completee);
        var otherEspace = new InterviewService.InterviewServiceClient(jafer.First.Channel("espace", OtherGestionnaire));
        var item = new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Ahead(2), DurationMinutes = 45 };
        foreach (var call in new Func<Task>[]
        {
            () => otherEspace.PublishInterviewSlotsAsync(new PublishInterviewSlotsRequest { EspaceId = Espace.ToString(), Slots = { item }, RequestId = NewId() }).ResponseAsync,
            () => otherEspace.WithdrawInterviewSlotsAsync(new WithdrawInterviewSlotsRequest { EspaceId = Espace.ToString(), SlotIds = { slot.SlotId }, RequestId = NewId() }).ResponseAsync,
            () => otherEspace.ListInterviewSlotsAsync(new ListInterviewSlotsRequest { EspaceId = Espace.ToString() }).ResponseAsync,
            () => otherEspace.ListInterviewSlotsAsync(new ListInterviewSlotsRequest { EspaceId = NewId() }).ResponseAsync,
            () => otherEspace.BookInterviewAsync(Agreed(id)).ResponseAsync,
            () => otherEspace.CancelInterviewAsync(new CancelInterviewRequest { MesureId = id, InterviewId = NewId(), Reason = InterviewReleaseReason.PartyAbsent, RequestId = NewId() }).ResponseAsync,
            () => jafer.InterviewsAsOtherCourt.HoldInterviewSlotAsync(Hold(id, slot.SlotId)).ResponseAsync,
            () => jafer.InterviewsAsOtherCourt.HoldInterviewSlotAsync(Hold(NewId(), slot.SlotId)).ResponseAsync,
            () => jafer.InterviewsAsOtherCourt.HoldInterviewSlotAsync(Hold(id, NewId())).ResponseAsync,
            () => jafer.InterviewsAsOtherCourt.ReleaseInterviewSlotAsync(new ReleaseInterviewSlotRequest { MesureId = id, SlotId = slot.SlotId, RequestId = NewId() }).ResponseAsync,
            () => jafer.InterviewsAsCourt.PublishInterviewSlotsAsync(new PublishInterviewSlotsRequest { EspaceId = Espace.ToString(), Slots = { item }, RequestId = NewId() }).ResponseAsync,
            () => jafer.InterviewsAsEspace.HoldInterviewSlotAsync(Hold(id, slot.SlotId)).ResponseAsync,
        })
        {
            var refusal = await Refusal.OfAsync(call);
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, NewId())))).Code);
        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(jafer.InterviewsAsCourt.ListInterviewSlotsAsync(new ListInterviewSlotsRequest { EspaceId = NewId() }))).Code);
    }

    [Fact]
    public async Task HoldInterviewSlot_TransmittedMesureOrFourthSlot_IsRefused()
    {
        var slot = await jafer.SlotAsync();
        var transmitted = await Refusal.OfAsync(jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(await jafer.MesureInAsync(MesureState.Transmise), slot.SlotId)));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (transmitted.Code, transmitted.Reason));

        var id = await jafer.MesureInAsync(MesureState.Ordonnee);
        for (var i = 0; i < 3; i++)
        {
            await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, (await jafer.SlotAsync()).SlotId));
        }

        Assert.Equal("LIMIT_EXCEEDED", (await Refusal.OfAsync(jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, slot.SlotId)))).Reason);
    }

    [Fact]
    public async Task ReleaseInterviewSlot_Held_IsFreeAtOnceAndAnothersHoldStays()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Ordonnee);
        await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(id, slot.SlotId));
        var bystander = await jafer.MesureInAsync(MesureState.Ordonnee);

        var stays = await jafer.InterviewsAsCourt.ReleaseInterviewSlotAsync(new ReleaseInterviewSlotRequest { MesureId = bystander, SlotId = slot.SlotId, RequestId = NewId() });
        Assert.Equal((InterviewSlotState.OnHold, ""), (stays.Slot.State, stays.Slot.MesureId));
        var released = await jafer.InterviewsAsCourt.ReleaseInterviewSlotAsync(new ReleaseInterviewSlotRequest { MesureId = id, SlotId = slot.SlotId, RequestId = NewId() });
        Assert.Equal(InterviewSlotState.Free, released.Slot.State);
    }

    [Fact]
    public async Task ListInterviewSlots_AnyPageSizeDayAndRole_PagesConcatenateToWhatThatRoleMaySee()
    {
        // An espace of its own, so that no other test moves the list.
        var espace = StableIds.Espace("test", "slots");
        await jafer.Database.RunAsync($"""
            insert into espaces (id, gestionnaire_id, state, agrement_periods, time_zone, capacities, version) values ('{espace}', '{Gestionnaire}', 'OUVERT', '[]', 'Indian/Reunion', '[]', 1) on conflict do nothing
            """);
        var request = new PublishInterviewSlotsRequest { EspaceId = espace.ToString(), RequestId = NewId() };
        for (var day = 1; day <= 5; day++)
        {
            request.Slots.Add(new InterviewSlotToPublish { ExternalId = $"S{day}", StartTime = Ahead(day), DurationMinutes = 30, PlaceCount = 2 });
        }

        var slots = (await jafer.InterviewsAsEspace.PublishInterviewSlotsAsync(request)).Slots;
        Assert.All(slots, s => Assert.Equal("Indian/Reunion", s.TimeZone));
        await jafer.InterviewsAsEspace.WithdrawInterviewSlotsAsync(new WithdrawInterviewSlotsRequest { EspaceId = espace.ToString(), SlotIds = { slots[0].SlotId }, RequestId = NewId() });
        await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(Hold(await jafer.MesureInAsync(MesureState.Ordonnee), slots[1].SlotId));

        foreach (var size in new[] { 1, 3, 200 })
        {
            var all = await AllAsync(jafer.InterviewsAsEspace, new ListInterviewSlotsRequest { EspaceId = espace.ToString(), PageSize = size });
            Assert.Equal(10, all.Select(s => s.SlotId).Distinct().Count());
            var free = await AllAsync(jafer.InterviewsAsCourt, new ListInterviewSlotsRequest { EspaceId = espace.ToString(), PageSize = size, States = { InterviewSlotState.Booked } });
            Assert.Equal(slots.Skip(2).Select(s => s.SlotId).Order(StringComparer.Ordinal), free.Select(s => s.SlotId).Order(StringComparer.Ordinal));
            Assert.All(free, s => Assert.Equal(("", ""), (s.ExternalId, s.MesureId)));
        }

        var held = await AllAsync(jafer.InterviewsAsEspace, new ListInterviewSlotsRequest { EspaceId = espace.ToString(), States = { InterviewSlotState.OnHold } });
        Assert.Equal((slots[1].SlotId, "", "S1"), (Assert.Single(held).SlotId, held[0].MesureId, held[0].ExternalId));
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Indian/Reunion");
        var third = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(slots[4].StartTime.ToDateTimeOffset(), zone).DateTime);
        Assert.Equal(6, (await AllAsync(jafer.InterviewsAsCourt, new ListInterviewSlotsRequest { EspaceId = espace.ToString(), FromDate = third.ToProto() })).Count);
    }

    [Fact]
    public async Task Events_BookedAndReleased_HaveIdsAndTimesOnly()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var types = new List<string>();
        await jafer.Database.RunAsync("create schema if not exists probe_interviews; create table if not exists probe_interviews.seen (type text, payload jsonb)");
        await jafer.Database.RunAsync("""
            create or replace function probe_interviews.keep() returns trigger language plpgsql security definer as $$ begin insert into probe_interviews.seen values (new.message_type, new.payload); return new; end $$;
            create or replace trigger keep_interviews after insert on outbox_messages for each row execute function probe_interviews.keep();
            """);
        var booked = await jafer.InterviewsAsEspace.BookInterviewAsync(Agreed(id));
        await jafer.InterviewsAsEspace.CancelInterviewAsync(
            new CancelInterviewRequest { MesureId = id, InterviewId = booked.InterviewId, Reason = InterviewReleaseReason.PartyCancelled, RequestId = NewId() });

        types.AddRange(await jafer.Database.ReadAllAsync<string>(
            $"select type from probe_interviews.seen where payload->>'aggregateId' = '{id}' and payload->>'interviewId' = '{booked.InterviewId}' order by (payload->>'aggregateVersion')::int"));
        Assert.Equal(["mesure.interview-booked.v1", "mesure.interview-released.v1"], types);
    }

    private static Timestamp Ahead(double days) => Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(days));

    private static HoldInterviewSlotRequest Hold(string mesureId, string slotId, PartyRole role = PartyRole.Unspecified) =>
        new() { MesureId = mesureId, SlotId = slotId, PartyRole = role, RequestId = NewId() };

    private static TransmitMesureRequest Transmit(string mesureId, params string[] slotIds) => new() { MesureId = mesureId, InterviewSlotIds = { slotIds }, RequestId = NewId() };

    private static BookInterviewRequest Agreed(string mesureId) =>
        new() { MesureId = mesureId, PartyRole = PartyRole.Hote, StartTime = Ahead(2), DurationMinutes = 45, RequestId = NewId() };

    private static async Task<List<InterviewSlot>> AllAsync(InterviewService.InterviewServiceClient client, ListInterviewSlotsRequest request)
    {
        var all = new List<InterviewSlot>();
        request = request.Clone();
        do
        {
            var page = await client.ListInterviewSlotsAsync(request);
            all.AddRange(page.Slots);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return all;
    }

    private async Task<IReadOnlyList<InterviewSlot>> PublishAsync(InterviewSlotToPublish slot) =>
        [.. (await jafer.InterviewsAsEspace.PublishInterviewSlotsAsync(new PublishInterviewSlotsRequest { EspaceId = Espace.ToString(), Slots = { slot }, RequestId = NewId() })).Slots];

    private Task<List<InterviewSlot>> FreeAsync() => AllAsync(jafer.InterviewsAsCourt, new ListInterviewSlotsRequest { EspaceId = Espace.ToString(), PageSize = 200 });

    private async Task<(InterviewSlotState State, string MesureId)> SlotOfEspaceAsync(string slotId)
    {
        var slot = (await AllAsync(jafer.InterviewsAsEspace, new ListInterviewSlotsRequest { EspaceId = Espace.ToString(), PageSize = 200 })).Single(s => s.SlotId == slotId);
        return (slot.State, slot.MesureId);
    }
}
