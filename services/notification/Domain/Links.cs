namespace Jafer.Notifications.Domain;

/// <summary>Links to the page of a mesure, in mails and webhooks.</summary>
internal static class Links
{
    /// <summary>The address of a mesure for a person; null when the installation has no such page.</summary>
    /// <param name="mesureUrl">The configured address with {0} for the mesure and, if wanted, {1} for the notice that leads there.</param>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="noticeId">The notice.</param>
    public static string? To(string? mesureUrl, Guid mesureId, Guid noticeId) => mesureUrl?
        .Replace("{0}", mesureId.ToString(), StringComparison.Ordinal)
        .Replace("{1}", noticeId.ToString(), StringComparison.Ordinal);
}
