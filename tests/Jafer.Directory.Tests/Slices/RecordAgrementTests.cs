using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Préfectures that record agréments, and operators who are competent for a part of France, on a directory that knows territories.</summary>
public sealed class RecordAgrementTests(MemberFixture directory) : IClassFixture<MemberFixture>
{
    private static readonly Guid s_national = StableIds.For("organisation:operateur:national");

    private DirectoryService.DirectoryServiceClient Operateur => Client(Roles.Operateur, s_national);

    [Fact]
    public async Task RecordAgrement_GrantRenewSuspendWithdraw_StandsInSearchHistoryAndEvents()
    {
        var rhone = await CompetentAsync(Roles.Prefecture, "69");
        var file = new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddDays(-20).ToProto() };
        var espace = await ImportAsync("grant", e => e.Agrements[0] = file);

        var granted = Decided("2026-69-1", AgrementState.Accorde, Today, Today.AddYears(1), "L1");
        var request = new RecordAgrementRequest { EspaceId = espace, Agrement = granted, ReplacedAgrement = file, RequestId = NewId() };
        var first = (await rhone.Client.RecordAgrementAsync(request, cancellationToken: Cancel)).Espace;
        Assert.Equal([granted], first.Agrements);
        Assert.Equal(first, (await rhone.Client.RecordAgrementAsync(request, cancellationToken: Cancel)).Espace);

        var renewal = Decided("2027-69-1", AgrementState.Accorde, Today.AddYears(1).AddDays(1), null);
        var renewed = (await rhone.Client.RecordAgrementAsync(new() { EspaceId = espace, Agrement = renewal, Etag = first.Etag, RequestId = NewId() }, cancellationToken: Cancel)).Espace;
        Assert.Equal(["2027-69-1", "2026-69-1"], renewed.Agrements.Select(a => a.Number));

        var suspended = new Agrement(granted) { State = AgrementState.Suspendu, EndDate = Today.AddDays(-1).ToProto(), StartDate = Today.AddDays(-30).ToProto() };
        var stopped = (await rhone.Client.RecordAgrementAsync(new() { EspaceId = espace, Agrement = suspended, ReplacedAgrement = granted, RequestId = NewId() }, cancellationToken: Cancel)).Espace;
        Assert.Equal([AgrementState.Accorde, AgrementState.Suspendu], stopped.Agrements.Select(a => a.State));
        var designation = await Operateur.CheckDesignationAsync(new() { EspaceId = espace, Mesure = new() { Modalite = Contracts.Type.V1.Modalite.Visite } }, cancellationToken: Cancel);
        Assert.False(designation.Designable);

