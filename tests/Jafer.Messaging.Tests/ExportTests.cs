using System.Diagnostics;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Cli;
using Jafer.Cli.Threads;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class ExportTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Export_AsJson_HoldsTheWholeThread()
    {
        var mesure = await ConversationAsync();

        var file = await fixture.Court(mesure).FileAsync(mesure);

        Assert.Equal((ThreadExport.CurrentFormat, "MESURE", mesure.Id.ToString(), 4L), (file.Format, file.Thread.Kind, file.Thread.ThreadId, file.Thread.MessageCount));
        Assert.Equal("greffe-1", Assert.Single(file.Participants).ContactId);
        Assert.Equal(("anne", "MET", "anne"), (file.Messages[1].Receipts!.Single().PersonId, file.Messages[1].Expectations!.Single().State, file.Messages[1].Expectations!.Single().ClosedByPersonId));
        Assert.Equal(file.Messages[1].MessageId, file.Messages[2].AnswersMessageId);
        Assert.Equal(("INCIDENT", "DIFFICULTE", "OPEN"), (file.Messages[3].TemplateCode, file.Messages[3].Kind, file.Messages[3].Expectations!.Single().State));
        Assert.True(ThreadCheck.Offline(file).Whole);
        Assert.Equal(mesure.JuridictionId, await fixture.Database.ReadAsync<Guid>(
            $"select organisation_id from journal.entries where 'mesures/{mesure.Id}' = any(resources) and rpc = '/jafer.messaging.v1.MessagingService/GetThreadExport'"));
    }

    [Fact]
    public async Task Export_AsHtml_IsAPageWithoutScriptThatEncodesWhatWasWritten()
    {
        var mesure = await ConversationAsync();
        await fixture.Court(mesure).SayAsync(mesure, "<script>alert(1)</script>");

        var html = Encoding.UTF8.GetString(await fixture.Espace(mesure).ExportAsync(mesure, ExportFormat.Html));

        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower((await fixture.Court(mesure).ThreadAsync(mesure)).HeadHash.Span), html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_AsHtmlInABrowser_HasNoViolation()
    {
        var mesure = await ConversationAsync();
        var empty = await fixture.KnownEspaceAsync();
        var folder = Directory.CreateTempSubdirectory("jafer-threads-");
        try
        {
            var page = Path.Combine(folder.FullName, "thread.html");
            await File.WriteAllBytesAsync(page, await fixture.Court(mesure).ExportAsync(mesure, ExportFormat.Html), Ct);
            var nothing = Path.Combine(folder.FullName, "empty.html");
            using var call = fixture.Operator.GetThreadExport(new GetThreadExportRequest { EspaceId = empty.EspaceId.ToString(), Format = ExportFormat.Html }, cancellationToken: Ct);
            await call.ResponseStream.MoveNext(Ct);
            await call.ResponseStream.MoveNext(Ct);
            await File.WriteAllBytesAsync(nothing, call.ResponseStream.Current.Data.ToByteArray(), Ct);

            var start = new ProcessStartInfo("node", [Path.Combine("eng", "accessibility.mjs"), page, nothing]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root() };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(Ct);
            var error = process.StandardError.ReadToEndAsync(Ct);
            await process.WaitForExitAsync(Ct);

            Assert.True(process.ExitCode == 0, await output + await error);
            Assert.Contains("2 pages", await output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Export_ReadByAForeignClient_IsVerifiedWithoutAnythingOfJafers()
    {
        var mesure = await ConversationAsync();
        var json = Encoding.UTF8.GetString(await fixture.Court(mesure).ExportAsync(mesure, ExportFormat.Json));

        Assert.Equal("None", await VerifyAsync(json));
        Assert.Equal("3", await VerifyAsync(json.Replace("Deux rencontres", "Trois rencontres", StringComparison.Ordinal)));
        Assert.Equal("2", await VerifyAsync(json.Replace("\"authorKind\": \"JURIDICTION\"", "\"authorKind\": \"ESPACE\"", StringComparison.Ordinal)));

        static async Task<string> VerifyAsync(string json)
        {
            // Its connection is left out: it needs a running system.
            const string Program = "import json, sys, types; sys.modules['espace'] = types.SimpleNamespace(client_id='', begin=0, call=0, code=0, metadata=0, report=0, rpc=0); "
                + "sys.path.insert(0, 'clients/python'); import conversation; print(conversation.verify(json.load(sys.stdin)))";
            var start = new ProcessStartInfo("python3", ["-B", "-c", Program]) { RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false), WorkingDirectory = Root() };
            start.Environment["PYTHONIOENCODING"] = "utf-8";
            using var process = Process.Start(start)!;
            await process.StandardInput.WriteAsync(json);
            process.StandardInput.Close();
            var output = await process.StandardOutput.ReadToEndAsync(Ct);
            await process.WaitForExitAsync(Ct);
            return output.Trim();
        }
    }

    [Fact]
    public async Task Export_WithBadInputOrForAnother_IsRefused()
    {
        var mesure = await fixture.OpenThreadAsync();

        var bad = await Refusal.OfAsync(() => OpenAsync(fixture.Court(mesure), new GetThreadExportRequest()));
        Assert.Equal((StatusCode.InvalidArgument, "mesure_id,format"), (bad.Code, string.Join(',', bad.Fields)));
        var stranger = await Refusal.OfAsync(() => fixture.Client("espace", TestMesure.NewId()).ExportAsync(mesure, ExportFormat.Json));
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (stranger.Code, stranger.Reason));
    }

    [Fact]
    public async Task ReadAsync_OfAFileOfNoThread_SaysSoWithoutItsContent()
    {
        var file = Path.GetTempFileName();
        try
        {
            foreach (var text in new[] { "", "zizanie", "[]", "{\"format\":\"jafer-thread-export-1\"}", "{\"format\":null}" })
            {
                await File.WriteAllTextAsync(file, text, Ct);
                var fault = await Assert.ThrowsAsync<UsageException>(() => ThreadCheck.ReadAsync(file, Ct));
                Assert.DoesNotContain("zizanie", fault.Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task OpenAsync(MessagingService.MessagingServiceClient client, GetThreadExportRequest request)
    {
        using var call = client.GetThreadExport(request, cancellationToken: Ct);
        await call.ResponseStream.MoveNext(Ct);
    }

    /// <summary>A question that was answered, and something urgent that waits.</summary>
    private async Task<TestMesure> ConversationAsync()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, anne) = (fixture.Court(mesure), fixture.Person(Roles.Espace, mesure.GestionnaireId, "anne"));
        await court.AssignParticipantAsync(Messages.Assign(mesure, "greffe-1"), cancellationToken: Ct);
        var question = await court.SayAsync(mesure, "Où en est la mesure ?", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(1)));
        await anne.MarkThreadReadAsync(Messages.Read(mesure, question.MessageId), cancellationToken: Ct);
        await anne.SayAsync(mesure, "Deux rencontres tenues.\n\nLa prochaine est le 12.", r => r.AnswersMessageId = question.MessageId);
        await anne.SayAsync(mesure, "Un incident est survenu.", r => { r.Kind = MessageKind.Difficulte; r.TemplateCode = "INCIDENT"; r.TemplateVersion = 1; });
        return mesure;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Jafer.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Jafer.sln is above no folder of this test");
        }

        return folder.FullName;
    }
}
