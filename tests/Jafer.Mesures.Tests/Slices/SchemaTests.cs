using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
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

        // Delays, returns and the survey are counted and read by SQL alone, and the index is renewed by it.
        Assert.Empty(await SchemaComparison.DifferencesAsync(
            scope.ServiceProvider.GetRequiredService<MesuresDbContext>(), "delay_entries", "delay_counts", "delay_totals", "delay_queue", "mesure_returns", "index_renewals",
            "survey_entries", "survey_counts", "survey_queue", "survey_state"));
    }

    /// <summary>Facts are written by a statement of their own, which must not forget a column that is added.</summary>
    [Fact]
    public async Task Append_FactWithEveryPart_IsReadBackWhole()
    {
        var mesureId = Guid.Parse(await jafer.MesureInAsync(MesureState.Completee));
        await using var scope = jafer.First.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        var now = TimeProvider.System.GetStoredNow();
        var fact = new MesureFact
        {
            Id = Guid.CreateVersion7(now),
            MesureId = mesureId,
            Version = 1000,
            Act = MesureAct.ReportDifficulty,
            OccurredAt = now.AddMinutes(-5),
            RecordedAt = now,
            ActorOrganisationId = Guid.CreateVersion7(now),
            ActorSubject = "somebody",
            SourceSystem = "a-software",
            ExternalId = "D-1",
            Details = new FactDetails { DifficultyId = Guid.CreateVersion7(now) },
        };
        db.Append(fact);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        var read = await db.Facts.AsNoTracking().SingleAsync(f => f.Id == fact.Id, TestContext.Current.CancellationToken);
        foreach (var property in typeof(MesureFact).GetProperties())
        {
            Assert.NotNull(property.GetValue(fact));
            Assert.Equal(property.GetValue(fact), property.GetValue(read));
        }
    }
}
