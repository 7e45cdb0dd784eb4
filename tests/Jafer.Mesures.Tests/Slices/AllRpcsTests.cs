using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What the contract promises of every rpc, walked over by the descriptors: a new rpc is tested, or has to say why not.</summary>
public sealed class AllRpcsTests(MesuresFixture jafer)
{
    private static readonly IReadOnlyList<MethodDescriptor> s_all =
    [
        .. new[] { MesureService.Descriptor, InterviewService.Descriptor, RencontreService.Descriptor, SessionService.Descriptor, TransmissionService.Descriptor, WorklistService.Descriptor, ReminderService.Descriptor, DelaysService.Descriptor, DocumentService.Descriptor, ImpactService.Descriptor, RedesignationService.Descriptor, SurveyService.Descriptor }.SelectMany(Rpcs.UnaryOf),
    ];

    public static TheoryData<string> UnaryRpcs => new(s_all.Select(m => m.Name));

    /// <summary>All that change something by a request id.</summary>
    public static TheoryData<string> MutatingRpcs => new(s_all.Where(m => m.InputType.FindFieldByName("request_id") is not null).Select(m => m.Name));

    /// <summary>All that compare a version.</summary>
    public static TheoryData<string> GuardedRpcs => new(s_all.Where(m => m.InputType.FindFieldByName("etag") is not null).Select(m => m.Name));

    private static readonly Contracts.Type.V1.Date s_day = new() { Year = 2026, Month = 4, Day = 1 };

    // Those of the court; the others are the espace's. Either may close, read and list.
    private static readonly string[] s_ofTheCourt =
        ["CreateMesure", "UpdateMesure", "CheckMesure", "CompleteMesure", "TransmitMesure", "ProvideInformation", "AcknowledgeDifficulty", "AnswerDifficulty",
            "RevokeMesure", "RedesignateMesure", "ModifyMesure", "HoldInterviewSlot", "ReleaseInterviewSlot", "RecordDelivery", "ListAlternativeEspaces"];

    private static readonly string[] s_ofTheStatistician =
        ["RecordSserReturn", "ImportSserReturns", "OpenSurveyCampaign", "RemindSurveyCampaign", "CloseSurveyCampaign", "GetNationalSurvey", "GetTerritorySurvey"];

    // Each survey has a year of its own.
    private static int s_surveyYear = 1999;

