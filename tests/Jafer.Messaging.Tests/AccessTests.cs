using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class AccessTests(MessagingFixture fixture)
{
    private static readonly Dictionary<string, Func<MessagingService.MessagingServiceClient, TestMesure, Task>> s_rpcs = new()
    {
        ["PostMessage"] = (c, m) => c.PostMessageAsync(Messages.Post(m, "bonjour")).ResponseAsync,
        ["ListMessages"] = (c, m) => c.ListMessagesAsync(new ListMessagesRequest { MesureId = m.Id.ToString() }).ResponseAsync,
        ["GetThread"] = (c, m) => c.GetThreadAsync(new GetThreadRequest { MesureId = m.Id.ToString() }).ResponseAsync,
        ["MarkThreadRead"] = (c, m) => c.MarkThreadReadAsync(Messages.Read(m, TestMesure.NewId().ToString())).ResponseAsync,
        ["ListThreads"] = (c, _) => c.ListThreadsAsync(new ListThreadsRequest()).ResponseAsync,
        ["AcknowledgeMessage"] = (c, m) => c.AcknowledgeMessageAsync(Messages.Acknowledge(m, TestMesure.NewId().ToString())).ResponseAsync,
        ["WithdrawQuestion"] = (c, m) => c.WithdrawQuestionAsync(Messages.Withdraw(m, TestMesure.NewId().ToString())).ResponseAsync,
        ["AssignParticipant"] = (c, m) => c.AssignParticipantAsync(Messages.Assign(m, "greffe-1")).ResponseAsync,
        ["RemoveParticipant"] = (c, m) => c.RemoveParticipantAsync(Messages.Remove(m, "greffe-1")).ResponseAsync,
        ["ListParticipants"] = (c, m) => c.ListParticipantsAsync(new ListParticipantsRequest { MesureId = m.Id.ToString() }).ResponseAsync,
        ["ListTemplates"] = (c, _) => c.ListTemplatesAsync(new ListTemplatesRequest()).ResponseAsync,
        ["GetThreadExport"] = (c, m) => c.ExportAsync(m, ExportFormat.Json),
        ["CheckThreadExport"] = (c, m) => c.CheckThreadExportAsync(new CheckThreadExportRequest { MesureId = m.Id.ToString(), Sha256 = Google.Protobuf.ByteString.CopyFrom(new byte[32]) }).ResponseAsync,
        ["HandOverMessages"] = (c, m) => c.HandOverMessagesAsync(Messages.HandOver(m, m, TestMesure.NewId().ToString())).ResponseAsync,
    };

    public static TheoryData<string> Rpcs => [.. s_rpcs.Keys];

    public static TheoryData<string> RpcsOfOneThread => [.. s_rpcs.Keys.Where(r => r is not ("ListThreads" or "ListTemplates"))];

    [Fact]
    public void Rpcs_OfTheService_AreAllCalledHere() =>
        Assert.Equal(MessagingService.Descriptor.Methods.Select(m => m.Name).Order(StringComparer.Ordinal), s_rpcs.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Call_WithoutAValidToken_IsUnauthenticated(string rpc)
    {
        var mesure = TestMesure.Create();
        var expired = TestIssuer.Shared.Token("juridiction", mesure.JuridictionId, expires: TimeProvider.System.GetUtcNow().AddMinutes(-5));
        var foreign = TestIssuer.Shared.Token("juridiction", mesure.JuridictionId, audience: "autre");

        foreach (var (token, reason) in new[] { (null, "TOKEN_MISSING"), (expired, "TOKEN_INVALID"), (foreign, "TOKEN_INVALID"), ("abc", "TOKEN_INVALID") })
        {
            var refusal = await Refusal.OfAsync(() => s_rpcs[rpc](new MessagingService.MessagingServiceClient(fixture.Host.Channel(token)), mesure));
            Assert.Equal((StatusCode.Unauthenticated, reason), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task Call_OfARoleWithoutGrant_IsRefused(string rpc)
    {
        var mesure = await fixture.OpenThreadAsync();

        foreach (var role in new[] { "statisticien", "systeme", "prefecture" }.Where(r => rpc != "ListParticipants" || r != "systeme"))
        {
            var refusal = await Refusal.OfAsync(() => s_rpcs[rpc](fixture.Client(role, mesure.JuridictionId), mesure));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [MemberData(nameof(RpcsOfOneThread))]
    public async Task Call_ForAnothersThreadOrNone_GetsTheSameAnswer(string rpc)
    {
        // Which no espace may call at all, no court may for another's.
        var stranger = fixture.Client(rpc == "HandOverMessages" ? "juridiction" : "espace", TestMesure.NewId());

        var anothers = await Refusal.OfAsync(async () => await s_rpcs[rpc](stranger, await fixture.OpenThreadAsync()));
        var none = await Refusal.OfAsync(() => s_rpcs[rpc](stranger, TestMesure.Create()));

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (anothers.Code, anothers.Reason));
        Assert.Equal(none, anothers with { Metadata = none.Metadata, Fields = none.Fields, Rules = none.Rules });
        Assert.Equal((none.Metadata.Count, none.Fields.Count, none.Rules.Count), (anothers.Metadata.Count, anothers.Fields.Count, anothers.Rules.Count));
    }
}
