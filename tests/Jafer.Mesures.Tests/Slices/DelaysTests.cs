using System.Globalization;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Delays as they are counted and told.</summary>
public sealed class DelaysTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    // What the counts must be, from the mesures themselves.
    private const string Recounted = """
        select s.juridiction_id, s.month, s.espace_id, s.modalite, s.segment,
            (case when ended is not null then least(greatest(ended - began - suspended_days(s.mesure_id, began, ended), 0), 32000)
                else -1 - least(greatest(closed_on - began - suspended_days(s.mesure_id, began, closed_on), 0), 32000) end)::smallint as days,
            count(*)::integer as mesures
        from delay_segments s where ended is not null or (not passed and not open) group by 1, 2, 3, 4, 5, 6
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetDelays_OfMatureCohorts_TellsEachSegmentAndWhoStillWaits()
    {
        await EmptyAsync();
        // Six decisions of 10 January 2025: transmitted after 1 to 6 days; the first three were seen, after 30, 60 and 90 days.
        for (var i = 1; i <= 6; i++)
        {
            var held = i <= 3 ? $"'2025-01-10 12:00Z'::timestamptz + interval '{30 * i} days'" : "null::timestamptz";
            await AddAsync($"""
                transmitted_at = '2025-01-10 12:00Z'::timestamptz + interval '{i} days', acknowledged_at = '2025-01-10 12:00Z'::timestamptz + interval '{i + 2} days',
                visiteur_contact_at = '2025-01-10 12:00Z'::timestamptz + interval '{i + 10} days', first_scheduling_at = {held} - interval '5 days',
                first_held_rencontre_at = {held}
                """);
        }

        // Closed without a visit; a decision that is too young; a mistake.
        await AddAsync("transmitted_at = '2025-01-11 12:00Z', state = 'CLOTUREE', closed_at = '2025-02-01Z', closure_reason = 'SANS_SUITE_REFUS_HOTE'");
        await AddAsync("decision_date = '2025-12-10', transmitted_at = '2025-12-11 12:00Z'");
        await AddAsync("transmitted_at = '2025-05-11 12:00Z', state = 'CLOTUREE', closed_at = '2025-06-01Z', closure_reason = 'DOUBLON'");
        await jafer.Fold.FoldAsync(Ct, portion: 3);

        var delays = await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest());

        Assert.Equal(new DateOnly(2025, 2, 28).ToProto(), delays.ToDate);
        Assert.Equal(
            [
                "Transmission 7 0 0: 3 6", "Reception 6 0 1: 2 2", "Contact 6 0 0: 8 8", "Booking 3 3 0: 72 -", "FirstRencontre 3 0 0: 5 5", "Whole 3 3 1: 90 -",
            ],
            delays.Rows.Select(Told));
        Assert.Equal(
            "Transmission 8 0 0: 2 6", Told((await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest { MaturityDays = 30 })).Rows[0]));
        Assert.Empty((await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest { FromDate = new DateOnly(2025, 2, 1).ToProto() })).Rows);
    }

    [Fact]
    public async Task GetDelays_Suspended_DoesNotCountTheDaysOfTheSuspension()
    {
        await EmptyAsync();
        // 60 days from the booking to the rencontre, of which 1 to 11 February and, told late, 5 to 15 February do not count, nor the
        // days of a suspension after it.
        var seen = await AddAsync("transmitted_at = '2025-01-12 12:00Z', first_scheduling_at = '2025-01-20 12:00Z', first_held_rencontre_at = '2025-03-21 12:00Z'");
        await SuspendAsync(seen, "2025-02-01", "2025-02-11");
        await SuspendAsync(seen, "2025-02-05", "2025-02-15");
        await SuspendAsync(seen, "2025-04-01", "2025-04-20");
        // Suspended twelve days after the booking and ever since: it waits no longer than those.
        await SuspendAsync(await AddAsync("transmitted_at = '2025-01-12 12:00Z', first_scheduling_at = '2025-01-20 12:00Z'"), "2025-02-01", null);
        await jafer.Fold.FoldAsync(Ct);

        var rows = (await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest())).Rows;

        Assert.Equal("FirstRencontre 1 1 0: 46 46", Told(rows.Single(r => r.Segment == DelaySegment.FirstRencontre)));
        Assert.Equal("Whole 1 1 0: 56 56", Told(rows.Single(r => r.Segment == DelaySegment.Whole)));
        // As if it had not been suspended, it would have waited for more than a year, and nine in ten would not be known.
        await jafer.Database.RunAsync("update mesures set suspended_for = '0', suspended_at = null where first_held_rencontre_at is null");
        Assert.Equal("FirstRencontre 1 1 0: 46 -", Told((await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest())).Rows.Single(r => r.Segment == DelaySegment.FirstRencontre)));
    }

    [Fact]
    public async Task GetDelays_AMesureThatGoesOnElsewhere_HasOneWholeWay()
    {
        await EmptyAsync();
        const string Sent = "transmitted_at = '2025-01-12 12:00Z', acknowledged_at = '2025-01-15 12:00Z', state = 'CLOTUREE', closed_at = '2025-02-20 12:00Z', closure_reason = 'TRANSFERT'";
        // By a new decision of 20 February, and in subsidiary order, for which there was none: that one was sent on at once.
        var first = await AddAsync(Sent);
        await AddAsync($"predecessor_id = '{first}', decision_date = '2025-02-20', transmitted_at = '2025-02-21 12:00Z', first_held_rencontre_at = '2025-04-10 12:00Z'");
        await AddAsync($"predecessor_id = '{await AddAsync(Sent)}', transmitted_at = '2025-02-20 12:00Z', first_held_rencontre_at = '2025-03-31 12:00Z'");
        // A rencontre was held at the first espace: its way was over then.
        var visited = await AddAsync($"{Sent}, first_held_rencontre_at = '2025-02-09 12:00Z'");
        await AddAsync($"predecessor_id = '{visited}', decision_date = '2025-02-20', transmitted_at = '2025-02-21 12:00Z'");
        await jafer.Fold.FoldAsync(Ct);

        var rows = (await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest())).Rows.ToDictionary(r => r.Segment, Told);

        Assert.Equal("Transmission 5 0 0: 2 2", rows[DelaySegment.Transmission]);
        Assert.Equal("Reception 3 1 0: 3 -", rows[DelaySegment.Reception]);
        Assert.Equal("Whole 3 0 0: 80 90", rows[DelaySegment.Whole]);

        // What is corrected in the first one changes the way of its successor.
        await jafer.Database.RunAsync($"update mesures set first_held_rencontre_at = null where id = '{visited}'");
        await jafer.Fold.FoldAsync(Ct);
        Assert.StartsWith("Whole 2 1 0:", Told((await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest())).Rows.Single(r => r.Segment == DelaySegment.Whole)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetDelays_FewPassedOrWereClosedOfOthers_KeepsWhatTellsOfThem()
    {
        await EmptyAsync();
        for (var i = 0; i < 9; i++)
        {
            // One of nine was seen, after all others had waited no longer than that: its days would be the median.
            await AddAsync("transmitted_at = '2025-01-12 12:00Z', acknowledged_at = '2025-01-12 13:00Z', visiteur_contact_at = '2025-01-12 14:00Z'"
                + (i == 0 ? ", first_scheduling_at = '2026-02-20 12:00Z'" : ", state = 'CLOTUREE', closed_at = '2025-03-01Z', closure_reason = 'AUTRE'"));
        }

        await AddAsync("transmitted_at = '2025-01-12 12:00Z', state = 'CLOTUREE', closed_at = '2025-03-01Z', closure_reason = 'AUTRE'");
        await jafer.Fold.FoldAsync(Ct);

        var others = (await Of("statisticien", OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows.ToDictionary(r => r.Segment);
        var own = (await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest())).Rows.ToDictionary(r => r.Segment, Told);

        Assert.Equal(("Reception 9 0 1: 0 0", "Booking 1 0 8: 404 404"), (own[DelaySegment.Reception], own[DelaySegment.Booking]));
        Assert.Equal((false, true, 0, true), Shown(others[DelaySegment.Reception]));
        Assert.Equal((false, true, 0, false), Shown(others[DelaySegment.Booking]));

        // Of ten one was closed: no row is small, but that part of them is.
        await EmptyAsync();
        for (var i = 0; i < 10; i++)
        {
            await AddAsync("transmitted_at = '2025-01-12 12:00Z'" + (i == 0 ? ", state = 'CLOTUREE', closed_at = '2025-03-01Z', closure_reason = 'AUTRE'" : ""));
        }

        await jafer.Fold.FoldAsync(Ct);
        Assert.All(
            (await Of("statisticien", OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows, r => Assert.Equal((false, true, 0, 0), (r.Suppressed, r.CountsWithheld, r.ObservedCount, r.ClosedCount)));

        static (bool, bool, int, bool) Shown(DelayRow row) => (row.Suppressed, row.CountsWithheld, row.ClosedCount, row.HasMedianDays);
    }

    [Fact]
    public async Task GetDelays_OneSmallCellOfOthers_TakesTheCountsOfAnotherWithIt()
    {
        await EmptyAsync();
        var espaces = new[] { Espace, YoungEspace, BulkEspace }.OrderBy(e => e.ToString(), StringComparer.Ordinal).ToArray();
        foreach (var (espace, count) in espaces.Zip(new[] { 3, 9, 12 }))
        {
            for (var i = 0; i < count; i++)
            {
                await AddAsync($"transmitted_at = '2025-01-12 12:00Z', espace_id = '{espace}'");
            }
        }

        await jafer.Fold.FoldAsync(Ct);

        var rows = (await Of("statisticien", OtherCourt).GetDelaysAsync(new GetDelaysRequest { Grouping = DelayGrouping.Espace })).Rows
            .Where(r => r.Segment == DelaySegment.Transmission).ToDictionary(r => r.EspaceId);

        Assert.Equal((true, false, 0, false), Shown(rows[espaces[0].ToString()]));
        Assert.Equal((false, true, 0, true), Shown(rows[espaces[1].ToString()]));
        Assert.Equal((false, false, 12, true), Shown(rows[espaces[2].ToString()]));
        var total = (await Of("statisticien", OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows[0];
        Assert.Equal((false, false, 24, true), Shown(total));

        static (bool, bool, int, bool) Shown(DelayRow row) => (row.Suppressed, row.CountsWithheld, row.ObservedCount, row.HasMedianDays);
    }

    [Fact]
    public async Task GetDelays_SmallSegmentOfOthers_IsNotToldByTheSegmentBeforeIt()
    {
        await EmptyAsync();
        for (var i = 0; i < 9; i++)
        {
            await AddAsync($"transmitted_at = '2025-01-12 12:00Z', acknowledged_at = {(i < 3 ? "'2025-01-14 12:00Z'" : "null")}");
        }

        await jafer.Fold.FoldAsync(Ct);

        var rows = (await Of("statisticien", OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows.ToDictionary(r => r.Segment);

        // Three of the nine have reached the third segment: the second would tell it.
        Assert.True(rows[DelaySegment.Contact].Suppressed);
        Assert.All(rows.Values.Where(r => !r.Suppressed), r => Assert.Equal((true, 0, 0), (r.CountsWithheld, r.ObservedCount, r.WaitingCount)));
        Assert.Equal(2, rows[DelaySegment.Transmission].MedianDays);
    }

    [Fact]
    public async Task Fold_AfterAnyChanges_IsWhatCountingAnewGives()
    {
        await EmptyAsync();
        var random = new Random(20260302);
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 15; i++)
            {
                var id = await AddAsync(Milestones(random));
                if (random.Next(3) == 0)
                {
                    await SuspendAsync(id, $"2024-0{random.Next(1, 10)}-03", $"2024-0{random.Next(1, 10)}-20");
                }
            }

            // Others change after they were counted: later steps, other courts, closing.
            await jafer.Database.RunAsync($"update mesures set {Milestones(random)} where id in (select id from mesures order by md5(id::text || '{round}') limit 9)");
            await jafer.Fold.FoldAsync(Ct, portion: 7);

            Assert.Equal(0, await jafer.Database.ReadAsync<long>($"""
                with held as (select juridiction_id, month, espace_id, modalite, segment, days, mesures from delay_counts where mesures <> 0), anew as ({Recounted})
                select (select count(*) from (select * from held except select * from anew) x) + (select count(*) from (select * from anew except select * from held) y)
                """));
            Assert.Equal(0, await jafer.Database.ReadAsync<long>($"""
                with held as (select month, segment, days, mesures::bigint from delay_totals where mesures <> 0),
                     anew as (select month, segment, days, sum(mesures) from ({Recounted}) r group by 1, 2, 3)
                select (select count(*) from (select * from held except select * from anew) x) + (select count(*) from (select * from anew except select * from held) y)
                """));
        }
    }

    [Fact]
    public async Task GetDelays_OfOthers_LeavesOutSmallCellsAndOfOnesOwnNone()
    {
        await EmptyAsync();
        for (var i = 0; i < 6; i++)
        {
            await AddAsync($"transmitted_at = '2025-01-12 12:00Z', espace_id = '{(i < 4 ? YoungEspace : Espace)}', gestionnaire_id = '{(i < 4 ? OtherGestionnaire : Gestionnaire)}'");
        }

        await jafer.Fold.FoldAsync(Ct);
        foreach (var role in new[] { "operateur", "statisticien", "partenaire" })
        {
            var all = (await Of(role, OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows;
            Assert.Equal("Transmission 6 0 0: 2 2", Told(all[0]));
            var byEspace = (await Of(role, OtherCourt).GetDelaysAsync(new GetDelaysRequest { Grouping = DelayGrouping.Espace })).Rows;
            Assert.All(byEspace, r => Assert.Equal((true, 0, 0, false), (r.Suppressed, r.ObservedCount, r.WaitingCount, r.HasMedianDays)));
            Assert.Equal(new[] { Espace.ToString(), YoungEspace.ToString() }.Order(StringComparer.Ordinal), byEspace.Select(r => r.EspaceId).Distinct());
        }

        var own = (await Of("juridiction", Court).GetDelaysAsync(new GetDelaysRequest { Grouping = DelayGrouping.Espace })).Rows;
        Assert.Equal((4, false), own.Where(r => r.EspaceId == YoungEspace.ToString()).Select(r => (r.ObservedCount, r.Suppressed)).First());
        var espaces = (await Of("espace", OtherGestionnaire).GetDelaysAsync(new GetDelaysRequest())).Rows;
        Assert.Equal("Transmission 4 0 0: 2 2", Told(espaces[0]));
        var months = (await Of("espace", Gestionnaire).GetDelaysAsync(new GetDelaysRequest { Grouping = DelayGrouping.Month, Modalite = Contracts.Type.V1.Modalite.Visite })).Rows;
        Assert.Equal(new DateOnly(2025, 1, 1).ToProto(), months[0].MonthDate);
        Assert.Empty((await Of("juridiction", OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows);
    }

    [Fact]
    public async Task GetDelays_OfAGestionnaire_KnowsAMesureFromItsTransmissionOn()
    {
        await EmptyAsync();
        // Two drafts that name its espace, one of them closed, and one that was transmitted and closed after as many days.
        await AddAsync("gestionnaire_id = null, transmitted_at = null");
        await AddAsync("gestionnaire_id = null, transmitted_at = null, state = 'CLOTUREE', closed_at = '2025-02-01Z', closure_reason = 'AUTRE'");
        await AddAsync("transmitted_at = '2025-01-12 12:00Z', state = 'CLOTUREE', closed_at = '2025-02-01Z', closure_reason = 'AUTRE'");
        await AddAsync("transmitted_at = '2025-01-12 12:00Z'");
        await jafer.Fold.FoldAsync(Ct);

        async Task<string[]> ToldAsync(string role, Guid organisation) => [.. (await Of(role, organisation).GetDelaysAsync(new GetDelaysRequest())).Rows.Select(r => Told(r).Split(':')[0])];
        Assert.Equal(["Transmission 2 1 1", "Reception 0 1 1", "Whole 0 2 2"], await ToldAsync("juridiction", Court));
        Assert.Equal(["Transmission 2 0 0", "Reception 0 1 1", "Whole 0 1 1"], await ToldAsync("espace", Gestionnaire));

        await jafer.Database.RunAsync($"update mesures set transmitted_at = '2025-01-13 12:00Z', gestionnaire_id = '{Gestionnaire}' where transmitted_at is null and state <> 'CLOTUREE' and decision_date is not null");
        await jafer.Fold.FoldAsync(Ct);
        Assert.Equal(["Transmission 3 0 0", "Reception 0 2 1", "Whole 0 2 1"], await ToldAsync("espace", Gestionnaire));
    }

    [Fact]
    public async Task GetDelays_OfAPartnerOrOperatorWithATerritory_IsOfItsDepartementsAlone()
    {
        await EmptyAsync();
        for (var i = 0; i < 14; i++)
        {
            await AddAsync($"transmitted_at = '2025-01-12 12:00Z', espace_id = '{(i < 8 ? YoungEspace : Espace)}', gestionnaire_id = '{(i < 8 ? OtherGestionnaire : Gestionnaire)}'");
        }

        await jafer.Fold.FoldAsync(Ct);
        var organisations = new TestOrganisations();
        var ofBasRhin = organisations.Add(["67", "68"]);
        await using var host = await jafer.StartReplicaAsync(
            new Dictionary<string, string?> { ["Identity:Members"] = "directory" }, b => b.Services.AddSingleton<IOrganisations>(organisations));
        DelaysService.DelaysServiceClient Of(Guid organisation, string role = Roles.Partenaire) => new(host.Channel(role, organisation));

        Assert.Equal(14, (await Of(OtherCourt).GetDelaysAsync(new GetDelaysRequest())).Rows[0].ObservedCount);
        Assert.Equal(8, (await Of(ofBasRhin).GetDelaysAsync(new GetDelaysRequest())).Rows[0].ObservedCount);
        var rows = (await Of(ofBasRhin).GetDelaysAsync(new GetDelaysRequest { Grouping = DelayGrouping.Espace })).Rows;
        Assert.Equal([YoungEspace.ToString()], rows.Select(r => r.EspaceId).Distinct());
        Assert.Empty((await Of(ofBasRhin).GetDelaysAsync(new GetDelaysRequest { EspaceId = Espace.ToString() })).Rows);
        Assert.Equal(8, (await Of(ofBasRhin, Roles.Operateur).GetDelaysAsync(new GetDelaysRequest())).Rows[0].ObservedCount);
        var impact = new ImpactService.ImpactServiceClient(host.Channel(Roles.Partenaire, ofBasRhin));
        Assert.DoesNotContain((await impact.GetImpactAsync(new GetImpactRequest())).Rows, r => r.EndedCount > 0);
    }

    [Fact]
    public async Task GetDelays_OfAnother_IsRefused()
    {
        foreach (var (client, request) in new[]
        {
            (Of("juridiction", Court), new GetDelaysRequest { JuridictionId = OtherCourt.ToString() }),
            (Of("espace", Gestionnaire), new GetDelaysRequest { EspaceId = YoungEspace.ToString() }),
            (Of("espace", Gestionnaire), new GetDelaysRequest { EspaceId = NewId() }),
            (Of("prefecture", Gestionnaire), new GetDelaysRequest()),
        })
        {
            var refusal = await Refusal.OfAsync(client.GetDelaysAsync(request));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        var wrong = await Refusal.OfAsync(Of("operateur", Court).GetDelaysAsync(
            new GetDelaysRequest { FromDate = new DateOnly(2025, 2, 1).ToProto(), ToDate = new DateOnly(2025, 1, 1).ToProto(), MaturityDays = 2000 }));
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (wrong.Code, wrong.Reason));
        Assert.Equal(["maturity_days", "to_date"], wrong.Fields.Order(StringComparer.Ordinal));
    }

    private DelaysService.DelaysServiceClient Of(string role, Guid organisation) => new(jafer.Host.Channel(role, organisation));

    private static string Told(DelayRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Segment} {row.ObservedCount} {row.WaitingCount} {row.ClosedCount}: {(row.HasMedianDays ? row.MedianDays : "-")} {(row.HasP90Days ? row.P90Days : "-")}");

    private async Task EmptyAsync()
    {
        await jafer.Database.RunAsync("truncate mesures, mesure_facts, parties, children, deadlines, delay_entries, delay_counts, delay_totals, delay_queue, outbox_messages, reference_counters cascade");
        await jafer.TransmittedAsync();
        // The model of all others, which itself is in no delay.
        await jafer.Database.RunAsync("update mesures set decision_date = null; truncate delay_queue");
    }

    /// <summary>Another mesure like the first, of 10 January 2025, with what is said of it.</summary>
    private async Task<string> AddAsync(string columns)
    {
        var id = NewId();
        var others = await jafer.Database.ReadAsync<string>(
            "select string_agg(quote_ident(column_name), ', ') from information_schema.columns where table_name = 'mesures' and table_schema = 'public' and column_name not in ('id', 'reference', 'decision_date')");
        await jafer.Database.RunAsync($"""
            insert into mesures (id, reference, decision_date, {others}) select '{id}', '{id}', '2025-01-10', {others} from mesures order by created_at, id limit 1;
            update mesures set {columns} where id = '{id}'
            """);
        return id;
    }

    /// <summary>A suspension as its acts leave it; without end it still lasts.</summary>
    private async Task SuspendAsync(string id, string from, string? to)
    {
        foreach (var (act, day) in new[] { ("SUSPEND", from), ("RESUME", to) }.Where(f => f.Item2 is not null))
        {
            await jafer.Database.RunAsync($$"""
                insert into mesure_facts (id, mesure_id, version, act, occurred_at, recorded_at, details)
                select gen_random_uuid(), '{{id}}', coalesce(max(version), 0) + 1, '{{act}}', '{{day}} 12:00Z', now(), '{}' from mesure_facts where mesure_id = '{{id}}'
                """);
        }

        await jafer.Database.RunAsync(to is null
            ? $"update mesures set suspended_at = '{from} 12:00Z' where id = '{id}'"
            : $"update mesures set suspended_for = suspended_for + interval '1 day' where id = '{id}'");
    }

    private static string Milestones(Random random)
    {
        var at = new DateTime(2024, random.Next(1, 13), random.Next(1, 28));
        var steps = new[] { "transmitted_at", "acknowledged_at", "visiteur_contact_at", "first_scheduling_at", "first_held_rencontre_at" }.Select(column =>
        {
            at = at.AddHours(random.Next(0, 900));
            return random.Next(5) == 0 ? $"{column} = null" : string.Create(CultureInfo.InvariantCulture, $"{column} = '{at:yyyy-MM-dd HH:mm}Z'");
        }).ToList();
        var closed = random.Next(3) == 0;
        steps.Add(closed ? "state = 'CLOTUREE', closed_at = now()" : "state = 'RECUE', closed_at = null");
        steps.Add($"closure_reason = '{(closed ? random.Next(4) == 0 ? "DOUBLON" : "AUTRE" : "UNSPECIFIED")}'");
        steps.Add($"espace_id = '{(random.Next(2) == 0 ? Espace : YoungEspace)}'");
        steps.Add($"decision_date = '2024-{random.Next(1, 13):D2}-01'");
        return string.Join(", ", steps);
    }
}
