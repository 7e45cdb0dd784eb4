namespace Jafer.Testing;

/// <summary>Waits for a condition that another part brings about; fails with what was last seen when it does not come.</summary>
public static class Eventually
{
    /// <summary>Longest wait; generous, because a loaded machine is slow and nobody waits when all is well.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(30);

    /// <summary>Looks until the value satisfies the condition.</summary>
    /// <param name="look">Reads the value.</param>
    /// <param name="holds">The condition.</param>
    /// <param name="what">What is waited for, for the failure's text.</param>
    /// <param name="limit">Longest wait, where <see cref="Limit"/> is too short.</param>
    public static async Task<T> BecomesAsync<T>(Func<Task<T>> look, Func<T, bool> holds, string what, TimeSpan? limit = null)
    {
        var atMost = limit ?? Limit;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var value = await look();
            if (holds(value))
            {
                return value;
            }

            if (TimeProvider.System.GetElapsedTime(start) > atMost)
            {
                throw new TimeoutException($"{what} did not come about within {atMost.TotalSeconds} s; last seen: {value}");
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
