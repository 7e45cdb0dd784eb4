using System.Text.Json;

namespace Jafer.Simulation.Tests;

public sealed class FigureTests
{
    [Theory]
    [InlineData(4, 2.776)]
    [InlineData(9, 2.262)]
    [InlineData(29, 2.045)]
    public void StudentQuantile_OfATable_IsItsValue(int freedom, double value) => Assert.Equal(value, Estimate.StudentQuantile(freedom), 0.003);

    [Fact]
    public void Paired_OfSeedsThatDifferAlike_HasNoWidth()
    {
        var estimate = Estimate.Paired([110, 220, 330], [100, 210, 320]);

        Assert.Equal((10, 0), (estimate.Mean, Math.Round(estimate.Half, 9)));
        Assert.True(Estimate.Of([100, 210, 320]).Half > 100);
    }

    [Fact]
    public void Gini_OfTwoGroups_IsTheTextbooks()
    {
        // One half has nothing, the other half all: 1/2. Equal values: 0.
        Assert.Equal(0.5, Outcome.Gini([(1, 0), (1, 8)]), 9);
        Assert.Equal(0, Outcome.Gini([(3, 7), (1, 7)]), 9);
    }

    [Fact]
    public void Draw_OfManySubjects_IsEvenAndNormalAndTheSameAgain()
    {
        var draw = new Draw(7);
        double[] units = [.. Enumerable.Range(0, 20_000).Select(m => draw.Unit(Purpose.Held, m))];
        double[] normals = [.. Enumerable.Range(0, 20_000).Select(m => draw.Normal(Purpose.Contact, m))];

        Assert.Equal(0.5, units.Average(), 0.01);
        Assert.Equal(1 / 12.0, units.Average(u => (u - 0.5) * (u - 0.5)), 0.002);
        Assert.Equal(0, normals.Average(), 0.03);
        Assert.Equal(1, normals.Average(n => n * n), 0.05);
        Assert.Equal(units[123], new Draw(7).Unit(Purpose.Held, 123));
        Assert.NotEqual(units[123], new Draw(8).Unit(Purpose.Held, 123));
        Assert.NotEqual(units[123], draw.Unit(Purpose.Held, 123, 1));
        Assert.Equal(0, units.Zip(normals).Average(p => (p.First - 0.5) * p.Second), 0.02);
    }

    [Fact]
    public void Parameters_OfTheFile_AreAllOfThemWithALevelAndASource()
    {
        var names = typeof(Parameters).GetProperties().Where(p => p.PropertyType == typeof(double)).Select(p => p.Name).Order();

        Assert.Equal(names, Parameters.Stated.Select(p => p.Name).Order());
        Assert.All(Parameters.Stated, p =>
        {
            Assert.True(p.Values[0] <= p.Values[1] && p.Values[1] <= p.Values[2], p.Name);
            Assert.Contains(p.Kind, new[] { "published", "derived", "calibrated", "assumption" });
            Assert.NotEmpty(p.Source);
        });
    }

    [Fact]
    public void Worlds_AllOfThem_HaveParametersOfTheirOwn() =>
        Assert.Equal(World.All.Length, World.All.Select(w => World.PrintOf(w.Parameters)).Distinct().Count());

    [Fact]
    public void Policies_AllOfThem_HaveNamesOfTheirOwn()
    {
        string[] names = [.. Policy.Main.Concat(Policy.Steps).Concat(Policy.Variants).Select(p => p.Name)];

        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void Results_CutOffInALine_GoOnAfterTheLastWholeOne()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".jsonl");
        var print = World.PrintOf(World.Middle.Parameters);
        RunLine Line(int seed) => new("middle", print, "nearest", seed, new(new() { ["mean"] = 100 + seed }, [1], [], []));
        try
        {
            using (var results = new Results(path))
            {
                results.Add(Line(0));
                results.Add(Line(1));
            }
            File.AppendAllText(path, JsonSerializer.Serialize(Line(2))[..40]);
            using (var results = new Results(path))
            {
                Assert.Equal([100, 101], results.Of(World.Middle, Policy.Base).Select(r => r.Figures["mean"]));
                results.Add(Line(2));
            }
            using var again = new Results(path);
            Assert.Equal([100, 101, 102], again.Of(World.Middle, Policy.Base).Select(r => r.Figures["mean"]));
            Assert.Null(again.Find(World.Middle, Policy.All, 0));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
