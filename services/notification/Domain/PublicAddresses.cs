using System.Net;
using System.Net.Sockets;

namespace Jafer.Notifications.Domain;

/// <summary>Which addresses lie in the public internet, so that no endpoint makes Jafer call a machine inside its own network.</summary>
internal static class PublicAddresses
{
    // RFC 6890 and its registry: this network, private, CGNAT, loopback, link-local, protocols, documentation, 6to4 relays,
    // benchmarks, multicast, reserved.
    private static readonly IPNetwork[] s_refused4 = Parse(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4");

    // Public is what is given to networks, less what carries IPv4 addresses inside (Teredo, 6to4) and documentation.
    private static readonly IPNetwork s_public6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] s_refused6 = Parse("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

    /// <summary>Whether an address is public. An IPv4 address mapped into IPv6 is judged as what it is.</summary>
    /// <param name="address">The address.</param>
    public static bool Contain(IPAddress address)
    {
        var plain = Plain(address);
        return plain.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Array.Exists(s_refused4, n => n.Contains(plain)),
            AddressFamily.InterNetworkV6 => s_public6.Contains(plain) && !Array.Exists(s_refused6, n => n.Contains(plain)),
            _ => false,
        };
    }

    /// <summary>The address without the IPv6 form of an IPv4 address.</summary>
    /// <param name="address">The address.</param>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPNetwork[] Parse(params string[] networks) => [.. networks.Select(n => IPNetwork.Parse(n))];
}
