using System.Net;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Attachments;
using Jafer.Testing;
using Microsoft.Extensions.Options;

namespace Jafer.Messaging.Tests.Attachments;

public sealed class ClamdScannerTests
{
    private static readonly AttachmentOptions s_options = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("stream: OK", AttachmentState.Sain, "")]
    [InlineData("stream: Eicar-Test-Signature FOUND", AttachmentState.Refuse, "Eicar-Test-Signature")]
    [InlineData("stream: Win.Test.EICAR_HDB-1 FOUND", AttachmentState.Refuse, "Win.Test.EICAR_HDB-1")]
    [InlineData("stream: a rule of Jean FOUND", AttachmentState.Refuse, "a_rule_of_Jean")]
    [InlineData("stream: OK FOUND", AttachmentState.Refuse, "OK")]
    [InlineData("INSTREAM size limit exceeded. ERROR", AttachmentState.EchecAnalyse, "SCANNER_SIZE_LIMIT")]
    [InlineData("stream: Can't allocate memory ERROR", AttachmentState.EchecAnalyse, "SCANNER_ERROR")]
    [InlineData("UNKNOWN COMMAND", AttachmentState.EchecAnalyse, "SCANNER_ERROR")]
    [InlineData("other: OK", AttachmentState.EchecAnalyse, "SCANNER_ERROR")]
    [InlineData("stream: OK ", AttachmentState.EchecAnalyse, "SCANNER_ERROR")]
    [InlineData("", AttachmentState.EchecAnalyse, "NO_ANSWER")]
    public void Read_AnAnswer_IsAVerdict(string answer, AttachmentState state, string code) =>
        Assert.Equal(new Verdict(state, code), ClamdScanner.Read(answer));

    [Theory]
    [InlineData(Mood.Well, AttachmentState.Sain, "")]
    [InlineData(Mood.HangsUp, AttachmentState.EchecAnalyse, "")]
    [InlineData(Mood.SizeLimit, AttachmentState.EchecAnalyse, "")]
    [InlineData(Mood.Error, AttachmentState.EchecAnalyse, "SCANNER_ERROR")]
    [InlineData(Mood.CutAnswer, AttachmentState.EchecAnalyse, "SCANNER_ERROR")]
    public async Task ScanAsync_OverASocket_NeverClearsWhatWasNotLookedAt(Mood mood, AttachmentState state, string code)
    {
        await using var clamd = new FakeClamd { Mood = mood };
        var scanner = new ClamdScanner(Options.Create(s_options), TimeProvider.System);

        var verdict = await scanner.ScanAsync(ScannerOptions.Parse(clamd.Address)!, Pieces(20), Ct);

        Assert.Equal(state, verdict.State);
        Assert.True(code.Length == 0 || code == verdict.Code, verdict.Code);
    }

    [Fact]
    public async Task ScanAsync_ASilentScanner_IsGivenUpAfterTheLimit()
    {
        await using var clamd = new FakeClamd { Mood = Mood.Silent };
        var clock = new TestClock(new(2026, 11, 28, 9, 0, 0, TimeSpan.Zero));
        var scanner = new ClamdScanner(Options.Create(s_options), clock);

        var scanning = scanner.ScanAsync(ScannerOptions.Parse(clamd.Address)!, Pieces(2), Ct);
        clock.Advance(s_options.Scanner.Timeout + TimeSpan.FromSeconds(1));

        Assert.Equal(Verdict.Failed("TIMEOUT"), await scanning);
    }

    [Fact]
    public async Task ScanAsync_NobodyThere_IsAFailedCheck()
    {
        var port = ServiceProcess.FreePort();
        var scanner = new ClamdScanner(Options.Create(s_options), TimeProvider.System);

        Assert.Equal(Verdict.Failed("UNREACHABLE"), await scanner.ScanAsync(new DnsEndPoint("127.0.0.1", port), Pieces(1), Ct));
    }

    [Theory]
    [InlineData("clamav:3310", true)]
    [InlineData("[::1]:3310", true)]
    [InlineData("unix:/run/clamav/clamd.ctl", true)]
    [InlineData("clamav", false)]
    [InlineData("clamav:0", false)]
    [InlineData(":3310", false)]
    [InlineData("http://clamav", false)]
    public void Parse_AnAddress_IsOneOrNone(string address, bool isOne) => Assert.Equal(isOne, ScannerOptions.Parse(address) is not null);

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return new byte[256 * 1024];
        }
    }
}
