using Jafer.Cli;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Tests.Slices;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Demonstration;

public class LoaderTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task Load_RunningDirectory_LoadsOnceAndResetPutsWaitsBack()
    {
        using var system = System();
        var first = await OutputAsync(loader => loader.LoadAsync(Generator.DefaultSeed, again: false, Cancel));
        var second = await OutputAsync(loader => loader.LoadAsync(Generator.DefaultSeed, again: false, Cancel));
        var again = await OutputAsync(loader => loader.LoadAsync(Generator.DefaultSeed, again: true, Cancel));

        Assert.Contains("197 created, 0 changed, 0 as they were", first, StringComparison.Ordinal);
        Assert.Contains("are there already", second, StringComparison.Ordinal);
        Assert.Contains("0 created, 0 changed, 197 as they were", again, StringComparison.Ordinal);
        Assert.Equal(278, await directory.Database.ReadAsync<long>("select count(*) from lieux"));

        var espaceId = StableIds.Espace("demo", "A69-1").ToString();
        var before = await WaitAsync(espaceId);
        await directory.Client(Roles.Espace, StableIds.Gestionnaire("demo", "A69-1")).DeclareWaitAsync(
            new() { EspaceId = espaceId, Modalite = Modalite.Visite, Days = before + 1, RequestId = NewId() }, cancellationToken: Cancel);
        var reset = await OutputAsync(loader => loader.ResetAsync(Generator.DefaultSeed, Cancel));

        Assert.Contains("reset; 1 waits declared anew", reset, StringComparison.Ordinal);
        Assert.Equal(before, await WaitAsync(espaceId));

        var found = await directory.Court.SearchEspacesAsync(
            new() { Mesure = new() { Modalite = Modalite.Visite, ChildAges = { 4, 9 }, CourtCode = "tj69123", HoteCommuneInsee = "69266", VisiteurCommuneInsee = "38053" } },
            cancellationToken: Cancel);
        Assert.InRange(found.TotalCount, 100, 197);
        Assert.All(found.Results, r => Assert.True(r.Fictive));
        Assert.InRange(found.Results[0].HoteTravel.Minutes, 0, 90);

        async Task<string> OutputAsync(Func<Loader, Task> act)
        {
            await using var output = new StringWriter();
            await act(new Loader(system, TimeProvider.System, output));
            return output.ToString();
        }
    }

    [Fact]
    public async Task Connect_NothingKnownOfTheSystem_SaysWhatToDo()
    {
        using var system = new RunningSystem(name => name is "JAFER_STATE" ? Path.GetTempPath() : null);

        var error = await Assert.ThrowsAsync<UsageException>(() => system.ConnectAsync("directory", Cancel));

        Assert.Contains("./jafer run", error.Message, StringComparison.Ordinal);
    }

    private RunningSystem System() => new(name => name switch
    {
        "services__directory__grpc__0" => directory.Host.Grpc.ToString(),
        "JAFER_TOKEN" => TestIssuer.Shared.Token(Roles.Operateur, StableIds.For("organisation:operateur:national")),
        _ => null,
    });

    private async Task<int> WaitAsync(string espaceId) =>
        (await directory.Court.GetEspaceAsync(new GetEspaceRequest { EspaceId = espaceId }, cancellationToken: Cancel))
            .Espace.Modalites.Single(m => m.Modalite == Modalite.Visite).DeclaredWait.Days;
}
