using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What a court or an operator records for an espace that is not connected.</summary>
public sealed class OnBehalfTests(MesuresFixture jafer)
{
    // Acts of the judge, which the espace does only where no judge ordered the mesure: then there is no court to do it for it.
    private static readonly string[] s_ofTheJudge = ["AcknowledgeDifficulty", "AnswerDifficulty", "ModifyMesure"];

    // The court does these for itself too.
    private static readonly string[] s_ofEither = ["CloseMesure", "ReopenMesure", "ResumeMesure", "RecordExternalAlert"];

    private static readonly Guid s_operator = new("0198a000-0000-7000-8000-0000000000ff");

    private static readonly IReadOnlyList<MethodDescriptor> s_onMesures =
        [.. Requests.Services.SelectMany(s => s.Methods).Where(m => m.InputType.FindFieldByName("mesure_id") is not null)];

    private static readonly string[] s_acts =
        [.. s_onMesures.Where(m => m.InputType.FindFieldByName("on_behalf_of_espace") is not null).Select(m => m.Name).Except(s_ofEither)];

    public static TheoryData<string> Acts => [.. s_acts];

    public static TheoryData<string> ActsOfEither => [.. s_ofEither];

    [Fact]
    public void Contract_AnyActOfTheEspaceOnAMesure_CanBeRecordedOnItsBehalfByItsCourtAndAnOperator()
    {
        var ofTheEspace = s_onMesures
            .Where(m => m.InputType.FindFieldByName("request_id") is not null && Grant(m, Roles.Espace) != Tenancy.None && !s_ofTheJudge.Contains(m.Name)).ToList();

        Assert.Equal(s_acts.Concat(s_ofEither).Order(), ofTheEspace.Select(m => m.Name).Order());
        Assert.All(ofTheEspace, m => Assert.Equal((Tenancy.Own, Tenancy.Own, Tenancy.Territory), (Grant(m, Roles.Juridiction), Grant(m, Roles.Espace), Grant(m, Roles.Operateur))));
    }

