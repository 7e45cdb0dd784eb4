using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Clients;

#pragma warning disable RS0030 // What a client catches.

/// <summary>One probe asks another, as one of Jafer's services asks another.</summary>
public sealed partial class ClientTests : IAsyncLifetime
{
    private static readonly Guid s_service = StableIds.For("organisation:service:mesure");
    private TestDatabase? _database;
    private TokenEndpoint? _endpoint;
    private ServiceHost? _other;
    private ServiceHost? _asking;

    private ServiceHost Other => _other!;

    private TokenEndpoint Endpoint => _endpoint!;

    private ProbeService.ProbeServiceClient Client => new(_asking!.Channel("juridiction", Organisations.Court));

    private Jafer.Probe.ProbeHooks OtherHooks => Other.App.Services.GetRequiredService<Jafer.Probe.ProbeHooks>();

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        _endpoint = await TokenEndpoint.StartAsync();
        _endpoint.Token = _ => TestIssuer.Shared.Token("systeme", s_service, subject: "systeme.mesure", audience: "other");
        var settings = _endpoint.Settings();
        settings["Identity:TokenEndpoint"] = new Uri(_endpoint.Address, "/oauth/token").ToString();
        settings["Identity:Authority"] = TestIssuer.Issuer;
        _other = await ProbeHost.StartPublisherAsync(_database, ServiceHost.UniquePrefix(), new Dictionary<string, string?> { ["Identity:ServiceAudience"] = "other" });
        settings["services:other:grpc:0"] = _other.Grpc.ToString();
        _asking = await ProbeHost.StartPublisherAsync(_database, ServiceHost.UniquePrefix(), settings);
    }

    public async ValueTask DisposeAsync()
    {
        await _asking!.DisposeAsync();
        await Other.DisposeAsync();
        await Endpoint.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task Ask_Other_GoesUnderOwnIdentityInTheSameTraceForTheCaller()
    {
        var answer = await Client.AskOtherAsync(new() { Fail = new() { Kind = "ok" } });

        Assert.Equal("systeme.mesure", answer.Answer.Subject);
        Assert.Equal($"juridiction.{Organisations.Court}", answer.Answer.OnBehalfOf);
        Assert.Equal(answer.TraceId, answer.Answer.TraceId);
        Assert.NotEmpty(answer.TraceId);
        Assert.InRange(answer.Answer.SecondsLeft, 0.1, 5.0);
    }

    [Fact]
    public async Task Ask_ShorterDeadlineOfTheCall_IsPassedOn()
    {
        var answer = await Client.AskOtherAsync(new() { Fail = new() { Kind = "ok" } }, deadline: TimeProvider.System.GetUtcNow().AddSeconds(3).UtcDateTime);

        Assert.InRange(answer.Answer.SecondsLeft, 0.1, 3.0);
    }

    [Fact]
    public async Task Ask_NameOfTheCallerFromAnybodyElse_IsNotRead()
    {
        var court = new ProbeService.ProbeServiceClient(Other.Channel("juridiction", Organisations.Court));
        var service = new ProbeService.ProbeServiceClient(Other.Channel("systeme", s_service));
        var headers = new Metadata { { "x-jafer-caller", "somebody.else" } };

        Assert.Equal("", (await court.FailAsync(new() { Kind = "ok" }, headers)).OnBehalfOf);
        Assert.Equal("somebody.else", (await service.FailAsync(new() { Kind = "ok" }, headers)).OnBehalfOf);
        Assert.Equal("", (await service.FailAsync(new() { Kind = "ok" }, new Metadata { { "x-jafer-caller", new string('x', 201) } })).OnBehalfOf);
    }

    [Fact]
    public async Task Ask_OtherIsUnavailableOnce_TriesAgain()
    {
        var answer = await Client.AskOtherAsync(new() { Fail = new() { Kind = "transient-once" } });

        Assert.Equal(2, answer.Answer.Calls);
    }

    [Fact]
    public async Task Ask_OtherStaysUnavailable_TriesThreeTimesThenHasNoAnswer()
    {
        var answer = await Client.AskOtherAsync(new() { Fail = new() { Kind = "transient" }, Fallback = true });

        Assert.False(answer.Answered);
        Assert.Equal(3, OtherHooks.Calls);
    }

    [Fact]
    public async Task Ask_OtherRefuses_IsAnAnswer()
    {
        var refusal = await Refusal.OfAsync(Client.AskOtherAsync(new() { Fail = new() { Kind = "invalid" }, Fallback = true }));

        // What another service refuses to us is our fault, not the caller's.
        Assert.Equal((StatusCode.Internal, "INTERNAL"), (refusal.Code, refusal.Reason));
        Assert.Equal(1, OtherHooks.Calls);
    }

    [Theory]
    [InlineData("transient")]
    [InlineData("unavailable")]
    public async Task Ask_NoFallback_IsUnavailableToTheCaller(string kind)
    {
        if (kind == "unavailable")
        {
            await Other.App.StopAsync();
        }

        var refusal = await Refusal.OfAsync(Client.AskOtherAsync(new() { Fail = new() { Kind = kind } }));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), (refusal.Code, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
    }

    [Fact]
    public async Task Ask_OtherHangs_HasNoAnswerAfterTheDeadline()
    {
        var start = Stopwatch.GetTimestamp();

        var answer = await Client.AskOtherAsync(new() { Fail = new() { Kind = "hang" }, Fallback = true });

        Assert.False(answer.Answered);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 4.5, 29);
    }

    [Theory]
    [InlineData("issuer")]
    [InlineData("role")]
    [InlineData("unimplemented")]
    public async Task Ask_OwnIdentityMissingOrNotAccepted_HasNoAnswerOrAFault(string what)
    {
        switch (what)
        {
            case "issuer":
                Endpoint.Status = System.Net.HttpStatusCode.ServiceUnavailable;
                break;
            case "role":
                Endpoint.Token = _ => TestIssuer.Shared.Token("systeme", s_service, audience: "messaging");
                break;
        }

        var answer = await Client.AskOtherAsync(new() { Fail = new() { Kind = what == "unimplemented" ? "unknown" : "ok" }, Fallback = true });

        Assert.False(answer.Answered);
    }

    [Fact]
    public async Task Ask_WithoutAddress_HasNoAnswerAtOnce()
    {
        await using var host = await ProbeHost.StartPublisherAsync(_database!, ServiceHost.UniquePrefix());
        var client = new ProbeService.ProbeServiceClient(host.Channel("juridiction", Organisations.Court));

        Assert.False((await client.AskOtherAsync(new() { Fail = new() { Kind = "ok" }, Fallback = true })).Answered);

        // What does not need the other service is not concerned.
        Assert.Equal(1, (await client.FailAsync(new() { Kind = "ok" })).Calls);
    }

    [Fact]
    public async Task Ask_GenuineIssuer_GivesAndAcceptsTheTokens()
    {
        await using var issuer = await DevelopmentIssuer.StartAsync();
        var settings = new Dictionary<string, string?>
        {
            ["Identity:Authority"] = issuer.Address,
            ["Identity:KeysFile"] = null,
            ["Identity:ClientId"] = "systeme.messaging",
            ["Identity:ClientSecret"] = issuer.SecretOf("systeme.messaging"),
            ["Identity:ServiceAudience"] = "mesure",
            ["services:other:audience"] = "mesure",
        };
        await using var other = await ProbeHost.StartPublisherAsync(_database!, ServiceHost.UniquePrefix(), settings, b => b.Environment.EnvironmentName = "Development");
        settings["services:other:grpc:0"] = other.Grpc.ToString();
        await using var asking = await ProbeHost.StartPublisherAsync(_database!, ServiceHost.UniquePrefix(), settings, b => b.Environment.EnvironmentName = "Development");
        var client = new ProbeService.ProbeServiceClient(asking.Channel(await issuer.TokenAsync("juridiction.tj69123")));

        var answer = await client.AskOtherAsync(new() { Fail = new() { Kind = "ok" } });

        Assert.Equal(("systeme.messaging", "juridiction.tj69123"), (answer.Answer.Subject, answer.Answer.OnBehalfOf));
    }

    /// <summary>The issuer of developers' machines, in its own process.</summary>
    private sealed partial class DevelopmentIssuer : IAsyncDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("jafer-issuer-").FullName;
        private readonly Process _process;

        private DevelopmentIssuer()
        {
            var root = OwnServers.Root();
            var start = new ProcessStartInfo("node", [Path.Combine(root, "eng", "identity", "provider.mjs")]) { RedirectStandardOutput = true, WorkingDirectory = root };
            start.Environment["JAFER_IDENTITY_KEYS"] = Path.Combine(_folder, "identity");
            start.Environment["PORT"] = "0";
            start.Environment.Remove("ISSUER");
            _process = Process.Start(start)!;
        }

        public string Address { get; private set; } = "";

        public static async Task<DevelopmentIssuer> StartAsync()
        {
            var issuer = new DevelopmentIssuer();
            using var limit = new CancellationTokenSource(Eventually.Limit);
            var line = await issuer._process.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("the issuer ended");
            issuer.Address = Ready().Match(line).Groups[1].Value;
            return issuer;
        }

        public string SecretOf(string client)
        {
            var master = File.ReadAllText(Path.Combine(_folder, "identity", "master.secret")).Trim();
            return Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(master), Encoding.UTF8.GetBytes(client))).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }

        /// <summary>A token as outside callers get it.</summary>
        public async Task<string> TokenAsync(string client)
        {
            using var http = new HttpClient();
            using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", client), new("client_secret", SecretOf(client))]);
            using var response = await http.PostAsync(new Uri(Address + "/token"), form);
            return System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("access_token").GetString()!;
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        [GeneratedRegex("ready at (http://[^ ]+)")]
        private static partial Regex Ready();
    }
}