        var changes = (await rhone.Client.ListEspaceChangesAsync(new() { EspaceId = espace, Group = EspaceGroup.Agrement }, cancellationToken: Cancel)).Changes;
        Assert.Equal([rhone.Id.ToString(), rhone.Id.ToString(), rhone.Id.ToString(), s_national.ToString()], changes.Select(c => c.OrganisationId));
        Assert.Equal(rhone.Id.ToString(), stopped.Provenances.Single(p => p.Group == EspaceGroup.Agrement).OrganisationId);
    }

    [Fact]
    public async Task RecordAgrement_OfAnotherDepartementNoneOrNoTerritory_IsRefusedAlike()
    {
        var espace = await ImportAsync("elsewhere");
        var ain = await CompetentAsync(Roles.Prefecture, "01");
        var nowhere = Client(Roles.Prefecture, Guid.Parse(NewId()));

        foreach (var (client, id) in new[] { (ain.Client, espace), (ain.Client, NewId()), (nowhere, espace), (nowhere, NewId()) })
        {
            var refusal = await Refusal.OfAsync(client.RecordAgrementAsync(Grant(id, Today), cancellationToken: Cancel));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(nowhere.ListUpkeepItemsAsync(new(), cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task RecordAgrement_WhatIsWrong_IsNamed()
    {
        var rhone = await CompetentAsync(Roles.Prefecture, "69");
        var espace = await ImportAsync("wrong");
        async Task<IEnumerable<string>> FieldsAsync(Action<RecordAgrementRequest> change)
        {
            var request = Grant(espace, Today);
            change(request);
            return (await Refusal.OfAsync(rhone.Client.RecordAgrementAsync(request, cancellationToken: Cancel))).Fields.Order(StringComparer.Ordinal);
        }

        Assert.Equal(["agrement"], await FieldsAsync(_ => { }));
        Assert.Equal(["agrement"], await FieldsAsync(r => r.Agrement = null));
        Assert.Equal(["agrement.decision_date", "agrement.number"], await FieldsAsync(r => (r.Agrement.DecisionDate, r.Agrement.Number) = (null, "")));
        Assert.Equal(["agrement.decision_date"], await FieldsAsync(r => r.Agrement.DecisionDate = Today.AddDays(3).ToProto()));
        Assert.Equal(["agrement.departement"], await FieldsAsync(r => (r.Agrement.Departement, r.Agrement.StartDate, r.Agrement.State, r.Agrement.EndDate) = ("01", null, AgrementState.Refuse, null)));
        Assert.Equal(["agrement.end_date"], await FieldsAsync(r => (r.Agrement.State, r.Agrement.StartDate) = (AgrementState.Suspendu, null)));
        Assert.Equal(["agrement.lieu_external_ids[0]", "replaced_agrement"], await FieldsAsync(r =>
        {
            r.Agrement.LieuExternalIds.Add("L9");
            r.ReplacedAgrement = new() { Number = "inconnu" };
            (r.Agrement.State, r.Agrement.StartDate) = (AgrementState.Refuse, null);
        }));
        var stale = await Refusal.OfAsync(rhone.Client.RecordAgrementAsync(
            new() { EspaceId = espace, Agrement = Decided("", AgrementState.Refuse, null, null), Etag = "0", RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (stale.Code, stale.Reason));
    }

    [Fact]
    public async Task UpdateAndImport_OfWhatAPrefectureRecorded_LeaveItAsItIs()
    {
        var rhone = await CompetentAsync(Roles.Prefecture, "69");
        var import = Espace("recorded");
        var espace = await ImportAsync("recorded");
        var held = (await rhone.Client.GetEspaceAsync(new() { EspaceId = espace }, cancellationToken: Cancel)).Espace;
        var ended = new Agrement(held.Agrements[0]) { State = AgrementState.Retire, EndDate = Today.ToProto(), DecisionDate = Today.ToProto() };
        await rhone.Client.RecordAgrementAsync(new() { EspaceId = espace, Agrement = ended, ReplacedAgrement = held.Agrements[0], RequestId = NewId() }, cancellationToken: Cancel);

        // The operator, who could before; and the espace, which never could.
        foreach (var client in new[] { Operateur, Client(Roles.Espace, StableIds.Gestionnaire("test", "G-recorded")) })
        {
            var update = new UpdateEspaceRequest { Espace = new(held), UpdateMask = new() { Paths = { "agrements" } }, RequestId = NewId() };
            Assert.Contains("espace.agrements", (await Refusal.OfAsync(client.UpdateEspaceAsync(update, cancellationToken: Cancel))).Fields);
        }

        // The file changes all else, and adds a new application.
        import.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.ToProto() });
        import.Name = "Espace fictif renommé";
        await Operateur.ImportEspacesAsync(Request(import), cancellationToken: Cancel);
        var after = (await rhone.Client.GetEspaceAsync(new() { EspaceId = espace }, cancellationToken: Cancel)).Espace;
        Assert.Equal("Espace fictif renommé", after.Name);
        Assert.Equal([AgrementState.Demande, AgrementState.Accorde], after.Agrements.Select(a => a.State));
        Assert.Equal(Today.ToProto(), after.Agrements[1].EndDate);
    }

    [Fact]
    public async Task ListUpkeepItems_OfAPrefecture_AreAgrementsThatEndInItsDepartement()
    {
        var loire = await CompetentAsync(Roles.Prefecture, "42");
        var espace = await ImportAsync("ending", e => e.Agrements[0].EndDate = Today.AddDays(40).ToProto(), "42218");
        await ImportAsync("ending-elsewhere", e => e.Agrements[0].EndDate = Today.AddDays(40).ToProto());
        await directory.Database.RunAsync($"update espace_groups set confirmed_at = confirmed_at - interval '3 years', said_at = said_at - interval '3 years' where espace_id = '{espace}'");

        var items = (await loire.Client.ListUpkeepItemsAsync(new(), cancellationToken: Cancel)).Items;

        Assert.Equal([(espace, UpkeepKind.AgrementEnds, Today.AddDays(40).ToProto())], items.Select(i => (i.EspaceId, i.Kind, i.DueDate)));
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(loire.Client.ListUpkeepItemsAsync(new() { Kinds = { UpkeepKind.Silent } }, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task OperatorOfATerritory_ActsAndReadsWithinItAlone()
    {
        var lyon = await CompetentAsync(Roles.Operateur, "69");
        var (inside, outside) = (await ImportAsync("inside"), await ImportAsync("outside", commune: "42218"));

        Assert.Equal("Nom", (await lyon.Client.UpdateEspaceAsync(Renamed(inside), cancellationToken: Cancel)).Espace.Name);
        foreach (var id in new[] { outside, NewId() })
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(lyon.Client.UpdateEspaceAsync(Renamed(id), cancellationToken: Cancel))).Reason);
        Assert.Equal("RESOURCE_NOT_FOUND", (await Refusal.OfAsync(Operateur.UpdateEspaceAsync(Renamed(NewId()), cancellationToken: Cancel))).Reason);
        Assert.All((await lyon.Client.ListUpkeepItemsAsync(new() { WithinDays = 365, PageSize = 200 }, cancellationToken: Cancel)).Items, i => Assert.Equal("69", i.Departement));
        Assert.NotEmpty((await lyon.Client.ListContactsAsync(new() { OrganisationId = StableIds.Gestionnaire("test", "G-inside").ToString() }, cancellationToken: Cancel)).Contacts);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(lyon.Client.ListContactsAsync(
            new() { OrganisationId = StableIds.Gestionnaire("test", "G-outside").ToString() }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(lyon.Client.ImportEspacesAsync(Request(Espace("imported")), cancellationToken: Cancel))).Reason);

        // What is the gestionnaire's as a whole is not for who is competent where a part of it lies.
        var half = Espace("half", "42218");
        half.Gestionnaire = Espace("inside").Gestionnaire;
        await Operateur.ImportEspacesAsync(Request(half), cancellationToken: Cancel);
        var whole = Renamed(inside);
        (whole.Espace.GestionnaireName, whole.UpdateMask.Paths[0]) = ("Autre nom", "gestionnaire_name");
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(lyon.Client.UpdateEspaceAsync(whole, cancellationToken: Cancel))).Reason);

        static UpdateEspaceRequest Renamed(string id) => new() { Espace = new() { EspaceId = id, Name = "Nom" }, UpdateMask = new() { Paths = { "name" } }, RequestId = NewId() };
    }

    [Fact]
    public async Task GetCoverage_OfAPartnerWithATerritory_IsOfItAlone()
    {
        var caf = await CompetentAsync(Roles.Partenaire, "69", "42");
        async Task<IReadOnlyList<string>> CodesAsync(CoverageLevel level, string departement = "") =>
            [.. (await caf.Client.GetCoverageAsync(new() { Level = level, Departement = departement }, cancellationToken: Cancel)).Rows.Select(r => r.Code)];

        Assert.Equal(["42", "69"], await CodesAsync(CoverageLevel.Departement));
        Assert.Equal(["TERRITOIRE"], await CodesAsync(CoverageLevel.France));
        Assert.Equal(["tj42187", "tj42218", "tj69123", "tj69264"], await CodesAsync(CoverageLevel.Court));
        // That of Lyon has the Ain too.
        Assert.Empty(await CodesAsync(CoverageLevel.CourAppel));
        Assert.Empty(await CodesAsync(CoverageLevel.Commune, "01"));
        Assert.All(await CodesAsync(CoverageLevel.Commune, "69"), code => Assert.StartsWith("69", code, StringComparison.Ordinal));
        var departements = (await Client(Roles.Statisticien, Guid.Parse(NewId())).GetCoverageAsync(new() { Level = CoverageLevel.Departement }, cancellationToken: Cancel)).Rows;
        var all = (await caf.Client.GetCoverageAsync(new() { Level = CoverageLevel.France }, cancellationToken: Cancel)).Rows[0];
        Assert.Equal(departements.Where(r => r.Code is "42" or "69").Sum(r => r.Population), all.Population);

        var lyonnais = await CompetentAsync(Roles.Partenaire, "01", "42", "69");
        Assert.Equal(["Cour d'appel de Lyon"], (await lyonnais.Client.GetCoverageAsync(new() { Level = CoverageLevel.CourAppel }, cancellationToken: Cancel)).Rows.Select(r => r.Code));
    }

    private DirectoryService.DirectoryServiceClient Client(string role, Guid organisation) => new(directory.Host.Channel(role, organisation));

    /// <summary>An organisation that is competent for some départements.</summary>
    private async Task<(Guid Id, DirectoryService.DirectoryServiceClient Client)> CompetentAsync(string role, params string[] departements)
    {
        var id = Guid.Parse(NewId());
        await directory.Database.RunAsync($"insert into territories values ('{id}', 'Organisation fictive', '{{{string.Join(',', departements)}}}', now(), 1)");
        return (id, Client(role, id));
    }

    private async Task<string> ImportAsync(string name, Action<EspaceImport>? change = null, string commune = "69123")
    {
        var espace = Espace(name, commune);
        change?.Invoke(espace);
        await Operateur.ImportEspacesAsync(Request(espace), cancellationToken: Cancel);
        return IdOf(name).ToString();
    }

    private static RecordAgrementRequest Grant(string espace, DateOnly start) =>
        new() { EspaceId = espace, Agrement = Decided("2026-69-9", AgrementState.Accorde, start, null), RequestId = NewId() };

    private static Agrement Decided(string number, AgrementState state, DateOnly? start, DateOnly? end, params string[] lieux) => new()
    {
        Number = number,
        Departement = "69",
        State = state,
        StartDate = start.ToProto(),
        EndDate = end.ToProto(),
        DecisionDate = Today.ToProto(),
        LieuExternalIds = { lieux },
    };
}
