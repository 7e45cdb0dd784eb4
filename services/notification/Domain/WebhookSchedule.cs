using Jafer.ServiceDefaults.Time;

namespace Jafer.Notifications.Domain;

/// <summary>When a delivery is tried again, and when an endpoint counts as dead.</summary>
internal static class WebhookSchedule
{
    // A delivery is first tried a moment after it is queued.
    private static readonly TimeSpan s_moment = TimeSpan.FromHours(1);

    /// <summary>How long a delivery is tried, and an endpoint may fail.</summary>
    public static TimeSpan Lifetime { get; } = TimeSpan.FromDays(3);

    /// <summary>Longest wait between two attempts, unless a receiver asks for more; before it is varied by a fifth.</summary>
    public static TimeSpan LongestWait { get; } = TimeSpan.FromHours(6);

    /// <summary>
    /// When to try again: after a wait that doubles with each failure, never before the receiver asked for. The last attempt is
    /// at the end of the delivery's life, or when the receiver asked for a later one then. Null when its life is past.
    /// </summary>
    /// <param name="now">When it failed.</param>
    /// <param name="expiresAt">The end of its life.</param>
    /// <param name="first">First wait.</param>
    /// <param name="failures">Failures with this one.</param>
    /// <param name="retryAfter">What the receiver asked for; null for nothing.</param>
    /// <param name="chance">From 0 to 1; varies the wait.</param>
    public static DateTimeOffset? Next(DateTimeOffset now, DateTimeOffset expiresAt, TimeSpan first, int failures, TimeSpan? retryAfter, double chance)
    {
        if (now >= expiresAt)
        {
            return null;
        }

        var wait = Backoff.After(first, failures - 1, LongestWait, chance);
        var next = now + wait < expiresAt ? now + wait : expiresAt;
        return now + retryAfter > next ? now + retryAfter : next;
    }

    /// <summary>What a Retry-After header asks for, at most <see cref="Lifetime"/>; null when there is none.</summary>
    /// <param name="delta">The header as seconds.</param>
    /// <param name="date">The header as a date.</param>
    /// <param name="now">Now.</param>
    public static TimeSpan? RetryAfter(TimeSpan? delta, DateTimeOffset? date, DateTimeOffset now)
    {
        var asked = delta ?? (date - now);
        return asked is not { } wait ? null : wait < TimeSpan.Zero ? TimeSpan.Zero : wait < Lifetime ? wait : Lifetime;
    }

    /// <summary>Whether an endpoint has failed for so long that it is disabled: for 3 days, or for the whole life of a delivery.</summary>
    /// <param name="now">Now, at a failure.</param>
    /// <param name="failingSince">Its first failure after its last success.</param>
    /// <param name="queuedAt">When the delivery that failed was queued.</param>
    /// <param name="givenUp">Whether that was its last attempt.</param>
    public static bool IsDead(DateTimeOffset now, DateTimeOffset failingSince, DateTimeOffset queuedAt, bool givenUp) =>
        now - failingSince >= Lifetime || (givenUp && failingSince <= queuedAt + s_moment);
}
