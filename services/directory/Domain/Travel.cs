using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Domain;

/// <summary>
/// A way by car from one commune to another, one way, in free flow. Either a number of minutes, or no road link at all
/// (an island), or unknown (a commune without coordinates). Unreachable is never zero minutes.
/// </summary>
internal readonly record struct Travel
{
    // Minutes; infinite without a road, not a number when unknown. The sign bit marks what came from a distancier.
    private readonly float _value;

    private Travel(float value) => _value = value;

    /// <summary>A commune without coordinates: nothing can be said.</summary>
    public static Travel Unknown { get; } = new(float.NaN);

    /// <summary>No road joins the two communes.</summary>
    public static Travel NoRoad { get; } = new(float.PositiveInfinity);

    /// <summary>A way of so many minutes.</summary>
    /// <param name="minutes">Minutes by car, not negative and finite.</param>
    public static Travel Of(double minutes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minutes);
        if (!double.IsFinite(minutes))
            throw new ArgumentOutOfRangeException(nameof(minutes), minutes, "Minutes are finite.");
        return new Travel((float)minutes);
    }

    /// <summary>A way as an imported distancier states it.</summary>
    /// <param name="minutes">Minutes by car, not negative and finite; null when no road joins the two communes.</param>
    public static Travel Imported(double? minutes) => new(-(minutes is { } known ? Of(known) : NoRoad)._value);

    /// <summary>Where the figure comes from.</summary>
    public TravelSource Source => !float.IsNaN(_value) && float.IsNegative(_value) ? TravelSource.Distancier : TravelSource.Model;

    /// <summary>True when the minutes are known.</summary>
    public bool HasMinutes => float.IsFinite(_value);

    /// <summary>True when it is known that no road joins the two communes.</summary>
    public bool IsUnreachable => float.IsInfinity(_value);

    /// <summary>Minutes by car, one way; throws when they are not known.</summary>
    public double Minutes => HasMinutes ? Math.Abs(_value) : throw new InvalidOperationException("This way has no minutes.");

    /// <summary>Minutes rounded to five, as they are shown; null when they are not known. A way shorter than 2.5 minutes shows as 0.</summary>
    public int? RoundedMinutes => HasMinutes ? (int)(Math.Round(Math.Abs(_value) / 5, MidpointRounding.AwayFromZero) * 5) : null;

    /// <summary>Half the width of the range shown beside the minutes: 15 % or 5 minutes, whichever is larger; 0 within one commune.</summary>
    public int? MarginMinutes => HasMinutes ? _value == 0 ? 0 : (int)Math.Ceiling(Math.Max(5, 0.15 * Math.Abs(_value))) : null;
}
