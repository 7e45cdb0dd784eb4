using Jafer.Directory.Members;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Warnings before credentials end, by a clock that the tests move.</summary>
public sealed class CredentialWarningTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private readonly TestClock _clock = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task Credential_ThatEnds_IsWarnedOfOnceAMonthAndOnceAWeekAhead()
    {
        var id = await AddAsync(daysLeft: 33);

        Assert.Equal(["30 in 30", "7 in 7"], await DayByDayAsync(40, id));
        // Three replicas, and the same day again.
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Warnings.WarnAsync(Cancel)));
        Assert.Equal("7", await ToldAsync(id));
    }

    [Fact]
    public async Task Credential_RevokedRenewedOrChangedMeanwhile_IsNotWarnedOf()
    {
        var (revoked, renewed, rotated, late) = (await AddAsync(32), await AddAsync(32), await AddAsync(32), await AddAsync(5));
        await DayByDayAsync(3, revoked);
        Assert.Equal(["30", "30", "30", ""], new[] { await ToldAsync(revoked), await ToldAsync(renewed), await ToldAsync(rotated), await ToldAsync(late) });
        await directory.Database.RunAsync($"update credentials set revoked_at = now() where id = '{revoked}'");
        await directory.Database.RunAsync($"update credentials set expires_on = expires_on + 60 where id = '{renewed}'");
        // Inside the last week: the manager has just had it before them.
        await directory.Database.RunAsync($"update credentials set updated_at = '{_clock.GetUtcNow().AddDays(22):O}' where id = '{rotated}'");

        Assert.Empty(await DayByDayAsync(40, revoked));
        Assert.Equal(["30", "30", "30", ""], new[] { await ToldAsync(revoked), await ToldAsync(renewed), await ToldAsync(rotated), await ToldAsync(late) });
        Assert.Equal(["30 in 30", "7 in 7"], await DayByDayAsync(90, renewed, reset: true));
    }

    private CredentialWarnings Warnings => ActivatorUtilities.CreateInstance<CredentialWarnings>(directory.Host.App.Services, _clock);

    /// <summary>A credential that was made long ago, or, with few days left, today.</summary>
    private async Task<Guid> AddAsync(int daysLeft)
    {
        var id = Guid.Parse(NewId());
        var made = daysLeft < 30 ? _clock.GetUtcNow() : _clock.GetUtcNow().AddDays(-200);
        await directory.Database.RunAsync($"""
            insert into credentials (id, organisation_id, role, display_name, rank, may_act_on_behalf, expires_on, created_at, updated_at, version)
            values ('{id}', '{NewId()}', 'espace', 'Logiciel fictif', 'AGENT', false, '{_clock.TodayInParis().AddDays(daysLeft):yyyy-MM-dd}', '{made:O}', '{made:O}', 1)
            """);
        return id;
    }

    /// <summary>What is told of a credential on the days that pass, and how many days before its last.</summary>
    private async Task<IReadOnlyList<string>> DayByDayAsync(int days, Guid id, bool reset = false)
    {
        if (reset)
            await directory.Database.RunAsync($"update credentials set expires_on = '{_clock.TodayInParis().AddDays(60):yyyy-MM-dd}' where id = '{id}'");
        var told = new List<string>();
        var before = await KeyAsync();
        for (var day = 0; day < days; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            await Warnings.WarnAsync(Cancel);
            if (await KeyAsync() is var now && now != before)
                told.Add(await directory.Database.ReadAsync<string>($"select warned_days || ' in ' || (expires_on - date '{_clock.TodayInParis():yyyy-MM-dd}') from credentials where id = '{id}'"));
            before = await KeyAsync();
        }
        return told;

        Task<string> KeyAsync() => directory.Database.ReadAsync<string>($"select coalesce(warned_of::text, '') || coalesce(warned_days::text, '') from credentials where id = '{id}'");
    }

    private Task<string> ToldAsync(Guid id) => directory.Database.ReadAsync<string>($"select coalesce(warned_days::text, '') from credentials where id = '{id}'");
}
