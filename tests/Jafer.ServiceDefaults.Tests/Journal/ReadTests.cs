using Grpc.Core;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Journal;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Journal;

/// <summary>What a call leaves in the access journal, and that nothing is answered without it.</summary>
public sealed class ReadTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private const string Told = "concat_ws(' ', subject, issuer, role, organisation_id, is_person, rpc, array_to_string(resources, ','), purpose, outcome, is_write)";

    private readonly ProbeService.ProbeServiceClient _client = probe.Client(Organisations.Court);

    [Fact]
    public async Task Read_Answered_SaysWhoReadWhatAndWhy()
    {
        var id = Organisations.New();

        await _client.GetNoteAsync(new() { NoteId = id.ToString() }, new Metadata { { "jafer-purpose", "AUDIENCE" } });

        Assert.Equal(
            $"juridiction.{Organisations.Court} {TestIssuer.Issuer} juridiction {Organisations.Court} f /jafer.probe.v1.ProbeService/GetNote notes/{id},mesures/{id} AUDIENCE OK f",
            await LineAsync(id));
        Assert.Equal(32, (await probe.Database.ReadAsync<string>($"select trace_id from journal.entries where 'notes/{id}' = any(resources)")).Length);
    }

    [Fact]
    public async Task Read_OfNothingPersonal_LeavesNoLine()
    {
        var client = probe.Client(Organisations.New());

        await client.ListNotesAsync(new());

        Assert.Equal(0L, await probe.Database.ReadAsync<long>("select count(*) from journal.entries where rpc like '%/ListNotes'"));
    }

    [Fact]
    public async Task Read_Refused_IsOnRecordWithWhatWasAskedFor()
    {
        var organisation = Organisations.New();
        await Refusal.OfAsync(probe.Client(organisation).GetNoteAsync(new() { NoteId = Guid.AllBitsSet.ToString() }));
        await Refusal.OfAsync(probe.Client(organisation, "systeme").GetNoteAsync(new() { NoteId = Organisations.Court.ToString() }));
        await Refusal.OfAsync(probe.Client(organisation, "systeme").WriteNoteAsync(new() { NoteId = Organisations.OtherCourt.ToString() }));

        Assert.Equal(
            [$"juridiction notes/{Guid.AllBitsSet} DENIED f", $"systeme notes/{Organisations.Court} DENIED f", $"systeme notes/{Organisations.OtherCourt} DENIED t"],
            await probe.Database.ReadAllAsync<string>(
                $"select concat_ws(' ', role, array_to_string(resources, ','), outcome, is_write) from journal.entries where organisation_id = '{organisation}' order by id"));
    }

    [Fact]
    public async Task Read_WithoutAnId_FailsAndTellsNothingOfWhatStoodInItsPlace()
    {
        var organisation = Organisations.New();

        await Refusal.OfAsync(probe.Client(organisation).GetNoteAsync(new() { NoteId = "Zizanie Martin" }));

        await Eventually.BecomesAsync(
            async () => (await probe.Database.ReadAllAsync<string>($"select outcome || cardinality(resources) || j::text from journal.entries j where organisation_id = '{organisation}'"))
                .SingleOrDefault(),
            line => line is not null && line.StartsWith("INVALID_ARGUMENT0", StringComparison.Ordinal) && !line.Contains("Zizanie", StringComparison.Ordinal),
            "the line of a call that failed");
    }

    [Theory]
    [InlineData("l'audience de Mme Martin")]
    [InlineData("audience")]
    [InlineData("A23456789012345678901234567890123456789012")]
    public async Task Purpose_ThatIsNoCode_IsRefused(string purpose)
    {
        var refusal = await Refusal.OfAsync(_client.GetNoteAsync(new() { NoteId = Organisations.New().ToString() }, new Metadata { { "jafer-purpose", purpose } }));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["jafer-purpose"], refusal.Fields);
    }

    [Fact]
    public async Task Stream_EachMessage_IsOnRecordBeforeItComes()
    {
        using var call = _client.StreamNotes();
        var note = Organisations.New();
        for (var i = 0; i < 3; i++)
        {
            Guid[] mesures = [Organisations.New(), Organisations.New()];
            await call.RequestStream.WriteAsync(new() { NoteId = note.ToString(), MesureIds = { mesures.Select(m => m.ToString()) } });
            Assert.True(await call.ResponseStream.MoveNext(default));
            foreach (var mesure in mesures)
            {
                Assert.Equal(1L, await probe.Database.ReadAsync<long>($"select count(*) from journal.entries where '{"mesures/" + mesure}' = any(resources)"));
            }
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal(1L, await probe.Database.ReadAsync<long>($"select count(*) from journal.entries where 'notes/{note}' = any(resources)"));
    }

    [Fact]
    public async Task Read_ManyAtOnce_ShareCommits()
    {
        var ids = Enumerable.Range(0, 40).Select(_ => Organisations.New()).ToArray();

        await Task.WhenAll(ids.Select(async id => await _client.GetNoteAsync(new() { NoteId = id.ToString() })));

        var names = string.Join(",", ids.Select(id => $"'notes/{id}'"));
        Assert.Equal(40L, await probe.Database.ReadAsync<long>($"select count(*) from journal.entries where resources && array[{names}]"));
        Assert.InRange(await probe.Database.ReadAsync<long>($"select count(distinct xact) from journal.entries where resources && array[{names}]"), 1, 39);
    }

    [Fact]
    public async Task Read_WithoutAJournal_IsNotAnswered()
    {
        await using var database = await ProbeHost.CloneAsync();
        await using var host = await ProbeHost.StartPublisherAsync(database, ServiceHost.UniquePrefix());
        var client = new ProbeService.ProbeServiceClient(host.Channel("juridiction", Organisations.Court));
        await database.RunAsync("alter table journal.entries rename to away");

        var answered = await Refusal.OfAsync(client.GetNoteAsync(new() { NoteId = Organisations.New().ToString() }));
        var denied = await Refusal.OfAsync(client.GetNoteAsync(new() { NoteId = Guid.AllBitsSet.ToString() }));
        await client.ListNotesAsync(new());
        await database.RunAsync("alter table journal.away rename to entries");
        await client.GetNoteAsync(new() { NoteId = Organisations.New().ToString() });

        Assert.Equal((StatusCode.Unavailable, StatusCode.Unavailable), (answered.Code, denied.Code));
    }

    [Fact]
    public async Task Start_RpcThatNobodySaysConcernsPersons_IsRefused()
    {
        await using var app = ProbeApp.Build(builder =>
        {
            builder.Configuration.AddInMemoryCollection(ServiceHost.Settings(ProbeApp.Name, probe.Database.ConnectionString, "none"));
            builder.Services.AddSingleton(PersonalTable.Parse(ProbeApp.PersonalRows.Split('\n').Where(l => !l.Contains("/WatchNotes", StringComparison.Ordinal))));
        });

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => app.RunJaferAsync<ProbeDbContext>([]));

        Assert.Equal("without a row in the personal table: /jafer.probe.v1.ProbeService/WatchNotes", error.Message);
    }

    [Theory]
    [InlineData("rpc,personal\na,maybe")]
    [InlineData("rpc,personal\na")]
    [InlineData("rpc,personal\na,yes\na,no")]
    public void Parse_BadTable_IsRefused(string table) => Assert.Throws<FormatException>(() => PersonalTable.Parse(table.Split('\n')));

    private Task<string> LineAsync(Guid note) => probe.Database.ReadAsync<string>($"select {Told} from journal.entries where 'notes/{note}' = any(resources)");
}
