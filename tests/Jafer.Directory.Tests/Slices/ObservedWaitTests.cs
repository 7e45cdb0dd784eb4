using System.Runtime.CompilerServices;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>The wait that Jafer observes itself, from what the mesure service tells.</summary>
public class ObservedWaitTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    // At noon, so that the hour of summer moves no day.
    private static readonly DateTimeOffset s_begin = new(Today.AddDays(-100).ToDateTime(new TimeOnly(12, 0)), TimeSpan.Zero);

    [Fact]
    public async Task SearchEspaces_FirstRencontresSeen_ShowsTheObservedWaitBesideTheDeclaredOne()
    {
        await directory.ImportAsync(Espace("o-seen", wait: 30), Espace("o-few", wait: 30));
        // Six at the one, of which one had a later rencontre told before the first, and one is closed without any; four at the other.
        Guid[] seen = [.. Enumerable.Range(0, 6).Select(_ => TestMesure.NewId())];
        Guid[] few = [.. Enumerable.Range(0, 4).Select(_ => TestMesure.NewId())];
        await directory.Host.PublishAsync<DirectoryDbContext>(
        [
            .. seen.Select(m => Transmitted(m, "o-seen")), .. few.Select(m => Transmitted(m, "o-few")),
            Held(seen[0], "o-seen", 80, 7), .. seen[..5].Select((m, i) => Held(m, "o-seen", 10 * (i + 1), 8)), Held(seen[1], "o-seen", 90, 9),
            Closed(seen[5], "o-seen", 9), .. few.Select(m => Held(m, "o-few", 5, 8)),
        ]);

        await ShowsAsync("o-seen", (30, 40, 50, 5));
        var found = await directory.Court.SearchEspacesAsync(
            new() { Mesure = new() { Modalite = Modalite.Visite }, EspaceIds = { IdOf("o-seen").ToString(), IdOf("o-few").ToString() } }, cancellationToken: Cancel);
        var result = found.Results.Single(r => r.EspaceId == IdOf("o-seen").ToString());
        Assert.Equal((30, "product-limit-24-months"), (result.DeclaredWait.Days, result.ObservedWait.Method));
        Assert.Equal((Today.AddMonths(-24).AddDays(1).ToProto(), Today.ToProto()), (result.ObservedWait.WindowStartDate, result.ObservedWait.WindowEndDate));
        Assert.Null(found.Results.Single(r => r.EspaceId == IdOf("o-few").ToString()).ObservedWait);
    }

    [Fact]
    public async Task SearchEspaces_ClosingTakenBackOrOutcomeCorrected_FollowsWhatIsTrue()
    {
        await directory.ImportAsync(Espace("o-true"));
        Guid[] mesures = [.. Enumerable.Range(0, 6).Select(_ => TestMesure.NewId())];
        await directory.Host.PublishAsync<DirectoryDbContext>(
            [.. mesures.Select(m => Transmitted(m, "o-true")), .. mesures[..5].Select((m, i) => Held(m, "o-true", 10 * (i + 1), 8)), Closed(mesures[5], "o-true", 9)]);
        await ShowsAsync("o-true", (30, 40, 50, 5));

        await directory.Host.PublishAsync<DirectoryDbContext>(Reopened(mesures[5], "o-true", 10));
        await ShowsAsync("o-true", (30, 50, 0, 6));

        await directory.Host.PublishAsync<DirectoryDbContext>(Corrected(mesures[5], "o-true", 1, "VISITEUR_ABSENT", "HELD", 11));
        await ShowsAsync("o-true", (20, 40, 50, 6));

        await directory.Host.PublishAsync<DirectoryDbContext>(
            Corrected(mesures[0], "o-true", 10, "HELD", "VISITEUR_ABSENT", 12), Held(mesures[0], "o-true", 60, 13));
        await ShowsAsync("o-true", (30, 50, 60, 6));
    }

    [Fact]
    public async Task SearchEspaces_MesuresThatNoJudgeOrdered_AreNotObserved()
    {
        await directory.ImportAsync(Espace("o-free"));
        Guid[] mesures = [.. Enumerable.Range(0, 5).Select(_ => TestMesure.NewId())];
        await directory.Host.PublishAsync<DirectoryDbContext>(
            [.. mesures.Select(m => Of<MesureCreated>(m, "o-free", 1) with { JuridictionId = null }), .. mesures.Select(m => Held(m, "o-free", 5, 8))]);

        await Eventually.BecomesAsync(async () => (await ResultAsync("o-free")).DemandBalance.ReceivedCount, count => count == 5, "five mesures received");
        Assert.Null((await ResultAsync("o-free")).ObservedWait);
    }

    private async Task ShowsAsync(string espace, (int, int, int, int) expected) => await Eventually.BecomesAsync(
        async () => (await ResultAsync(espace)).ObservedWait is { } o ? (o.MedianDays, o.P80Days, o.P90Days, o.SampleSize) : default, seen => seen == expected, $"{expected} seen");

    private async Task<EspaceResult> ResultAsync(string espace) => (await directory.Court.CheckDesignationAsync(
        new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: Cancel)).Result;

    // A hundred days ago; what follows comes so many days later.
    private static MesureTransmitted Transmitted(Guid mesure, string espace) => Of<MesureTransmitted>(mesure, espace, 4);

    private static RencontreHeld Held(Guid mesure, string espace, int days, long version) =>
        Of<RencontreHeld>(mesure, espace, version) with { RencontreId = RencontreOf(mesure, days), StartsAt = s_begin.AddDays(days) };

    private static RencontreOutcomeCorrected Corrected(Guid mesure, string espace, int days, string before, string after, long version) =>
        Of<RencontreOutcomeCorrected>(mesure, espace, version) with
        {
            RencontreId = RencontreOf(mesure, days),
            StartsAt = s_begin.AddDays(days),
            PreviousOutcome = before,
            Outcome = after,
        };

    private static MesureClosed Closed(Guid mesure, string espace, long version) => Of<MesureClosed>(mesure, espace, version);

    private static MesureReopened Reopened(Guid mesure, string espace, long version) => Of<MesureReopened>(mesure, espace, version);

    private static Guid RencontreOf(Guid mesure, int days) => StableIds.For($"{mesure}:{days}");

    private static T Of<T>(Guid mesure, string espace, long version)
        where T : MesureEvent => (T)RuntimeHelpers.GetUninitializedObject(typeof(T)) with
        {
            EventId = TestMesure.NewId(),
            AggregateId = mesure,
            AggregateVersion = version,
            OccurredAt = s_begin,
            RecordedAt = s_begin,
            JuridictionId = StableIds.Court("tj69123"),
            EspaceId = IdOf(espace),
            GestionnaireId = StableIds.Gestionnaire("test", "G-" + espace),
            State = "TRANSMISE",
            Holder = "ESPACE",
            Modalite = "VISITE",
        };
}
