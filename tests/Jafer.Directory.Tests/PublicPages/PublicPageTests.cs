using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Jafer.Cli.PublicPages;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Type.V1;

namespace Jafer.Directory.Tests.PublicPages;

/// <summary>The public page and the files beside it.</summary>
public sealed class PublicPageTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg", s_html = "http://www.w3.org/1999/xhtml";
    private static readonly DateTimeOffset s_time = new(2026, 11, 29, 16, 5, 0, TimeSpan.Zero);
    private static readonly PublicData s_data = PublicSample.Data(s_time);
    private static readonly IReadOnlyList<PublicFile> s_files = PublicExport.Files(s_data);

    private static string Page => Encoding.UTF8.GetString(s_files[0].Content);

    [Fact]
    public void Page_IsWellFormedAndTellsAllFiguresInOrder()
    {
        var page = Parse(Page);

        var headings = page.Descendants().Where(e => e.Name.Namespace == s_html && e.Name.LocalName is "h1" or "h2" or "h3" or "h4").Select(e => e.Name.LocalName[1] - '0').ToArray();
        Assert.Equal(1, headings[0]);
        Assert.Single(headings, 1);
        Assert.All(headings.Zip(headings.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1));
        Assert.Equal(
            ["cles", "figure-1", "figure-2", "figure-3", "figure-4", "figure-5", "contradictions", "departements", "attentes", "methode", "donnees"],
            page.Descendants(s_html + "h2").Select(h => h.Attribute("id")!.Value));
        Assert.All(page.Descendants(s_html + "a").Select(a => a.Attribute("href")!.Value), href =>
            Assert.True(href.StartsWith('#') ? page.Descendants().Any(e => e.Attribute("id")?.Value == href[1..]) : s_files.Any(f => f.Path == href), href));
        var ids = page.Descendants().Select(e => e.Attribute("id")?.Value).OfType<string>().ToArray();
        Assert.Equal(ids.Distinct(), ids);
        Assert.Equal("fr", page.Root!.Attribute("lang")!.Value);
        Assert.All(page.Descendants(s_html + "table"), table =>
        {
            Assert.NotEmpty(table.Element(s_html + "caption")!.Value);
            var width = table.Descendants(s_html + "thead").Single().Descendants(s_html + "th").Count();
            Assert.All(table.Descendants(s_html + "tr"), row => Assert.Equal(width, row.Elements().Count()));
            Assert.All(table.Descendants(s_html + "th"), th => Assert.NotNull(th.Attribute("scope")));
        });
    }

    [Fact]
    public void Page_EveryChart_HasATextInItsPlaceAndATableAfterIt()
    {
        var charts = Parse(Page).Descendants(s_svg + "svg").ToArray();

        Assert.Equal(10, charts.Length);
        Assert.All(charts, chart =>
        {
            Assert.Equal("img", chart.Attribute("role")!.Value);
            Assert.Equal(
                chart.Attribute("aria-labelledby")!.Value.Split(' '),
                new[] { chart.Element(s_svg + "title")!, chart.Element(s_svg + "desc")! }.Select(e => e.Attribute("id")!.Value));
            Assert.True(chart.Element(s_svg + "desc")!.Value.Length > 60);
            Assert.Contains(chart.Ancestors(s_html + "section").Single().Descendants(s_html + "table"), table => table.IsAfter(chart));
        });
    }

    [Fact]
    public void Page_TextOnShapes_HasTheContrastOfWcagAa()
    {
        Assert.All(Charts.ShareTones.Concat(Charts.ClassTones), tone =>
        {
            var (light, dark) = (Math.Max(Luminance(tone.Fill), Luminance(tone.Text)), Math.Min(Luminance(tone.Fill), Luminance(tone.Text)));
            Assert.True((light + .05) / (dark + .05) >= 4.5, $"{tone.Text} on {tone.Fill}");
        });

        static double Luminance(string colour) => new[] { .2126, .7152, .0722 }.Select((weight, i) =>
        {
            var part = Convert.ToInt32(colour.Substring(1 + (2 * i), 2), 16) / 255.0;
            return weight * (part <= .04045 ? part / 12.92 : Math.Pow((part + .055) / 1.055, 2.4));
        }).Sum();
    }

    [Fact]
    public void Page_LoadsNothingAndRunsNothing()
    {
        Assert.DoesNotContain("<script", Page, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", Page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", Page, StringComparison.Ordinal);
        Assert.Empty(Parse(Page).Descendants(s_html + "link"));
    }

    [Fact]
    public void Page_PublishedFigures_StandBesideOursWithTheirContradictions()
    {
        var text = Parse(Page).Root!.Value.Replace('\u202f', ' ').Replace('\u00a0', ' ');

        Assert.Contains("21 870", text, StringComparison.Ordinal);
        Assert.Contains("21 900 mesures", text, StringComparison.Ordinal);
        Assert.Contains("20 400 dans le chapeau, 20 500 dans le texte", text, StringComparison.Ordinal);
        Assert.Contains("190 000 dans le titre, 187 500 dans le chapeau, 189 000 dans le texte", text, StringComparison.Ordinal);
        Assert.Contains("17 % de 88 %", text, StringComparison.Ordinal);
        // Stated outside of the figures, of all mesures together; what is derived from no statement on waits is not called published.
        Assert.DoesNotContain("attente moyenne implicite", text, StringComparison.Ordinal);
        Assert.Contains("Également publié par le SSER : durée moins de 6 mois 39 %.", text, StringComparison.Ordinal);
        Assert.Contains("Données fictives", text, StringComparison.Ordinal);
        Assert.Contains("Extraction du 29 novembre 2026 à 17 h 05", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_WithheldValues_AreInNoneOfThem()
    {
        string[] writings = [$"{PublicSample.Hidden}", "987\u202f651", "987 651", "987,651", "987.651"];
        Assert.All(s_files, file => Assert.All(writings, writing => Assert.DoesNotContain(writing, Encoding.UTF8.GetString(file.Content), StringComparison.Ordinal)));

        var rows = Csv("donnees/chiffres-departements.csv");
        Assert.All(rows.Where(r => r["departement"] is "65" or "46"), r => Assert.Equal(("", "secret"), (r["valeur"], r["diffusion"])));
        Assert.All(rows.Where(r => r["departement"] == "69"), r => Assert.Equal("publie", r["diffusion"]));
        Assert.Equal(("", "", "", "secret"), Wait("65"));
        Assert.Equal(("n_secret", ""), Csv("donnees/attentes-departements.csv").Where(r => r["departement"] == "31").Select(r => (r["diffusion"], r["n"])).First());

        (string, string, string, string) Wait(string code) => Csv("donnees/attentes-departements.csv").Where(r => r["departement"] == code).Select(r => (r["mediane_jours"], r["p80_jours"], r["n"], r["diffusion"])).First();
    }

    [Fact]
    public void Files_Dictionary_ListsEveryColumnOfEveryTable()
    {
        var dictionary = Csv("donnees/dictionnaire.csv").Select(r => (r["fichier"], r["colonne"])).ToArray();
        var columns = s_files.Where(f => f.Path.EndsWith(".csv", StringComparison.Ordinal) && !f.Path.Contains("dictionnaire", StringComparison.Ordinal))
            .SelectMany(f => Encoding.UTF8.GetString(f.Content).Split('\n')[0].Split(',').Select(c => (Path.GetFileName(f.Path), c))).ToArray();

        Assert.Equal(columns, dictionary);
        Assert.All(Csv("donnees/dictionnaire.csv"), r => Assert.All((string[])["type", "signification", "source"], column => Assert.NotEmpty(r[column])));
        using var package = JsonDocument.Parse(Content("donnees/datapackage.json"));
        Assert.Equal(columns, package.RootElement.GetProperty("resources").EnumerateArray()
            .SelectMany(r => r.GetProperty("schema").GetProperty("fields").EnumerateArray().Select(f => (r.GetProperty("path").GetString()!, f.GetProperty("name").GetString()!))));
        using var all = JsonDocument.Parse(Content("donnees/donnees.json"));
        Assert.Equal(Csv("donnees/chiffres-nationaux.csv").Count, all.RootElement.GetProperty("chiffres-nationaux").GetArrayLength());
    }

    [Fact]
    public void Files_OfTheSameData_AreTheSameButForTheTimeOfExtraction()
    {
        var later = PublicExport.Files(PublicSample.Data(s_time.AddHours(1)));

        var changed = s_files.Zip(later).Where(f => !f.First.Content.AsSpan().SequenceEqual(f.Second.Content)).Select(f => f.First.Path);
        Assert.Equal(["index.html", "donnees/datapackage.json"], changed);
        Assert.Equal(Page, Encoding.UTF8.GetString(later[0].Content).Replace("18 h 05", "17 h 05", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(147, true)]
    [InlineData(148, false)]
    public void Page_FewAnswered_WarnsThatTheNationIsMostlyEstimated(int answered, bool warns)
    {
        var data = PublicSample.Data(s_time);
        data.Survey.AnsweredCount = answered;

        var page = Encoding.UTF8.GetString(PublicExport.Files(data)[0].Content);

        Assert.Equal(warns, page.Contains("Moins des trois quarts des gestionnaires ont répondu", StringComparison.Ordinal));
    }

    [Fact]
    public void Published_Counts_AreMultiplesOfFive() =>
        Assert.Equal(
            [(WaitCell.Nation, 3_000), ("01", 10), ("02", 15)],
            WaitCell.Published([Counted(WaitCell.Nation, 3_004)], [Counted("01", 14), Counted("02", 15)]).Select(c => (c.Code, c.Count ?? -1)));

    private static WaitCell Counted(string code, int count) => new(code, "", Modalite.Visite, WaitTold.All, count, 60, 90);

    [Theory]
    [InlineData(100, new[] { 40, 57 }, 1, 0, false)]
    [InlineData(100, new[] { 40, 50 }, 3, 0, false)]
    [InlineData(100, new[] { 40, 54 }, 3, 0, true)]
    [InlineData(100, new[] { 40, 50 }, 1, 1, true)]
    [InlineData(100, new[] { 40, 55 }, 1, 1, false)]
    [InlineData(100, new[] { 40, 60 }, 0, 0, true)]
    public void Together_TheNationsCount_IsToldWhereItLeavesEveryPossibility(int nation, int[] told, int nothing, int days, bool isTold)
    {
        WaitCell Cell(WaitTold how, int? count) => new("01", "", Modalite.Visite, how, count, null, null);
        WaitCell[] departements =
        [
            .. told.Select(n => Cell(WaitTold.All, n)), .. Enumerable.Repeat(Cell(WaitTold.Nothing, null), nothing), .. Enumerable.Repeat(Cell(WaitTold.Days, null), days),
            new("02", "", Modalite.RemiseEnfant, WaitTold.All, 1_000, null, null),
        ];

        var cell = Assert.Single(WaitCell.Together([Cell(WaitTold.All, nation)], departements));

        Assert.Equal(isTold ? nation : null, cell.Count);

        // By trial: every number from zero to four is possible for the first that tells nothing.
        if (nothing > 0)
        {
            var rest = nation - told.Sum();
            var possible = Enumerable.Range(0, 5).Count(x => Enumerable.Range(0, (4 * (nothing - 1)) + 1).Any(others => days > 0 ? rest - x - others >= 5 * days : rest - x - others == 0));
            Assert.Equal(isTold, possible == 5);
        }
    }

    [Fact]
    public async Task Page_InABrowser_HasNoViolation()
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("jafer-public-");
        try
        {
            await PublicExport.WriteAsync(s_data, folder.FullName, TestContext.Current.CancellationToken);
            var root = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(root!.FullName, "Jafer.sln")))
            {
                root = root.Parent;
            }

            var start = new ProcessStartInfo("node", [Path.Combine("eng", "accessibility.mjs"), Path.Combine(folder.FullName, "index.html")]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = root.FullName };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, await output + await error);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private static XDocument Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        return XDocument.Load(reader);
    }

    private static byte[] Content(string path) => s_files.Single(f => f.Path == path).Content;

    private static List<Dictionary<string, string>> Csv(string path)
    {
        var mistakes = new List<CsvMistake>();
        var reader = new CsvRecordReader(new StringReader(Encoding.UTF8.GetString(Content(path))), mistakes);
        var rows = new List<Dictionary<string, string>>();
        IReadOnlyList<string>? header = null;
        while (reader.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult() is { } record)
        {
            if (header is null)
            {
                header = record.Cells;
                continue;
            }

            rows.Add(header.Zip(record.Cells).ToDictionary(c => c.First, c => c.Second));
        }

        Assert.Empty(mistakes);
        return rows;
    }
}