    [Theory]
    [MemberData(nameof(UnaryRpcs))]
    public async Task AnyRpc_EveryFieldWrong_NamesEachByItsPath(string rpc)
    {
        var input = Named(rpc).InputType;
        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(Of(rpc), Named(rpc), Rpcs.Wrong(input)));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(input, path), path));
        var unnamed = input.Fields.InDeclarationOrder()
            .Where(f => f.FieldType != FieldType.Bool && f.Name != "page_token" && !refusal.Fields.Any(path => path.Split('.', '[')[0] == f.Name))
            .Select(f => f.Name);
        Assert.Empty(unnamed);
    }

    [Theory]
    [MemberData(nameof(MutatingRpcs))]
    public async Task AnyAct_SameRequestTwice_GivesTheFirstAnswerAndOneEffect(string rpc)
    {
        var (request, _) = await ReadyAsync(rpc);

        var first = await Rpcs.CallAsync(Of(rpc), Named(rpc), request);
        var then = await HeldAsync(first);
        var second = await Rpcs.CallAsync(Of(rpc), Named(rpc), request);

        Assert.Equal(first, second);
        Assert.Equal(then, await HeldAsync(first));
    }

    [Theory]
    [MemberData(nameof(MutatingRpcs))]
    public async Task AnyAct_RequestIdOfAnotherBody_IsRefusedAndChangesNothing(string rpc)
    {
        var (request, other) = await ReadyAsync(rpc);
        var first = await Rpcs.CallAsync(Of(rpc), Named(rpc), request);
        var then = await HeldAsync(first);

        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(Of(rpc), Named(rpc), other));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (refusal.Code, refusal.Reason));
        Assert.Equal(["request_id"], refusal.Fields);
        Assert.Equal(then, await HeldAsync(first));
    }

    [Theory]
    [MemberData(nameof(GuardedRpcs))]
    public async Task AnyAct_StaleEtag_IsAbortedAndChangesNothing(string rpc)
    {
        var (request, _) = await ReadyAsync(rpc);
        var etag = request.Descriptor.FindFieldByName("etag").Accessor;
        etag.SetValue(request, "0");
        var then = await HeldAsync(request);

        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(Of(rpc), Named(rpc), request));

        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (refusal.Code, refusal.Reason));
        Assert.Equal(then, await HeldAsync(request));

        // With the version that it tells the same goes through.
        etag.SetValue(request, refusal.Metadata["etag"]);
        await Rpcs.CallAsync(Of(rpc), Named(rpc), request);
    }

    private static MethodDescriptor Named(string rpc) => s_all.Single(m => m.Name == rpc);

    private GrpcChannel Of(string rpc) =>
        rpc is "AnswerExtraSessions" or "ValidateSserReturn" or "ReopenSserReturn" ? jafer.First.Channel(TestIssuer.Shared.Token("espace", Gestionnaire, person: true))
        : s_ofTheStatistician.Contains(rpc) ? jafer.First.Channel(TestIssuer.Shared.Token("statisticien", Court, person: true))
        : s_ofTheCourt.Contains(rpc) ? jafer.First.Channel("juridiction", Court) : jafer.First.Channel("espace", Gestionnaire);

    /// <summary>What is held of the mesure or the slots that a request or an answer is about: other tests write other ones meanwhile.</summary>
    private async Task<string> HeldAsync(IMessage about)
    {
        if (SlotsOf(about) is { Count: > 0 } slots)
        {
            return await jafer.Database.ReadAsync<string>(
                $"select coalesce(string_agg(s::text, '|' order by s.id), '') from interview_slots s where s.id in ('{string.Join("','", slots.Select(s => s.SlotId))}')");
        }

        if (about.Descriptor.FindFieldByName("request")?.Accessor.GetValue(about) is RequestedSessions asked)
        {
            return await jafer.Database.ReadAsync<string>($"select string_agg(r::text, '|' order by r.id) from session_requests r where espace_id = '{asked.EspaceId}'");
        }

        if (YearOf(about) is { } year)
        {
            return await jafer.Database.ReadAsync<string>($"""
                select coalesce(string_agg(t, '|' order by t), '') from (
                    select r::text from sser_returns r where year = {year} union all select v::text from sser_return_versions v where year = {year}
                    union all select c::text from survey_campaigns c where year = {year} union all select f::text from survey_national f where year = {year}) x (t)
                """);
        }

        var id = about.Descriptor.FindFieldByName("mesure_id") is { } field
            ? (string)field.Accessor.GetValue(about)
            : ((MesureSummary)about.Descriptor.FindFieldByName("mesure").Accessor.GetValue(about)).MesureId;
        var parts = new List<string>();
        foreach (var (table, key) in new[]
        {
            ("interviews", "mesure_id"), ("interview_slots", "mesure_id"), ("mesures", "id"), ("mesure_facts", "mesure_id"), ("parties", "mesure_id"), ("children", "mesure_id"), ("rencontres", "mesure_id"), ("difficulties", "mesure_id"),
            ("information_exchanges", "mesure_id"), ("decision_versions", "mesure_id"), ("external_alerts", "mesure_id"), ("deadlines", "mesure_id"),
        })
        {
            parts.Add(await jafer.Database.ReadAsync<string>(
                $"select '{table} ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t where {key} = '{id}'"));
        }

        parts.Add(await jafer.Database.ReadAsync<string>($"select 'journal ' || count(*) from journal.entries where 'mesures/{id}' = any(resources) and is_write and outcome = 'OK' and role <> 'systeme'"));
        return string.Join('\n', parts);
    }

    /// <summary>A request that goes through, on a mesure of its own, and another one of the same request id that would too.</summary>
    private async Task<(IMessage Request, IMessage Other)> ReadyAsync(string rpc)
    {
        switch (rpc)
        {
            case "CreateMesure":
                return Pair(Content(), r => r.Children[0].GivenName = "Autre");
            case "UpdateMesure":
                return Pair(new UpdateMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Completee), EspaceId = YoungEspace.ToString(), RequestId = NewId() }, r => r.EspaceId = "");
            case "CompleteMesure":
                return await OtherMesureAsync(new CompleteMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Ordonnee), RequestId = NewId() }, MesureState.Ordonnee);
            case "TransmitMesure":
                return await OtherMesureAsync(new TransmitMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Completee), RequestId = NewId() }, MesureState.Completee);
            case "RecordDelivery":
                return Pair(
                    new RecordDeliveryRequest { MesureId = await jafer.MesureInAsync(MesureState.Transmise), Channel = DeliveryChannel.Post, RequestId = NewId() },
                    r => r.Channel = DeliveryChannel.Telephone);
            case "AcknowledgeMesure":
                return await OtherMesureAsync(new AcknowledgeMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Transmise), RequestId = NewId() }, MesureState.Transmise);
            case "RequestInformation":
                return Pair(
                    new RequestInformationRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), Reason = InformationReason.Other, Question = "?", RequestId = NewId() },
                    r => r.Question = "??");
            case "ProvideInformation":
                var asked = await jafer.MesureInAsync(MesureState.Recue);
                await jafer.AsEspace.RequestInformationAsync(new() { MesureId = asked, Reason = InformationReason.Other, Question = "?", RequestId = NewId() });
                return Pair(new ProvideInformationRequest { MesureId = asked, Answer = "!", RequestId = NewId() }, r => r.Answer = "!!");
            case "TakeCharge":
                return await OtherMesureAsync(new TakeChargeRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), RequestId = NewId() }, MesureState.Recue);
            case "RecordContact":
                return Pair(
                    new RecordContactRequest { MesureId = await jafer.MesureInAsync(MesureState.PriseEnCharge), PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() },
                    r => r.Outcome = ContactOutcome.NotReached);
            case "RecordInterview":
                return Pair(
                    new RecordInterviewRequest { MesureId = await jafer.MesureInAsync(MesureState.EnAttente), PartyRole = PartyRole.Hote, RequestId = NewId() },
                    r => r.PartyRole = PartyRole.Visiteur);
            case "ScheduleRencontre":
                return Pair(
                    new ScheduleRencontreRequest
                    {
                        MesureId = await jafer.MesureInAsync(MesureState.EnAttente),
                        StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(2)),
                        DurationMinutes = 60,
                        RequestId = NewId(),
                    },
                    r => r.DurationMinutes = 90);
            case "RecordRencontreOutcome":
                var planned = await jafer.MesureInAsync(MesureState.Programmee);
                var rencontre = await jafer.Database.ReadAsync<Guid>($"select id from rencontres where mesure_id = '{planned}'");
                return Pair(
                    new RecordRencontreOutcomeRequest { MesureId = planned, RencontreId = rencontre.ToString(), Outcome = RencontreOutcome.VisiteurAbsent, RequestId = NewId() },
                    r => r.Outcome = RencontreOutcome.HoteAbsent);
            case "ReportDifficulty":
                return Pair(
                    new ReportDifficultyRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), Reason = DifficultyReason.Capacity, RequestId = NewId() },
                    r => r.Comment = "autre");
            case "AcknowledgeDifficulty":
                var first = await DifficultyAsync();
                return Pair(new AcknowledgeDifficultyRequest { MesureId = first.MesureId, DifficultyId = first.DifficultyId, RequestId = NewId() }, r => r.DifficultyId = NewId());
            case "AnswerDifficulty":
                var second = await DifficultyAsync();
                return Pair(
                    new AnswerDifficultyRequest { MesureId = second.MesureId, DifficultyId = second.DifficultyId, Answer = DifficultyAnswer.Maintain, RequestId = NewId() },
                    r => r.Comment = "autre");
            case "RevokeMesure":
                return Pair(
                    new RevokeMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), Revocation = new() { DecisionDate = s_day }, RequestId = NewId() },
                    r => r.Comment = "autre");
            case "RedesignateMesure":
                return Pair(
                    new RedesignateMesureRequest
                    {
                        MesureId = await jafer.MesureInAsync(MesureState.Recue),
                        Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = s_day },
                        RequestId = NewId(),
                    },
                    r => r.Comment = "autre");
            case "ModifyMesure":
                return Pair(
                    new ModifyMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), Modification = new() { DecisionDate = s_day, RencontreMinutes = 90 }, RequestId = NewId() },
                    r => r.Modification.RencontreMinutes = 60);
            case "RegisterNonJudicialMesure":
                return Pair(NonJudicial(), r => r.Children[0].GivenName = "Autre");
            case "SuspendMesure":
                return Pair(
                    new SuspendMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Programmee), Reason = DifficultyReason.Incident, RequestId = NewId() },
                    r => r.Comment = "autre");
            case "ResumeMesure":
                return await OtherMesureAsync(new ResumeMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Suspendue), RequestId = NewId() }, MesureState.Suspendue);
            case "ProposeClosure":
                return Pair(
                    new ProposeClosureRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), Reason = ClosureReason.SansSuiteAbsenceDeContactHote, RequestId = NewId() },
                    r => r.Comment = "autre");
            case "RecordExternalAlert":
                var third = await DifficultyAsync();
                return Pair(
                    new RecordExternalAlertRequest
                    {
                        MesureId = third.MesureId,
                        DifficultyId = third.DifficultyId,
                        Recipient = ExternalAlertRecipient.Parquet,
                        Kind = ExternalAlertKind.Signalement,
                        RequestId = NewId(),
                    },
                    r => r.Kind = ExternalAlertKind.InformationPreoccupante);
            case "ReopenMesure":
                return Pair(new ReopenMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Cloturee), Comment = "erreur", RequestId = NewId() }, r => r.Comment = "autre");
            case "PublishInterviewSlots":
                return Pair(
                    new PublishInterviewSlotsRequest
                    {
                        EspaceId = Espace.ToString(),
                        Slots = { new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(2)), DurationMinutes = 45, PlaceCount = 2 } },
                        RequestId = NewId(),
                    },
                    r => r.Slots[0].DurationMinutes = 60);
            case "WithdrawInterviewSlots":
                return Pair(
                    new WithdrawInterviewSlotsRequest { EspaceId = Espace.ToString(), SlotIds = { (await jafer.SlotAsync()).SlotId }, RequestId = NewId() }, r => r.IncludingTaken = true);
            case "HoldInterviewSlot":
                return Pair(
                    new HoldInterviewSlotRequest { MesureId = await jafer.MesureInAsync(MesureState.Completee), SlotId = (await jafer.SlotAsync()).SlotId, RequestId = NewId() }, r => r.Minutes = 20);
            case "ReleaseInterviewSlot":
                var holder = await jafer.MesureInAsync(MesureState.Completee);
                var held = (await jafer.SlotAsync()).SlotId;
                await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(new HoldInterviewSlotRequest { MesureId = holder, SlotId = held, RequestId = NewId() });
                var another = (await jafer.SlotAsync()).SlotId;
                return Pair(new ReleaseInterviewSlotRequest { MesureId = holder, SlotId = held, RequestId = NewId() }, r => r.SlotId = another);
            case "BookInterview":
                return Pair(
                    new BookInterviewRequest
                    {
                        MesureId = await jafer.MesureInAsync(MesureState.Recue),
                        PartyRole = PartyRole.Hote,
                        StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(2)),
                        DurationMinutes = 45,
                        RequestId = NewId(),
                    },
                    r => r.DurationMinutes = 60);
            case "CancelInterview":
                var booked = await jafer.MesureInAsync(MesureState.Recue);
                var interview = await jafer.InterviewsAsEspace.BookInterviewAsync(new BookInterviewRequest
                {
                    MesureId = booked,
                    PartyRole = PartyRole.Hote,
                    SlotId = (await jafer.SlotAsync()).SlotId,
                    RequestId = NewId(),
                });
                return Pair(
                    new CancelInterviewRequest { MesureId = booked, InterviewId = interview.InterviewId, Reason = InterviewReleaseReason.PartyCancelled, RequestId = NewId() },
                    r => r.Reason = InterviewReleaseReason.EspaceCancelled);
            case "CloseMesure":
                return Pair(
                    new CloseMesureRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue), Reason = ClosureReason.SansSuiteRefusHote, RequestId = NewId() },
                    r => r.Comment = "autre");
            case "ScheduleRencontreSeries":
                return Pair(
                    new ScheduleRencontreSeriesRequest { MesureId = await jafer.MesureInAsync(MesureState.EnAttente), Rencontres = { Requests.Planned(2) }, RequestId = NewId() },
                    r => r.Rencontres[0].DurationMinutes = 90);
            case "ConfirmRencontre":
                var confirmed = await BookedAsync();
                return Pair(
                    new ConfirmRencontreRequest { MesureId = confirmed.MesureId, RencontreId = confirmed.RencontreId, PartyRole = PartyRole.Hote, RequestId = NewId() },
                    r => r.PartyRole = PartyRole.Visiteur);
            case "CancelRencontre":
                var cancelled = await BookedAsync();
                return Pair(
                    new CancelRencontreRequest { MesureId = cancelled.MesureId, RencontreId = cancelled.RencontreId, Outcome = RencontreOutcome.CancelledByHote, RequestId = NewId() },
                    r => r.Outcome = RencontreOutcome.CancelledByVisiteur);
            case "MoveRencontre":
                var moved = await BookedAsync();
                return Pair(
                    new MoveRencontreRequest { MesureId = moved.MesureId, RencontreId = moved.RencontreId, Planned = Requests.Planned(3), RequestId = NewId() },
                    r => r.Planned.DurationMinutes = 90);
            case "CorrectRencontreOutcome":
                var mistaken = await RemiseAsync();
                return Pair(
                    new CorrectRencontreOutcomeRequest { MesureId = mistaken.MesureId, RencontreId = mistaken.RencontreId, Outcome = RencontreOutcome.HoteAbsent, RequestId = NewId() },
                    r => r.Outcome = RencontreOutcome.VisiteurAbsent);
            case "RecordRemiseReturn":
                var remise = await RemiseAsync();
                return Pair(
                    new RecordRemiseReturnRequest { MesureId = remise.MesureId, RencontreId = remise.RencontreId, Outcome = RencontreOutcome.Held, RequestId = NewId() },
                    r => r.Outcome = RencontreOutcome.HoteAbsent);
            case "TakeFreeSlot":
                var lost = await BookedAsync(4);
                var taker = await jafer.MesureInAsync(MesureState.EnAttente, r => r.Decision.RencontreMinutes = 60);
                var slot = (await new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", Gestionnaire)).CancelRencontreAsync(
                    new() { MesureId = lost.MesureId, RencontreId = lost.RencontreId, Outcome = RencontreOutcome.CancelledByHote, RequestId = NewId() })).FreeSlots[0].FreeSlotId;
                return Pair(new TakeFreeSlotRequest { MesureId = taker, FreeSlotId = slot, RequestId = NewId() }, r => r.FreeSlotId = NewId());
            case "RequestExtraSessions":
                return Pair((RequestExtraSessionsRequest)Requests.For(rpc, await OwnEspaceAsync()), r => r.SessionsPerWeek = 2);
            case "AnswerExtraSessions":
                var request = await new SessionService.SessionServiceClient(jafer.First.Channel("espace", Gestionnaire)).RequestExtraSessionsAsync(
                    (RequestExtraSessionsRequest)Requests.For("RequestExtraSessions", await OwnEspaceAsync()));
                return Pair(
                    new AnswerExtraSessionsRequest { SessionRequestId = request.Request.SessionRequestId, Answer = ExtraSessionState.Declined, RequestId = NewId() },
                    r => r.Answer = ExtraSessionState.Agreed);
            case "ImportSserReturns":
                var content = (int year) => Google.Protobuf.ByteString.CopyFromUtf8($"year;gestionnaire_id;code;value\n{year};FRANCE;STOCK_FIN;1\n");
                var imported = Interlocked.Increment(ref s_surveyYear);
                return Pair(new ImportSserReturnsRequest { Content = content(imported), RequestId = NewId() }, r => r.Content = content(imported - 1));
            case "GenerateSserReturn" or "CorrectSserReturn" or "ValidateSserReturn" or "ReopenSserReturn" or "RecordSserReturn"
                or "OpenSurveyCampaign" or "RemindSurveyCampaign" or "CloseSurveyCampaign":
                return await ReadyForSurveyAsync(rpc, Interlocked.Increment(ref s_surveyYear));
            default:
                throw new NotSupportedException($"{rpc} changes something: give it a request here");
        }
    }

    private async Task<(IMessage Request, IMessage Other)> ReadyForSurveyAsync(string rpc, int year)
    {
        var espace = new SurveyService.SurveyServiceClient(Of("ValidateSserReturn"));
        var statistician = new SurveyService.SurveyServiceClient(Of("OpenSurveyCampaign"));
        var id = Gestionnaire.ToString();
        if (rpc is "CorrectSserReturn" or "ValidateSserReturn" or "ReopenSserReturn" or "CloseSurveyCampaign")
        {
            var of = (await espace.GenerateSserReturnAsync(new GenerateSserReturnRequest { GestionnaireId = id, Year = year, RequestId = NewId() })).SserReturn;
            if (rpc is "ReopenSserReturn" or "CloseSurveyCampaign")
            {
                await espace.ValidateSserReturnAsync(new ValidateSserReturnRequest { GestionnaireId = id, Year = year, Etag = of.Etag, RequestId = NewId() });
            }
            else if (rpc == "ValidateSserReturn")
            {
                return Pair(new ValidateSserReturnRequest { GestionnaireId = id, Year = year, Etag = of.Etag, RequestId = NewId() }, r => r.Year = year - 1);
            }
        }

        if (rpc is "RemindSurveyCampaign" or "CloseSurveyCampaign")
        {
            await statistician.OpenSurveyCampaignAsync(new OpenSurveyCampaignRequest { Year = year, DueDate = Day(30), RequestId = NewId() });
            // That of the year before, of another case, would have to be closed first.
            await jafer.Database.RunAsync($"update survey_campaigns set opened_at = opened_at - interval '10 days' where year = {year}; delete from survey_campaigns where year = {year - 1}");
        }

        return rpc switch
        {
            "GenerateSserReturn" => Pair(new GenerateSserReturnRequest { GestionnaireId = id, Year = year, RequestId = NewId() }, r => r.Year = year - 1),
            "CorrectSserReturn" => Pair(
                new CorrectSserReturnRequest
                {
                    GestionnaireId = id,
                    Year = year,
                    RequestId = NewId(),
                    Corrections = { new SurveyCorrection { Code = "STOCK_FIN", Value = 1, Reason = SurveyCorrectionReason.Autre } },
                },
                r => r.Corrections[0].Value = 2),
            "ReopenSserReturn" => Pair(new ReopenSserReturnRequest { GestionnaireId = id, Year = year, RequestId = NewId() }, r => r.Year = year - 1),
            "RecordSserReturn" => Pair(
                new RecordSserReturnRequest { GestionnaireId = id, Year = year, RequestId = NewId(), Figures = { new SurveyFigure { Code = "STOCK_FIN", Value = 1 } } },
                r => r.Figures[0].Value = 2),
            "OpenSurveyCampaign" => Pair(new OpenSurveyCampaignRequest { Year = year, DueDate = Day(30), RequestId = NewId() }, r => r.DueDate = Day(31)),
            "RemindSurveyCampaign" => Pair(new RemindSurveyCampaignRequest { Year = year, RequestId = NewId() }, r => r.Year = year - 1),
            _ => Pair(new CloseSurveyCampaignRequest { Year = year, RequestId = NewId() }, r => r.Year = year - 1),
        };

        static Contracts.Type.V1.Date Day(int days) => DateOnly.FromDateTime(Requests.Planned(days).StartTime.ToDateTime()).ToProto();
    }

    private static int? YearOf(IMessage about) =>
        about is ImportSserReturnsResponse ? s_surveyYear
        : about.Descriptor.FindFieldByName("sser_return")?.Accessor.GetValue(about) is SserReturn of ? of.Year
        : about.Descriptor.FindFieldByName("campaign")?.Accessor.GetValue(about) is SurveyCampaign campaign ? campaign.Year
        : about.Descriptor.FindFieldByName("year")?.Accessor.GetValue(about) as int?;

    private static IReadOnlyList<InterviewSlot> SlotsOf(IMessage about) => about.Descriptor.FindFieldByName("slots")?.Accessor.GetValue(about) is IEnumerable<InterviewSlot> slots
        ? [.. slots]
        : about.Descriptor.FindFieldByName("slot")?.Accessor.GetValue(about) is InterviewSlot slot ? [slot] : [];

    private static (IMessage Request, IMessage Other) Pair<T>(T request, Action<T> change)
        where T : IMessage, IDeepCloneable<T>
    {
        var other = request.Clone();
        change(other);
        return (request, other);
    }

    private async Task<(IMessage Request, IMessage Other)> OtherMesureAsync<T>(T request, MesureState state)
        where T : IMessage, IDeepCloneable<T>
    {
        var other = await jafer.MesureInAsync(state);
        return Pair(request, r => r.Descriptor.FindFieldByName("mesure_id").Accessor.SetValue(r, other));
    }

    /// <summary>An espace of the gestionnaire that no other test asks sessions for.</summary>
    private async Task<string> OwnEspaceAsync()
    {
        var id = NewId();
        await jafer.Database.RunAsync($"""
            insert into espaces select (jsonb_populate_record(e, jsonb_build_object('id', '{id}'))).* from espaces e where e.id = '{Espace}'
            """);
        return id;
    }

    private async Task<(string MesureId, string RencontreId)> BookedAsync(int days = 2)
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var planned = Requests.Planned(days);
        var booked = await jafer.AsEspace.ScheduleRencontreAsync(new() { MesureId = id, StartTime = planned.StartTime, DurationMinutes = 60, RequestId = NewId() });
        return (id, booked.RencontreId);
    }

    private async Task<(string MesureId, string RencontreId)> RemiseAsync()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente, r => r.Decision.RemiseGranted = true);
        var now = TimeProvider.System.GetUtcNow();
        var booked = await jafer.AsEspace.ScheduleRencontreAsync(new()
        {
            MesureId = id,
            StartTime = Timestamp.FromDateTimeOffset(now.AddHours(-3)),
            ReturnTime = Timestamp.FromDateTimeOffset(now.AddHours(-1)),
            DurationMinutes = 30,
            RequestId = NewId(),
        });
        await jafer.AsEspace.RecordRencontreOutcomeAsync(new()
        {
            MesureId = id,
            RencontreId = booked.RencontreId,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { (await jafer.GetAsync(id)).Children[0].ChildId },
            RequestId = NewId(),
        });
        return (id, booked.RencontreId);
    }

    private async Task<(string MesureId, string DifficultyId)> DifficultyAsync()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var reported = await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() });
        return (id, reported.DifficultyId);
    }
}
