using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Interviews;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Intake;

/// <summary>
/// What an item says happened. A new kind is a message and a field of the oneof in the contract, a record here, and its line in
/// <see cref="Read"/>; the rules are those of the mesure. This file: what is not about a rencontre.
/// </summary>
internal abstract partial record StatusAct
{
    private const int MaxText = 2000;

    /// <summary>Path of its message in the item.</summary>
    public string Path { get; private set; } = "";

    /// <summary>The fact that it becomes.</summary>
    public abstract MesureAct Act { get; }

    /// <summary>Whether it waits for the earlier items. What a judge must read at once does not.</summary>
    public virtual bool Waits => true;

    /// <summary>Whether it is applied although newer items were: it adds to the mesure and moves nothing that they stand on.</summary>
    public virtual bool OnlyAdds => false;

    /// <summary>What of it is applied although the rest of it waits or is superseded: what a judge must read. Null for nothing.</summary>
    public virtual StatusAct? AtOnce => null;

    /// <summary>The rencontre that it is about; null when it is about none.</summary>
    public virtual RencontreName? Rencontre => null;

    /// <summary>Whether booked interviews are looked at.</summary>
    public virtual bool ConcernsInterviews => false;

    /// <summary>The slot of an interview that it takes.</summary>
    public virtual Guid? InterviewSlotId => null;

    /// <summary>Whether earlier facts and difficulties are looked at.</summary>
    public virtual bool LooksBack => false;

    /// <summary>What the item says, checked; null when it says nothing that this version knows.</summary>
    public static StatusAct? Read(FieldChecks check, StatusItem item)
    {
        StatusAct? act = item.WhatCase switch
        {
            StatusItem.WhatOneofCase.Acknowledged => new Acknowledged(),
            StatusItem.WhatOneofCase.InformationRequested => InformationRequested.Read(check, item.InformationRequested),
            StatusItem.WhatOneofCase.ChargeTaken => new ChargeTaken(),
            StatusItem.WhatOneofCase.Contact => Contact.Read(check, item.Contact),
            StatusItem.WhatOneofCase.InterviewBooked => InterviewBooked.Read(check, item.InterviewBooked),
            StatusItem.WhatOneofCase.Interview => new InterviewTookPlace(check.Known("interview.party_role", item.Interview.PartyRole)),
            StatusItem.WhatOneofCase.InterviewCancelled => InterviewCancelled.Read(check, item.InterviewCancelled),
            StatusItem.WhatOneofCase.RencontreScheduled => RencontreScheduled.Read(check, item.RencontreScheduled),
            StatusItem.WhatOneofCase.RencontreConfirmed => RencontreConfirmed.Read(check, item.RencontreConfirmed),
            StatusItem.WhatOneofCase.RencontreMoved => RencontreMoved.Read(check, item.RencontreMoved),
            StatusItem.WhatOneofCase.RencontreCancelled => RencontreCancelled.Read(check, item.RencontreCancelled),
            StatusItem.WhatOneofCase.RencontreOutcome => RencontreOutcomeKnown.Read(check, item.RencontreOutcome),
            StatusItem.WhatOneofCase.RencontreOutcomeCorrected => RencontreOutcomeCorrected.Read(check, item.RencontreOutcomeCorrected),
            StatusItem.WhatOneofCase.RemiseReturn => RemiseReturned.Read(check, item.RemiseReturn),
            StatusItem.WhatOneofCase.DifficultyReported => DifficultyReported.Read(check, item.DifficultyReported),
            StatusItem.WhatOneofCase.ExternalAlert => AlertedOutside.Read(check, item.ExternalAlert),
            StatusItem.WhatOneofCase.Suspended => Suspended.Read(check, item.Suspended),
            StatusItem.WhatOneofCase.Resumed => new Resumed(),
            StatusItem.WhatOneofCase.ClosureProposed => ClosureProposed.Read(check, item.ClosureProposed),
            StatusItem.WhatOneofCase.Closed => Closed.Read(check, item.Closed),
            StatusItem.WhatOneofCase.Reopened => new Reopened(check.Text("reopened.comment", item.Reopened.Comment, MaxText, required: true)),
            _ => null,
        };
        act?.Path = StatusItem.Descriptor.FindFieldByNumber((int)item.WhatCase).Name;
        return act;
    }

    /// <summary>
    /// Performs the act, or throws a <see cref="DomainError"/>, whose fields are those of its message, and leaves everything as it was.
    /// </summary>
    /// <returns>The rencontre that it scheduled, if any.</returns>
    public abstract Guid? Apply(MesureRows rows, Acting acting);

