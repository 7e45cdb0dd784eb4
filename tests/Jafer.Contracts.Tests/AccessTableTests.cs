using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Journal;

namespace Jafer.ContractTests;

public sealed class AccessTableTests
{
    [Fact]
    public void Table_Rows_AreTheRpcsAndNothingElse() => Assert.Equal(
        Contracts.Methods.Select(m => $"/{m.Service.FullName}/{m.Name}").Order(StringComparer.Ordinal),
        AccessTable.BuiltIn.Rpcs.Order(StringComparer.Ordinal));

    [Fact]
    public void PersonalTable_Rows_AreTheRpcsAndNothingElse() => Assert.Equal(
        Contracts.Methods.Select(m => $"/{m.Service.FullName}/{m.Name}").Order(StringComparer.Ordinal),
        PersonalTable.BuiltIn.Rpcs.Order(StringComparer.Ordinal));

    [Fact]
    public void Table_AnyRpc_IsGrantedToSomebody() =>
        Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs.Where(rpc => AccessTable.BuiltIn.Roles.All(role => AccessTable.BuiltIn.Grant(rpc, role) == Tenancy.None)));

    [Fact]
    public void Table_ActsInTheSteadOfAnEspace_AreThoseThatSayForWhom()
    {
        var forEspace = Contracts.Methods.Where(m => m.InputType.FindFieldByName("on_behalf_of_espace") is not null).Select(m => $"/{m.Service.FullName}/{m.Name}").ToList();

        // An operator has no mesures of its own; a court does its own acts too, and the espace acts for itself.
        Assert.Equal(
            forEspace.Order(StringComparer.Ordinal),
            AccessTable.BuiltIn.Rpcs.Where(rpc => AccessTable.BuiltIn.Cell(rpc, Roles.Operateur).OnlyForEspace).Order(StringComparer.Ordinal));
        Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs.Where(rpc => AccessTable.BuiltIn.Cell(rpc, Roles.Juridiction).OnlyForEspace && !forEspace.Contains(rpc)));
        Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs.Where(rpc => AccessTable.BuiltIn.Cell(rpc, Roles.Espace).OnlyForEspace));
    }

    // An operator who is competent for a part of France is let in by a cell that says so; what courts see of everybody is no secret of a region.
    [Fact]
    public void Table_Operators_AreOfATerritoryOrTheNationWhereCourtsAreNotLetIn() => Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs.Where(rpc =>
        AccessTable.BuiltIn.Cell(rpc, Roles.Operateur) is { Tenancy: Tenancy.Any, OnlyForNation: false } && AccessTable.BuiltIn.Grant(rpc, Roles.Juridiction) != Tenancy.Any));

    [Fact]
    public void Table_Prefectures_ActWhereTheirTerritoryWasSaidAlone() => Rule.BrokenByNobody(Contracts.Methods
        .Where(m => m.Service.Name == "DirectoryService" && m.InputType.FindFieldByName("request_id") is not null)
        .Select(m => $"/{m.Service.FullName}/{m.Name}")
        .Where(rpc => AccessTable.BuiltIn.Cell(rpc, Roles.Prefecture) is { Tenancy: not Tenancy.None, OnlyWhereSaid: false }));

    [Fact]
    public void Table_Services_AreNeverPersons() => Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs.Where(rpc =>
        AccessTable.BuiltIn.Cell(rpc, Roles.Systeme) is { Tenancy: not Tenancy.None, Actors: not Actors.Software }));

    // A reader changes nothing: what has a request_id needs an agent, in every cell of every rpc.
    [Fact]
    public void Table_Ranks_OfWhatChangesSomethingAreAgentOrManager() => Rule.BrokenByNobody(Contracts.Methods
        .SelectMany(m => AccessTable.BuiltIn.Roles, (m, role) => (m, role, cell: AccessTable.BuiltIn.Cell($"/{m.Service.FullName}/{m.Name}", role)))
        .Where(x => x.cell.Tenancy != Tenancy.None && (x.m.InputType.FindFieldByName("request_id") is null) != (x.cell.Rank == MemberRank.Reader))
        .Select(x => $"{x.m.FullName} as {x.role}"));

    [Fact]
    public void Table_RightsOfMembers_AreGivenByManagersWhoArePersons() => Rule.BrokenByNobody(Contracts.Methods
        .Where(m => m.Service.Name is "MemberService" or "CredentialService" && m.InputType.FindFieldByName("request_id") is not null && m.Name != "AcceptInvitation")
        .SelectMany(m => AccessTable.BuiltIn.Roles, (m, role) => (m, role, cell: AccessTable.BuiltIn.Cell($"/{m.Service.FullName}/{m.Name}", role)))
        .Where(x => x.cell.Tenancy != Tenancy.None && x.cell is not { Rank: MemberRank.Manager, Actors: Actors.Person })
        .Select(x => $"{x.m.FullName} as {x.role}"));

    // Threads and notices stay with whom they were held: these services do not tell a mesure that moved on from another one.
    [Fact]
    public void Table_ThreadsAndNotices_AreOfFormerHoldersToo() => Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs
        .Where(rpc => rpc.Contains(".MessagingService/", StringComparison.Ordinal) || rpc.Contains(".NoticeService/ListNotices", StringComparison.Ordinal))
        .Where(rpc => !rpc.EndsWith("/ListTemplates", StringComparison.Ordinal))
        .Where(rpc => AccessTable.BuiltIn.Cell(rpc, Roles.Espace) is { Tenancy: Tenancy.Own } cell && !cell.Admits(Relations.FormerHolder)));

    // It learns of the mesure when the judge designates it: the relation is understood so that a cell can say otherwise one day.
    [Fact]
    public void Table_SubsidiaryEspace_IsGrantedNothing() => Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs
        .Where(rpc => AccessTable.BuiltIn.Cell(rpc, Roles.Espace) is { Tenancy: Tenancy.Own } cell && cell.Admits(Relations.Subsidiary)));

    [Fact]
    public void Grant_UnknownRoleOrRpc_IsNone()
    {
        Assert.Equal(Tenancy.None, AccessTable.BuiltIn.Grant("/jafer.mesure.v1.MesureService/GetMesure", "parent"));
        Assert.Equal(Tenancy.None, AccessTable.BuiltIn.Grant("/jafer.mesure.v1.MesureService/Absent", "operateur"));
    }
}
