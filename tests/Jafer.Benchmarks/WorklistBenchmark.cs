using System.Diagnostics;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;

namespace Jafer.Benchmarks;

/// <summary>
/// What a list, a worklist and the delays of France cost over 2,000,000 mesures, and over 20,000 in the same run: lists must not grow
/// with what is closed.
/// </summary>
internal static class WorklistBenchmark
{
    public const string ListName = "list-mesures";
    public const string WorklistsName = "worklists";
    public const string DelaysName = "delays";

    private const double Growth = 1.2;
    private const double DelaysGoalMs = 1000;
    private const int WarmUps = 4;
    private const int RoundCount = 9;
    private const int SamplesOfARound = 15;

    public static async Task<Result> RunListAsync(CancellationToken ct)
    {
        var number = 0;
        return await GrowthAsync(ListName, async (stress, at) =>
        {
            // A court and an espace that are others each time: pages of all mesures and of what waits.
            var court = stress.Client(Roles.Juridiction, StressMesures.Court(at), c => new MesureService.MesureServiceClient(c));
            var espace = stress.Client(Roles.Espace, StressMesures.Gestionnaire(at), c => new MesureService.MesureServiceClient(c));
            await court.ListMesuresAsync(new ListMesuresRequest(), cancellationToken: ct);
            var start = Stopwatch.GetTimestamp();
            var page = await court.ListMesuresAsync(new ListMesuresRequest(), cancellationToken: ct);
            await court.ListMesuresAsync(new ListMesuresRequest { PageToken = page.NextPageToken }, cancellationToken: ct);
            await court.ListMesuresAsync(new ListMesuresRequest { Worklist = Worklist.ATransmettre }, cancellationToken: ct);
            await court.ListMesuresAsync(new ListMesuresRequest { Worklist = Worklist.Difficultes }, cancellationToken: ct);
            await court.ListMesuresAsync(new ListMesuresRequest { States = { MesureState.EnAttente } }, cancellationToken: ct);
            await espace.ListMesuresAsync(new ListMesuresRequest(), cancellationToken: ct);
            await espace.ListMesuresAsync(new ListMesuresRequest { Worklist = Worklist.AAccuserReception }, cancellationToken: ct);
            await espace.ListMesuresAsync(new ListMesuresRequest { Worklist = Worklist.AProgrammer }, cancellationToken: ct);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds / 8;
        }, () => number++);
    }

    public static async Task<Result> RunWorklistsAsync(CancellationToken ct)
    {
        var number = 0;
        return await GrowthAsync(WorklistsName, async (stress, at) =>
        {
            var court = stress.Client(Roles.Juridiction, StressMesures.Court(at), c => new WorklistService.WorklistServiceClient(c));
            var espace = stress.Client(Roles.Espace, StressMesures.Gestionnaire(at), c => new WorklistService.WorklistServiceClient(c));
            await court.ListWorkItemsAsync(new ListWorkItemsRequest { PageSize = 1 }, cancellationToken: ct);
            await espace.ListWorkItemsAsync(new ListWorkItemsRequest { PageSize = 1 }, cancellationToken: ct);
            var start = Stopwatch.GetTimestamp();
            await court.GetWorklistsAsync(new GetWorklistsRequest(), cancellationToken: ct);
            await court.ListWorkItemsAsync(new ListWorkItemsRequest(), cancellationToken: ct);
            await court.ListWorkItemsAsync(new ListWorkItemsRequest { Worklist = Worklist.DifficultesAAccuser }, cancellationToken: ct);
            await court.ListWorkItemsAsync(new ListWorkItemsRequest { Worklist = Worklist.SansPremiereRencontre }, cancellationToken: ct);
            await espace.GetWorklistsAsync(new GetWorklistsRequest(), cancellationToken: ct);
            await espace.ListWorkItemsAsync(new ListWorkItemsRequest { Worklist = Worklist.EnRetard }, cancellationToken: ct);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds / 6;
        }, () => number++);
    }

    public static async Task<Result> RunDelaysAsync(CancellationToken ct)
    {
        var clients = new Dictionary<int, DelaysService.DelaysServiceClient>();
        foreach (var mesures in new[] { StressMesures.Few, StressMesures.Many })
        {
            clients[mesures] = (await StressMesures.OfAsync(mesures)).Client(Roles.Statisticien, StressMesures.Court(0), c => new DelaysService.DelaysServiceClient(c));
        }

        var rounds = await Rounds.SampleAsync(2, 7, 3, () => AskAsync(clients[StressMesures.Many]), () => AskAsync(clients[StressMesures.Few]));
        return new Result(DelaysName, "ms", Math.Round(rounds.Value, 1), Math.Round(rounds.Floor, 1), Math.Round(rounds.Ratio, 2), DelaysGoalMs, rounds.Value <= DelaysGoalMs);

        async Task<double> AskAsync(DelaysService.DelaysServiceClient client)
        {
            var start = Stopwatch.GetTimestamp();
            var delays = await client.GetDelaysAsync(new GetDelaysRequest { MaturityDays = 1 }, cancellationToken: ct);
            var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            return delays.Rows.Count == 6 ? took : throw new InvalidOperationException("a segment is missing");
        }
    }

    private static async Task<Result> GrowthAsync(string name, Func<StressMesures, int, Task<double>> measure, Func<int> next)
    {
        var few = await StressMesures.OfAsync(StressMesures.Few);
        var many = await StressMesures.OfAsync(StressMesures.Many);
        var at = 0;
        return Result.AtMost(name, "ms/call", await Rounds.SampleAsync(
            WarmUps, RoundCount, SamplesOfARound, () => measure(many, at = next()), () => measure(few, at)), Growth);
    }
}
