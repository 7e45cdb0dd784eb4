namespace Jafer.AppHost.Tests;

public sealed class PlaceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("jafer-place-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Build_ResetBesideARunningSystem_IsRefusedAndLeavesItsData()
    {
        using var running = Take("a");
        var secret = running.Secret("postgres");
        File.WriteAllText(running.EndpointsFile, "{}");

        var refusal = Assert.Throws<RefusedException>(() => Program.Build(Wishes("a", reset: true)));

        Assert.Contains("already runs", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(secret, running.Secret("postgres"));
        Assert.True(File.Exists(running.EndpointsFile));
    }

    [Fact]
    public void Place_GivenBack_MayBeTakenAgainWithItsSecretAndVolumes()
    {
        (string, string) first;
        using (var place = Take("a"))
            first = (place.Secret("postgres"), place.Volume("postgres"));

        using var again = Take("a");

        Assert.Equal(first, (again.Secret("postgres"), again.Volume("postgres")));
        Assert.NotEqual(again.Volume("postgres"), again.Volume("rabbitmq"));
    }

    [Fact]
    public void Place_ResetOrAnother_HasItsOwnSecretAndVolumes()
    {
        (string, string) first;
        using (var place = Take("a"))
            first = (place.Secret("postgres"), place.Volume("postgres"));

        using var reset = Take("a", reset: true);
        using var other = Take("b");

        (string Secret, string Volume)[] all = [first, (reset.Secret("postgres"), reset.Volume("postgres")), (other.Secret("postgres"), other.Volume("postgres"))];
        Assert.Equal(3, all.Select(p => p.Secret).Distinct().Count());
        Assert.Equal(3, all.Select(p => p.Volume).Distinct().Count());
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("mesure")]
    [InlineData("messaging")]
    [InlineData("notification")]
    public void Build_ReplicasOfAnyServiceThatCannotBe_IsRefusedByItsName(string service)
    {
        var error = Assert.Throws<ArgumentException>(() => Program.Build(Wishes("c", arguments: $"--Replicas:{service}=0")));

        Assert.StartsWith($"Replicas:{service} must be", error.Message, StringComparison.Ordinal);
    }

    private Place Take(string name, bool reset = false) => new(_folder.FullName, Wishes(name, reset));

    private Wishes Wishes(string name, bool reset = false, params string[] arguments) => new(arguments, Reset: reset, Dashboard: false,
        DataFolder: Path.Combine(_folder.FullName, name, "data"), EndpointsFile: Path.Combine(_folder.FullName, name, "endpoints.json"));
}
