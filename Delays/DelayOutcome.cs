namespace Jafer.Delays;

/// <summary>What became of a wait.</summary>
public enum DelayOutcome
{
    /// <summary>What was waited for took place.</summary>
    Passed,

    /// <summary>The mesure was closed before, and it never will (a competing end).</summary>
    Ended,

    /// <summary>It still runs, and is known to be longer than so far (censored on the right).</summary>
    Waiting,
}
