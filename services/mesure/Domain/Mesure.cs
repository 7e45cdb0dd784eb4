using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Rules;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>Who acts on a mesure, and when.</summary>
/// <param name="OrganisationId">Their organisation.</param>
/// <param name="Subject">The person or software, as the token names them.</param>
/// <param name="OccurredAt">Business time of the act.</param>
/// <param name="Now">When it is recorded.</param>
/// <param name="OnBehalf">How an espace that is not connected told it; null when the organisation acts for itself.</param>
/// <param name="Source">Where the intake has it from; null for an act of its own.</param>
internal readonly record struct Acting(
    Guid OrganisationId, string Subject, DateTimeOffset OccurredAt, DateTimeOffset Now, OnBehalfSource? OnBehalf = null, FactSource? Source = null);

/// <summary>Where the intake has a fact from.</summary>
/// <param name="System">The software that reported it.</param>
/// <param name="ExternalId">What that software calls it.</param>
internal sealed record FactSource(string System, string ExternalId);

/// <summary>
/// A mesure: its content, its history and where it stands. Each method is an act: it decides whether the act is permissible
/// and adds a fact, or throws a <see cref="DomainError"/>. Parties, children, rencontres and difficulties are given to the
/// methods that need them, so that an act loads no more than it touches.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed partial class Mesure
{
    /// <summary>How many rencontres without outcome are waited for by a deadline each.</summary>
    public const int MostPendingStarts = 4;

    private readonly List<MesureFact> _newFacts = [];

    private Mesure()
    {
    }

    public Guid Id { get; private init; }

    /// <summary>Short reference for the telephone.</summary>
    public string Reference { get; private init; } = "";

    public MesureNature Nature { get; private init; }

    /// <summary>The mesure that this one continues; null when it continues none.</summary>
    public Guid? PredecessorId { get; private init; }

    /// <summary>The court as an organisation; null for a non-judicial mesure.</summary>
    public Guid? JuridictionId { get; private init; }

    /// <summary>The espace that the judge means to designate or has designated.</summary>
    public Guid? EspaceId { get; private set; }

    /// <summary>The gestionnaire of that espace; null before transmission.</summary>
    public Guid? GestionnaireId { get; private set; }

    /// <summary>Where a non-judicial mesure comes from; unspecified for a judicial one.</summary>
    public NonJudicialOrigin Origin { get; private init; }

    /// <summary>The terms as they were decided last, which may hold from a later day on only: see <see cref="DecisionVersions"/>.</summary>
    public Decision Decision { get; private set; } = new();

    /// <summary>Number of the version of the terms, from 1.</summary>
    public int DecisionVersion { get; private set; } = 1;

    /// <summary>The RG number as the keyed index holds it; null when there is none (<see cref="Mesures.KeyedIndex"/>).</summary>
    [InClear(DataCategory.Pseudonym)]
    public string? RgIndex { get; set; }

    /// <summary>Codes of the rules that the rendered decision violates.</summary>
    public string[] Defects { get; private set; } = [];

    public MesureStatus Status { get; private set; } = MesureStatus.Nothing;

    /// <summary>Start of the earliest rencontre without outcome, past or to come; kept here for worklists.</summary>
    public DateTimeOffset? NextRencontreAt { get; private set; }

    /// <summary>Starts of the earliest rencontres without outcome, <see cref="MostPendingStarts"/> at most: one of which nothing is ever heard hides no later one.</summary>
    public DateTimeOffset[] PendingStarts { get; private set; } = [];

    public DateOnly? Term { get; private set; }

    /// <summary>IANA zone and département of the espace when the mesure came to it: the calendar of its deadlines; null before, or unknown.</summary>
    public string? EspaceTimeZone { get; private set; }

    /// <summary>See <see cref="EspaceTimeZone"/>.</summary>
    public string? EspaceDepartement { get; private set; }

    /// <summary>Days that families waited at the espace when the mesure came to it, as it had declared; null when it had not.</summary>
    public int? EspaceWaitDays { get; private set; }

    /// <summary>When the next deadline is due; <see cref="DeadlineTable.Never"/> when none runs. Kept here for worklists.</summary>
    public DateTimeOffset NextDueAt { get; set; } = DeadlineTable.Never;

    /// <summary><see cref="DeadlineTable.Version"/> by which the deadlines were computed.</summary>
    public int DeadlinesVersion { get; set; }

    public ClosureReason ClosureReason { get; private set; }

    /// <summary>Free text; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public string ClosureComment { get; private set; } = "";

    /// <summary>Where the family goes on.</summary>
    public ClosureDestination ClosureDestination { get; private set; }

    /// <summary>Day of the judge's decision that ended the mesure; null when none was named.</summary>
    public DateOnly? ClosureDecisionDate { get; private set; }

    /// <summary>Why the last closing was taken back; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public string ReopeningComment { get; private set; } = "";

    /// <summary>When the files of the mesure were erased; null before, and after a reopening.</summary>
    public DateTimeOffset? FilesErasedAt { get; private set; }

    /// <summary>When what concerns persons was emptied; null before. Then no act is possible any more.</summary>
    public DateTimeOffset? AnonymisedAt { get; private set; }

    public DateTimeOffset CreatedAt { get; private init; }

    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Version: number of facts, etag, version of events.</summary>
    [InClear(DataCategory.Technical)]
    public long Version { get; private set; }

    /// <summary>Facts added since loading.</summary>
    public IReadOnlyList<MesureFact> NewFacts => _newFacts;

    /// <summary>Creates a judicial mesure.</summary>
    public static Mesure Create(Guid id, string reference, Guid juridictionId, Decision decision, Guid? espaceId, Acting acting)
    {
        var mesure = new Mesure
        {
            Id = id,
            Reference = reference,
            Nature = MesureNature.Judiciaire,
            JuridictionId = juridictionId,
            CreatedAt = acting.Now,
        };
        mesure.Replace(decision);
        mesure.EspaceId = espaceId;
        mesure.Add(MesureAct.Create, acting);
        return mesure;
    }

    /// <summary>
    /// Registers a non-judicial mesure: it enters as received, since whom the family asked has it already (SSER: origins of
    /// non-judicial mesures).
    /// </summary>
    /// <param name="id">UUID.</param>
    /// <param name="reference">Its reference.</param>
    /// <param name="espace">The espace.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="predecessorId">The mesure that it follows; null when it follows none.</param>
    /// <param name="agreement">What was agreed.</param>
    /// <param name="acting">Who and when.</param>
    public static Mesure Register(Guid id, string reference, EspaceView espace, NonJudicialOrigin origin, Guid? predecessorId, Decision agreement, Acting acting)
    {
        var mesure = new Mesure
        {
            Id = id,
            Reference = reference,
            Nature = MesureNature.NonJudiciaire,
            Origin = origin,
            PredecessorId = predecessorId,
            EspaceId = espace.Id,
            GestionnaireId = espace.GestionnaireId,
            EspaceTimeZone = espace.TimeZone,
            EspaceDepartement = espace.Departement,
            EspaceWaitDays = espace.WaitOf(agreement.Modalite),
            CreatedAt = acting.Now,
        };
        mesure.Replace(agreement);
        mesure.Add(MesureAct.Register, acting);
        return mesure;
    }

    /// <summary>Replaces content before transmission.</summary>
    /// <param name="decision">New decision; null leaves it.</param>
    /// <param name="designation">New designation (null removes it); no value leaves it.</param>
    /// <param name="acting">Who and when.</param>
    public void Update(Decision? decision, (bool Given, Guid? EspaceId) designation, Acting acting)
    {
        Require(MesureAct.Update);
        if (decision is not null)
        {
            Replace(decision);
        }

        if (designation.Given)
        {
            EspaceId = designation.EspaceId;
        }

        Defects = [];
        Add(MesureAct.Update, acting);
    }

    /// <summary>Declares the content complete.</summary>
    /// <param name="findings">What <see cref="MesureCheck"/> found in it.</param>
    /// <param name="acting">Who and when.</param>
    public void Complete(IReadOnlyList<RuleFinding> findings, Acting acting)
    {
        Require(MesureAct.Complete);
        var blocking = findings.Where(f => f.Blocks(Decision.Rendered)).ToList();
        if (blocking.Count > 0)
        {
            throw DomainError.RulesViolated([.. blocking.Select(f => new RuleViolation(f.Code, f.Field, f.Description))]);
        }

        Defects = [.. findings.Where(f => f.Severity == FindingSeverity.Violation).Select(f => f.Code)];
        Add(MesureAct.Complete, acting, WithDefects(FactDetails.None));
    }

    /// <summary>
    /// Transmits to the espace. A defect of the rendered decision is referred to the judge at once as a difficulty, and stops
    /// nothing: the greffe cannot amend a decision, and blocking would only add delay.
    /// </summary>
    /// <param name="espace">The espace, as this service knows it.</param>
    /// <param name="acting">Who and when.</param>
    /// <returns>The difficulty raised, if any.</returns>
    public Difficulty? Transmit(EspaceView espace, Acting acting)
    {
        Require(MesureAct.Transmit);
        if (Decision.Date is not { } decided)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Transmit.ToCode(), "the decision is not rendered yet");
        }

        if (acting.OccurredAt < acting.Now && acting.OccurredAt.DayInParis() < decided)
        {
            throw DomainError.Invalid("occurred_time", "must not lie before the decision");
        }

        EspaceId = espace.Id;
        GestionnaireId = espace.GestionnaireId;
        (EspaceTimeZone, EspaceDepartement, EspaceWaitDays) = (espace.TimeZone, espace.Departement, espace.WaitOf(Decision.Modalite));
        // It may be another espace than the one with which the content was completed.
        Defects = [.. Defects.Where(d => !DesignationRules.IsOfTheEspace(d)), .. DesignationRules.DefectsOf(espace, decided)];
        Add(MesureAct.Transmit, acting, WithDefects(FactDetails.None));
        if (Defects.Length == 0)
        {
            return null;
        }

        var difficulty = new Difficulty
        {
            Id = NewId(acting),
            MesureId = Id,
            Reason = DifficultyReason.DecisionContent,
            ReportedAt = acting.OccurredAt,
            RecordedAt = acting.Now,
            RuleCodes = Defects,
        };
        Add(MesureAct.ReportDifficulty, acting, new FactDetails { DifficultyId = difficulty.Id, Urgent = false }, byJafer: true);
        return difficulty;
    }

    /// <summary>Keeps the proof that the transmission reached the espace. False when there is one already.</summary>
    /// <param name="channel">How it did.</param>
    /// <param name="acting">Who and when; the person is not named where a system proves it.</param>
    public bool Deliver(DeliveryChannel channel, Acting acting)
    {
        if (Status.DeliveredAt is not null || !Status.Allows(MesureAct.Deliver))
        {
            return false;
        }

        Add(MesureAct.Deliver, acting, new FactDetails { Delivery = channel });
        return true;
    }

    /// <summary>Keeps the first reading by the espace as proof. False when it was read before.</summary>
    public bool Retrieve(Acting acting)
    {
        if (Status.RetrievedAt is not null || !Status.Allows(MesureAct.Retrieve))
        {
            return false;
        }

        Add(MesureAct.Retrieve, acting);
        return true;
    }

    /// <summary>The espace acknowledges receipt.</summary>
    public void Acknowledge(Acting acting) => Act(MesureAct.Acknowledge, acting);

    /// <summary>The espace asks for information.</summary>
    public InformationExchange RequestInformation(InformationReason reason, string question, Acting acting)
    {
        RequireJudge(MesureAct.RequestInformation);
        Act(MesureAct.RequestInformation, acting);
        return new InformationExchange { Id = NewId(acting), MesureId = Id, Reason = reason, Question = question, RequestedAt = acting.OccurredAt };
    }

    /// <summary>The court gives the information.</summary>
    /// <param name="open">The question that waits.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="acting">Who and when.</param>
    public void ProvideInformation(InformationExchange open, string answer, Acting acting)
    {
        Act(MesureAct.ProvideInformation, acting);
        open.Answer = answer;
        open.ProvidedAt = acting.OccurredAt;
    }

    /// <summary>The espace takes charge.</summary>
    public void TakeCharge(Acting acting) => Act(MesureAct.TakeCharge, acting);

    /// <summary>The espace records a contact or an attempt.</summary>
    /// <param name="with">With whom.</param>
    /// <param name="reached">Whether the party was reached.</param>
    /// <param name="channel">How; unspecified when nobody said.</param>
    /// <param name="acting">Who and when.</param>
    public void RecordContact(PartyRole with, bool reached, ContactChannel channel, Acting acting) =>
        Act(reached ? MesureAct.ContactReached : MesureAct.ContactAttempted, acting, new FactDetails
        {
            PartyRole = with,
            Channel = channel == ContactChannel.Unspecified ? null : channel,
        });

    /// <summary>The espace records an interview.</summary>
    /// <param name="with">With whom.</param>
    /// <param name="booked">The one that was booked for them; null when none was.</param>
    /// <param name="acting">Who and when.</param>
    public void RecordInterview(PartyRole with, Interview? booked, Acting acting)
    {
        Act(MesureAct.Interview, acting, new FactDetails { PartyRole = with, InterviewId = booked?.Id });
        booked?.State = InterviewState.Held;
    }

    /// <summary>Books an interview.</summary>
    /// <param name="with">With whom.</param>
    /// <param name="slotId">The slot that is booked; null for a date agreed without one.</param>
    /// <param name="content">When and where.</param>
    /// <param name="acting">Who and when.</param>
    public Interview BookInterview(PartyRole with, Guid? slotId, SlotContent content, Acting acting)
    {
        Require(MesureAct.BookInterview);
        var interview = new Interview
        {
            Id = NewId(acting),
            MesureId = Id,
            PartyRole = with,
            SlotId = slotId,
            StartsAt = content.StartsAt,
            DurationMinutes = content.DurationMinutes,
            TimeZone = content.TimeZone,
            LieuId = content.LieuId,
        };
        Add(MesureAct.BookInterview, acting, new FactDetails
        {
            PartyRole = with,
            InterviewId = interview.Id,
            StartsAt = content.StartsAt,
            DurationMinutes = content.DurationMinutes,
        });
        return interview;
    }

    /// <summary>Gives up a booked interview.</summary>
    public void ReleaseInterview(Interview interview, InterviewReleaseReason reason, Acting acting)
    {
        Require(MesureAct.ReleaseInterview);
        if (interview.State != InterviewState.Booked)
        {
            throw DomainError.StateForbids(interview.State.ToCode(), MesureAct.ReleaseInterview.ToCode(), "the interview is not booked any more");
        }

        interview.State = InterviewState.Released;
        interview.ReleaseReason = reason;
        Add(MesureAct.ReleaseInterview, acting, new FactDetails { PartyRole = interview.PartyRole, InterviewId = interview.Id, StartsAt = interview.StartsAt });
    }

    /// <summary>The espace schedules a rencontre.</summary>
    public Rencontre ScheduleRencontre(DateTimeOffset startsAt, int durationMinutes, TimeZoneInfo zone, Guid? lieuId, Acting acting, BookingTerms? terms = null)
    {
        var rencontre = Book(startsAt, durationMinutes, zone, lieuId, terms ?? BookingTerms.None, MesureAct.ScheduleRencontre, acting);
        Add(MesureAct.ScheduleRencontre, acting, new FactDetails { RencontreId = rencontre.Id, StartsAt = startsAt, DurationMinutes = durationMinutes, FreeSlotId = rencontre.FreeSlotId });
        IEnumerable<DateTimeOffset> waiting = NextRencontreAt is { } next ? PendingStarts.Append(next) : [];
        WaitFor(waiting.Append(startsAt));
        return rencontre;
    }

    /// <summary>The espace records what became of a rencontre.</summary>
    /// <param name="rencontre">The rencontre.</param>
    /// <param name="outcome">What became of it.</param>
    /// <param name="visiteurPresent">Whether the visiteur came.</param>
    /// <param name="presentChildIds">Children who came.</param>
    /// <param name="otherPending">Starts of what else has no outcome yet.</param>
    /// <param name="acting">Who and when.</param>
    public void RecordOutcome(
        Rencontre rencontre, RencontreOutcome outcome, bool visiteurPresent, Guid[] presentChildIds, IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting)
    {
        var held = outcome == RencontreOutcome.Held;
        var act = held ? MesureAct.RencontreHeld : MesureAct.RencontreNotHeld;
        Require(act);
        if (rencontre.Outcome != RencontreOutcome.Scheduled)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), act.ToCode(), "the rencontre has an outcome already");
        }

        if (held)
        {
            RequireHoldable(rencontre, act, acting);
            rencontre.Outcome = outcome;
        }
        else
        {
            rencontre.Lose(outcome, acting.OccurredAt);
        }

        rencontre.VisiteurPresent = visiteurPresent;
        rencontre.PresentChildIds = presentChildIds;
        Add(act, acting, new FactDetails { RencontreId = rencontre.Id, StartsAt = rencontre.StartsAt, Outcome = outcome });
        WaitFor([.. otherPending, .. held && rencontre.ReturnsAt is { } back ? [back] : (DateTimeOffset[])[]]);
        if (held)
        {
            Term = Decision.Term(TimeZoneInfo.FindSystemTimeZoneById(rencontre.TimeZone).DayOf(Status.FirstHeldRencontreAt!.Value));
        }
    }

    /// <summary>The espace refers a difficulty to the judge.</summary>
    public Difficulty ReportDifficulty(DifficultyReason reason, string comment, Acting acting)
    {
        Require(MesureAct.ReportDifficulty);
        return Refer(MesureAct.ReportDifficulty, new Difficulty { Id = NewId(acting), MesureId = Id, Reason = reason, Comment = comment, ReportedAt = acting.OccurredAt, RecordedAt = acting.Now }, acting);
    }

    /// <summary>An operator refers to the judge that the espace closes.</summary>
    /// <param name="jobId">The job of which this is a part.</param>
    /// <param name="acting">Who and when.</param>
    public Difficulty ReferClosingEspace(Guid jobId, Acting acting)
    {
        RequireJudge(MesureAct.ReportDifficulty);
        Require(MesureAct.ReportDifficulty);
        return Refer(
            MesureAct.ReportDifficulty,
            new Difficulty { Id = NewId(acting), MesureId = Id, Reason = DifficultyReason.EspaceFerme, ReportedAt = acting.OccurredAt, RecordedAt = acting.Now },
            acting, jobId);
    }

    /// <summary>The espace suspends the rencontres; the judge learns why as a difficulty.</summary>
    public Difficulty Suspend(DifficultyReason reason, string comment, Acting acting)
    {
        Act(MesureAct.Suspend, acting);
        return ReportDifficulty(reason, comment, acting);
    }

    /// <summary>The espace suspended the rencontres for a difficulty that the judge has already.</summary>
    public void Suspend(Acting acting) => Act(MesureAct.Suspend, acting);

    /// <summary>The espace or the judge resumes them.</summary>
    public void Resume(Acting acting) => Act(MesureAct.Resume, acting);

    /// <summary>The espace proposes to the judge to close without follow-up.</summary>
    /// <param name="reason">With which reason.</param>
    /// <param name="comment">Text.</param>
    /// <param name="acting">Who and when.</param>
    public Difficulty ProposeClosure(ClosureReason reason, string comment, Acting acting)
    {
        RequireJudge(MesureAct.ProposeClosure);
        Require(MesureAct.ProposeClosure);
        RequireUnscheduled(MesureAct.ProposeClosure);
        if (Closures.IsAbsenceDeContact(reason))
        {
            RequireDeadlinePassed(MesureAct.ProposeClosure, acting);
        }

        return Refer(
            MesureAct.ProposeClosure,
            new Difficulty
            {
                Id = NewId(acting),
                MesureId = Id,
                Reason = DifficultyReason.AbsenceDeContact,
                Comment = comment,
                ReportedAt = acting.OccurredAt,
                RecordedAt = acting.Now,
                ProposedClosure = reason,
            },
            acting);
    }

    /// <summary>Records that somebody outside was told of a difficulty.</summary>
    public ExternalAlert RecordExternalAlert(Difficulty difficulty, ExternalAlertRecipient recipient, ExternalAlertKind kind, Acting acting)
    {
        Require(MesureAct.ExternalAlert);
        var first = difficulty is { Reason: DifficultyReason.Danger, AlertedAt: null };
        difficulty.AlertedAt ??= acting.OccurredAt;
        Add(MesureAct.ExternalAlert, acting, new FactDetails { DifficultyId = difficulty.Id, Danger = first ? true : null });
        return new ExternalAlert
        {
            Id = NewId(acting),
            MesureId = Id,
            DifficultyId = difficulty.Id,
            Recipient = recipient,
            Kind = kind,
            AlertedAt = acting.OccurredAt,
            ActorOrganisationId = acting.OrganisationId,
        };
    }

    /// <summary>The court acknowledges a difficulty.</summary>
    public void AcknowledgeDifficulty(Difficulty difficulty, Acting acting)
    {
        Require(MesureAct.AcknowledgeDifficulty);
        if (difficulty.State != DifficultyState.Open)
        {
            throw DomainError.StateForbids(difficulty.State.ToCode(), MesureAct.AcknowledgeDifficulty.ToCode(), "the difficulty was acknowledged already");
        }

        difficulty.State = DifficultyState.Acknowledged;
        difficulty.AcknowledgedAt = acting.OccurredAt;
        Add(MesureAct.AcknowledgeDifficulty, acting, new FactDetails { DifficultyId = difficulty.Id });
    }

    /// <summary>The judge answers a difficulty; answering acknowledges it.</summary>
    public void AnswerDifficulty(Difficulty difficulty, DifficultyAnswer answer, string comment, Acting acting)
    {
        Require(MesureAct.AnswerDifficulty);
        if (difficulty.State == DifficultyState.Answered)
        {
            throw DomainError.StateForbids(difficulty.State.ToCode(), MesureAct.AnswerDifficulty.ToCode(), "the difficulty was answered already");
        }

        if (difficulty is { Reason: DifficultyReason.Danger, AlertedAt: null })
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.AnswerDifficulty.ToCode(), Untold);
        }

        if (answer is not (DifficultyAnswer.Maintain or DifficultyAnswer.Modify))
        {
            RequireJudge(MesureAct.AnswerDifficulty);
        }

        if (answer == DifficultyAnswer.Close && difficulty.ProposedClosure == ClosureReason.Unspecified)
        {
            throw DomainError.Invalid("answer", "CLOSE answers a proposal to close alone");
        }

        difficulty.State = DifficultyState.Answered;
        difficulty.AcknowledgedAt ??= acting.OccurredAt;
        difficulty.AnsweredAt = acting.OccurredAt;
        difficulty.Answer = answer;
        difficulty.AnswerComment = comment;
        Add(MesureAct.AnswerDifficulty, acting, new FactDetails { DifficultyId = difficulty.Id });
    }

    /// <summary>
    /// Notes that the espace of the mesure, or the lieu of its rencontres, has no valid agrément any more. A warning that stops
    /// nothing: the judge decides.
    /// </summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="lieuId">The lieu that alone is covered no more, when the mesure is there; null for the whole espace.</param>
    /// <param name="lastDay">Last day on which the espace could be designated, or the lieu was covered.</param>
    /// <param name="occurredAt">When the directory told it.</param>
    /// <param name="now">Now.</param>
    /// <returns>False when it does not concern the mesure, or was noted before.</returns>
    public bool WarnOfAgrement(Guid espaceId, Guid? lieuId, DateOnly lastDay, DateTimeOffset occurredAt, DateTimeOffset now)
    {
        // One that no judge ordered needs no agrément.
        if (Nature != MesureNature.Judiciaire || EspaceId != espaceId || !Status.Allows(MesureAct.AgrementRetire)
            || (lieuId is null
                ? Status.AgrementEndedEspaceId == espaceId && Status.AgrementEndedOn == lastDay
                : Status.LieuEndedId == lieuId && Status.LieuEndedOn == lastDay))
        {
            return false;
        }

        Add(MesureAct.AgrementRetire, new Acting(default, "", occurredAt, now), new FactDetails { EspaceId = espaceId, LieuId = lieuId, LastDay = lastDay }, byJafer: true);
        return true;
    }

    /// <summary>
    /// The judge modifies the terms (CPC 1180-5, second paragraph); of a non-judicial mesure the parents agreed anew.
    /// </summary>
    /// <param name="change">What changes, and from when.</param>
    /// <param name="before">The versions before; empty for the first modification.</param>
    /// <param name="pending">Scheduled rencontres.</param>
    /// <param name="firstHeldOn">Day of the first rencontre held, on the calendar of its lieu; null when none was.</param>
    /// <param name="acting">Who and when.</param>
    /// <param name="jobId">The job of which this is a part; null for an act of its own.</param>
    /// <returns>The versions to add, the first one too when it was not kept yet, and what no longer fits.</returns>
    public (IReadOnlyList<DecisionVersion> Added, IReadOnlyList<RencontreConflict> Conflicts) Modify(
        DecisionChange change, IReadOnlyList<DecisionVersion> before, IReadOnlyCollection<Rencontre> pending, DateOnly? firstHeldOn, Acting acting, Guid? jobId = null)
    {
        Require(MesureAct.Modify);
        if (change.DecidedOn < Decision.Date)
        {
            throw DomainError.Invalid("modification.decision_date", "must not lie before the decision that ordered the mesure");
        }

        var added = new List<DecisionVersion>();
        if (before.Count == 0)
        {
            added.Add(new DecisionVersion { MesureId = Id, Number = 1, DecidedOn = Decision.Date, EffectiveOn = null, RecordedAt = CreatedAt, Content = Decision });
        }

        DecisionVersion += 1;
        Decision = change.ApplyTo(Decision);
        Defects = MesureCheck.LeftOf(Defects, Decision);
        Term = Decision.Term(firstHeldOn);
        added.Add(new DecisionVersion
        {
            MesureId = Id,
            Number = DecisionVersion,
            DecidedOn = change.DecidedOn,
            EffectiveOn = change.EffectiveOn,
            RecordedAt = acting.Now,
            Content = Decision,
        });
        var conflicts = RencontreConflicts.Of([.. before, .. added], Decision, Term, pending);
        Add(MesureAct.Modify, acting, WithDefects(new FactDetails
        {
            DecisionVersion = DecisionVersion,
            EffectiveOn = change.EffectiveOn,
            Conflicts = [.. conflicts.Select(c => c.Rencontre.Id).Distinct()],
            BulkJobId = jobId,
        }));
        return (added, conflicts);
    }

    /// <summary>The duration grows under a legal act that concerns many mesures at once.</summary>
    /// <param name="months">By how many months.</param>
    /// <param name="actDate">Day of the act.</param>
    /// <param name="before">The versions before; empty for the first modification.</param>
    /// <param name="pending">Scheduled rencontres.</param>
    /// <param name="firstHeldOn">Day of the first rencontre held; null when none was.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="acting">Who and when.</param>
    /// <returns>The versions to add.</returns>
    public IReadOnlyList<DecisionVersion> Prorogue(
        int months, DateOnly actDate, IReadOnlyList<DecisionVersion> before, IReadOnlyCollection<Rencontre> pending, DateOnly? firstHeldOn, Guid jobId, Acting acting)
    {
        RequireJudge(MesureAct.Modify);
        return Decision.DurationMonths is { } duration
            ? Modify(new DecisionChange(actDate, actDate) { DurationMonths = duration + months }, before, pending, firstHeldOn, acting, jobId).Added
            : throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Modify.ToCode(), "the decision sets no duration");
    }

    /// <summary>Refuses a file of the decision while there is no decision, or when the mesure is closed.</summary>
    public void RequireAttachable()
    {
        Require(MesureAct.AttachDecision);
        if (!Decision.Rendered)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.AttachDecision.ToCode(), "the decision is not rendered yet");
        }
    }

    /// <summary>The court attaches the decision as a file, or a corrected one.</summary>
    /// <param name="id">UUID of the file.</param>
    /// <param name="current">The file that it replaces; null when it is the first.</param>
    /// <param name="sizeBytes">Its length.</param>
    /// <param name="sha256">SHA-256 of its bytes.</param>
    /// <param name="acting">Who and when.</param>
    public DecisionDocument AttachDecision(Guid id, DecisionDocument? current, long sizeBytes, byte[] sha256, Acting acting)
    {
        RequireAttachable();
        if (current is not null)
        {
            current.ReplacedAt = acting.Now;
        }

        Add(MesureAct.AttachDecision, acting, new FactDetails { DocumentId = id, SizeBytes = sizeBytes, Sha256 = Convert.ToHexStringLower(sha256) });
        return new DecisionDocument
        {
            Id = id,
            MesureId = Id,
            ContentId = id,
            Number = (current?.Number ?? 0) + 1,
            SizeBytes = sizeBytes,
            Sha256 = sha256,
            AttachedAt = acting.Now,
        };
    }

    /// <summary>The judge revokes (rapporte) the decision: the mesure is closed.</summary>
    /// <param name="decisionDate">Day of the decision that revokes.</param>
    /// <param name="comment">Text.</param>
    /// <param name="acting">Who and when.</param>
    public void Revoke(DateOnly decisionDate, string comment, Acting acting)
    {
        Require(MesureAct.Revoke);
        if (Decision.Date is not { } decided)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Revoke.ToCode(), "the decision is not rendered yet");
        }

        if (decisionDate < decided)
        {
            throw DomainError.Invalid("revocation.decision_date", "must not lie before the decision that ordered the mesure");
        }

        ClosureReason = ClosureReason.JugeRapportee;
        ClosureComment = comment;
        ClosureDecisionDate = decisionDate;
        WaitFor([]);
        Add(MesureAct.Revoke, acting, new FactDetails { ClosureReason = ClosureReason.JugeRapportee });
    }

    /// <summary>
    /// The judge designates another espace: this mesure is closed and a new one, which continues it, is transmitted there.
    /// </summary>
    /// <param name="successorId">UUID of the new mesure.</param>
    /// <param name="reference">Its reference.</param>
    /// <param name="espace">The other espace.</param>
    /// <param name="decisionDate">Day of the decision that designates it; null where the decision itself named it in subsidiary order.</param>
    /// <param name="firstHeldOn">Day of the first rencontre held, on the calendar of its lieu; null when none was.</param>
    /// <param name="comment">Text.</param>
    /// <param name="acting">Who and when.</param>
    /// <returns>The new mesure, and the difficulty that its transmission raised, if any.</returns>
    public (Mesure Successor, Difficulty? Difficulty) Redesignate(
        Guid successorId, string reference, EspaceView espace, DateOnly? decisionDate, DateOnly? firstHeldOn, string comment, Acting acting)
    {
        Require(MesureAct.Redesignate);
        if (espace.Id == EspaceId)
        {
            throw DomainError.EspaceNotDesignable(espace.Id, "it is the espace of this mesure");
        }

        if (decisionDate < Decision.Date)
        {
            throw DomainError.Invalid("redesignation.decision_date", "must not lie before the decision that ordered the mesure");
        }

        ClosureReason = ClosureReason.Transfert;
        ClosureComment = comment;
        ClosureDecisionDate = decisionDate ?? Decision.Date;
        WaitFor([]);
        Add(MesureAct.Redesignate, acting, new FactDetails { ClosureReason = ClosureReason.Transfert });

        var successor = new Mesure
        {
            Id = successorId,
            Reference = reference,
            Nature = Nature,
            PredecessorId = Id,
            JuridictionId = JuridictionId,
            EspaceId = espace.Id,
            RgIndex = RgIndex,
            CreatedAt = acting.Now,
        };
        successor.Replace(Decision with
        {
            Date = ClosureDecisionDate,
            DurationFrom = Decision.DurationFrom ?? (Decision.TermStart == TermStart.FirstRencontre ? firstHeldOn : Decision.Date),
            SubsidiaryEspaceId = Decision.SubsidiaryEspaceId == espace.Id ? null : Decision.SubsidiaryEspaceId,
            // A day that has passed was meant for the other espace: to this one nobody can keep it.
            ContactDeadline = Decision.ContactDeadline < acting.OccurredAt.DayInParis() ? null : Decision.ContactDeadline,
        });
        successor.Add(MesureAct.Create, acting);
        successor.Defects = [.. Defects.Where(d => !DesignationRules.IsOfTheEspace(d))];
        successor.Add(MesureAct.Complete, acting, successor.WithDefects(FactDetails.None));
        return (successor, successor.Transmit(espace, acting));
    }

    /// <summary>Closes the mesure.</summary>
    public void Close(ClosureReason reason, string comment, ClosureDestination destination, Acting acting)
    {
        RequireClosable(reason, acting);
        ClosureReason = reason;
        ClosureComment = comment;
        ClosureDestination = destination;
        WaitFor([]);
        Add(MesureAct.Close, acting, new FactDetails { ClosureReason = reason });
    }

    /// <summary>Refuses a closing that the mesure does not allow, before anything is given up for it.</summary>
    public void RequireClosable(ClosureReason reason, Acting acting)
    {
        Require(MesureAct.Close);
        if (Status.DangersUntold > 0)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Close.ToCode(), Untold);
        }

        if (Closures.IsSansSuite(reason))
        {
            RequireUnscheduled(MesureAct.Close);
        }

        if (Closures.IsAbsenceDeContact(reason))
        {
            RequireDeadlinePassed(MesureAct.Close, acting);
        }

        if (reason == ClosureReason.ArriveeATerme)
        {
            RequireTermReached(acting);
        }

        // Whoever is protected must not be pressed into an agreement: only the judge takes back what was ordered (C. civ. 515-11).
        if (reason == ClosureReason.InterruptionMeilleurAccord && Decision.LegalBasis == LegalBasis.Article51511)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Close.ToCode(), "under an ordonnance de protection no agreement of the parents ends the mesure: refer it to the judge");
        }

        if (Closures.IsInterruption(reason) && !Status.EverScheduled)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Close.ToCode(), "no rencontre was ever scheduled: the mesure is without follow-up, not interrupted");
        }
    }

    /// <summary>Takes back a closing that was a mistake.</summary>
    /// <param name="history">All facts of the mesure.</param>
    /// <param name="pending">Starts of the rencontres without outcome.</param>
    /// <param name="byTheCourt">Whether the court acts; an espace may take back its own closing only.</param>
    /// <param name="comment">Why.</param>
    /// <param name="acting">Who and when.</param>
    public void Reopen(IReadOnlyList<MesureFact> history, IReadOnlyCollection<DateTimeOffset> pending, bool byTheCourt, string comment, Acting acting)
    {
        Require(MesureAct.Reopen);
        if (!MayReopen(history, byTheCourt))
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Reopen.ToCode(), ClosureReason == ClosureReason.Transfert
                ? "the mesure goes on at another espace" : "whoever closed it, or the court, may reopen it");
        }

        // A mesure that was closed before this was kept knows it from its history.
        Status = MesureStatus.Fold(history);
        ClosureReason = ClosureReason.Unspecified;
        ClosureComment = "";
        ClosureDestination = ClosureDestination.Unspecified;
        ClosureDecisionDate = null;
        ReopeningComment = comment;
        FilesErasedAt = null;
        Add(MesureAct.Reopen, acting);
        WaitFor(pending);
    }

    /// <summary>Notes that the files of the mesure are erased, those of its thread by whoever hears of it.</summary>
    /// <param name="now">Now.</param>
    public void EraseFiles(DateTimeOffset now)
    {
        Require(MesureAct.Purge);
        FilesErasedAt = now;
        Add(MesureAct.Purge, new Acting(Guid.Empty, "", now, now), new FactDetails { Purge = PurgeScope.Files }, byJafer: true);
    }

    /// <summary>
    /// Empties what concerns persons in the mesure itself; what belongs to it is emptied beside this. Codes, dates and the history
    /// stay, so that every count of before can be counted again.
    /// </summary>
    /// <param name="now">Now.</param>
    public void Anonymise(DateTimeOffset now)
    {
        Require(MesureAct.Purge);
        Decision = Decision.Anonymous();
        (RgIndex, ClosureComment, ReopeningComment) = (null, "", "");
        FilesErasedAt ??= now;
        Add(MesureAct.Purge, new Acting(Guid.Empty, "", now, now), new FactDetails { Purge = PurgeScope.Content }, byJafer: true);
        AnonymisedAt = now;
    }

    /// <summary>Refuses what is asked of a mesure of which nothing is left to act on.</summary>
    public void RequireContent()
    {
        if (AnonymisedAt is not null)
        {
            throw DomainError.Anonymised(Id);
        }
    }

    /// <summary>
    /// Whether a closing may be taken back: by the court any, by the espace its own and one that was recorded on its behalf, and
    /// by nobody one by which the mesure went on elsewhere.
    /// </summary>
    public bool MayReopen(IEnumerable<MesureFact> history, bool byTheCourt) =>
        ClosureReason != ClosureReason.Transfert
        && (byTheCourt || (history.Where(f => f.Act is MesureAct.Close or MesureAct.Revoke).MaxBy(f => f.Version) is { } closing
            && (closing.ActorOrganisationId == GestionnaireId || closing.Details.OnBehalf is not null)));

    private const string Untold = "a danger is recorded of which nobody outside was told: record the external alert first";

    // Most mesures have none, and say nothing of them.
    private FactDetails WithDefects(FactDetails details) => Defects.Length == 0 ? details : details with { Defects = Defects };

    private static Guid NewId(Acting acting) => Guid.CreateVersion7(acting.Now);

    private void Replace(Decision decision)
    {
        Decision = decision;
        Term = decision.Term(null);
    }

    private void Act(MesureAct act, Acting acting, FactDetails? details = null)
    {
        Require(act);
        Add(act, acting, details);
    }

    private Difficulty Refer(MesureAct act, Difficulty difficulty, Acting acting, Guid? jobId = null)
    {
        Add(act, acting, new FactDetails
        {
            DifficultyId = difficulty.Id,
            Urgent = difficulty.Urgent,
            Danger = difficulty.Reason == DifficultyReason.Danger ? true : null,
            BulkJobId = jobId,
        });
        return difficulty;
    }

    private void RequireUnscheduled(MesureAct act)
    {
        if (Status.EverScheduled)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), act.ToCode(), "a rencontre was scheduled: the mesure is interrupted, not without follow-up");
        }
    }

    private void RequireDeadlinePassed(MesureAct act, Acting acting)
    {
        if (acting.OccurredAt.DayInParis() <= Decision.ContactDeadline)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), act.ToCode(), "the decision still leaves the parents time to make contact");
        }
    }

    // Where no duration was fixed there is no term to wait for. One that runs from the first rencontre has not begun before it.
    private void RequireTermReached(Acting acting)
    {
        if (Decision.DurationMonths is not null && !(Term <= acting.OccurredAt.DayInParis()))
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.Close.ToCode(), "the term of the mesure has not come: what ends it before is another reason");
        }
    }

    private void RequireJudge(MesureAct act)
    {
        if (Nature != MesureNature.Judiciaire)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), act.ToCode(), "no judge ordered this mesure");
        }
    }

    private void Require(MesureAct act)
    {
        RequireContent();
        if (!Status.Allows(act))
        {
            throw DomainError.StateForbids(Status.State.ToCode(), act.ToCode());
        }
    }

    private void Add(MesureAct act, Acting acting, FactDetails? details = null, bool byJafer = false)
    {
        var said = details ?? FactDetails.None;
        var fact = new MesureFact
        {
            Id = NewId(acting),
            MesureId = Id,
            Version = ++Version,
            Act = act,
            OccurredAt = acting.OccurredAt,
            RecordedAt = acting.Now,
            ActorOrganisationId = byJafer ? null : acting.OrganisationId,
            ActorSubject = byJafer || acting.Subject.Length == 0 ? null : acting.Subject,
            SourceSystem = byJafer ? null : acting.Source?.System,
            ExternalId = byJafer ? null : acting.Source?.ExternalId,
            Details = acting.OnBehalf is { } source && !byJafer ? said with { OnBehalf = source } : said,
        };
        Status = Status.Apply(fact);
        UpdatedAt = acting.Now;
        _newFacts.Add(fact);
    }
}
