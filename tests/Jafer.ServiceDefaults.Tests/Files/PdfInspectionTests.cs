using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Files;
using Jafer.Testing;

namespace Jafer.ServiceDefaults.Tests.Files;

/// <summary>Which files a decision may be.</summary>
public sealed class PdfInspectionTests
{
    [Fact]
    public void Finish_AWholePdf_FindsNothing() => Assert.Empty(Inspect(TestPdf.Make()));

    [Theory]
    [InlineData("")]
    [InlineData("PK\u0003\u0004 word/document.xml")]
    [InlineData("<html>%PDF-1.7</html>")]
    [InlineData(" %PDF-1.7\nstartxref\n0\n%%EOF")]
    [InlineData("%PDF-9.9\nstartxref\n0\n%%EOF")]
    public void Finish_SomethingElse_IsNoPdf(string content) =>
        Assert.Equal(["must be a PDF: it does not begin as one"], Inspect(Encoding.Latin1.GetBytes(content)));

    [Fact]
    public void Finish_ACutFile_IsNotWhole()
    {
        var whole = TestPdf.Make(streamLength: 5000);

        Assert.Equal(["must be a whole PDF: its end is missing"], Inspect(whole[..^1200]));
    }

    [Theory]
    [InlineData("/Encrypt 9 0 R", "encrypted")]
    [InlineData("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>", "JavaScript")]
    [InlineData("/OpenAction <</S/JavaScript/JS 9 0 R>>", "JavaScript")]
    [InlineData("/AA << /O << /S /J#61vaScript /JS (x) >> >>", "JavaScript")]
    [InlineData("/OpenAction << /S /Launch /F (setup.exe) >>", "Launch")]
    [InlineData("/Names << /EmbeddedFiles 9 0 R >>", "attached")]
    [InlineData("/A << /S /SubmitForm /F (https://example.org) >>", "SubmitForm")]
    [InlineData("/A << /S /ImportData /F (x.fdf) >>", "ImportData")]
    [InlineData("/Subtype /RichMedia", "RichMedia")]
    public void Finish_WhatADecisionNeverHolds_IsNamed(string entry, string named)
    {
        // Outside, and packed into an object stream as most programs write it.
        Assert.Contains(named, Assert.Single(Inspect(TestPdf.Make(entry))), StringComparison.Ordinal);
        Assert.Contains(named, Assert.Single(Inspect(TestPdf.Make(packed: entry))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/Filter [/ASCIIHexDecode /FlateDecode]")]
    [InlineData("/Filter [/FlateDecode /FlateDecode]")]
    [InlineData("/Filter 12 0 R")]
    [InlineData("/Filter /FlateDecode /DecodeParms << /Predictor 12 >>")]
    public void Finish_ObjectsPackedOutOfSight_AreRefused(string filter) =>
        Assert.Equal(["must not hide objects in a way that cannot be looked into"], Inspect(TestPdf.Make(packed: "/Type /Catalog", filter: filter)));

    [Fact]
    public void Finish_ObjectsThatGrowWithoutEnd_AreRefused()
    {
        var bomb = new string(' ', 70 * 1024 * 1024);

        Assert.Equal(["must not hide objects in a way that cannot be looked into"], Inspect(TestPdf.Make(packed: bomb)));
    }

    [Fact]
    public void Finish_RandomBytesInStreams_AreNeverTakenForNames()
    {
        for (var seed = 0; seed < 5; seed++)
        {
            Assert.Empty(Inspect(TestPdf.Make(streamLength: 1_000_000, seed: seed)));
        }
    }

    [Fact]
    public void Append_InAnyPieces_FindsTheSame() => Prop.ForAll(
        Gen.Elements("", "/Encrypt 9 0 R", "/S /J#61vaScript", "/S /Launch").ToArbitrary(),
        Gen.Choose(1, 400).ListOf().Select(l => l.ToList()).ToArbitrary(),
        (entry, pieces) =>
        {
            var file = TestPdf.Make(packed: entry, streamLength: 300);
            var inspection = new PdfInspection();
            var at = 0;
            foreach (var piece in pieces.Append(file.Length))
            {
                var count = Math.Min(piece, file.Length - at);
                inspection.Append(file.AsSpan(at, count));
                at += count;
            }

            return inspection.Finish().SequenceEqual(Inspect(file));
        }).QuickCheckThrowOnFailure();

    private static IReadOnlyList<string> Inspect(byte[] file)
    {
        var inspection = new PdfInspection();
        inspection.Append(file);
        return inspection.Finish();
    }
}
