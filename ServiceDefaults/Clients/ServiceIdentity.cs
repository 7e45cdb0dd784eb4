using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Clients;

/// <summary>The service has no token: the issuer does not answer, or does not know it.</summary>
internal sealed class IdentityUnavailableException(string message) : Exception(message);

/// <summary>
/// The service's own access tokens, by OAuth client credentials (RFC 6749, 4.4), one for each service that it calls: its audience
/// is asked for as "audience" and as "resource" (RFC 8707). Configuration: Identity:ClientId, Identity:ClientSecret, and
/// Identity:TokenEndpoint or, without it, the endpoint that Identity:Authority announces. A token is kept until shortly before its
/// end; one caller renews it while the others wait for the same answer.
/// </summary>
internal sealed class ServiceIdentity(HttpClient http, IConfiguration configuration, TimeProvider clock) : IDisposable
{
    /// <summary>Longest wait for the issuer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Token> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task<Token>> _renewals = new(StringComparer.Ordinal);
    private Uri? _endpoint;

    /// <summary>A token that is valid now.</summary>
    /// <param name="audience">The service for which it is.</param>
    /// <param name="ct">Ends the wait of this caller, not the renewal.</param>
    /// <exception cref="IdentityUnavailableException">There is none to be had.</exception>
    public async ValueTask<string> TokenAsync(string audience, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        Task<Token> renewal;
        Token? held;
        lock (_lock)
        {
            held = _tokens.GetValueOrDefault(audience);
            if (held is not null && now < held.RenewAt)
            {
                return held.Value;
            }

            renewal = _renewals.GetValueOrDefault(audience) is { IsCompleted: false } running
                ? running
                : _renewals[audience] = Task.Run(() => RenewAsync(audience), CancellationToken.None);
        }

        try
        {
            return (await renewal.WaitAsync(ct)).Value;
        }
        catch (IdentityUnavailableException) when (held is not null && now < held.EndsAt)
        {
            return held.Value;
        }
    }

    /// <summary>
    /// Drops the tokens because a service refused one: its key may have been withdrawn. One just obtained is kept, else a
    /// service that refuses all of them would have the issuer asked at every call.
    /// </summary>
    public void Forget()
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            foreach (var (audience, _) in _tokens.Where(t => now - t.Value.AskedAt > s_settled).ToList())
            {
                _tokens.Remove(audience);
            }
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<Token> RenewAsync(string audience)
    {
        using var timeout = new CancellationTokenSource(Timeout, clock);
        try
        {
            var token = await RequestAsync(audience, timeout.Token);
            lock (_lock)
            {
                _tokens[audience] = token;
            }

            return token;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or KeyNotFoundException or InvalidOperationException or UriFormatException)
        {
            // The exception's text may quote the issuer's answer: only its kind goes on.
            throw new IdentityUnavailableException($"no token of the issuer ({e.GetType().Name}{(e is HttpRequestException { StatusCode: { } code } ? $" {(int)code}" : "")})");
        }
    }

    private async Task<Token> RequestAsync(string audience, CancellationToken ct)
    {
        var identity = configuration.GetSection("Identity");
        var id = identity["ClientId"] ?? throw new InvalidOperationException("Identity:ClientId is not configured");
        var secret = identity["ClientSecret"] ?? throw new InvalidOperationException("Identity:ClientSecret is not configured");
        var endpoint = _endpoint ??= identity["TokenEndpoint"] is { Length: > 0 } configured
            ? new Uri(configured)
            : await DiscoverAsync(identity["Authority"] ?? throw new InvalidOperationException("Identity:Authority is not configured"), ct);
        var asked = clock.GetUtcNow();
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint)
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("audience", audience), new("resource", $"urn:jafer:{audience}")]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(id)}:{Uri.EscapeDataString(secret)}")));
        using var response = await http.SendAsync(request, ct);
        response.EnsureSuccessStatusCode();
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStreamAsync(ct));
        var lifetime = TimeSpan.FromSeconds(answer.RootElement.TryGetProperty("expires_in", out var seconds) ? seconds.GetInt32() : 60);

        // A tenth of the life, at most a minute, is left for clocks that differ and calls under way.
        var margin = lifetime / 10 < TimeSpan.FromMinutes(1) ? lifetime / 10 : TimeSpan.FromMinutes(1);
        return new Token(answer.RootElement.GetProperty("access_token").GetString()!, asked, asked + lifetime - margin, asked + lifetime);
    }

    private async Task<Uri> DiscoverAsync(string authority, CancellationToken ct)
    {
        await using var stream = await http.GetStreamAsync(new Uri(authority.TrimEnd('/') + "/.well-known/openid-configuration"), ct);
        using var document = await JsonDocument.ParseAsync(stream, cancellationToken: ct);
        return new Uri(document.RootElement.GetProperty("token_endpoint").GetString()!);
    }

    private sealed record Token(string Value, DateTimeOffset AskedAt, DateTimeOffset RenewAt, DateTimeOffset EndsAt);
}
