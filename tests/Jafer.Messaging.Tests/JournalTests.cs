using Grpc.Core;
using Jafer.Contracts.Journal.V1;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

/// <summary>Who opened the thread of a mesure, as its holders are told.</summary>
public sealed class JournalTests(MessagingFixture fixture)
{
    [Fact]
    public async Task ListAccesses_OfAThread_TellsWhoReadWhoWroteAndWhatAServiceDid()
    {
        var (mesure, stranger) = (await fixture.OpenThreadAsync(), await fixture.OpenThreadAsync());
        await fixture.Court(mesure).SayAsync(mesure, "zizanie");
        await fixture.Espace(mesure).AllMessagesAsync(mesure);
        await Refusal.OfAsync(fixture.Court(stranger).GetThreadAsync(new GetThreadRequest { MesureId = mesure.Id.ToString() }));

        var accesses = (await Client(Roles.Espace, mesure.GestionnaireId).ListAccessesAsync(new() { MesureId = mesure.Id.ToString() })).Accesses;
        var refusal = await Refusal.OfAsync(Client(Roles.Juridiction, stranger.JuridictionId).ListAccessesAsync(new() { MesureId = mesure.Id.ToString() }));

        Assert.Contains(accesses, a => a is { Kind: AccessKind.Read, Role: Roles.Espace, Subject.Length: > 0 } && a.Rpc.EndsWith("/ListMessages", StringComparison.Ordinal));
        Assert.Contains(accesses, a => a is { Kind: AccessKind.Write, Role: Roles.Juridiction, Subject: "" } && a.Rpc.EndsWith("/PostMessage", StringComparison.Ordinal));
        Assert.Contains(accesses, a => a is { Outcome: "DENIED", Subject: "" } && a.OrganisationId == stranger.JuridictionId.ToString());
        Assert.Contains(accesses, a => a is { Kind: AccessKind.Write, Role: Roles.Systeme, OrganisationId: "", Rpc: "mesure.mesure-transmitted.v1" });
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
    }

    private JournalService.JournalServiceClient Client(string role, Guid organisation) => new(fixture.Host.Channel(role, organisation));
}
