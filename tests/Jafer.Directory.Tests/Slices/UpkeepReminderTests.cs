using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Reminders of stale waits and ending agréments, by a clock that the tests move.</summary>
public class UpkeepReminderTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private static readonly WorkingCalendar s_rhone = WorkingCalendar.Of(null, "69");

    // 10 o'clock of the next working day.
    private readonly TestClock _clock = new(s_rhone.MorningAfter(TimeProvider.System.GetUtcNow(), 1).AddHours(2));

    [Fact]
    public async Task Wait_ThatNobodyDeclaresAnew_GoesUpTheLadderOnWorkingDays()
    {
        await ImportAsync("wait", e => e.Modalites[0].DeclaredWait.AsOfDate = _clock.TodayInParis().AddDays(-30).ToProto());
        await DayByDayAsync(70);

        Assert.Equal(["MUST_ACT 1", "MUST_ACT 2", "MANAGER 1", "OPERATOR 1"], await RemindersAsync("wait", "WAIT_STALE"));
        Assert.All(
            await directory.Database.ReadAllAsync<DateTime>($"select reminded_at from upkeep_reminders where espace_id = '{IdOf("wait")}'"),
            at => Assert.True(s_rhone.IsWorking(new DateTimeOffset(at).DayInParis())));
    }

    [Fact]
    public async Task Wait_DeclaredAnewAfterAReminder_IsRemindedOfNoMore()
    {
        await ImportAsync("declared", e => e.Modalites[0].DeclaredWait.AsOfDate = _clock.TodayInParis().AddDays(-30).ToProto());
        await DayByDayAsync(10);
        Assert.Equal(["MUST_ACT 1"], await RemindersAsync("declared", "WAIT_STALE"));
        await directory.Database.RunAsync($"update modalites set wait_as_of = '{_clock.TodayInParis():yyyy-MM-dd}' where espace_id = '{IdOf("declared")}'");
        await DayByDayAsync(20);
        Assert.Equal(["MUST_ACT 1"], await RemindersAsync("declared", "WAIT_STALE"));
    }

    [Fact]
    public async Task Agrement_ThatEnds_IsWarnedOfThreeMonthsAndOneMonthBeforeAndGoesUpWhenItHasEnded()
    {
        await ImportAsync("ending", e => e.Agrements[0].EndDate = _clock.TodayInParis().AddMonths(3).AddDays(5).ToProto());
        await DayByDayAsync(3);
        Assert.Empty(await RemindersAsync("ending", "AGREMENT_IN_THREE_MONTHS"));
        await DayByDayAsync(50);
        Assert.Equal(["MUST_ACT 1"], await RemindersAsync("ending", "AGREMENT_IN_THREE_MONTHS"));
        await DayByDayAsync(42);
        Assert.Equal(["MUST_ACT 1", "MANAGER 1"], await RemindersAsync("ending", "AGREMENT_IN_ONE_MONTH"));
        await DayByDayAsync(70);
        Assert.Equal(["MUST_ACT 1", "MUST_ACT 2", "MANAGER 1", "OPERATOR 1"], await RemindersAsync("ending", "AGREMENT_ENDED"));
        Assert.Equal(["MUST_ACT 1"], await RemindersAsync("ending", "AGREMENT_IN_THREE_MONTHS"));
    }

    [Fact]
    public async Task Agrement_ThatIsFollowedByAnother_IsNoMatter()
    {
        await ImportAsync("followed-on", e =>
        {
            e.Agrements[0].EndDate = _clock.TodayInParis().AddDays(20).ToProto();
            e.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = _clock.TodayInParis().AddDays(21).ToProto() });
        });
        await DayByDayAsync(30);

        Assert.Equal(0, await directory.Database.ReadAsync<long>($"select count(*) from upkeep_reminders where espace_id = '{IdOf("followed-on")}' and kind <> 'WAIT_STALE'"));
    }

    [Fact]
    public async Task Reminders_OnTwoReplicasOrSwitchedOff_AreSentOnceOrNotAtAll()
    {
        await ImportAsync("twice", e => e.Agrements[0].EndDate = _clock.TodayInParis().AddDays(20).ToProto());
        var off = ActivatorUtilities.CreateInstance<UpkeepReminders>(directory.Host.App.Services, _clock, Options.Create(new ReminderOptions { Enabled = false }));
        Assert.Equal(0, await off.RemindAsync(Cancel));
        Assert.Empty(await RemindersAsync("twice", "AGREMENT_IN_ONE_MONTH"));

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Reminders().RemindAsync(Cancel)));

        Assert.Equal(["MUST_ACT 1"], await RemindersAsync("twice", "AGREMENT_IN_ONE_MONTH"));
    }

    private UpkeepReminders Reminders() => ActivatorUtilities.CreateInstance<UpkeepReminders>(directory.Host.App.Services, _clock);

    private async Task DayByDayAsync(int days)
    {
        for (var day = 0; day < days; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            await Reminders().RemindAsync(Cancel);
        }
    }

    private Task<ImportEspacesResponse> ImportAsync(string id, Action<EspaceImport> change)
    {
        var espace = Espace(id);
        change(espace);
        return directory.ImportAsync(espace);
    }

    private Task<IReadOnlyList<string>> RemindersAsync(string espace, string kind) => directory.Database.ReadAllAsync<string>(
        $"select rung || ' ' || number from upkeep_reminders where espace_id = '{IdOf(espace)}' and kind = '{kind}' order by reminded_at");
}
