using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Journal;

namespace Jafer.ContractTests;

public sealed class AccessTableTests
{
    private static readonly string[] s_roles = ["juridiction", "espace", "operateur", "statisticien", "systeme", "partenaire", "prefecture"];

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
        Rule.BrokenByNobody(AccessTable.BuiltIn.Rpcs.Where(rpc => s_roles.All(role => AccessTable.BuiltIn.Grant(rpc, role) == Tenancy.None)));

    [Fact]
    public void Grant_UnknownRoleOrRpc_IsNone()
    {
        Assert.Equal(Tenancy.None, AccessTable.BuiltIn.Grant("/jafer.mesure.v1.MesureService/GetMesure", "parent"));
        Assert.Equal(Tenancy.None, AccessTable.BuiltIn.Grant("/jafer.mesure.v1.MesureService/Absent", "operateur"));
    }
}
