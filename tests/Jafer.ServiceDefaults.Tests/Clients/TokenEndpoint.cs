using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Tests.Clients;

/// <summary>The two addresses of an OpenID Connect issuer that a service asks, over HTTP; a test tells what they answer.</summary>
public sealed class TokenEndpoint : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _asked;

    private TokenEndpoint(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>Times a token was asked for.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>The token that is given, by number of the request.</summary>
    public Func<int, string> Token { get; set; } = n => $"token-{n}";

    /// <summary>The audiences that were asked for, and the same as resources, in their order.</summary>
    public List<string> Audiences { get; } = [];

    public List<string> Resources { get; } = [];

    public int ExpiresIn { get; set; } = 600;

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    /// <summary>What an answer waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public static async Task<TokenEndpoint> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var endpoint = new TokenEndpoint(app);
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new { token_endpoint = new Uri(endpoint.Address, "/oauth/token") }));
        app.MapPost("/oauth/token", (Delegate)endpoint.AnswerAsync);
        await app.StartAsync();
        endpoint.Address = new Uri(app.Urls.Single());
        return endpoint;
    }

    public Dictionary<string, string?> Settings(string id = "systeme.mesure", string secret = "s3cr3t:/+ é") => new()
    {
        ["Identity:Authority"] = Address.ToString(),
        ["Identity:ClientId"] = id,
        ["Identity:ClientSecret"] = secret,
    };

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task<IResult> AnswerAsync(HttpContext context)
    {
        var number = Interlocked.Increment(ref _asked);
        await Gate.WaitAsync(context.RequestAborted);
        var form = await context.Request.ReadFormAsync();
        lock (Audiences)
        {
            Audiences.Add(form["audience"].ToString());
            Resources.Add(form["resource"].ToString());
        }

        var basic = Encoding.UTF8.GetString(Convert.FromBase64String(context.Request.Headers.Authorization.ToString()["Basic ".Length..]));
        var credentials = basic.Split(':').Select(Uri.UnescapeDataString).ToArray();
        return Status != HttpStatusCode.OK ? Results.StatusCode((int)Status)
            : form["grant_type"] != "client_credentials" || credentials is not ["systeme.mesure", "s3cr3t:/+ é"] ? Results.Unauthorized()
            : Results.Json(new { access_token = Token(number), expires_in = ExpiresIn, token_type = "Bearer", asked = number.ToString(CultureInfo.InvariantCulture) });
    }
}
