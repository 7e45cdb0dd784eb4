using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using Mesure = Jafer.Contracts.Mesure.V1.Mesure;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What is listed as possible is what the service does not refuse for the state, rpc by rpc, for both sides.</summary>
public sealed class AvailableActionsTests(MesuresFixture jafer)
{
    // No state refuses these: a holder reads, and a court checks, whatever the mesure is.
    private static readonly string[] s_always = ["GetMesure", "ListMesureEvents", "ListReminders", "ListAvailableActions", "CheckMesure", "ListIntakeItems", "SetLegalHold", "LiftLegalHold", "ListLegalHolds"];

    public static TheoryData<MesureState> States => new(Enum.GetValues<MesureState>().Where(s => s != MesureState.Unspecified && s != MesureState.PrecisionDemandee));

    public static TheoryData<string> Situations => new(
        "information asked", "no judge", "slot held", "interviews booked", "delivered", "decision attached", "rencontre ahead", "rencontre confirmed", "child away", "danger",
        "danger told", "difficulty answered", "term passed", "closed by the court", "closed for the espace", "transferred");

    [Fact]
    public void Rpcs_OfAnyServiceOnAMesure_AreListedOrNeverRefusedByAState() => Assert.Equal(
        Requests.Services.SelectMany(s => s.Methods).Where(m => m.InputType.FindFieldByName("mesure_id") is not null).Select(m => m.Name).Except(s_always).Order(),
        // A lost slot is taken where one is on offer, which the mesure does not tell.
        AvailableActions.Rpcs.Select(m => m.Name).Except(["RegisterNonJudicialMesure"]).Append("TakeFreeSlot").Order());

    [Theory]
    [MemberData(nameof(States))]
    public Task ListAvailableActions_AnyState_ListsExactlyWhatTheStateDoesNotRefuse(MesureState state) => CompareAsync(() => jafer.MesureInAsync(state));

    [Theory]
    [MemberData(nameof(Situations))]
    public Task ListAvailableActions_AnySituation_ListsExactlyWhatTheStateDoesNotRefuse(string situation) => CompareAsync(() => InAsync(situation));

