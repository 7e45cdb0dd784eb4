using System.Net.Mail;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Feed;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Entity = Jafer.Notifications.Data.WebhookEndpoint;
using WebhookEndpoint = Jafer.Contracts.Notification.V1.WebhookEndpoint;

namespace Jafer.Notifications.Webhooks;

/// <summary>The endpoints of organisations.</summary>
internal sealed partial class WebhookGrpcService(
    NotificationsDbContext db, Commands<NotificationsDbContext> commands, WebhookSecrets secrets, WebhookAddresses addresses, WebhookSignal signal, PageTokens tokens,
    TimeProvider clock) : WebhookService.WebhookServiceBase
{
    private const int MaxEndpoints = 10;
    private static readonly TimeSpan s_overlap = TimeSpan.FromHours(24);
    private static readonly TimeSpan s_longestOverlap = TimeSpan.FromDays(7);
    private static readonly string[] s_changeable = ["url", "types", "contact_email", "paused"];

    public override async Task<CreateEndpointResponse> CreateEndpoint(CreateEndpointRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var requestId = check.RequestId(request.RequestId);
        var content = Content(check, request.Endpoint, s_changeable);
        check.ThrowIfAny();
        var caller = context.Caller();
        var response = await commands.RunAsync(context, request, requestId, async ct =>
        {
            await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({"webhook-endpoints:" + caller.OrganisationId}, 0))", ct);
            if (await db.WebhookEndpoints.CountAsync(e => e.OrganisationId == caller.OrganisationId && e.State != Entity.Deleted, ct) >= MaxEndpoints)
            {
                throw DomainError.LimitExceeded("an organisation has at most 10 endpoints", TimeSpan.FromHours(1));
            }

            var now = clock.GetStoredNow();
            var id = Guid.CreateVersion7(now);
            var endpoint = new Entity
            {
                EndpointId = id,
                OrganisationId = caller.OrganisationId,
                Url = content.Url,
                Types = content.Types,
                ContactEmail = content.ContactEmail,
                State = (content.Paused ? WebhookEndpointState.Paused : WebhookEndpointState.Enabled).ToCode(),
                SecretId = Guid.CreateVersion7(now),
                Secret = secrets.New(id),
                CreatedAt = now,
                UpdatedAt = now,
                Version = 1,
            };
            db.WebhookEndpoints.Add(endpoint);
            return new CreateEndpointResponse { Endpoint = ToProto(endpoint, now), SecretId = endpoint.SecretId.ToString() };
        }, r => Name(r.Endpoint.EndpointId));

        // Only now: what is kept for a repetition holds no secret.
        response.Secret = await SecretAsync(response.Endpoint.EndpointId, response.SecretId, context.CancellationToken);
        return response;
    }

    public override async Task<GetEndpointResponse> GetEndpoint(GetEndpointRequest request, ServerCallContext context)
    {
        var endpoint = await ReadAsync(new FieldChecks(), request.EndpointId, context);
        return new GetEndpointResponse { Endpoint = ToProto(endpoint, clock.GetUtcNow()) };
    }

    public override async Task<ListEndpointsResponse> ListEndpoints(ListEndpointsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 50, 200);
        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<EndpointCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var endpoints = db.WebhookEndpoints.AsNoTracking().Where(e => e.OrganisationId == caller.OrganisationId && e.State != Entity.Deleted);
        if (cursor is not null)
        {
            endpoints = endpoints.Where(e => e.EndpointId < cursor.Id);
        }

        // The ids are of version 7: the latest is the greatest.
        var page = await endpoints.OrderByDescending(e => e.EndpointId).Take(size + 1).ToListAsync(context.CancellationToken);
        var now = clock.GetUtcNow();
        var response = new ListEndpointsResponse();
        response.Endpoints.AddRange(page.Take(size).Select(e => ToProto(e, now)));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new EndpointCursor(page[size - 1].EndpointId), binding);
        }

        return response;
    }

    public override async Task<UpdateEndpointResponse> UpdateEndpoint(UpdateEndpointRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mask = request.UpdateMask?.Paths.Distinct().ToArray() ?? [];
        check.That(mask.Length > 0, "update_mask", "is required");
        check.That(Array.TrueForAll(mask, s_changeable.Contains), "update_mask", "names a field that cannot be changed");
        var content = Content(check, request.Endpoint, mask);
        var endpoint = await ChangeAsync(
            context, request, check, "endpoint.endpoint_id", request.Endpoint?.EndpointId ?? "", request.Etag, request.RequestId,
            async (endpoint, now, ct) =>
            {
                if (mask.Contains("url") && content.Url != endpoint.Url)
                {
                    // Another address has not failed yet.
                    (endpoint.Url, endpoint.Failures, endpoint.FailingSince, endpoint.RestUntil) = (content.Url, 0, null, null);
                }

                endpoint.Types = mask.Contains("types") ? content.Types : endpoint.Types;
                endpoint.ContactEmail = mask.Contains("contact_email") ? content.ContactEmail : endpoint.ContactEmail;
                if (mask.Contains("paused") && content.Paused)
                {
                    (endpoint.State, endpoint.DisabledAt, endpoint.NoticeAt) = (WebhookEndpointState.Paused.ToCode(), null, null);
                }
                else if (mask.Contains("paused") && endpoint.State == WebhookEndpointState.Paused.ToCode())
                {
                    await EnableAsync(endpoint, now, ct);
                }
            },
            e => new UpdateEndpointResponse { Endpoint = e });
        signal.Notify();
        return endpoint;
    }

    public override async Task<DeleteEndpointResponse> DeleteEndpoint(DeleteEndpointRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        return await ChangeAsync(
            context, request, check, "endpoint_id", request.EndpointId, request.Etag, request.RequestId,
            async (endpoint, _, ct) =>
            {
                // What was posted stays a proof; what it was posted with does not.
                (endpoint.State, endpoint.Url, endpoint.ContactEmail, endpoint.Secret) = (Entity.Deleted, "", "", "");
                (endpoint.PreviousSecretId, endpoint.PreviousSecret, endpoint.PreviousSecretExpiresAt) = (null, null, null);
                (endpoint.DisabledAt, endpoint.NoticeAt) = (null, null);
                await db.Database.BeginTransactionAsync(ct);
                await db.Database.ExecuteSqlAsync($"""
                    delete from webhook_deliveries where endpoint_id = {endpoint.EndpointId} and test;
                    update webhook_deliveries set state = 'FAILED', last_error = 'ENDPOINT_DELETED' where endpoint_id = {endpoint.EndpointId} and state = 'QUEUED'
                    """, ct);
            },
            _ => new DeleteEndpointResponse());
    }

    public override async Task<EnableEndpointResponse> EnableEndpoint(EnableEndpointRequest request, ServerCallContext context)
    {
        var response = await ChangeAsync(
            context, request, new FieldChecks(), "endpoint_id", request.EndpointId, request.Etag, request.RequestId,
            async (endpoint, now, ct) =>
            {
                if (endpoint.State == WebhookEndpointState.Enabled.ToCode())
                {
                    throw DomainError.StateForbids(endpoint.State, "ENABLE_ENDPOINT");
                }

                await EnableAsync(endpoint, now, ct);
            },
            e => new EnableEndpointResponse { Endpoint = e });
        signal.Notify();
        return response;
    }

    public override async Task<RotateSecretResponse> RotateSecret(RotateSecretRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var expiry = check.OptionalTime("previous_secret_expire_time", request.PreviousSecretExpireTime);
        check.That(!(expiry > clock.GetUtcNow() + s_longestOverlap), "previous_secret_expire_time", "must lie at most 7 days ahead");
        var secretId = "";
        var response = await ChangeAsync(
            context, request, check, "endpoint_id", request.EndpointId, request.Etag, request.RequestId,
            (endpoint, now, _) =>
            {
                (endpoint.PreviousSecretId, endpoint.PreviousSecret, endpoint.PreviousSecretExpiresAt) = (endpoint.SecretId, endpoint.Secret, expiry ?? now + s_overlap);
                (endpoint.SecretId, endpoint.Secret) = (Guid.CreateVersion7(now), secrets.New(endpoint.EndpointId));
                secretId = endpoint.SecretId.ToString();
                return Task.CompletedTask;
            },
            e => new RotateSecretResponse { Endpoint = e, SecretId = secretId });
        response.Secret = await SecretAsync(response.Endpoint.EndpointId, response.SecretId, context.CancellationToken);
        return response;
    }

    private static string Name(string endpointId) => $"webhook-endpoints/{endpointId}";

    /// <summary>Checks the fields of an endpoint that are named.</summary>
    private (string Url, string[] Types, string ContactEmail, bool Paused) Content(FieldChecks check, WebhookEndpoint? endpoint, string[] fields)
    {
        check.That(endpoint is not null, "endpoint", "is required");
        endpoint ??= new WebhookEndpoint();
        if (fields.Contains("url"))
        {
            addresses.Check(check, "endpoint.url", endpoint.Url);
        }

        if (fields.Contains("contact_email"))
        {
            check.Text("endpoint.contact_email", endpoint.ContactEmail, 254, required: true);
            check.That(
                endpoint.ContactEmail.Length is 0 or > 254 || (MailAddress.TryCreate(endpoint.ContactEmail, out var address) && address.Address == endpoint.ContactEmail),
                "endpoint.contact_email", "must be a mail address");
        }

        var types = fields.Contains("types") ? TypeFilter.Read(check, "endpoint.types", endpoint.Types_) : [];
        return (endpoint.Url, types, endpoint.ContactEmail, endpoint.Paused);
    }

    /// <summary>Runs a change of one endpoint of the caller's organisation.</summary>
    private async Task<TResponse> ChangeAsync<TResponse>(
        ServerCallContext context, IMessage request, FieldChecks check, string idField, string endpointId, string etag, string requestIdText,
        Func<Entity, DateTimeOffset, CancellationToken, Task> change, Func<WebhookEndpoint, TResponse> respond)
        where TResponse : class, IMessage<TResponse>, new()
    {
        var id = check.Uuid(idField, endpointId);
        var version = check.Etag(etag);
        var requestId = check.RequestId(requestIdText);
        check.ThrowIfAny();
        return await commands.RunAsync(context, request, requestId, async ct =>
        {
            var endpoint = await OwnAsync(db.WebhookEndpoints, id, context.Caller(), ct);
            if (version is not null && version != endpoint.Version)
            {
                throw DomainError.EtagMismatch(endpoint.Version.ToEtag());
            }

            var now = clock.GetStoredNow();
            await change(endpoint, now, ct);
            endpoint.Version++;
            endpoint.UpdatedAt = now;
            return respond(endpoint.State == Entity.Deleted ? new WebhookEndpoint() : ToProto(endpoint, now));
        }, _ => Name(id.ToString()));
    }

    /// <summary>Enables an endpoint: its failures are forgotten, and what waits is tried at once and for its whole life again.</summary>
    private async Task EnableAsync(Entity endpoint, DateTimeOffset now, CancellationToken ct)
    {
        (endpoint.State, endpoint.DisabledAt, endpoint.NoticeAt) = (WebhookEndpointState.Enabled.ToCode(), null, null);
        (endpoint.Failures, endpoint.FailingSince, endpoint.RestUntil) = (0, null, null);
        var expiry = now + Domain.WebhookSchedule.Lifetime;
        await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync(
            $"update webhook_deliveries set next_attempt_at = {now}, expires_at = {expiry} where endpoint_id = {endpoint.EndpointId} and state = 'QUEUED' and lease is null", ct);
    }

    private async Task<Entity> ReadAsync(FieldChecks check, string endpointId, ServerCallContext context)
    {
        var id = check.Uuid("endpoint_id", endpointId);
        check.ThrowIfAny();
        return await OwnAsync(db.WebhookEndpoints.AsNoTracking(), id, context.Caller(), context.CancellationToken);
    }

    private static async Task<Entity> OwnAsync(IQueryable<Entity> endpoints, Guid id, Caller caller, CancellationToken ct)
    {
        var endpoint = await endpoints.SingleOrDefaultAsync(e => e.EndpointId == id && e.State != Entity.Deleted, ct);
        caller.Require(endpoint?.OrganisationId);
        return endpoint!;
    }

    /// <summary>The secret of an answer; empty when it was replaced since that was first given.</summary>
    private async Task<string> SecretAsync(string endpointId, string secretId, CancellationToken ct)
    {
        var (id, wanted) = (Guid.Parse(endpointId), Guid.Parse(secretId));
        var endpoint = await db.WebhookEndpoints.AsNoTracking().SingleOrDefaultAsync(e => e.EndpointId == id && e.State != Entity.Deleted, ct);
        var kept = endpoint is null ? null
            : endpoint.SecretId == wanted ? endpoint.Secret
            : endpoint.PreviousSecretId == wanted && endpoint.PreviousSecretExpiresAt > clock.GetUtcNow() ? endpoint.PreviousSecret
            : null;
        return kept is null ? "" : secrets.TryOpen(id, kept) ?? "";
    }

    private static WebhookEndpoint ToProto(Entity endpoint, DateTimeOffset now)
    {
        var state = ProtoConversions.FromCode<WebhookEndpointState>(endpoint.State);
        return new WebhookEndpoint
        {
            EndpointId = endpoint.EndpointId.ToString(),
            Url = endpoint.Url,
            Types_ = { endpoint.Types },
            ContactEmail = endpoint.ContactEmail,
            Paused = state == WebhookEndpointState.Paused,
            State = state,
            FailingSinceTime = endpoint.FailingSince.ToProto(),
            DisableTime = endpoint.DisabledAt.ToProto(),
            PreviousSecretExpireTime = endpoint.PreviousSecretExpiresAt > now ? endpoint.PreviousSecretExpiresAt.ToProto() : null,
            CreateTime = endpoint.CreatedAt.ToProto(),
            UpdateTime = endpoint.UpdatedAt.ToProto(),
            Etag = endpoint.Version.ToEtag(),
        };
    }

    private sealed record EndpointCursor(Guid Id);
}
