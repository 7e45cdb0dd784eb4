using System.Net;
using System.Net.Sockets;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain.Rules;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.RencontreFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Places that the check of a ready draft has the directory hold, with a real directory beside.</summary>
[Collection(RencontreFixture.Together)]
public sealed class PlaceTests(MesuresFixture jafer, RencontreFixture beside)
{
    private const string Held = "ESPACE_LAST_PLACE_HELD";

    private const string Taken = "ESPACE_FREE_PLACES_TAKEN";

    [Fact]
    public async Task CheckMesure_FiftyJudgesForTheLastPlace_OneHasItAndAllOthersAreToldBeforeTheyTransmit()
    {
        var espace = await FreeAsync(1);
        var mesures = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ReadyAsync(espace)));
        var seen = Enumerable.Range(0, 50).Select(_ => FreeCountAsync(espace)).ToArray();

        var checks = await Task.WhenAll(mesures.Select(HeldAsync));

        Assert.Equal(49, checks.Count(c => Codes(c).Contains(Held)));
        var first = Assert.Single(checks, c => !Codes(c).Contains(Held));
        Assert.Equal((1, 0), (first.Places.FreeCount, first.Places.HeldCount));
        Assert.Equal(Enumerable.Range(0, 50), checks.Select(c => c.Places.HeldCount).Order());
        Assert.All(await Task.WhenAll(seen), free => Assert.InRange(free, 0, 1));
        Assert.Equal(0, await FreeCountAsync(espace));

        // All transmit at once, most of them knowing it.
        await Task.WhenAll(mesures.Select(id => beside.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() }).ResponseAsync));
        await Eventually.BecomesAsync(
            () => beside.DirectoryDatabase.ReadAsync<long>($"select count(*) from mesure_receptions where espace_id = '{espace}'"), n => n == 50, "all transmissions are counted");
        Assert.Equal(0, await beside.DirectoryDatabase.ReadAsync<long>($"select count(*) from place_holds where espace_id = '{espace}'"));
        var late = await beside.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = await ReadyAsync(espace) });
        Assert.Contains(Taken, Codes(late));
        Assert.Equal((0, 50, 0), (late.Places.FreeCount, late.Places.TransmittedCount, late.Places.HeldCount));
    }

    [Fact]
    public async Task CheckMesure_AnotherEspaceOrADraftThatIsNotReady_LeavesThePlaceToOthers()
    {
        var (espace, other) = (await FreeAsync(1), await FreeAsync(1));
        var (mine, theirs) = (await ReadyAsync(espace), await ReadyAsync(espace));
        var draft = await jafer.MesureInAsync(MesureState.Ordonnee, r => (r.EspaceId, r.Decision.RgNumber) = (espace.ToString(), ""));

        var unready = await beside.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = draft });
        await HeldAsync(mine);
        var told = await HeldAsync(theirs);
        // The judge looks elsewhere: the place goes with it.
        await beside.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = mine, EspaceId = other.ToString() });
        var free = await HeldAsync(theirs);

        Assert.Null(unready.PlaceExpireTime);
        Assert.Equal((true, false), (unready.ForecastAvailable, Codes(unready).Contains(Held)));
        Assert.Contains(Held, Codes(told));
        Assert.All(told.Findings.Where(f => f.Code == Held), f => Assert.Equal(FindingSeverity.Warning, f.Severity));
        Assert.DoesNotContain(Held, Codes(free));
    }

    [Fact]
    public async Task CheckMesureAndTransmitMesure_DirectoryStoppedOrSilent_GoOnWithoutAPlace()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var stopped = new TcpListener(IPAddress.Loopback, 0);
        stopped.Start();
        var nobody = ((IPEndPoint)stopped.LocalEndpoint).Port;
        stopped.Stop();
        foreach (var port in new[] { nobody, ((IPEndPoint)silent.LocalEndpoint).Port })
        {
            await using var host = await ServiceHost.StartAsync(
                b => MesuresModule.Build([], b), new Dictionary<string, string?>(beside.Settings) { ["services:directory:grpc:0"] = $"http://127.0.0.1:{port}" });
            var court = new MesureService.MesureServiceClient(host.Channel("juridiction", MesuresFixture.Court));
            var id = await ReadyAsync(beside.Espace);

            var check = await court.CheckMesureAsync(new CheckMesureRequest { MesureId = id });
            var transmitted = await court.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() });

            Assert.Equal((false, true), (check.ForecastAvailable, check.PlaceExpireTime is null));
            Assert.Equal(MesureState.Transmise, transmitted.Mesure.State);
            await Eventually.BecomesAsync(
                () => beside.DirectoryDatabase.ReadAsync<long>($"select count(*) from mesure_receptions where mesure_id = '{id}'"), n => n == 1, "the event counts later");
        }
    }

    [Theory]
    [InlineData(ResultWarningCode.LastPlaceHeld, Held)]
    [InlineData(ResultWarningCode.FreePlacesTaken, Taken)]
    [InlineData(ResultWarningCode.DemandAboveCapacity, "ESPACE_DEMAND_ABOVE_CAPACITY")]
    public void Run_WhatTheDirectorySaysOfRoom_IsAWarningAndNeverBlocks(ResultWarningCode warning, string code)
    {
        var content = new CheckedContent(new Jafer.Mesures.Domain.Decision(), [], 0, null, null, null) { OfTheEspace = [warning, ResultWarningCode.WaitStale] };

        var finding = Assert.Single(MesureCheck.Run(content), f => f.Code.StartsWith("ESPACE_", StringComparison.Ordinal) && f.Code != "ESPACE_MISSING");
        Assert.Equal((code, FindingSeverity.Warning, false), (finding.Code, finding.Severity, finding.Blocks(rendered: false)));
    }

    private static IEnumerable<string> Codes(CheckMesureResponse check) => check.Findings.Select(f => f.Code);

    private Task<Guid> FreeAsync(int places) => beside.EspaceAsync(4, e =>
    {
        e.Modalites[0].FreePlaces = new() { Count = places, AsOfDate = Today.ToProto() };
        e.Modalites[0].DeclaredWait = new DeclaredWait { Days = 40, AsOfDate = Today.ToProto() };
    });

    private Task<string> ReadyAsync(Guid espace) => jafer.MesureInAsync(MesureState.Completee, r => r.EspaceId = espace.ToString());

    // On a busy machine the patience of a check may end before its turn comes: then the judge asks again.
    private async Task<CheckMesureResponse> HeldAsync(string mesure)
    {
        CheckMesureResponse? check = null;
        await Eventually.BecomesAsync(
            async () => check = await beside.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = mesure }), c => c is { PlaceExpireTime: not null, ForecastAvailable: true }, "the place is held");
        return check!;
    }

    private async Task<int> FreeCountAsync(Guid espace) => (await beside.Directory.SearchEspacesAsync(
        new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.Visite }, EspaceIds = { espace.ToString() } })).Results.Single().Places.FreeCount;
}
