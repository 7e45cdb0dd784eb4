using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Files;
using Jafer.Testing;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>The files of threads, on the real service with a scanner.</summary>
public sealed class AttachmentTests(AttachmentFixture fixture) : IClassFixture<AttachmentFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> UnaryRpcs => new(Rpcs.UnaryOf(AttachmentService.Descriptor).Select(m => m.Name));

    [Fact]
    public async Task Upload_OfTenMegabytes_IsQuarantinedClearedAndReadBackByteForByte()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var empty = TestPdf.Make(streamLength: 10_000_000).Length - 10_000_000;
        var file = TestPdf.Make(streamLength: FileLimits.MaxBytes - empty - 1);
        Assert.InRange(file.Length, FileLimits.MaxBytes - 2, FileLimits.MaxBytes);

        var uploaded = await court.UploadAsync(mesure, file);
        await AttachmentFixture.BecomesAsync(court, uploaded.AttachmentId, AttachmentState.Sain);
        var (attachment, bytes) = await court.DownloadAsync(uploaded.AttachmentId);

        Assert.Equal((AttachmentState.Quarantaine, "rapport.pdf", "application/pdf", file.Length), (uploaded.State, uploaded.FileName, uploaded.MediaType, uploaded.SizeBytes));
        Assert.Equal((mesure.Id.ToString(), "", "", mesure.JuridictionId.ToString()), (uploaded.MesureId, uploaded.EspaceId, uploaded.MessageId, uploaded.OrganisationId));
        Assert.True(file.AsSpan().SequenceEqual(bytes));
        Assert.Equal(SHA256.HashData(file), attachment.Sha256);
        Assert.Contains(Convert.ToHexStringLower(attachment.Sha256.Span), fixture.Clamd.Seen);
        Assert.Equal(1, await CountAsync($"select count(*) from journal.entries where rpc like '%/GetAttachmentContent' and 'attachments/{uploaded.AttachmentId}' = any(resources)"));
    }

    [Fact]
    public async Task Download_FromAnOffset_ReturnsTheRest()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var file = TestFiles.Pdf(600_000);
        var id = (await court.UploadAsync(mesure, file)).AttachmentId;
        await AttachmentFixture.BecomesAsync(court, id, AttachmentState.Sain);

        foreach (var offset in new[] { 0, 1, FileLimits.ChunkBytes - 1, FileLimits.ChunkBytes, FileLimits.ChunkBytes + 1, 2 * FileLimits.ChunkBytes, file.Length - 1, file.Length })
        {
            var rest = (await court.DownloadAsync(id, offset)).Bytes;
            Assert.True(rest.AsSpan().SequenceEqual(file.AsSpan(offset)), $"offset {offset}");
        }

        var beyond = await Refusal.OfAsync(() => court.DownloadAsync(id, file.Length + 1));
        Assert.Equal((StatusCode.InvalidArgument, "offset"), (beyond.Code, Assert.Single(beyond.Fields)));
    }

    [Fact]
    public async Task Attachment_ThatNoMessageNames_IsItsOrganisationsOwn()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        var id = (await court.UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;
        await AttachmentFixture.BecomesAsync(court, id, AttachmentState.Sain);

        foreach (var call in new Func<AttachmentService.AttachmentServiceClient, Task>[]
        {
            c => c.GetAttachmentAsync(new() { AttachmentId = id }).ResponseAsync,
            c => c.DownloadAsync(id),
            c => c.DiscardAttachmentAsync(new() { AttachmentId = id, RequestId = TestMesure.NewId().ToString() }).ResponseAsync,
        })
        {
            var refusal = await Refusal.OfAsync(() => call(espace));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        Assert.Empty((await espace.ListAttachmentsAsync(new() { MesureId = mesure.Id.ToString() }, cancellationToken: Ct)).Attachments);
        Assert.Equal(id, Assert.Single((await court.ListAttachmentsAsync(new() { MesureId = mesure.Id.ToString() }, cancellationToken: Ct)).Attachments).AttachmentId);
    }

    [Fact]
    public async Task Attachment_OfAnothersThreadOrNone_GetsTheSameAnswer()
    {
        var mesure = await fixture.OpenThreadAsync();
        var id = (await fixture.Court(mesure).UploadAsync(mesure, TestFiles.Pdf())).AttachmentId;
        var stranger = fixture.Espace(TestMesure.Create());

        foreach (var call in new Func<string, TestMesure, Task>[]
        {
            (a, _) => stranger.GetAttachmentAsync(new() { AttachmentId = a }).ResponseAsync,
            (a, _) => stranger.DownloadAsync(a),
            (a, _) => stranger.DiscardAttachmentAsync(new() { AttachmentId = a, RequestId = TestMesure.NewId().ToString() }).ResponseAsync,
            (_, m) => stranger.ListAttachmentsAsync(new() { MesureId = m.Id.ToString() }).ResponseAsync,
            (_, m) => stranger.UploadAsync(m, TestFiles.Pdf()),
        })
        {
            var anothers = await Refusal.OfAsync(() => call(id, mesure));
            var none = await Refusal.OfAsync(() => call(TestMesure.NewId().ToString(), TestMesure.Create()));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN", none.Message), (anothers.Code, anothers.Reason, anothers.Message));
        }
    }

    [Fact]
    public async Task Rpcs_OfARoleWithoutGrant_AreRefused()
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = TestFiles.Pdf();
        var id = (await fixture.Court(mesure).UploadAsync(mesure, file)).AttachmentId;

        foreach (var call in new Func<Task>[]
        {
            () => fixture.Court(mesure).ListQuarantinedAttachmentsAsync(new()).ResponseAsync,
            () => fixture.Court(mesure).RecordVerdictAsync(Verdict(id, file, AttachmentState.Sain)).ResponseAsync,
            async () => await fixture.Court(mesure).GetQuarantinedContent(new() { AttachmentId = id }).ResponseStream.MoveNext(Ct),
            () => fixture.Scanner().UploadAsync(mesure, file),
            () => fixture.Scanner().DownloadAsync(id),
            () => fixture.Scanner().GetAttachmentAsync(new() { AttachmentId = id }).ResponseAsync,
        })
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(call)).Code);
        }
    }

    [Fact]
    public async Task Upload_OfWhatTheScannerFinds_IsRefusedAndItsBytesAreGone()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);

        var uploaded = await court.UploadAsync(mesure, TestFiles.Eicar, "essai.txt");
        var refused = await AttachmentFixture.BecomesAsync(court, uploaded.AttachmentId, AttachmentState.Refuse);

        Assert.Equal(("essai.txt", "text/plain", TestFiles.Eicar.Length, true), (refused.FileName, refused.MediaType, refused.SizeBytes, refused.VerdictTime is not null));
        Assert.Equal(0, await CountAsync($"select count(*) from attachment_chunks where attachment_id = '{uploaded.AttachmentId}'"));
        Assert.StartsWith("Eicar-Test-Signature", await fixture.Database.ReadAsync<string>($"select finding from attachments where attachment_id = '{uploaded.AttachmentId}'"), StringComparison.Ordinal);
        var download = await Refusal.OfAsync(() => court.DownloadAsync(uploaded.AttachmentId));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS", "REFUSE"), (download.Code, download.Reason, download.Metadata["state"]));
        var cleared = await Refusal.OfAsync(fixture.Scanner().RecordVerdictAsync(Verdict(uploaded.AttachmentId, TestFiles.Eicar, AttachmentState.Sain), cancellationToken: Ct));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (cleared.Code, cleared.Reason));
    }

    [Fact]
    public async Task Upload_TheSameRequestTwice_IsOneFileAndAnotherContentIsRefused()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var file = TestFiles.Pdf(700_000);
        var header = Transfers.Header(mesure, file, "Jugement Martin.pdf");

        var first = await court.UploadAsync(header, file);
        var second = await court.UploadAsync(header, file, piece: 1 << 20);
        var reused = await Refusal.OfAsync(() => court.UploadAsync(new UploadAttachmentRequest(Transfers.Header(mesure, TestFiles.Pdf(seed: 2))) { RequestId = header.RequestId }, TestFiles.Pdf(seed: 2)));

        Assert.Equal(first, second);
        Assert.Equal("Jugement Martin.pdf", second.FileName);
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (reused.Code, reused.Reason));
        Assert.Equal(1, await CountAsync($"select count(*) from attachments where organisation_id = '{mesure.JuridictionId}'"));
        Assert.Equal(0, await CountAsync("select (select count(*) from processed_requests where position('Martin'::bytea in response) > 0) + (select count(*) from journal.entries j where j::text like '%Martin%')"));
    }

    [Fact]
    public async Task Upload_ThatBreaks_LeavesNothingAndCanBeMadeAgain()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var file = TestFiles.Pdf(2_000_000);
        var header = Transfers.Header(mesure, file);
        using (var call = court.UploadAttachment(cancellationToken: Ct))
        {
            await call.RequestStream.WriteAsync(header, Ct);
            await call.RequestStream.WriteAsync(new() { Data = ByteString.CopyFrom(file.AsSpan(0, 1_000_000)) }, Ct);
            await Eventually.BecomesAsync(WritingAsync, n => n > 0, "the upload to be under way");
        }

        await Eventually.BecomesAsync(WritingAsync, n => n == 0, "the end of its transaction");
        Assert.Equal(0, await CountAsync($"select count(*) from attachments where organisation_id = '{mesure.JuridictionId}'"));
        var uploaded = await court.UploadAsync(header, file);
        Assert.Equal(8, await CountAsync($"select count(*) from attachment_chunks where attachment_id = '{uploaded.AttachmentId}'"));
        Assert.Equal(0, await CountAsync("select count(*) from attachment_chunks left join attachments using (attachment_id) where thread_id is null"));
    }

    [Theory]
    [InlineData("mesure_id,espace_id", "espace_id")]
    [InlineData("none", "mesure_id")]
    [InlineData("mesure", "mesure_id")]
    [InlineData("name", "file_name")]
    [InlineData("long name", "file_name")]
    [InlineData("size", "size_bytes")]
    [InlineData("too large", "size_bytes")]
    [InlineData("hash", "sha256")]
    [InlineData("request", "request_id")]
    [InlineData("other size", "size_bytes")]
    [InlineData("other hash", "sha256")]
    [InlineData("other content", "data")]
    public async Task Upload_OfSomethingWrong_NamesTheField(string what, string field)
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = what == "other content" ? TestFiles.Text("<html>") : TestFiles.Pdf();
        var header = Transfers.Header(mesure, file);
        _ = what switch
        {
            "mesure_id,espace_id" => header.EspaceId = mesure.Id.ToString(),
            "none" => header.MesureId = "",
            "mesure" => header.MesureId = "x",
            "name" => header.FileName = " ",
            "long name" => header.FileName = new string('x', 256),
            "hash" => (object)(header.Sha256 = ByteString.CopyFrom(1)),
            "request" => header.RequestId = "",
            "size" => header.SizeBytes = 0,
            "too large" => header.SizeBytes = FileLimits.MaxBytes + 1L,
            "other size" => header.SizeBytes++,
            "other hash" => header.Sha256 = ByteString.CopyFrom(SHA256.HashData([1])),
            _ => what,
        };

        var refusal = await Refusal.OfAsync(() => fixture.Court(mesure).UploadAsync(header, file));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID", field), (refusal.Code, refusal.Reason, Assert.Single(refusal.Fields)));
        Assert.Equal(0, await CountAsync($"select count(*) from attachments where organisation_id = '{mesure.JuridictionId}'"));
    }

    [Fact]
    public async Task Upload_OfABomb_IsRefused()
    {
        var mesure = await fixture.OpenThreadAsync();
        var bomb = TestFiles.Bomb(Domain.PackageInspection.MaxUnpacked + 1L, [10, 0, 0, 0]);

        var refusal = await Refusal.OfAsync(() => fixture.Court(mesure).UploadAsync(mesure, bomb, "planning.docx"));

        Assert.Equal((StatusCode.InvalidArgument, "data"), (refusal.Code, Assert.Single(refusal.Fields)));
        var document = TestFiles.Docx();
        Assert.Equal("planning.docx", (await fixture.Court(mesure).UploadAsync(mesure, document, "planning.docx")).FileName);
    }

    [Fact]
    public async Task Discard_OfAnOwnFile_RemovesItWhollyAndOnce()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var id = (await court.UploadAsync(mesure, TestFiles.Pdf(600_000))).AttachmentId;
        var request = new DiscardAttachmentRequest { AttachmentId = id, RequestId = TestMesure.NewId().ToString() };

        await court.DiscardAttachmentAsync(request, cancellationToken: Ct);
        await court.DiscardAttachmentAsync(request, cancellationToken: Ct);

        Assert.Equal(0, await CountAsync($"select (select count(*) from attachments where attachment_id = '{id}') + (select count(*) from attachment_chunks where attachment_id = '{id}')"));
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => court.DownloadAsync(id))).Code);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(court.DiscardAttachmentAsync(new() { AttachmentId = id, RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct))).Code);
    }

    [Fact]
    public async Task ListAttachments_ByPagesAndStates_ListsEachOnceLatestFirst()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Insert(0, (await court.UploadAsync(mesure, i == 2 ? TestFiles.Eicar : TestFiles.Pdf(seed: i))).AttachmentId);
        }

        foreach (var id in ids)
        {
            await AttachmentFixture.BecomesAsync(court, id, id == ids[2] ? AttachmentState.Refuse : AttachmentState.Sain);
        }

        var listed = new List<string>();
        var token = "";
        do
        {
            var page = await court.ListAttachmentsAsync(new() { MesureId = mesure.Id.ToString(), PageSize = 2, PageToken = token, States = { AttachmentState.Sain } }, cancellationToken: Ct);
            listed.AddRange(page.Attachments.Select(a => a.AttachmentId));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(ids.Where(id => id != ids[2]), listed);
        var first = await court.ListAttachmentsAsync(new() { MesureId = mesure.Id.ToString(), PageSize = 2 }, cancellationToken: Ct);
        var other = await Refusal.OfAsync(court.ListAttachmentsAsync(new() { MesureId = mesure.Id.ToString(), PageToken = first.NextPageToken, States = { AttachmentState.Sain } }, cancellationToken: Ct));
        Assert.Equal("PAGE_TOKEN_INVALID", other.Reason);
    }

    [Theory, MemberData(nameof(UnaryRpcs))]
    public async Task AnyRpc_EveryFieldWrong_NamesEachByItsPath(string name)
    {
        var rpc = AttachmentService.Descriptor.FindMethodByName(name);
        var role = AccessTable.BuiltIn.Grant($"/{rpc.Service.FullName}/{name}", Roles.Espace) == Tenancy.None ? Roles.Systeme : Roles.Espace;

        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(fixture.Host.Channel(role, TestMesure.NewId()), rpc, Rpcs.Wrong(rpc.InputType)));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(rpc.InputType, path), path));
        Assert.Empty(rpc.InputType.Fields.InDeclarationOrder()
            .Where(f => f.FieldType != FieldType.Bool && f.Name != "page_token" && !refusal.Fields.Any(path => path.Split('.', '[')[0] == f.Name)).Select(f => f.Name));
    }

    [Fact]
    public async Task EveryRpc_WithRandomRequests_AnswersWithAStatusOfTheContract()
    {
        var mesure = await fixture.OpenThreadAsync();
        var file = TestFiles.Pdf();
        var id = (await fixture.Court(mesure).UploadAsync(mesure, file)).AttachmentId;

        Assert.Empty(await Fuzz.FaultsAsync(
            new Dictionary<string, Grpc.Net.Client.GrpcChannel>
            {
                [Roles.Juridiction] = fixture.Host.Channel(Roles.Juridiction, mesure.JuridictionId),
                [Roles.Espace] = fixture.Host.Channel(Roles.Espace, mesure.GestionnaireId),
                [Roles.Systeme] = fixture.Host.Channel(Roles.Systeme, TestMesure.NewId()),
            },
            [AttachmentService.Descriptor], seed: 1, rounds: 60, _ => [mesure.Id.ToString(), id],
            (rpc, _) => rpc.Name == "UploadAttachment" ? new UploadAttachmentRequest(Transfers.Header(mesure, file)) { Data = ByteString.CopyFrom(file) } : null));

        var around = TestKeys.Ring.Seal([1], []).Length - 1;
        Assert.Equal(0, await CountAsync($"select count(*) from attachments a where size_bytes <> (select sum(length(data) - {around}) from attachment_chunks c where c.attachment_id = a.attachment_id) and state <> 'REFUSE'"));
    }

    internal static RecordVerdictRequest Verdict(string id, byte[] file, AttachmentState state, string finding = "") => new()
    {
        AttachmentId = id,
        Sha256 = ByteString.CopyFrom(SHA256.HashData(file)),
        Verdict = state,
        FindingCode = finding,
        RequestId = TestMesure.NewId().ToString(),
    };

    // Uploads whose transaction is open: their locks on the table of chunks.
    private Task<long> WritingAsync() => CountAsync("""
        select count(*) from pg_locks l join pg_class c on c.oid = l.relation
        where c.relname = 'attachment_chunks' and l.mode = 'RowExclusiveLock' and l.database = (select oid from pg_database where datname = current_database())
        """);

    private Task<long> CountAsync(string sql) => fixture.Database.ReadAsync<long>(sql);
}
