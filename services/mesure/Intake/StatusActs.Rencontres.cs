using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Grpc;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;

namespace Jafer.Mesures.Intake;

/// <summary>By what an item names a rencontre: its UUID, or what the source calls it.</summary>
/// <param name="Id">The UUID; null when the source names it.</param>
/// <param name="ExternalId">What the source calls it; empty when it is named by its UUID, or not.</param>
internal sealed record RencontreName(Guid? Id, string ExternalId)
{
    /// <summary>None in particular: whatever has no outcome yet.</summary>
    public static readonly RencontreName Any = new(null, "");

    /// <summary>The field that names it.</summary>
    public string Field => Id is null ? "external_rencontre_id" : "rencontre_id";

    public static RencontreName Read(FieldChecks check, string path, string id, string externalId)
    {
        var (known, name) = StatusChecks.OneName(check, $"{path}.rencontre_id", id, $"{path}.external_rencontre_id", externalId);
        return new RencontreName(known, name);
    }
}

/// <summary>What items say of rencontres.</summary>
internal abstract partial record StatusAct
{
    /// <summary>A time at an espace that a rencontre takes.</summary>
    internal abstract record Booking(SentRencontre Sent, Guid? FreeSlotId, bool OverCapacity) : StatusAct
    {
        /// <summary>The rencontre as it shall be; null while what it leaves open is not known.</summary>
        public abstract PlannedRencontre? Planned(MesureRows rows, string sourceSystem);
    }

    internal sealed record RencontreScheduled(string ExternalId, SentRencontre Sent, Guid? FreeSlotId, bool OverCapacity) : Booking(Sent, FreeSlotId, OverCapacity)
    {
        public override MesureAct Act => MesureAct.ScheduleRencontre;

        public override RencontreName? Rencontre => new(null, ExternalId);

        public static RencontreScheduled Read(FieldChecks check, RencontreScheduledItem said)
        {
            const string Path = "rencontre_scheduled";
            var slotId = check.OptionalUuid($"{Path}.free_slot_id", said.FreeSlotId);
            return new RencontreScheduled(
                said.ExternalRencontreId.Length == 0 ? "" : StatusChecks.ExternalId(check, $"{Path}.external_rencontre_id", said.ExternalRencontreId),
                RencontreChecks.Planned(
                    check, $"{Path}.", said.StartTime, said.DurationMinutes, said.TimeZone, said.LieuId, said.Kind, said.ReturnTime, said.Outing, slotId is not null),
                slotId,
                said.OverCapacity);
        }

        public override PlannedRencontre? Planned(MesureRows rows, string sourceSystem)
        {
            var slot = FreeSlotId is { } id ? rows.Places.FreeSlotOf(rows.Mesure, id) : null;
            return FreeSlotId is null || slot is not null ? Sent.In(slot, rows.Mesure) : null;
        }

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            // What the software took by a command, its journal tells as well: it is that rencontre, which has its name from now on.
            var taken = FreeSlotId is { } slotId ? rows.TakenBy(slotId) : null;
            if (ExternalId.Length > 0 && rows.Rencontres.Exists(r => r != taken && r.ExternalId == ExternalId && r.SourceSystem == acting.Source!.System))
            {
                throw DomainError.Invalid("external_rencontre_id", "names another rencontre of the mesure");
            }

            if (taken is not null)
            {
                rows.Name(taken, ExternalId, acting);
                return taken.Id;
            }

            var rencontre = rows.Book(Planned(rows, acting.Source!.System) ?? throw Bookings.NoSlot(), FreeSlotId, OverCapacity, null, acting);
            if (ExternalId.Length > 0)
            {
                rencontre.SourceSystem = acting.Source!.System;
                rencontre.ExternalId = ExternalId;
            }

