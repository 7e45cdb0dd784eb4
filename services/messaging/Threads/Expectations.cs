using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override Task<AcknowledgeMessageResponse> AcknowledgeMessage(AcknowledgeMessageRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var messageId = check.Uuid("message_id", request.MessageId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = await LockAsync(caller, key, ct);
            var side = SideOf(caller, thread);
            var message = await MessageAsync(thread, messageId, "message_id", ct);
            var person = PersonOf(caller);
            if (IsOwn(thread, side, person, message))
            {
                throw DomainError.Invalid("message_id", "is a message of the own side");
            }

            var expectation = await db.Expectations.SingleOrDefaultAsync(e => e.MessageId == messageId && e.Kind == ExpectationKind.Acknowledgement, ct)
                ?? throw DomainError.Invalid("message_id", "is not urgent: it expects no acknowledgement");
            if (expectation.State == ExpectationState.Open)
            {
                var now = clock.GetStoredNow();
                expectation.Close(ExpectationState.Met, now, caller.OrganisationId, person);
                db.Publish((EventTypes.Blank<MessageAcknowledged>() with
                {
                    MessageId = messageId,
                    AcknowledgerOrganisationId = caller.OrganisationId,
                }).About(thread, message.Position, now));
            }

            return new AcknowledgeMessageResponse { Expectation = ToProto(thread, expectation) };
        }, _ => ResourceOf(key));
    }

    public override Task<WithdrawQuestionResponse> WithdrawQuestion(WithdrawQuestionRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var key = Key(check, request.MesureId, request.EspaceId);
        var messageId = check.Uuid("message_id", request.MessageId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = await LockAsync(caller, key, ct);
            var side = SideOf(caller, thread);
            var message = await MessageAsync(thread, messageId, "message_id", ct);
            if (message.AuthorKind != side)
            {
                throw DomainError.Invalid("message_id", "is not a message of the own side");
            }

            var question = await db.Expectations.SingleOrDefaultAsync(e => e.MessageId == messageId && e.Kind == ExpectationKind.Answer, ct)
                ?? throw DomainError.Invalid("message_id", "asks for no answer");
            if (question.State == ExpectationState.Met)
            {
                throw DomainError.StateForbids(question.State.ToCode(), "WITHDRAW_QUESTION", "the question was answered");
            }

            if (question.State == ExpectationState.Open)
            {
                var now = clock.GetStoredNow();
                question.Close(ExpectationState.Withdrawn, now, caller.OrganisationId, PersonOf(caller));
                db.Publish((EventTypes.Blank<QuestionWithdrawn>() with
                {
                    MessageId = messageId,
                    AuthorOrganisationId = caller.OrganisationId,
                }).About(thread, message.Position, now));
            }

            return new WithdrawQuestionResponse { Expectation = ToProto(thread, question) };
        }, _ => ResourceOf(key));
    }
}