    [Theory]
    [MemberData(nameof(Acts))]
    public async Task AnyActOfTheEspace_ByTheCourtOrAnOperatorWithoutTheFlag_IsRefused(string rpc)
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        foreach (var channel in new[] { CourtOf(Court), Operator() })
        {
            var refusal = await Refusal.OfAsync(() => CallAsync(channel, Requests.For(rpc, id)));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [MemberData(nameof(ActsOfEither))]
    public async Task AnyActOfEitherSide_WithoutTheFlag_IsTheCourtsOwnAndRefusedToAnOperator(string rpc)
    {
        var id = await jafer.MesureInAsync(rpc == "ReopenMesure" ? MesureState.Cloturee : rpc == "ResumeMesure" ? MesureState.Suspendue : MesureState.EnAttente);

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), await CodeOfAsync(Operator(), Requests.For(rpc, id)));
        var sourced = Requests.For(rpc, id);
        Field(sourced, "on_behalf_source").SetValue(sourced, OnBehalfSource.Letter);
        Assert.Equal(["on_behalf_source"], (await Refusal.OfAsync(() => CallAsync(CourtOf(Court), sourced))).Fields);
        Assert.NotEqual(StatusCode.PermissionDenied, (await Refusal.OrNullAsync(() => CallAsync(CourtOf(Court), Requests.For(rpc, id))))?.Code);
    }

    [Theory]
    [MemberData(nameof(Acts))]
    [MemberData(nameof(ActsOfEither))]
    public async Task AnyActOfTheEspace_ByAnotherCourtWithTheFlag_IsRefusedWhetherItExistsOrNot(string rpc)
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        var refused = await Refusal.OfAsync(() => CallAsync(CourtOf(OtherCourt), Flagged(rpc, id)));
        var missing = await Refusal.OfAsync(() => CallAsync(CourtOf(OtherCourt), Flagged(rpc, NewId())));

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refused.Code, refused.Reason));
        Assert.Equal(refused.Message, missing.Message);
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), await CodeOfAsync(Operator(), Flagged(rpc, NewId())));
    }

    [Theory]
    [MemberData(nameof(Acts))]
    [MemberData(nameof(ActsOfEither))]
    public async Task AnyActOfTheEspace_FlagWithoutSourceOrByTheEspace_IsNamed(string rpc)
    {
        var noSource = Flagged(rpc, NewId());
        Field(noSource, "on_behalf_source").SetValue(noSource, OnBehalfSource.Unspecified);

        Assert.Equal(["on_behalf_source"], (await Refusal.OfAsync(() => CallAsync(CourtOf(Court), noSource))).Fields);
        Assert.Equal(["on_behalf_of_espace", "on_behalf_source"], (await Refusal.OfAsync(() => CallAsync(jafer.First.Channel(Roles.Espace, Gestionnaire), Flagged(rpc, NewId())))).Fields);
    }

    [Fact]
    public async Task WholeWay_EspaceNotConnected_IsRecordedByTheCourtAndAnOperatorAndMarkedSo()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await CallAsync(CourtOf(Court), Flagged("AcknowledgeMesure", id));
        await CallAsync(Operator(), Flagged("TakeCharge", id));
        await CallAsync(CourtOf(Court), Flagged("RecordContact", id));
        var booked = await jafer.InterviewsAsCourt.BookInterviewAsync(new BookInterviewRequest
        {
            MesureId = id,
            PartyRole = PartyRole.Hote,
            SlotId = (await jafer.SlotAsync()).SlotId,
            OnBehalfOfEspace = true,
            OnBehalfSource = OnBehalfSource.Letter,
            RequestId = NewId(),
        });
        await jafer.InterviewsAsCourt.CancelInterviewAsync(new CancelInterviewRequest
        {
            MesureId = id,
            InterviewId = booked.InterviewId,
            Reason = InterviewReleaseReason.PartyCancelled,
            OnBehalfOfEspace = true,
            OnBehalfSource = OnBehalfSource.Mail,
            RequestId = NewId(),
        });

        var events = (await jafer.AsEspace.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events;
        Assert.Equal(
            [
                (MesureAct.Create, false, OnBehalfSource.Unspecified, Court), (MesureAct.Complete, false, OnBehalfSource.Unspecified, Court), (MesureAct.Transmit, false, OnBehalfSource.Unspecified, Court),
                (MesureAct.Acknowledge, true, OnBehalfSource.Telephone, Court), (MesureAct.TakeCharge, true, OnBehalfSource.Telephone, s_operator),
                (MesureAct.ContactReached, true, OnBehalfSource.Telephone, Court), (MesureAct.BookInterview, true, OnBehalfSource.Letter, Court),
                (MesureAct.ReleaseInterview, true, OnBehalfSource.Mail, Court),
            ],
            events.Select(e => (e.Act, e.OnBehalfOfEspace, e.OnBehalfSource, Guid.Parse(e.ActorOrganisationId))));
    }

    [Fact]
    public async Task Rencontres_EspaceNotConnected_AreRecordedByTheCourtAndAnOperatorAndMarkedSo()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente, r => (r.Decision.RemiseGranted, r.Decision.Periodicity.RencontreCount) = (true, 10));
        var series = (ScheduleRencontreSeriesRequest)Flagged("ScheduleRencontreSeries", id);
        series.Rencontres.Add(Requests.Planned(20));
        var now = TimeProvider.System.GetStoredNow();
        var remise = new PlannedRencontre { StartTime = now.AddHours(-3).ToProto(), ReturnTime = now.AddHours(3).ToProto(), DurationMinutes = 30 };
        series.Rencontres.Add(remise);
        var booked = (ScheduleRencontreSeriesResponse)await CallAsync(CourtOf(Court), series);
        var confirm = (ConfirmRencontreRequest)Flagged("ConfirmRencontre", id);
        confirm.RencontreId = booked.Bookings[0].RencontreId;
        await CallAsync(Operator(), confirm);
        var move = (MoveRencontreRequest)Flagged("MoveRencontre", id);
        (move.RencontreId, move.Planned) = (booked.Bookings[0].RencontreId, Requests.Planned(5));
        var moved = (MoveRencontreResponse)await CallAsync(CourtOf(Court), move);
        var slot = Assert.Single(moved.FreeSlots).FreeSlotId;
        var cancel = (CancelRencontreRequest)Flagged("CancelRencontre", id);
        cancel.RencontreId = moved.RencontreId;
        await CallAsync(Operator(), cancel);
        var held = (RecordRencontreOutcomeRequest)Flagged("RecordRencontreOutcome", id);
        (held.RencontreId, held.Outcome, held.VisiteurPresent) = (booked.Bookings[2].RencontreId, RencontreOutcome.Held, true);
        held.PresentChildIds.Add((await jafer.GetAsync(id)).Children[0].ChildId);
        await CallAsync(Operator(), held);
        var back = (RecordRemiseReturnRequest)Flagged("RecordRemiseReturn", id);
        (back.RencontreId, back.Outcome) = (booked.Bookings[2].RencontreId, RencontreOutcome.VisiteurAbsent);
        await CallAsync(CourtOf(Court), back);
        await CallAsync(Operator(), Flagged("SuspendMesure", id));
        await CallAsync(Operator(), Flagged("ResumeMesure", id));

        Assert.Equal(
            [
                (MesureAct.ScheduleRencontre, Court), (MesureAct.ScheduleRencontre, Court), (MesureAct.ScheduleRencontre, Court), (MesureAct.ConfirmRencontre, s_operator),
                (MesureAct.MoveRencontre, Court), (MesureAct.CancelRencontre, s_operator), (MesureAct.RencontreHeld, s_operator), (MesureAct.RecordRemiseReturn, Court),
                (MesureAct.Suspend, s_operator), (MesureAct.ReportDifficulty, s_operator), (MesureAct.Resume, s_operator),
            ],
            await MarkedAsync(id));

        // What became free is there for whoever books on behalf; a court learns no more of it.
        var request = new ListFreeSlotsRequest { EspaceId = Espace.ToString(), PageSize = 200 };
        var ofCourt = ((ListFreeSlotsResponse)await CallAsync(CourtOf(OtherCourt), request)).FreeSlots.Single(s => s.FreeSlotId == slot);
        var ofOperator = ((ListFreeSlotsResponse)await CallAsync(Operator(), request)).FreeSlots.Single(s => s.FreeSlotId == slot);
        Assert.Equal(("", booked.Bookings[0].RencontreId), (ofCourt.RencontreId, ofOperator.RencontreId));

        // The return that was lost before its time left one too.
        Assert.Equal(remise.ReturnTime, ((ListFreeSlotsResponse)await CallAsync(Operator(), request)).FreeSlots.Single(s => s.RencontreId == booked.Bookings[2].RencontreId).StartTime);
    }

    [Fact]
    public async Task ListFreeSlots_ByOthersThanAnEspace_NeedAnEspaceAndACourtSeesWhatIsFreeAlone()
    {
        foreach (var channel in new[] { CourtOf(Court), Operator() })
        {
            Assert.Equal(["espace_id"], (await Refusal.OfAsync(() => CallAsync(channel, new ListFreeSlotsRequest()))).Fields);
        }

        var taken = new ListFreeSlotsRequest { EspaceId = Espace.ToString(), States = { FreeSlotState.Taken, FreeSlotState.Expired } };
        Assert.Empty(((ListFreeSlotsResponse)await CallAsync(CourtOf(Court), taken)).FreeSlots);
        Assert.Equal((StatusCode.NotFound, "RESOURCE_NOT_FOUND"), await CodeOfAsync(Operator(), new ListSlotCandidatesRequest { FreeSlotId = NewId() }));
    }

    [Fact]
    public async Task ProposalAndAlert_EspaceNotConnected_AreMarkedWhereTheyAreRecordedOnItsBehalf()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        await CallAsync(CourtOf(Court), Flagged("ProposeClosure", id));
        var alert = (RecordExternalAlertRequest)Flagged("RecordExternalAlert", id);
        alert.DifficultyId = (await jafer.GetAsync(id)).Difficulties[0].DifficultyId;
        await CallAsync(Operator(), alert);
        (alert.OnBehalfOfEspace, alert.OnBehalfSource, alert.RequestId) = (false, OnBehalfSource.Unspecified, NewId());
        await CallAsync(CourtOf(Court), alert);

        Assert.Equal([(MesureAct.ProposeClosure, Court), (MesureAct.ExternalAlert, s_operator)], await MarkedAsync(id));
    }

    [Fact]
    public async Task ReopenMesure_ClosingThatWasRecordedForTheEspace_IsTheEspacesToTakeBack()
    {
        foreach (var reopen in new Func<string, Task>[]
        {
            id => CallAsync(Operator(), Flagged("ReopenMesure", id)),
            id => CallAsync(jafer.First.Channel(Roles.Espace, Gestionnaire), Requests.For("ReopenMesure", id)),
        })
        {
            var id = await jafer.MesureInAsync(MesureState.Recue);
            await CallAsync(CourtOf(Court), Closing(id));
            await reopen(id);
            Assert.Equal(MesureState.Recue, (await jafer.GetAsync(id)).Summary.State);

            // Not so what the court closed for itself.
            await jafer.AsCourt.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.ErreurDeSaisie, RequestId = NewId() });
            Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => reopen(id))).Reason);
        }

        static CloseMesureRequest Closing(string id)
        {
            var request = (CloseMesureRequest)Flagged("CloseMesure", id);
            request.Reason = ClosureReason.SansSuiteRefusHote;
            return request;
        }
    }

    [Fact]
    public async Task WithdrawInterviewSlots_ByAnOperator_SaysOnWhoseBehalfAndMarksWhatIsReleased()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var slot = await jafer.SlotAsync();
        await jafer.InterviewsAsEspace.BookInterviewAsync(new BookInterviewRequest { MesureId = id, PartyRole = PartyRole.Hote, SlotId = slot.SlotId, RequestId = NewId() });
        var withdraw = new WithdrawInterviewSlotsRequest { EspaceId = Espace.ToString(), SlotIds = { slot.SlotId }, IncludingTaken = true, RequestId = NewId() };
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), await CodeOfAsync(Operator(), withdraw));
        withdraw.OnBehalfOfEspace = true;
        Assert.Equal(["on_behalf_source"], (await Refusal.OfAsync(() => CallAsync(Operator(), withdraw))).Fields);
        withdraw.OnBehalfSource = OnBehalfSource.Telephone;
        Assert.Equal(["on_behalf_of_espace", "on_behalf_source"], (await Refusal.OfAsync(() => CallAsync(jafer.First.Channel(Roles.Espace, Gestionnaire), withdraw))).Fields);

        await CallAsync(Operator(), withdraw);

        Assert.Equal([(MesureAct.ReleaseInterview, s_operator)], await MarkedAsync(id));
    }

    [Fact]
    public async Task ListAvailableActions_OfTheCourt_NamesNothingThatIsTheEspacesToDo()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);

        var actions = (await jafer.AsCourt.ListAvailableActionsAsync(new ListAvailableActionsRequest { MesureId = id })).Actions.Select(a => a.Rpc.Split('/')[1]).ToList();

        Assert.Empty(actions.Intersect(s_acts));
        Assert.Contains("CloseMesure", actions);
    }

    [Fact]
    public async Task CloseMesure_ByTheCourtForTheEspace_TakesItsReasons()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var close = new CloseMesureRequest { MesureId = id, Reason = ClosureReason.SansSuiteRefusHote, OnBehalfSource = OnBehalfSource.Letter, RequestId = NewId() };
        Assert.Equal(["reason", "on_behalf_source"], (await Refusal.OfAsync(jafer.AsCourt.CloseMesureAsync(close))).Fields);
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), await CodeOfAsync(Operator(), close));

        close.OnBehalfOfEspace = true;
        Assert.Equal(MesureState.Cloturee, (await jafer.AsCourt.CloseMesureAsync(close)).Mesure.State);
        Assert.Equal(OnBehalfSource.Letter, (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events[^1].OnBehalfSource);
    }

    [Fact]
    public async Task CloseMesure_ByTheCourtItself_IsNotOnBehalf()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        await jafer.AsCourt.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.ErreurDeSaisie, RequestId = NewId() });

        Assert.False((await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events[^1].OnBehalfOfEspace);
    }

    [Fact]
    public async Task BookInterview_ByTheCourtWithoutTheFlag_IsRefused() => Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(
        jafer.InterviewsAsCourt.BookInterviewAsync(new BookInterviewRequest { MesureId = NewId(), PartyRole = PartyRole.Hote, RequestId = NewId() }))).Code);

    [Fact]
    public void AccessTable_Operateur_MayActOnAMesureOnlyOnBehalfOfAnEspace()
    {
        // Where an operator has a grant, the request says on whose behalf; all else on mesures stays closed to them. To hold one back from
        // erasure is no act on it.
        var granted = s_onMesures.Where(m => m.Name != "RecordDelivery" && m.Service != RetentionService.Descriptor && Grant(m, Roles.Operateur) != Tenancy.None);

        Assert.All(granted, m => Assert.NotNull(m.InputType.FindFieldByName("on_behalf_of_espace")));
        Assert.Superset(s_acts.ToHashSet(), granted.Select(m => m.Name).ToHashSet());
    }

    private static Tenancy Grant(MethodDescriptor rpc, string role) => AccessTable.BuiltIn.Grant($"/{rpc.Service.FullName}/{rpc.Name}", role);

    private static IFieldAccessor Field(IMessage request, string name) => request.Descriptor.FindFieldByName(name).Accessor;

    private static IMessage Flagged(string rpc, string mesureId)
    {
        var request = Requests.For(rpc, mesureId);
        Field(request, "on_behalf_of_espace").SetValue(request, true);
        Field(request, "on_behalf_source").SetValue(request, OnBehalfSource.Telephone);
        return request;
    }

    private static Task<IMessage> CallAsync(GrpcChannel channel, IMessage request) => Rpcs.CallAsync(channel, Requests.Rpc(request.Descriptor.Name[..^"Request".Length]), request);

    private static async Task<(StatusCode Code, string Reason)> CodeOfAsync(GrpcChannel channel, IMessage request)
    {
        var refusal = await Refusal.OfAsync(() => CallAsync(channel, request));
        return (refusal.Code, refusal.Reason);
    }

    /// <summary>What is marked in the history as recorded on behalf of the espace, and who recorded it.</summary>
    private async Task<IReadOnlyList<(MesureAct Act, Guid Actor)>> MarkedAsync(string mesureId) =>
        [.. (await jafer.AsEspace.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = mesureId })).Events
            .Where(e => e is { OnBehalfOfEspace: true, OnBehalfSource: OnBehalfSource.Telephone }).Select(e => (e.Act, Guid.Parse(e.ActorOrganisationId)))];

    private GrpcChannel CourtOf(Guid court) => jafer.First.Channel(Roles.Juridiction, court);

    private GrpcChannel Operator() => jafer.First.Channel(Roles.Operateur, s_operator);
}
