using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Jafer.Notifications.Tests.Telemetry;

/// <summary>Everything that services tell of themselves, as text: log lines, spans with their tags and events, tags of measurements.</summary>
internal sealed class TelemetryRecorder : BaseProcessor<Activity>, ILoggerProvider
{
    private static readonly string[] s_meters = ["Jafer", "Microsoft.AspNetCore", "System.Net.Http", "System.Runtime", "Npgsql", "MassTransit"];

    private readonly ConcurrentQueue<(string Source, string Text)> _lines = new();
    private readonly MeterListener _meters = new();

    public TelemetryRecorder()
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (s_meters.Any(m => instrument.Meter.Name.StartsWith(m, StringComparison.Ordinal)))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Add(instrument, tags));
        _meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Add(instrument, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, tags));
        _meters.Start();
    }

    /// <summary>What was told so far.</summary>
    public IReadOnlyCollection<(string Source, string Text)> Lines
    {
        get
        {
            _meters.RecordObservableInstruments();
            return _lines;
        }
    }

    /// <summary>Adds what a service sent or answered.</summary>
    public void Add(string source, string text) => _lines.Enqueue((source, text));

    public void Attach(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(this);
        builder.Configuration["OTEL_TRACES_SAMPLER"] = "always_on";
        builder.Services.ConfigureOpenTelemetryTracerProvider(traces => traces.SetSampler(new AlwaysOnSampler()).AddProcessor(this));
    }

    public override void OnEnd(Activity data)
    {
        if (data.Recorded)
        {
            Add("span", string.Join(' ', [
                data.Source.Name, data.DisplayName, data.StatusDescription, data.TraceStateString,
                .. data.TagObjects.Concat(data.Events.SelectMany(e => e.Tags)).Select(t => $"{t.Key}={t.Value}"),
                .. data.Baggage.Select(b => $"{b.Key}={b.Value}"), .. data.Events.Select(e => e.Name)]));
        }
    }

    public ILogger CreateLogger(string categoryName) => new Recorder(categoryName, this);

    protected override void Dispose(bool disposing)
    {
        _meters.Dispose();
        base.Dispose(disposing);
    }

    private void Add(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length > 0)
        {
            Add("metric", instrument.Name + " " + string.Join(' ', tags.ToArray().Select(t => $"{t.Key}={t.Value}")));
        }
    }

    private sealed class Recorder(string category, TelemetryRecorder recorder) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            recorder.Add("log", $"{logLevel} {category}: {formatter(state, exception)} {state} {exception}");
    }
}
