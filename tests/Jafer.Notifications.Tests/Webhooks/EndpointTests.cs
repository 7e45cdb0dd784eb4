using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Notifications.Tests.Webhooks.WebhookFixture;

namespace Jafer.Notifications.Tests.Webhooks;

public sealed class EndpointTests(WebhookFixture fixture) : IClassFixture<WebhookFixture>
{
    private const string Url = "https://logiciel.association.test/jafer";
    private const string Transmitted = "mesure.mesure-transmitted.v1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CreateEndpoint_Repeated_GivesTheSameSecretAndKeepsItSealed()
    {
        var client = fixture.Webhooks(TestMesure.NewId());
        var request = new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() };
        request.Endpoint.Types_.Add(Transmitted);

        var first = await client.CreateEndpointAsync(request, cancellationToken: Ct);
        var again = await client.CreateEndpointAsync(request, cancellationToken: Ct);

        Assert.Equal(first, again);
        Assert.StartsWith("whsec_", first.Secret, StringComparison.Ordinal);
        Assert.Equal(32, Convert.FromBase64String(first.Secret["whsec_".Length..]).Length);
        Assert.Equal((WebhookEndpointState.Enabled, "1", Url), (first.Endpoint.State, first.Endpoint.Etag, first.Endpoint.Url));
        Assert.Equal(first.Endpoint, Assert.Single((await client.ListEndpointsAsync(new ListEndpointsRequest(), cancellationToken: Ct)).Endpoints));
        Assert.Equal(first.Endpoint, (await client.GetEndpointAsync(new GetEndpointRequest { EndpointId = first.Endpoint.EndpointId }, cancellationToken: Ct)).Endpoint);

