using Grpc.Core;
using Jafer.Contracts.Journal.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Notifications.Tests;

/// <summary>Who was told of a mesure, and who asked, as its holders are told.</summary>
public sealed class JournalTests(NotificationsFixture fixture)
{
    [Fact]
    public async Task ListAccesses_OfAMesure_IsForItsHoldersAlone()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted());

        var accesses = (await Client(mesure.JuridictionId).ListAccessesAsync(new() { MesureId = mesure.Id.ToString() })).Accesses;
        var stranger = await Refusal.OfAsync(Client(TestMesure.NewId()).ListAccessesAsync(new() { MesureId = mesure.Id.ToString() }));

        Assert.Contains(accesses, a => a is { Kind: AccessKind.Write, Role: Roles.Systeme, Rpc: "mesure.mesure-transmitted.v1", Outcome: "OK" });
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (stranger.Code, stranger.Reason));
    }

    private JournalService.JournalServiceClient Client(Guid court) => new(fixture.Host.Channel(Roles.Juridiction, court));
}
