using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Tests.Mails;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Webhooks;

/// <summary>The notification service with a mail server; its webhooks may go to the loopback interface, and everything is quick.</summary>
public sealed class WebhookFixture : NotificationsFixture
{
    internal MailCatcher Catcher { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        Catcher = await MailCatcher.StartAsync();
        await base.InitializeAsync();
    }

    public WebhookService.WebhookServiceClient Webhooks(Guid organisation, string role = Roles.Espace, ServiceHost? replica = null) =>
        new((replica ?? Host).Channel(role, organisation));

    /// <summary>Creates an endpoint of an organisation.</summary>
    public async Task<CreateEndpointResponse> CreateAsync(Guid organisation, WebhookReceiver receiver, params string[] types)
    {
        var endpoint = Endpoint(receiver.Address + "hook?key=confidentiel");
        endpoint.Types_.AddRange(types);
        return await Webhooks(organisation).CreateEndpointAsync(new CreateEndpointRequest { Endpoint = endpoint, RequestId = NewId() });
    }

    /// <summary>The log of an endpoint.</summary>
    public async Task<List<WebhookDelivery>> LogAsync(Guid organisation, string endpointId, WebhookDeliveryState state = default) =>
        [.. (await Webhooks(organisation).ListDeliveriesAsync(new ListDeliveriesRequest { EndpointId = endpointId, State = state })).Deliveries];

    /// <summary>Waits for the only delivery of an endpoint to become something.</summary>
    public Task<WebhookDelivery> DeliveryAsync(Guid organisation, string endpointId, Func<WebhookDelivery, bool> holds, string what) => Eventually.BecomesAsync(
        async () => (await LogAsync(organisation, endpointId)).SingleOrDefault() ?? new WebhookDelivery(), holds, what);

    public async Task<WebhookEndpoint> GetAsync(Guid organisation, string endpointId) =>
        (await Webhooks(organisation).GetEndpointAsync(new GetEndpointRequest { EndpointId = endpointId })).Endpoint;

    public static WebhookEndpoint Endpoint(string url) => new() { Url = url, ContactEmail = $"si.{TestMesure.NewId():N}@association.test" };

    public static string NewId() => TestMesure.NewId().ToString();

    protected override Dictionary<string, string?> Settings() => new()
    {
        ["Mail:Host"] = "127.0.0.1",
        ["Mail:Port"] = $"{Catcher.SmtpPort}",
        ["Mail:PollInterval"] = "00:00:00.100",
        ["Mail:FirstBackoff"] = "00:00:00.200",
        ["Mail:MesureUrl"] = "https://jafer.test/mesures/{0}",
        ["Webhooks:AllowHttp"] = "true",
        ["Webhooks:AllowedNetworks:0"] = "127.0.0.0/8",
        ["Webhooks:PollInterval"] = "00:00:00.100",
        ["Webhooks:FirstBackoff"] = "00:00:00.100",
        ["Webhooks:FirstRest"] = "00:00:00.300",
        ["Webhooks:LongestRest"] = "00:00:00.300",
        ["Webhooks:Timeout"] = "00:00:01",
        ["Webhooks:Lease"] = "00:00:03",
    };

    protected override ValueTask StopOthersAsync() => Catcher.DisposeAsync();
}
