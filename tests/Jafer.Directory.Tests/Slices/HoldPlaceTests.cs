using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Places;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Places that are held, by two replicas; that time passes is seen by a source of snapshots whose clock the tests move.</summary>
public sealed class HoldPlaceTests(HoldPlaceTests.Replicas jafer) : IClassFixture<HoldPlaceTests.Replicas>
{
    /// <summary>The directory with a second replica.</summary>
    public sealed class Replicas : IAsyncLifetime
    {
        public DirectoryFixture Directory { get; } = new();

        public TestClock Clock { get; } = new(TimeProvider.System.GetUtcNow());

        public ServiceHost Second { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await Directory.InitializeAsync();
            Second = await ServiceHost.StartAsync(
                configure => DirectoryModule.Build([], configure),
                ServiceHost.Settings(DirectoryModule.Name, Directory.Database.ConnectionString, Directory.Prefix, new Dictionary<string, string?> { ["Upkeep:FirstSweepAfter"] = "1.00:00:00" }));
        }

        public async ValueTask DisposeAsync()
        {
            await Second.DisposeAsync();
            await Directory.DisposeAsync();
        }
    }

    private readonly DirectoryFixture _directory = jafer.Directory;

    [Fact]
    public async Task HoldPlace_TwoMesuresForTheLastPlace_TheFirstHasItAndAllOthersAreTold()
    {
        await FreeAsync("last", 1);
        var (first, second) = (NewId(), NewId());

        var one = await HoldAsync(first, "last");
        var two = await HoldAsync(second, "last", jafer.Second);
        var again = await HoldAsync(first, "last");

        Assert.Equal((1, 0, 0), (one.Places.FreeCount, one.Places.HeldCount, one.Places.TransmittedCount));
        Assert.Equal((0, 1), (two.Places.FreeCount, two.Places.HeldCount));
        Assert.Equal((1, 0), (again.Places.FreeCount, again.Places.HeldCount));
        Assert.InRange((one.ExpireTime.ToDateTimeOffset() - TimeProvider.System.GetUtcNow()).TotalMinutes, 14, 15);
        Assert.True(again.ExpireTime >= one.ExpireTime);
        Assert.True(two.ExpectedDays > one.ExpectedDays);

        // Seen at once from another replica, without a word by whom.
        var seen = await ResultAsync("last", jafer.Second);
        Assert.Equal((0, 2, Today.ToProto()), (seen.Places.FreeCount, seen.Places.HeldCount, seen.Places.AsOfDate));
        Assert.Equal((2, Today.ToProto()), seen.Warnings.Where(w => w.Code == ResultWarningCode.LastPlaceHeld).Select(w => (w.Value, w.Date)).Single());
        Assert.DoesNotContain(seen.Reasons, r => r.Code == RankingReasonCode.CapacityAvailable);

        // Its own place does not stand in the way of a mesure; only a service may say which one it is.
        Assert.DoesNotContain((await CheckAsync("last", Roles.Systeme, first)).Warnings, w => w.Code == ResultWarningCode.LastPlaceHeld);
        Assert.Contains((await CheckAsync("last", Roles.Systeme, second)).Warnings, w => w.Code == ResultWarningCode.LastPlaceHeld);
        Assert.Contains((await CheckAsync("last", Roles.Juridiction, first)).Warnings, w => w.Code == ResultWarningCode.LastPlaceHeld);
    }

    [Fact]
    public async Task HoldPlace_ForAnotherEspace_Moves()
    {
        await FreeAsync("from", 2);
        await FreeAsync("to", 1);
        var mesure = NewId();
        await HoldAsync(mesure, "from");
        await HoldAsync(mesure, "to");

        Assert.Equal((2, 0), ((await ResultAsync("from")).Places.FreeCount, (await ResultAsync("from")).Places.HeldCount));
        Assert.Contains((RankingReasonCode.CapacityAvailable, 2), (await ResultAsync("from")).Reasons.Select(r => (r.Code, r.Value)));
        Assert.Equal((0, 1), ((await ResultAsync("to")).Places.FreeCount, (await ResultAsync("to")).Places.HeldCount));
    }

    [Fact]
    public async Task HoldPlace_MesureTransmitted_CountsOnceWhicheverComesFirst()
    {
        await FreeAsync("event", 2);
        await FreeAsync("elsewhere", 2);
        var (held, elsewhere, late) = (Guid.Parse(NewId()), Guid.Parse(NewId()), Guid.Parse(NewId()));
        await HoldAsync(held.ToString(), "event");
        await HoldAsync(elsewhere.ToString(), "elsewhere");
        await TransmitAsync("event", held, elsewhere, late);

        var after = await HoldAsync(late.ToString(), "event");

        Assert.Null(after.ExpireTime);
        Assert.Equal((0, 3, 0), (after.Places.FreeCount, after.Places.TransmittedCount, after.Places.HeldCount));
        Assert.Equal((0, 3, 0), Figures((await ResultAsync("event")).Places));
        Assert.Equal((2, 0, 0), Figures((await ResultAsync("elsewhere")).Places));
        Assert.Equal((3, Today.ToProto()), (await ResultAsync("event")).Warnings.Where(w => w.Code == ResultWarningCode.FreePlacesTaken).Select(w => (w.Value, w.Date)).Single());
    }

