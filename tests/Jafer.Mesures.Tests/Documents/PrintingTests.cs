using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Jafer.Mesures.Documents.Printing;
using Jafer.ServiceDefaults.Printing;
using PdfSharp.Pdf;
using PdfSharp.Pdf.Advanced;
using PdfSharp.Pdf.IO;
using Xunit;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>The web page and the PDF of a document, read back.</summary>
public sealed class PrintingTests
{
    public static TheoryData<string> Names => [.. Samples.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Pdf_Catalog_IsTaggedInFrenchWithATitle(string name)
    {
        using var pdf = Open(Samples.All[name]);

        Assert.True(pdf.Internals.Catalog.Elements.GetDictionary("/MarkInfo")!.Elements.GetBoolean("/Marked"));
        Assert.Equal("fr-FR", pdf.Internals.Catalog.Elements.GetString("/Lang"));
        Assert.True(pdf.Internals.Catalog.Elements.GetDictionary("/ViewerPreferences")!.Elements.GetBoolean("/DisplayDocTitle"));
        Assert.Equal(Samples.All[name].Title, pdf.Info.Title);
        var metadata = Encoding.UTF8.GetString(pdf.Internals.Catalog.Elements.GetDictionary("/Metadata")!.Stream!.UnfilteredValue);
        Assert.Contains("<pdfuaid:part>1</pdfuaid:part>", metadata, StringComparison.Ordinal);
        Assert.Contains("<dc:title>", metadata, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pdf_Structure_IsThatOfTheDocument(string name)
    {
        var document = Samples.All[name];
        using var pdf = Open(document);
        var elements = Structure(pdf);

        Assert.Equal(
            document.Blocks.OfType<Heading>().Select(h => $"/H{h.Level}").Prepend("/H1"), elements.Where(e => e.Tag is "/H1" or "/H2" or "/H3").Select(e => e.Tag));
        var tables = document.Blocks.OfType<Table>().ToList();
        Assert.Equal(tables.Count, elements.Count(e => e.Tag == "/Table"));
        Assert.Equal(tables.Count, elements.Count(e => e.Tag == "/Caption"));
        Assert.Equal(tables.Sum(t => t.Columns.Count), elements.Count(e => e is { Tag: "/TH", Scope: "/Column" }));
        Assert.Equal(tables.Sum(t => t.Rows.Count), elements.Count(e => e is { Tag: "/TH", Scope: "/Row" }));
        Assert.Equal(tables.Sum(t => t.Rows.Count * (t.Columns.Count - 1)), elements.Count(e => e.Tag == "/TD"));
        Assert.Equal(
            document.Blocks.OfType<Points>().Sum(p => p.Items.Count) + document.Blocks.OfType<Values>().Sum(v => v.Items.Count), elements.Count(e => e.Tag == "/LI"));
        Assert.Equal(document.Blocks.OfType<Points>().SelectMany(p => p.Items).SelectMany(i => i.Spans).Count(s => s.Link is not null), elements.Count(e => e.Tag == "/Link"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pdf_EveryPage_HasTabsInOrderOfStructureAndFontsEmbedded(string name)
    {
        using var pdf = Open(Samples.All[name]);

        foreach (var page in pdf.Pages)
        {
            Assert.Equal("/S", page.Elements.GetName("/Tabs"));
            foreach (var font in page.Elements.GetDictionary("/Resources")!.Elements.GetDictionary("/Font")!.Elements.Values.OfType<PdfReference>().Select(r => (PdfDictionary)r.Value))
            {
                var descendant = (PdfDictionary)((PdfReference)font.Elements.GetArray("/DescendantFonts")!.Elements[0]).Value;
                Assert.True(descendant.Elements.GetDictionary("/FontDescriptor")!.Elements.ContainsKey("/FontFile2"));
                Assert.True(font.Elements.ContainsKey("/ToUnicode"));
            }
        }
    }

    [Fact]
    public void Pdf_ALink_SaysWhereItLeads()
    {
        using var pdf = Open(Samples.Notices["notice-visiteur"]);

        var contents = pdf.Pages.Cast<PdfPage>().SelectMany(p => p.Annotations.Elements.OfType<PdfReference>()).Select(r => ((PdfDictionary)r.Value).Elements.GetString("/Contents")).ToList();

        Assert.Equal(["www.justice.fr", "www.caf.fr", "www.msa.fr"], contents);
    }

    [Fact]
    public void Pdf_ATableOverSeveralPages_StaysOneTable()
    {
        using var pdf = Open(Jafer.Mesures.Documents.FactualNotePage.Write(Samples.Note(60), "Europe/Paris"));

        Assert.True(pdf.PageCount > 2);
        Assert.Equal(3, Structure(pdf).Count(e => e.Tag == "/Table"));
    }

    [Fact]
    public void Pdf_ManyAtOnce_AreAllWhole()
    {
        var files = Samples.All.Values.Concat(Samples.All.Values).AsParallel().Select(PdfWriter.Write).ToList();

        Assert.All(files, file => Assert.True(PdfReader.Open(new MemoryStream(file), PdfDocumentOpenMode.Import).PageCount > 0));
    }

    /// <summary>What goes out may come in: a court could attach what Jafer printed.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Pdf_Any_PassesTheInspection(string name)
    {
        var inspection = new Jafer.ServiceDefaults.Files.PdfInspection();
        inspection.Append(PdfWriter.Write(Samples.All[name]));

        Assert.Empty(inspection.Finish());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Html_Any_LoadsNothingAndIsWhole(string name)
    {
        var html = HtmlWriter.Write(Samples.All[name]);

        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"fr\">", html, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("<(script|img|link|iframe|object|form)|\\ssrc=|url\\(|@import", html);
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(html, "<h1>"));
    }

    /// <summary>Whatever a name holds, it stays a text.</summary>
    [Fact]
    public void Html_AnyText_NeverBecomesMarkup() => Prop.ForAll(
        ArbMap.Default.ArbFor<string>(),
        text =>
        {
            var html = HtmlWriter.Write(new PrintedDocument("t", "s", "r", Samples.Now, [new Paragraph($"<b>{text}</b>&\"'<script>"), new Table($"{text}<i>", [$"{text}<i>"], [1], [[$"{text}<i>"]])]));
            return !html.Contains("<b>", StringComparison.Ordinal) && !html.Contains("<i>", StringComparison.Ordinal) && !html.Contains("<script", StringComparison.Ordinal);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Write_BothOfThem_HoldTheSameWords()
    {
        foreach (var document in Samples.All.Values)
        {
            var html = System.Net.WebUtility.HtmlDecode(HtmlWriter.Write(document)).Replace('\u00a0', ' ');

            Assert.All(document.Blocks.OfType<Values>().SelectMany(v => v.Items), i => Assert.Contains(i.Value.Replace('\u00a0', ' '), html, StringComparison.Ordinal));
        }
    }

    private static PdfDocument Open(PrintedDocument document) => PdfReader.Open(new MemoryStream(PdfWriter.Write(document)), PdfDocumentOpenMode.Import);

    /// <summary>Every element of the structure tree, in the order of reading.</summary>
    private static List<(string Tag, string Scope)> Structure(PdfDocument pdf)
    {
        var elements = new List<(string, string)>();
        Walk(pdf.Internals.Catalog.Elements.GetDictionary("/StructTreeRoot")!);
        return elements;

        void Walk(PdfDictionary element)
        {
            if (element.Elements.ContainsKey("/S"))
            {
                var attributes = element.Elements["/A"];
                elements.Add((element.Elements.GetName("/S"), attributes is PdfDictionary a ? a.Elements.GetName("/Scope") : ""));
            }

            foreach (var kid in Kids(element.Elements["/K"]))
            {
                Walk(kid);
            }
        }

        static IEnumerable<PdfDictionary> Kids(PdfItem? kids) => kids switch
        {
            PdfReference reference => Kids(reference.Value),
            PdfArray array => array.Elements.SelectMany(Kids),
            PdfDictionary dictionary when dictionary.Elements.ContainsKey("/S") => [dictionary],
            _ => [],
        };
    }
}
