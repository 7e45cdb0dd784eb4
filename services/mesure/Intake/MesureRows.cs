using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Interviews;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Grpc;
using DecisionVersion = Jafer.Mesures.Domain.DecisionVersion;
using Difficulty = Jafer.Mesures.Domain.Difficulty;
using ExternalAlert = Jafer.Mesures.Domain.ExternalAlert;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;
using InformationExchange = Jafer.Mesures.Domain.InformationExchange;
using Interview = Jafer.Mesures.Domain.Interview;
using InterviewSlot = Jafer.Mesures.Domain.InterviewSlot;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Party = Jafer.Mesures.Domain.Party;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Intake;

/// <summary>What the espaces have for the bookings of one batch: when families are there, and slots; as others and the batch itself left it.</summary>
internal sealed class Places
{
    private readonly Dictionary<(Guid EspaceId, Modalite Modalite), (List<Stay> Stays, int? Capacity)> _places = [];

    /// <summary>The free slots that items name.</summary>
    public Dictionary<Guid, FreeSlot> FreeSlots { get; } = [];

    /// <summary>The slots of interviews that items name or may give up; their rows are locked.</summary>
    public Dictionary<Guid, InterviewSlot> InterviewSlots { get; } = [];

    /// <summary>The espaces, where bookings ahead name a lieu.</summary>
    public Dictionary<Guid, EspaceView> Espaces { get; } = [];

    public void Add(Guid espaceId, Modalite modalite, IEnumerable<Stay> stays, int? capacity) => _places.Add((espaceId, modalite), ([.. stays], capacity));

    public (IReadOnlyList<Stay> Stays, int? Capacity) Of(Guid? espaceId, Modalite modalite) =>
        espaceId is { } id && _places.TryGetValue((id, modalite), out var places) ? places : ([], null);

    /// <summary>A free slot of the espace of a mesure; null when it has no such slot.</summary>
    public FreeSlot? FreeSlotOf(Mesure mesure, Guid slotId) =>
        FreeSlots.GetValueOrDefault(slotId) is { } slot && slot.EspaceId == mesure.EspaceId && slot.GestionnaireId == mesure.GestionnaireId ? slot : null;

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

    /// <summary>Rencontres that a source learned to name; nothing else of them changed.</summary>
    public HashSet<Rencontre> NamedRencontres { get; } = [];

    /// <summary>Times that lost rencontres leave to other families.</summary>
    public List<FreeSlot> NewFreeSlots { get; } = [];

    /// <summary>Such times that its rencontres took.</summary>
    public List<FreeSlot> TakenFreeSlots { get; } = [];

    /// <summary>Its booked interviews; loaded only where an item books one, may take its place or gives it up.</summary>
    public List<Interview> Interviews { get; } = [];

    public List<Interview> NewInterviews { get; } = [];

    public HashSet<Interview> ChangedInterviews { get; } = [];

    /// <summary>Its facts before the batch; loaded only where an item looks back.</summary>
    public List<MesureFact> History { get; } = [];

    /// <summary>Its difficulties before the batch; loaded only where an item looks back.</summary>
    public List<Difficulty> Difficulties { get; } = [];

    public List<Difficulty> NewDifficulties { get; } = [];

    public HashSet<Difficulty> ChangedDifficulties { get; } = [];

    public List<ExternalAlert> NewAlerts { get; } = [];

    public List<InformationExchange> NewExchanges { get; } = [];

    /// <summary>A rencontre by its name; by that of a source it is found wherever it was moved. Null when there is none.</summary>
    public Rencontre? Find(RencontreName name, string sourceSystem)
    {
        if (name.Id is { } id)
        {
            return Rencontres.Find(r => r.Id == id);
        }

        var found = Rencontres.Find(r => r.ExternalId == name.ExternalId && r.SourceSystem == sourceSystem);
        while (found?.MovedToId is { } next && Rencontres.Find(r => r.Id == next) is { } moved)
        {
            found = moved;
        }

        return found;
    }

    /// <summary>The difficulty that an item brought, as far as the history is loaded; null when it brought none.</summary>
    public Guid? DifficultyOf(string sourceSystem, string externalId) => History.Concat(mesure.NewFacts)
        .Where(f => f.SourceSystem == sourceSystem && f.ExternalId == externalId).Select(f => f.Details.DifficultyId).FirstOrDefault(d => d is not null);

    /// <summary>The rencontre that an item names.</summary>
    public Rencontre One(RencontreName name, Acting acting) => Find(name, acting.Source!.System) ?? throw DomainError.Invalid(name.Field, "is not a rencontre of the mesure");

    /// <summary>The rencontre that an item names, with an outcome of which every child is one of the mesure.</summary>
    public Rencontre One(RencontreName name, SentOutcome sent, Acting acting)
    {
        var known = new FieldChecks();
        sent.RequireChildren(known, "", ChildIds);
        var rencontre = Find(name, acting.Source!.System);
        known.That(rencontre is not null, name.Field, "is not a rencontre of the mesure");
        known.ThrowIfAny();
        return rencontre!;
    }

