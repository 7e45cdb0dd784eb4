using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>One line of a console; <see cref="Content"/> begins with its time in RFC 3339.</summary>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);

/// <summary>The console lines of every instance: the latest 5,000 are kept.</summary>
public class ResourceLoggerService
{
    private const int Kept = 5_000;
    private readonly ConcurrentDictionary<string, Buffer> _buffers = new(StringComparer.OrdinalIgnoreCase);
    private readonly TimeProvider _clock;
    private Func<IResource, IReadOnlyList<string>> _instances = r => [r.Name];

    internal ResourceLoggerService(TimeProvider clock) => _clock = clock;

    internal void UseInstances(Func<IResource, IReadOnlyList<string>> instances) => _instances = instances;

    /// <summary>A logger that writes into the console of every instance of the resource.</summary>
    public ILogger GetLogger(IResource resource) => new Logger(this, () => _instances(resource));

    /// <summary>A logger that writes into the console of one instance.</summary>
    public ILogger GetLogger(string resourceName) => new Logger(this, () => [resourceName]);

    /// <summary>The kept lines of an instance, then new ones until the reader stops.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string resourceName) => WatchAsync(resourceName, CancellationToken.None);

    internal async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string id, [EnumeratorCancellation] CancellationToken ct)
    {
        var buffer = _buffers.GetOrAdd(id, _ => new Buffer());
        var channel = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(Kept) { FullMode = BoundedChannelFullMode.DropOldest });
        var backlog = buffer.Subscribe(channel);
        try
        {
            if (backlog.Length > 0)
                yield return backlog;
            while (await channel.Reader.WaitToReadAsync(ct))
            {
                var batch = new List<LogLine>();
                while (batch.Count < 500 && channel.Reader.TryRead(out var line))
                    batch.Add(line);
                yield return batch;
            }
        }
        finally
        {
            buffer.Unsubscribe(channel);
        }
    }

    /// <summary>The kept lines of an instance, oldest first.</summary>
    internal IReadOnlyList<LogLine> Backlog(string id) => _buffers.TryGetValue(id, out var buffer) ? buffer.Lines() : [];

    /// <summary>Adds a line that already carries its time.</summary>
    internal void Append(string id, string content, bool isError) => _buffers.GetOrAdd(id, _ => new Buffer()).Add(content, isError);

    private void AppendNow(string id, string text, bool isError) =>
        Append(id, $"{_clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {text}", isError);

    private sealed class Buffer
    {
        private readonly Lock _lock = new();
        private readonly Queue<LogLine> _lines = new();
        private readonly HashSet<Channel<LogLine>> _readers = [];
        private int _number;

        public void Add(string content, bool isError)
        {
            lock (_lock)
            {
                var line = new LogLine(++_number, content, isError);
                _lines.Enqueue(line);
                if (_lines.Count > Kept)
                    _lines.Dequeue();
                foreach (var reader in _readers)
                    reader.Writer.TryWrite(line);
            }
        }

        public LogLine[] Subscribe(Channel<LogLine> reader)
        {
            lock (_lock)
            {
                _readers.Add(reader);
                return [.. _lines];
            }
        }

        public void Unsubscribe(Channel<LogLine> reader)
        {
            lock (_lock)
                _readers.Remove(reader);
        }

        public LogLine[] Lines()
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    private sealed class Logger(ResourceLoggerService owner, Func<IReadOnlyList<string>> ids) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var text = formatter(state, exception) + (exception is null ? "" : Environment.NewLine + exception);
            foreach (var id in ids())
            {
                foreach (var line in text.Split('\n'))
                    owner.AppendNow(id, line.TrimEnd('\r'), logLevel >= LogLevel.Error);
            }
        }
    }
}
