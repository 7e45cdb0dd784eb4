using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using DecisionVersion = Jafer.Mesures.Domain.DecisionVersion;
using Difficulty = Jafer.Mesures.Domain.Difficulty;
using InformationExchange = Jafer.Mesures.Domain.InformationExchange;
using Interview = Jafer.Mesures.Domain.Interview;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Party = Jafer.Mesures.Domain.Party;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Intake;

/// <summary>When families are at an espace, for the bookings of one batch: those of others and of the batch itself.</summary>
internal sealed class Places
{
    private readonly Dictionary<(Guid EspaceId, Modalite Modalite), (List<Stay> Stays, int? Capacity)> _places = [];

    public void Add(Guid espaceId, Modalite modalite, IEnumerable<Stay> stays, int? capacity) => _places.Add((espaceId, modalite), ([.. stays], capacity));

    public (IReadOnlyList<Stay> Stays, int? Capacity) Of(Guid? espaceId, Modalite modalite) =>
        espaceId is { } id && _places.TryGetValue((id, modalite), out var places) ? places : ([], null);

    public void Come(Rencontre rencontre) => Change(rencontre, (stays, stay) => stays.Add(stay));

    public void Leave(Rencontre rencontre) => Change(rencontre, (stays, stay) => stays.Remove(stay));

    private void Change(Rencontre rencontre, Action<List<Stay>, Stay> change)
    {
        if (rencontre.EspaceId is { } id && _places.TryGetValue((id, rencontre.Modalite), out var places))
        {
            foreach (var stay in Occupancy.StaysOf(rencontre))
            {
                change(places.Stays, stay);
            }
        }
    }
}

/// <summary>A mesure, what its items need of it, and the rows that they leave.</summary>
internal sealed class MesureRows(Mesure mesure, Places places)
{
    public Mesure Mesure => mesure;

    public Places Places => places;

    /// <summary>The versions of its terms; loaded only where one is booked under them.</summary>
    public List<DecisionVersion> Versions { get; } = [];

    /// <summary>Its parties, who may wish to come and leave apart; loaded only where a rencontre is booked.</summary>
    public List<Party> Parties { get; } = [];

    /// <summary>Its children; loaded only where an item is about a rencontre.</summary>
    public HashSet<Guid> ChildIds { get; } = [];

    /// <summary>Its rencontres without outcome and those that items name; loaded only where an item is about a rencontre.</summary>
    public List<Rencontre> Rencontres { get; } = [];

    public List<Rencontre> NewRencontres { get; } = [];

    public HashSet<Rencontre> ChangedRencontres { get; } = [];

    /// <summary>Times that lost rencontres leave to other families.</summary>
    public List<FreeSlot> NewFreeSlots { get; } = [];

    /// <summary>Its booked interviews; loaded only where an item may take their place or give them up.</summary>
    public List<Interview> Interviews { get; } = [];

    public HashSet<Interview> ChangedInterviews { get; } = [];

    public List<Difficulty> NewDifficulties { get; } = [];

    public List<InformationExchange> NewExchanges { get; } = [];

    /// <summary>Keeps that a rencontre was lost, and what it leaves to others.</summary>
    public void Lose(Rencontre rencontre, Acting acting)
    {
        ChangedRencontres.Add(rencontre);
        Places.Leave(rencontre);
        NewFreeSlots.AddRange(Bookings.SlotsOf(mesure, rencontre, acting));
    }
}

/// <summary>
/// What an item says happened. A new kind is a message and a field of the oneof in the contract, a record here, and its line in
/// <see cref="Read"/>; the rules are those of the mesure.
/// </summary>
internal abstract record StatusAct
{
    private const int MaxText = 2000;

    /// <summary>The fact that it becomes.</summary>
    public abstract MesureAct Act { get; }

    /// <summary>Whether it waits for the earlier items. What a judge must read at once does not.</summary>
    public virtual bool Waits => true;