    [Fact]
    public async Task ListAvailableActions_AnyPageSize_IsTheWholeListWithTheEtag()
    {
        var id = await InAsync("rencontre ahead");
        var whole = await jafer.AsEspace.ListAvailableActionsAsync(new() { MesureId = id });
        Assert.Equal((await jafer.GetAsync(id)).Summary.Etag, whole.Etag);
        foreach (var size in new[] { 1, 4 })
        {
            var listed = new List<AvailableAction>();
            var request = new ListAvailableActionsRequest { MesureId = id, PageSize = size };
            do
            {
                var page = await jafer.AsEspace.ListAvailableActionsAsync(request);
                listed.AddRange(page.Actions);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            Assert.Equal(whole.Actions, listed);
        }
    }

    private async Task CompareAsync(Func<Task<string>> make)
    {
        var wrong = new List<string>();
        foreach (var (role, organisation) in new[] { (Roles.Juridiction, Court), (Roles.Espace, Gestionnaire) })
        {
            var channel = jafer.First.Channel(role, organisation);
            var mesure = await WholeAsync(await make());
            var client = new MesureService.MesureServiceClient(channel);
            var listed = await ListedAsync(client, mesure.Summary.MesureId);
            foreach (var rpc in AvailableActions.Rpcs)
            {
                var refusal = await Refusal.OrNullAsync(async () => await Rpcs.ExchangeAsync(channel, rpc, [(await RequestAsync(rpc, mesure)).ToByteArray()]));
                var forbidden = refusal is { Code: StatusCode.PermissionDenied } or { Reason: "STATE_FORBIDS" };

                // What does not exist is refused for its id, and what no state refuses is listed where it is of use.
                var unknown = rpc.Name == "ReleaseInterviewSlot" || refusal is { Code: StatusCode.InvalidArgument } or { Reason: "RULE_VIOLATED" };
                if (listed.Contains(rpc.FullName) ? forbidden : !forbidden && !unknown)
                {
                    wrong.Add($"{rpc.Name} as {role}: listed {listed.Contains(rpc.FullName)}, {refusal?.Reason ?? "done"} {refusal?.Message}");
                }

                // What was refused or only read changed nothing, and after some acts all that could be done still can.
                if (refusal is null && rpc.InputType.FindFieldByName("request_id") is not null)
                {
                    mesure = await WholeAsync((await ListedAsync(client, mesure.Summary.MesureId)).SetEquals(listed) ? mesure.Summary.MesureId : await make());
                }
            }
        }

        Assert.Empty(wrong);
    }

    // An espace sees nothing of a mesure before its transmission.
    private static async Task<HashSet<string>> ListedAsync(MesureService.MesureServiceClient client, string id)
    {
        ListAvailableActionsResponse? response = null;
        var refusal = await Refusal.OrNullAsync(async () => response = await client.ListAvailableActionsAsync(new() { MesureId = id }));
        Assert.True(refusal is null or { Code: StatusCode.PermissionDenied });
        return response is null ? [] : [.. response.Actions.Select(a => a.Rpc.Replace('/', '.'))];
    }

    /// <summary>A well-formed request about what the mesure really has, as far as there is something to act on.</summary>
    private async Task<IMessage> RequestAsync(MethodDescriptor rpc, Mesure mesure)
    {
        var id = mesure.Summary.MesureId;
        var request = Requests.For(rpc, id);
        var now = TimeProvider.System.GetUtcNow();
        var scheduled = mesure.Rencontres.Where(r => r.Outcome == RencontreOutcome.Scheduled).OrderByDescending(r => r.StartTime.ToDateTimeOffset() > now).ToList();
        var fit = rpc.Name switch
        {
            "RecordRemiseReturn" => mesure.Rencontres.FirstOrDefault(r => r.ReturnOutcome == RencontreOutcome.Scheduled),
            "CorrectRencontreOutcome" => mesure.Rencontres.FirstOrDefault(
                r => r.Outcome is not (RencontreOutcome.Scheduled or RencontreOutcome.Moved or RencontreOutcome.MesureClosed)),
            _ => scheduled.FirstOrDefault(),
        };
        Name("rencontre_id", fit?.RencontreId
            ?? mesure.Rencontres.FirstOrDefault()?.RencontreId);
        Name("difficulty_id", mesure.Difficulties.OrderBy(d => d.State).FirstOrDefault()?.DifficultyId);
        Name("interview_id", mesure.Interviews.OrderBy(i => i.State).FirstOrDefault()?.InterviewId);
        switch (request)
        {
            case RedesignateMesureRequest redesignate:
                redesignate.Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = new() { Year = 2026, Month = 4, Day = 1 } };
                break;
            case RegisterNonJudicialMesureRequest register:
                (register.Origin, register.PredecessorMesureId) = (NonJudicialOrigin.Prolongement, id);
                register.Parties.Clear();
                register.Children.Clear();
                break;
            case ConfirmRencontreRequest confirm when scheduled is [{ HoteConfirmedTime: not null }, ..]:
                confirm.PartyRole = PartyRole.Visiteur;
                break;
            case HoldInterviewSlotRequest hold:
                hold.SlotId = (await jafer.SlotAsync()).SlotId;
                break;
            case ReleaseInterviewSlotRequest release:
                release.SlotId = (await jafer.SlotAsync()).SlotId;
                break;
            case CloseMesureRequest close:
                close.Reason = ClosureReason.ErreurDeSaisie;
                break;
        }

        return request;

        void Name(string field, string? value)
        {
            if (value is not null)
            {
                Requests.Name(request, field, value);
            }
        }
    }

    private async Task<Mesure> WholeAsync(string id)
    {
        try
        {
            return await jafer.GetAsync(id);
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.PermissionDenied)
#pragma warning restore RS0030
        {
            // No judge ordered it.
            return (await jafer.AsEspace.GetMesureAsync(new() { MesureId = id })).Mesure;
        }
    }

