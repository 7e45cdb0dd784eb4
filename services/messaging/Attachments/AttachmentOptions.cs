using Jafer.Messaging.Domain;

namespace Jafer.Messaging.Attachments;

/// <summary>Configuration section "Attachments". The defaults suit production.</summary>
internal sealed class AttachmentOptions
{
    /// <summary>Media types that are taken; empty for all that this version can tell from their content.</summary>
    public string[] AllowedTypes { get; set; } = [];

    /// <summary>Whether files are cleared without a scanner; for development.</summary>
    public bool ClearWithoutScanner { get; set; }

    /// <summary>The scanner.</summary>
    public ScannerOptions Scanner { get; set; } = new();

    /// <summary>Files of a thread.</summary>
    public int MaxPerThread { get; set; } = 500;

    /// <summary>Bytes of a thread's files.</summary>
    public long MaxBytesPerThread { get; set; } = 1L << 30;

    /// <summary>Files of an organisation that no message names yet.</summary>
    public int MaxUnnamed { get; set; } = 100;

    /// <summary>Bytes of all files of an organisation.</summary>
    public long MaxBytesPerOrganisation { get; set; } = 50L << 30;

    /// <summary>Uploads that a replica takes at the same time: each holds a connection to the database.</summary>
    public int MaxUploads { get; set; } = 16;

    /// <summary>Of them by one organisation.</summary>
    public int MaxUploadsPerOrganisation { get; set; } = 4;

    /// <summary>How long a file is kept that no message names.</summary>
    public TimeSpan UnnamedLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often those that are older are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether a type is taken.</summary>
    /// <param name="type">The type.</param>
    public bool Allows(FileType type) => AllowedTypes.Length == 0 || AllowedTypes.Contains(type.MediaType, StringComparer.OrdinalIgnoreCase);
}

/// <summary>Configuration section "Attachments:Scanner".</summary>
internal sealed class ScannerOptions
{
    /// <summary>Where clamd, or what speaks its protocol, listens: "host:port" or "unix:/path"; empty for none.</summary>
    public string Address { get; set; } = "";

    /// <summary>How often files are looked for that are due; those uploaded to this replica are looked at at once.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Files that a replica has looked at at the same time.</summary>
    public int Concurrency { get; set; } = 2;

    /// <summary>Longest check of one file.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a file belongs to the replica that has it checked: longer than a check, after which its process is gone.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>First wait after a failed check, doubled by each further one up to an hour.</summary>
    public TimeSpan FirstBackoff { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The address in parts; null when there is none or it is no address.</summary>
    public System.Net.EndPoint? EndPoint => Parse(Address);

    /// <summary>Reads an address; null for none.</summary>
    /// <param name="address">"host:port" or "unix:/path".</param>
    public static System.Net.EndPoint? Parse(string address)
    {
        if (address.StartsWith("unix:/", StringComparison.Ordinal))
        {
            return new System.Net.Sockets.UnixDomainSocketEndPoint(address["unix:".Length..]);
        }

        var colon = address.LastIndexOf(':');
        return colon > 0 && int.TryParse(address[(colon + 1)..], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= 65535
            ? new System.Net.DnsEndPoint(address[..colon].Trim('[', ']'), port)
            : null;
    }
}
