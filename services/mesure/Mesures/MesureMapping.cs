using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Rules;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Mesures;

/// <summary>From the domain's types to the contract's messages.</summary>
internal static class MesureMapping
{
    /// <summary>What is answered in place of a protected address.</summary>
    public const string Masked = "adresse protégée";

    public static Proto.MesureSummary ToSummary(this Mesure mesure) => new()
    {
        MesureId = mesure.Id.ToString(),
        Reference = mesure.Reference,
        State = mesure.Status.State,
        Nature = mesure.Nature,
        JuridictionId = Text(mesure.JuridictionId),
        EspaceId = Text(mesure.EspaceId),
        GestionnaireId = Text(mesure.GestionnaireId),
        Modalite = mesure.Decision.Modalite,
        Holder = mesure.Status.Holder,
        HolderSinceTime = mesure.Status.HolderSince.ToProto(),
        OpenDifficultyCount = mesure.Status.OpenDifficulties,
        NextRencontreTime = mesure.NextRencontreAt.ToProto(),
        TermDate = mesure.Term.ToProto(),
        DefectCount = mesure.Defects.Length,
        CreateTime = mesure.CreatedAt.ToProto(),
        UpdateTime = mesure.UpdatedAt.ToProto(),
        Etag = mesure.Version.ToEtag(),
        PredecessorMesureId = Text(mesure.PredecessorId),
    };

    public static Proto.Milestones ToMilestones(this Mesure mesure, MesureStatus status) => new()
    {
        DecisionDate = mesure.Decision.Date.ToProto(),
        TransmittedTime = status.TransmittedAt.ToProto(),
        RetrievedTime = status.RetrievedAt.ToProto(),
        AcknowledgedTime = status.AcknowledgedAt.ToProto(),
        ChargeTakenTime = status.ChargeTakenAt.ToProto(),
        VisiteurContactTime = status.VisiteurContactAt.ToProto(),
        HoteContactTime = status.HoteContactAt.ToProto(),
        InterviewTime = status.InterviewAt.ToProto(),
        FirstSchedulingTime = status.FirstSchedulingAt.ToProto(),
        FirstPlannedRencontreTime = status.FirstPlannedRencontreAt.ToProto(),
        FirstHeldRencontreTime = status.FirstHeldRencontreAt.ToProto(),
        ClosedTime = status.ClosedAt.ToProto(),
        SuspendedTime = status.SuspendedAt.ToProto(),
        SuspendedDays = (int)status.SuspendedFor.TotalDays,
        FirstContactAttemptTime = status.FirstAttemptAt.ToProto(),
        InterviewBookingTime = status.InterviewBookedAt.ToProto(),
    };

    public static Proto.Decision ToProto(this Decision decision)
    {
        var proto = new Proto.Decision
        {
            Nature = decision.Nature,
            RgNumber = decision.RgNumber,
            DecisionDate = decision.Date.ToProto(),
            LegalBasis = decision.LegalBasis,
            JudgeName = decision.JudgeName,
            ParentalAuthority = decision.ParentalAuthority,
            DurationMonths = decision.DurationMonths ?? 0,
            TermStart = decision.TermStart,
            RencontreMinutes = decision.RencontreMinutes ?? 0,
            TermsLeftToService = decision.TermsLeftToService,
            Modalite = decision.Modalite,
            OutingGranted = decision.OutingGranted,
            PrincipalSituation = decision.PrincipalSituation,
            InterdictionDeContact = decision.InterdictionDeContact,
            SubsidiaryEspaceId = Text(decision.SubsidiaryEspaceId),
            ContactDeadline = decision.ContactDeadline.ToProto(),
            ProvisionalEnforcement = decision.ProvisionalEnforcement,
            Restrictions = decision.Restrictions,
            ReplacementJudgeName = decision.ReplacementJudgeName,
            RemiseGranted = decision.RemiseGranted,
            ThirdPartyPresence = decision.ThirdPartyPresence,
            AppealLodged = decision.AppealLodged,
            AppealDate = decision.AppealDate.ToProto(),
        };
        proto.Situations.AddRange(decision.Situations);
        if (decision.PeriodicityCount is { } count && decision.PeriodicityInterval is { } interval)
        {
            proto.Periodicity = new Periodicity { RencontreCount = count, IntervalCount = interval, Unit = decision.PeriodicityUnit };
        }

        if (decision.TiersDeConfianceName is { } name)
        {
            proto.TiersDeConfiance = new Proto.TiersDeConfiance { FullName = name, WrittenConsent = decision.TiersDeConfianceConsent };
        }

        return proto;
    }

    /// <summary>A party; a protected address is never answered, to nobody: who needs it has it already.</summary>
    public static Proto.Party ToProto(this Party party)
    {
        var proto = new Proto.Party
        {
            Role = party.Role,
            Kind = party.Kind,
            GivenName = party.GivenName,
            FamilyName = party.FamilyName,
            Phone = party.Phone,
            Email = party.Email,
            Address = party.AddressProtected && party.Address.Length > 0 ? Masked : party.Address,
            CommuneInsee = party.AddressProtected ? "" : party.CommuneInsee,
            AddressProtected = party.AddressProtected,
            InterpreterLanguage = party.InterpreterLanguage,
            ArrivalOffsetMinutes = party.ArrivalOffsetMinutes,
            DepartureOffsetMinutes = party.DepartureOffsetMinutes,
        };
        proto.Needs.AddRange(party.Needs);
        return proto;
    }

