using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

public class FreshnessTests
{
    private static readonly DateOnly Day = new(2026, 3, 10);

    [Fact]
    public void Rules_EveryGroupOfTheContract_HasOneWithAReason()
    {
        Assert.Equal(Enum.GetValues<EspaceGroup>().Where(g => g != EspaceGroup.Unspecified).Order(), Freshness.Rules.Select(r => r.Group));
        Assert.All(Freshness.Rules, r => Assert.True(r.Reason.Length > 20 && r.Reason.EndsWith('.'), r.Reason));
    }

    [Theory]
    [InlineData(EspaceGroup.Attente, 30)]
    [InlineData(EspaceGroup.Modalite, 90)]
    [InlineData(EspaceGroup.Identite, 365)]
    [InlineData(EspaceGroup.Agrement, 365)]
    [InlineData(EspaceGroup.Lieux, 365)]
    [InlineData(EspaceGroup.Ouvertures, 365)]
    [InlineData(EspaceGroup.Accueil, 365)]
    [InlineData(EspaceGroup.Contacts, 365)]
    public void IsStaleOn_Group_FromTheDayAfterItsLastFreshDay(EspaceGroup group, int days)
    {
        Assert.Equal(Day.AddDays(days), Freshness.FreshUntil(group, Day));
        Assert.False(Freshness.IsStaleOn(group, Day, Day.AddDays(days)));
        Assert.True(Freshness.IsStaleOn(group, Day, Day.AddDays(days + 1)));
    }

    [Theory]
    [InlineData(EspaceGroup.Modalite, 90, false)]
    [InlineData(EspaceGroup.Modalite, 91, true)]
    [InlineData(EspaceGroup.Ouvertures, 366, false)]
    [InlineData(EspaceGroup.Attente, 31, false)]
    public void OpennessExpiredOn_OnlyWhatStatesAnOpening_ExpiresWithItsRule(EspaceGroup group, int age, bool expired) =>
        Assert.Equal(expired, Freshness.OpennessExpiredOn(group, Day, Day.AddDays(age)));

    [Fact]
    public void FreshUntil_EndOfTheCalendar_StaysInIt() =>
        Assert.Equal(DateOnly.MaxValue, Freshness.FreshUntil(EspaceGroup.Lieux, DateOnly.MaxValue));

    [Fact]
    public void LongestFreshDays_Silence_IsLongerThanAnyRule() => Assert.Equal(365, Freshness.LongestFreshDays);
}
