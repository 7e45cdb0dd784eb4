namespace Jafer.Notifications.Data;

/// <summary>The states of a delivery.</summary>
internal static class DeliveryStates
{
    /// <summary>To be addressed to the people of its organisation.</summary>
    public const string Queued = "QUEUED";

    /// <summary>Addressed: each recipient is tried by itself, and the mail server took it for none yet.</summary>
    public const string Addressed = "ADDRESSED";

    /// <summary>Taken by the mail server for at least one of its recipients.</summary>
    public const string Sent = "SENT";

    /// <summary>Given up for all of them.</summary>
    public const string Failed = "FAILED";

    /// <summary>Not sent: what it would have reminded of was done before, or nobody was left to be told.</summary>
    public const string Dropped = "DROPPED";
}

/// <summary>The states of a delivery's recipient.</summary>
internal static class RecipientStates
{
    /// <summary>To be sent, for the first time or again.</summary>
    public const string Queued = "QUEUED";

    /// <summary>Taken by the mail server.</summary>
    public const string Sent = "SENT";

    /// <summary>The mail server refuses the address for good.</summary>
    public const string Refused = "REFUSED";

    /// <summary>Given up.</summary>
    public const string Failed = "FAILED";

    /// <summary>Not sent: what it would have reminded of was done before.</summary>
    public const string Dropped = "DROPPED";
}
