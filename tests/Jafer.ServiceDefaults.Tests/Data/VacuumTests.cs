using Jafer.ServiceDefaults.Data;
using Jafer.Testing;
using Npgsql;

namespace Jafer.ServiceDefaults.Tests.Data;

/// <summary>What --vacuum does, and what it says when it could not.</summary>
public sealed class VacuumTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Vacuum_ByTheOwner_TakesEveryTable()
    {
        var (status, said) = await RunAsync(probe.Database.ConnectionString);

        Assert.Equal(0, status);
        Assert.Matches(@"^probe: [1-9]\d* tables vacuumed\n$", said);
        await Eventually.BecomesAsync(
            () => probe.Database.ReadAsync<long>("select count(*) from pg_stat_user_tables where relname = 'notes' and vacuum_count > 0"), n => n == 1, "the table to be vacuumed");
    }

    [Fact]
    public async Task Vacuum_BySomebodyElse_FailsAndSaysWhoMay()
    {
        await using var login = await TenantLogin.CreateAsync(probe.Database);

        var (status, said) = await RunAsync(login.ConnectionString);

        Assert.Equal(1, status);
        Assert.Contains("are not this login's: log in as their owner", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vacuum_OfALockedTable_WaitsForNobodyAndSaysSo()
    {
        await using var connection = new NpgsqlConnection(probe.Database.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using (var command = new NpgsqlCommand("lock table applied_events in access exclusive mode", connection))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var (status, said) = await RunAsync(probe.Database.ConnectionString);

        Assert.Equal((1, true), (status, said.Contains("were locked by somebody: run it again", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(null, "set ConnectionStrings__probe")]
    [InlineData("Host=", "--vacuum: probe: ")]
    public async Task Vacuum_WithoutADatabase_SaysWhatIsMissing(string? connection, string expected)
    {
        var (status, said) = await RunAsync(connection);

        Assert.Equal((1, true), (status, said.Contains(expected, StringComparison.Ordinal)));
    }

    private static async Task<(int Status, string Said)> RunAsync(string? connection)
    {
        await using var output = new StringWriter { NewLine = "\n" };
        var status = await Vacuum.RunAsync("probe", connection, output, output, Ct);
        return (status, output.ToString());
    }
}
