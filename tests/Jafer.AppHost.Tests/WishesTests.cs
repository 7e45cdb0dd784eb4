namespace Jafer.AppHost.Tests;

public sealed class WishesTests
{
    [Fact]
    public void Read_ResetAndPortBaseAmongConfiguration_AreTakenOut()
    {
        var wishes = Wishes.Read(["--Replicas:mesure=3", "--reset", "--port-base", "21000", "--Servers=processes"]);

        Assert.True(wishes.Reset);
        Assert.Equal(21000, wishes.PortBase);
        Assert.Equal(["--Replicas:mesure=3", "--Servers=processes"], wishes.Arguments);
    }

    [Theory]
    [InlineData("80")]
    [InlineData("many")]
    [InlineData("65500")]
    public void Read_PortBaseThatIsNoPort_Throws(string port) =>
        Assert.Throws<ArgumentException>(() => Wishes.Read(["--port-base", port]));

    [Fact]
    public void Read_PortBaseWithoutNumber_Throws() =>
        Assert.Throws<ArgumentException>(() => Wishes.Read(["--port-base"]));
}
