using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class EspaceThreadTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostMessage_ToAnEspace_OpensTheThreadBetweenGestionnaireAndOperator()
    {
        var espace = await fixture.KnownEspaceAsync();
        var gestionnaire = fixture.Espace(espace);
        var get = new GetThreadRequest { EspaceId = espace.EspaceId.ToString() };
        var before = (await gestionnaire.GetThreadAsync(get, cancellationToken: Ct)).Thread;
        Assert.Equal((0L, null, 0), (before.MessageCount, before.LastMessageTime, before.HeadHash.Length));

        var posted = await gestionnaire.PostMessageAsync(Messages.PostToEspace(espace.EspaceId, "L'import échoue."), cancellationToken: Ct);
        await fixture.Operator.PostMessageAsync(Messages.PostToEspace(espace.EspaceId, "Nous regardons."), cancellationToken: Ct);

        var thread = (await fixture.Operator.GetThreadAsync(get, cancellationToken: Ct)).Thread;
        Assert.Equal(
            (ThreadKind.Espace, "", espace.EspaceId.ToString(), espace.GestionnaireId.ToString(), MessagingFixture.OperatorId.ToString(), 2L, 1L),
            (thread.Kind, thread.MesureId, thread.EspaceId, thread.GestionnaireId, thread.OperateurId, thread.MessageCount, thread.UnreadCount));
        var messages = (await gestionnaire.ListMessagesAsync(new ListMessagesRequest { EspaceId = espace.EspaceId.ToString() }, cancellationToken: Ct)).Messages;
        Assert.Equal([AuthorKind.Espace, AuthorKind.Operateur], messages.Select(m => m.AuthorKind));
        Assert.All(messages, m => Assert.Equal(("", espace.EspaceId.ToString()), (m.MesureId, m.EspaceId)));
        Assert.Equal((posted.MessageId, posted.Hash), (messages[0].MessageId, messages[0].Hash));
        Assert.Contains(espace.EspaceId.ToString(), (await fixture.Operator.ListThreadsAsync(new ListThreadsRequest { Kind = ThreadKind.Espace }, cancellationToken: Ct)).Threads.Select(t => t.EspaceId));
    }

    [Fact]
    public async Task PostMessage_ToAnothersEspaceOrAnUnknownOne_IsRefusedAlike()
    {
        var espace = await fixture.KnownEspaceAsync();

        foreach (var (client, id) in new[]
        {
            (fixture.Client("espace", TestMesure.NewId()), espace.EspaceId), (fixture.Client("espace", TestMesure.NewId()), TestMesure.NewId()),
            (fixture.Client("juridiction", TestMesure.NewId()), espace.EspaceId), (fixture.Client("operateur", TestMesure.NewId()), espace.EspaceId),
            (fixture.Operator, TestMesure.NewId()),
        })
        {
            var refusal = await Refusal.OfAsync(client.PostMessageAsync(Messages.PostToEspace(id, "?"), cancellationToken: Ct));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from threads where thread_id = '{espace.EspaceId}'"));
    }

    [Fact]
    public async Task Operator_OnTheThreadOfAMesure_IsRefused()
    {
        var mesure = await fixture.OpenThreadAsync();

        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => fixture.Operator.SayAsync(mesure, "?"))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => fixture.Operator.ThreadAsync(mesure))).Reason);
    }

    [Fact]
    public async Task Operator_OfATerritory_SpeaksForTheOperatorInTheThreadsOfItsEspaces()
    {
        var (espace, other) = (await fixture.KnownEspaceAsync(), await fixture.KnownEspaceAsync());
        var mesure = await fixture.OpenThreadAsync();
        var organisations = new TestOrganisations();
        var lyon = organisations.Add(["69"], [], [espace.EspaceId, mesure.EspaceId]);
        await using var host = await fixture.StartReplicaAsync(organisations);
        var client = new MessagingService.MessagingServiceClient(host.Channel("operateur", lyon));
        await fixture.Espace(espace).PostMessageAsync(Messages.PostToEspace(espace.EspaceId, "question"), cancellationToken: Ct);
        await fixture.Espace(other).PostMessageAsync(Messages.PostToEspace(other.EspaceId, "ailleurs"), cancellationToken: Ct);

        Assert.Equal([espace.EspaceId.ToString()], (await client.ListThreadsAsync(new ListThreadsRequest(), cancellationToken: Ct)).Threads.Select(t => t.EspaceId));
        Assert.Equal(["question"], (await client.ListMessagesAsync(new ListMessagesRequest(), cancellationToken: Ct)).Messages.Select(m => m.Body));
        await client.PostMessageAsync(Messages.PostToEspace(espace.EspaceId, "réponse"), cancellationToken: Ct);

        var read = (await fixture.Espace(espace).ListMessagesAsync(new ListMessagesRequest { EspaceId = espace.EspaceId.ToString() }, cancellationToken: Ct)).Messages;
        Assert.Equal((AuthorKind.Operateur, lyon.ToString()), (read[^1].AuthorKind, read[^1].AuthorOrganisationId));
        // Not of a mesure, though its espace lies there.
        foreach (var request in new[] { new GetThreadRequest { EspaceId = other.EspaceId.ToString() }, new GetThreadRequest { MesureId = mesure.Id.ToString() } })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(client.GetThreadAsync(request, cancellationToken: Ct))).Reason);
        }
    }

    [Fact]
    public async Task FirstMessages_AtTheSameTime_OpenOneThread()
    {
        var espace = await fixture.KnownEspaceAsync();

        var posted = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
            await (i % 2 == 0 ? fixture.Operator : fixture.Espace(espace)).PostMessageAsync(Messages.PostToEspace(espace.EspaceId, $"{i}"), cancellationToken: Ct)));

        Assert.Equal(Enumerable.Range(1, 12).Select(p => (long)p), posted.Select(p => p.Position).Order());
    }

    [Fact]
    public async Task Thread_OfAnEspaceThatChangesItsGestionnaire_GoesWithIt()
    {
        var espace = await fixture.KnownEspaceAsync();
        await fixture.Espace(espace).PostMessageAsync(Messages.PostToEspace(espace.EspaceId, "avant"), cancellationToken: Ct);
        await fixture.Espace(espace).AssignParticipantAsync(
            new AssignParticipantRequest { EspaceId = espace.EspaceId.ToString(), ContactId = "ancien", Role = ParticipantRole.Responsable, RequestId = TestMesure.NewId().ToString() },
            cancellationToken: Ct);
        var next = TestMesure.NewId();

        await fixture.PublishAsync(TestEspace.Published(espace.EspaceId, next, version: 2));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<Guid>($"select gestionnaire_id from threads where thread_id = '{espace.EspaceId}'"), id => id == next, "the new gestionnaire");

        var get = new GetThreadRequest { EspaceId = espace.EspaceId.ToString() };
        Assert.Equal(1, (await fixture.Client("espace", next).GetThreadAsync(get, cancellationToken: Ct)).Thread.MessageCount);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(fixture.Espace(espace).GetThreadAsync(get, cancellationToken: Ct))).Reason);

        // Whom the former one had named goes with it, also out of what is exported.
        using var export = fixture.Client("espace", next).GetThreadExport(
            new GetThreadExportRequest { EspaceId = espace.EspaceId.ToString(), Format = ExportFormat.Json }, cancellationToken: Ct);
        var json = string.Concat(await export.ResponseStream.ReadAllAsync(Ct).Select(r => r.Data.ToStringUtf8()).ToListAsync(Ct));
        Assert.Contains("avant", json, StringComparison.Ordinal);
        Assert.DoesNotContain("ancien", json, StringComparison.Ordinal);
    }
}
