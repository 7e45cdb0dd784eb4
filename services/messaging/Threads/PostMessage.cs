using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Activity = System.Diagnostics.Activity;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    private const int MaxBodyLength = 10_000;

    public override Task<PostMessageResponse> PostMessage(PostMessageRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var body = check.Text("body", request.Body, MaxBodyLength, required: true);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var caller = context.Caller();
            await db.Database.BeginTransactionAsync(ct);
            var thread = Admit(caller, await db.LockThreadAsync(mesureId, ct));
            var side = thread.SideOf(caller.OrganisationId) ?? throw DomainError.Forbidden();
            var now = clock.GetStoredNow();
            var message = new ThreadMessage
            {
                MesureId = mesureId,
                Position = thread.Append(now),
                MessageId = Guid.CreateVersion7(now),
                AuthorKind = side,
                AuthorOrganisationId = caller.OrganisationId,
                Body = body,
                CreatedAt = now,
            };
            db.Messages.Add(message);
            db.Publish(new MessagePosted
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = mesureId,
                AggregateVersion = message.Position,
                OccurredAt = now,
                RecordedAt = now,
                CorrelationId = Activity.Current?.TraceId.ToString(),
                MessageId = message.MessageId,
                JuridictionId = thread.JuridictionId,
                GestionnaireId = thread.GestionnaireId,
                AuthorOrganisationId = caller.OrganisationId,
            });
            return new PostMessageResponse
            {
                MessageId = message.MessageId.ToString(),
                Position = message.Position,
                CreateTime = now.ToProto(),
            };
        }, _ => ResourceOf(request.MesureId));
    }
}
