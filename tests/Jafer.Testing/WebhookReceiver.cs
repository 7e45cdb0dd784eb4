using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Testing;

/// <summary>A post that a receiver got.</summary>
/// <param name="Path">Path with query.</param>
/// <param name="Id">Header webhook-id.</param>
/// <param name="Timestamp">Header webhook-timestamp.</param>
/// <param name="Signature">Header webhook-signature.</param>
/// <param name="Headers">Names of all headers.</param>
/// <param name="Body">Body.</param>
public sealed record WebhookCall(string Path, string Id, string Timestamp, string Signature, IReadOnlyList<string> Headers, string Body)
{
    /// <summary>The body as JSON.</summary>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Body);

    /// <summary>A text of the body's data; null when it is absent.</summary>
    /// <param name="name">Its name.</param>
    public string? Data(string name) => Json.GetProperty("data").TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>Whether one of the signatures is by a secret.</summary>
    /// <param name="secret">The secret.</param>
    public bool IsSignedBy(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        return Signature.Split(' ').Contains("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Id}.{Timestamp}.{Body}"))));
    }
}

/// <summary>A receiver of webhooks on the loopback interface that answers as a test wants.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<WebhookCall> _calls = [];

    private WebhookReceiver(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>How it answers; 204 by default.</summary>
    public Func<WebhookCall, HttpContext, Task> Answer { get; set; } = (_, http) =>
    {
        http.Response.StatusCode = 204;
        return Task.CompletedTask;
    };

    /// <summary>What it got, in order.</summary>
    public IReadOnlyList<WebhookCall> Calls => [.. _calls];

    /// <summary>How many there are.</summary>
    public int Count => _calls.Count;

    /// <summary>Answers with a status.</summary>
    /// <param name="status">The status.</param>
    public void AnswerWith(int status) => Answer = (_, http) =>
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Starts one.</summary>
    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.HandleAsync);
        await app.StartAsync();
        receiver.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return receiver;
    }

    /// <summary>Waits until it got so many posts that satisfy a condition.</summary>
    /// <param name="count">How many, at least.</param>
    /// <param name="wanted">The condition; null for all.</param>
    public Task<List<WebhookCall>> ReceivedAsync(int count, Func<WebhookCall, bool>? wanted = null) => Eventually.BecomesAsync(
        () => Task.FromResult(_calls.Where(c => wanted is null || wanted(c)).ToList()), calls => calls.Count >= count, $"{count} posts");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var call = new WebhookCall(
            http.Request.Path + http.Request.QueryString, http.Request.Headers["webhook-id"].ToString(), http.Request.Headers["webhook-timestamp"].ToString(),
            http.Request.Headers["webhook-signature"].ToString(), [.. http.Request.Headers.Keys], await reader.ReadToEndAsync());
        _calls.Enqueue(call);
        await Answer(call, http);
    }
}
