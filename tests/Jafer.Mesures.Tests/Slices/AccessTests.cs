using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Who may touch a mesure.</summary>
public sealed class AccessTests(MesuresFixture jafer)
{
    public static TheoryData<string> Acts => new(MesureService.Descriptor.Methods.Select(m => m.Name).Where(n => n is not ("CreateMesure" or "ListMesures")));

    [Theory]
    [MemberData(nameof(Acts))]
    public async Task AnyRpc_MesureOfAnotherOrMissing_IsRefusedAlike(string rpc)
    {
        var theirs = await jafer.MesureInAsync(MesureState.Transmise);
        foreach (var client in new[] { jafer.AsOtherCourt, jafer.AsOtherEspace })
        {
            var refused = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, theirs));
            var missing = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, NewId()));

            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refused.Code, refused.Reason));
            Assert.Equal((refused.Code, refused.Reason, refused.Message), (missing.Code, missing.Reason, missing.Message));
        }
    }

    public static TheoryData<string> OfRencontres => new(RencontreService.Descriptor.Methods.Select(m => m.Name).Where(n => n != "ListFreeSlots"));

    [Theory]
    [MemberData(nameof(OfRencontres))]
    public async Task AnyRpcOfRencontres_OfAnotherOrMissing_IsRefusedAlike(string rpc)
    {
        var theirs = await jafer.MesureInAsync(MesureState.Programmee);
        var client = new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", OtherGestionnaire));
        var refused = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, theirs));
        var missing = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, NewId()));

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refused.Code, refused.Reason));
        Assert.Equal((refused.Code, refused.Reason, refused.Message), (missing.Code, missing.Reason, missing.Message));
        var court = new RencontreService.RencontreServiceClient(jafer.First.Channel("juridiction", OtherCourt));
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => Requests.CallAsync(court, rpc, theirs))).Code);
    }

    [Theory]
    [MemberData(nameof(Acts))]
    public async Task AnyRpc_MissingForgedOrExpiredToken_IsUnauthenticated(string rpc)
    {
        var expired = TestIssuer.Shared.Token("juridiction", Court, expires: TimeProvider.System.GetUtcNow().AddMinutes(-5));
        foreach (var (token, reason) in new (string?, string)[]
        {
            (null, "TOKEN_MISSING"), ("x.y.z", "TOKEN_INVALID"), (expired, "TOKEN_INVALID"),
            (TestIssuer.Shared.Token("juridiction", Court, audience: "other"), "TOKEN_INVALID"),
            (TestIssuer.Shared.Token("juridiction", null), "TOKEN_INVALID"),
        })
        {
            var client = new MesureService.MesureServiceClient(jafer.First.Channel(token));
            var refusal = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, NewId()));
            Assert.Equal((StatusCode.Unauthenticated, reason), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [InlineData("statisticien", "CALLER_FORBIDDEN")]
    [InlineData("operateur", "CALLER_FORBIDDEN")]
    [InlineData("prefecture", "CALLER_FORBIDDEN")]
    [InlineData("unheard-of", "TOKEN_INVALID")]
    [InlineData("Juridiction", "TOKEN_INVALID")]
    public async Task GetMesure_RoleWithoutGrant_IsRefused(string role, string reason)
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var client = new MesureService.MesureServiceClient(jafer.First.Channel(role, Court));

        var refusal = await Refusal.OfAsync(client.GetMesureAsync(new GetMesureRequest { MesureId = id }));

        Assert.Equal(reason, refusal.Reason);
    }

    [Fact]
    public async Task GetMesure_EspaceBeforeTransmission_SeesNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = id }))).Code);
        Assert.DoesNotContain((await jafer.AsEspace.ListMesuresAsync(new ListMesuresRequest { PageSize = 200 })).Mesures, m => m.MesureId == id);
    }

    [Fact]
    public async Task TransmitMesure_ByTheEspace_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(jafer.AsEspace.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() }))).Code);
    }
}
