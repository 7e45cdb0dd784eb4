using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Feed;
using Jafer.ServiceDefaults;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using FeedConsumer = Jafer.Contracts.Notification.V1.FeedConsumer;

namespace Jafer.Notifications.Tests.Feed;

/// <summary>Who reads feeds, and who no longer does. On a clock and a database of their own: silences are looked for in all of it.</summary>
public sealed class FeedConsumersTests : IAsyncLifetime
{
    private static readonly Guid s_operator = StableIds.For("organisation:operateur:national");

    private readonly TestClock _clock = new(new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.Zero));
    private readonly string _prefix = ServiceHost.UniquePrefix();
    private TestDatabase _database = null!;
    private ServiceHost _host = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FeedConsumers Consumers => _host.App.Services.GetRequiredService<FeedConsumers>();

    public async ValueTask InitializeAsync()
    {
        _database = await NotificationsFixture.CloneDatabaseAsync();
        _host = await ServiceHost.StartAsync(
            b => NotificationsModule.Build([], b), ServiceHost.Settings(NotificationsModule.Name, _database.ConnectionString, _prefix),
            b => b.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_clock)));
    }

    [Fact]
    public async Task Reader_SilentBeyondItsRhythmWhileSomethingWaits_IsToldOnceAndShownToTheOperator()
    {
        var mesure = TestMesure.Create();
        var espace = Client("espace", mesure.GestionnaireId);
        await ApplyAsync(mesure.Transmitted());
        for (var day = 0; day < 5; day++)
        {
            await ResumeAsync(espace);
            await ResumeAsync(espace);
            _clock.Advance(TimeSpan.FromDays(1));
        }

        // Ten days without a reader, and nothing new: nobody waits for it.
        _clock.Advance(TimeSpan.FromDays(10));
        Assert.Equal(0, await Consumers.SweepAsync(Ct));

        await ApplyAsync(mesure.Acknowledged());
        Assert.Equal(1, (await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Consumers.SweepAsync(Ct)))).Sum());

        var told = await Eventually.BecomesAsync(() => Client("operateur", s_operator).AllEventsAsync(), e => e.Count == 1, "the operator's event");
        Assert.Equal("notification.consumer-silent.v1", told[0].Type);
        Assert.Equal((mesure.GestionnaireId.ToString(), "2026-11-06", 1d),
            (told[0].Data.Fields["organisationId"].StringValue, told[0].Data.Fields["lastDay"].StringValue, told[0].Data.Fields["usualDays"].NumberValue));
        var listed = Assert.Single((await Client("operateur", s_operator).ListFeedConsumersAsync(new() { SilentOnly = true }, cancellationToken: Ct)).Consumers);
        Assert.Equal((mesure.GestionnaireId.ToString(), 6, 1, true, true), (listed.OrganisationId, listed.LastDate.Day, listed.UsualDays, listed.Silent, listed.Told));
        Assert.Equal(1L, await _database.ReadAsync<long>($"select count(*) from deliveries where organisation_id = '{mesure.GestionnaireId}' and event_type = 'notification.consumer-silent.v1'"));
        await Consumers.SweepAsync(Ct);
        Assert.True(Gauges.Read("jafer.feed.silent_consumers")["jafer.feed.silent_consumers"] >= 1);

        // It is back, and may fall silent again.
        await ResumeAsync(espace);
        Assert.False(Assert.Single((await espace.ListFeedConsumersAsync(new(), cancellationToken: Ct)).Consumers).Silent);
    }

    [Fact]
    public async Task Reader_WhoseWebhookTakesEverything_IsNotCalledSilent()
    {
        var mesure = TestMesure.Create();
        await ResumeForDaysAsync(Client("juridiction", mesure.JuridictionId), 4);

        // It rests, so that nothing is posted to nobody: a failure would count.
        await _database.RunAsync($"""
            insert into webhook_endpoints values (
                '{TestMesure.NewId()}', '{mesure.JuridictionId}', 'https://juridiction.test/', array[]::text[], in_clear('si@juridiction.test'), 'ENABLED', '{TestMesure.NewId()}', 'sealed by nobody',
                null, null, null, now(), now(), 1, null, 0, null, '2100-01-01', null, 0)
            """);
        _clock.Advance(TimeSpan.FromDays(20));
        await ApplyAsync(mesure.Transmitted());

        Assert.Equal(0, await Consumers.SweepAsync(Ct));

        await _database.RunAsync("update webhook_endpoints set failing_since = now()");
        Assert.Equal(1, await Consumers.SweepAsync(Ct));
    }

    [Fact]
    public async Task Reader_DayAndNight_ThatDies_IsToldAfterFourHoursAndOnce()
    {
        var mesure = TestMesure.Create();
        var espace = Client("espace", mesure.GestionnaireId);
        var token = await BeginAsync(espace);

        // From Monday at 9 to Friday at 10, in UTC.
        for (var hour = 0; hour <= 97; hour++)
        {
            token = (await espace.ListEventsAsync(new() { ResumeToken = token }, cancellationToken: Ct)).ResumeToken;
            _clock.Advance(TimeSpan.FromHours(1));
        }

        await ApplyAsync(mesure.Transmitted());
        _clock.Advance(TimeSpan.FromHours(4) - TimeSpan.FromMinutes(1));
        await Consumers.SweepAsync(Ct);
        Assert.Equal(0, await SilencesAsync());

        // The service itself may be the first to tell.
        _clock.Advance(TimeSpan.FromMinutes(1));
        await Consumers.SweepAsync(Ct);
        await Eventually.BecomesAsync(SilencesAsync, n => n == 1, "the silence told");
        Assert.True(Assert.Single((await espace.ListFeedConsumersAsync(new() { SilentOnly = true }, cancellationToken: Ct)).Consumers).Told);
        _clock.Advance(TimeSpan.FromDays(30));
        await Consumers.SweepAsync(Ct);
        Assert.Equal(1, await SilencesAsync());

        Task<int> SilencesAsync() => _database.ReadAsync<int>($"select silences from feed_consumers where organisation_id = '{mesure.GestionnaireId}'");
    }

    [Fact]
    public async Task Reader_WhoTriesOrHasNoRhythmYet_IsNeverCalledSilent()
    {
        var (tried, few) = (TestMesure.Create(), TestMesure.Create());
        await BeginAsync(Client("espace", tried.GestionnaireId));
        await ResumeForDaysAsync(Client("espace", few.GestionnaireId), 3);
        _clock.Advance(TimeSpan.FromDays(60));
        await ApplyAsync(tried.Transmitted());
        await ApplyAsync(few.Transmitted());

        Assert.Equal(0, await Consumers.SweepAsync(Ct));
        Assert.Empty((await Client("espace", tried.GestionnaireId).ListFeedConsumersAsync(new(), cancellationToken: Ct)).Consumers);
        Assert.False(Assert.Single((await Client("espace", few.GestionnaireId).ListFeedConsumersAsync(new(), cancellationToken: Ct)).Consumers).Silent);
    }

    [Fact]
    public async Task Watcher_ThatStaysForDays_CountsOnEachOfThem()
    {
        var organisation = TestMesure.NewId();
        var espace = Client("espace", organisation);
        using var watch = espace.WatchEvents(new() { ResumeToken = await BeginAsync(espace) }, cancellationToken: Ct);
        await LastDayAsync(2);

        _clock.Advance(TimeSpan.FromDays(1));
        await LastDayAsync(3);

        // Its heartbeat may begin to be waited for before the clock is moved, or after.
        Task<int> LastDayAsync(int day) => Eventually.BecomesAsync(
            async () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(15));
                return (await Client("operateur", s_operator).ListFeedConsumersAsync(new(), cancellationToken: Ct)).Consumers.SingleOrDefault(c => c.OrganisationId == organisation.ToString())?.LastDate.Day ?? 0;
            },
            d => d == day, "the watcher's day");
    }

    [Fact]
    public async Task ListFeedConsumers_PageByPage_ShowsEachOnceTheLongestUnheardFirstAndOthersOnlyTheirOwn()
    {
        var organisations = Enumerable.Range(0, 7).Select(_ => TestMesure.NewId()).ToList();
        foreach (var organisation in organisations)
        {
            await ResumeAsync(Client("espace", organisation));
            _clock.Advance(TimeSpan.FromDays(1));
        }

        var operators = Client("operateur", s_operator);
        var listed = new List<FeedConsumer>();
        var request = new ListFeedConsumersRequest { PageSize = 3 };
        do
        {
            var page = await operators.ListFeedConsumersAsync(request, cancellationToken: Ct);
            listed.AddRange(page.Consumers);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(organisations.Select(o => o.ToString()), listed.Select(c => c.OrganisationId));
        Assert.Equal(organisations[2].ToString(), Assert.Single((await Client("espace", organisations[2]).ListFeedConsumersAsync(new(), cancellationToken: Ct)).Consumers).OrganisationId);
        var refusal = await Refusal.OfAsync(operators.ListFeedConsumersAsync(new() { PageSize = -1, PageToken = "x" }, cancellationToken: Ct));
        Assert.Equal(["page_size"], refusal.Fields);
        Assert.Equal("PAGE_TOKEN_INVALID", (await Refusal.OfAsync(operators.ListFeedConsumersAsync(new() { PageToken = "x" }, cancellationToken: Ct))).Reason);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

    private NotificationService.NotificationServiceClient Client(string role, Guid organisation) =>
        new(_host.Channel(role, organisation));

    private static async Task<string> BeginAsync(NotificationService.NotificationServiceClient client) =>
        (await client.ListEventsAsync(new(), cancellationToken: Ct)).ResumeToken;

    /// <summary>Reads as software does that has read before.</summary>
    private static async Task ResumeAsync(NotificationService.NotificationServiceClient client) =>
        await client.ListEventsAsync(new() { ResumeToken = await BeginAsync(client) }, cancellationToken: Ct);

    private async Task ResumeForDaysAsync(NotificationService.NotificationServiceClient client, int days)
    {
        for (var day = 0; day < days; day++)
        {
            await ResumeAsync(client);
            _clock.Advance(TimeSpan.FromDays(1));
        }
    }

    private async Task ApplyAsync(Jafer.Contracts.Events.DomainEvent message)
    {
        await _host.PublishAsync<NotificationsDbContext>([message]);
        await Eventually.BecomesAsync(() => _database.ReadAsync<long>($"select count(*) from inbox_messages where message_id = '{message.EventId}'"), n => n == 1, "the event applied");
    }
}
