using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What a court or an operator records for an espace that is not connected.</summary>
public sealed class OnBehalfTests(MesuresFixture jafer)
{
    private static readonly string[] s_acts =
        ["AcknowledgeMesure", "RequestInformation", "TakeCharge", "RecordContact", "RecordInterview", "ScheduleRencontre", "RecordRencontreOutcome", "ReportDifficulty"];

    public static TheoryData<string> Acts => [.. s_acts];

    [Theory]
    [MemberData(nameof(Acts))]
    public async Task AnyActOfTheEspace_ByTheCourtOrAnOperatorWithoutTheFlag_IsRefused(string rpc)
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        foreach (var client in new[] { jafer.AsCourt, Operator() })
        {
            var refusal = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, id));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [MemberData(nameof(Acts))]
    public async Task AnyActOfTheEspace_ByAnotherCourtWithTheFlag_IsRefusedWhetherItExistsOrNot(string rpc)
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        var refused = await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsOtherCourt, rpc, Flagged(rpc, id)));
        var missing = await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsOtherCourt, rpc, Flagged(rpc, NewId())));

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refused.Code, refused.Reason));
        Assert.Equal(refused.Message, missing.Message);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => Requests.CallAsync(Operator(), rpc, Flagged(rpc, NewId())))).Code);
    }

    [Theory]
    [MemberData(nameof(Acts))]
    public async Task AnyActOfTheEspace_FlagWithoutSourceOrByTheEspace_IsNamed(string rpc)
    {
        var noSource = Flagged(rpc, NewId());
        Field(noSource, "on_behalf_source").SetValue(noSource, OnBehalfSource.Unspecified);

        Assert.Equal(["on_behalf_source"], (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsCourt, rpc, noSource))).Fields);
        Assert.Equal(["on_behalf_of_espace", "on_behalf_source"], (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, rpc, Flagged(rpc, NewId())))).Fields);
    }

    [Fact]
    public async Task WholeWay_EspaceNotConnected_IsRecordedByTheCourtAndAnOperatorAndMarkedSo()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await Requests.CallAsync(jafer.AsCourt, "AcknowledgeMesure", Flagged("AcknowledgeMesure", id));
        await Requests.CallAsync(Operator(), "TakeCharge", Flagged("TakeCharge", id));
        await Requests.CallAsync(jafer.AsCourt, "RecordContact", Flagged("RecordContact", id));
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
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(Operator().CloseMesureAsync(close))).Code);

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
        // Where an operator has a grant, the request says on whose behalf; all else on mesures stays closed to them.
        var granted = MesureService.Descriptor.Methods.Concat(InterviewService.Descriptor.Methods)
            .Where(m => AccessTable.BuiltIn.Grant($"/{m.Service.FullName}/{m.Name}", Roles.Operateur) != Tenancy.None && m.InputType.FindFieldByName("mesure_id") is not null);

        Assert.All(granted, m => Assert.NotNull(m.InputType.FindFieldByName("on_behalf_of_espace")));
        Assert.Superset(s_acts.ToHashSet(), granted.Select(m => m.Name).ToHashSet());
    }

    private static readonly Guid s_operator = new("0198a000-0000-7000-8000-0000000000ff");

    private static Google.Protobuf.Reflection.IFieldAccessor Field(IMessage request, string name) => request.Descriptor.FindFieldByName(name).Accessor;

    private static IMessage Flagged(string rpc, string mesureId)
    {
        var request = Requests.For(rpc, mesureId);
        Field(request, "on_behalf_of_espace").SetValue(request, true);
        Field(request, "on_behalf_source").SetValue(request, OnBehalfSource.Telephone);
        return request;
    }

    private MesureService.MesureServiceClient Operator() => new(jafer.First.Channel("operateur", s_operator));
}
