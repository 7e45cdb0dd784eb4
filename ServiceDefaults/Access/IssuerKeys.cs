using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Access;

/// <summary>How long an issuer's keys are good for. Configuration: Identity:Keys.</summary>
internal sealed class KeyOptions
{
    /// <summary>Age from which keys are read again, beside the calls.</summary>
    public TimeSpan RefreshAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Age up to which known keys go on while the issuer does not answer; after it nobody is let in.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Shortest time between two readings that tokens with an unknown key cause, or after one that failed.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// The public keys of an issuer, by their id. A new key is found at its first token; a withdrawn one is given up when the keys are
/// read again. Many callers wait for one reading.
/// </summary>
/// <param name="read">Reads the keys of today.</param>
/// <param name="options">Times.</param>
/// <param name="clock">Time.</param>
/// <param name="logger">Where a reading that fails is told.</param>
internal sealed class IssuerKeys(Func<CancellationToken, Task<IEnumerable<SecurityKey>>> read, KeyOptions options, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    // A discovery document and a key set are some kilobytes.
    private const int MostBytes = 1024 * 1024;

    // While no key at all is known, nobody can be let in: the issuer is asked sooner.
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private volatile Held? _held;
    private Task _reading = Task.CompletedTask;
    private DateTimeOffset _triedAt = DateTimeOffset.MinValue;
    private volatile bool _failed;

    /// <summary>The key of an id; null when the issuer has none of that id.</summary>
    /// <param name="id">"kid" of a token.</param>
    /// <param name="ct">Ends the wait of this caller, not the reading.</param>
    /// <exception cref="DomainError">UNAVAILABLE: the issuer does not answer, and no keys are known, or too old ones.</exception>
    public async ValueTask<SecurityKey?> FindAsync(string id, CancellationToken ct)
    {
        if (Usable() is not { } held)
        {
            await ReadAsync(s_firstRetry).WaitAsync(ct);
            held = Usable() ?? throw DomainError.Unavailable(TimeSpan.FromSeconds(2));
        }
        else if (clock.GetUtcNow() - held.ReadAt >= options.RefreshAfter)
        {
            _ = ReadAsync(options.RetryAfter);
        }

        if (held.Keys.TryGetValue(id, out var key))
        {
            return key;
        }

        await ReadAsync(options.RetryAfter).WaitAsync(ct);
        return _held?.Keys.GetValueOrDefault(id) ?? (_failed ? throw DomainError.Unavailable(options.RetryAfter) : null);
    }

    /// <summary>What asks issuers: it takes no answer without end.</summary>
    /// <param name="handler">The way to them.</param>
    public static HttpClient Client(SocketsHttpHandler handler)
    {
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
        return new HttpClient(handler) { MaxResponseContentBufferSize = MostBytes };
    }

    /// <summary>Reads keys by discovery.</summary>
    /// <param name="http">Asks the issuer.</param>
    /// <param name="authority">The issuer.</param>
    /// <param name="requireHttps">Whether its addresses must be HTTPS.</param>
    public static Func<CancellationToken, Task<IEnumerable<SecurityKey>>> Discover(HttpClient http, string authority, bool requireHttps) => async ct =>
    {
        var found = await OpenIdConnectConfigurationRetriever.GetAsync(
            authority.TrimEnd('/') + "/.well-known/openid-configuration", new HttpDocumentRetriever(http) { RequireHttps = requireHttps }, ct);
        return found.Issuer == authority ? found.SigningKeys : throw new InvalidOperationException("the issuer announces another name than the configured one");
    };

    /// <summary>Reads keys from a JWKS file, for closed networks.</summary>
    /// <param name="file">The file; whoever replaces it rotates the keys.</param>
    public static Func<CancellationToken, Task<IEnumerable<SecurityKey>>> FromFile(string file) => async ct =>
        new JsonWebKeySet(await File.ReadAllTextAsync(file, ct)).GetSigningKeys();

    private Held? Usable() => _held is { } held && clock.GetUtcNow() - held.ReadAt < options.MaxAge ? held : null;

    private Task ReadAsync(TimeSpan interval)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            if (_reading.IsCompleted && now - _triedAt >= interval)
            {
                _triedAt = now;
                _reading = Task.Run(ReadOnceAsync, CancellationToken.None);
            }

            return _reading;
        }
    }

    private async Task ReadOnceAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            // A public key is never a secret to sign with.
            var keys = (await read(patience.Token)).Where(k => k is not SymmetricSecurityKey && k.KeyId is { Length: > 0 })
                .DistinctBy(k => k.KeyId).ToDictionary(k => k.KeyId, StringComparer.Ordinal);
            _held = keys.Count > 0 ? new Held(keys, clock.GetUtcNow()) : throw new InvalidOperationException("the issuer has no keys");
            _failed = false;
        }
        catch (Exception e)
        {
            // Whatever an issuer answers, those who wait for it are told that it does not: a fault of this task would be theirs.
            _failed = true;
            logger.LogWarning("The keys of an issuer could not be read ({Fault}); those known go on for {MaxAge} after they were read", e.GetType().Name, options.MaxAge);
        }
    }

    private sealed record Held(IReadOnlyDictionary<string, SecurityKey> Keys, DateTimeOffset ReadAt);
}
