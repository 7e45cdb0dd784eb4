using Grpc.Core;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Requests;

#pragma warning disable RS0030 // What a client catches.

public sealed class CommandsTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private readonly ProbeService.ProbeServiceClient _client = probe.Client(Organisations.Court);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_SameIdAgain_GivesTheFirstAnswer(bool raw)
    {
        var request = Request(raw: raw);

        var first = await _client.WriteNoteAsync(request);
        var again = await _client.WriteNoteAsync(request);

        Assert.Equal(first, again);
        Assert.Equal(raw ? 2 : 1, await CountNotesAsync(request));
    }

    [Fact]
    public async Task Write_SameIdAfterTheStateWentOn_StillGivesTheFirstAnswer()
    {
        var create = Request();
        var created = await _client.WriteNoteAsync(create);
        var update = Request(create.NoteId, etag: created.Etag);
        var updated = await _client.WriteNoteAsync(update);
        var next = Request(create.NoteId, etag: updated.Etag);
        Assert.Equal("3", (await _client.WriteNoteAsync(next)).Etag);

        Assert.Equal(created, await _client.WriteNoteAsync(create));
        Assert.Equal(updated, await _client.WriteNoteAsync(update));
        Assert.Equal(3L, await probe.Database.ReadAsync<long>($"select version from notes where id = '{create.NoteId}'"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_FiftyTimesAtOnce_IsDoneOnce(bool raw)
    {
        var request = Request(events: 2, raw: raw);
        request.Modalite = "FIFTY";

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => await _client.WriteNoteAsync(request)));

        Assert.Single(answers.Distinct());
        Assert.Equal(raw ? 2 : 1, await CountNotesAsync(request));
        Assert.Equal(1L, await probe.Database.ReadAsync<long>($"select count(*) from processed_requests where request_id = '{request.RequestId}'"));
        Assert.Equal(1L, await probe.Database.ReadAsync<long>($"select count(*) from journal.entries where 'notes/{request.NoteId}' = any(resources)"));
        await Eventually.BecomesAsync(
            () => probe.Database.ReadAsync<long>($"select count(*) from applied_events where aggregate_id = '{request.NoteId}'"), n => n >= 2, "the two events");
        Assert.Equal(2L, await probe.Database.ReadAsync<long>($"select count(*) from applied_events where aggregate_id = '{request.NoteId}'"));
    }

    [Fact]
    public async Task Write_FiftyCallersWithOneEtag_OnlyOneSucceeds()
    {
        var create = Request();
        var etag = (await _client.WriteNoteAsync(create)).Etag;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            var call = _client.WriteNoteAsync(Request(create.NoteId, etag: etag));
            try
            {
                return (await call).Etag;
            }
            catch (RpcException)
            {
                return (await Refusal.OfAsync(() => call.ResponseAsync)).Reason;
            }
        }));

        Assert.Equal(1, outcomes.Count(o => o == "2"));
        Assert.Equal(49, outcomes.Count(o => o == "ETAG_MISMATCH"));
    }

    [Fact]
    public async Task Write_IdUsedForOtherContent_IsRefused()
    {
        var request = Request();
        await _client.WriteNoteAsync(request);
        var other = request.Clone();
        other.Text += " changed";

        var refusal = await Refusal.OfAsync(_client.WriteNoteAsync(other));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (refusal.Code, refusal.Reason));
        Assert.Equal(["request_id"], refusal.Fields);
        Assert.Equal(0, await CountNotesAsync(other));
    }

    [Fact]
    public async Task Write_SameIdOfAnotherCaller_IsAnotherRequest()
    {
        var request = Request();
        await _client.WriteNoteAsync(request);
        var other = Request();
        other.RequestId = request.RequestId;

        await probe.Client(Organisations.OtherCourt).WriteNoteAsync(other);

        Assert.Equal(1, await CountNotesAsync(other));
    }

    [Fact]
    public async Task Write_RefusedFirst_BurnsNothing()
    {
        var request = Request();
        request.Text = "refused";
        var refusal = await Refusal.OfAsync(_client.WriteNoteAsync(request));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
        Assert.Equal("ECRITE", refusal.Metadata["state"]);

        request.Text = "accepted " + request.NoteId;
        Assert.Equal("1", (await _client.WriteNoteAsync(request)).Etag);
    }

    [Fact]
    public async Task Write_FaultFirst_LeavesNothingAndTheIdFree()
    {
        var request = Request(events: 1, raw: true);
        var hooks = probe.Host.App.Services.GetRequiredService<ProbeHooks>();
        hooks.BeforeWrite = _ => throw new InvalidOperationException("planned");
        try
        {
            Assert.Equal("INTERNAL", (await Refusal.OfAsync(_client.WriteNoteAsync(request))).Reason);
        }
        finally
        {
            hooks.BeforeWrite = _ => Task.CompletedTask;
        }

        Assert.Equal(0, await CountNotesAsync(request));
        Assert.Equal("1", (await _client.WriteNoteAsync(request)).Etag);
    }

    [Fact]
    public async Task Write_TextTaken_IsAbortedAndLeavesNothing()
    {
        var first = Request();
        await _client.WriteNoteAsync(first);
        var second = Request(events: 1);
        second.Text = first.Text;

        var refusal = await Refusal.OfAsync(_client.WriteNoteAsync(second));

        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (refusal.Code, refusal.Reason));
        Assert.Equal(0L, await probe.Database.ReadAsync<long>($"select count(*) from processed_requests where request_id = '{second.RequestId}'"));
        Assert.Equal(0L, await probe.Database.ReadAsync<long>($"select count(*) from outbox_messages where ordering_key = '{second.NoteId}'"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    public async Task Write_BadRequestId_IsAFieldViolation(string id)
    {
        var request = Request();
        request.RequestId = id;

        var refusal = await Refusal.OfAsync(_client.WriteNoteAsync(request));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["request_id"], refusal.Fields);
    }

    [Fact]
    public async Task Write_Success_IsJournalled()
    {
        var request = Request();

        await _client.WriteNoteAsync(request);

        Assert.Equal(
            $"juridiction.{Organisations.Court} juridiction {Organisations.Court} /jafer.probe.v1.ProbeService/WriteNote",
            await probe.Database.ReadAsync<string>($"select concat_ws(' ', subject, role, organisation_id, rpc) from journal.entries where 'notes/{request.NoteId}' = any(resources)"));
    }

    [Fact]
    public async Task Journal_ChangedByAnybody_Refuses()
    {
        await _client.WriteNoteAsync(Request());

        var error = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => probe.Database.RunAsync("update journal.entries set subject = 'x'"));

        Assert.Equal("the journal is append-only", error.MessageText);
    }

    private static WriteNoteRequest Request(string? noteId = null, string etag = "", int events = 0, bool raw = false)
    {
        var id = noteId ?? Organisations.New().ToString();
        return new()
        {
            RequestId = Organisations.New().ToString(),
            NoteId = id,
            Text = $"note {id} {Organisations.New()}",
            Etag = etag,
            EventCount = events,
            Modalite = "VISITE",
            Raw = raw,
        };
    }

    private async Task<int> CountNotesAsync(WriteNoteRequest request) =>
        (int)await probe.Database.ReadAsync<long>($"select count(*) from notes where text in ('{request.Text}', '{request.Text} (raw)')");
}
