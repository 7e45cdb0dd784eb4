namespace Jafer.ServiceDefaults.Time;

/// <summary>How long to wait after a failure.</summary>
public static class Backoff
{
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    /// <summary>The first wait, doubled by each failure before this one, at most an hour, varied by a fifth.</summary>
    /// <param name="first">First wait.</param>
    /// <param name="failuresBefore">Failures before this one.</param>
    public static TimeSpan After(TimeSpan first, int failuresBefore) => After(first, failuresBefore, s_longest, Random.Shared.NextDouble());

    /// <summary>The first wait, doubled by each failure before this one up to a longest, varied by a fifth.</summary>
    /// <param name="first">First wait.</param>
    /// <param name="failuresBefore">Failures before this one.</param>
    /// <param name="longest">Longest wait, before it is varied.</param>
    /// <param name="chance">From 0 for the shortest to 1 for the longest variation.</param>
    public static TimeSpan After(TimeSpan first, int failuresBefore, TimeSpan longest, double chance)
    {
        var wait = first * Math.Pow(2, Math.Min(failuresBefore, 20));
        return (wait < longest ? wait : longest) * (0.8 + (0.4 * chance));
    }
}
