using System.Globalization;

namespace Jafer.Notifications.Domain;

/// <summary>What became of an attempt.</summary>
internal enum WebhookOutcome
{
    /// <summary>The receiver has it.</summary>
    Delivered,

    /// <summary>It has not: worth trying again.</summary>
    Failed,

    /// <summary>There is no receiver any more.</summary>
    Gone,
}

/// <summary>An attempt that ended.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Status">HTTP status; null when there was no answer.</param>
/// <param name="Error">Code of the failure, without anything that the receiver said; null for none.</param>
/// <param name="RetryAfter">How long the receiver wants to be left alone; null when it does not say.</param>
internal sealed record WebhookResult(WebhookOutcome Outcome, int? Status = null, string? Error = null, TimeSpan? RetryAfter = null)
{
    /// <summary>An attempt without an answer.</summary>
    /// <param name="error">Code of the failure.</param>
    public static WebhookResult NoAnswer(string error) => new(WebhookOutcome.Failed, Error: error);
}

/// <summary>Reads answers of receivers.</summary>
internal static class WebhookAnswers
{
    private const string Blank = "\uFEFF \t\r\n";

    /// <summary>
    /// Judges an answer. Only 2xx from a program counts: a page for people (a portal, a login, a maintenance notice) and a
    /// redirect, which is not followed, say that nobody took it.
    /// </summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="mediaType">Type of the body; null when not said.</param>
    /// <param name="body">Its beginning.</param>
    /// <param name="retryAfter">What Retry-After asks for; null for nothing.</param>
    public static WebhookResult Judge(int status, string? mediaType, string body, TimeSpan? retryAfter) => status switch
    {
        >= 200 and < 300 when IsPage(mediaType, body) => new(WebhookOutcome.Failed, status, "HTML_ANSWER", retryAfter),
        >= 200 and < 300 => new(WebhookOutcome.Delivered, status),
        >= 300 and < 400 => new(WebhookOutcome.Failed, status, "REDIRECT", retryAfter),
        410 => new(WebhookOutcome.Gone, status, "HTTP_410"),
        _ => new(WebhookOutcome.Failed, status, string.Create(CultureInfo.InvariantCulture, $"HTTP_{status}"), retryAfter),
    };

    private static bool IsPage(string? mediaType, string body)
    {
        var start = body.AsSpan().TrimStart(Blank);

        // Comments and what XML says of itself come before a page begins.
        while (start.StartsWith("<!--", StringComparison.Ordinal) || start.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
        {
            var end = start.StartsWith("<?", StringComparison.Ordinal) ? "?>" : "-->";
            start = start.IndexOf(end, StringComparison.Ordinal) is >= 0 and var at ? start[(at + end.Length)..].TrimStart(Blank) : "";
        }

        return mediaType is not null && (mediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) || mediaType.Equals("application/xhtml+xml", StringComparison.OrdinalIgnoreCase))
            || start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("<head", StringComparison.OrdinalIgnoreCase);
    }
}
