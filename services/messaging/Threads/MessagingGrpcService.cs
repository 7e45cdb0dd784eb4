using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Proto = Jafer.Contracts.Messaging.V1;

namespace Jafer.Messaging.Threads;

/// <summary>The rpcs of messaging, each in its own file; here what they share.</summary>
internal sealed partial class MessagingGrpcService(
    MessagingDbContext db, ThreadAccess threads, Commands<MessagingDbContext> commands, PageTokens pageTokens, IOptions<ConversationOptions> options,
    IOptions<EscalationOptions> escalation, TimeProvider clock) : MessagingService.MessagingServiceBase
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 200;

    // What a thread shows of what is expected: whoever has more open than that reads them by ListMessages.
    private const int MaxExpectations = 50;

    private static string ResourceOf(ThreadKey key) => $"threads/{key.ThreadId}";

    private static ThreadKey Key(FieldChecks check, string mesureId, string espaceId) => ThreadKey.Of(check, mesureId, espaceId);

    /// <summary>The person who calls, or for whom software does; null when software names nobody.</summary>
    private static string? PersonOf(Caller caller) => caller.IsPerson ? caller.Subject : caller.OnBehalfOf is { Length: > 0 } person ? person : null;

    /// <summary>For which side the caller speaks.</summary>
    private static AuthorKind SideOf(Caller caller, MessageThread thread) => thread.SideOf(caller.OrganisationId)
        ?? (ThreadAccess.IsOperatorHere(caller, thread) ? AuthorKind.Operateur : throw DomainError.Forbidden());

    /// <summary>Who reads, for lists.</summary>
    private Reader ReaderOf(Caller caller) => new(
        caller.OrganisationId, PersonOf(caller), caller is { Cell.WithTerritory: true, Territory: { } territory } ? [.. territory.EspaceIds] : null, escalation.Value.OperatorId);

    private Task<MessageThread> FindAsync(Caller caller, ThreadKey key, CancellationToken ct) => threads.FindAsync(caller, key, ct);

    private Task<MessageThread> LockAsync(Caller caller, ThreadKey key, CancellationToken ct) => threads.LockAsync(caller, key, ct);

    private void RequireWritable(MessageThread thread, string act, DateTimeOffset now) => threads.RequireWritable(thread, act, now);

    /// <summary>A message of a thread; refused at its field when it is none, and when it is an entry of Jafer.</summary>
    private async Task<ThreadMessage> MessageAsync(MessageThread thread, Guid messageId, string field, CancellationToken ct)
    {
        var message = await db.Messages.AsNoTracking().SingleOrDefaultAsync(m => m.MessageId == messageId && m.ThreadId == thread.ThreadId, ct)
            ?? throw DomainError.Invalid(field, "is not a message of this thread");
        return message.EventType is null ? message : throw DomainError.Invalid(field, "is an entry of Jafer");
    }

    /// <summary>
    /// Threads with what an organisation, and a person of it, have neither written nor marked as read, and with what is still expected.
    /// </summary>
    private IQueryable<CountedThread> Count(IQueryable<MessageThread> threads, Reader reader)
    {
        var (organisationId, person) = (reader.OrganisationId, reader.PersonId);
        return threads.Select(t => new CountedThread
        {
            Thread = t,
            Unread = t.ErasedAt != null ? 0 : db.Messages.LongCount(m =>
                m.ThreadId == t.ThreadId && m.AuthorOrganisationId != null && m.AuthorOrganisationId != organisationId
                && m.Position > (db.Receipts.Where(r => r.ThreadId == t.ThreadId && r.OrganisationId == organisationId).Max(r => (long?)r.Position) ?? 0)),
            PersonUnread = person == null || t.ErasedAt != null ? 0 : db.Messages.LongCount(m =>
                m.ThreadId == t.ThreadId && m.AuthorOrganisationId != null && !(m.AuthorOrganisationId == organisationId && m.AuthorPersonId == person)
                && m.Position > (db.Receipts.Where(r => r.ThreadId == t.ThreadId && r.OrganisationId == organisationId && r.PersonId == person).Max(r => (long?)r.Position) ?? 0)),
            OpenQuestions = db.Expectations.Count(e => e.ThreadId == t.ThreadId && e.State == ExpectationState.Open && e.Kind == ExpectationKind.Answer),
            Unacknowledged = db.Expectations.Count(e => e.ThreadId == t.ThreadId && e.State == ExpectationState.Open && e.Kind == ExpectationKind.Acknowledgement),
        });
    }

    private async Task<Proto.Thread> ToProtoAsync(Caller caller, MessageThread thread, CancellationToken ct)
    {
        var counted = await Count(db.Threads.AsNoTracking().Where(t => t.ThreadId == thread.ThreadId), ReaderOf(caller)).SingleOrDefaultAsync(ct);
        return (await ToProtosAsync(caller, [counted ?? new CountedThread { Thread = thread }], ct))[0];
    }

    private async Task<List<Proto.Thread>> ToProtosAsync(Caller caller, IReadOnlyList<CountedThread> threads, CancellationToken ct)
    {
        var ids = threads.Where(t => t.OpenQuestions + t.Unacknowledged > 0).Select(t => t.Thread.ThreadId).ToArray();
        var open = ids.Length == 0 ? [] : await db.Expectations.AsNoTracking()
            .Where(e => ids.Contains(e.ThreadId) && e.State == ExpectationState.Open)
            .OrderBy(e => e.DueAt).ThenBy(e => e.Position).ThenBy(e => e.Kind)
            .ToListAsync(ct);
        var byThread = open.ToLookup(e => e.ThreadId);
        return [.. threads.Select(t => ToProto(caller, t, byThread[t.Thread.ThreadId].Take(MaxExpectations)))];
    }

    private Proto.Thread ToProto(Caller caller, CountedThread counted, IEnumerable<MessageExpectation> open)
    {
        var thread = counted.Thread;
        var proto = new Proto.Thread
        {
            Kind = thread.Kind,
            MesureId = thread.Kind == ThreadKind.Mesure ? thread.ThreadId.ToString() : "",
            EspaceId = thread.EspaceId?.ToString() ?? "",
            JuridictionId = thread.JuridictionId?.ToString() ?? "",
            GestionnaireId = thread.GestionnaireId.ToString(),
            OperateurId = thread.OperateurId?.ToString() ?? "",
            MessageCount = thread.MessageCount,
            UnreadCount = counted.Unread,
            PersonUnreadCount = counted.PersonUnread,
            OpenQuestionCount = counted.OpenQuestions,
            UnacknowledgedCount = counted.Unacknowledged,
            LastMessageTime = thread.MessageCount == 0 ? null : thread.LastMessageAt.ToProto(),
            HeadHash = Bytes(thread.HeadHash),
            ClosedTime = thread.ClosedAt.ToProto(),
            WritableUntilTime = (thread.ClosedAt + options.Value.WritableAfterClosing).ToProto(),
            PredecessorMesureId = thread.PredecessorId is { } predecessor && caller.OrganisationId == thread.JuridictionId ? predecessor.ToString() : "",
        };
        proto.Expectations.AddRange(open.Select(e => ToProto(thread, e)));
        return proto;
    }

    private static Expectation ToProto(MessageThread thread, MessageExpectation expectation) => new()
    {
        MessageId = expectation.MessageId.ToString(),
        Position = expectation.Position,
        Kind = expectation.Kind,
        MustAct = expectation.MustAct,
        MustActOrganisationId = thread.OrganisationOf(expectation.MustAct)?.ToString() ?? "",
        MustActContactId = expectation.MustActContactId ?? "",
        DueTime = expectation.DueAt.ToProto(),
        State = expectation.State,
        ReminderCount = expectation.Reminders,
        CloseTime = expectation.ClosedAt.ToProto(),
        AnswerMessageId = expectation.AnswerMessageId?.ToString() ?? "",
        ClosedByOrganisationId = expectation.ClosedByOrganisationId?.ToString() ?? "",
        ClosedByPersonId = expectation.ClosedByPersonId ?? "",
    };

    private static Google.Protobuf.ByteString Bytes(byte[]? bytes) =>
        bytes is null ? Google.Protobuf.ByteString.Empty : Google.Protobuf.UnsafeByteOperations.UnsafeWrap(bytes);

    /// <summary>For whom unread messages are counted.</summary>
    /// <param name="OrganisationId">Their organisation.</param>
    /// <param name="PersonId">The person; null for none.</param>
    /// <param name="Espaces">The espaces of the territory of an operator who has one; null for others.</param>
    /// <param name="NationalOperatorId">Who is named as the operator in threads of espaces.</param>
    private readonly record struct Reader(Guid OrganisationId, string? PersonId, Guid[]? Espaces, Guid NationalOperatorId)
    {
        /// <summary>Whose side is theirs where the operator's is: of a territory they speak for the operator who is named in its threads.</summary>
        public Guid OperateurId => Espaces is null ? OrganisationId : NationalOperatorId;

        /// <summary>The threads of espaces that are theirs as operators.</summary>
        public IQueryable<MessageThread> AsOperator(IQueryable<MessageThread> threads)
        {
            var (operateur, espaces) = (OperateurId, Espaces);
            var named = threads.Where(t => t.OperateurId == operateur);
            return espaces is null ? named : named.Where(t => espaces.Contains(t.EspaceId!.Value));
        }
    }

    private sealed class CountedThread
    {
        public required MessageThread Thread { get; init; }

        public long Unread { get; init; }

        public long PersonUnread { get; init; }

        public int OpenQuestions { get; init; }

        public int Unacknowledged { get; init; }
    }
}
