using System.Security.Cryptography;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Attachments;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    private const int MaxBodyLength = 10_000;
    private const int MaxTemplateCodeLength = 50;

    public override Task<PostMessageResponse> PostMessage(PostMessageRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var body = check.Text("body", request.Body, MaxBodyLength, required: true);
        var kind = check.KnownOrUnspecified("kind", request.Kind) is var given && given == MessageKind.Unspecified ? MessageKind.Ordinaire : given;
        var corrects = check.OptionalUuid("corrects_message_id", request.CorrectsMessageId);
        var answers = check.OptionalUuid("answers_message_id", request.AnswersMessageId);
        var answerDue = check.OptionalTime("answer_due_time", request.AnswerDueTime);
        var answerBy = check.Text("answer_by_contact_id", request.AnswerByContactId, MaxContactIdLength);
        check.That(answerBy.Length == 0 || answerDue is not null, "answer_by_contact_id", "needs answer_due_time");
        var template = TemplateOf(check, request);
        var attachments = check.Uuids(NamedFiles.Field, request.AttachmentIds, 0, NamedFiles.Max);
        var requestId = check.RequestId(request.RequestId);
        if (corrects is not null)
        {
            // It says again what was said; whoever asks something else asks anew.
            check.That(kind == MessageKind.Ordinaire, "kind", "must be ORDINAIRE in a correction");
            check.That(answers is null, "answers_message_id", "must be absent in a correction");
            check.That(answerDue is null, "answer_due_time", "must be absent in a correction");
        }

        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = await LockAsync(caller, key, ct);
            var side = SideOf(caller, thread);
            var now = clock.GetStoredNow();
            RequireWritable(thread, "POST_MESSAGE", now);
            CheckOnTime(answerDue, now);
            await CheckMayAnswerAsync(thread, side, answerBy, ct);
            if (template is not null && (template.AuthorKind != side || template.ThreadKind != thread.Kind))
            {
                throw DomainError.Invalid("template_code", "is a template of another side or kind of thread");
            }

            if (corrects is { } correctedId)
            {
                await CheckCorrectableAsync(thread, side, correctedId, ct);
            }

            var person = PersonOf(caller);
            var salt = RandomNumberGenerator.GetBytes(ThreadChain.SaltLength);
            var messageId = Guid.CreateVersion7(now);
            var message = new ThreadMessage
            {
                ThreadId = thread.ThreadId,
                MessageId = messageId,
                AuthorKind = side,
                AuthorOrganisationId = caller.OrganisationId,
                AuthorPersonId = person,
                Kind = kind,
                Body = body,
                Salt = salt,
                BodyDigest = ThreadChain.BodyDigest(salt, body),
                CorrectsMessageId = corrects,
                AnswersMessageId = answers,
                AnswerDueAt = answerDue,
                TemplateCode = template?.Code,
                TemplateVersion = template?.Version,
                AttachmentDigests = await NamedFiles.NameAsync(db, attachments, thread, caller.OrganisationId, messageId, ct),
                CreatedAt = now,
            };
            var met = answers is { } answeredId ? await AnswerAsync(thread, side, person, answeredId, message, ct) : null;
            thread.Append(message);
            db.Messages.Add(message);
            await ExpectAsync(thread, message, answerBy, ct);
            db.Publish((EventTypes.Blank<MessagePosted>() with
            {
                MessageId = message.MessageId,
                AuthorOrganisationId = caller.OrganisationId,
                MessageKind = kind.ToCode(),
                AnswerDueAt = answerDue,
                AnswersMessageId = answers,
                MetMessageIds = met,
                CorrectsMessageId = corrects,
                Hash = Convert.ToHexStringLower(message.Hash),
            }).About(thread, message.Position, now));
            return new PostMessageResponse
            {
                MessageId = message.MessageId.ToString(),
                Position = message.Position,
                CreateTime = now.ToProto(),
                Hash = Bytes(message.Hash),
            };
        }, _ => ResourceOf(key));
    }

    private static MessageTemplate? TemplateOf(FieldChecks check, PostMessageRequest request)
    {
        var code = check.Text("template_code", request.TemplateCode, MaxTemplateCodeLength);
        if (code.Length == 0)
        {
            check.That(request.TemplateVersion == 0, "template_version", "needs template_code");
            return null;
        }

        var versions = TemplateBook.All.Where(t => t.Code == code).ToList();
        check.That(versions.Count > 0, "template_code", "is not a template of Jafer");
        var template = versions.Find(t => t.Version == request.TemplateVersion);
        check.That(versions.Count == 0 || template is not null, "template_version", "is not a version of this template");
        return template;
    }

    // Decided in the command: a repetition gets its answer also when the time has passed meanwhile.
    private static void CheckOnTime(DateTimeOffset? answerDue, DateTimeOffset now)
    {
        if (answerDue <= now)
        {
            throw DomainError.Invalid("answer_due_time", "must lie ahead");
        }

        if (answerDue > now.AddYears(1))
        {
            throw DomainError.Invalid("answer_due_time", "must lie at most one year ahead");
        }
    }

    /// <summary>Who must answer is one whom their own side named to answer: nobody is made responsible from outside.</summary>
    private async Task CheckMayAnswerAsync(MessageThread thread, AuthorKind side, string contactId, CancellationToken ct)
    {
        var organisationId = thread.OrganisationOf(thread.OtherThan(side));
        if (contactId.Length > 0 && !await db.Participants.AnyAsync(
            p => p.ThreadId == thread.ThreadId && p.OrganisationId == organisationId && p.ContactId == contactId && p.Role != ParticipantRole.Lecteur, ct))
        {
            throw DomainError.Invalid("answer_by_contact_id", "is no participant of the other side who answers or stands in");
        }
    }

    private async Task CheckCorrectableAsync(MessageThread thread, AuthorKind side, Guid correctedId, CancellationToken ct)
    {
        const string Field = "corrects_message_id";
        var corrected = await MessageAsync(thread, correctedId, Field, ct);
        if (corrected.AuthorKind != side)
        {
            throw DomainError.Invalid(Field, "is not a message of the own side");
        }

        if (corrected.OriginMessageId is not null)
        {
            throw DomainError.Invalid(Field, "was handed over from another thread");
        }

        if (await db.Messages.AnyAsync(m => m.CorrectsMessageId == correctedId, ct))
        {
            throw DomainError.Invalid(Field, "was corrected before: correct the correction");
        }
    }

    /// <summary>Ends what an answered message expects of the side that answers, and so what it corrects does; the ids of all of them.</summary>
    private async Task<IReadOnlyList<Guid>> AnswerAsync(MessageThread thread, AuthorKind side, string? person, Guid answeredId, ThreadMessage answer, CancellationToken ct)
    {
        const string Field = "answers_message_id";
        var answered = await MessageAsync(thread, answeredId, Field, ct);
        if (IsOwn(thread, side, person, answered))
        {
            throw DomainError.Invalid(Field, "is a message of the own side");
        }

        var ids = new List<Guid> { answeredId };
        while (answered.CorrectsMessageId is { } correctedId)
        {
            ids.Add(correctedId);
            answered = await db.Messages.AsNoTracking().SingleAsync(m => m.MessageId == correctedId, ct);
        }

        foreach (var expectation in await db.Expectations.Where(e => ids.Contains(e.MessageId) && e.MustAct == side && e.State == ExpectationState.Open).ToListAsync(ct))
        {
            expectation.Close(ExpectationState.Met, answer.CreatedAt, answer.AuthorOrganisationId!.Value, person, answer.MessageId);
        }

        return ids;
    }

    /// <summary>Whether a message is of those who would answer it: of their side, or, where there is one side only, of the same person.</summary>
    private static bool IsOwn(MessageThread thread, AuthorKind side, string? person, ThreadMessage message) =>
        message.AuthorKind == side && (thread.OtherThan(side) != side || message.AuthorPersonId == person);

    /// <summary>Notes what a new message expects of the other side.</summary>
    private async Task ExpectAsync(MessageThread thread, ThreadMessage message, string answerBy, CancellationToken ct)
    {
        var due = new List<(ExpectationKind Kind, DateTimeOffset At)>();
        if (message.Kind is MessageKind.Danger or MessageKind.Difficulte)
        {
            due.Add((ExpectationKind.Acknowledgement, message.CreatedAt
                + (message.Kind == MessageKind.Danger ? options.Value.AcknowledgeDangerWithin : options.Value.AcknowledgeDifficultyWithin)));
        }

        if (message.AnswerDueAt is { } answerDue)
        {
            due.Add((ExpectationKind.Answer, answerDue));
        }

        if (due.Count == 0)
        {
            return;
        }

        var mustAct = thread.OtherThan(message.AuthorKind);
        var espace = await db.Espaces.AsNoTracking().SingleOrDefaultAsync(e => e.EspaceId == thread.EspaceId, ct);
        var court = await db.Courts.AsNoTracking().SingleOrDefaultAsync(c => c.OrganisationId == thread.JuridictionId, ct);
        var calendar = ExpectationLadders.CalendarOf(mustAct, court?.Code, espace?.TimeZone, espace?.Departement);
        db.Expectations.AddRange(due.Select(d => new MessageExpectation
        {
            MessageId = message.MessageId,
            Kind = d.Kind,
            ThreadId = thread.ThreadId,
            Position = message.Position,
            AskedBy = message.AuthorKind,
            MustAct = mustAct,
            MustActContactId = d.Kind == ExpectationKind.Answer && answerBy.Length > 0 ? answerBy : null,
            DueAt = d.At,
            RemindAt = ExpectationLadders.Of(d.Kind, mustAct).First(d.At, calendar).At,
        }));
    }
}
