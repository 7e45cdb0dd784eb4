using Jafer.Mesures.Data;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The EF model is the schema that the migrations make.</summary>
public sealed class SchemaTests(MesuresFixture jafer)
{
    [Fact]
    public async Task Model_ComparedWithTheMigratedDatabase_IsTheSame()
    {
        await using var scope = jafer.First.App.Services.CreateAsyncScope();

        // Delays and returns are counted and read by SQL alone, and the index is renewed by it.
        Assert.Empty(await SchemaComparison.DifferencesAsync(
            scope.ServiceProvider.GetRequiredService<MesuresDbContext>(), "delay_entries", "delay_counts", "delay_totals", "delay_queue", "mesure_returns", "index_renewals"));
    }
}