    /// <summary>Whether it is applied although newer items were: it adds to the mesure and moves nothing that they stand on.</summary>
    public virtual bool OnlyAdds => false;

    /// <summary>
    /// The rencontre that it is about, by the name of the source or by its id, neither where it is about several; null when it is
    /// about none.
    /// </summary>
    public virtual (string ExternalId, Guid? Id)? Rencontre => null;

    /// <summary>Whether booked interviews are looked at.</summary>
    public virtual bool ConcernsInterviews => false;

    /// <summary>What the item says, checked; null when it says nothing that this version knows.</summary>
    public static StatusAct? Read(FieldChecks check, StatusItem item) => item.WhatCase switch
    {
        StatusItem.WhatOneofCase.Acknowledged => new Acknowledged(),
        StatusItem.WhatOneofCase.InformationRequested => InformationRequested.Read(check, item.InformationRequested),
        StatusItem.WhatOneofCase.ChargeTaken => new ChargeTaken(),
        StatusItem.WhatOneofCase.Contact => Contact.Read(check, item.Contact),
        StatusItem.WhatOneofCase.Interview => new InterviewTookPlace(check.Known("interview.party_role", item.Interview.PartyRole)),
        StatusItem.WhatOneofCase.RencontreScheduled => RencontreScheduled.Read(check, item.RencontreScheduled),
        StatusItem.WhatOneofCase.RencontreOutcome => RencontreOutcomeKnown.Read(check, item.RencontreOutcome),
        StatusItem.WhatOneofCase.DifficultyReported => DifficultyReported.Read(check, item.DifficultyReported),
        StatusItem.WhatOneofCase.Closed => Closed.Read(check, item.Closed),
        _ => null,
    };

    /// <summary>Performs the act, or throws a <see cref="DomainError"/> and leaves everything as it was.</summary>
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
            var with = check.Known("contact.party_role", said.PartyRole);
            check.That(with != PartyRole.Enfant, "contact.party_role", "must be the hôte or the visiteur");
            return new Contact(with, check.Known("contact.outcome", said.Outcome) == ContactOutcome.Reached, check.KnownOrUnspecified("contact.channel", said.Channel));
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.Mesure.RecordContact(With, Reached, Channel, acting);
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
            var booked = rows.Interviews.Find(i => i.PartyRole == With && i.State == InterviewState.Booked);
            rows.Mesure.RecordInterview(With, booked, acting);
            if (booked is not null)
            {
                rows.ChangedInterviews.Add(booked);
            }