        // Neither the row nor the kept answer has it.
        var kept = first.Secret["whsec_".Length..];
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from webhook_endpoints where position('{kept}' in secret) > 0"));
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from processed_requests where position(convert_to('{kept}', 'UTF8') in response) > 0"));
    }

    [Fact]
    public async Task CreateEndpoint_OfTooMany_IsRefused()
    {
        var client = fixture.Webhooks(TestMesure.NewId());
        for (var i = 0; i < 10; i++)
        {
            await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct);
        }

        var refusal = await Refusal.OfAsync(client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct));
        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), (refusal.Code, refusal.Reason));

        var (ids, token) = (new List<string>(), "");
        do
        {
            var page = await client.ListEndpointsAsync(new ListEndpointsRequest { PageSize = 4, PageToken = token }, cancellationToken: Ct);
            ids.AddRange(page.Endpoints.Select(e => e.EndpointId));
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        Assert.Equal(10, ids.Distinct().Count());
        Assert.Equal(10, ids.Count);

        // One that is deleted makes room.
        await client.DeleteEndpointAsync(new DeleteEndpointRequest { EndpointId = ids[0], RequestId = NewId() }, cancellationToken: Ct);
        await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct);
        Assert.DoesNotContain((await client.ListEndpointsAsync(new ListEndpointsRequest(), cancellationToken: Ct)).Endpoints, e => e.EndpointId == ids[0]);
    }

    [Fact]
    public async Task CreateEndpoint_ManyAtOnce_MakesNoMoreThanTen()
    {
        var client = fixture.Webhooks(TestMesure.NewId());

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ => (await Refusal.OrNullAsync(
            () => client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }).ResponseAsync))?.Reason ?? "CREATED"));

        Assert.Equal(10, outcomes.Count(o => o == "CREATED"));
        Assert.Equal(6, outcomes.Count(o => o == "LIMIT_EXCEEDED"));
    }

    [Theory]
    [InlineData("", "is required")]
    [InlineData("logiciel.test", "no scheme")]
    [InlineData("ftp://logiciel.test/", "another scheme")]
    [InlineData("https://user:pass@logiciel.test/", "a password")]
    [InlineData("https://logiciel.test/#part", "a fragment")]
    [InlineData("https://10.0.0.1/", "private")]
    [InlineData("https://169.254.169.254/latest", "link-local")]
    [InlineData("https://[::1]/", "loopback")]
    [InlineData("https://[::ffff:10.0.0.1]/", "mapped")]
    [InlineData("https://0x0a000001/", "private, in hexadecimal")]
    public async Task CreateEndpoint_WithAUrlThatIsNone_IsInvalid(string url, string because)
    {
        var refusal = await Refusal.OfAsync(fixture.Webhooks(TestMesure.NewId()).CreateEndpointAsync(
            new CreateEndpointRequest { Endpoint = Endpoint(url), RequestId = NewId() }, cancellationToken: Ct));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.True(refusal.Fields is ["endpoint.url"], because);
    }

    [Fact]
    public async Task CreateEndpoint_WithoutTlsUnlessAllowed_IsInvalid()
    {
        await using var strict = await fixture.StartReplicaAsync(("Webhooks:AllowHttp", "false"));

        var refusal = await Refusal.OfAsync(fixture.Webhooks(TestMesure.NewId(), replica: strict).CreateEndpointAsync(
            new CreateEndpointRequest { Endpoint = Endpoint("http://logiciel.test/"), RequestId = NewId() }, cancellationToken: Ct));

        Assert.Equal(["endpoint.url"], refusal.Fields);
    }

    [Fact]
    public async Task EveryRpc_WithEverythingWrong_NamesTheFields()
    {
        var channel = fixture.Host.Channel("espace", TestMesure.NewId());
        foreach (var rpc in WebhookService.Descriptor.Methods)
        {
            foreach (var request in new[] { Rpcs.Wrong(rpc.InputType), Rpcs.Empty(rpc) })
            {
                var refusal = await Refusal.OrNullAsync(() => Rpcs.CallAsync(channel, rpc, request));
                if (refusal is null)
                {
                    // A list of everything needs nothing.
                    Assert.Equal(("ListEndpoints", 0), (rpc.Name, request.CalculateSize()));
                    continue;
                }

                Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
                Assert.All(refusal.Fields, f => Assert.True(Rpcs.Leads(rpc.InputType, f), $"{rpc.Name}: {f}"));
                if (rpc.InputType.FindFieldByName("request_id") is not null)
                {
                    Assert.Contains("request_id", refusal.Fields);
                }
            }
        }
    }

    [Fact]
    public async Task EveryRpc_OfAnotherOrganisation_IsForbiddenAsIfThereWereNone()
    {
        var mine = await fixture.Webhooks(TestMesure.NewId()).CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct);
        var other = fixture.Webhooks(TestMesure.NewId());
        foreach (var id in new[] { mine.Endpoint.EndpointId, NewId() })
        {
            var start = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(-1));
            var url = new WebhookEndpoint { EndpointId = id, Url = Url };
            foreach (var call in new Func<Task>[]
            {
                () => other.GetEndpointAsync(new GetEndpointRequest { EndpointId = id }).ResponseAsync,
                () => other.UpdateEndpointAsync(new UpdateEndpointRequest { Endpoint = url, UpdateMask = new FieldMask { Paths = { "url" } }, RequestId = NewId() }).ResponseAsync,
                () => other.DeleteEndpointAsync(new DeleteEndpointRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
                () => other.EnableEndpointAsync(new EnableEndpointRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
                () => other.RotateSecretAsync(new RotateSecretRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
                () => other.SendTestEventAsync(new SendTestEventRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
                () => other.ReplayEventsAsync(new ReplayEventsRequest { EndpointId = id, StartTime = start, RequestId = NewId() }).ResponseAsync,
                () => other.ListDeliveriesAsync(new ListDeliveriesRequest { EndpointId = id }).ResponseAsync,
            })
            {
                var refusal = await Refusal.OfAsync(call);
                Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
            }
        }

        Assert.Empty((await other.ListEndpointsAsync(new ListEndpointsRequest(), cancellationToken: Ct)).Endpoints);
    }

    [Fact]
    public async Task EveryRpc_OfARoleWithoutGrant_IsRefused()
    {
        foreach (var role in new[] { "statisticien", "systeme", "partenaire", "prefecture" })
        {
            foreach (var rpc in WebhookService.Descriptor.Methods)
            {
                var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(fixture.Host.Channel(role, TestMesure.NewId()), rpc, Rpcs.Empty(rpc)));
                Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
            }
        }
    }

    [Fact]
    public async Task UpdateEndpoint_ByMaskAndEtag_ChangesWhatIsNamedOnce()
    {
        var client = fixture.Webhooks(TestMesure.NewId());
        var created = (await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct)).Endpoint;
        var request = new UpdateEndpointRequest
        {
            Endpoint = new WebhookEndpoint { EndpointId = created.EndpointId, Url = Url + "/2", ContactEmail = "ignored", Types_ = { Transmitted } },
            UpdateMask = new FieldMask { Paths = { "url", "types" } },
            Etag = created.Etag,
            RequestId = NewId(),
        };

        var changed = (await client.UpdateEndpointAsync(request, cancellationToken: Ct)).Endpoint;
        var again = (await client.UpdateEndpointAsync(request, cancellationToken: Ct)).Endpoint;

        Assert.Equal((Url + "/2", created.ContactEmail, "2"), (changed.Url, changed.ContactEmail, changed.Etag));
        Assert.Equal([Transmitted], changed.Types_);
        Assert.Equal(changed, again);

        request.RequestId = NewId();
        var stale = await Refusal.OfAsync(client.UpdateEndpointAsync(request, cancellationToken: Ct));
        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (stale.Code, stale.Reason));
        foreach (var call in new Func<Task>[]
        {
            () => client.DeleteEndpointAsync(new DeleteEndpointRequest { EndpointId = created.EndpointId, Etag = "1", RequestId = NewId() }).ResponseAsync,
            () => client.RotateSecretAsync(new RotateSecretRequest { EndpointId = created.EndpointId, Etag = "1", RequestId = NewId() }).ResponseAsync,
            () => client.EnableEndpointAsync(new EnableEndpointRequest { EndpointId = created.EndpointId, Etag = "1", RequestId = NewId() }).ResponseAsync,
        })
        {
            Assert.Equal("ETAG_MISMATCH", (await Refusal.OfAsync(call)).Reason);
        }

        request.UpdateMask = new FieldMask { Paths = { "state" } };
        Assert.Equal(["update_mask"], (await Refusal.OfAsync(client.UpdateEndpointAsync(request, cancellationToken: Ct))).Fields);
    }

    [Fact]
    public async Task PausedEndpoint_UntilEnabled_RefusesReplayAndIsEnabledOnce()
    {
        var client = fixture.Webhooks(TestMesure.NewId());
        var content = Endpoint(Url);
        content.Paused = true;
        var id = (await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = content, RequestId = NewId() }, cancellationToken: Ct)).Endpoint.EndpointId;
        var replay = new ReplayEventsRequest { EndpointId = id, StartTime = TimeProvider.System.GetUtcNow().AddDays(-1).ToProto(), RequestId = NewId() };
        var refusal = await Refusal.OfAsync(client.ReplayEventsAsync(replay, cancellationToken: Ct));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS", "PAUSED"), (refusal.Code, refusal.Reason, refusal.Metadata["state"]));

        var request = new EnableEndpointRequest { EndpointId = id, RequestId = NewId() };
        var enabled = await client.EnableEndpointAsync(request, cancellationToken: Ct);
        Assert.Equal(WebhookEndpointState.Enabled, enabled.Endpoint.State);
        Assert.Equal(enabled, await client.EnableEndpointAsync(request, cancellationToken: Ct));

        request.RequestId = NewId();
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(client.EnableEndpointAsync(request, cancellationToken: Ct))).Reason);

        foreach (var (paused, state) in new[] { (true, WebhookEndpointState.Paused), (false, WebhookEndpointState.Enabled) })
        {
            var update = new UpdateEndpointRequest
            {
                Endpoint = new WebhookEndpoint { EndpointId = id, Paused = paused },
                UpdateMask = new FieldMask { Paths = { "paused" } },
                RequestId = NewId(),
            };
            Assert.Equal(state, (await client.UpdateEndpointAsync(update, cancellationToken: Ct)).Endpoint.State);
        }
    }

    [Fact]
    public async Task RotateSecret_Repeated_RotatesOnceAndShowsNoOlderOne()
    {
        var client = fixture.Webhooks(TestMesure.NewId());
        var create = new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() };
        var created = await client.CreateEndpointAsync(create, cancellationToken: Ct);
        var rotate = new RotateSecretRequest { EndpointId = created.Endpoint.EndpointId, RequestId = NewId() };

        var first = await client.RotateSecretAsync(rotate, cancellationToken: Ct);
        Assert.Equal(first, await client.RotateSecretAsync(rotate, cancellationToken: Ct));
        Assert.NotEqual(created.Secret, first.Secret);
        Assert.NotNull(first.Endpoint.PreviousSecretExpireTime);
        Assert.Equal(created.Secret, (await client.CreateEndpointAsync(create, cancellationToken: Ct)).Secret);

        var second = new RotateSecretRequest { EndpointId = created.Endpoint.EndpointId, PreviousSecretExpireTime = new Timestamp { Seconds = 1_700_000_000 }, RequestId = NewId() };
        Assert.Null((await client.RotateSecretAsync(second, cancellationToken: Ct)).Endpoint.PreviousSecretExpireTime);
        Assert.Equal("", (await client.CreateEndpointAsync(create, cancellationToken: Ct)).Secret);

        second.PreviousSecretExpireTime = TimeProvider.System.GetUtcNow().AddDays(8).ToProto();
        second.RequestId = NewId();
        Assert.Equal(["previous_secret_expire_time"], (await Refusal.OfAsync(client.RotateSecretAsync(second, cancellationToken: Ct))).Fields);
    }

    [Fact]
    public async Task DeleteEndpoint_Repeated_DeletesOnceWithItsAddressAndSecrets()
    {
        var organisation = TestMesure.NewId();
        var client = fixture.Webhooks(organisation);
        var id = (await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct)).Endpoint.EndpointId;
        await client.SendTestEventAsync(new SendTestEventRequest { EndpointId = id, RequestId = NewId() }, cancellationToken: Ct);
        var request = new DeleteEndpointRequest { EndpointId = id, RequestId = NewId() };

        await client.DeleteEndpointAsync(request, cancellationToken: Ct);
        await client.DeleteEndpointAsync(request, cancellationToken: Ct);

        request.RequestId = NewId();
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(client.DeleteEndpointAsync(request, cancellationToken: Ct))).Reason);
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from webhook_deliveries where endpoint_id = '{id}'"));
        Assert.Equal("DELETED///-", await fixture.Database.ReadAsync<string>(
            $"select concat_ws('/', state, url, convert_from(substring(contact_email from 2), 'UTF8'), secret) || coalesce(previous_secret, '-') from webhook_endpoints where endpoint_id = '{id}'"));
        foreach (var call in new Func<Task>[]
        {
            () => client.GetEndpointAsync(new GetEndpointRequest { EndpointId = id }).ResponseAsync,
            () => client.EnableEndpointAsync(new EnableEndpointRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
            () => client.RotateSecretAsync(new RotateSecretRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
            () => client.SendTestEventAsync(new SendTestEventRequest { EndpointId = id, RequestId = NewId() }).ResponseAsync,
            () => client.ListDeliveriesAsync(new ListDeliveriesRequest { EndpointId = id }).ResponseAsync,
        })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(call)).Reason);
        }
    }

    [Fact]
    public async Task EveryRpc_WithRandomRequests_AnswersWithAStatusOfTheContract()
    {
        var client = fixture.Webhooks(TestMesure.NewId());
        var id = (await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = Endpoint(Url), RequestId = NewId() }, cancellationToken: Ct)).Endpoint.EndpointId;

        Assert.Empty(await Fuzz.FaultsAsync([client, fixture.Webhooks(TestMesure.NewId(), "juridiction")], WebhookService.Descriptor, 1, 60, [id, Url, Transmitted]));
    }
}
