using System.Xml.Linq;
using Jafer.Cli;
using Jafer.Cli.Demonstration;
using Jafer.Cli.Territory;
using Jafer.Directory.Tests.Slices;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Demonstration;

/// <summary>The commands of the tool against a real directory.</summary>
public class TerritoryCommandsTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task CoverageMapAndAccessFigures_DemonstrationData_AreDrawnAndStandBesideThePublishedOnes()
    {
        using var system = new RunningSystem(name => name switch
        {
            "services__directory__grpc__0" => directory.Host.Grpc.ToString(),
            "JAFER_TOKEN" => TestIssuer.Shared.Token(Roles.Operateur, StableIds.For("organisation:operateur:national")),
            _ => null,
        });
        await new Loader(system, TimeProvider.System, TextWriter.Null).LoadAsync(Generator.DefaultSeed, again: false, Cancel);

        var data = await CoverageMap.ReadAsync(directory.Operateur, Cancel);
        var drawn = CoverageMap.Draw(data);
        var svg = XDocument.Parse(drawn).Root!;
        XNamespace ns = "http://www.w3.org/2000/svg";

        Assert.InRange(data.Communes.Count, 34_800, 34_969);
        Assert.InRange(drawn.Length, 200_000, 1_500_000);
        Assert.Equal(svg.Attribute("aria-labelledby")!.Value, $"{svg.Element(ns + "title")!.Attribute("id")!.Value} {svg.Element(ns + "desc")!.Attribute("id")!.Value}");
        Assert.Contains("inventés", svg.Element(ns + "desc")!.Value, StringComparison.Ordinal);
        Assert.Contains("OpenStreetMap", string.Concat(svg.Descendants(ns + "text").Select(t => t.Value)), StringComparison.Ordinal);
        // A mark for each commune, in the group of its class.
        foreach (var kind in data.Communes.GroupBy(CoverageMap.ClassOf))
        {
            var marks = svg.Descendants(ns + "g").Where(g => g.Element(ns + "title") is not null).Select(g => string.Concat(g.Elements(ns + "path").Select(p => p.Attribute("d")!.Value)))
                .Select(d => d.Split(kind.Key == AccessClass.Unreachable ? "l60 60" : "h0").Length - 1);
            Assert.Contains(kind.Count(), marks);
        }

        var figures = await AccessFigures.ReadAsync(directory.Operateur, Cancel);
        var rows = figures.Rows.ToDictionary(r => r.Code);
        Assert.Equal(102, rows.Count);
        // The demonstration leaves a few espaces without agrément: a little less is reached than with all 278 lieux.
        Assert.InRange(rows["FRANCE"].Minutes!.Value, 14.8, 16.5);
        Assert.InRange(rows["FRANCE"].Share!.Value, 82, 86);
        Assert.Equal((new Published(15, false), new Published(85, false)), (rows["FRANCE"].PublishedMinutes!.Value, rows["FRANCE"].PublishedShare!.Value));
        Assert.Equal(46, rows["65"].Minutes!.Value, 1.0);
        Assert.Equal((new Published(46, false), new Published(10, true)), (rows["65"].PublishedMinutes!.Value, rows["65"].PublishedShare!.Value));
        Assert.Equal((100, (double?)null), (rows["976"].UnlinkedShare, rows["976"].Minutes));
        Assert.Equal(new Published(2.8, false), rows["971"].PublishedUnlinkedShare!.Value);
        Assert.All(["75", "92", "93", "94"], code => Assert.True(rows[code].Share > 99.9 && rows[code].PublishedShare is { Value: 100 }));
        Assert.Contains("Maripasoula (973)", figures.UnlinkedCommunes);
        Assert.DoesNotContain("Roura (973)", figures.UnlinkedCommunes);
        var text = figures.ToText(csv: false);
        Assert.All(["invented", "2023", "Deshayes", "Roura", "tuned"], word => Assert.Contains(word, text, StringComparison.Ordinal));
        Assert.Equal(103, figures.ToText(csv: true).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task ImportDistancier_FileWithMistakes_NamesLineAndColumnOfEachAndImportsNothing()
    {
        var (imported, output) = await ImportAsync("depart;arrivee;minutes\r\n73065;38185;44,5\r\n99999;38185;5\r\n73065;38185;dix\r\n73065\r\n\"73065\";\"69123\";-1\r\n");

        Assert.False(imported);
        Assert.Equal(
            [
                "line 2: gives a way that another line gives too",
                "line 3, column depart: is not a known commune",
                "line 4: gives a way that another line gives too",
                "line 4, column minutes: must be a number, or empty when no road links the two",
                "line 5: must have 3 columns",
                "line 5, column arrivee: is not a known commune",
                "line 6, column minutes: must be from 0 to 6000",
                "nothing was imported: 7 mistakes in 5 lines",
            ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).SkipWhile(l => !l.StartsWith("line", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ImportDistancier_PlainAndPackedFile_ShowsProgressAndImportsTheSame()
    {
        const string Content = "depart,arrivee,minutes\n73065,38185,44.5\n38185,73065,46\n29155,29019,\n";

        var (first, output) = await ImportAsync(Content);
        var (second, again) = await ImportAsync(Content, packed: true);

        Assert.True(first && second);
        Assert.Contains("3 ways read, 100 %", output, StringComparison.Ordinal);
        Assert.Contains("3 ways created, 0 changed, 0 as they were", output, StringComparison.Ordinal);
        Assert.Contains("0 ways created, 0 changed, 3 as they were", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImportDistancier_AnotherHeaderOrNoFile_SaysSo()
    {
        Assert.Contains("depart,arrivee,minutes", (await Assert.ThrowsAsync<UsageException>(() => ImportAsync("from,to,min\n"))).Message, StringComparison.Ordinal);
        Assert.Contains("There is no file", Assert.Throws<UsageException>(() => new DistancierFile("/nowhere/x.csv")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImportDistancier_EmptyLines_AreOnlyPassedOverAtTheEnd()
    {
        var (imported, _) = await ImportAsync("depart,arrivee,minutes\n73065,38053,44\n\n  \n");
        var (refused, output) = await ImportAsync("depart,arrivee,minutes\n\n73065,99999,44\n");

        Assert.True(imported);
        Assert.False(refused);
        Assert.Contains("line 2: must have 3 columns", output, StringComparison.Ordinal);
        Assert.Contains("line 3, column arrivee: is not a known commune", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ImportDistancier_PackedFileThatIsBroken_EndsAndImportsNothing(bool begins)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.CreateVersion7(TimeProvider.System.GetUtcNow())}.csv.gz");
        var whole = new MemoryStream();
        await using (var packed = new System.IO.Compression.GZipStream(whole, System.IO.Compression.CompressionLevel.NoCompression, leaveOpen: true))
            await packed.WriteAsync(System.Text.Encoding.UTF8.GetBytes("depart,arrivee,minutes\n" + string.Concat(Enumerable.Repeat("73065,38185,44\n", 20_000))), Cancel);
        var bytes = whole.ToArray();
        // Of a file that begins well a part is sent before the mistake shows.
        bytes.AsSpan(begins ? bytes.Length / 2 : 0).Fill(0xFF);
        await File.WriteAllBytesAsync(path, bytes, Cancel);
        var before = await directory.Database.ReadAsync<long>("select count(*) from distancier_imports");

        using var source = new DistancierFile(path);
        var error = await Assert.ThrowsAsync<UsageException>(() =>
            new DistancierUpload(directory.Operateur, TextWriter.Null, overwrite: false, NewId).SendAsync(source, "test", symmetric: false, replace: false, Cancel));
        File.Delete(path);

        Assert.Contains("cannot be read to its end", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, await directory.Database.ReadAsync<long>("select count(*) from distancier_imports"));
    }

    private async Task<(bool Imported, string Output)> ImportAsync(string content, bool packed = false)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.CreateVersion7(TimeProvider.System.GetUtcNow())}.csv{(packed ? ".gz" : "")}");
        try
        {
            await using (var file = File.Create(path))
            await using (Stream stream = packed ? new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest) : file)
                await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(content), Cancel);
            await using var output = new StringWriter();
            using var source = new DistancierFile(path);
            var imported = await new DistancierUpload(directory.Operateur, output, overwrite: false, NewId).SendAsync(source, "test", symmetric: false, replace: false, Cancel);
            return (imported, output.ToString().ReplaceLineEndings("\n"));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