    /// <summary>The rencontre of this mesure that has taken a free slot already; null when none has.</summary>
    public Rencontre? TakenBy(Guid freeSlotId) =>
        places.FreeSlotOf(mesure, freeSlotId) is { TakenByRencontreId: { } id } slot && slot.TakenByMesureId == mesure.Id ? Rencontres.Find(r => r.Id == id) : null;

    /// <summary>Keeps what a source calls a rencontre; an empty name is none.</summary>
    /// <exception cref="DomainError">It has another name.</exception>
    public void Name(Rencontre rencontre, string externalId, Acting acting)
    {
        if (externalId.Length == 0 || (rencontre.ExternalId == externalId && rencontre.SourceSystem == acting.Source!.System))
        {
            return;
        }

        if (rencontre.ExternalId is { Length: > 0 })
        {
            throw DomainError.Invalid("external_rencontre_id", "the rencontre that has taken the slot has another name");
        }

        (rencontre.SourceSystem, rencontre.ExternalId) = (acting.Source!.System, externalId);
        NamedRencontres.Add(rencontre);
    }

    /// <summary>Starts of what has no outcome yet beside a rencontre.</summary>
    public IReadOnlyCollection<DateTimeOffset> PendingBeside(Rencontre rencontre) => Bookings.Pending(Rencontres.Where(r => r != rencontre));

    /// <summary>Books a rencontre, or another time for one.</summary>
    /// <param name="planned">The rencontre.</param>
    /// <param name="freeSlotId">The free slot to take; null for none.</param>
    /// <param name="overCapacity">Whether the espace goes beyond its capacity on purpose.</param>
    /// <param name="moved">The rencontre that is moved; null for none.</param>
    /// <param name="acting">Who and when.</param>
    public Rencontre Book(PlannedRencontre planned, Guid? freeSlotId, bool overCapacity, Rencontre? moved, Acting acting)
    {
        // What is only told to whoever books needs the mesure's other rencontres; what refuses does not.
        var context = Bookings.ContextOf(mesure, Versions, moved is null ? [] : Rencontres, Parties);
        if (planned.StartsAt > acting.Now)
        {
            var (stays, capacity) = places.Of(mesure.EspaceId, context.TermsOn(planned.Day).Modalite);
            context = context with
            {
                Others = stays,
                Capacity = capacity,
                Premises = mesure.EspaceId is { } espaceId && places.Espaces.GetValueOrDefault(espaceId) is { } espace ? Bookings.PremisesOf(mesure, espace, acting.Now) : null,
            };
        }

        var slot = freeSlotId is { } id ? places.FreeSlotOf(mesure, id) ?? throw Bookings.NoSlot() : null;
        var (rencontre, _) = Bookings.Book(mesure, context, planned, slot, overCapacity, acting, moved);
        if (moved is not null)
        {
            Lose(moved, acting);
        }

        if (slot is not null)
        {
            TakenFreeSlots.Add(slot);
        }

        places.Come(rencontre);
        Rencontres.Add(rencontre);
        NewRencontres.Add(rencontre);
        return rencontre;
    }

    /// <summary>Keeps that a rencontre was lost, and what it leaves to others.</summary>
    public void Lose(Rencontre rencontre, Acting acting)
    {
        ChangedRencontres.Add(rencontre);
        places.Leave(rencontre);
        NewFreeSlots.AddRange(Bookings.SlotsOf(mesure, rencontre, acting));
    }

    /// <summary>The interview that is booked for a party; null when none is.</summary>
    public Interview? Booked(PartyRole role) => Interviews.Find(i => i.PartyRole == role && i.State == InterviewState.Booked);

    /// <summary>Books an interview.</summary>
    /// <param name="slotId">By this slot; null for a date agreed without one.</param>
    /// <param name="agreed">That date.</param>
    /// <param name="acting">Who and when.</param>
    public void BookInterview(Guid? slotId, SlotContent agreed, Acting acting)
    {
        if (Booked(agreed.PartyRole) is not null)
        {
            throw InterviewBookings.Doubled(mesure);
        }

        Interview interview;
        if (slotId is { } id)
        {
            var slot = places.InterviewSlots.GetValueOrDefault(id) ?? throw InterviewSlot.NotOfTheEspace();
            slot.RequireFor(mesure, agreed.PartyRole);
            interview = InterviewBookings.Of(mesure, slot, agreed.PartyRole, acting);
        }
        else
        {
            var zone = agreed.TimeZone.Length > 0 ? agreed.TimeZone : mesure.EspaceTimeZone ?? "Europe/Paris";
            interview = mesure.BookInterview(agreed.PartyRole, null, agreed with { TimeZone = zone }, acting);
        }

        Interviews.Add(interview);
        NewInterviews.Add(interview);
    }

    /// <summary>Keeps that an interview was held or given up, which leaves its slot to others while that lies ahead.</summary>
    public void Leave(Interview interview, Acting acting)
    {
        ChangedInterviews.Add(interview);
        if (interview.SlotAhead(acting.Now) is { } id)
        {
            places.InterviewSlots.GetValueOrDefault(id)?.GiveUp(interview.MesureId);
        }
    }
}
