using Jafer.Directory;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>The notification service with a mail server, the directory that it asks for addresses, and an issuer that knows it.</summary>
public sealed class MailFixture : NotificationsFixture
{
    private TestDatabase _directoryDatabase = null!;
    private WebApplication _issuer = null!;
    private string _issuerAddress = null!;

    /// <summary>The mail server; tests may stop it and start another on its port.</summary>
    internal MailCatcher Catcher { get; set; } = null!;

    internal ServiceHost Directory { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        Catcher = await MailCatcher.StartAsync();
        _issuer = await StartIssuerAsync();
        _issuerAddress = _issuer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _directoryDatabase = await TestDatabase.CloneAsync(DirectoryModule.Name, async connection =>
        {
            await using var app = DirectoryModule.Build([], b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(DirectoryModule.Name, connection, "none")));
            await app.MigrateDirectoryAsync();
        });
        Directory = await StartDirectoryAsync();
        await base.InitializeAsync();
    }

    /// <summary>Makes an organisation known to the directory, with one contact who follows mesures and one who directs.</summary>
    /// <returns>Address of the former.</returns>
    public async Task<string> AddContactsAsync(Guid organisation)
    {
        var address = $"suivi.{organisation:N}@association.test";
        await _directoryDatabase.RunAsync($"""
            insert into gestionnaires values ('{organisation}', 'test', '{organisation}', 'Association fictive', '12345678901234', now(), now(), 1);
            insert into contacts values
                ('{organisation}', '1', in_clear('direction.{organisation:N}@association.test'), 'DIRECTION'),
                ('{organisation}', '2', in_clear('{address}'), 'SUIVI');
            """);
        return address;
    }

    /// <summary>The one who follows mesures does not want some kinds of mail; the directing one gets them.</summary>
    /// <returns>Address of the latter.</returns>
    public async Task<string> MuteAsync(Guid organisation, params string[] mails)
    {
        await _directoryDatabase.RunAsync($"update contacts set muted_mails = '{{{string.Join(',', mails)}}}' where organisation_id = '{organisation}' and external_id = '2'");
        return $"direction.{organisation:N}@association.test";
    }

    /// <summary>As if what was told of a subject had been told half an hour before.</summary>
    public Task OverAsync(Guid subject) => Database.RunAsync($"""
        update mail_recipients set sent_at = sent_at - interval '30 minutes' where subject_id = '{subject}' and state = 'SENT';
        update mail_people p set due_at = now() where due_at is not null and lease is null;
        """);

    protected override Dictionary<string, string?> Settings() => new()
    {
        ["Mail:Host"] = "127.0.0.1",
        ["Mail:Port"] = $"{Catcher.SmtpPort}",
        ["Mail:GroupingDelay"] = "00:00:00",
        ["Mail:PollInterval"] = "00:00:00.100",
        ["Mail:FirstBackoff"] = "00:00:00.200",
        ["Mail:LongestRest"] = "00:00:00.400",
        ["Mail:MesureUrl"] = "https://jafer.test/mesures/{0}",
        ["services:directory:grpc:0"] = Directory.Grpc.ToString(),
        ["Identity:TokenEndpoint"] = _issuerAddress + "/token",
        ["Identity:ClientId"] = "systeme.notification",
        ["Identity:ClientSecret"] = "secret",
    };

    protected override async ValueTask StopOthersAsync()
    {
        await Directory.DisposeAsync();
        await _issuer.DisposeAsync();
        await _directoryDatabase.DisposeAsync();
        await Catcher.DisposeAsync();
    }

    private Task<ServiceHost> StartDirectoryAsync() => ServiceHost.StartAsync(
        configure => DirectoryModule.Build([], configure), ServiceHost.Settings(DirectoryModule.Name, _directoryDatabase.ConnectionString, Prefix));

    internal static async Task<WebApplication> StartIssuerAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/token", async (HttpRequest request) => Results.Json(new
        {
            access_token = TestIssuer.Shared.Token(
                Roles.Systeme, TestMesure.NewId(), "systeme.notification", audience: (await request.ReadFormAsync())["audience"].ToString()),
            token_type = "Bearer",
            expires_in = 3600,
        }));
        await app.StartAsync();
        return app;
    }
}
