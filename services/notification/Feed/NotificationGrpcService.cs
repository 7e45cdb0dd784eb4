using Google.Protobuf.Collections;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Feed;

/// <summary>The rpcs of notification, each in its own file; here what they share.</summary>
internal sealed partial class NotificationGrpcService(
    FeedReader feed, FeedHub hub, FeedConsumers consumers, PageTokens tokens, DeliveryProofs proofs, IOptions<FeedOptions> options, TimeProvider clock)
    : NotificationService.NotificationServiceBase
{
    private static string[] Types(FieldChecks check, RepeatedField<string> types) => TypeFilter.Read(check, "types", types);

    /// <summary>The position that a resume token holds; null for an empty token.</summary>
    private long? Position(Caller caller, string resumeToken) => resumeToken.Length == 0
        ? null
        : tokens.TryUnprotect<Resume>(resumeToken, Binding(caller))?.Position ?? throw DomainError.ResumeTokenInvalid();

    /// <summary>Keeps the proof that the caller has every transmission up to the token with which it resumed, and how far it has its feed.</summary>
    private async Task ProveAsync(Caller caller, long? position, FeedPage page, string[] types, CancellationToken ct)
    {
        if (position is not > 0)
        {
            return;
        }

        if (types.Length == 0)
        {
            await proofs.NoteResumptionAsync(caller.OrganisationId, position.Value, ct);
        }

        if (page.Undelivered && DeliveryProofs.Cover(types))
        {
            await proofs.NoteAsync(caller.OrganisationId, position.Value, ct);
        }
    }

    private string Token(Caller caller, long position) => tokens.Protect(new Resume(position), Binding(caller));

    private static byte[] Binding(Caller caller) => PageTokens.Binding(caller.OrganisationId, "resume", []);

    private sealed record Resume(long Position);
}
