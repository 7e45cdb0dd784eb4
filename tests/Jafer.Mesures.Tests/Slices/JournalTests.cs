using Grpc.Core;
using Jafer.Contracts.Journal.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Who opened a mesure, as its holders and the operator are told.</summary>
public sealed class JournalTests(MesuresFixture jafer)
{
    private readonly JournalService.JournalServiceClient _court = new(jafer.First.Channel("juridiction", Court));
    private readonly JournalService.JournalServiceClient _operator = new(jafer.First.Channel("operateur", StableIds.For("operator")));

    [Fact]
    public async Task ListAccesses_ByAHolder_NamesTheOwnPeopleAndOthersByRoleAlone()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await jafer.AsCourt.GetMesureAsync(new() { MesureId = id }, new Metadata { { "jafer-purpose", "AUDIENCE" } });
        await jafer.AsEspace.GetMesureAsync(new() { MesureId = id });
        await Refusal.OfAsync(jafer.AsOtherCourt.GetMesureAsync(new() { MesureId = id }));

        var accesses = (await _court.ListAccessesAsync(new() { MesureId = id })).Accesses;

        Assert.Equal(accesses.Select(a => a.AccessTime.ToDateTimeOffset()).OrderDescending(), accesses.Select(a => a.AccessTime.ToDateTimeOffset()));
        var reads = accesses.Where(a => a.Rpc == "jafer.mesure.v1.MesureService/GetMesure").ToList();
        Assert.Equal(
            [("juridiction", OtherCourt.ToString(), "", "", "DENIED"), ("espace", Gestionnaire.ToString(), "", "", "OK"), ("juridiction", Court.ToString(), $"juridiction.{Court}", "AUDIENCE", "OK")],
            reads.Select(a => (a.Role, a.OrganisationId, a.Subject, a.Purpose, a.Outcome)));
        Assert.All(reads, a => Assert.Equal(AccessKind.Read, a.Kind));
        Assert.Contains(accesses, a => a is { Kind: AccessKind.Write, Role: "juridiction", Outcome: "OK" } && a.Rpc.EndsWith("/TransmitMesure", StringComparison.Ordinal));
        Assert.Contains(accesses, a => a is { Kind: AccessKind.Write, Role: "systeme", OrganisationId: "", Rpc: "retrieval" });
        Assert.Contains((await _court.ListAccessesAsync(new() { MesureId = id })).Accesses, a => a.Rpc == "jafer.journal.v1.JournalService/ListAccesses");
    }

    [Fact]
    public async Task ListAccesses_PageByPage_GivesEachLineOnce()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        for (var i = 0; i < 5; i++)
        {
            await jafer.AsCourt.GetMesureAsync(new() { MesureId = id });
        }

        var first = await _operator.ListAccessesAsync(new() { MesureId = id, PageSize = 500 });
        var request = new ListAccessesRequest { MesureId = id, PageSize = 2, FromTime = first.Accesses[^1].AccessTime };
        var lines = new List<Access>();
        do
        {
            var page = await _operator.ListAccessesAsync(request);
            lines.AddRange(page.Accesses);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(first.Accesses.Where(Reads), lines.Where(Reads));
        Assert.All(lines, l => Assert.Equal("", l.Role == "operateur" ? "" : l.Subject));

        static bool Reads(Access access) => access.Rpc.EndsWith("/GetMesure", StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListAccesses_WhoMayNotOrAsksBadly_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var other = new JournalService.JournalServiceClient(jafer.First.Channel("juridiction", OtherCourt));

        var stranger = await Refusal.OfAsync(other.ListAccessesAsync(new() { MesureId = id }));
        var unknown = await Refusal.OfAsync(_court.ListAccessesAsync(new() { MesureId = NewId() }));
        var bad = await Refusal.OfAsync(_court.ListAccessesAsync(new() { MesureId = "x", PageSize = -1, FromTime = new() { Seconds = long.MaxValue } }));
        var token = await Refusal.OfAsync(_court.ListAccessesAsync(new() { MesureId = id, PageToken = "x" }));

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (stranger.Code, stranger.Reason));
        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (unknown.Code, unknown.Reason));
        Assert.Equal(["from_time", "mesure_id", "page_size"], bad.Fields.Order(StringComparer.Ordinal));
        Assert.Equal("PAGE_TOKEN_INVALID", token.Reason);
        Assert.Empty((await _operator.ListAccessesAsync(new() { MesureId = NewId() })).Accesses);
    }

    [Fact]
    public async Task ListMesures_Read_NamesEachMesureOfThePage()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        // The other tests' mesures of the same court may fill more than one page; each page has its own line.
        var request = new ListMesuresRequest { UpdatedSinceTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddSeconds(-20)), PageSize = 200 };
        ListMesuresResponse page;
        do
        {
            page = await jafer.AsCourt.ListMesuresAsync(request);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0 && page.Mesures.All(m => m.MesureId != id));

        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from journal.entries where 'mesures/{id}' = any(resources) and rpc like '%/ListMesures'"));
    }
}
