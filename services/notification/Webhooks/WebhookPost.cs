using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Jafer.Notifications.Domain;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Webhooks;

/// <summary>Posts to endpoints.</summary>
internal sealed class WebhookPost : IDisposable
{
    // Enough to know a page; what a receiver says is of no use here.
    private const int MostOfAnswer = 4096;

    // Whoever answered 2xx has it: a body that drips is not waited for.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _clock;

    public WebhookPost(IOptions<WebhookOptions> options, WebhookAddresses addresses, TimeProvider clock)
    {
        (_timeout, _clock) = (options.Value.Timeout, clock);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = addresses.ConnectAsync,
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 16,
            // The name may lead elsewhere, and that may be refused by then.
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            // No traces: they hold whole urls, and those may hold secrets.
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Makes one attempt.</summary>
    /// <param name="url">Where.</param>
    /// <param name="deliveryId">Id of the delivery.</param>
    /// <param name="body">The body.</param>
    /// <param name="secrets">Secrets that sign it.</param>
    /// <param name="ct">Cancellation; an attempt that is cut tells nothing.</param>
    public async Task<WebhookResult> SendAsync(string url, Guid deliveryId, byte[] body, IReadOnlyList<string> secrets, CancellationToken ct)
    {
        var now = _clock.GetUtcNow();
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Jafer-Webhooks", "1"));
        request.Headers.Add("webhook-id", deliveryId.ToString());
        request.Headers.Add("webhook-timestamp", now.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookMessage.Sign(secrets, deliveryId, now, body));
        using var timeout = new CancellationTokenSource(_timeout, _clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
            var answer = response.IsSuccessStatusCode ? await BeginningAsync(response.Content, end.Token, ct) : "";
            var asked = response.Headers.RetryAfter;
            return WebhookAnswers.Judge(
                (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, answer, WebhookSchedule.RetryAfter(asked?.Delta, asked?.Date, _clock.GetUtcNow()));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return WebhookResult.NoAnswer("TIMEOUT");
        }
        catch (HttpRequestException e)
        {
            return WebhookResult.NoAnswer(e switch
            {
                { InnerException: AddressRefusedException } => "ADDRESS_REFUSED",
                { HttpRequestError: HttpRequestError.Unknown or HttpRequestError.ResponseEnded } => "CONNECTION_BROKEN",
                _ => JsonNamingPolicy.SnakeCaseUpper.ConvertName(e.HttpRequestError.ToString()),
            });
        }
        catch (IOException) when (!ct.IsCancellationRequested)
        {
            return WebhookResult.NoAnswer("CONNECTION_BROKEN");
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The beginning of a body: what comes of it before patience or the time of the attempt ends. The status was told by then.</summary>
    private async Task<string> BeginningAsync(HttpContent content, CancellationToken end, CancellationToken cut)
    {
        using var patience = new CancellationTokenSource(s_patience, _clock);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(end, patience.Token);
        var (buffer, length) = (new byte[MostOfAnswer], 0);
        try
        {
            await using var stream = await content.ReadAsStreamAsync(enough.Token);
            while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length), enough.Token) is > 0 and var read)
            {
                length += read;
            }
        }
        catch (OperationCanceledException) when (!cut.IsCancellationRequested)
        {
        }

        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
