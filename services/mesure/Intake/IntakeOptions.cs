using Jafer.Mesures.Domain;

namespace Jafer.Mesures.Intake;

/// <summary>How the intake waits; section Intake of the configuration.</summary>
internal sealed class IntakeOptions
{
    /// <summary>Longest time for which an item is held.</summary>
    public TimeSpan HoldFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Most items of one mesure and source that are held.</summary>
    public int HoldCount { get; set; } = 1000;

    /// <summary>How often held items and silent sources are looked after.</summary>
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromMinutes(1);

    public HoldLimits Limits => new(HoldFor, HoldCount);
}
