using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>What an espace says of a slot when it publishes it.</summary>
/// <param name="StartsAt">When it starts.</param>
/// <param name="DurationMinutes">How long it lasts.</param>
/// <param name="TimeZone">IANA zone of the lieu.</param>
/// <param name="LieuId">The lieu; null when it is not said.</param>
/// <param name="PartyRole">For whom; unspecified for either parent.</param>
internal readonly record struct SlotContent(DateTimeOffset StartsAt, int DurationMinutes, string TimeZone, Guid? LieuId, PartyRole PartyRole);

/// <summary>
/// One family's place for a first interview, which an espace published and one mesure takes. Whoever changes it has locked its
/// row before, so that of two takers the slower sees what the faster did. A hold that ran out needs no sweep: it is free.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class InterviewSlot
{
    private InterviewSlot()
    {
    }

    public Guid Id { get; private init; }

    public Guid EspaceId { get; private init; }

    public Guid GestionnaireId { get; private init; }

    /// <summary>Id in the software of the espace.</summary>
    public string ExternalId { get; private init; } = "";

    /// <summary>Which of several places of the same external id, from 0.</summary>
    public int Place { get; private init; }

    public DateTimeOffset StartsAt { get; private set; }

    public int DurationMinutes { get; private set; }

    /// <summary>IANA zone of the lieu.</summary>
    public string TimeZone { get; private set; } = "";

    public Guid? LieuId { get; private set; }

    /// <summary>For whom; unspecified for either parent.</summary>
    public PartyRole PartyRole { get; private set; }

    /// <summary>As it was left; see <see cref="StateAt"/> for how it stands.</summary>
    public InterviewSlotState State { get; private set; }

    /// <summary>The mesure that holds or booked it; null when none does.</summary>
    public Guid? MesureId { get; private set; }

    /// <summary>For which party it is held; unspecified when the hold leaves it open.</summary>
    public PartyRole HeldForRole { get; private set; }

    public DateTimeOffset? HeldUntil { get; private set; }

    private SlotContent Content => new(StartsAt, DurationMinutes, TimeZone, LieuId, PartyRole);

    /// <summary>A new slot.</summary>
    public static InterviewSlot Publish(Guid id, EspaceView espace, string externalId, int place, SlotContent content)
    {
        var slot = new InterviewSlot { Id = id, EspaceId = espace.Id, GestionnaireId = espace.GestionnaireId, ExternalId = externalId, Place = place };
        slot.Replace(content);
        return slot;
    }

    /// <summary>Where it stands: a hold that ran out is none.</summary>
    public InterviewSlotState StateAt(DateTimeOffset now) => State == InterviewSlotState.OnHold && HeldUntil <= now ? InterviewSlotState.Free : State;

    /// <summary>Publishes it again: free or withdrawn it takes the new content, taken it must stay as it is.</summary>
    public void Republish(SlotContent content, DateTimeOffset now)
    {
        if (!Taken(now))
        {
            Replace(content);
        }
        else if (content != Content)
        {
            throw Refused(now);
        }
    }

    /// <summary>Whether a mesure may take it: free, or held by it, and not begun yet.</summary>
    public bool OpenTo(Guid mesureId, DateTimeOffset now) => StartsAt > now && StateAt(now) switch
    {
        InterviewSlotState.Free => true,
        InterviewSlotState.OnHold => MesureId == mesureId,
        _ => false,
    };

    /// <summary>Whether a mesure holds it.</summary>
    public bool HeldBy(Guid mesureId, DateTimeOffset now) => StateAt(now) == InterviewSlotState.OnHold && MesureId == mesureId;

    /// <summary>Holds it for a mesure, or prolongs the hold.</summary>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="role">For whom; unspecified leaves it open.</param>
    /// <param name="until">Until when.</param>
    /// <param name="now">Now.</param>
    public void Hold(Guid mesureId, PartyRole role, DateTimeOffset until, DateTimeOffset now)
    {
        RequireOpenTo(mesureId, now);
        (State, MesureId, HeldForRole, HeldUntil) = (InterviewSlotState.OnHold, mesureId, role, until);
    }

    /// <summary>Books it for a mesure.</summary>
    public void Book(Guid mesureId, DateTimeOffset now)
    {
        RequireOpenTo(mesureId, now);
        (State, MesureId, HeldForRole, HeldUntil) = (InterviewSlotState.Booked, mesureId, PartyRole.Unspecified, null);
    }

    /// <summary>Refuses a mesure of another espace, and a party that it is not for.</summary>
    public void RequireFor(Mesure mesure, PartyRole role)
    {
        if (EspaceId != mesure.EspaceId)
        {
            throw NotOfTheEspace();
        }

        if (PartyRole != role && (PartyRole != PartyRole.Unspecified || role == PartyRole.Enfant))
        {
            throw DomainError.Invalid("party_role", "is not the party of the slot");
        }
    }

    /// <summary>The refusal of a slot that the espace of a mesure does not have.</summary>
    public static DomainError NotOfTheEspace() => DomainError.Invalid("slot_id", "is not a slot of the espace");

    /// <summary>The mesure that booked it gives it up.</summary>
    public void GiveUp(Guid mesureId)
    {
        if (State == InterviewSlotState.Booked && MesureId == mesureId)
        {
            Free();
        }
    }

    /// <summary>Gives it free again.</summary>
    public void Free() => (State, MesureId, HeldForRole, HeldUntil) = (InterviewSlotState.Free, null, PartyRole.Unspecified, null);

    /// <summary>Withdraws it.</summary>
    /// <param name="includingTaken">Also when it is held or booked.</param>
    /// <param name="now">Now.</param>
    /// <returns>The mesure that had booked it; null when none had.</returns>
    public Guid? Withdraw(bool includingTaken, DateTimeOffset now)
    {
        if (Taken(now) && !includingTaken)
        {
            throw Refused(now);
        }

        var bookedBy = State == InterviewSlotState.Booked ? MesureId : null;
        Free();
        State = InterviewSlotState.Withdrawn;
        return bookedBy;
    }

    /// <summary>
    /// For whom each of several slots is booked: the party of the slot, else the one that the hold names, else the visiteur,
    /// with whom the setting up begins, then the hôte.
    /// </summary>
    /// <param name="slots">The slots, in the order of the request.</param>
    /// <param name="mesureId">The mesure that books them.</param>
    /// <param name="now">Now.</param>
    /// <returns>The role for each slot; null where no party is left for it.</returns>
    public static PartyRole?[] Assign(IReadOnlyList<InterviewSlot> slots, Guid mesureId, DateTimeOffset now)
    {
        var roles = new PartyRole?[slots.Count];
        for (var i = 0; i < slots.Count; i++)
        {
            var named = slots[i].PartyRole != PartyRole.Unspecified ? slots[i].PartyRole
                : slots[i].HeldBy(mesureId, now) ? slots[i].HeldForRole : PartyRole.Unspecified;
            roles[i] = named == PartyRole.Unspecified || roles.Contains(named) ? null : named;
        }

        var open = new Queue<PartyRole>(new[] { PartyRole.Visiteur, PartyRole.Hote }.Where(r => !roles.Contains(r)));
        for (var i = 0; i < slots.Count; i++)
        {
            if (roles[i] is null && slots[i].PartyRole == PartyRole.Unspecified && open.TryDequeue(out var role))
            {
                roles[i] = role;
            }
        }

        return roles;
    }

    private bool Taken(DateTimeOffset now) => StateAt(now) is InterviewSlotState.OnHold or InterviewSlotState.Booked;

    /// <summary>Refuses a mesure that may not take it.</summary>
    public void RequireOpenTo(Guid mesureId, DateTimeOffset now)
    {
        if (!OpenTo(mesureId, now))
        {
            throw Refused(now);
        }
    }

    private DomainError Refused(DateTimeOffset now)
    {
        var state = StateAt(now);
        return DomainError.SlotTaken(Id, state.ToCode(), state switch
        {
            InterviewSlotState.Booked => "it is booked",
            InterviewSlotState.OnHold => "it is held for another mesure",
            InterviewSlotState.Withdrawn => "it was withdrawn",
            _ => "it has begun",
        });
    }

    private void Replace(SlotContent content)
    {
        Free();
        (StartsAt, DurationMinutes, TimeZone, LieuId, PartyRole) = (content.StartsAt, content.DurationMinutes, content.TimeZone, content.LieuId, content.PartyRole);
    }
}

/// <summary>A preliminary interview with a date.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class Interview
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    public required PartyRole PartyRole { get; init; }

    /// <summary>The slot that was booked; null when the date was agreed without one.</summary>
    public Guid? SlotId { get; init; }

    public required DateTimeOffset StartsAt { get; init; }

    public required int DurationMinutes { get; init; }

    /// <summary>IANA zone of the lieu.</summary>
    public required string TimeZone { get; init; }

    public Guid? LieuId { get; init; }

    public InterviewState State { get; set; } = InterviewState.Booked;

    public InterviewReleaseReason ReleaseReason { get; set; }

    /// <summary>The slot that others may use when this is given up or was held before its time; null where none lies ahead.</summary>
    public Guid? SlotAhead(DateTimeOffset now) => StartsAt > now ? SlotId : null;
}
