using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Secrets;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Columns are sealed under the key that seals, whatever they were before.</summary>
public sealed class SealingTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private const string KeyIds = """
        select distinct case get_byte(v, 0) when 1 then convert_from(substring(v from 3 for get_byte(v, 1)), 'UTF8') else 'clear' end from (
            select given_name from parties union all select family_name from parties union all select phone from parties union all select birth_date from children
            union all select decision_rg_number from mesures union all select decision_judge_name from mesures union all select response from processed_requests) x (v)
        where length(v) > 1 order by 1
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Seal_StoppedInTheMiddleAndRotated_GoesOnAndLeavesNoOtherKey()
    {
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "Fictif Tournant"));
        }

        // As a migration leaves it.
        await jafer.Database.RunAsync("update parties set family_name = in_clear('Fictif Ancien')");
        var next = Ring("next", TestKeys.Id);
        _ = KeyRing.Install(next);
        using var work = Work(next);

        await using (var hold = new NpgsqlConnection(jafer.Database.ConnectionString))
        {
            await hold.OpenAsync(Ct);
            await using var transaction = await hold.BeginTransactionAsync(Ct);
            await using (var command = new NpgsqlCommand($"select from parties where mesure_id = '{ids[^1]}' for update", hold, transaction))
            {
                await command.ExecuteNonQueryAsync(Ct);
            }

            // Rows that an act holds are passed over, and the pass does not end.
            Assert.True(await work.SealAsync(Ct, portion: 3) > 0);
            Assert.Equal(["clear", "next", TestKeys.Id], await jafer.Database.ReadAllAsync<string>(KeyIds));
            Assert.Equal(["parties"], await jafer.Database.ReadAllAsync<string>("select table_name from sealing_passes where finished_at is null and table_name <> 'keyed_index'"));
            var unfinished = Assert.Single(await PassesAsync(), p => p.Name == "parties");
            Assert.Equal(("next", null), (unfinished.KeyId, unfinished.FinishTime));
            Assert.True(unfinished.ResealedCount > 0);
            await transaction.RollbackAsync(Ct);
        }

        // As a replica leaves it that was killed in the middle of a table.
        var left = 2 + await jafer.Database.ReadAsync<long>("select count(*) from children");
        await jafer.Database.RunAsync("""
            update children set given_name = in_clear('Petit');
            update sealing_passes set finished_at = null, after_key = array[(select id::text from children order by id offset 1 limit 1)] where table_name = 'children'
            """);
        Assert.Equal(left, await work.SealAsync(Ct, portion: 1));

        Assert.Equal(["next"], await jafer.Database.ReadAllAsync<string>(KeyIds));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>("select count(*) from sealing_passes where (finished_at is null or key_id <> 'next') and table_name <> 'keyed_index'"));
        Assert.All(await PassesAsync(), p => Assert.True(p is { FinishTime: not null, KeyId: "next" }, p.Name));
        Assert.True(await jafer.Database.ReadAsync<long>("select count(*) from journal.entries where subject = 'jafer' and rpc = 'sealing' and 'tables/parties' = any(resources)") > 0);
        Assert.Equal(0, await work.SealAsync(Ct));
        var mesure = await jafer.GetAsync(ids[0]);
        Assert.All(mesure.Parties, p => Assert.Equal("Fictif Ancien", p.FamilyName));
        Assert.Equal("Petit", mesure.Children[0].GivenName);
        Assert.NotEmpty(mesure.Decision.JudgeName);
        _ = KeyRing.Install(TestKeys.Ring);
    }

    [Fact]
    public async Task GetMesure_UnderAKeyThatIsGone_FailsWithoutAWordOfIt()
    {
        var id = await jafer.TransmittedAsync();
        var lost = Ring("lost").Seal("Martin"u8, KeyRing.Binding("children.family_name"));
        await jafer.Database.RunAsync($"update children set family_name = '\\x{Convert.ToHexString(lost)}' where mesure_id = '{id}'");

#pragma warning disable RS0030 // What a client catches.
        var refusal = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => jafer.AsCourt.GetMesureAsync(new GetMesureRequest { MesureId = id }, cancellationToken: Ct).ResponseAsync);

        Assert.Equal(Grpc.Core.StatusCode.Internal, refusal.StatusCode);
        Assert.DoesNotContain("lost", refusal.ToString(), StringComparison.Ordinal);
#pragma warning restore RS0030
        await jafer.Database.RunAsync($"update children set family_name = in_clear('Fictif') where mesure_id = '{id}'");
    }

    private async Task<IEnumerable<KeyPass>> PassesAsync() =>
        (await new OperationsService.OperationsServiceClient(jafer.Host.Channel("operateur", StableIds.For("organisation:operateur:national"))).GetKeyPassesAsync(new(), cancellationToken: Ct))
        .Passes.Where(p => p.Name != SealingPasses.KeyedIndex);

    private static KeyRing Ring(params string[] ids) => new(
        ids[0], ids.ToDictionary(id => id, id => id == TestKeys.Id ? Convert.FromBase64String(TestKeys.Key) : System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(id))));

    private SealingWork<MesuresDbContext> Work(KeyRing ring) => new(
        jafer.Host.App.Services.GetRequiredService<NpgsqlDataSource>(), jafer.Host.App.Services.GetRequiredService<IDbContextFactory<MesuresDbContext>>(), ring, jafer.Clock,
        NullLogger<SealingWork<MesuresDbContext>>.Instance);
}
