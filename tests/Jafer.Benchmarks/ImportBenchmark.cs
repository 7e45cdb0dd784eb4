using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// ImportEspacesCsv of 5,000 new espaces with everything that belongs to them, against a binary COPY of the very rows that it
/// wrote, ready-made in memory, into tables of the same shape: what reading, checking, comparing, provenance, history and events cost.
/// </summary>
internal static class ImportBenchmark
{
    public const string Name = "import";

    private const double Goal = 0.15;
    private const int Espaces = 5000;
    private const int Piece = 256 * 1024;

    // What an import writes, in an order that foreign keys allow.
    private static readonly string[] s_tables =
    [
        "gestionnaires", "espaces", "agrements", "lieux", "dessertes", "modalites", "entretiens", "ouvertures", "fermetures", "espace_groups",
        "espace_changes", "wait_declarations",
    ];

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(DirectoryModule.Name, connection =>
            Hosts.MigrateAsync(DirectoryModule.Name, connection, b => DirectoryModule.Build([], b), app => app.MigrateDirectoryAsync()));
        await using var host = await ServiceHost.StartAsync(
            b => DirectoryModule.Build([], b), ServiceHost.Settings(DirectoryModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
        await host.StopRelayAsync();
        var operateur = new DirectoryService.DirectoryServiceClient(host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")));
        var round = 0;
        Dictionary<string, byte[]>? copied = null;
        var result = Result.AtLeast(Name, "espaces/s", await Rounds.RunAsync(1, 3, ImportAsync, CopyAsync), Goal);
        round--;
        var (again, changed) = await SendFileAsync();
        Console.WriteLine($"{Name}: the last file again, nothing to change, {again:F1} s");
        return changed is { ErrorCount: 0, UnchangedCount: Espaces } ? result : throw new InvalidOperationException("the file again changed something");

        async Task<double> ImportAsync()
        {
            // Another source each time: other ids, and other SIRETs.
            var (seconds, summary) = await SendFileAsync();
            round++;
            Console.WriteLine($"{Name}: {summary?.LineCount} lines, {seconds:F1} s");
            return summary is { ErrorCount: 0, CreatedCount: Espaces }
                ? Espaces / seconds
                : throw new InvalidOperationException($"the import did not create every espace: {summary?.Errors.FirstOrDefault()}");
        }

        async Task<(double Seconds, ImportSummary? Summary)> SendFileAsync()
        {
            var file = File(round);
            var start = Stopwatch.GetTimestamp();
            using var call = operateur.ImportEspacesCsv(cancellationToken: ct);
            var request = new ImportEspacesCsvRequest { Source = $"bench-{round}", RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString() };
            var sending = SendAsync(call, file, request);
            ImportSummary? summary = null;
            while (await call.ResponseStream.MoveNext(ct))
                summary = call.ResponseStream.Current.Summary;
            await sending;
            return (Stopwatch.GetElapsedTime(start).TotalSeconds, summary);
        }

        async Task SendAsync(Grpc.Core.AsyncDuplexStreamingCall<ImportEspacesCsvRequest, ImportEspacesCsvResponse> call, byte[] file, ImportEspacesCsvRequest request)
        {
            foreach (var piece in file.Chunk(Piece))
            {
                request.Data = ByteString.CopyFrom(piece);
                await call.RequestStream.WriteAsync(request, ct);
                request = new();
            }

            await call.RequestStream.CompleteAsync();
        }

        async Task<double> CopyAsync()
        {
            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync(ct);
            copied ??= await RowsAsync(connection, ct);
            foreach (var table in s_tables)
                await database.RunAsync($"drop table if exists bench_{table}; create table bench_{table} (like {table} including all)");
            var start = Stopwatch.GetTimestamp();
            await using var transaction = await connection.BeginTransactionAsync(ct);
            foreach (var (table, rows) in copied)
            {
                await using var copy = await connection.BeginRawBinaryCopyAsync($"copy bench_{table} from stdin (format binary)", ct);
                await copy.WriteAsync(rows, ct);
            }

            await transaction.CommitAsync(ct);
            return Espaces / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    // The rows of the first import only: later rounds write as many.
    private static async Task<Dictionary<string, byte[]>> RowsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rows = new Dictionary<string, byte[]>();
        foreach (var table in s_tables)
        {
            using var buffer = new MemoryStream();
            await using (var copy = await connection.BeginRawBinaryCopyAsync($"copy {table} to stdout (format binary)", ct))
                await copy.CopyToAsync(buffer, ct);
            rows.Add(table, buffer.ToArray());
        }

        return rows;
    }

    private static byte[] File(int round)
    {
        var demonstration = new Generator(Generator.DefaultSeed, TimeProvider.System.TodayInParis()).Espaces().ToList();
        var text = new StringBuilder(CsvText.Line(';', EspaceTemplate.Header));
        for (var i = 0; i < Espaces; i++)
        {
            var espace = demonstration[i % demonstration.Count].Clone();
            espace.ExternalId += $"-{i}";
            espace.Gestionnaire.ExternalId += $"-{i}";
            espace.Gestionnaire.Siret = Generator.FictiveSiret(demonstration.Count + round * Espaces + i);
            foreach (var line in EspaceTemplate.Lines(espace))
                text.Append(CsvText.Line(';', line));
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
