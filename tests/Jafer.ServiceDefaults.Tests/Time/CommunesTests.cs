using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Time;

public class CommunesTests
{
    [Theory]
    [InlineData("tj67482", "67482")]
    [InlineData("TJ2A004-2026-000001", "2A004")]
    [InlineData("ca97302", "97302")]
    [InlineData("TJ-2026-000001", null)]
    [InlineData("J123456-2026-000001", null)]
    [InlineData("J12345a-2026-000001", null)]
    [InlineData("Jabcdef-2026-000001", null)]
    [InlineData("69123", null)]
    [InlineData("tj6912", null)]
    [InlineData("tj6X123", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void OfCourt_Code_IsTheCommuneThatItNames(string? code, string? insee) => Assert.Equal(insee, Communes.OfCourt(code));

    [Theory]
    [InlineData("67482", "67")]
    [InlineData("2B033", "2B")]
    [InlineData("97302", "973")]
    [InlineData("98735", "987")]
    public void DepartementOf_Commune_IsItsFirstDigits(string insee, string departement) => Assert.Equal(departement, Communes.DepartementOf(insee));

    [Fact]
    public void OfCourt_Calendar_IsThatOfItsSeatAndElseOfTheEspaceByTheClocksOfParis()
    {
        var goodFriday = new DateOnly(2026, 4, 3);
        Assert.False(WorkingCalendar.OfCourt("67482", "54").IsWorking(goodFriday));
        Assert.True(WorkingCalendar.OfCourt("54395", "67").IsWorking(goodFriday));
        Assert.False(WorkingCalendar.OfCourt(null, "67").IsWorking(goodFriday));
        Assert.Equal(new DateTimeOffset(2026, 4, 3, 3, 0, 0, TimeSpan.Zero), WorkingCalendar.OfCourt("97302", "69").StartOf(goodFriday));
        Assert.Equal(new DateTimeOffset(2026, 4, 2, 22, 0, 0, TimeSpan.Zero), WorkingCalendar.OfCourt(null, "973").StartOf(goodFriday));
    }
}
