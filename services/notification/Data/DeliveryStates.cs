namespace Jafer.Notifications.Data;

/// <summary>The states of a delivery.</summary>
internal static class DeliveryStates
{
    /// <summary>To be sent, for the first time or again.</summary>
    public const string Queued = "QUEUED";

    /// <summary>Taken by the mail server.</summary>
    public const string Sent = "SENT";

    /// <summary>Given up.</summary>
    public const string Failed = "FAILED";
}
