using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;
using Agrement = Jafer.Contracts.Directory.V1.Agrement;
using HeldAgrement = Jafer.Directory.Domain.Agrement;

namespace Jafer.Directory.Tests.Slices;

public class UpkeepTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private UpkeepSweep Sweep => directory.Host.App.Services.GetRequiredService<UpkeepSweep>();

    [Fact]
    public async Task ListUpkeepItems_OfAGestionnaire_TellsWhatIsDueTheMostOverdueFirst()
    {
        var espace = EspaceContentTests.Whole("due");
        espace.Agrements[0].EndDate = Today.AddMonths(5).ToProto();
        espace.Modalites[0].DeclaredWait.AsOfDate = Today.AddDays(-40).ToProto();
        espace.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Fermee });
        await directory.ImportAsync(espace);
        await ConfirmedAsync("due", "LIEUX", 400);
        await ConfirmedAsync("due", "MODALITE", 91);
        await ConfirmedAsync("due", "ACCUEIL", 360);

        var items = (await ListAsync("G-due", new())).Items;

        Assert.Equal(
            [
                (UpkeepKind.Confirm, EspaceGroup.Lieux, "", Today.AddDays(-35)), (UpkeepKind.Confirm, EspaceGroup.Attente, "VISITE", Today.AddDays(-10)),
                (UpkeepKind.Confirm, EspaceGroup.Modalite, "VISITE", Today.AddDays(-1)), (UpkeepKind.AgrementEnds, EspaceGroup.Agrement, "", Today.AddMonths(5)),
            ],
            items.Select(i => (i.Kind, i.Group, i.Key, ToDay(i.DueDate))));
        Assert.All(items, i => Assert.Equal((IdOf("due").ToString(), "Espace fictif due", "69", true), (i.EspaceId, i.EspaceName, i.Departement, i.Fictive)));
        Assert.Equal([true, true, true, false], items.Select(i => i.ConfirmedTime is not null));

        var ahead = (await ListAsync("G-due", new() { WithinDays = 6, Kinds = { UpkeepKind.Confirm } })).Items;
        Assert.Equal(["LIEUX", "ATTENTE", "MODALITE", "ACCUEIL"], ahead.Select(i => i.Group.ToCode()));
    }

    [Fact]
    public async Task ListUpkeepItems_AgrementSilenceAndEnquiry_HaveTheirKinds()
    {
        var (none, ended, closed, renewed) = (Espace("none"), Espace("ended"), Espace("closed"), Espace("renewed"));
        none.Agrements.Clear();
        ended.Agrements[0].EndDate = Today.AddDays(-3).ToProto();
        closed.State = EspaceState.Ferme;
        closed.Agrements.Clear();
        renewed.Agrements[0].EndDate = Today.AddDays(20).ToProto();
        renewed.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = Today.AddDays(21).ToProto() });
        foreach (var espace in new[] { none, ended, closed, renewed })
            espace.Gestionnaire = none.Gestionnaire;
        await directory.ImportAsync(none, ended, closed, renewed);
        await directory.Database.RunAsync($"update espace_groups set confirmed_at = (confirmed_at at time zone 'Europe/Paris' - interval '500 days') at time zone 'Europe/Paris' where espace_id = '{IdOf("ended")}'");
        await directory.Database.RunAsync($"""
            insert into capacity_enquiries (id, espace_id, requester_id, modalite, child_count, situations, protection_order, created_at, expires_at, version)
            values ('{StableIds.For("enquiry")}', '{IdOf("none")}', gen_random_uuid(), 'VISITE', 1, '{"{}"}', false, now(), now() + interval '3 days', 1),
                (gen_random_uuid(), '{IdOf("none")}', gen_random_uuid(), 'VISITE', 1, '{"{}"}', false, now() - interval '9 days', now() - interval '3 days', 1)
            """);

        var items = (await ListAsync("G-none", new() { Kinds = { UpkeepKind.AgrementMissing, UpkeepKind.AgrementEnds, UpkeepKind.Silent, UpkeepKind.Enquiry } })).Items;

        Assert.Equal(
            [
                (UpkeepKind.Silent, IdOf("ended"), Today.AddDays(-135)), (UpkeepKind.AgrementMissing, IdOf("ended"), Today.AddDays(-3)),
                (UpkeepKind.AgrementMissing, IdOf("none"), Today), (UpkeepKind.Enquiry, IdOf("none"), Today),
            ],
            items.OrderBy(i => ToDay(i.DueDate)).ThenBy(i => i.Kind).Select(i => (i.Kind, Guid.Parse(i.EspaceId), ToDay(i.DueDate))));
        Assert.Equal(StableIds.For("enquiry").ToString(), items.Single(i => i.Kind == UpkeepKind.Enquiry).EnquiryId);
    }

    [Fact]
    public async Task ListUpkeepItems_AgrementOfOneLieu_ComesWithThatLieu()
    {
        var espace = Espace("lieux");
        espace.Lieux.Add(new Lieu { ExternalId = "L2", Name = "Annexe fictive", CommuneInsee = "69266" });
        espace.Lieux.Add(new Lieu { ExternalId = "L3", Name = "Autre annexe fictive", CommuneInsee = "69266" });
        var (second, third) = (espace.Agrements[0].Clone(), espace.Agrements[0].Clone());
        (second.EndDate, third.EndDate) = (Today.AddDays(30).ToProto(), Today.AddDays(-10).ToProto());
        espace.Agrements[0].LieuExternalIds.Add("L1");
        second.LieuExternalIds.Add("L2");
        third.LieuExternalIds.Add("L3");
        espace.Agrements.Add([second, third]);
        await directory.ImportAsync(espace);

        var items = (await ListAsync("G-lieux", new() { Kinds = { UpkeepKind.AgrementMissing, UpkeepKind.AgrementEnds } })).Items;

        Assert.Equal(
            [
                (UpkeepKind.AgrementMissing, StableIds.Lieu(IdOf("lieux"), "L3").ToString(), "", Today.AddDays(-10)),
                (UpkeepKind.AgrementEnds, StableIds.Lieu(IdOf("lieux"), "L2").ToString(), "", Today.AddDays(30)),
            ],
            items.Select(i => (i.Kind, i.LieuId, i.EnquiryId, ToDay(i.DueDate))));
    }

    [Fact]
    public async Task ListUpkeepItems_AnyPageSize_PagesConcatenateToTheWholeList()
    {
        await directory.ImportAsync([.. Enumerable.Range(0, 12).Select(i => Espace($"page{i}", "73065"))]);
        await directory.Database.RunAsync("update espace_groups set confirmed_at = (confirmed_at at time zone 'Europe/Paris' - interval '600 days') at time zone 'Europe/Paris' from espaces e where e.id = espace_id and e.departement = '73'");
        var request = new ListUpkeepItemsRequest { Departement = "73", PageSize = 200 };
        var all = await directory.Operateur.ListUpkeepItemsAsync(request, cancellationToken: Cancel);
        Assert.Equal(all.TotalCount, all.Items.Count);
        Assert.InRange(all.TotalCount, 12 * 4, 200);

        foreach (var size in new[] { 1, 7, all.TotalCount - 1, all.TotalCount })
        {
            var (items, token) = (new List<UpkeepItem>(), "");
            do
            {
                var page = await directory.Operateur.ListUpkeepItemsAsync(new() { Departement = "73", PageSize = size, PageToken = token }, cancellationToken: Cancel);
                Assert.Equal(all.TotalCount, page.TotalCount);
                items.AddRange(page.Items);
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            Assert.Equal(all.Items, items);
        }

        var first = await directory.Operateur.ListUpkeepItemsAsync(new() { Departement = "73", PageSize = 5 }, cancellationToken: Cancel);
        var other = await Refusal.OfAsync(directory.Operateur.ListUpkeepItemsAsync(new() { Departement = "69", PageSize = 5, PageToken = first.NextPageToken }, cancellationToken: Cancel));
        Assert.Equal("PAGE_TOKEN_INVALID", other.Reason);
    }

    [Fact]
    public async Task ListUpkeepItems_OfOthersOrBadInput_IsRefused()
    {
        await directory.ImportAsync(Espace("mine"), Espace("theirs"));
        var theirs = StableIds.Gestionnaire("test", "G-theirs").ToString();

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(directory.Gestionnaire("G-mine").ListUpkeepItemsAsync(new() { GestionnaireId = theirs }, cancellationToken: Cancel))).Code);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(directory.Court.ListUpkeepItemsAsync(new(), cancellationToken: Cancel))).Code);
        var bad = await Refusal.OfAsync(directory.Operateur.ListUpkeepItemsAsync(
            new() { GestionnaireId = "x", Departement = "0", Kinds = { (UpkeepKind)99 }, WithinDays = 366, PageSize = -1 }, cancellationToken: Cancel));
        Assert.Equal(["gestionnaire_id", "departement", "kinds[0]", "within_days", "page_size"], bad.Fields);
    }

    [Fact]
    public async Task Sweep_GroupsThatWentStale_AreToldOnceByWhicheverReplica()
    {
        await directory.ImportAsync(Espace("sweep"));
        await Sweep.SweepAsync(Cancel);
        await ConfirmedAsync("sweep", "LIEUX", 366);
        await ConfirmedAsync("sweep", "IDENTITE", 365);
        await ConfirmedAsync("sweep", "MODALITE", 91);
        await using var replica = await directory.StartAsync();

        var told = await Task.WhenAll(Sweep.SweepAsync(Cancel), replica.App.Services.GetRequiredService<UpkeepSweep>().SweepAsync(Cancel));

        Assert.Equal(2, told.Sum());
        Assert.Equal(["LIEUX:", "MODALITE:VISITE"], await ToldAsync("sweep"));
        Assert.Equal(0, await Sweep.SweepAsync(Cancel));

        // Confirmed, and stale again later: that is another time.
        await ConfirmedAsync("sweep", "MODALITE", 0);
        Assert.Equal(0, await Sweep.SweepAsync(Cancel));
        await directory.Database.RunAsync($"update stale_groups_told set fresh_until = fresh_until - 200 where espace_id = '{IdOf("sweep")}' and espace_group = 'MODALITE'");
        await ConfirmedAsync("sweep", "MODALITE", 120);
        Assert.Equal(1, await Sweep.SweepAsync(Cancel));
    }

    [Fact]
    public async Task Sweep_MoreThanAPortion_TellsAll()
    {
        foreach (var some in Enumerable.Range(0, 120).Chunk(40))
            await directory.ImportAsync([.. some.Select(i => Espace($"many{i}", "26362"))]);
        await Sweep.SweepAsync(Cancel);
        await directory.Database.RunAsync("update espace_groups set confirmed_at = (confirmed_at at time zone 'Europe/Paris' - interval '600 days') at time zone 'Europe/Paris' from espaces e where e.id = espace_id and e.departement = '26' and espace_group <> 'ATTENTE'");
        var due = await directory.Database.ReadAsync<long>("select count(*) from espace_groups g join espaces e on e.id = g.espace_id where e.departement = '26' and espace_group <> 'ATTENTE'");

        Assert.InRange(due, 501, 2000);
        Assert.Equal(due, await Sweep.SweepAsync(Cancel));
    }

    [Fact]
    public async Task Import_ThatWithdrawsTheAgrement_IsToldAtOnceAndOnce()
    {
        var espace = Espace("withdrawn");
        await directory.ImportAsync(espace);
        (espace.Agrements[0].State, espace.Agrements[0].EndDate) = (AgrementState.Retire, Today.AddDays(-1).ToProto());
        await directory.ImportAsync(espace);

        var lastDay = await Eventually.BecomesAsync(
            () => directory.Database.ReadAllAsync<DateOnly>($"select last_day from agrement_ends_told where espace_id = '{IdOf("withdrawn")}'"), d => d.Count == 1, "the end of the agrément told");
        Assert.Equal([Today.AddDays(-1)], lastDay);
        Assert.Equal(0, await Sweep.SweepAgrementsAsync(Cancel));

        // Valid today still, or followed by another: nothing to tell.
        var (last, followed) = (Espace("lastday"), Espace("followed"));
        last.Agrements[0].EndDate = Today.ToProto();
        followed.Agrements[0].EndDate = Today.AddDays(-9).ToProto();
        followed.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = Today.AddDays(-8).ToProto() });
        await directory.ImportAsync(last, followed);
        Assert.Equal(0, await Sweep.SweepAgrementsAsync(Cancel));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public async Task Import_ThatWithdrawsTheAgrementFromALaterDayOn_IsToldAtOnceAndNotAgainAfterwards(int days)
    {
        var id = $"ahead{days}";
        var espace = Espace(id);
        await directory.ImportAsync(espace);
        (espace.Agrements[0].State, espace.Agrements[0].EndDate) = (AgrementState.Retire, Today.AddDays(days).ToProto());
        await directory.ImportAsync(espace);

        var lastDay = await Eventually.BecomesAsync(
            () => directory.Database.ReadAllAsync<DateOnly>($"select last_day from agrement_ends_told where espace_id = '{IdOf(id)}'"), d => d.Count == 1, "the withdrawal told");
        Assert.Equal([Today.AddDays(days)], lastDay);
        Assert.Equal(0, await Sweep.SweepAgrementsAsync(Cancel));
        await directory.Database.RunAsync($"""
            update agrements set end_date = end_date - {days + 1} where espace_id = '{IdOf(id)}';
            update agrement_ends_told set last_day = last_day - {days + 1} where espace_id = '{IdOf(id)}'
            """);
        Assert.Equal(0, await Sweep.SweepAgrementsAsync(Cancel));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(20)]
    public async Task Import_ThatWithdrawsTheAgrementOfOneLieu_TellsThatLieu(int days)
    {
        await using var received = await EventTests.Listener.StartAsync(directory.Prefix);
        var id = $"lieu{days + 1}";
        var espace = Espace(id);
        espace.Lieux.Add(new Lieu { ExternalId = "L2", Name = "Annexe fictive", CommuneInsee = "69266" });
        espace.Agrements[0].LieuExternalIds.Add("L1");
        var second = espace.Agrements[0].Clone();
        second.LieuExternalIds[0] = "L2";
        espace.Agrements.Add(second);
        await directory.ImportAsync(espace);
        (second.State, second.EndDate) = (AgrementState.Retire, Today.AddDays(days).ToProto());
        await directory.ImportAsync(espace);

        var told = await received.FirstAsync<Contracts.Events.AgrementLieuEnded>(e => e.AggregateId == IdOf(id));

        Assert.Equal(
            (StableIds.Gestionnaire("test", "G-" + id), StableIds.Lieu(IdOf(id), "L2"), Today.AddDays(days), true),
            (told.GestionnaireId, told.LieuId, told.LastDay, told.Withdrawn));
        var published = await received.FirstAsync<Contracts.Events.EspacePublished>(e => e.AggregateId == IdOf(id) && e.AggregateVersion == 2);
        Assert.Equal([StableIds.Lieu(IdOf(id), "L1"), told.LieuId], published.LieuAgrements!.Select(l => l.LieuId));
        Assert.Equal(told.LastDay, published.LieuAgrements![1].Periods.Single().To);
        Assert.Equal(0, await Sweep.SweepAgrementsAsync(Cancel));
        Assert.Equal(0, await directory.Database.ReadAsync<long>($"select count(*) from agrement_ends_told where espace_id = '{IdOf(id)}'"));
    }

    [Fact]
    public async Task Start_SomethingWentStaleMeanwhile_IsToldWithoutWaitingForAnHour()
    {
        await directory.ImportAsync(Espace("at-start"));
        await Sweep.SweepAsync(Cancel);
        await ConfirmedAsync("at-start", "ACCUEIL", 0);
        await ConfirmedAsync("at-start", "LIEUX", 400);

        await using var replica = await directory.StartAsync(new Dictionary<string, string?> { ["Upkeep:FirstSweepAfter"] = "00:00:00" });

        await Eventually.BecomesAsync(() => ToldAsync("at-start"), t => t.SequenceEqual(["LIEUX:"]), "the stale group told");
    }

    [Fact]
    public async Task ListUpkeepItems_ModaliteThatShouldHaveReopened_IsLookedAfterAgain()
    {
        var espace = Espace("reopened", wait: null);
        espace.Modalites[0].State = ModaliteState.Fermee;
        espace.Modalites[0].ReopeningDate = Today.AddDays(1).ToProto();
        await directory.ImportAsync(espace);
        await ConfirmedAsync("reopened", "MODALITE", 100);
        Assert.Empty((await ListAsync("G-reopened", new() { Kinds = { UpkeepKind.Confirm } })).Items);
        await Sweep.SweepAsync(Cancel);
        Assert.Empty(await ToldAsync("reopened"));

        await directory.Database.RunAsync($"update modalites set reopening_date = reopening_date - 1 where espace_id = '{IdOf("reopened")}'");

        Assert.Equal(EspaceGroup.Modalite, Assert.Single((await ListAsync("G-reopened", new() { Kinds = { UpkeepKind.Confirm } })).Items).Group);
        await Sweep.SweepAsync(Cancel);
        Assert.Equal(["MODALITE:VISITE"], await ToldAsync("reopened"));
        var declared = await directory.Gestionnaire("G-reopened").DeclareWaitAsync(
            new() { EspaceId = IdOf("reopened").ToString(), Modalite = Modalite.Visite, Days = 9, RequestId = NewId() }, cancellationToken: Cancel);
        Assert.Equal(9, declared.DeclaredWait.Days);
    }

    [Fact]
    public async Task UpdateEspace_ThatWithdrawsTheAgrement_IsToldAtOnce()
    {
        await directory.ImportAsync(Espace("changed"));
        var espace = (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf("changed").ToString() }, cancellationToken: Cancel)).Espace;
        (espace.Agrements[0].State, espace.Agrements[0].EndDate) = (AgrementState.Retire, Today.AddDays(-2).ToProto());

        await directory.Operateur.UpdateEspaceAsync(
            new() { Espace = espace, UpdateMask = new() { Paths = { "agrements" } }, RequestId = NewId() }, cancellationToken: Cancel);

        var told = await Eventually.BecomesAsync(
            () => directory.Database.ReadAllAsync<DateOnly>($"select last_day from agrement_ends_told where espace_id = '{IdOf("changed")}'"), d => d.Count == 1, "the end of the agrément told");
        Assert.Equal([Today.AddDays(-2)], told);
    }

    [Fact]
    public async Task AgrementValidities_AnyAgrements_AreWhatTheDomainSays()
    {
        await directory.ImportAsync(Espace("validity"));
        var id = IdOf("validity");
        var (first, days) = (new DateOnly(2024, 11, 1), 700);
        var day = Gen.Choose(0, days - 1).Select(d => (DateOnly?)first.AddDays(d));
        var maybe = Gen.OneOf(day, Gen.Constant((DateOnly?)null));
        var agrement = from state in Gen.Elements(Enum.GetValues<AgrementState>()[1..])
                       from request in maybe
                       from start in maybe
                       from length in Gen.Choose(0, 300)
                       from open in Gen.Elements(true, false)
                       select new HeldAgrement("", "69", state, request, state == AgrementState.Accorde ? start ?? first : start, open ? null : (start ?? request ?? first).AddDays(length));
        Prop.ForAll(agrement.ArrayOf().Resize(4).ToArbitrary(), agrements =>
        {
            WriteAsync(agrements).GetAwaiter().GetResult();
            var valid = directory.Database.ReadAllAsync<DateOnly>($"""
                select d::date from agrement_validities v, generate_series('{first:yyyy-MM-dd}'::date, '{first.AddDays(days + 400):yyyy-MM-dd}'::date, interval '1 day') d
                where v.espace_id = '{id}' and v.days @> d::date order by 1
                """).GetAwaiter().GetResult();
            return valid.SequenceEqual(Enumerable.Range(0, days + 401).Select(first.AddDays).Where(d => agrements.Any(a => a.IsValidOn(d))));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

        async Task WriteAsync(HeldAgrement[] agrements)
        {
            await directory.Database.RunAsync($"delete from agrements where espace_id = '{id}'");
            foreach (var (i, a) in agrements.Index())
            {
                await directory.Database.RunAsync($"""
                    insert into agrements (espace_id, position, number, departement, state, request_date, start_date, end_date)
                    values ('{id}', {i}, '', '69', '{a.State.ToCode()}', {Sql(a.RequestDate)}, {Sql(a.StartDate)}, {Sql(a.EndDate)})
                    """);
            }
        }
    }

    private static string Sql(DateOnly? day) => day is { } known ? $"'{known:yyyy-MM-dd}'" : "null";

    private static DateOnly ToDay(Date date) => new(date.Year, date.Month, date.Day);

    private Task<int> ConfirmedAsync(string espace, string group, int daysAgo) => directory.Database.RunAsync(
        $"update espace_groups set confirmed_at = (now() at time zone 'Europe/Paris' - interval '{daysAgo} days') at time zone 'Europe/Paris' where espace_id = '{IdOf(espace)}' and espace_group = '{group}'");

    private Task<IReadOnlyList<string>> ToldAsync(string espace) => directory.Database.ReadAllAsync<string>(
        $"select espace_group || ':' || key from stale_groups_told where espace_id = '{IdOf(espace)}' order by 1");

    private async Task<ListUpkeepItemsResponse> ListAsync(string gestionnaire, ListUpkeepItemsRequest request) =>
        await directory.Gestionnaire(gestionnaire).ListUpkeepItemsAsync(request, cancellationToken: Cancel);
}
