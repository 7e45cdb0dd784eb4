namespace Jafer.Delays;

/// <summary>An estimated share with the interval that holds 95 in 100, by the log-log transformation.</summary>
/// <param name="Value">The share, from 0 to 1.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public readonly record struct Share(double Value, double Low, double High);

/// <summary>Days by which a share of the mesures has passed, with the interval that holds 95 in 100.</summary>
/// <param name="Days">The days.</param>
/// <param name="Low">Lower end; null when the data do not bound it.</param>
/// <param name="High">Upper end; null when the data do not bound it.</param>
public readonly record struct DelayQuantile(int Days, int? Low, int? High);

/// <summary>How wide intervals are.</summary>
internal static class Level
{
    /// <summary>Quantile of the normal distribution for intervals that hold 95 in 100.</summary>
    public const double NinetyFive = 1.959963984540054;
}