    public static Proto.Child ToProto(this Child child)
    {
        var proto = new Proto.Child
        {
            ChildId = child.Id.ToString(),
            GivenName = child.GivenName,
            FamilyName = child.FamilyName,
            BirthDate = child.BirthDate.ToProto(),
        };
        proto.Needs.AddRange(child.Needs);
        return proto;
    }

    public static Proto.Interview ToProto(this Interview interview) => new()
    {
        InterviewId = interview.Id.ToString(),
        PartyRole = interview.PartyRole,
        StartTime = interview.StartsAt.ToProto(),
        DurationMinutes = interview.DurationMinutes,
        TimeZone = interview.TimeZone,
        LieuId = Text(interview.LieuId),
        State = interview.State,
        ReleaseReason = interview.ReleaseReason,
        SlotId = Text(interview.SlotId),
    };

    public static Proto.Rencontre ToProto(this Rencontre rencontre)
    {
        var proto = new Proto.Rencontre
        {
            RencontreId = rencontre.Id.ToString(),
            StartTime = rencontre.StartsAt.ToProto(),
            DurationMinutes = rencontre.DurationMinutes,
            TimeZone = rencontre.TimeZone,
            LieuId = Text(rencontre.LieuId),
            Outcome = rencontre.Outcome,
            VisiteurPresent = rencontre.VisiteurPresent,
            Kind = rencontre.Kind,
            Modalite = rencontre.Modalite,
            Outing = rencontre.Outing,
            Arrivals = rencontre.Arrivals.ToProto(rencontre.StartsAt, rencontre.EndsAt),
            ActualStartTime = rencontre.ActualStartAt.ToProto(),
            ActualEndTime = rencontre.ActualEndAt.ToProto(),
            HoteConfirmedTime = rencontre.HoteConfirmedAt.ToProto(),
            VisiteurConfirmedTime = rencontre.VisiteurConfirmedAt.ToProto(),
            CancelledTime = rencontre.CancelledAt.ToProto(),
            NoticeMinutes = rencontre.NoticeMinutes(),
            MovedFromRencontreId = Text(rencontre.MovedFromId),
            MovedToRencontreId = Text(rencontre.MovedToId),
            FreeSlotId = Text(rencontre.FreeSlotId),
            OverCapacity = rencontre.OverCapacity,
            ReturnTime = rencontre.ReturnsAt.ToProto(),
            ReturnOutcome = rencontre.ReturnOutcome,
        };
        proto.Presences.AddRange(rencontre.Presences.Select(p => new Proto.Presence
        {
            PartyRole = p.Role,
            ChildId = Text(p.ChildId),
            Present = p.Present,
            MinutesLate = p.MinutesLate,
        }));
        proto.PresentChildIds.AddRange(rencontre.PresentChildIds.Select(id => id.ToString()));
        return proto;
    }

    public static Proto.Difficulty ToProto(this Difficulty difficulty)
    {
        var proto = new Proto.Difficulty
        {
            DifficultyId = difficulty.Id.ToString(),
            Reason = difficulty.Reason,
            State = difficulty.State,
            Comment = difficulty.Comment,
            Answer = difficulty.Answer,
            AnswerComment = difficulty.AnswerComment,
            ReportedTime = difficulty.ReportedAt.ToProto(),
            AcknowledgedTime = difficulty.AcknowledgedAt.ToProto(),
            AnsweredTime = difficulty.AnsweredAt.ToProto(),
            ProposedClosureReason = difficulty.ProposedClosure,
        };
        proto.RuleCodes.AddRange(difficulty.RuleCodes);
        return proto;
    }

    public static Proto.ExternalAlert ToProto(this ExternalAlert alert) => new()
    {
        Recipient = alert.Recipient,
        Kind = alert.Kind,
        AlertedTime = alert.AlertedAt.ToProto(),
        ActorOrganisationId = alert.ActorOrganisationId.ToString(),
    };

    public static Proto.DecisionVersion ToProto(this DecisionVersion version) => new()
    {
        Number = version.Number,
        DecisionDate = version.DecidedOn.ToProto(),
        EffectiveDate = (version.EffectiveOn ?? version.DecidedOn).ToProto(),
        RecordedTime = version.RecordedAt.ToProto(),
        Decision = version.Content.ToProto(),
    };

    public static Proto.RencontreConflict ToProto(this RencontreConflict conflict) => new()
    {
        RencontreId = conflict.Rencontre.Id.ToString(),
        StartTime = conflict.Rencontre.StartsAt.ToProto(),
        Code = conflict.Code,
    };