    private async Task<string> InAsync(string situation)
    {
        var id = situation switch
        {
            "no judge" => (await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure.MesureId,
            "slot held" => await jafer.MesureInAsync(MesureState.Completee),
            "delivered" or "decision attached" => await jafer.MesureInAsync(MesureState.Transmise),
            "rencontre ahead" or "rencontre confirmed" or "child away" => await jafer.MesureInAsync(MesureState.EnAttente, r => r.Decision.RemiseGranted = true),
            "term passed" => await jafer.MesureInAsync(MesureState.EnAttente, r => r.Decision.DurationMonths = 1),
            _ => await jafer.MesureInAsync(MesureState.Recue),
        };
        switch (situation)
        {
            case "information asked":
                await jafer.AsEspace.RequestInformationAsync(new() { MesureId = id, Reason = InformationReason.Other, Question = "?", RequestId = NewId() });
                break;
            case "slot held":
                await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(new() { MesureId = id, SlotId = (await jafer.SlotAsync()).SlotId, RequestId = NewId() });
                break;
            case "interviews booked":
                foreach (var role in new[] { PartyRole.Hote, PartyRole.Visiteur, PartyRole.Enfant })
                {
                    await jafer.InterviewsAsEspace.BookInterviewAsync(
                        new() { MesureId = id, PartyRole = role, StartTime = Requests.Planned(2).StartTime, DurationMinutes = 45, RequestId = NewId() });
                }

                break;
            case "delivered":
                await SendAsync(Roles.Juridiction, Court, Requests.For("RecordDelivery", id));
                break;
            case "decision attached":
                var file = TestPdf.Make();
                await SendAsync(Roles.Juridiction, Court, new AttachDecisionRequest
                {
                    MesureId = id,
                    SizeBytes = file.Length,
                    Sha256 = ByteString.CopyFrom(SHA256.HashData(file)),
                    Data = ByteString.CopyFrom(file),
                    RequestId = NewId(),
                });
                break;
            case "rencontre ahead" or "rencontre confirmed":
                var booked = await BookAsync(id, r => r.StartTime = Requests.Planned(2).StartTime);
                if (situation == "rencontre confirmed")
                {
                    foreach (var role in new[] { PartyRole.Hote, PartyRole.Visiteur })
                    {
                        await SendAsync(Roles.Espace, Gestionnaire, new ConfirmRencontreRequest { MesureId = id, RencontreId = booked, PartyRole = role, RequestId = NewId() });
                    }
                }

                break;
            case "child away":
                var remise = await BookAsync(id, r => (r.StartTime, r.ReturnTime) = (Requests.Planned(-1).StartTime, Requests.Planned(1).StartTime));
                await jafer.AsEspace.RecordRencontreOutcomeAsync(new()
                {
                    MesureId = id,
                    RencontreId = remise,
                    Outcome = RencontreOutcome.Held,
                    VisiteurPresent = true,
                    PresentChildIds = { (await jafer.GetAsync(id)).Children[0].ChildId },
                    RequestId = NewId(),
                });
                break;
            case "danger" or "danger told" or "difficulty answered":
                var reason = situation == "difficulty answered" ? DifficultyReason.Capacity : DifficultyReason.Danger;
                var difficulty = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = reason, RequestId = NewId() })).DifficultyId;
                if (situation == "danger told")
                {
                    await jafer.AsEspace.RecordExternalAlertAsync(new()
                    {
                        MesureId = id,
                        DifficultyId = difficulty,
                        Recipient = ExternalAlertRecipient.Parquet,
                        Kind = ExternalAlertKind.Signalement,
                        RequestId = NewId(),
                    });
                }
                else if (situation == "difficulty answered")
                {
                    await jafer.AsCourt.AnswerDifficultyAsync(new() { MesureId = id, DifficultyId = difficulty, Answer = DifficultyAnswer.Maintain, RequestId = NewId() });
                }

                break;
            case "closed by the court":
                await jafer.AsCourt.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.ErreurDeSaisie, RequestId = NewId() });
                break;
            case "closed for the espace":
                await jafer.AsCourt.CloseMesureAsync(new()
                {
                    MesureId = id,
                    Reason = ClosureReason.SansSuiteRefusHote,
                    OnBehalfOfEspace = true,
                    OnBehalfSource = OnBehalfSource.Mail,
                    RequestId = NewId(),
                });
                break;
            case "transferred":
                await jafer.AsCourt.RedesignateMesureAsync(new()
                {
                    MesureId = id,
                    Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = new() { Year = 2026, Month = 4, Day = 1 } },
                    RequestId = NewId(),
                });
                break;
        }

        return id;
    }

    private async Task<string> BookAsync(string id, Action<ScheduleRencontreRequest> change)
    {
        var request = new ScheduleRencontreRequest { MesureId = id, DurationMinutes = 60, RequestId = NewId() };
        change(request);
        return (await jafer.AsEspace.ScheduleRencontreAsync(request)).RencontreId;
    }

    private Task<IReadOnlyList<byte[]>> SendAsync(string role, Guid organisation, IMessage request) =>
        Rpcs.ExchangeAsync(jafer.First.Channel(role, organisation), Requests.Rpc(request.Descriptor.Name[..^"Request".Length]), [request.ToByteArray()]);
}
