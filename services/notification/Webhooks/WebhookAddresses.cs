using System.Net;
using System.Net.Sockets;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Webhooks;

/// <summary>Resolves the name of a host.</summary>
/// <param name="host">Name, or an address in text.</param>
/// <param name="ct">Cancellation.</param>
internal delegate Task<IPAddress[]> NameResolver(string host, CancellationToken ct);

/// <summary>None of a host's addresses may be posted to.</summary>
internal sealed class AddressRefusedException : Exception;

/// <summary>Where may be posted to. An endpoint is what somebody wrote: without this, Jafer would call whatever they name inside its own network.</summary>
internal sealed class WebhookAddresses(IOptions<WebhookOptions> options, NameResolver resolve)
{
    private const int MaxLength = 500;

    private readonly IPNetwork[] _allowed = [.. options.Value.Networks];

    /// <summary>Whether an address may be posted to.</summary>
    /// <param name="address">The address.</param>
    public bool Allow(IPAddress address) => PublicAddresses.Contain(address) || Array.Exists(_allowed, n => n.Contains(PublicAddresses.Plain(address)));

    /// <summary>Checks the url of an endpoint. A name is looked at when it is connected to: it may lead elsewhere by then.</summary>
    /// <param name="check">Takes the violations.</param>
    /// <param name="field">Path of the field.</param>
    /// <param name="value">The url.</param>
    public string Check(FieldChecks check, string field, string value)
    {
        if (value.Length is 0 or > MaxLength)
        {
            return check.Text(field, value, MaxLength, required: true);
        }

        if (!Uri.TryCreate(value, UriKind.Absolute, out var url) || url.Host.Length == 0 || value.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            check.Add(field, "must be a url");
        }
        else if (url.Scheme != Uri.UriSchemeHttps && !(options.Value.AllowHttp && url.Scheme == Uri.UriSchemeHttp))
        {
            check.Add(field, "must begin with https://");
        }
        else
        {
            check.That(url.UserInfo.Length == 0 && url.Fragment.Length == 0, field, "must have no user, password and fragment");
            check.That(!IPAddress.TryParse(url.DnsSafeHost, out var address) || Allow(address), field, "must have a public address");
        }

        return value;
    }

    /// <summary>
    /// Connects to a host: its name is resolved once, and the connection goes to an address that was judged. Asking twice would
    /// let the second answer be another one.
    /// </summary>
    /// <param name="context">The connection.</param>
    /// <param name="ct">Cancellation.</param>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var addresses = Array.FindAll(await resolve(context.DnsEndPoint.Host, ct), Allow);
        if (addresses.Length == 0)
        {
            throw new AddressRefusedException();
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
