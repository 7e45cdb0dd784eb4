using Jafer.ServiceDefaults.Retention;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Tests.Retention;

public sealed class RetentionTableTests
{
    [Fact]
    public void BuiltIn_EveryRule_IsWholeAndWithinItsBounds()
    {
        Assert.Equal("P24M", RetentionTable.BuiltIn["MESURE_CONTENT"].Keep.ToString());
        Assert.All(RetentionTable.BuiltIn.Rules, r => Assert.All([r.What, r.After, r.How, r.Source], text => Assert.NotEqual("", text)));
    }

    [Theory]
    [InlineData("MESURE_CONTENT", "P18M", true)]
    [InlineData("MESURE_CONTENT", "P25M", false)]
    [InlineData("MESURE_CONTENT", "P11M", false)]
    [InlineData("MESURE_CONTENT", "P2Y", false)]
    [InlineData("REQUESTS", "PT48H", false)]
    [InlineData("UNHEARD_OF", "P12M", false)]
    public void With_PeriodOfAnInstallation_CountsWithinItsBoundsOnly(string rule, string period, bool counts)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"Retention:Keep:{rule}", period)]).Build();

        if (counts)
        {
            Assert.Equal(period, RetentionTable.BuiltIn.With(configuration)[rule].Keep.ToString());
        }
        else
        {
            Assert.Throws<InvalidOperationException>(() => RetentionTable.BuiltIn.With(configuration));
        }
    }

    [Theory]
    [InlineData("A,what,after,P1M,P1M,P1M,how,source\nA,what,after,P1M,P1M,P1M,how,source")]
    [InlineData("A,what,after,P1M,P1M,P1M,how")]
    public void Parse_LineThatIsNoRule_IsRefused(string lines) =>
        Assert.Throws<FormatException>(() => RetentionTable.Parse(["code", .. lines.Split('\n')]));

    [Fact]
    public void Before_Months_FollowTheCalendar() =>
        Assert.Equal(
            new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero), RetentionPeriod.Parse("P24M").Before(new DateTimeOffset(2026, 2, 28, 12, 0, 0, TimeSpan.Zero)).AddDays(1));
}
