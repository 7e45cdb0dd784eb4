using System.Collections.Concurrent;
using System.Diagnostics;
using Jafer.Contracts.Operations.V1;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Tests.Messaging;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Jafer.ServiceDefaults.Tests;

/// <summary>Nothing about a person leaves a service by its logs or traces, whatever fails.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private const string Marker = "Zéphyrine Planté";
    private readonly LogRecorder _logs = new();
    private readonly SpanRecorder _spans = new();
    private readonly string _prefix = ServiceHost.UniquePrefix();
    private TestDatabase? _database;
    private ServiceHost? _host;

    private ServiceHost Host => _host!;

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        var everything = new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Trace" };
        _host = await ProbeHost.StartAsync(_database, _prefix, everything, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(_logs);
            builder.Services.ConfigureOpenTelemetryTracerProvider(traces => traces.SetSampler(new AlwaysOnSampler()).AddProcessor(_spans));
        });
        await _host.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("sql")]
    [InlineData("sql-save")]
    public async Task Call_FaultQuotesAPerson_NoSpanAndNoLineDoes(string kind)
    {
        var client = new ProbeService.ProbeServiceClient(Host.Channel("juridiction", Organisations.Court));

        var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = kind, Marker = Marker }));

        var spans = await Eventually.BecomesAsync(
            () => Task.FromResult(_spans.Lines.Where(l => l.Contains(refusal.Metadata["trace_id"], StringComparison.Ordinal)).ToList()),
            l => l.Any(s => s.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)), "the span of the call");
        Assert.Equal(kind != "unknown", spans.Any(s => s.Contains("db.failed", StringComparison.Ordinal)));
        AssertNoMarker();
    }

    [Fact]
    public async Task Event_FaultQuotesAPerson_NoSpanAndNoLineDoes()
    {
        Host.App.Services.GetRequiredService<ProbeHooks>().BeforeApply = async (_, ct) =>
        {
            // As a handler's own statement would: the server quotes the value.
            await using var scope = Host.App.Services.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<ProbeDbContext>().Database.ExecuteSqlRawAsync("select {0}::text::int", [Marker], ct);
        };

        await Outbox.WriteAsync(Host, (Organisations.New(), 1L));

        var operations = new OperationsService.OperationsServiceClient(Host.Channel("operateur", Organisations.Operator));
        await Eventually.BecomesAsync(async () => await operations.GetOutboxAsync(new()), o => o.FailedCount == 1, "the parked event");
        Assert.Contains(_logs.Lines, l => l.Contains("could not apply event", StringComparison.Ordinal) && l.Contains("Npgsql.PostgresException[22P02", StringComparison.Ordinal));
        AssertNoMarker();
    }

    [Fact]
    public async Task Span_OfAStatement_HoldsNoText()
    {
        var client = new ProbeService.ProbeServiceClient(Host.Channel("juridiction", Organisations.Court));

        await client.ListNotesAsync(new() { Prefix = Marker });

        await Eventually.BecomesAsync(() => Task.FromResult(_spans.Lines), l => l.Any(s => s.StartsWith("Npgsql", StringComparison.Ordinal) && !s.Contains("db.failed", StringComparison.Ordinal)), "a span of the database");
        Assert.DoesNotContain(_spans.Lines, l => l.Contains("select", StringComparison.OrdinalIgnoreCase) && l.Contains("notes", StringComparison.Ordinal));
        AssertNoMarker();
    }

    private void AssertNoMarker()
    {
        foreach (var part in Marker.Split(' '))
        {
            Assert.DoesNotContain(_logs.Lines, l => l.Contains(part, StringComparison.Ordinal));
            Assert.DoesNotContain(_spans.Lines, l => l.Contains(part, StringComparison.Ordinal));
        }
    }

    /// <summary>What an exporter would get, as text.</summary>
    private sealed class SpanRecorder : BaseProcessor<Activity>
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public override void OnEnd(Activity data)
        {
            if (data.Recorded)
            {
                _lines.Enqueue(string.Join(' ', [
                    data.Source.Name, data.TraceId.ToString(), data.DisplayName, data.StatusDescription,
                    .. data.TagObjects.Select(t => $"{t.Key}={t.Value}"),
                    .. data.Events.SelectMany(e => e.Tags.Select(t => $"{e.Name}.{t.Key}={t.Value}").Prepend(e.Name))]));
            }
        }
    }
}
