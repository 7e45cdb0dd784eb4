using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Attachments;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>Nothing leaves the quarantine that nobody looked at: scanners that fail, replicas that share and die, bytes that change.</summary>
public sealed class QuarantineTests(AttachmentFixture fixture) : IClassFixture<AttachmentFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Quarantined_WhileTheScannerFails_CannotBeDownloadedAndIsClearedOnceItIsWell()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        try
        {
            foreach (var mood in new[] { Mood.Error, Mood.HangsUp, Mood.CutAnswer })
            {
                fixture.Clamd.Mood = mood;
                var id = (await court.UploadAsync(mesure, TestFiles.Pdf(seed: (int)mood))).AttachmentId;
                await AttachmentFixture.BecomesAsync(court, id, AttachmentState.EchecAnalyse);

                var refusal = await Refusal.OfAsync(() => court.DownloadAsync(id));
                Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS", "ECHEC_ANALYSE"), (refusal.Code, refusal.Reason, refusal.Metadata["state"]));

                fixture.Clamd.Mood = Mood.Well;
                await AttachmentFixture.BecomesAsync(court, id, AttachmentState.Sain);
            }
        }
        finally
        {
            fixture.Clamd.Mood = Mood.Well;
        }
    }

    [Fact]
    public async Task OtherScanner_ByTheRpcs_ListsReadsAndJudges()
    {
        await using var own = await OwnAsync();
        var mesure = await own.OpenThreadAsync();
        var (court, scanner) = (own.Court(mesure), own.Scanner());
        var file = TestFiles.Pdf(600_000);
        var (clean, bad) = ((await court.UploadAsync(mesure, file)).AttachmentId, (await court.UploadAsync(mesure, TestFiles.Eicar)).AttachmentId);

        var waiting = Assert.Single((await scanner.ListQuarantinedAttachmentsAsync(new(), cancellationToken: Ct)).Attachments, a => a.AttachmentId == clean);
        using var call = scanner.GetQuarantinedContent(new() { AttachmentId = clean }, cancellationToken: Ct);
        var read = new List<byte>();
        await foreach (var response in call.ResponseStream.ReadAllAsync(Ct))
        {
            read.AddRange(response.Data.Span);
        }

        var failed = await scanner.RecordVerdictAsync(AttachmentTests.Verdict(clean, file, AttachmentState.EchecAnalyse), cancellationToken: Ct);
        var verdict = AttachmentTests.Verdict(clean, file, AttachmentState.Sain);
        var cleared = await scanner.RecordVerdictAsync(verdict, cancellationToken: Ct);
        var again = await scanner.RecordVerdictAsync(verdict, cancellationToken: Ct);
        var wrong = await Refusal.OfAsync(scanner.RecordVerdictAsync(AttachmentTests.Verdict(bad, file, AttachmentState.Sain), cancellationToken: Ct));
        var refused = await scanner.RecordVerdictAsync(AttachmentTests.Verdict(bad, TestFiles.Eicar, AttachmentState.Refuse, "Eicar"), cancellationToken: Ct);

        Assert.Equal((file.Length, ByteString.CopyFrom(SHA256.HashData(file)), AttachmentState.Quarantaine), (waiting.SizeBytes, waiting.Sha256, waiting.State));
        Assert.True(file.AsSpan().SequenceEqual(read.ToArray()));
        Assert.Equal((AttachmentState.EchecAnalyse, AttachmentState.Sain, AttachmentState.Sain, AttachmentState.Refuse), (failed.State, cleared.State, again.State, refused.State));
        Assert.Equal("sha256", Assert.Single(wrong.Fields));
        var downloaded = (await court.DownloadAsync(clean)).Bytes;
        Assert.True(file.AsSpan().SequenceEqual(downloaded));
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(async () => await scanner.GetQuarantinedContent(new() { AttachmentId = clean }).ResponseStream.MoveNext(Ct))).Reason);
        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(scanner.RecordVerdictAsync(AttachmentTests.Verdict(TestMesure.NewId().ToString(), file, AttachmentState.Sain), cancellationToken: Ct))).Code);

        // Who asks who opened the mesure finds the scanner too, whose requests name the file alone.
        foreach (var rpc in new[] { "GetQuarantinedContent", "RecordVerdict" })
        {
            Assert.NotEqual(0L, await own.Database.ReadAsync<long>(
                $"select count(*) from journal.entries where rpc like '%/{rpc}' and outcome = 'OK' and resources @> array['attachments/{clean}', 'threads/{mesure.Id}']"));
        }

        // Scanners learn: what was cleared may be refused later.
        await scanner.RecordVerdictAsync(AttachmentTests.Verdict(clean, file, AttachmentState.Refuse, "Late"), cancellationToken: Ct);
        Assert.Equal("REFUSE", (await Refusal.OfAsync(() => court.DownloadAsync(clean))).Metadata["state"]);
    }

    [Fact]
    public async Task WithoutAScanner_NothingIsClearedUnlessItIsConfigured()
    {
        await using var own = await OwnAsync();
        var mesure = await own.OpenThreadAsync();
        var court = own.Court(mesure);
        var id = (await court.UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;
        Assert.Equal("QUARANTAINE", (await Refusal.OfAsync(() => court.DownloadAsync(id))).Metadata["state"]);

        await using var clearing = await own.StartReplicaAsync(("Attachments:ClearWithoutScanner", "true"));

        await AttachmentFixture.BecomesAsync(court, id, AttachmentState.Sain);
    }

    [Fact]
    public async Task Download_OfAlteredBytes_EndsInAnErrorBeforeTheyAreAllThere()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var file = TestFiles.Pdf(600_000);
        foreach (var (number, change) in new[] { (0, "overlay(data placing '\\x00' from 5000)"), (2, "overlay(data placing '\\x00' from 500)"), (1, "substring(data for 1000)"), (1, "overlay(data placing '\\x09' from 1)") })
        {
            var id = (await court.UploadAsync(mesure, file)).AttachmentId;
            await AttachmentFixture.BecomesAsync(court, id, AttachmentState.Sain);
            Assert.Equal(1, await fixture.Database.RunAsync($"update attachment_chunks set data = {change} where attachment_id = '{id}' and number = {number}"));
            var received = new List<byte>();

            var refusal = await Refusal.OfAsync(() => court.DownloadAsync(id, received: received));

            Assert.Equal((StatusCode.FailedPrecondition, "ALTEREE"), (refusal.Code, refusal.Metadata["state"]));
            Assert.True(received.Count < file.Length);
        }
    }

    [Fact]
    public async Task Files_OnceUploaded_CannotBeChangedInTheDatabase()
    {
        var mesure = await fixture.OpenThreadAsync();
        var id = (await fixture.Court(mesure).UploadAsync(mesure, TestFiles.Eicar)).AttachmentId;
        await AttachmentFixture.BecomesAsync(fixture.Court(mesure), id, AttachmentState.Refuse);

        foreach (var change in new[] { "sha256 = sha256('x')", "file_name = '\\x0041'", "size_bytes = 1", "state = 'SAIN', finding = null" })
        {
            var fault = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => fixture.Database.RunAsync($"update attachments set {change} where attachment_id = '{id}'"));
            Assert.Equal("a file never changes", fault.MessageText);
        }
    }

    [Fact]
    public async Task TwoReplicas_WithManyFiles_HaveEachLookedAtOnce()
    {
        await using var second = await fixture.StartReplicaAsync();
        var mesure = await fixture.OpenThreadAsync();
        var clients = new[] { fixture.Court(mesure), fixture.Court(mesure, second) };

        var uploaded = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => clients[i % 2].UploadAsync(mesure, TestFiles.Pdf(50_000, seed: 1000 + i))));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from attachments where organisation_id = '{mesure.JuridictionId}' and state = 'SAIN'"), n => n == 24, "24 cleared files");

        var seen = fixture.Clamd.Seen.ToList();
        Assert.All(uploaded, a => Assert.Single(seen, s => s == Convert.ToHexStringLower(a.Sha256.Span)));
    }

    [Fact]
    public async Task Lease_OfAReplicaThatDied_EndsAndAnotherLooks()
    {
        await using var own = await OwnAsync();
        var mesure = await own.OpenThreadAsync();
        var court = own.Court(mesure);
        var id = (await court.UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;

        // As it stands when a replica was killed in the middle of a check.
        await own.Database.RunAsync($"update attachments set lease = gen_random_uuid(), next_check_at = now() + interval '1 second' where attachment_id = '{id}'");
        await using var second = await own.StartReplicaAsync(("Attachments:Scanner:Address", own.Clamd.Address));

        await AttachmentFixture.BecomesAsync(court, id, AttachmentState.Sain);
    }

    [Theory]
    [InlineData("Attachments:MaxPerThread", "2", "files in this thread")]
    [InlineData("Attachments:MaxBytesPerThread", "2000", "bytes of files in this thread")]
    [InlineData("Attachments:MaxUnnamed", "2", "files of the organisation that no message names")]
    [InlineData("Attachments:MaxBytesPerOrganisation", "2000", "bytes of files of the organisation")]
    public async Task Upload_BeyondALimit_IsRefused(string limit, string value, string expected)
    {
        var mesure = await fixture.OpenThreadAsync();
        await using var small = await fixture.StartReplicaAsync((limit, value));
        var court = fixture.Court(mesure, small);
        var file = TestFiles.Pdf(600);

        // Two at most, also when all come at once.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i => await Refusal.OrNullAsync(() => court.UploadAsync(mesure, file))));

        Assert.InRange(outcomes.Count(o => o is null), 1, 2);
        Assert.All(outcomes.OfType<Refusal>(), r => Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED", $"A limit was passed: {expected}."), (r.Code, r.Reason, r.Message)));
    }

    [Fact]
    public async Task Upload_MoreAtOnceThanAnOrganisationMay_IsRefusedAndOthersAreNot()
    {
        var (mesure, other) = (await fixture.OpenThreadAsync(), await fixture.OpenThreadAsync());
        await using var small = await fixture.StartReplicaAsync(("Attachments:MaxUploadsPerOrganisation", "1"));
        var court = fixture.Court(mesure, small);
        var file = TestFiles.Pdf(600_000);
        using var slow = court.UploadAttachment(cancellationToken: Ct);
        await slow.RequestStream.WriteAsync(Transfers.Header(mesure, file), Ct);
        await slow.RequestStream.WriteAsync(new() { Data = ByteString.CopyFrom(file.AsSpan(0, 400_000)) }, Ct);
        await Eventually.BecomesAsync(WritingAsync, n => n > 0, "the upload to be under way");

        var refusal = await Refusal.OfAsync(() => court.UploadAsync(mesure, file));
        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), (refusal.Code, refusal.Reason));
        await fixture.Court(other, small).UploadAsync(other, file);

        await slow.RequestStream.WriteAsync(new() { Data = ByteString.CopyFrom(file.AsSpan(400_000)) }, Ct);
        await slow.RequestStream.CompleteAsync();
        Assert.NotEmpty((await slow).Attachment.AttachmentId);
        await court.UploadAsync(mesure, file);
    }

    [Fact]
    public async Task Sweep_OfWhatNoMessageNamedInTime_RemovesItAlone()
    {
        await using var own = await OwnAsync();
        var mesure = await own.OpenThreadAsync();
        var court = own.Court(mesure);
        var id = (await court.UploadAsync(mesure, TestFiles.Pdf(600_000))).AttachmentId;
        await using var late = await own.StartReplicaAsync(("Attachments:UnnamedLifetime", "00:00:00"));

        Assert.Equal(0, await own.Host.App.Services.GetRequiredService<AttachmentUpkeep>().SweepAsync(Ct));
        Assert.Equal(1, await late.App.Services.GetRequiredService<AttachmentUpkeep>().SweepAsync(Ct));

        Assert.Equal(0L, await own.Database.ReadAsync<long>("select (select count(*) from attachments) + (select count(*) from attachment_chunks)"));
        Assert.Equal(1L, await own.Database.ReadAsync<long>(
            $"select count(*) from journal.entries where subject = 'jafer' and rpc = 'attachment upkeep' and resources @> array['attachments/{id}', 'threads/{mesure.Id}']"));
    }

    [Fact]
    public async Task Upload_InAProcessThatIsKilled_LeavesNothing()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (grpc, health) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
        using var process = await ServiceProcess.StartAsync(MessagingModule.Name, "Jafer.Messaging", fixture.Database, fixture.Prefix, grpc, health, ("DOTNET_ENVIRONMENT", "Production"));
        using var channel = Channel(grpc, mesure);
        var file = TestFiles.Pdf(3_000_000);
        using var call = new AttachmentService.AttachmentServiceClient(channel).UploadAttachment(cancellationToken: Ct);
        await call.RequestStream.WriteAsync(Transfers.Header(mesure, file), Ct);
        await call.RequestStream.WriteAsync(new() { Data = ByteString.CopyFrom(file.AsSpan(0, 1_000_000)) }, Ct);
        await Eventually.BecomesAsync(WritingAsync, n => n > 0, "the upload to be under way");

        process.Kill();
        await process.WaitForExitAsync(Ct);

        await Eventually.BecomesAsync(WritingAsync, n => n == 0, "the end of its transaction");
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from attachments where organisation_id = '{mesure.JuridictionId}'"));
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>("select count(*) from attachment_chunks left join attachments using (attachment_id) where thread_id is null"));
    }

    private static Grpc.Net.Client.GrpcChannel Channel(int port, TestMesure mesure) => Grpc.Net.Client.GrpcChannel.ForAddress($"http://127.0.0.1:{port}", new()
    {
        UnsafeUseInsecureChannelCallCredentials = true,
        Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, CallCredentials.FromInterceptor((_, metadata) =>
        {
            metadata.Add("authorization", "Bearer " + TestIssuer.Shared.Token(Roles.Juridiction, mesure.JuridictionId));
            return Task.CompletedTask;
        })),
    });

    private Task<long> WritingAsync() => fixture.Database.ReadAsync<long>("""
        select count(*) from pg_locks l join pg_class c on c.oid = l.relation
        where c.relname = 'attachment_chunks' and l.mode = 'RowExclusiveLock' and l.database = (select oid from pg_database where datname = current_database())
        """);

    /// <summary>A service with a database of its own and without a scanner.</summary>
    private static async Task<AttachmentFixture> OwnAsync()
    {
        var own = new AttachmentFixture { Own = [("Attachments:Scanner:Address", "")] };
        await own.InitializeAsync();
        return own;
    }
}
