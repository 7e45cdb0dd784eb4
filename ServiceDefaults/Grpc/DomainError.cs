using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>One field of a request that is wrong.</summary>
/// <param name="Field">Path in the request as the proto spells it, such as "decision.periodicity.unit".</param>
/// <param name="Description">What is wrong, in English, without the value.</param>
public sealed record FieldViolation(string Field, string Description);

/// <summary>One rule that stands against an act.</summary>
/// <param name="Type">Stable code of the rule.</param>
/// <param name="Subject">What it is about, such as a field path.</param>
/// <param name="Description">What is wrong, in English, without personal data.</param>
public sealed record RuleViolation(string Type, string Subject, string Description);

/// <summary>
/// A refusal that a caller can understand. The only exception that services throw on purpose; the error interceptor turns it
/// into a gRPC status with google.rpc details. Its text goes to the caller: no personal data, no internals.
/// </summary>
public sealed class DomainError : Exception
{
    private DomainError(StatusCode code, ErrorReason reason, string message)
        : base(message)
    {
        Code = code;
        Reason = reason;
    }

    /// <summary>gRPC status code.</summary>
    public StatusCode Code { get; }

    /// <summary>Machine-readable reason.</summary>
    public ErrorReason Reason { get; }

    /// <summary>Dynamic parts of the message.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private init; } = new Dictionary<string, string>();

    /// <summary>Wrong fields, for INVALID_ARGUMENT.</summary>
    public IReadOnlyList<FieldViolation> Fields { get; private init; } = [];

    /// <summary>Violated rules, for FAILED_PRECONDITION.</summary>
    public IReadOnlyList<RuleViolation> Rules { get; private init; } = [];

    /// <summary>How long to wait before trying again; null when trying again does not help.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>The message for a person, in French; null for errors that only a program meets.</summary>
    public string? MessageFr { get; private init; }

    /// <summary>INVALID_ARGUMENT: one or more fields are wrong.</summary>
    /// <param name="fields">Every violation found.</param>
    public static DomainError Invalid(IReadOnlyList<FieldViolation> fields) =>
        new(StatusCode.InvalidArgument, ErrorReason.RequestInvalid, "The request is invalid; see the field violations.")
        {
            Fields = fields,
            MessageFr = "La demande comporte des erreurs.",
        };

    /// <summary>INVALID_ARGUMENT: one field is wrong.</summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="description">What is wrong.</param>
    public static DomainError Invalid(string field, string description) => Invalid([new FieldViolation(field, description)]);

    /// <summary>INVALID_ARGUMENT: what was sent is no message of the rpc.</summary>
    public static DomainError Malformed() =>
        new(StatusCode.InvalidArgument, ErrorReason.RequestInvalid, "What was sent is no message of this method.");

    /// <summary>INVALID_ARGUMENT: the request id was used for something else.</summary>
    public static DomainError RequestIdReused() =>
        new(StatusCode.InvalidArgument, ErrorReason.RequestIdReused, "This request_id was already used with other content.")
        {
            Fields = [new FieldViolation("request_id", "was already used with other content")],
        };

    /// <summary>INVALID_ARGUMENT: the page token is not one of this list.</summary>
    public static DomainError PageTokenInvalid() =>
        new(StatusCode.InvalidArgument, ErrorReason.PageTokenInvalid, "The page token does not belong to this list with these arguments.")
        {
            Fields = [new FieldViolation("page_token", "does not belong to this list with these arguments")],
        };

    /// <summary>INVALID_ARGUMENT: the resume token is not one of this organisation's feed.</summary>
    public static DomainError ResumeTokenInvalid() =>
        new(StatusCode.InvalidArgument, ErrorReason.ResumeTokenInvalid, "The resume token does not belong to this feed.")
        {
            Fields = [new FieldViolation("resume_token", "does not belong to this feed")],
        };

    /// <summary>OUT_OF_RANGE: the feed no longer holds what follows the token.</summary>
    public static DomainError ResumeTokenExpired() =>
        new(StatusCode.OutOfRange, ErrorReason.ResumeTokenExpired, "The feed no longer keeps what follows the resume token: page ListMesures with updated_since_time, then read the feed without a token.")
        {
            Metadata = new Dictionary<string, string> { ["rpc"] = "jafer.mesure.v1.MesureService/ListMesures", ["field"] = "updated_since_time" },
        };

    /// <summary>UNAUTHENTICATED: no token.</summary>
    public static DomainError TokenMissing() =>
        new(StatusCode.Unauthenticated, ErrorReason.TokenMissing, "A bearer token is required.");

