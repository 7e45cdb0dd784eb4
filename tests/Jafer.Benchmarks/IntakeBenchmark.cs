using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// 100,000 items by two streams of StreamStatus: the lives of 1,000 mesures from the receipt on, told as an espace's software
/// catches up, in the order of time, one in twenty out of order and one in twenty twice. As many of other mesures come before, so
/// that the runtime has compiled what is called often. Afterwards everything is counted. The goal is on the items a second; the
/// floor is a binary COPY of the very rows, ready-made in memory, into tables of the same shape.
/// </summary>
internal static class IntakeBenchmark
{
    public const string Name = "intake";

    private const double Goal = 5000;
    private const int Items = 100_000;
    private const int ItemsOfAMesure = 100;
    private const int WarmUpMesures = 1000;
    private const int Batch = 1000;

    private static readonly (string Table, string Rows)[] s_written =
    [
        ("mesure_facts", "source_system is not null and mesure_id = any(select mesure_id from intake_items)"),
        ("rencontres", "mesure_id = any(select mesure_id from intake_items)"),
        ("outbox_messages", "true"),
        ("intake_items", "true"),
    ];

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow();
        Guid[] ids = [.. Enumerable.Range(0, WarmUpMesures + (Items / ItemsOfAMesure)).Select(i => Guid.CreateVersion7(now.AddMilliseconds(i)))];
        await using var database = await TestDatabase.CloneAsync("intake", connection => MesureCopies.PrepareAsync(connection, ids, (_, court) => MesureCopies.TransmittedAsync(court)));
        await using var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), ServiceHost.Settings(MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
        await host.StopRelayAsync();
        var intake = new IntakeService.IntakeServiceClient(host.Channel(Roles.Espace, MesureCopies.Gestionnaire));
        var children = (await database.ReadAllAsync<string>("select mesure_id || '/' || id from children")).Select(c => c.Split('/')).ToDictionary(c => Guid.Parse(c[0]), c => c[1]);

        await CatchUpAsync(ids[..WarmUpMesures]);
        await database.RunAsync("truncate outbox_messages, intake_items");
        var seconds = await CatchUpAsync(ids[WarmUpMesures..]);
        await CountAsync();
        var floor = Items / await CopyAsync();
        var value = Items / seconds;
        return new Result(Name, "items/s", Math.Round(value), Math.Round(floor), Math.Round(value / floor, 3), Goal, value >= Goal);

        // Two streams, each with mesures of its own.
        async Task<double> CatchUpAsync(Guid[] mesures)
        {
            var streams = mesures.Chunk((mesures.Length + 1) / 2)
                .Select(half => Told(half, children).Chunk(Batch).Select(b => new StreamStatusRequest { Items = { b }, RequestId = MesureCopies.NewId() }).ToList()).ToList();
            GC.Collect();
            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(streams.Select(batches => Task.Run(() => StreamAsync(batches), ct)));
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        async Task StreamAsync(List<StreamStatusRequest> batches)
        {
            using var call = intake.StreamStatus(cancellationToken: ct);
            var sending = Task.Run(async () =>
            {
                foreach (var batch in batches)
                    await call.RequestStream.WriteAsync(batch, ct);
                await call.RequestStream.CompleteAsync();
            }, ct);
            for (var answered = 0; answered < batches.Count; answered++)
            {
                if (!await call.ResponseStream.MoveNext(ct))
                    throw new InvalidOperationException("the stream ended early");
                if (call.ResponseStream.Current.Results.FirstOrDefault(r => r.Result is IntakeResult.Refused or IntakeResult.Superseded) is { } wrong)
                    throw new InvalidOperationException($"an item of a true history was not taken: {wrong}");
            }

            await sending;
        }

        async Task CountAsync()
        {
            foreach (var (what, sql) in new[]
            {
                ("facts", $"select count(distinct external_id) from mesure_facts where source_system is not null and mesure_id = any(select mesure_id from intake_items)"),
                ("items applied", "select count(*) from intake_items where result = 'APPLIED'"),
                ("events", "select count(*) from outbox_messages where message_type <> 'mesure.deadline-due.v1'"),
                ("sequences at their end", $"select {ItemsOfAMesure} * count(*) from intake_sequences where next_sequence = {ItemsOfAMesure} + 1 and mesure_id = any(select mesure_id from intake_items)"),
            })
            {
                if (await database.ReadAsync<long>(sql) is var count && count != Items)
                    throw new InvalidOperationException($"{count} {what} instead of {Items}");
            }
        }

        async Task<double> CopyAsync()
        {
            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync(ct);
            var rows = new List<(string Table, byte[] Rows)>();
            foreach (var (table, which) in s_written)
            {
                using var buffer = new MemoryStream();
                await using (var copy = await connection.BeginRawBinaryCopyAsync($"copy (select * from {table} where {which}) to stdout (format binary)", ct))
                    await copy.CopyToAsync(buffer, ct);
                rows.Add((table, buffer.ToArray()));
                await database.RunAsync($"create table bench_{table} (like {table} including all)");
            }

            var start = Stopwatch.GetTimestamp();
            await using var transaction = await connection.BeginTransactionAsync(ct);
            foreach (var (table, bytes) in rows)
            {
                await using var copy = await connection.BeginRawBinaryCopyAsync($"copy bench_{table} from stdin (format binary)", ct);
                await copy.WriteAsync(bytes, ct);
            }

            await transaction.CommitAsync(ct);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static List<StatusItem> Told(Guid[] mesures, Dictionary<Guid, string> children)
    {
        var random = new Random(42);
        var told = new List<(double At, StatusItem Item)>();
        foreach (var id in mesures)
        {
            for (var sequence = 1; sequence <= ItemsOfAMesure; sequence++)
            {
                var item = Item(id, sequence, children[id]);
                told.Add((sequence + (random.NextDouble() * 1.5), item));
                if (sequence % 20 == 0)
                    told.Add((sequence + 1 + (random.NextDouble() * 3), item));
            }
        }

        return [.. told.OrderBy(t => t.At).Select(t => t.Item)];
    }

    private static StatusItem Item(Guid mesureId, int sequence, string childId)
    {
        var item = new StatusItem
        {
            SourceSystem = "planning",
            ExternalId = $"{mesureId:N}-{sequence}",
            Sequence = sequence,
            MesureId = mesureId.ToString(),
            OccurredTime = Timestamp.FromDateTimeOffset(At(sequence)),
        };
        switch (sequence)
        {
            case 1: item.Acknowledged = new(); break;
            case 2: item.ChargeTaken = new(); break;
            case 3: item.Contact = new() { PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached }; break;
            case 4: item.Interview = new() { PartyRole = PartyRole.Visiteur }; break;
            case var _ when sequence % 2 == 1:
                item.RencontreScheduled = new() { ExternalRencontreId = $"r{sequence}", StartTime = Timestamp.FromDateTimeOffset(At(sequence)), DurationMinutes = 60 };
                break;
            case var _ when sequence % 6 == 0:
                item.RencontreOutcome = new() { ExternalRencontreId = $"r{sequence - 1}", Outcome = RencontreOutcome.VisiteurAbsent };
                break;
            default:
                item.RencontreOutcome = new() { ExternalRencontreId = $"r{sequence - 1}", Outcome = RencontreOutcome.Held, VisiteurPresent = true, PresentChildIds = { childId } };
                break;
        }

        return item;
    }

    private static DateTimeOffset At(int sequence) => new DateTimeOffset(2026, 4, 1, 8, 0, 0, TimeSpan.Zero).AddDays(sequence * 2);
}