    [Fact]
    public async Task HoldPlace_TimeOver_IsFreeForTheNextSearchThoughNothingWasWritten()
    {
        await FreeAsync("over", 1);
        var mesure = NewId();
        await HoldAsync(mesure, "over");
        var source = new SnapshotSource(_directory.Host.App.Services.GetRequiredService<Npgsql.NpgsqlDataSource>(), jafer.Clock);
        Assert.Single((await source.GetAsync(Cancel)).Find(IdOf("over"))!.Offers[0].Held);

        jafer.Clock.Advance(TimeSpan.FromMinutes(16));

        Assert.Empty((await source.GetAsync(Cancel)).Find(IdOf("over"))!.Offers[0].Held);
        // One that was held too long comes back behind whoever came meanwhile.
        await _directory.Database.RunAsync($"update place_holds set held_at = now() - interval '2 hours' where mesure_id = '{mesure}'");
        await HoldAsync(NewId(), "over");
        Assert.Equal(1, (await HoldAsync(mesure, "over")).Places.HeldCount);
    }

    [Fact]
    public async Task DeleteAsync_TimeOver_LeavesTheOthers()
    {
        await FreeAsync("sweep", 1);
        await HoldAsync(NewId(), "sweep");
        await HoldAsync(NewId(), "sweep");
        await _directory.Database.RunAsync($"""
            update place_holds set expires_at = now() - interval '1 second' where number = (select min(number) from place_holds where espace_id = '{IdOf("sweep")}')
            """);

        await _directory.Host.App.Services.GetRequiredService<ExpiredHolds>().DeleteAsync(Cancel);

        Assert.Equal(1, await _directory.Database.ReadAsync<long>($"select count(*) from place_holds where espace_id = '{IdOf("sweep")}'"));
    }