    /// <summary>UNAUTHENTICATED: a token that is not accepted.</summary>
    public static DomainError TokenInvalid() =>
        new(StatusCode.Unauthenticated, ErrorReason.TokenInvalid, "The bearer token is not accepted.");

    /// <summary>PERMISSION_DENIED: the same answer for what is forbidden, another's, or absent.</summary>
    public static DomainError Forbidden() =>
        new(StatusCode.PermissionDenied, ErrorReason.CallerForbidden, "The caller may not do this.")
        {
            MessageFr = "Vous n'avez pas accès à cet élément.",
        };

    /// <summary>PERMISSION_DENIED: the organisation has members, and the person is none of them.</summary>
    public static DomainError MemberUnknown() =>
        new(StatusCode.PermissionDenied, ErrorReason.MemberUnknown, "The person is no member of the organisation.")
        {
            MessageFr = "Vous n'êtes pas membre de cette organisation dans Jafer.",
        };

    /// <summary>PERMISSION_DENIED: the person is a suspended member.</summary>
    public static DomainError MemberSuspended() =>
        new(StatusCode.PermissionDenied, ErrorReason.MemberSuspended, "The person is a suspended member of the organisation.")
        {
            MessageFr = "Votre accès est suspendu.",
        };

    /// <summary>PERMISSION_DENIED: the rank is too low for the rpc.</summary>
    /// <param name="needed">The rank that it needs.</param>
    public static DomainError RankInsufficient(MemberRank needed) =>
        new(StatusCode.PermissionDenied, ErrorReason.RankInsufficient, $"This needs the rank {needed.ToCode()}.")
        {
            Metadata = new Dictionary<string, string> { ["rank"] = needed.ToCode() },
            MessageFr = "Votre rang dans l'organisation ne permet pas cette action.",
        };

    /// <summary>FAILED_PRECONDITION: the organisation would be left without a manager.</summary>
    public static DomainError LastManager() =>
        new(StatusCode.FailedPrecondition, ErrorReason.LastManager, "The member is the last manager of the organisation.")
        {
            Rules = [new RuleViolation("LAST_MANAGER", "member", "the last active manager cannot be removed, suspended or lowered")],
            MessageFr = "Cette personne est la dernière à gérer les droits de l'organisation.",
        };

    /// <summary>PERMISSION_DENIED: a code that opens no invitation, for whatever reason.</summary>
    public static DomainError InvitationInvalid() =>
        new(StatusCode.PermissionDenied, ErrorReason.InvitationInvalid, "The code opens no invitation.")
        {
            MessageFr = "Ce code d'invitation n'est pas ou plus valable.",
        };

    /// <summary>NOT_FOUND, for callers who may read all things of the kind.</summary>
    /// <param name="resource">Name of the resource, such as "espaces/0198…".</param>
    public static DomainError NotFound(string resource) =>
        new(StatusCode.NotFound, ErrorReason.ResourceNotFound, $"{resource} does not exist.")
        {
            Metadata = new Dictionary<string, string> { ["resource"] = resource },
        };

    /// <summary>FAILED_PRECONDITION: the state does not allow the act.</summary>
    /// <param name="state">State, such as "CLOTUREE".</param>
    /// <param name="act">Act, such as "SCHEDULE_RENCONTRE".</param>
    /// <param name="because">What stands against it, when the state alone does not say; English, no personal data.</param>
    public static DomainError StateForbids(string state, string act, string? because = null) =>
        new(StatusCode.FailedPrecondition, ErrorReason.StateForbids, because is null ? $"{act} is not possible in state {state}." : $"{act} is not possible in state {state}: {because}.")
        {
            Metadata = new Dictionary<string, string> { ["state"] = state, ["act"] = act },
            Rules = [new RuleViolation("STATE", "state", because ?? $"{act} is not possible in state {state}")],
            MessageFr = "L'état actuel ne permet pas cette action.",
        };

    /// <summary>FAILED_PRECONDITION: what concerned persons in the mesure is erased, and no act is possible any more.</summary>
    /// <param name="mesureId">The mesure.</param>
    public static DomainError Anonymised(Guid mesureId) =>
        new(StatusCode.FailedPrecondition, ErrorReason.MesureAnonymised, "The time to keep the content of this mesure is over: it is erased.")
        {
            Metadata = new Dictionary<string, string> { ["mesure_id"] = mesureId.ToString() },
            Rules = [new RuleViolation("RETENTION", $"mesures/{mesureId}", "its content is erased")],
            MessageFr = "Le contenu de cette mesure a été effacé au terme de sa durée de conservation.",
        };