            return rencontre.Id;
        }
    }

    internal sealed record RencontreMoved(RencontreName Name, SentRencontre Sent, Guid? FreeSlotId, bool OverCapacity) : Booking(Sent, FreeSlotId, OverCapacity)
    {
        public override MesureAct Act => MesureAct.MoveRencontre;

        public override RencontreName? Rencontre => Name;

        public static RencontreMoved Read(FieldChecks check, RencontreMovedItem said)
        {
            const string Path = "rencontre_moved";
            return new RencontreMoved(
                RencontreName.Read(check, Path, said.RencontreId, said.ExternalRencontreId),
                RencontreChecks.Planned(check, $"{Path}.planned", said.Planned),
                check.OptionalUuid($"{Path}.free_slot_id", said.FreeSlotId),
                said.OverCapacity);
        }

        // One that is scheduled by the same batch has no clock yet: that of the espace will do to look who else is there.
        public override PlannedRencontre? Planned(MesureRows rows, string sourceSystem) =>
            Sent.In(TimeZoneInfo.FindSystemTimeZoneById(rows.Find(Name, sourceSystem)?.TimeZone ?? rows.Mesure.EspaceTimeZone ?? "Europe/Paris"));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var rencontre = rows.One(Name, acting);
            return rows.Book(Sent.In(TimeZoneInfo.FindSystemTimeZoneById(rencontre.TimeZone)), FreeSlotId, OverCapacity, rencontre, acting).Id;
        }
    }

    internal sealed record RencontreConfirmed(RencontreName Name, PartyRole By) : StatusAct
    {
        public override MesureAct Act => MesureAct.ConfirmRencontre;

        public override bool OnlyAdds => true;

        public override RencontreName? Rencontre => Name;

        public static RencontreConfirmed Read(FieldChecks check, RencontreConfirmedItem said) => new(
            RencontreName.Read(check, "rencontre_confirmed", said.RencontreId, said.ExternalRencontreId),
            RencontreChecks.Side(check, "rencontre_confirmed.party_role", said.PartyRole));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var rencontre = rows.One(Name, acting);
            rows.Mesure.ConfirmRencontre(rencontre, By, acting);
            rows.ChangedRencontres.Add(rencontre);
            return null;
        }
    }

    internal sealed record RencontreCancelled(RencontreName Name, RencontreOutcome Outcome) : StatusAct
    {
        public override MesureAct Act => MesureAct.CancelRencontre;

        public override bool OnlyAdds => true;

        public override RencontreName? Rencontre => Name;

        public static RencontreCancelled Read(FieldChecks check, RencontreCancelledItem said) => new(
            RencontreName.Read(check, "rencontre_cancelled", said.RencontreId, said.ExternalRencontreId),
            RencontreChecks.CancelledBy(check, "rencontre_cancelled.outcome", said.Outcome));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var rencontre = rows.One(Name, acting);
            rows.Mesure.CancelRencontre(rencontre, Outcome, rows.PendingBeside(rencontre), acting);
            rows.Lose(rencontre, acting);
            return null;
        }
    }

    internal sealed record RencontreOutcomeKnown(RencontreName Name, SentOutcome Sent) : StatusAct
    {
        public override MesureAct Act => Sent.Held ? MesureAct.RencontreHeld : MesureAct.RencontreNotHeld;

        public override bool OnlyAdds => true;

        public override RencontreName? Rencontre => Name;

        public static RencontreOutcomeKnown Read(FieldChecks check, RencontreOutcomeItem said) => new(
            RencontreName.Read(check, "rencontre_outcome", said.RencontreId, said.ExternalRencontreId),
            RencontreChecks.Outcome(
                check, "rencontre_outcome.", said.Outcome, said.VisiteurPresent, said.PresentChildIds, said.Presences, said.ActualStartTime, said.ActualEndTime));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var rencontre = rows.One(Name, Sent, acting);
            Sent.Record(rows.Mesure, rencontre, rows.PendingBeside(rencontre), acting);
            rows.ChangedRencontres.Add(rencontre);
            if (!Sent.Held)
            {
                rows.Lose(rencontre, acting);
            }

            return null;
        }
    }

    internal sealed record RencontreOutcomeCorrected(RencontreName Name, SentOutcome Sent) : StatusAct
    {
        public override MesureAct Act => MesureAct.CorrectRencontreOutcome;

        public override RencontreName? Rencontre => Name;

        public static RencontreOutcomeCorrected Read(FieldChecks check, RencontreOutcomeCorrectedItem said) => new(
            RencontreName.Read(check, "rencontre_outcome_corrected", said.RencontreId, said.ExternalRencontreId),
            RencontreChecks.Corrected(check, "rencontre_outcome_corrected.", RencontreChecks.Outcome(
                check, "rencontre_outcome_corrected.", said.Outcome, said.VisiteurPresent, said.PresentChildIds, said.Presences, said.ActualStartTime, said.ActualEndTime), said.ReturnOutcome));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var rencontre = rows.One(Name, Sent, acting);
            var firstHeld = rows.Rencontres.Where(r => r != rencontre && r.Outcome == RencontreOutcome.Held).MinBy(r => r.StartsAt);
            var lost = Sent.Correct(rows.Mesure, rencontre, firstHeld, rows.PendingBeside(rencontre), acting);
            rows.ChangedRencontres.Add(rencontre);
            if (lost)
            {
                rows.Lose(rencontre, acting);
            }

            return null;
        }
    }

    internal sealed record RemiseReturned(RencontreName Name, RencontreOutcome Outcome) : StatusAct
    {
        public override MesureAct Act => MesureAct.RecordRemiseReturn;

        public override bool OnlyAdds => true;

        public override RencontreName? Rencontre => Name;

        public static RemiseReturned Read(FieldChecks check, RemiseReturnItem said) => new(
            RencontreName.Read(check, "remise_return", said.RencontreId, said.ExternalRencontreId),
            RencontreChecks.Return(check, "remise_return.outcome", said.Outcome));

        public override Guid? Apply(MesureRows rows, Acting acting)
        {
            var remise = rows.One(Name, acting);
            rows.Mesure.RecordReturn(remise, Outcome, rows.PendingBeside(remise), acting);
            rows.ChangedRencontres.Add(remise);
            if (Outcome != RencontreOutcome.Held)
            {
                rows.Lose(remise, acting);
            }

            return null;
        }
    }
}
