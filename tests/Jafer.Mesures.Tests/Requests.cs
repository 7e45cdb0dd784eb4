using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Tests;

/// <summary>Well-formed requests of every rpc on an existing mesure, for tests that walk over all of them.</summary>
internal static class Requests
{
    /// <summary>The services that take them.</summary>
    public static IReadOnlyList<ServiceDescriptor> Services { get; } =
    [
        MesureService.Descriptor, InterviewService.Descriptor, RencontreService.Descriptor, SessionService.Descriptor, TransmissionService.Descriptor, DocumentService.Descriptor,
        WorklistService.Descriptor, ReminderService.Descriptor, DelaysService.Descriptor, ImpactService.Descriptor, RedesignationService.Descriptor, BulkService.Descriptor, IntakeService.Descriptor, RetentionService.Descriptor, SurveyService.Descriptor,
    ];

    /// <summary>An rpc by its name.</summary>
    public static MethodDescriptor Rpc(string name) => Services.Select(s => s.FindMethodByName(name)).First(m => m is not null);

    /// <summary>Sets a text of a request, where it has that field.</summary>
    public static void Name(IMessage request, string field, string value) => request.Descriptor.FindFieldByName(field)?.Accessor.SetValue(request, value);

    /// <summary>Calls an rpc with a well-formed request for a mesure.</summary>
    public static Task CallAsync(MesureService.MesureServiceClient client, string rpc, string mesureId) => CallAsync(client, rpc, For(rpc, mesureId));

    /// <summary>Calls an rpc of rencontres with a well-formed request for a mesure.</summary>
    public static async Task CallAsync(RencontreService.RencontreServiceClient client, string rpc, string mesureId)
    {
        var request = For(rpc, mesureId);
        var method = typeof(RencontreService.RencontreServiceClient).GetMethod(rpc + "Async", [request.GetType(), typeof(CallOptions)])!;
        var call = method.Invoke(client, BindingFlags.Default, null, [request, default(CallOptions)], null)!;
        await (Task)call.GetType().GetProperty("ResponseAsync")!.GetValue(call)!;
    }

