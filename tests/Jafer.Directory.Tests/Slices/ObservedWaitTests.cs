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
        var (seen, few) = (Mesures(6, "o-seen"), Mesures(4, "o-few"));
        await directory.Host.PublishAsync<DirectoryDbContext>(
        [
            .. seen.Concat(few).Select(m => m.Transmitted(s_begin)),
            Held(seen[0], 80), .. seen[..5].Select((m, i) => Held(m, 10 * (i + 1))), Held(seen[1], 90), Closed(seen[5]), .. few.Select(m => Held(m, 5)),
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
        var mesures = Mesures(6, "o-true");
        await directory.Host.PublishAsync<DirectoryDbContext>(
            [.. mesures.Select(m => m.Transmitted(s_begin)), .. mesures[..5].Select((m, i) => Held(m, 10 * (i + 1))), Closed(mesures[5])]);
        await ShowsAsync("o-true", (30, 40, 50, 5));

        await directory.Host.PublishAsync<DirectoryDbContext>(mesures[5].Reopened());
        await ShowsAsync("o-true", (30, 50, 0, 6));

        await directory.Host.PublishAsync<DirectoryDbContext>(Corrected(mesures[5], 1, "VISITEUR_ABSENT", "HELD"));
        await ShowsAsync("o-true", (20, 40, 50, 6));

        await directory.Host.PublishAsync<DirectoryDbContext>(
            Corrected(mesures[0], 10, "HELD", "VISITEUR_ABSENT"), Held(mesures[0], 60));
        await ShowsAsync("o-true", (30, 50, 60, 6));
    }

    [Fact]
    public async Task SearchEspaces_MesuresThatNoJudgeOrdered_AreNotObserved()
    {
        await directory.ImportAsync(Espace("o-free"));
        var mesures = Mesures(5, "o-free", ordered: false);
        await directory.Host.PublishAsync<DirectoryDbContext>([.. mesures.Select(m => m.Created()), .. mesures.Select(m => Held(m, 5))]);

        await Eventually.BecomesAsync(async () => (await ResultAsync("o-free")).DemandBalance.ReceivedCount, count => count == 5, "five mesures received");
        Assert.Null((await ResultAsync("o-free")).ObservedWait);
    }

    private async Task ShowsAsync(string espace, (int, int, int, int) expected) => await Eventually.BecomesAsync(
        async () => (await ResultAsync(espace)).ObservedWait is { } o ? (o.MedianDays, o.P80Days, o.P90Days, o.SampleSize) : default, seen => seen == expected, $"{expected} seen");

    private async Task<EspaceResult> ResultAsync(string espace) => (await directory.Court.CheckDesignationAsync(
        new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: Cancel)).Result;

    private static TestMesure[] Mesures(int count, string espace, bool ordered = true) =>
    [
        .. Enumerable.Range(0, count).Select(_ => new TestMesure(ordered ? StableIds.Court("tj69123") : null, StableIds.Gestionnaire("test", "G-" + espace)) { EspaceId = IdOf(espace) }),
    ];

    // They came a hundred days ago; what follows comes so many days later.
    private static RencontreHeld Held(TestMesure mesure, int days) => mesure.Held(RencontreOf(mesure, days), s_begin.AddDays(days));

    private static RencontreOutcomeCorrected Corrected(TestMesure mesure, int days, string before, string after) =>
        mesure.Corrected(RencontreOf(mesure, days), s_begin.AddDays(days), before, after);

    private static MesureClosed Closed(TestMesure mesure) => mesure.Closed() with { OccurredAt = s_begin };

    private static Guid RencontreOf(TestMesure mesure, int days) => StableIds.For($"{mesure.Id}:{days}");
}
