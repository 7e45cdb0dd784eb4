namespace Jafer.Notifications.Mails;

/// <summary>Configuration section "Mail".</summary>
internal sealed class MailOptions
{
    /// <summary>Whether mails are written at all; what is told while they are not is in the feeds and webhooks alone, for good.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Mail server; without one mails stay queued.</summary>
    public string? Host { get; set; }

    /// <summary>Port of the mail server.</summary>
    public int Port { get; set; } = 25;

    /// <summary>Sender's address.</summary>
    public string From { get; set; } = "ne-pas-repondre@jafer.example";

    /// <summary>Whether the connection must be encrypted by STARTTLS, with a certificate that is valid for <see cref="Host"/>.</summary>
    public bool StartTls { get; set; }

    /// <summary>Whether the connection is encrypted from its first byte (SMTPS, usually port 465), in place of STARTTLS.</summary>
    public bool ImplicitTls { get; set; }

    /// <summary>Whether a connection is encrypted before anything is said on it.</summary>
    public bool IsEncrypted => StartTls || ImplicitTls;

    /// <summary>Where mails come back that could not be delivered (the envelope's sender); null for <see cref="From"/>.</summary>
    public string? BounceAddress { get; set; }

    /// <summary>PEM file of the authorities that may have signed that certificate, in place of the machine's; null for those.</summary>
    public string? AuthoritiesFile { get; set; }

    /// <summary>Whether a revoked certificate is looked for; needs a way to the authority's lists.</summary>
    public bool CheckRevocation { get; set; }

    /// <summary>User of the mail server; null for none. Only over an encrypted connection.</summary>
    public string? User { get; set; }

    /// <summary>Password of that user.</summary>
    public string? Password { get; set; }

    /// <summary>Address of a mesure for a person, with {0} for its id and {1} for that of the notice; null when there is no such page.</summary>
    public string? MesureUrl { get; set; }

    /// <summary>How long what is due waits for others to the same organisation; urgent ones do not wait.</summary>
    public TimeSpan GroupingDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long a person gets no second mail on a subject.</summary>
    public TimeSpan GroupingWindow { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Mails under way from a replica at the same time, each over its own connection.</summary>
    public int Concurrency { get; set; } = 4;

    /// <summary>How often due mails are looked for.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>First wait after a failure, doubled by each further one up to an hour, for the server as a whole up to <see cref="LongestRest"/>.</summary>
    public TimeSpan FirstBackoff { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest time for which a server that is away or refuses everything is left alone.</summary>
    public TimeSpan LongestRest { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// For how long a person is tried whom the mail server puts off or refuses while it takes others' mails, and an organisation that has no
    /// address. What nobody answers for has no such limit.
    /// </summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(2);

    /// <summary>Longest exchange with the mail server about one mail.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a person belongs to the worker that writes to them: longer than an exchange, after which its process is gone.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(2);
}
