using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What became of families, and those that come back.</summary>
public sealed class ImpactTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private const string Returns = "select count(*) from mesure_returns";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Return_OfTheSameChildToAnotherCourt_IsFoundAndToldToNobodyWhoDoesNotHoldBoth()
    {
        await EmptyAsync();
        var ended = await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "Fictif Revenant");
        await CloseAsync(ended);
        var back = await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "FICTIF revenant", OtherCourt);
        await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "Fictif Autre");
        await jafer.Fold.FoldAsync(Ct);

        Assert.Equal($"{ended} {back}", await jafer.Database.ReadAsync<string>("select earlier_id || ' ' || later_id from mesure_returns"));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>(
            $"select count(*) from outbox_messages where payload->>'aggregateId' = '{back}' and payload::text like '%{ended}%' or payload->>'aggregateId' = '{ended}' and payload::text like '%{back}%'"));
    }

    [Fact]
    public async Task Return_OfWhatMoreThanAHundredMesuresHaveInCommon_IsNone()
    {
        await EmptyAsync();
        var ended = await EndedAsync("placeholder", "2024-06-01");
        await OtherAsync("placeholder", "transmitted_at = '2024-07-01 12:00Z'");
        var before = await OtherAsync("placeholder", "transmitted_at = '2023-07-01 12:00Z'");
        await AddAsync(1, 98);
        Assert.Equal(1, await jafer.Database.ReadAsync<long>(Returns));

        await AddAsync(99, 99);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>(Returns));

        async Task AddAsync(int from, int to)
        {
            await jafer.Database.RunAsync($"""
                insert into children (id, mesure_id, position, given_name, family_name, needs, return_index)
                select gen_random_uuid(), '{before}', n, in_clear('Enfant'), in_clear('Fictif'), array[]::text[], 'placeholder' from generate_series({from}, {to}) n;
                insert into delay_queue (mesure_id) values ('{ended}')
                """);
            await jafer.Fold.FoldAsync(Ct);
        }
    }

    [Fact]
    public async Task Return_ThatIsNone_IsNotFound()
    {
        await EmptyAsync();
        // Ran beside it; came too late; goes on, by agreement or at another espace; was a mistake.
        await EndedAsync("a", "2024-06-01");
        await OtherAsync("a", "transmitted_at = '2024-05-31 12:00Z'");
        await EndedAsync("b", "2024-06-01");
        await OtherAsync("b", "transmitted_at = '2025-06-02 12:00Z'");
        var continued = await EndedAsync("c", "2024-06-01");
        await OtherAsync("c", $"transmitted_at = '2024-07-01 12:00Z', predecessor_id = '{continued}'");
        await EndedAsync("d", "2024-06-01");
        await OtherAsync("d", "transmitted_at = '2024-07-01 12:00Z', state = 'CLOTUREE', closed_at = '2024-07-02Z', closure_reason = 'DOUBLON'");
        await EndedAsync("e", "2024-06-01", "TRANSFERT");
        await OtherAsync("e", "transmitted_at = '2024-07-01 12:00Z'");
        await jafer.Fold.FoldAsync(Ct);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>(Returns));

        // On the last day it still is one.
        await OtherAsync("b", "transmitted_at = '2025-06-01 20:00Z'");
        await jafer.Fold.FoldAsync(Ct);
        Assert.Equal(1, await jafer.Database.ReadAsync<long>(Returns));
    }

    [Fact]
    public async Task Return_ClosingToldLateOrTakenBack_FollowsIt()
    {
        await EmptyAsync();
        var mesure = await OtherAsync("a", "transmitted_at = '2024-01-15 12:00Z'");
        await OtherAsync("a", "transmitted_at = '2024-07-01 12:00Z'");
        await jafer.Fold.FoldAsync(Ct);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>(Returns));

        await jafer.Database.RunAsync($"update mesures set state = 'CLOTUREE', closed_at = '2024-06-01 12:00Z', closure_reason = 'ARRIVEE_A_TERME' where id = '{mesure}'");
        await jafer.Fold.FoldAsync(Ct);
        Assert.Equal(1, await jafer.Database.ReadAsync<long>(Returns));

        await jafer.Database.RunAsync($"update mesures set state = 'EN_COURS', closed_at = null, closure_reason = 'UNSPECIFIED' where id = '{mesure}'");
        await jafer.Fold.FoldAsync(Ct);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>(Returns));
    }

    [Fact]
    public async Task GetImpact_OfAllFrance_TellsDestinationsAndReturnsOfThoseThatAreMature()
    {
        await EmptyAsync();
        for (var i = 0; i < 12; i++)
        {
            await EndedAsync($"mature {i}", "2025-01-15", destination: i < 6 ? "CONTACT_DIRECT" : "ACCORD");
        }

        for (var i = 0; i < 5; i++)
        {
            await OtherAsync($"mature {i}", $"transmitted_at = '2025-06-01 12:00Z', juridiction_id = '{OtherCourt}', gestionnaire_id = '{OtherGestionnaire}'");
            await EndedAsync($"young {i}", "2025-12-01");
        }

        await OtherAsync("mature 5", "transmitted_at = '2026-01-20 12:00Z'");
        await OtherAsync("mature 6", "transmitted_at = '2025-03-20 12:00Z'");
        await EndedAsync("a mistake", "2025-01-15", "DOUBLON");
        await jafer.Fold.FoldAsync(Ct);

        var all = await Of("statisticien", Court).GetImpactAsync(new GetImpactRequest());

        Assert.Equal(new DateOnly(2025, 3, 2).ToProto(), all.MatureDate);
        var row = Assert.Single(all.Rows);
        Assert.Equal((17, 12, 5, 6), (row.EndedCount, row.MatureCount, row.YoungCount, row.ReturnedCount));
        Assert.Equal(0.5, row.ReturnRate);
        Assert.Equal(
            [(ClosureDestination.Unspecified, 5), (ClosureDestination.ContactDirect, 6), (ClosureDestination.Accord, 6)], row.Destinations.Select(d => (d.Destination, d.EndedCount)));
        Assert.Equal(1, row.Destinations.Sum(d => d.Share), 6);

        // Whoever had the mesures knows only who came back to them.
        Assert.Equal((17, 1), Told(Assert.Single((await Of("juridiction", Court).GetImpactAsync(new GetImpactRequest())).Rows)));
        Assert.Equal((17, 1), Told(Assert.Single((await Of("espace", Gestionnaire).GetImpactAsync(new GetImpactRequest { Grouping = ImpactGrouping.Espace })).Rows)));
        Assert.Empty((await Of("juridiction", OtherCourt).GetImpactAsync(new GetImpactRequest())).Rows);

        var months = (await Of("juridiction", Court).GetImpactAsync(new GetImpactRequest { Grouping = ImpactGrouping.Month })).Rows;
        Assert.Equal([(new DateOnly(2025, 1, 1).ToProto(), 12), (new DateOnly(2025, 12, 1).ToProto(), 5)], months.Select(m => (m.MonthDate, m.EndedCount)));
        var young = Assert.Single((await Of("juridiction", Court).GetImpactAsync(new GetImpactRequest { FromDate = new DateOnly(2025, 12, 24).ToProto() })).Rows);
        Assert.Equal((5, 5, false), (young.EndedCount, young.YoungCount, young.HasReturnRate));
        Assert.Equal(12, Assert.Single((await Of("juridiction", Court).GetImpactAsync(new GetImpactRequest { ToDate = new DateOnly(2025, 11, 30).ToProto() })).Rows).EndedCount);

        static (int, int) Told(ImpactRow row) => (row.EndedCount, row.ReturnedCount);
    }

    [Fact]
    public async Task GetImpact_OfOthers_LeavesOutWhatTellsOfFewFamilies()
    {
        await EmptyAsync();
        var gestionnaires = new[] { Gestionnaire, OtherGestionnaire, NewGuid(), NewGuid() }.OrderBy(g => g.ToString(), StringComparer.Ordinal).ToArray();
        foreach (var (gestionnaire, destinations) in gestionnaires.Zip(new[] { (3, 0), (8, 6), (7, 2), (9, 9) }))
        {
            for (var i = 0; i < destinations.Item1 + destinations.Item2; i++)
            {
                await EndedAsync($"{gestionnaire} {i}", "2025-01-15", destination: i < destinations.Item1 ? "ACCORD" : "CONTACT_DIRECT", gestionnaire: gestionnaire);
            }
        }

        await jafer.Fold.FoldAsync(Ct);

        var rows = (await Of("operateur", Court).GetImpactAsync(new GetImpactRequest { Grouping = ImpactGrouping.Gestionnaire })).Rows;

        // The first has three; the second would tell it by the total; the third has two of one kind, for which two others are dark already.
        Assert.Equal(
            [(true, false, 0, 0), (true, false, 0, 0), (false, true, 9, 0), (false, false, 18, 2)],
            rows.Select(r => (r.Suppressed, r.DestinationsWithheld, r.EndedCount, r.Destinations.Count)));
        Assert.Equal([.. gestionnaires.Select(g => g.ToString())], rows.Select(r => r.GestionnaireId));
        Assert.Equal((18, 0), (rows[3].MatureCount, rows[3].ReturnRate));
        var own = Assert.Single((await Of("espace", gestionnaires[0]).GetImpactAsync(new GetImpactRequest())).Rows);
        Assert.Equal((false, 3), (own.Suppressed, own.EndedCount));
    }

    [Fact]
    public async Task GetImpact_OfAnotherOrWrong_IsRefused()
    {
        foreach (var (client, request) in new[]
        {
            (Of("juridiction", Court), new GetImpactRequest { JuridictionId = OtherCourt.ToString() }),
            (Of("espace", Gestionnaire), new GetImpactRequest { GestionnaireId = OtherGestionnaire.ToString() }),
            (Of("espace", Gestionnaire), new GetImpactRequest { EspaceId = YoungEspace.ToString() }),
            (Of("espace", Gestionnaire), new GetImpactRequest { EspaceId = NewId() }),
            (Of("prefecture", Gestionnaire), new GetImpactRequest()),
        })
        {
            var refusal = await Refusal.OfAsync(client.GetImpactAsync(request));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        var wrong = await Refusal.OfAsync(Of("operateur", Court).GetImpactAsync(
            new GetImpactRequest { FromDate = new DateOnly(2025, 2, 1).ToProto(), ToDate = new DateOnly(2025, 1, 1).ToProto(), EspaceId = "x" }));
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (wrong.Code, wrong.Reason));
        Assert.Equal(["espace_id", "to_date"], wrong.Fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task IndexRenewal_OfMesuresWrittenBefore_FindsThemAndTheFamiliesThatCameBack()
    {
        await EmptyAsync();
        await CloseAsync(await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "Fictif Ancien"));
        for (var i = 0; i < 3; i++)
        {
            await jafer.TransmittedAsync();
        }

        await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "Fictif Ancien", OtherCourt);
        await new MesureService.MesureServiceClient(jafer.Host.Channel("espace", Gestionnaire)).RegisterNonJudicialMesureAsync(NonJudicial());
        var written = await DigestsAsync();
        await jafer.Database.RunAsync("update mesures set rg_index = null; update parties set identity_index = null; update children set identity_index = null, return_index = null");
        await jafer.Fold.FoldAsync(Ct);
        await jafer.Database.RunAsync("truncate mesure_returns, index_renewals");

        await jafer.Renewal.RenewAsync(Ct, portion: 4);
        await jafer.Fold.FoldAsync(Ct);

        Assert.Equal(written, await DigestsAsync());
        Assert.Equal(1, await jafer.Database.ReadAsync<long>(Returns));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>("select count(*) from index_renewals where finished_at is not null"));
    }

    [Fact]
    public async Task IndexRenewal_Interrupted_GoesOnWhereItWasAndOnceForEachKey()
    {
        await EmptyAsync();
        await jafer.Database.RunAsync("truncate index_renewals");
        var first = await jafer.TransmittedAsync();
        var second = await jafer.TransmittedAsync();
        await jafer.Renewal.RenewAsync(Ct);
        const string digest = "select coalesce((select rg_index from mesures where id = '{0}'), '-')";
        var (one, two) = (await DigestAsync(first), await DigestAsync(second));
        await jafer.Database.RunAsync($"update mesures set rg_index = null; update index_renewals set after_mesure_id = '{first}', finished_at = null");

        await jafer.Renewal.RenewAsync(Ct);
        Assert.Equal(("-", two), (await DigestAsync(first), await DigestAsync(second)));
        await jafer.Renewal.RenewAsync(Ct);
        Assert.Equal("-", await DigestAsync(first));

        // Another key: all of them anew.
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Index:Key"] = Convert.ToBase64String(new byte[32]) }).Build();
        using var other = new IndexRenewal(
            jafer.Host.App.Services.GetRequiredService<NpgsqlDataSource>(), new KeyedIndex(configuration, jafer.Host.App.Environment, NullLogger<KeyedIndex>.Instance), jafer.Clock, NullLogger<IndexRenewal>.Instance);
        await other.RenewAsync(Ct, portion: 1);
        Assert.DoesNotContain(await DigestAsync(first), new[] { "-", one });
        Assert.DoesNotContain(await DigestAsync(second), new[] { "-", two });

        Task<string> DigestAsync(string id) => jafer.Database.ReadAsync<string>(string.Format(System.Globalization.CultureInfo.InvariantCulture, digest, id));
    }

    private ImpactService.ImpactServiceClient Of(string role, Guid organisation) => new(jafer.Host.Channel(role, organisation));

    private static Guid NewGuid() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow());

    private Task<string> DigestsAsync() => jafer.Database.ReadAsync<string>("""
        select string_agg(d, E'\n' order by d) from (
            select id || coalesce(rg_index, '-') from mesures union all select id || identity_index from parties
            union all select id || identity_index || return_index from children) x (d)
        """);

    private async Task CloseAsync(string mesureId)
    {
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = mesureId, RequestId = NewId() });
        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = mesureId, Reason = ClosureReason.SansSuiteRefusHote, Destination = ClosureDestination.Accord, RequestId = NewId() });
    }

    private async Task EmptyAsync()
    {
        await jafer.Database.RunAsync("truncate mesures, mesure_facts, parties, children, deadlines, delay_entries, delay_counts, delay_totals, delay_queue, outbox_messages, reference_counters cascade");
        await jafer.TransmittedAsync();
        // The model of all others, with a child whom nobody else is.
        await jafer.Database.RunAsync("truncate delay_queue");
    }

    private Task<string> EndedAsync(string child, string day, string reason = "ARRIVEE_A_TERME", string destination = "UNSPECIFIED", Guid? gestionnaire = null) => OtherAsync(
        child,
        $"transmitted_at = '2024-01-01 12:00Z', state = 'CLOTUREE', closed_at = '{day} 12:00Z', closure_reason = '{reason}', closure_destination = '{destination}', gestionnaire_id = '{gestionnaire ?? Gestionnaire}'");

    /// <summary>Another mesure like the first, of a child, with what is said of it.</summary>
    private async Task<string> OtherAsync(string child, string columns)
    {
        var id = NewId();
        var others = await jafer.Database.ReadAsync<string>(
            "select string_agg(quote_ident(column_name), ', ') from information_schema.columns where table_name = 'mesures' and table_schema = 'public' and column_name not in ('id', 'reference')");
        await jafer.Database.RunAsync($"""
            insert into mesures (id, reference, {others}) select '{id}', '{id}', {others} from mesures order by created_at, id limit 1;
            insert into children (id, mesure_id, position, given_name, family_name, needs, return_index) values (gen_random_uuid(), '{id}', 0, in_clear('Enfant'), in_clear('Fictif'), array[]::text[], '{child}');
            update mesures set {columns} where id = '{id}'
            """);
        return id;
    }
}
