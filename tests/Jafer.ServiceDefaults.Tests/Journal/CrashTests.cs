using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.Testing;

namespace Jafer.ServiceDefaults.Tests.Journal;

#pragma warning disable RS0030 // What a client catches.

/// <summary>A service that is killed while many read: what it answered is on record.</summary>
public sealed class CrashTests
{
    private const int Readers = 32;

    [Theory]
    [InlineData(50)]
    [InlineData(700)]
    public async Task Kill_AtAnyMoment_LosesNoLineOfAnAnsweredRead(int answersBefore)
    {
        await using var database = await ProbeHost.CloneAsync();
        var port = ServiceProcess.FreePort();
        using var process = await ServiceProcess.StartAsync(ProbeApp.Name, "Jafer.Probe", database, ServiceHost.UniquePrefix(), port, ServiceProcess.FreePort());
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var client = new ProbeService.ProbeServiceClient(channel);
        var headers = new Metadata { { "authorization", "Bearer " + TestIssuer.Shared.Token("juridiction", Organisations.Court) } };
        var answered = new ConcurrentBag<Guid>();

        var readers = Enumerable.Range(0, Readers).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    var id = Organisations.New();
                    await client.GetNoteAsync(new() { NoteId = id.ToString() }, headers);
                    answered.Add(id);
                }
            }
            catch (RpcException)
            {
                // Killed.
            }
        })).ToArray();
        await Eventually.BecomesAsync(() => Task.FromResult(answered.Count), n => n >= answersBefore, "answers");
        process.Kill();
        await process.WaitForExitAsync();
        await Task.WhenAll(readers);

        var onRecord = (await database.ReadAllAsync<string>("select resources[1] from journal.entries")).ToHashSet();
        Assert.DoesNotContain(answered, id => !onRecord.Contains($"notes/{id}"));
    }
}