            return null;
        }
    }

    internal sealed record RencontreScheduled(string ExternalId, PlannedRencontre Planned, bool OverCapacity) : StatusAct
    {
        public override MesureAct Act => MesureAct.ScheduleRencontre;

        public override (string ExternalId, Guid? Id)? Rencontre => (ExternalId, null);

        public static RencontreScheduled Read(FieldChecks check, RencontreScheduledItem said)
        {
            const string Path = "rencontre_scheduled";
            var sent = RencontreChecks.Planned(
                check, $"{Path}.", said.StartTime, said.DurationMinutes, said.TimeZone, said.LieuId, said.Kind, said.ReturnTime, said.Outing);
            return new RencontreScheduled(
                said.ExternalRencontreId.Length == 0 ? "" : StatusChecks.ExternalId(check, $"{Path}.external_rencontre_id", said.ExternalRencontreId),
                sent.In(TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris")),
                said.OverCapacity);
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            if (ExternalId.Length > 0 && rows.Rencontres.Exists(r => r.ExternalId == ExternalId && r.SourceSystem == acting.Source!.System))
            {
                throw DomainError.Invalid("rencontre_scheduled.external_rencontre_id", "names another rencontre of the mesure");
            }

            var mesure = rows.Mesure;
            mesure.RequireBookable();

            // What is only told to whoever books needs the mesure's other rencontres; what refuses does not.
            var context = Bookings.ContextOf(mesure, rows.Versions, [], rows.Parties);
            if (Planned.StartsAt > acting.Now)
            {
                var (stays, capacity) = rows.Places.Of(mesure.EspaceId, context.TermsOn(Planned.Day).Modalite);
                context = context with { Others = stays, Capacity = capacity };
            }

            // The term is the mesure's own to refuse, as a matter of its state.
            Bookings.Refuse(BookingRules.Look(context, Planned, OverCapacity, null).Where(f => f.Code != BookingRules.AfterTerm));
            var rencontre = mesure.ScheduleRencontre(
                Planned.StartsAt, Planned.Minutes, Planned.Zone, Planned.LieuId, acting, Bookings.TermsOf(context, Planned, null, OverCapacity));
            if (ExternalId.Length > 0)
            {
                rencontre.SourceSystem = acting.Source!.System;
                rencontre.ExternalId = ExternalId;
            }

            rows.Places.Come(rencontre);
            rows.Rencontres.Add(rencontre);
            rows.NewRencontres.Add(rencontre);
            return rencontre.Id;
        }
    }

    internal sealed record RencontreOutcomeKnown(Guid? RencontreId, string ExternalId, SentOutcome Sent) : StatusAct
    {
        private const string Path = "rencontre_outcome";

        public override MesureAct Act => Sent.Held ? MesureAct.RencontreHeld : MesureAct.RencontreNotHeld;

        public override bool OnlyAdds => true;

        public override (string ExternalId, Guid? Id)? Rencontre => (ExternalId, RencontreId);

        public static RencontreOutcomeKnown Read(FieldChecks check, RencontreOutcomeItem said)
        {
            check.That(said.RencontreId.Length > 0 != said.ExternalRencontreId.Length > 0, $"{Path}.rencontre_id", "either this or external_rencontre_id is required");
            return new RencontreOutcomeKnown(
                check.OptionalUuid($"{Path}.rencontre_id", said.RencontreId),
                said.ExternalRencontreId.Length == 0 ? "" : StatusChecks.ExternalId(check, $"{Path}.external_rencontre_id", said.ExternalRencontreId),
                RencontreChecks.Outcome(
                    check, $"{Path}.", said.Outcome, said.VisiteurPresent, said.PresentChildIds, said.Presences, said.ActualStartTime, said.ActualEndTime));
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var known = new FieldChecks();
            Sent.RequireChildren(known, $"{Path}.", rows.ChildIds);
            var rencontre = rows.Rencontres.Find(r => RencontreId is { } id ? r.Id == id : r.ExternalId == ExternalId && r.SourceSystem == acting.Source!.System);
            known.That(rencontre is not null, RencontreId is null ? $"{Path}.external_rencontre_id" : $"{Path}.rencontre_id", "is not a rencontre of the mesure");
            known.ThrowIfAny();
            Sent.Record(rows.Mesure, rencontre!, Bookings.Pending(rows.Rencontres.Where(r => r != rencontre)), acting);
            rows.ChangedRencontres.Add(rencontre!);
            if (!Sent.Held)
            {
                rows.Lose(rencontre!, acting);
            }

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
            var reason = check.Known("difficulty_reported.reason", said.Reason);
            check.That(reason is not (DifficultyReason.DecisionContent or DifficultyReason.EspaceFerme), "difficulty_reported.reason", "is not referred by an espace");
            return new DifficultyReported(reason, check.Text("difficulty_reported.comment", said.Comment, MaxText, required: reason == DifficultyReason.Other));
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            rows.NewDifficulties.Add(rows.Mesure.ReportDifficulty(Reason, Comment, acting));
            return null;
        }
    }

    internal sealed record Closed(ClosureReason Reason, string Comment, ClosureDestination Destination) : StatusAct
    {
        public override MesureAct Act => MesureAct.Close;

        public override (string ExternalId, Guid? Id)? Rencontre => ("", null);

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
                rows.ChangedInterviews.Add(interview);
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
}