    public static Proto.InformationExchange ToProto(this InformationExchange exchange) => new()
    {
        Reason = exchange.Reason,
        Question = exchange.Question,
        Answer = exchange.Answer,
        RequestedTime = exchange.RequestedAt.ToProto(),
        ProvidedTime = exchange.ProvidedAt.ToProto(),
    };

    public static Proto.Deadline ToProto(this Deadline deadline) => new()
    {
        Kind = deadline.Kind,
        MustAct = deadline.MustAct,
        DueTime = deadline.DueAt.ToProto(),
        RaisedTime = deadline.RaisedAt.ToProto(),
    };

    public static Proto.Reminder ToProto(this SentReminder reminder) => new()
    {
        EventId = reminder.Id.ToString(),
        Deadline = reminder.Kind,
        DueTime = reminder.DueAt.ToProto(),
        MustAct = reminder.MustAct,
        Rung = reminder.Rung,
        Number = reminder.Number,
        RemindedTime = reminder.RemindedAt.ToProto(),
    };

    public static Proto.DecisionDocument ToProto(this DecisionDocument document) => new()
    {
        DocumentId = document.Id.ToString(),
        Number = document.Number,
        SizeBytes = document.SizeBytes,
        Sha256 = Google.Protobuf.ByteString.CopyFrom(document.Sha256),
        AttachedTime = document.AttachedAt.ToProto(),
        ReplacedTime = document.ReplacedAt.ToProto(),
    };

    public static Proto.Finding ToProto(this RuleFinding finding)
    {
        var proto = new Proto.Finding
        {
            Code = finding.Code,
            Severity = finding.Severity,
            Field = finding.Field,
            Description = finding.Description,
            DescriptionFr = finding.DescriptionFr,
            Source = finding.Source,
        };
        proto.MesureIds.AddRange(finding.MesureIds.Select(id => id.ToString()));
        return proto;
    }

    public static Proto.MesureEvent ToProto(this MesureFact fact, Proto.MesureState state) => new()
    {
        EventId = fact.Id.ToString(),
        Version = fact.Version,
        Act = fact.Act,
        OccurredTime = fact.OccurredAt.ToProto(),
        RecordedTime = fact.RecordedAt.ToProto(),
        ActorOrganisationId = Text(fact.ActorOrganisationId),
        State = state,
        PartyRole = fact.Details.PartyRole ?? Proto.PartyRole.Unspecified,
        Date = fact.Details.LastDay.ToProto(),
        LieuId = Text(fact.Details.LieuId),
        OnBehalfOfEspace = fact.Details.OnBehalf is not null || Transmissions.IsOnBehalf(fact.Details.Delivery),
        OnBehalfSource = fact.Details.OnBehalf ?? fact.Details.Delivery switch
        {
            Proto.DeliveryChannel.Telephone => Proto.OnBehalfSource.Telephone,
            Proto.DeliveryChannel.Email => Proto.OnBehalfSource.Mail,
            Proto.DeliveryChannel.Post => Proto.OnBehalfSource.Letter,
            _ => Proto.OnBehalfSource.Unspecified,
        },
        ContactChannel = fact.Details.Channel ?? Proto.ContactChannel.Unspecified,
        InterviewId = Text(fact.Details.InterviewId),
        SourceSystem = fact.SourceSystem ?? "",
        ExternalId = fact.ExternalId ?? "",
        RencontreId = Text(fact.Details.RencontreId),
        PurgeScope = fact.Details.Purge ?? Proto.PurgeScope.Unspecified,
    };

    /// <summary>
    /// What became known of the designated espace, or of one lieu of it, after its designation. It no longer holds once the mesure
    /// has another espace or is closed, or once the espace or lieu has a valid agrément again; of one withdrawn from a later day
    /// on, for the day after.
    /// </summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="espace">Its espace; null when nothing is known of it.</param>
    /// <param name="today">Today in Paris.</param>
    public static IEnumerable<Proto.MesureWarning> ToWarnings(this Mesure mesure, EspaceView? espace, DateOnly today)
    {
        if (mesure.Status is { AgrementEndedEspaceId: { } ended, AgrementEndedOn: { } lastDay, ClosedAt: null }
            && ended == mesure.EspaceId && espace?.ApprovedOn(After(lastDay)) != true)
        {
            yield return Warning(ended, null, lastDay);
        }
        else if (mesure.Status is { LieuEndedId: { } lieu, LieuEndedOn: { } lastThere, ClosedAt: null }
            && espace is not null && espace.LieuAgrements.Any(l => l.LieuId == lieu) && !espace.ApprovedOn(After(lastThere), lieu))
        {
            yield return Warning(espace.Id, lieu, lastThere);
        }

        DateOnly After(DateOnly last) => last < today ? today : last.AddDays(1);

        static Proto.MesureWarning Warning(Guid espace, Guid? lieu, DateOnly date) => new()
        {
            Code = Proto.MesureWarningCode.AgrementRetire,
            EspaceId = espace.ToString(),
            LieuId = Text(lieu),
            Date = date.ToProto(),
            Source = DesignationRules.AgrementSource,
        };
    }

    private static string Text(Guid? id) => id?.ToString() ?? "";
}
