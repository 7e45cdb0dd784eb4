using System.Text.Json;
using System.Text.Json.Nodes;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Testing;

/// <summary>Makes the events of one mesure as its service would publish them: holders, versions and times that follow.</summary>
/// <param name="juridictionId">The court; null for a non-judicial mesure.</param>
/// <param name="gestionnaireId">The gestionnaire of its espace.</param>
public sealed class TestMesure(Guid? juridictionId, Guid gestionnaireId)
{
    private long _version;

    /// <summary>UUID of the mesure.</summary>
    public Guid Id { get; } = NewId();

    /// <summary>Its espace.</summary>
    public Guid EspaceId { get; init; } = NewId();

    /// <summary>Its modalité.</summary>
    public string Modalite { get; init; } = "VISITE";

    /// <summary>The court.</summary>
    public Guid JuridictionId => juridictionId ?? throw new InvalidOperationException("a non-judicial mesure has no court");

    /// <summary>The gestionnaire.</summary>
    public Guid GestionnaireId => gestionnaireId;

    /// <summary>A mesure between a court and a gestionnaire that no other test has.</summary>
    public static TestMesure Create() => new(NewId(), NewId());

    /// <summary>A fresh UUID.</summary>
    public static Guid NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow());

    /// <summary>Created by the court; by the espace when there is no court.</summary>
    public MesureCreated Created() => juridictionId is null
        ? Step<MesureCreated>("RECUE", "ESPACE")
        : Draft<MesureCreated>("ORDONNEE");

    /// <summary>Its content changed.</summary>
    public MesureUpdated Updated() => Draft<MesureUpdated>("ORDONNEE");

    /// <summary>Its content declared complete.</summary>
    public MesureCompleted Completed() => Draft<MesureCompleted>("COMPLETEE");

    /// <summary>Transmitted to the espace.</summary>
    /// <param name="occurredAt">When; now when null.</param>
    public MesureTransmitted Transmitted(DateTimeOffset? occurredAt = null) =>
        Step<MesureTransmitted>("TRANSMISE", "ESPACE", new { decisionDate = new DateOnly(2026, 11, 2) }, occurredAt);

    /// <summary>Its transmission reached the espace.</summary>
    public MesureDelivered Delivered() => Step<MesureDelivered>("TRANSMISE", "ESPACE", new { onBehalf = false });

    /// <summary>A deadline passed.</summary>
    /// <param name="deadline">Its kind.</param>
    /// <param name="mustAct">Who must act.</param>
    /// <param name="escalated">Whether it goes beyond them.</param>
    public DeadlineDue DeadlineDue(string deadline, string mustAct, bool escalated = false) =>
        Step<DeadlineDue>("TRANSMISE", "ESPACE", new { deadline, mustAct, escalated, dueAt = "2026-11-21T09:30:00Z" });

    /// <summary>A further reminder of a deadline.</summary>
    /// <param name="deadline">Its kind.</param>
    /// <param name="mustAct">Who must act.</param>
    /// <param name="rung">Who is reminded.</param>
    /// <param name="reminder">Which reminder of that rung.</param>
    /// <param name="urgent">Whether somebody may be in danger.</param>
    public ReminderDue ReminderDue(string deadline, string mustAct, string rung, int reminder, bool urgent = false) =>
        Step<ReminderDue>("TRANSMISE", "ESPACE", new { deadline, mustAct, rung, reminder, urgent, dueAt = "2026-11-21T09:30:00Z" });

    /// <summary>Nobody waits any more for a deadline that was told.</summary>
    /// <param name="deadline">Its kind.</param>
    /// <param name="mustAct">Who had to act.</param>
    /// <param name="escalated">Whether it had gone beyond them.</param>
    public DeadlineLifted DeadlineLifted(string deadline, string mustAct, bool escalated = false) =>
        Step<DeadlineLifted>("RECUE", "ESPACE", new { deadline, mustAct, escalated, dueAt = "2026-11-21T09:30:00Z" });

    /// <summary>Acknowledged by the espace.</summary>
    public MesureAcknowledged Acknowledged() => Step<MesureAcknowledged>("RECUE", "ESPACE");

    /// <summary>The espace asked the court for information.</summary>
    public InformationRequested InformationRequested() => Step<InformationRequested>("PRECISION_DEMANDEE", "JURIDICTION");

    /// <summary>The court answered.</summary>
    public InformationProvided InformationProvided() => Step<InformationProvided>("RECUE", "ESPACE");

    /// <summary>The espace tried to reach a parent.</summary>
    /// <param name="holder">Who must act next.</param>
    /// <param name="occurredAt">When; now when null.</param>
    public ContactRecorded Contact(string holder, DateTimeOffset? occurredAt = null) =>
        Step<ContactRecorded>("PRISE_EN_CHARGE", holder, new { partyRole = "HOTE", reached = holder != "FAMILLE" }, occurredAt);

    /// <summary>A rencontre was scheduled.</summary>
    /// <param name="startsAt">For when; some day when null.</param>
    /// <param name="occurredAt">When that was fixed; now when null.</param>
    public RencontreScheduled Scheduled(DateTimeOffset? startsAt = null, DateTimeOffset? occurredAt = null) => Step<RencontreScheduled>(
        "PROGRAMMEE", "FAMILLE", new { rencontreId = NewId(), startsAt = startsAt ?? new DateTimeOffset(2026, 12, 5, 9, 30, 0, TimeSpan.Zero), durationMinutes = 90 }, occurredAt);

    /// <summary>A rencontre was held.</summary>
    /// <param name="rencontreId">The rencontre.</param>
    /// <param name="startsAt">When it began.</param>
    public RencontreHeld Held(Guid rencontreId, DateTimeOffset startsAt) => Step<RencontreHeld>("EN_COURS", "ESPACE", new { rencontreId, startsAt });

    /// <summary>What had been recorded of a rencontre was wrong.</summary>
    /// <param name="rencontreId">The rencontre.</param>
    /// <param name="startsAt">When it began.</param>
    /// <param name="previousOutcome">What had been recorded.</param>
    /// <param name="outcome">What really became of it.</param>
    public RencontreOutcomeCorrected Corrected(Guid rencontreId, DateTimeOffset startsAt, string previousOutcome, string outcome) =>
        Step<RencontreOutcomeCorrected>("EN_COURS", "ESPACE", new { rencontreId, startsAt, previousOutcome, outcome });

    /// <summary>The espace referred a difficulty.</summary>
    /// <param name="urgent">Whether it must be read at once.</param>
    public DifficultyReported Difficulty(bool urgent) =>
        Step<DifficultyReported>("RECUE", "ESPACE", new { difficultyId = NewId(), urgent });

    /// <summary>The judge answered it.</summary>
    public DifficultyAnswered DifficultyAnswered() => Step<DifficultyAnswered>("RECUE", "ESPACE", new { difficultyId = NewId() });

    /// <summary>Its espace lost its agrément.</summary>
    public AgrementRetired AgrementRetired() => Step<AgrementRetired>("RECUE", "ESPACE", new { lastDay = new DateOnly(2026, 11, 1) });

    /// <summary>The judge, or an agreement, changed its terms.</summary>
    public MesureModified Modified() =>
        Step<MesureModified>("EN_ATTENTE", "ESPACE", new { decisionVersion = 2, effectiveDate = new DateOnly(2026, 11, 1), conflictingRencontreIds = Array.Empty<Guid>() });

    /// <summary>The espace proposed to close it.</summary>
    public ClosureProposed ClosureProposed() => Step<ClosureProposed>("PRISE_EN_CHARGE", "FAMILLE", new { difficultyId = NewId() });

    /// <summary>Closed.</summary>
    public MesureClosed Closed() => Step<MesureClosed>("CLOTUREE", "PERSONNE");

    /// <summary>The time to keep something of it is over.</summary>
    /// <param name="scope">What is erased.</param>
    public MesurePurged Purged(string scope) => Step<MesurePurged>("CLOTUREE", "PERSONNE", new { scope, reason = "RETENTION" });

    /// <summary>Its closing was taken back.</summary>
    public MesureReopened Reopened() => Step<MesureReopened>("EN_ATTENTE", "ESPACE");

    /// <summary>A message of one side.</summary>
    /// <param name="author">The author's organisation.</param>
    /// <param name="position">Place in the thread.</param>
    public MessagePosted Message(Guid author, long position) =>
        Make<MessagePosted>(position, null, new { messageId = NewId(), juridictionId, gestionnaireId, authorOrganisationId = author });

    /// <summary>One side read the thread.</summary>
    /// <param name="reader">The reader's organisation.</param>
    /// <param name="position">Place up to which it read.</param>
    public ThreadRead Read(Guid reader, long position) =>
        Make<ThreadRead>(position, null, new { messageId = NewId(), juridictionId, gestionnaireId, readerOrganisationId = reader });

    /// <summary>An answer or acknowledgement of its thread is overdue.</summary>
    /// <param name="mustAct">The organisation that must act.</param>
    /// <param name="expectation">What is expected.</param>
    /// <param name="escalated">Whether the operator is told too.</param>
    public MessageOverdue Overdue(Guid mustAct, string expectation, bool escalated = false) => Make<MessageOverdue>(2, null, new
    {
        messageId = NewId(),
        juridictionId,
        gestionnaireId,
        threadKind = "MESURE",
        mustActOrganisationId = mustAct,
        expectation,
        dueAt = "2026-11-21T09:30:00Z",
        number = escalated ? 3 : 1,
        escalated,
    });

    /// <summary>A scanner cleared a file of its thread.</summary>
    /// <param name="uploader">Who uploaded it.</param>
    /// <param name="messageId">The message that names it; null for none.</param>
    public AttachmentCleared AttachmentCleared(Guid uploader, Guid? messageId) =>
        Make<AttachmentCleared>(1, null, new { attachmentId = NewId(), messageId, uploaderOrganisationId = uploader, juridictionId, gestionnaireId, threadKind = "MESURE" });

    /// <summary>A scanner refused a file of its thread.</summary>
    /// <param name="uploader">Who uploaded it.</param>
    /// <param name="messageId">The message that names it; null for none.</param>
    public AttachmentRefused AttachmentRefused(Guid uploader, Guid? messageId) =>
        Make<AttachmentRefused>(1, null, new { attachmentId = NewId(), messageId, uploaderOrganisationId = uploader, juridictionId, gestionnaireId, threadKind = "MESURE" });

    private T Draft<T>(string state)
        where T : MesureEvent => Make<T>(++_version, null, new { juridictionId, state, holder = "JURIDICTION" });

    private T Step<T>(string state, string holder, object? own = null, DateTimeOffset? occurredAt = null)
        where T : MesureEvent =>
        Make<T>(++_version, occurredAt, new { juridictionId, espaceId = EspaceId, gestionnaireId, state, holder, modalite = Modalite }, own ?? new());

    private T Make<T>(long version, DateTimeOffset? occurredAt, params object[] parts)
        where T : DomainEvent
    {
        var now = TimeProvider.System.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        var common = new { eventId = NewId(), aggregateId = Id, aggregateVersion = version, occurredAt = occurredAt ?? now, recordedAt = now };
        var fields = new JsonObject();
        foreach (var (name, value) in parts.Prepend(common).SelectMany(p => JsonSerializer.SerializeToNode(p, EventTypes.Json)!.AsObject()))
        {
            fields[name] = value?.DeepClone();
        }

        return fields.Deserialize<T>(EventTypes.Json)!;
    }
}
