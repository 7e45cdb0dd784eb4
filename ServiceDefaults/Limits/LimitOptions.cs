namespace Jafer.ServiceDefaults.Limits;

/// <summary>
/// Section Limits: what one caller, one organisation and one address may take of a replica. A caller is a subject of one
/// organisation. The defaults are far above what courts and espaces do; Jafer's own services may take
/// <see cref="ServiceFactor"/> times as much, because they ask for everybody.
/// </summary>
public sealed class LimitOptions
{
    /// <summary>Calls of one caller a second, over a long time; an expensive rpc counts for several (weights.csv).</summary>
    public double CallerRate { get; set; } = 1000;

    /// <summary>Calls that a caller who was quiet may make at once.</summary>
    public int CallerBurst { get; set; } = 10_000;

    /// <summary>Calls of all callers of one organisation a second.</summary>
    public double OrganisationRate { get; set; } = 2000;

    /// <summary>Calls that an organisation that was quiet may make at once.</summary>
    public int OrganisationBurst { get; set; } = 20_000;

    /// <summary>Calls a second that one address may make without a token that is accepted: health, reflection, refused tokens.</summary>
    public double AddressRate { get; set; } = 100;

    /// <summary>Such calls that an address that was quiet may make at once.</summary>
    public int AddressBurst { get; set; } = 5000;

    /// <summary>Calls of one caller that run at the same time, streams apart.</summary>
    public int CallerCalls { get; set; } = 100;

    /// <summary>Calls of one organisation that run at the same time, streams apart.</summary>
    public int OrganisationCalls { get; set; } = 200;

    /// <summary>Streams that one caller, or one address without a token, has open.</summary>
    public int CallerStreams { get; set; } = 500;

    /// <summary>Streams that one organisation has open.</summary>
    public int OrganisationStreams { get; set; } = 1000;

    /// <summary>Times as much that callers with the role "systeme" may take.</summary>
    public int ServiceFactor { get; set; } = 10;

    /// <summary>Most bytes of a message, after decompression.</summary>
    public int MessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Longest wait for the next message of a client's stream.</summary>
    public TimeSpan StreamIdle { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Connections of one address to one port; further ones are closed unanswered.</summary>
    public int AddressConnections { get; set; } = 1000;

    /// <summary>Connections of all addresses to all ports.</summary>
    public int Connections { get; set; } = 10_000;

    /// <summary>
    /// Networks of balancers, such as 10.1.2.0/24: their connections are not counted, and X-Forwarded-For is believed of them
    /// alone. Without them whoever calls through a balancer has its address.
    /// </summary>
    public IList<string> Proxies { get; } = [];

    /// <summary>Refusals of ids (PERMISSION_DENIED, NOT_FOUND) to one caller within <see cref="EnumerationWindow"/> that raise the alarm.</summary>
    public int EnumerationRefusals { get; set; } = 300;

    /// <summary>The time for <see cref="EnumerationRefusals"/>.</summary>
    public TimeSpan EnumerationWindow { get; set; } = TimeSpan.FromMinutes(10);
}