    [Fact]
    public async Task HoldPlace_ClosedUnknownOrMalformed_HoldsNothing()
    {
        await FreeAsync("closed", 1, e => e.Modalites[0].State = ModaliteState.Complete);

        Assert.Null((await HoldAsync(NewId(), "closed")).ExpireTime);
        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(() => HoldAsync(NewId(), "nowhere"))).Code);
        Assert.Null((await Places().HoldPlaceAsync(
            new() { MesureId = NewId(), EspaceId = IdOf("closed").ToString(), Modalite = Modalite.RemiseEnfant, RequestId = NewId() }, cancellationToken: Cancel)).Places);
        Assert.Equal(["mesure_id", "espace_id", "modalite", "request_id"], (await Refusal.OfAsync(Places().HoldPlaceAsync(new(), cancellationToken: Cancel))).Fields);
    }

    [Fact]
    public async Task HoldPlace_SameRequestTwice_GivesTheFirstAnswerAgain()
    {
        await FreeAsync("twice", 1);
        var request = new HoldPlaceRequest { MesureId = NewId(), EspaceId = IdOf("twice").ToString(), Modalite = Modalite.Visite, RequestId = NewId() };

        Assert.Equal(await Places().HoldPlaceAsync(request, cancellationToken: Cancel), await Places(jafer.Second).HoldPlaceAsync(request, cancellationToken: Cancel));
    }

    [Fact]
    public async Task HoldPlace_ManyAtOnceOnTwoReplicas_GiveEachPlaceToOne()
    {
        await FreeAsync("race", 3);
        var mesures = Enumerable.Range(0, 40).Select(_ => Guid.Parse(NewId())).ToArray();
        var searches = Enumerable.Range(0, 20).Select(i => ResultAsync("race", i % 2 == 0 ? jafer.Second : null));
        var holds = mesures.Select((m, i) => HoldAsync(m.ToString(), "race", i % 2 == 0 ? jafer.Second : null)).ToArray();
        await Task.WhenAll([.. holds, .. searches]);

        Assert.Equal(Enumerable.Range(0, 40), (await Task.WhenAll(holds)).Select(h => h.Places.HeldCount).Order());
        Assert.Equal([1, 2, 3], (await Task.WhenAll(holds)).Select(h => h.Places.FreeCount).Where(n => n > 0).Order());
        // Half transmit while the others ask again.
        await Task.WhenAll([TransmitAsync("race", mesures[..20]), .. mesures[20..].Select(m => HoldAsync(m.ToString(), "race"))]);
        Assert.Equal((0, 20, 20), Figures((await ResultAsync("race")).Places));
    }

    [Fact]
    public async Task HoldPlace_HoldsEventsAndEndsInAnyOrder_CountEachMesureOnceOrNotAtAll()
    {
        await FreeAsync("order-a", 5);
        await FreeAsync("order-b", 5);
        string[] espaces = ["order-a", "order-b"];
        var random = new Random(20261129);
        var (where, transmitted) = (new Dictionary<Guid, string?>(), new HashSet<Guid>());
        var mesures = Enumerable.Range(0, 6).Select(_ => Guid.Parse(NewId())).ToArray();
        for (var step = 0; step < 60; step++)
        {
            var (mesure, espace) = (mesures[random.Next(mesures.Length)], espaces[random.Next(2)]);
            switch (random.Next(6))
            {
                case 0 when transmitted.Count < 4 && transmitted.Add(mesure):
                    await TransmitAsync(espace, mesure);
                    where[mesure] = espace;
                    break;
                case 1 when !transmitted.Contains(mesure):
                    await _directory.Database.RunAsync($"""
                        update place_holds set expires_at = now() - interval '1 second' where mesure_id = '{mesure}';
                        update espaces set revision = revision where id in ('{IdOf("order-a")}', '{IdOf("order-b")}');
                        """);
                    where[mesure] = null;
                    break;
                default:
                    await HoldAsync(mesure.ToString(), espace, random.Next(2) == 0 ? jafer.Second : null);
                    if (!transmitted.Contains(mesure))
                        where[mesure] = espace;
                    break;
            }
            foreach (var each in espaces)
            {
                var here = where.Where(w => w.Value == each).Select(w => w.Key).ToArray();
                var came = here.Count(transmitted.Contains);
                Assert.Equal((Math.Max(0, 5 - here.Length), came, here.Length - came), Figures((await ResultAsync(each)).Places));
            }
        }
    }

    private static (int, int, int) Figures(PlaceStanding places) => (places.FreeCount, places.TransmittedCount, places.HeldCount);

    private async Task FreeAsync(string id, int places, Action<EspaceImport>? change = null)
    {
        var espace = Espace(id, wait: 60);
        espace.Modalites[0].FreePlaces = new() { Count = places, AsOfDate = Today.ToProto() };
        change?.Invoke(espace);
        await _directory.ImportAsync(espace);
    }

    private PlaceService.PlaceServiceClient Places(ServiceHost? host = null) => new((host ?? _directory.Host).Channel(Roles.Systeme, StableIds.For("organisation:service:mesure")));

    private async Task<HoldPlaceResponse> HoldAsync(string mesure, string espace, ServiceHost? host = null) => await Places(host).HoldPlaceAsync(
        new() { MesureId = mesure, EspaceId = IdOf(espace).ToString(), Modalite = Modalite.Visite, RequestId = NewId() }, cancellationToken: Cancel);

    private async Task<EspaceResult> ResultAsync(string espace, ServiceHost? host = null)
    {
        var client = new DirectoryService.DirectoryServiceClient((host ?? _directory.Host).Channel(Roles.Juridiction, StableIds.Court("tj69123")));
        return Assert.Single((await client.SearchEspacesAsync(
            new() { Mesure = new() { Modalite = Modalite.Visite }, EspaceIds = { IdOf(espace).ToString() } }, cancellationToken: Cancel)).Results);
    }

    private async Task<CheckDesignationResponse> CheckAsync(string espace, string role, string mesure) => await _directory.Client(role, StableIds.Court("tj69123")).CheckDesignationAsync(
        new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = Modalite.Visite }, MesureId = mesure }, cancellationToken: Cancel);

    private async Task TransmitAsync(string espace, params Guid[] mesures)
    {
        var now = TimeProvider.System.GetUtcNow();
        await _directory.Host.PublishAsync<DirectoryDbContext>([.. mesures.Select(m => new MesureTransmitted
        {
            EventId = TestMesure.NewId(),
            AggregateId = m,
            AggregateVersion = 3,
            OccurredAt = now,
            RecordedAt = now,
            JuridictionId = StableIds.Court("tj69123"),
            EspaceId = IdOf(espace),
            GestionnaireId = StableIds.Gestionnaire("test", "G-" + espace),
            State = "TRANSMISE",
            Holder = "ESPACE",
            Modalite = "VISITE",
        })]);
        await Eventually.BecomesAsync(
            () => _directory.Database.ReadAsync<long>($"select count(*) from mesure_receptions where mesure_id in ('{string.Join("','", mesures)}')"),
            n => n == mesures.Length, "the mesures are noted");
    }
}