    /// <summary>FAILED_PRECONDITION: rules on the content are violated.</summary>
    /// <param name="rules">Every rule violated.</param>
    public static DomainError RulesViolated(IReadOnlyList<RuleViolation> rules) =>
        new(StatusCode.FailedPrecondition, ErrorReason.RuleViolated, "The content violates rules; see the violations.")
        {
            Rules = rules,
            MessageFr = "Le contenu de la mesure n'est pas conforme.",
        };

    /// <summary>FAILED_PRECONDITION: the espace cannot be designated.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="because">Why; English, no personal data.</param>
    public static DomainError EspaceNotDesignable(Guid espaceId, string because) =>
        new(StatusCode.FailedPrecondition, ErrorReason.EspaceNotDesignable, $"The espace cannot be designated: {because}.")
        {
            Metadata = new Dictionary<string, string> { ["espace_id"] = espaceId.ToString() },
            Rules = [new RuleViolation("ESPACE", "espace_id", because)],
            MessageFr = "Cet espace de rencontre ne peut pas être désigné.",
        };

    /// <summary>FAILED_PRECONDITION: a slot for a first interview has another taker, or is past.</summary>
    /// <param name="slotId">The slot.</param>
    /// <param name="state">Its state, such as "BOOKED".</param>
    /// <param name="because">What stands against it; English, no personal data.</param>
    public static DomainError SlotTaken(Guid slotId, string state, string because) =>
        new(StatusCode.FailedPrecondition, ErrorReason.SlotTaken, $"The slot cannot be had: {because}.")
        {
            Metadata = new Dictionary<string, string> { ["slot_id"] = slotId.ToString(), ["state"] = state },
            Rules = [new RuleViolation("SLOT", $"interview-slots/{slotId}", because)],
            MessageFr = "Ce créneau d'entretien n'est plus disponible.",
        };

    /// <summary>FAILED_PRECONDITION: the slot of a lost rencontre has another taker, is past, or is offered no more.</summary>
    /// <param name="slotId">The slot.</param>
    /// <param name="state">Its state, such as "TAKEN".</param>
    /// <param name="because">What stands against it; English, no personal data.</param>
    public static DomainError FreeSlotTaken(Guid slotId, string state, string because) =>
        new(StatusCode.FailedPrecondition, ErrorReason.SlotTaken, $"The slot cannot be had: {because}.")
        {
            Metadata = new Dictionary<string, string> { ["slot_id"] = slotId.ToString(), ["state"] = state },
            Rules = [new RuleViolation("SLOT", $"free-slots/{slotId}", because)],
            MessageFr = "Ce créneau libéré n'est plus disponible.",
        };

    /// <summary>RESOURCE_EXHAUSTED: a limit on size or rate was passed.</summary>
    /// <param name="limit">The limit, in English, without personal data.</param>
    /// <param name="retryAfter">How long to wait.</param>
    public static DomainError LimitExceeded(string limit, TimeSpan retryAfter) =>
        new(StatusCode.ResourceExhausted, ErrorReason.LimitExceeded, $"A limit was passed: {limit}.") { RetryAfter = retryAfter };

    /// <summary>RESOURCE_EXHAUSTED: a message has more bytes than one may have, before or after decompression.</summary>
    public static DomainError MessageTooLarge() => LimitExceeded("bytes of a message; in parts it may be sent at once", TimeSpan.FromSeconds(1));

    /// <summary>ABORTED: another writer was faster, or the etag is not the current one.</summary>
    /// <param name="etag">Current etag, when it is known.</param>
    public static DomainError EtagMismatch(string? etag = null) =>
        new(StatusCode.Aborted, ErrorReason.EtagMismatch, "The resource was changed meanwhile.")
        {
            Metadata = etag is null ? [] : new Dictionary<string, string> { ["etag"] = etag },
            MessageFr = "L'élément a été modifié entre-temps.",
        };

    /// <summary>UNAVAILABLE: the store or another service does not answer for the moment.</summary>
    /// <param name="retryAfter">When to try again.</param>
    public static DomainError Unavailable(TimeSpan retryAfter) =>
        new(StatusCode.Unavailable, ErrorReason.ServiceUnavailable, "The service cannot answer for the moment.")
        {
            RetryAfter = retryAfter,
        };
}
