using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Mails;

/// <summary>
/// The mail server as this replica knows it. When it is away or takes nothing it rests, longer after each failure, and is then
/// tried with one mail alone; what waits for it waits unharmed.
/// </summary>
internal sealed class MailServer(IOptions<MailOptions> options, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private int _failures;
    private bool _trying;
    private DateTimeOffset _restUntil;

    /// <summary>A connection to it, not yet made.</summary>
    public MailConnection Connect() => new(options.Value, clock);

    /// <summary>Whether a mail may be tried now; then <see cref="End"/> follows.</summary>
    public bool TryBegin()
    {
        lock (_gate)
        {
            if (_failures == 0)
            {
                return true;
            }

            if (_trying || clock.GetUtcNow() < _restUntil)
            {
                return false;
            }

            _trying = true;
            return true;
        }
    }

    /// <summary>Notes how the server behaved.</summary>
    /// <param name="outcome">What became of a mail; null when it was not asked.</param>
    /// <returns>When it is tried again.</returns>
    public DateTimeOffset End(MailOutcome? outcome)
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            if (outcome is MailOutcome.Away)
            {
                // Several mails that were under way fail together: one failure.
                if (_failures == 0 || _trying)
                {
                    _restUntil = now + Backoff.After(options.Value.FirstBackoff, _failures, options.Value.LongestRest, Random.Shared.NextDouble());
                    _failures++;
                }
            }
            else if (outcome is not null)
            {
                (_failures, _restUntil) = (0, now);
            }

            _trying = false;
            return _restUntil;
        }
    }
}
