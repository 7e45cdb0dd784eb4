using System.Text;
using Grpc.Core;
using Jafer.Cli.Threads;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Secrets;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>Files and the messages that name them.</summary>
public sealed class AttachmentMessageTests(AttachmentFixture fixture) : IClassFixture<AttachmentFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostMessage_ThatNamesFiles_ShowsThemToTheOtherSideInTheirOrder()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        var second = await UploadClearedAsync(court, mesure, TestFiles.Pdf(seed: 2), "b.pdf");
        var first = await UploadClearedAsync(court, mesure, TestFiles.Png(), "a.png");

        var posted = await PostAsync(mesure, Roles.Juridiction, first, second);

        var message = (await Messaging(mesure, Roles.Espace).AllMessagesAsync(mesure))[^1];
        Assert.Equal(posted, message.MessageId);
        Assert.Equal(["a.png", "b.pdf"], message.Attachments.Select(a => a.FileName));
        Assert.All(message.Attachments, a => Assert.Equal((posted, AttachmentState.Sain, mesure.Id.ToString(), true), (a.MessageId, a.State, a.MesureId, a.ExpireTime is null)));
        Assert.Equal(TestFiles.Png(), await BytesAsync(espace, first));
        Assert.Equal([second, first], (await espace.ListAttachmentsAsync(new() { MesureId = mesure.Id.ToString() }, cancellationToken: Ct)).Attachments.Select(a => a.AttachmentId).OrderBy(id => id == first));
        var discard = await Refusal.OfAsync(court.DiscardAttachmentAsync(new() { AttachmentId = first, RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (discard.Code, discard.Reason));
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(espace.DiscardAttachmentAsync(new() { AttachmentId = first, RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct))).Code);
    }

    [Fact]
    public async Task Seal_UnderAnotherKey_SealsMessagesAndFilesAnewThoughNobodyElseMayChangeThem()
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = await UploadClearedAsync(fixture.Court(mesure), mesure, TestFiles.Pdf(seed: 11), "jugement.pdf");
        await PostAsync(mesure, Roles.Juridiction, file);
        var before = (await Messaging(mesure, Roles.Espace).AllMessagesAsync(mesure))[^1];
        var next = new KeyRing("messaging-next", new Dictionary<string, byte[]> { ["messaging-next"] = new byte[32], [TestKeys.Id] = Convert.FromBase64String(TestKeys.Key) });
        _ = KeyRing.Install(next);
        var services = fixture.Host.App.Services;
        using var work = new SealingWork<MessagingDbContext>(
            services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<IDbContextFactory<MessagingDbContext>>(), next, TimeProvider.System, NullLogger<SealingWork<MessagingDbContext>>.Instance);

        Assert.True(await work.SealAsync(Ct, portion: 2) >= 3);

        _ = KeyRing.Install(TestKeys.Ring);
        Assert.Equal(["messaging-next"], await fixture.Database.ReadAllAsync<string>($"""
            select distinct convert_from(substring(v from 3 for get_byte(v, 1)), 'UTF8') from (
                select body from messages where thread_id = '{mesure.Id}' union all select salt from messages where thread_id = '{mesure.Id}'
                union all select file_name from attachments where attachment_id = '{file}' union all select data from attachment_chunks where attachment_id = '{file}') x (v)
            where v is not null
            """));
        var after = (await Messaging(mesure, Roles.Espace).AllMessagesAsync(mesure))[^1];
        Assert.Equal((before.Body, before.Hash, before.Attachments[0].FileName), (after.Body, after.Hash, after.Attachments[0].FileName));
        Assert.Equal(TestFiles.Pdf(seed: 11), await BytesAsync(fixture.Espace(mesure), file));
        var fault = await Assert.ThrowsAsync<PostgresException>(() => fixture.Database.RunAsync(
            $"begin; select set_config('jafer.sealing', 'on', true); update messages set kind = 'DANGER' where thread_id = '{mesure.Id}' and body is not null; commit"));
        Assert.Equal("a message never changes", fault.MessageText);
    }

    [Fact]
    public async Task PostMessage_OfAFileInQuarantine_LetsNobodyHaveItBeforeItIsCleared()
    {
        var mesure = await fixture.OpenThreadAsync();
        fixture.Clamd.Mood = Mood.Error;
        try
        {
            var id = (await fixture.Court(mesure).UploadAsync(mesure, TestFiles.Pdf(seed: 7))).AttachmentId;
            await PostAsync(mesure, Roles.Juridiction, id);

            var refusal = await Refusal.OfAsync(() => fixture.Espace(mesure).DownloadAsync(id));
            Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
            Assert.Contains(refusal.Metadata["state"], new[] { "QUARANTAINE", "ECHEC_ANALYSE" });

            fixture.Clamd.Mood = Mood.Well;
            await AttachmentFixture.BecomesAsync(fixture.Espace(mesure), id, AttachmentState.Sain);
            await fixture.Espace(mesure).DownloadAsync(id);
        }
        finally
        {
            fixture.Clamd.Mood = Mood.Well;
        }
    }

    [Fact]
    public async Task PostMessage_OfFilesThatItMayNotName_IsRefusedAtTheField()
    {
        var (mesure, other) = (await fixture.OpenThreadAsync(), await fixture.OpenThreadAsync());
        var court = fixture.Court(mesure);
        var own = (await court.UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;
        var named = (await court.UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;
        await PostAsync(mesure, Roles.Juridiction, named);
        var espaces = (await fixture.Espace(mesure).UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;
        var elsewhere = (await fixture.Court(other).UploadAsync(other, TestFiles.Pdf())).AttachmentId;

        foreach (var (ids, field) in new (string[], string)[]
        {
            ([own, named], "attachment_ids[1]"), ([espaces], "attachment_ids[0]"), ([elsewhere], "attachment_ids[0]"), ([TestMesure.NewId().ToString()], "attachment_ids[0]"),
            (["x"], "attachment_ids[0]"), ([own, own], "attachment_ids[1]"), ([.. Enumerable.Range(0, 11).Select(_ => TestMesure.NewId().ToString())], "attachment_ids"),
        })
        {
            var refusal = await Refusal.OfAsync(() => PostAsync(mesure, Roles.Juridiction, ids));
            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID", field), (refusal.Code, refusal.Reason, refusal.Fields[0]));
        }

        var bad = (await court.UploadAsync(mesure, TestFiles.Eicar, "x.txt")).AttachmentId;
        await AttachmentFixture.BecomesAsync(court, bad, AttachmentState.Refuse);
        var refused = await Refusal.OfAsync(() => PostAsync(mesure, Roles.Juridiction, own, bad));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS", "REFUSE"), (refused.Code, refused.Reason, refused.Metadata["state"]));
        Assert.Empty((await court.GetAttachmentAsync(new() { AttachmentId = own }, cancellationToken: Ct)).Attachment.MessageId);
    }

    [Fact]
    public async Task PostMessage_OfOneFileByTwoMessagesAtOnce_IsNamedByOne()
    {
        var mesure = await fixture.OpenThreadAsync();
        var id = (await fixture.Court(mesure).UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Refusal.OrNullAsync(() => PostAsync(mesure, Roles.Juridiction, id))));

        Assert.Single(outcomes, o => o is null);
        Assert.All(outcomes.OfType<Refusal>(), r => Assert.Equal(StatusCode.InvalidArgument, r.Code));
    }

    [Fact]
    public async Task Export_WithFiles_ListsThemAndProvesThemAgainstAFolder()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var (report, photo) = (TestFiles.Pdf(seed: 11), TestFiles.Jpeg());
        await PostAsync(mesure, Roles.Juridiction, await UploadClearedAsync(court, mesure, report, "Rapport <1>.pdf"), await UploadClearedAsync(court, mesure, photo, "photo.jpg"));
        var client = Messaging(mesure, Roles.Espace);

        var export = await client.FileAsync(mesure);
        var html = Encoding.UTF8.GetString(await client.ExportAsync(mesure, ExportFormat.Html));

        var message = export.Messages[^1];
        Assert.Equal(["Rapport _1_.pdf", "photo.jpg"], message.Attachments!.Select(a => a.FileName));
        Assert.Equal(message.Attachments!.Select(a => a.Sha256), message.AttachmentDigests);
        Assert.Contains("Rapport _1_.pdf", html, StringComparison.Ordinal);
        Assert.Null(ThreadChain.Verify(export));
        var swapped = export with { Messages = [.. export.Messages.SkipLast(1), message with { Attachments = [.. message.Attachments!.Reverse()] }] };
        Assert.Equal("names other attachments than its hash", ThreadChain.Verify(swapped)!.Description);

        var folder = Directory.CreateTempSubdirectory("jafer-attachments-");
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "1"), report, Ct);
            var missing = await ThreadCheck.AttachmentsAsync(export, folder.FullName, Ct);
            await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "2"), photo, Ct);
            var whole = await ThreadCheck.AttachmentsAsync(export, folder.FullName, Ct);

            Assert.Equal((false, true), (missing.Whole, whole.Whole));
            Assert.StartsWith("ATTACHMENTS MISSING: 1 of 2", missing.Line, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task HandOver_OfAMessageWithAFile_GivesTheNewEspaceItsOwnCopyAlone()
    {
        var former = await fixture.OpenThreadAsync();
        var next = new TestMesure(former.JuridictionId, TestMesure.NewId());
        await fixture.Host.PublishAsync<MessagingDbContext>(next.Transmitted());
        await Eventually.BecomesAsync(() => fixture.Database.ReadAsync<long>($"select count(*) from messages where thread_id = '{next.Id}'"), n => n == 1, "the thread to open");
        await fixture.Database.RunAsync($"update threads set predecessor_id = '{former.Id}' where thread_id = '{next.Id}'");
        var file = TestFiles.Pdf(600_000);
        var id = await UploadClearedAsync(fixture.Court(former), former, file, "note.pdf");
        var kept = await UploadClearedAsync(fixture.Court(former), former, TestFiles.Png(), "photo.png");
        var message = await PostAsync(former, Roles.Juridiction, id);
        await PostAsync(former, Roles.Juridiction, kept);

        await Messaging(former, Roles.Juridiction).HandOverMessagesAsync(Messages.HandOver(former, next, message), cancellationToken: Ct);

        var successor = fixture.Espace(next);
        var copy = Assert.Single((await Messaging(next, Roles.Espace).AllMessagesAsync(next))[^1].Attachments);
        Assert.NotEqual(id, copy.AttachmentId);
        Assert.Equal(("note.pdf", AttachmentState.Sain, next.Id.ToString()), (copy.FileName, copy.State, copy.MesureId));
        Assert.Equal(file, await BytesAsync(successor, copy.AttachmentId));
        Assert.Equal(copy.AttachmentId, Assert.Single((await successor.ListAttachmentsAsync(new() { MesureId = next.Id.ToString() }, cancellationToken: Ct)).Attachments).AttachmentId);
        Assert.Null(ThreadChain.Verify(await Messaging(next, Roles.Espace).FileAsync(next)));
        foreach (var hidden in new[] { id, kept })
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => successor.DownloadAsync(hidden))).Code);
        }

        // The scanner learnt more about one file: every file of the same bytes is refused, and nothing else.
        var other = await fixture.OpenThreadAsync();
        var elsewhere = await UploadClearedAsync(fixture.Espace(other), other, file, "autre nom.pdf");
        await fixture.Scanner().RecordVerdictAsync(AttachmentTests.Verdict(id, file, AttachmentState.Refuse, "Late"), cancellationToken: Ct);
        foreach (var (client, refused) in new[] { (fixture.Court(former), id), (successor, copy.AttachmentId), (fixture.Espace(other), elsewhere) })
        {
            Assert.Equal("REFUSE", (await Refusal.OfAsync(() => client.DownloadAsync(refused))).Metadata["state"]);
        }

        Assert.Equal(TestFiles.Png(), await BytesAsync(fixture.Court(former), kept));
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from attachment_chunks where attachment_id in ('{id}', '{copy.AttachmentId}', '{elsewhere}')"));
        Assert.Equal(["Late", "Late", "Late"], await fixture.Database.ReadAllAsync<string>($"select finding from attachments where attachment_id in ('{id}', '{copy.AttachmentId}', '{elsewhere}')"));
    }

    [Fact]
    public async Task Upload_IntoTheThreadOfAnEspace_OpensItForItsGestionnaireAndTheOperator()
    {
        var espace = TestMesure.Create();
        await fixture.Host.PublishAsync<MessagingDbContext>(TestEspace.Published(espace.EspaceId, espace.GestionnaireId));
        await Eventually.BecomesAsync(() => fixture.Database.ReadAsync<long>($"select count(*) from espaces where espace_id = '{espace.EspaceId}'"), n => n == 1, "the espace to be known");
        var file = TestFiles.Odf();
        var header = Transfers.Header(espace, file, "agrément.odt");
        (header.MesureId, header.EspaceId) = ("", espace.EspaceId.ToString());

        var uploaded = await fixture.Espace(espace).UploadAsync(header, file);
        await AttachmentFixture.BecomesAsync(fixture.Espace(espace), uploaded.AttachmentId, AttachmentState.Sain);
        var request = new PostMessageRequest { EspaceId = espace.EspaceId.ToString(), Body = "Voici l'arrêté.", RequestId = TestMesure.NewId().ToString(), AttachmentIds = { uploaded.AttachmentId } };
        await Messaging(espace, Roles.Espace).PostMessageAsync(request, cancellationToken: Ct);

        var operateur = new AttachmentService.AttachmentServiceClient(fixture.Host.Channel(Roles.Operateur, MessagingFixture.OperatorId));
        Assert.Equal(("", espace.EspaceId.ToString()), (uploaded.MesureId, uploaded.EspaceId));
        Assert.Equal(file, await BytesAsync(operateur, uploaded.AttachmentId));
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => fixture.Court(espace).DownloadAsync(uploaded.AttachmentId))).Code);
    }

    private static async Task<string> UploadClearedAsync(AttachmentService.AttachmentServiceClient client, TestMesure mesure, byte[] file, string name)
    {
        var id = (await client.UploadAsync(mesure, file, name)).AttachmentId;
        await AttachmentFixture.BecomesAsync(client, id, AttachmentState.Sain);
        return id;
    }

    private MessagingService.MessagingServiceClient Messaging(TestMesure mesure, string role) =>
        new(fixture.Host.Channel(role, role == Roles.Espace ? mesure.GestionnaireId : mesure.JuridictionId));

    private async Task<string> PostAsync(TestMesure mesure, string role, params string[] attachmentIds)
    {
        var request = Messages.Post(mesure, "Ci-joint.");
        request.AttachmentIds.AddRange(attachmentIds);
        return (await Messaging(mesure, role).PostMessageAsync(request, cancellationToken: Ct)).MessageId;
    }

    private static async Task<byte[]> BytesAsync(AttachmentService.AttachmentServiceClient client, string id) => (await client.DownloadAsync(id)).Bytes;
}
