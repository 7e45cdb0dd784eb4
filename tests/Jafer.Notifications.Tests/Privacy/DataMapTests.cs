using System.Globalization;
using System.Text;
using Jafer.Directory;
using Jafer.Directory.Data;
using Jafer.Messaging;
using Jafer.Messaging.Data;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Privacy;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Notifications.Tests.Privacy;

/// <summary>docs/privacy.md shows every column of the four databases; JAFER_GOLDEN=write renders it anew.</summary>
public sealed class DataMapTests
{
    private const string Begin = "<!-- The tables below are rendered from the attributes in the code by DataMapTests. -->";

    // Read from the database itself: no column is forgotten because no class knows it. Partitions are as their table.
    private const string Columns = """
        select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and a.attnum > 0 and not a.attisdropped
        order by n.nspname <> 'public', n.nspname, c.relname, a.attnum
        """;

    private static readonly DataCategory[] s_personal =
        [DataCategory.Identity, DataCategory.Contact, DataCategory.Decision, DataCategory.Situation, DataCategory.FreeText, DataCategory.Document, DataCategory.Secret];

    [Fact]
    public async Task Document_Map_IsThatOfEveryColumn()
    {
        var problems = new List<string>();
        var text = new StringBuilder();
        await AppendAsync<DirectoryDbContext>(DirectoryModule.Name, c => DirectoryModule.Build([], c), app => app.MigrateDirectoryAsync(), text, problems);
        await AppendAsync<MesuresDbContext>(MesuresModule.Name, c => MesuresModule.Build([], c), app => app.MigrateAsync<MesuresDbContext>(), text, problems);
        await AppendAsync<MessagingDbContext>(MessagingModule.Name, c => MessagingModule.Build([], c), MessagingModule.MigrateAsync, text, problems);
        await AppendAsync<NotificationsDbContext>(NotificationsModule.Name, c => NotificationsModule.Build([], c), NotificationsModule.MigrateAsync, text, problems);
        Assert.Empty(problems);

        var file = Path.Combine(Environment.GetEnvironmentVariable("JAFER_ROOT") ?? OwnRoot(), "docs", "privacy.md");
        var document = (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n");
        var whole = document[..(document.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)] + "\n" + text;
        if (Environment.GetEnvironmentVariable("JAFER_GOLDEN") == "write")
        {
            await File.WriteAllTextAsync(file, whole, TestContext.Current.CancellationToken);
            return;
        }

        Assert.Equal(whole, document);
    }

    private static async Task AppendAsync<TContext>(
        string name, Func<Action<WebApplicationBuilder>, WebApplication> build, Func<WebApplication, Task> migrate, StringBuilder text, List<string> problems)
        where TContext : JaferDbContext
    {
        await using var database = await TestDatabase.CloneAsync(name, async connection =>
        {
            await using var fresh = Build(connection);
            await migrate(fresh);
        });
        await using var app = Build(database.ConnectionString);
        await using var db = await app.Services.GetRequiredService<IDbContextFactory<TContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var map = new MappedData(db.Model, typeof(TContext).Assembly, typeof(JaferDbContext).Assembly);
        var found = (await database.ReadAllAsync<string>(Columns)).Select(c => c.Split(' ', 3)).ToList();
        problems.AddRange(map.Named.Except(found.Select(c => c[0]).Concat(found.Select(c => $"{c[0]}.{c[1]}"))).Select(n => $"{name}: {n} is classified and does not exist"));
        text.Append(CultureInfo.InvariantCulture, $"\n## {name}\n");
        foreach (var table in found.GroupBy(c => c[0]))
        {
            // What a table is for and how long it is kept is the same for all of its columns.
            var of = map.Of(table.Key, table.First()[1]);
            text.Append(CultureInfo.InvariantCulture, $"\n### {name}: {table.Key}\n\n{of.Processing}, kept {Words(of.Kept)}.\n\n| column | category | how it stands |\n|---|---|---|\n");
            foreach (var (column, type) in table.Select(c => (c[1], c[2])))
            {
                var data = map.Of(table.Key, column);
                if (data is not { Category: { } category, Processing: not null, Kept: not null })
                {
                    problems.Add($"{name}: {table.Key}.{column} is not classified");
                    continue;
                }

                if (s_personal.Contains(category) && !data.IsSealed && data.Because is null)
                {
                    problems.Add($"{name}: {table.Key}.{column} is personal, in clear, and nobody says why");
                }

                if (data.IsSealed && type != "bytea")
                {
                    problems.Add($"{name}: {table.Key}.{column} is sealed and of type {type}");
                }

                text.Append(CultureInfo.InvariantCulture, $"| `{column}` | {category} | {(data.IsSealed ? "sealed" : data.Because is { } why ? $"in clear: {why}" : "in clear")} |\n");
            }
        }

        WebApplication Build(string connection) => build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(name, connection, "none")));
    }

    private static string Words(Kept? kept) => kept switch
    {
        Kept.WithMesure => "with the mesure",
        Kept.WithThread => "with the thread",
        Kept.WithOrganisation => "while the organisation is in the directory",
        Kept.Feed => "for the time of the feed and its logs",
        Kept.Day => "24 hours",
        Kept.UntilDone => "until it is done",
        Kept.Journal => "as the access journal",
        Kept.Unlimited => "without end",
        _ => "?",
    };

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
