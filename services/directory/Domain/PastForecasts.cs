using System.Collections.Concurrent;
using Jafer.Contracts.Type.V1;
using Jafer.Delays;

namespace Jafer.Directory.Domain;

/// <summary>
/// What became of past forecasts of each modalité, from which those of a day take their median and their interval. Learned once a day from all
/// that happened until the day before; safe for concurrent callers.
/// </summary>
internal sealed class PastForecasts
{
    private readonly ConcurrentDictionary<(Modalite, DateOnly), Lazy<ForecastCalibration>> _days = new();
    private volatile Func<Modalite, IEnumerable<Offer>> _offers = _ => [];

    /// <summary>Nothing but what is assumed.</summary>
    public static ForecastCalibration Assumed { get; } = new();

    /// <summary>From now on learns from these offers.</summary>
    /// <param name="offers">Those of a modalité.</param>
    public void LearnFrom(Func<Modalite, IEnumerable<Offer>> offers) => _offers = offers;

    /// <summary>What is known of a modalité when a day begins.</summary>
    public ForecastCalibration On(Modalite modalite, DateOnly day)
    {
        if (_days.TryGetValue((modalite, day), out var known))
            return known.Value;
        foreach (var old in _days.Keys.Where(key => key.Item2 < day.AddDays(-1)))
            _days.TryRemove(old, out _);
        return _days.GetOrAdd((modalite, day), key => new(() => Learn(key.Item1, key.Item2.AddDays(-1).DayNumber))).Value;
    }

    private ForecastCalibration Learn(Modalite modalite, int yesterday)
    {
        DatedWait[][] queues = [.. _offers(modalite).Where(o => o.Followed.Length >= WaitLevel.LeastPassed).Select(o => o.QueueWaits())];
        var calibration = new ForecastCalibration();
        calibration.Add(queues, PastLevels.Follow(queues, yesterday), yesterday);
        return calibration;
    }
}
