namespace Jafer.Notifications.Mails;

/// <summary>Configuration section "Mail".</summary>
internal sealed class MailOptions
{
    /// <summary>Mail server; without one mails stay queued until they are given up.</summary>
    public string? Host { get; set; }

    /// <summary>Port of the mail server.</summary>
    public int Port { get; set; } = 25;

    /// <summary>Sender's address.</summary>
    public string From { get; set; } = "ne-pas-repondre@jafer.example";

    /// <summary>Whether the connection must be encrypted by STARTTLS.</summary>
    public bool StartTls { get; set; }

    /// <summary>User of the mail server; null for none.</summary>
    public string? User { get; set; }

    /// <summary>Password of that user.</summary>
    public string? Password { get; set; }

    /// <summary>Address of a mesure for a person, with {0} for its id; null when there is no such page.</summary>
    public string? MesureUrl { get; set; }

    /// <summary>How long a mail waits for others to the same organisation; urgent ones do not wait.</summary>
    public TimeSpan GroupingDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often due mails are looked for.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>First wait after a failure, doubled by each further one up to an hour.</summary>
    public TimeSpan FirstBackoff { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Age from which a mail is not tried again.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(2);

    /// <summary>Longest exchange with the mail server; below the time that a shutdown waits.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);
}
