using System.Text;
using Jafer.ServiceDefaults.Access;

namespace Jafer.ContractTests;

/// <summary>docs/access.md shows the access table; JAFER_GOLDEN=write renders it anew.</summary>
public sealed class AccessDocumentTests
{
    private const string Begin = "<!-- The tables below are rendered from access.csv by AccessDocumentTests. -->";

    // What somebody can be to a mesure, thread or espace, or another caller; each with their role and the relation that a cell must admit.
    private static readonly (string Title, string Role, Relations Relation)[] s_columns =
    [
        ("court", Roles.Juridiction, Relations.Holder), ("another court", Roles.Juridiction, Relations.None),
        ("espace", Roles.Espace, Relations.Holder), ("espace, no judge", Roles.Espace, Relations.NonJudicialHolder),
        ("former espace", Roles.Espace, Relations.FormerHolder), ("subsidiary espace", Roles.Espace, Relations.Subsidiary), ("another espace", Roles.Espace, Relations.None),
        ("operator", Roles.Operateur, Relations.Holder), ("statistician", Roles.Statisticien, Relations.Holder), ("service of Jafer", Roles.Systeme, Relations.Holder),
        ("partenaire", Roles.Partenaire, Relations.Holder), ("préfecture", Roles.Prefecture, Relations.Holder),
    ];

    [Fact]
    public void Document_Tables_AreTheAccessTable()
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("JAFER_ROOT") ?? OwnRoot(), "docs", "access.md");
        var text = File.ReadAllText(file).ReplaceLineEndings("\n");
        var whole = text[..(text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)] + "\n" + Rendered();
        if (Environment.GetEnvironmentVariable("JAFER_GOLDEN") == "write")
        {
            File.WriteAllText(file, whole);
            return;
        }

        Assert.Equal(whole, text);
    }

    [Fact]
    public void Document_Columns_AreOfEveryRole() =>
        Assert.Equal(AccessTable.BuiltIn.Roles.Order(StringComparer.Ordinal), s_columns.Select(c => c.Role).Distinct().Order(StringComparer.Ordinal));

    private static string Rendered()
    {
        var text = new StringBuilder();
        foreach (var service in Contracts.Methods.GroupBy(m => m.Service).OrderBy(s => s.Key.FullName, StringComparer.Ordinal))
        {
            text.Append("\n## ").Append(service.Key.FullName).Append("\n\n| rpc | rank |");
            text.AppendJoin("", s_columns.Select(c => $" {c.Title} |")).Append("\n|---|---|").AppendJoin("", s_columns.Select(_ => "---|")).Append('\n');
            foreach (var rpc in service)
            {
                text.Append("| `").Append(rpc.Name).Append("` | ").Append(Rank($"/{rpc.Service.FullName}/{rpc.Name}")).Append(" |")
                    .AppendJoin("", s_columns.Select(c => $" {Mark(AccessTable.BuiltIn.Cell($"/{rpc.Service.FullName}/{rpc.Name}", c.Role), c)} |")).Append('\n');
            }
        }

        return text.ToString();
    }

    // The same for every role; Jafer's own services have no members.
    private static string Rank(string rpc)
    {
        var cells = AccessTable.BuiltIn.Roles.Where(r => r != Roles.Systeme).Select(r => AccessTable.BuiltIn.Cell(rpc, r)).Where(c => c.Tenancy != Tenancy.None);
        return string.Join(", ", cells.Select(c => c.OpenToInvited ? "invited" : c.Rank.ToString().ToLowerInvariant()).Distinct()) is { Length: > 0 } ranks ? ranks : "·";
    }

    private static string Mark(AccessCell cell, (string Title, string Role, Relations Relation) column)
    {
        if (cell.Tenancy is not (Tenancy.Aggregate or Tenancy.Territory) && !cell.Admits(column.Relation))
        {
            return "·";
        }

        // The operator and others hold no mesure and no espace: what is their own are threads, feeds, endpoints.
        var all = cell.Tenancy == Tenancy.Own && column.Role is not (Roles.Juridiction or Roles.Espace) ? "○" : "●";
        var who = cell.Actors == Actors.All ? all : string.Concat(
            new[] { (Actors.Person, "P"), (Actors.Software, "S"), (Actors.SoftwareForPerson, "F") }.Where(a => cell.Actors.HasFlag(a.Item1)).Select(a => a.Item2));
        var where = cell.WithTerritory ? cell.OnlyWhereSaid ? "Tˢ" : "T" : cell.OnlyForNation ? "N" : "";
        return (cell.Tenancy == Tenancy.Aggregate ? "Σ" : "") + (cell.Tenancy == Tenancy.Aggregate && who == all ? "" : who) + where + (cell.OnlyForEspace ? "ᴱ" : "");
    }

    private static string OwnRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Jafer.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("not in the repository");
        }

        return at.FullName;
    }
}
