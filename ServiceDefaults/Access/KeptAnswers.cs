using System.Collections.Concurrent;
using Grpc.Core;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Answers of the directory on which every call depends. One is taken as it is for 20 seconds; up to 45 it is taken and asked for anew
/// beside the call; later the call waits for a new one. While the directory does not answer, what it said goes on for a day, and nobody
/// waits. Many callers wait for one question.
/// </summary>
/// <typeparam name="TKey">What is asked about.</typeparam>
/// <typeparam name="TAnswer">What is answered.</typeparam>
/// <param name="clock">Time.</param>
/// <param name="ask">Asks; null when there is no answer for the moment.</param>
/// <param name="mayAsk">Whether something never asked about may be asked now; null for always.</param>
internal sealed class KeptAnswers<TKey, TAnswer>(TimeProvider clock, Func<TKey, CancellationToken, Task<TAnswer?>> ask, Func<bool>? mayAsk = null)
    where TKey : notnull
    where TAnswer : class
{
    private const int MaxKept = 20_000;

    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_maxAge = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan s_withoutDirectory = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<TKey, Entry> _kept = new();

    /// <summary>The answer about something.</summary>
    /// <param name="key">What.</param>
    /// <param name="ct">Ends the wait of this caller, not the question.</param>
    /// <exception cref="DomainError">UNAVAILABLE: nothing is known, and the directory does not answer.</exception>
    public ValueTask<TAnswer> OfAsync(TKey key, CancellationToken ct)
    {
        if (!_kept.TryGetValue(key, out var entry))
        {
            if (mayAsk?.Invoke() == false)
            {
                throw DomainError.Unavailable(TimeSpan.FromSeconds(1));
            }

            MakeRoom();
            entry = _kept.GetOrAdd(key, _ => new Entry());
        }

        var held = entry.Held;
        var age = held is null ? TimeSpan.MaxValue : clock.GetUtcNow() - held.At;
        if (age < s_fresh)
        {
            return new(held!.Answer);
        }

        var asking = Ask(key, entry);
        return age < s_maxAge || (age < s_withoutDirectory && entry.FailedAt is not null) ? new(held!.Answer) : WaitAsync(entry, asking, ct);
    }

    /// <summary>The answer about something as it is now, whatever is kept.</summary>
    /// <param name="key">What.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">UNAVAILABLE: the directory does not answer.</exception>
    public async ValueTask<TAnswer> OfNowAsync(TKey key, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var answer = await ask(key, ct) ?? throw DomainError.Unavailable(s_retryAfter);
        MakeRoom();
        _kept.GetOrAdd(key, _ => new Entry()).Held = new Held(answer, at);
        return answer;
    }

    private async ValueTask<TAnswer> WaitAsync(Entry entry, Task asking, CancellationToken ct)
    {
        await asking.WaitAsync(ct);
        return entry.Held is { } held && clock.GetUtcNow() - held.At < s_withoutDirectory ? held.Answer : throw DomainError.Unavailable(s_retryAfter);
    }

    private Task Ask(TKey key, Entry entry)
    {
        lock (entry)
        {
            if (!entry.Asking.IsCompleted || (entry.FailedAt is { } failed && clock.GetUtcNow() - failed < s_retryAfter))
            {
                return entry.Asking;
            }

            // Not the call's: it may have ended when the answer comes.
            using (ExecutionContext.SuppressFlow())
            {
                return entry.Asking = Task.Run(() => AskAsync(key, entry));
            }
        }
    }

    private async Task AskAsync(TKey key, Entry entry)
    {
        var at = clock.GetUtcNow();
        TAnswer? answer = null;
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            answer = await ask(key, patience.Token);
        }
        catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException or OperationCanceledException or DomainError or RpcException)
        {
            // No answer, as far as who waits is concerned.
        }

        lock (entry)
        {
            entry.FailedAt = answer is null ? clock.GetUtcNow() : null;
            if (answer is not null && !(entry.Held?.At > at))
            {
                entry.Held = new Held(answer, at);
            }
        }
    }

    private void MakeRoom()
    {
        if (_kept.Count < MaxKept)
        {
            return;
        }

        var now = clock.GetUtcNow();
        foreach (var (key, entry) in _kept)
        {
            if (entry.Held is not { } held || now - held.At >= s_maxAge)
            {
                _kept.TryRemove(key, out _);
            }
        }

        if (_kept.Count >= MaxKept)
        {
            _kept.Clear();
        }
    }

    private sealed class Entry
    {
        private Held? _held;

        public Held? Held { get => Volatile.Read(ref _held); set => Volatile.Write(ref _held, value); }

        public Task Asking { get; set; } = Task.CompletedTask;

        public DateTimeOffset? FailedAt { get; set; }
    }

    private sealed record Held(TAnswer Answer, DateTimeOffset At);
}
