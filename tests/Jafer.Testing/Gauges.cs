using System.Diagnostics.Metrics;

namespace Jafer.Testing;

/// <summary>What the gauges of this process tell, as a dashboard would read them.</summary>
public static class Gauges
{
    /// <summary>The gauges whose names begin so. Services of other tests have gauges of the same names: the greatest is told, unless one scope is asked for.</summary>
    /// <param name="prefix">Begin of the names, such as "jafer.mail.".</param>
    /// <param name="scope">The scope of their meter, such as one service's census of a queue; all when null.</param>
    public static IReadOnlyDictionary<string, double> Read(string prefix, object? scope = null)
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name.StartsWith(prefix, StringComparison.Ordinal) && instrument.IsObservable && (scope is null || ReferenceEquals(instrument.Meter.Scope, scope)))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Keep(instrument.Name, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Keep(instrument.Name, value));
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;

        void Keep(string name, double value) => seen[name] = Math.Max(value, seen.GetValueOrDefault(name));
    }
}