    /// <summary>A rencontre of an hour, so many days ahead.</summary>
    public static PlannedRencontre Planned(int days) => new() { StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(days)), DurationMinutes = 60 };

    /// <summary>Calls an rpc with a request.</summary>
    public static async Task CallAsync(MesureService.MesureServiceClient client, string rpc, IMessage request)
    {
        var method = typeof(MesureService.MesureServiceClient).GetMethod(rpc + "Async", [request.GetType(), typeof(CallOptions)])!;
        var call = method.Invoke(client, BindingFlags.Default, null, [request, default(CallOptions)], null)!;
        await (Task)call.GetType().GetProperty("ResponseAsync")!.GetValue(call)!;
    }

    /// <summary>A well-formed request.</summary>
    public static IMessage For(string rpc, string mesureId) => For(Rpc(rpc), mesureId);

    /// <summary>A well-formed request.</summary>
    public static IMessage For(MethodDescriptor rpc, string mesureId)
    {
        var request = (IMessage)Activator.CreateInstance(rpc.InputType.ClrType)!;
        Name(request, "mesure_id", mesureId);
        Name(request, "request_id", MesuresFixture.NewId());
        if (rpc.Service == SurveyService.Descriptor)
        {
            Name(request, "gestionnaire_id", MesuresFixture.Gestionnaire.ToString());
            rpc.InputType.FindFieldByName("year")?.Accessor.SetValue(request, 2024);
        }

        switch (request)
        {
            case UpdateMesureRequest update: update.EspaceId = ""; break;
            case RequestInformationRequest ask: ask.Reason = InformationReason.Other; ask.Question = "?"; break;
            case ProvideInformationRequest give: give.Answer = "!"; break;
            case RecordContactRequest contact: contact.PartyRole = PartyRole.Hote; contact.Outcome = ContactOutcome.Reached; break;
            case RecordInterviewRequest interview: interview.PartyRole = PartyRole.Hote; break;
            case ScheduleRencontreRequest schedule: schedule.StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()); schedule.DurationMinutes = 60; break;
            case RecordRencontreOutcomeRequest outcome: outcome.RencontreId = MesuresFixture.NewId(); outcome.Outcome = RencontreOutcome.VisiteurAbsent; break;
            case ReportDifficultyRequest difficulty: difficulty.Reason = DifficultyReason.Capacity; break;
            case AcknowledgeDifficultyRequest acknowledge: acknowledge.DifficultyId = MesuresFixture.NewId(); break;
            case AnswerDifficultyRequest answer: answer.DifficultyId = MesuresFixture.NewId(); answer.Answer = DifficultyAnswer.Maintain; break;
            case RevokeMesureRequest revoke: revoke.Revocation = new Revocation { DecisionDate = new Contracts.Type.V1.Date { Year = 2026, Month = 4, Day = 1 } }; break;
            case RedesignateMesureRequest redesignate: redesignate.Redesignation = new Redesignation(); break;
            case SuspendMesureRequest suspend: suspend.Reason = DifficultyReason.Incident; break;
            case ProposeClosureRequest propose: propose.Reason = ClosureReason.SansSuiteAbsenceDeContactHote; break;
            case RecordExternalAlertRequest alert:
                (alert.DifficultyId, alert.Recipient, alert.Kind) = (MesuresFixture.NewId(), ExternalAlertRecipient.Parquet, ExternalAlertKind.Signalement);
                break;
            case ModifyMesureRequest modify:
                modify.Modification = new Modification { DecisionDate = new Contracts.Type.V1.Date { Year = 2026, Month = 4, Day = 1 }, RencontreMinutes = 90 };
                break;
            case ReopenMesureRequest reopen: reopen.Comment = "!"; break;
            case RegisterNonJudicialMesureRequest register: return MesuresFixture.NonJudicial();
            case CheckRencontreSeriesRequest series: series.StartDate = new() { Year = 2027, Month = 1, Day = 4 }; series.StartTimeOfDay = new() { Hours = 10 }; break;
            case ScheduleRencontreSeriesRequest series: series.Rencontres.Add(Planned(2)); break;
            case ConfirmRencontreRequest confirm: confirm.RencontreId = MesuresFixture.NewId(); confirm.PartyRole = PartyRole.Hote; break;
            case CancelRencontreRequest cancel: cancel.RencontreId = MesuresFixture.NewId(); cancel.Outcome = RencontreOutcome.CancelledByHote; break;
            case MoveRencontreRequest move: move.RencontreId = MesuresFixture.NewId(); move.Planned = Planned(2); break;
            case CorrectRencontreOutcomeRequest correct: correct.RencontreId = MesuresFixture.NewId(); correct.Outcome = RencontreOutcome.HoteAbsent; break;
            case RecordRemiseReturnRequest back: back.RencontreId = MesuresFixture.NewId(); back.Outcome = RencontreOutcome.Held; break;
            case ListSlotCandidatesRequest candidates: candidates.FreeSlotId = mesureId; break;
            case TakeFreeSlotRequest take: take.FreeSlotId = MesuresFixture.NewId(); break;
            case ListRencontresInDoubtRequest doubt: doubt.EspaceId = mesureId; break;
            case GetSlotOutlookRequest outlook: (outlook.EspaceId, outlook.Modalite) = (mesureId, Contracts.Type.V1.Modalite.Visite); break;
            case RequestExtraSessionsRequest ask:
                (ask.EspaceId, ask.Modalite, ask.SessionsPerWeek) = (mesureId, Contracts.Type.V1.Modalite.VisitePresenceContinue, 1);
                ask.UntilDate = DateOnly.FromDateTime(Planned(30).StartTime.ToDateTime()).ToProto();
                break;
            case AnswerExtraSessionsRequest answer: (answer.SessionRequestId, answer.Answer) = (MesuresFixture.NewId(), ExtraSessionState.Declined); break;
            case CloseMesureRequest close: close.Reason = ClosureReason.Autre; break;
            case HoldInterviewSlotRequest hold: hold.SlotId = MesuresFixture.NewId(); break;
            case ReleaseInterviewSlotRequest release: release.SlotId = MesuresFixture.NewId(); break;
            case BookInterviewRequest book: (book.PartyRole, book.StartTime, book.DurationMinutes) = (PartyRole.Hote, Planned(2).StartTime, 45); break;
            case CancelInterviewRequest cancel: (cancel.InterviewId, cancel.Reason) = (MesuresFixture.NewId(), InterviewReleaseReason.PartyCancelled); break;
            case RecordDeliveryRequest delivery: delivery.Channel = DeliveryChannel.Post; break;
            case AttachDecisionRequest attach: (attach.SizeBytes, attach.Sha256) = (1, ByteString.CopyFrom(new byte[32])); break;
            case SetLegalHoldRequest hold: (hold.Reason, hold.Reference) = (LegalHoldReason.Proceedings, "RG 26/00412"); break;
            case LiftLegalHoldRequest lift: lift.HoldId = MesuresFixture.NewId(); break;
            case GetRetentionRunRequest run: run.RunId = MesuresFixture.NewId(); break;
            case ListRetentionCandidatesRequest candidates: candidates.Rule = "MESURE_CONTENT"; break;
            case StartRetentionRunRequest start: start.DryRun = true; break;
            case ListSurveyMesuresRequest list: list.FigureCode = "STOCK_FIN"; break;
            case CorrectSserReturnRequest correct:
                correct.Corrections.Add(new SurveyCorrection { Code = "STOCK_FIN", Value = 1, Reason = SurveyCorrectionReason.Autre });
                break;
            case ValidateSserReturnRequest validate: validate.Etag = "1"; break;
            case GetSserReturnFileRequest file: file.Format = SserReturnFormat.Csv; break;
            case RecordSserReturnRequest record: record.Figures.Add(new SurveyFigure { Code = "STOCK_FIN", Value = 1 }); break;
            case ImportSserReturnsRequest import:
                (import.Content, import.DryRun) = (ByteString.CopyFromUtf8("year;gestionnaire_id;code;value\n2012;FRANCE;STOCK_FIN;1\n"), true);
                break;
            case OpenSurveyCampaignRequest open: open.DueDate = DateOnly.FromDateTime(Planned(30).StartTime.ToDateTime()).ToProto(); break;
            case GetParentNoticeRequest notice: notice.PartyRole = PartyRole.Visiteur; break;
        }

        return request;
    }
}
