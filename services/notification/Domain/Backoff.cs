namespace Jafer.Notifications.Domain;

/// <summary>How long to wait after a failure.</summary>
internal static class Backoff
{
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    /// <summary>The first wait, doubled by each failure before this one, at most an hour, varied by a fifth.</summary>
    /// <param name="first">First wait.</param>
    /// <param name="failuresBefore">Failures before this one.</param>
    public static TimeSpan After(TimeSpan first, int failuresBefore)
    {
        var wait = first * Math.Pow(2, Math.Min(failuresBefore, 20));
        return (wait < s_longest ? wait : s_longest) * (0.8 + (0.4 * Random.Shared.NextDouble()));
    }
}
