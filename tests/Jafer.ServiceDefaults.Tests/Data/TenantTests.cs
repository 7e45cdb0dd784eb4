using Jafer.Probe;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Jafer.ServiceDefaults.Tests.Data;

/// <summary>Which role and which tenant a context has in the database, and how long.</summary>
public sealed class TenantTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private const string Who = "select concat_ws(' ', current_user, current_setting('jafer.tenant', true), current_setting('jafer.role', true)) as \"Value\"";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Context_OfTheServiceItself_WorksWithoutATenant()
    {
        await using var scope = probe.Host.App.Services.CreateAsyncScope();

        Assert.Equal("jafer_work", (await WhoAsync(scope)).TrimEnd());
    }

    [Fact]
    public async Task Context_OfACaller_HasTheirTenantForATransactionAlone()
    {
        var (first, second) = (Organisations.New(), Organisations.New());
        foreach (var organisation in new[] { first, second, first })
        {
            await using var scope = Scope(probe.Host.App.Services.CreateAsyncScope(), organisation, "own", "espace");
            var db = scope.ServiceProvider.GetRequiredService<ProbeDbContext>();
            Assert.Equal($"jafer_calls {organisation} espace", await WhoAsync(scope));
            await using (await db.Database.BeginTransactionAsync(Ct))
            {
                Assert.Equal($"jafer_calls {organisation} espace", await WhoAsync(scope));
                Assert.Equal($"jafer_calls {organisation} espace", await WhoAsync(scope));
                Assert.Equal(0, await db.Notes.Where(n => n.Version < 0).ExecuteDeleteAsync(Ct));
            }

            await using (await db.Database.BeginTransactionAsync(Ct))
            {
                await db.SetTenantAsync(Ct);
                Assert.Equal($"jafer_calls {organisation} espace", await WhoAsync(scope));
                Assert.Equal(organisation.ToString(), await RawAsync((NpgsqlConnection)db.Database.GetDbConnection()));
            }

            // What goes past all of it on the same connection finds nothing set.
            await db.Database.OpenConnectionAsync(Ct);
            Assert.Equal("", await RawAsync((NpgsqlConnection)db.Database.GetDbConnection()));
        }

        await using var any = Scope(probe.Host.App.Services.CreateAsyncScope(), first, "any", "operateur");
        Assert.Equal("jafer_work", (await WhoAsync(any)).TrimEnd());
    }

    [Fact]
    public async Task Contexts_OfManyCallersAtOnce_NeverMeet()
    {
        var organisations = Enumerable.Range(0, 200).Select(_ => Organisations.New()).ToList();

        var seen = new string[organisations.Count];
        await Parallel.ForEachAsync(organisations.Index(), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (o, _) =>
        {
            await using var scope = Scope(probe.Host.App.Services.CreateAsyncScope(), o.Item, "own", "espace");
            seen[o.Index] = await WhoAsync(scope);
        });

        Assert.Equal(organisations.Select(o => $"jafer_calls {o} espace"), seen);
    }

    [Fact]
    public async Task Roles_OfMigrationsThatRunAtOnce_AreMadeOnce()
    {
        var (calls, work) = ($"jafer_race_calls_{Environment.ProcessId}", $"jafer_race_work_{Environment.ProcessId}");
        using var stream = typeof(DatabaseRoles).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Data.database_roles.sql")!;
        using var reader = new StreamReader(stream);
        var sql = (await reader.ReadToEndAsync(Ct)).Replace("jafer_calls", calls, StringComparison.Ordinal).Replace("jafer_work", work, StringComparison.Ordinal);
        var roles = sql[..(sql.IndexOf("end $$;", StringComparison.Ordinal) + "end $$;".Length)];
        try
        {
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => probe.Database.RunAsync(roles)));
            await probe.Database.RunAsync(roles);

            Assert.Equal(2, await probe.Database.ReadAsync<long>($"select count(*) from pg_roles where rolname in ('{calls}', '{work}') and not rolcanlogin and not rolsuper and not rolbypassrls"));
        }
        finally
        {
            await probe.Database.RunAsync($"drop role if exists {calls}, {work}");
        }
    }

    private static AsyncServiceScope Scope(AsyncServiceScope scope, Guid organisation, string cell, string role)
    {
        scope.ServiceProvider.GetRequiredService<StoreScope>().Caller = new Caller("subject", role, organisation, false, null, AccessCell.Parse(cell), DateTimeOffset.MaxValue);
        return scope;
    }

    private static async Task<string> WhoAsync(AsyncServiceScope scope) =>
        (await scope.ServiceProvider.GetRequiredService<ProbeDbContext>().Database.SqlQueryRaw<string>(Who).ToListAsync(Ct))[0];

    private static async Task<string> RawAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select coalesce(current_setting('jafer.tenant', true), '')", connection);
        return (string)(await command.ExecuteScalarAsync(Ct))!;
    }
}
