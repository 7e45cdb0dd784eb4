using System.Net;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Tests.Mails;

#pragma warning disable RS0030 // A directory that answers as none of ours would.

/// <summary>The notification service with a directory whose answers the test chooses.</summary>
public sealed class MailFaultFixture : NotificationsFixture
{
    private MailCatcher _catcher = null!;
    private WebApplication _issuer = null!;
    private WebApplication _directory = null!;

    internal MailCatcher Catcher => _catcher;

    internal StubDirectory Directory { get; } = new();

    public override async ValueTask InitializeAsync()
    {
        _catcher = await MailCatcher.StartAsync();
        _issuer = await MailFixture.StartIssuerAsync();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(Directory);
        _directory = builder.Build();
        _directory.MapGrpcService<StubDirectory>();
        await _directory.StartAsync();
        await base.InitializeAsync();
    }

    protected override Dictionary<string, string?> Settings() => new()
    {
        ["Mail:Host"] = "127.0.0.1",
        ["Mail:Port"] = $"{_catcher.SmtpPort}",
        ["Mail:PollInterval"] = "00:00:00.100",
        ["Mail:FirstBackoff"] = "00:00:00.200",
        ["services:directory:grpc:0"] = AddressOf(_directory),
        ["Identity:TokenEndpoint"] = AddressOf(_issuer) + "/token",
        ["Identity:ClientId"] = "systeme.notification",
        ["Identity:ClientSecret"] = "secret",
    };

    protected override async ValueTask StopOthersAsync()
    {
        await _directory.DisposeAsync();
        await _issuer.DisposeAsync();
        await _catcher.DisposeAsync();
    }

    private static string AddressOf(WebApplication app) => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
}

/// <summary>Answers for an organisation with what the test said, after so many bad answers.</summary>
internal sealed class StubDirectory : DirectoryService.DirectoryServiceBase
{
    private readonly Dictionary<string, (StatusCode Code, int Left)> _bad = [];

    public void AnswerBadly(Guid organisation, StatusCode code, int times)
    {
        lock (_bad)
        {
            _bad[organisation.ToString()] = (code, times);
        }
    }

    public override Task<ListContactsResponse> ListContacts(ListContactsRequest request, ServerCallContext context)
    {
        lock (_bad)
        {
            if (_bad.TryGetValue(request.OrganisationId, out var bad) && bad.Left > 0)
            {
                _bad[request.OrganisationId] = bad with { Left = bad.Left - 1 };
                throw new RpcException(new Status(bad.Code, "as the test wants it"));
            }
        }

        return Task.FromResult(new ListContactsResponse { Contacts = { new Contact { Email = $"{request.OrganisationId}@association.test" } } });
    }
}

/// <summary>Whatever the directory answers, mails go on.</summary>
public sealed class MailFaultTests(MailFaultFixture fixture) : IClassFixture<MailFaultFixture>
{
    [Theory]
    [InlineData(StatusCode.Cancelled, "DIRECTORY_AWAY")]
    [InlineData(StatusCode.Internal, "DIRECTORY_AWAY")]
    [InlineData(StatusCode.PermissionDenied, "FAULT_RpcException")]
    [InlineData(StatusCode.InvalidArgument, "FAULT_RpcException")]
    public async Task Mail_BadAnswersOfTheDirectory_WaitsAndGoesOnceThereIsAGoodOne(StatusCode code, string error)
    {
        var (organisation, delivery) = (TestMesure.NewId(), TestMesure.NewId());
        fixture.Directory.AnswerBadly(organisation, code, times: 2);

        await fixture.Database.RunAsync($"""
            insert into deliveries values
                ('{delivery}', '{organisation}', gen_random_uuid(), 'messaging.message-posted.v1', gen_random_uuid(), false, 'QUEUED', 0, now(), now())
            """);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<string>($"select coalesce(last_error, '') from deliveries where delivery_id = '{delivery}'"), e => e == error, "a failed attempt");
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<string>($"select state from deliveries where delivery_id = '{delivery}'"), s => s == "SENT", "the mail sent");

        Assert.Single(await fixture.Catcher.MailsToAsync($"{organisation}@association.test"));
        Assert.Equal(2, await fixture.Database.ReadAsync<int>($"select attempts from deliveries where delivery_id = '{delivery}'"));
        Assert.False(fixture.Host.App.Lifetime.ApplicationStopping.IsCancellationRequested);
    }

    [Theory]
    [InlineData("Mail:From", "nobody")]
    [InlineData("Mail:From", "")]
    [InlineData("Mail:Port", "70000")]
    public async Task Start_MailSettingThatCannotBe_IsRefusedByItsName(string key, string value)
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => fixture.StartReplicaAsync((key, value)));

        Assert.StartsWith(key + " is not", error.Message, StringComparison.Ordinal);
    }
}
