using Microsoft.Extensions.Configuration;

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
    public void Replicas_Configured_AreThoseElseTheUsualOnes()
    {
        var configuration = new ConfigurationManager { ["Replicas:directory"] = "3" };

        Assert.Equal(3, Wishes.Replicas(configuration, "directory", 1));
        Assert.Equal(2, Wishes.Replicas(configuration, "mesure", 2));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("21")]
    [InlineData("two")]
    [InlineData("")]
    public void Replicas_NoSensibleNumber_Throws(string wanted) =>
        Assert.Throws<ArgumentException>(() => Wishes.Replicas(new ConfigurationManager { ["Replicas:messaging"] = wanted }, "messaging", 1));

    [Fact]
    public void Read_PortBaseWithoutNumber_Throws() =>
        Assert.Throws<ArgumentException>(() => Wishes.Read(["--port-base"]));
}
