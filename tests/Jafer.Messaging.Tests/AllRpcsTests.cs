using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

/// <summary>What holds for each rpc, found by its descriptor: one that is added is tested here without a line.</summary>
public sealed class AllRpcsTests(MessagingFixture fixture)
{
    public static TheoryData<string> All => [.. MessagingService.Descriptor.Methods.Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Rpc_WithEveryFieldWrong_NamesFieldsOfItsRequest(string name)
    {
        var rpc = MessagingService.Descriptor.FindMethodByName(name);
        foreach (var request in new[] { Rpcs.Wrong(rpc.InputType), Rpcs.Empty(rpc) })
        {
            var refusal = await Refusal.OrNullAsync(() => Rpcs.ExchangeAsync(fixture.Host.Channel("juridiction", TestMesure.NewId()), rpc, [request.ToByteArray()]));

            // Lists without arguments are requests.
            if (refusal is null)
            {
                Assert.StartsWith("List", name, StringComparison.Ordinal);
                Assert.Equal(0, request.CalculateSize());
                continue;
            }

            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
            Assert.NotEmpty(refusal.Fields);
            Assert.All(refusal.Fields, f => Assert.True(Rpcs.Leads(rpc.InputType, f), $"{f} is no field of {rpc.InputType.Name}"));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Rpc_ThatChangesSomething_GivesTheFirstAnswerToARepetition(string name)
    {
        var rpc = MessagingService.Descriptor.FindMethodByName(name);
        if (rpc.InputType.FindFieldByName("request_id") is null)
        {
            return;
        }

        var (former, mesure) = (await fixture.OpenThreadAsync(), TestMesure.Create());
        mesure = new TestMesure(former.JuridictionId, mesure.GestionnaireId);
        await fixture.PublishAsync(mesure.Transmitted() with { PredecessorMesureId = former.Id });
        await fixture.EntriesAsync(mesure, 1);
        var own = await fixture.Court(mesure).SayAsync(mesure, "?", r => r.AnswerDueTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(1)));
        var theirs = await fixture.Espace(mesure).SayAsync(mesure, "!", r => r.Kind = MessageKind.Danger);
        var old = await fixture.Court(former).SayAsync(former, "ancien");
        IMessage request = name switch
        {
            "PostMessage" => Messages.Post(mesure, "un"),
            "MarkThreadRead" => Messages.Read(mesure, theirs.MessageId),
            "AcknowledgeMessage" => Messages.Acknowledge(mesure, theirs.MessageId),
            "WithdrawQuestion" => Messages.Withdraw(mesure, own.MessageId),
            "AssignParticipant" => Messages.Assign(mesure, "greffe"),
            "RemoveParticipant" => Messages.Remove(mesure, "greffe"),
            "HandOverMessages" => Messages.HandOver(former, mesure, old.MessageId),
            _ => throw new InvalidOperationException($"{name} has no request here"),
        };
        var channel = fixture.Host.Channel("juridiction", mesure.JuridictionId);

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Rpcs.CallAsync(channel, rpc, request)));

        Assert.Single(answers.Distinct());
        Assert.Equal(answers[0], await Rpcs.CallAsync(channel, rpc, request));
        Assert.Equal(1L, await fixture.Database.ReadAsync<long>(
            $"select count(*) from journal.entries where rpc = '/jafer.messaging.v1.MessagingService/{name}' and organisation_id = '{mesure.JuridictionId}' and 'threads/{mesure.Id}' = any(resources) and is_write and at >= (select max(created_at) from messages where message_id = '{theirs.MessageId}')"));
        var reused = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        var id = reused.Descriptor.FindFieldByName("message_id") ?? reused.Descriptor.FindFieldByName("body") ?? reused.Descriptor.FindFieldByName("contact_id");
        if (id is not null)
        {
            id.Accessor.SetValue(reused, TestMesure.NewId().ToString());
            Assert.Equal("REQUEST_ID_REUSED", (await Refusal.OfAsync(() => Rpcs.CallAsync(channel, rpc, reused))).Reason);
        }
    }

    [Fact]
    public async Task Rpcs_WithRandomBytesAndMessages_AnswerAsTheContractSays()
    {
        var mesure = await fixture.OpenThreadAsync();
        var posted = await fixture.Court(mesure).SayAsync(mesure, "un", r => r.Kind = MessageKind.Danger);

        Assert.Empty(await Fuzz.FaultsAsync(
            [fixture.Court(mesure), fixture.Espace(mesure), fixture.Operator], MessagingService.Descriptor, 7, 60,
            [mesure.Id.ToString(), posted.MessageId, mesure.EspaceId.ToString(), "INCIDENT"]));
    }
}