    internal sealed record Acknowledged : StatusAct
    {
        public override MesureAct Act => MesureAct.Acknowledge;

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.Acknowledge(acting);
            return null;
        }
    }

    internal sealed record InformationRequested(InformationReason Reason, string Question) : StatusAct
    {
        public override MesureAct Act => MesureAct.RequestInformation;

        public static InformationRequested Read(FieldChecks check, InformationRequestedItem said) => new(
            check.Known("information_requested.reason", said.Reason), check.Text("information_requested.question", said.Question, MaxText, required: true));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.NewExchanges.Add(rows.Mesure.RequestInformation(Reason, Question, acting));
            return null;
        }
    }

    internal sealed record ChargeTaken : StatusAct
    {
        public override MesureAct Act => MesureAct.TakeCharge;

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.TakeCharge(acting);
            return null;
        }
    }

    internal sealed record Contact(PartyRole With, bool Reached, ContactChannel Channel) : StatusAct
    {
        public override MesureAct Act => Reached ? MesureAct.ContactReached : MesureAct.ContactAttempted;

        public override bool OnlyAdds => true;

        public static Contact Read(FieldChecks check, ContactItem said)
        {
            var with = RencontreChecks.Side(check, "contact.party_role", said.PartyRole);
            return new Contact(with, check.Known("contact.outcome", said.Outcome) == ContactOutcome.Reached, check.KnownOrUnspecified("contact.channel", said.Channel));
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.RecordContact(With, Reached, Channel, acting);
            return null;
        }
    }

    internal sealed record InterviewBooked(Guid? SlotId, SlotContent Agreed) : StatusAct
    {
        public override MesureAct Act => MesureAct.BookInterview;

        public override bool ConcernsInterviews => true;

        public override Guid? InterviewSlotId => SlotId;

        public static InterviewBooked Read(FieldChecks check, InterviewBookedItem said)
        {
            var role = check.Known("interview_booked.party_role", said.PartyRole);
            var (slotId, agreed) = InterviewChecks.Booked(
                check, "interview_booked.", role, said.SlotId, said.StartTime, said.DurationMinutes, said.TimeZone, said.LieuId, after: null);
            return new InterviewBooked(slotId, agreed);
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.BookInterview(SlotId, Agreed, acting);
            return null;
        }
    }

    internal sealed record InterviewTookPlace(PartyRole With) : StatusAct
    {
        public override MesureAct Act => MesureAct.Interview;

        public override bool OnlyAdds => true;

        public override bool ConcernsInterviews => true;

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var booked = rows.Booked(With);
            rows.Mesure.RecordInterview(With, booked, acting);
            if (booked is not null)
            {
                rows.Leave(booked, acting);
            }

            return null;
        }
    }

    internal sealed record InterviewCancelled(PartyRole With, InterviewReleaseReason Reason) : StatusAct
    {
        public override MesureAct Act => MesureAct.ReleaseInterview;

        public override bool ConcernsInterviews => true;

        public static InterviewCancelled Read(FieldChecks check, InterviewCancelledItem said) => new(
            check.Known("interview_cancelled.party_role", said.PartyRole), MesureChecks.Release(check, "interview_cancelled.reason", said.Reason));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var booked = rows.Booked(With)
                ?? throw DomainError.StateForbids(rows.Mesure.Status.State.ToCode(), Act.ToCode(), "no interview of this party is booked");
            rows.Mesure.ReleaseInterview(booked, Reason, acting);
            rows.Leave(booked, acting);
            return null;
        }
    }

    internal sealed record DifficultyReported(DifficultyReason Reason, string Comment) : StatusAct
    {
        public override MesureAct Act => MesureAct.ReportDifficulty;

        // It reaches the judge at once (CPC 1180-5, al. 3), whatever else is still on its way.
        public override bool Waits => false;

        public override bool OnlyAdds => true;

        public static DifficultyReported Read(FieldChecks check, DifficultyReportedItem said)
        {
            var (reason, comment) = MesureChecks.Difficulty(check, "difficulty_reported.", said.Reason, said.Comment);
            return new DifficultyReported(reason, comment);
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.NewDifficulties.Add(rows.Mesure.ReportDifficulty(Reason, Comment, acting));
            return null;
        }
    }

    internal sealed record AlertedOutside(Guid? DifficultyId, string ExternalId, ExternalAlertRecipient Recipient, ExternalAlertKind Kind) : StatusAct
    {
        public override MesureAct Act => MesureAct.ExternalAlert;

        public override bool OnlyAdds => true;

        public override bool LooksBack => true;

        public static AlertedOutside Read(FieldChecks check, ExternalAlertItem said)
        {
            var (id, externalId) = StatusChecks.OneName(check, "external_alert.difficulty_id", said.DifficultyId, "external_alert.external_difficulty_id", said.ExternalDifficultyId);
            return new AlertedOutside(id, externalId, check.Known("external_alert.recipient", said.Recipient), check.Known("external_alert.kind", said.Kind));
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var id = DifficultyId ?? rows.DifficultyOf(acting.Source!.System, ExternalId);
            var difficulty = rows.Difficulties.Concat(rows.NewDifficulties).FirstOrDefault(d => d.Id == id)
                ?? throw DomainError.Invalid(DifficultyId is null ? "external_difficulty_id" : "difficulty_id", "is not a difficulty of the mesure");
            rows.NewAlerts.Add(rows.Mesure.RecordExternalAlert(difficulty, Recipient, Kind, acting));
            rows.ChangedDifficulties.Add(difficulty);
            return null;
        }
    }

    internal sealed record Suspended(DifficultyReason Reason, string Comment) : StatusAct
    {
        public override MesureAct Act => MesureAct.Suspend;

        public override StatusAct? AtOnce => new DifficultyReported(Reason, Comment);

        public static Suspended Read(FieldChecks check, SuspendedItem said)
        {
            var (reason, comment) = MesureChecks.Difficulty(check, "suspended.", said.Reason, said.Comment);
            return new Suspended(reason, comment);
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            if (rows.DifficultyOf(acting.Source!.System, acting.Source.ExternalId) is null)
            {
                rows.NewDifficulties.Add(rows.Mesure.Suspend(Reason, Comment, acting));
            }
            else
            {
                // The judge had it while this waited.
                rows.Mesure.Suspend(acting);
            }

            return null;
        }
    }

    internal sealed record Resumed : StatusAct
    {
        public override MesureAct Act => MesureAct.Resume;

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.Resume(acting);
            return null;
        }
    }

    internal sealed record ClosureProposed(ClosureReason Reason, string Comment) : StatusAct
    {
        public override MesureAct Act => MesureAct.ProposeClosure;

        public override bool OnlyAdds => true;

        public static ClosureProposed Read(FieldChecks check, ClosureProposedItem said) => new(
            MesureChecks.SansSuite(check, "closure_proposed.reason", said.Reason), check.Text("closure_proposed.comment", said.Comment, MaxText));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.NewDifficulties.Add(rows.Mesure.ProposeClosure(Reason, Comment, acting));
            return null;
        }
    }

    internal sealed record Closed(ClosureReason Reason, string Comment, ClosureDestination Destination) : StatusAct
    {
        public override MesureAct Act => MesureAct.Close;

        public override RencontreName? Rencontre => RencontreName.Any;

        public override bool ConcernsInterviews => true;

        public static Closed Read(FieldChecks check, ClosedItem said)
        {
            var reason = check.Known("closed.reason", said.Reason);
            check.That(Closures.MayGive(Roles.Espace, reason), "closed.reason", "is not a reason that this role may give");
            return new Closed(reason, check.Text("closed.comment", said.Comment, MaxText), check.KnownOrUnspecified("closed.destination", said.Destination));
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.RequireClosable(Reason, acting);
            foreach (var interview in rows.Interviews.Where(i => i.State == InterviewState.Booked && i.StartsAt > acting.Now).OrderBy(i => i.SlotId))
            {
                rows.Mesure.ReleaseInterview(interview, InterviewReleaseReason.MesureEnded, acting);
                rows.Leave(interview, acting);
            }

            rows.Mesure.Close(Reason, Comment, Destination, acting);

            // What has begun is left as it is: it may have been held.
            foreach (var rencontre in rows.Rencontres.Where(r => r.Outcome == RencontreOutcome.Scheduled && r.StartsAt > acting.Now).OrderBy(r => r.StartsAt))
            {
                rows.Mesure.ReleaseRencontre(rencontre, acting);
                rows.Lose(rencontre, acting);
            }

            return null;
        }
    }

    internal sealed record Reopened(string Comment) : StatusAct
    {
        public override MesureAct Act => MesureAct.Reopen;

        public override RencontreName? Rencontre => RencontreName.Any;

        public override bool LooksBack => true;

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.Reopen([.. rows.History, .. rows.Mesure.NewFacts], Bookings.Pending(rows.Rencontres), byTheCourt: false, Comment, acting);
            return null;
        }
    }
}
