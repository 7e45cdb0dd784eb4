using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Jafer.Messaging.Domain;
using Jafer.Testing;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>Which files may be attached: by what they hold, whatever they are called.</summary>
public sealed class ContentTests
{
    private const string Word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    private const string NoType = "is of no type that an attachment may have";
    private const string Broken = "must be a whole package: it cannot be read";
    private const string Program = "must not carry a program (macros)";
    private const string Elsewhere = "must not load anything from elsewhere";
    private const string TooMuch = "must not unpack to more than 256 MiB or 2000 parts";

    private static readonly Dictionary<string, (byte[] File, string Expected)> s_files = new()
    {
        ["pdf"] = (TestFiles.Pdf(), "application/pdf"),
        ["jpeg"] = (TestFiles.Jpeg(), "image/jpeg"),
        ["png"] = (TestFiles.Png(), "image/png"),
        ["tiff"] = (TestFiles.Tiff(), "image/tiff"),
        ["tiff of a Mac"] = (TestFiles.Tiff(little: false), "image/tiff"),
        ["heic"] = (TestFiles.Heic(), "image/heic"),
        ["text"] = (TestFiles.Text(), "text/plain"),
        ["text with a mark"] = ([0xEF, 0xBB, 0xBF, .. TestFiles.Text()], "text/plain"),
        ["a table as text"] = (TestFiles.Text("date;heure\r\n2026-12-03;14:00\r\n"), "text/plain"),
        ["one letter"] = (TestFiles.Text("a"), "text/plain"),
        ["docx"] = (TestFiles.Docx(), Word),
        ["docx with a link"] = (TestFiles.Docx(more: ("word/_rels/document.xml.rels", TestFiles.Relation("/hyperlink", "https://www.legifrance.gouv.fr", external: true))), Word),
        ["xlsx"] = (TestFiles.Xlsx(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ["odt"] = (TestFiles.Odf(), "application/vnd.oasis.opendocument.text"),
        ["ods"] = (TestFiles.Odf("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),

        ["program of Windows"] = ([(byte)'M', (byte)'Z', 0x90, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0xB8], NoType),
        ["program of Linux"] = ([0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], NoType),
        ["gif"] = ([.. "GIF89a"u8, 1, 0, 1, 0, 0, 0, 0, 0x3B, 0, 0, 0], NoType),
        ["web page"] = (TestFiles.Text("\r\n <!DOCTYPE html><html><script>alert(1)</script></html>"), NoType),
        ["svg"] = (TestFiles.Text("<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"), NoType),
        ["rtf"] = (TestFiles.Text("{\\rtf1\\ansi Bonjour}"), NoType),
        ["shell script"] = (TestFiles.Text("#!/bin/sh\nrm -rf /\n"), NoType),
        ["text in Latin-1"] = (Encoding.Latin1.GetBytes("Séance du 3 décembre à Lyon"), NoType),
        ["text in UTF-16"] = (Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("Bonjour à tous")).ToArray(), NoType),
        ["text that ends within a letter"] = ([.. "Bonjour à tous, à bientot"u8, 0xC3], NoType),
        ["text with a bell"] = (TestFiles.Text("Bonjour\a à tous, à bientôt"), NoType),
        ["word of 1997"] = ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0, 0, 0, 0, 0, 0, 0, 0], NoType),
        ["zip of anything"] = (TestFiles.Package(("lettre.txt", "Bonjour")), NoType),
        ["jar"] = (TestFiles.Package(("META-INF/MANIFEST.MF", "Main-Class: a.B"), ("a/B.class", "x")), NoType),
        ["presentation"] = (TestFiles.Docx("application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"), NoType),

        ["pdf with a program"] = (TestPdf.Make("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), "must not carry a program (JavaScript)"),
        ["pdf without its end"] = (TestFiles.Pdf()[..^20], "must be a whole PDF: its end is missing"),
        ["docm"] = (TestFiles.Docx(TestFiles.Macros, ("word/vbaProject.bin", "x")), Program),
        ["docx with macros in it"] = (TestFiles.Docx(more: ("word/vbaProject.bin", "x")), Program),
        ["docm whose part has another name"] = (TestFiles.Docx("application/vnd.ms-office.vbaProject"), Program),
        ["docx with an object"] = (TestFiles.Docx(more: ("word/embeddings/oleObject1.bin", "x")), Program),
        ["docx with a template elsewhere"] = (TestFiles.Docx(more: ("word/_rels/settings.xml.rels", TestFiles.Relation("/attachedTemplate", "https://evil.example/t.dotm", external: true))), Elsewhere),
        ["odt with macros"] = (TestFiles.Odf("text", ("Basic/Standard/Module1.xml", "<x/>")), Program),
        ["encrypted odt"] = (TestFiles.Odf("text", ("META-INF/manifest.xml", "<m:manifest xmlns:m=\"m\"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>")), "must not be encrypted or protected by a password"),
        ["cut docx"] = (TestFiles.Docx()[..^30], Broken),
        ["docx with something behind it"] = ([.. TestFiles.Docx(), .. "MZ program"u8], Broken),
        ["docx with two parts of one name"] = (TestFiles.Docx(more: ("WORD/document.xml", "<x/>")), Broken),
        ["docx that leaves its folder"] = (TestFiles.Docx(more: ("../../../etc/cron.d/x", "x")), Broken),
        ["docx with a definition of types"] = (TestFiles.Docx(more: ("word/_rels/x.rels", "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>")), Broken),
        ["docx of more parts than anybody writes"] = (TestFiles.Docx(more: [.. Enumerable.Range(0, PackageInspection.MaxParts).Select(i => ($"word/media/{i}.xml", "x"))]), TooMuch),
        ["bomb"] = (TestFiles.Bomb(PackageInspection.MaxUnpacked + 1L), TooMuch),
        ["bomb that says it is small"] = (TestFiles.Bomb(PackageInspection.MaxUnpacked + 1L, [10, 0, 0, 0]), TooMuch),
        ["bomb in what is read"] = (TestFiles.Docx(more: ("word/_rels/x.rels", new string(' ', 5 << 20))), TooMuch),
    };

    public static TheoryData<string> Names => [.. s_files.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Look_AFile_IsItsTypeOrWhatIsWrong(string name)
    {
        var (file, expected) = s_files[name];

        Assert.Equal(expected, await LookAsync(file, piece: file.Length));
        if (file.Length < 100_000)
        {
            Assert.Equal(expected, await LookAsync(file, piece: 1));
        }
    }

    [Fact]
    public void Look_AnyBytes_IsAnsweredAndTheSameHoweverTheyAreCut() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<string>(), ArbMap.Default.ArbFor<int>(), (tail, text, seed) =>
        {
            var random = new Random(seed);
            var begin = s_files.Values.Select(f => f.File).Where(f => f.Length is > 20 and < 5000).ElementAt(random.Next(10));
            foreach (var file in new[] { tail, Encoding.UTF8.GetBytes(text ?? ""), [.. begin[..random.Next(begin.Length)], .. tail], Spoilt(begin, random) })
            {
                var whole = LookAsync(file, Math.Max(1, file.Length)).GetAwaiter().GetResult();

                Assert.Equal(whole, LookAsync(file, random.Next(1, 40)).GetAwaiter().GetResult());
            }
        }).Check(Config.QuickThrowOnFailure);

    [Theory]
    [InlineData("rapport.pdf", "rapport.pdf")]
    [InlineData("Rapport.PDF", "Rapport.pdf")]
    [InlineData("rapport", "rapport.pdf")]
    [InlineData("photo.jpg", "photo.jpg.pdf")]
    [InlineData("facture.exe", "facture.exe.pdf")]
    [InlineData("/home/greffe/rapport.pdf", "rapport.pdf")]
    [InlineData("C:\\Users\\greffe\\rapport.pdf", "rapport.pdf")]
    [InlineData("../../etc/passwd", "passwd.pdf")]
    [InlineData("rap\0po\rrt\n.pdf", "rapport.pdf")]
    [InlineData("rapport\u202Efdp.exe", "rapportfdp.exe.pdf")]
    [InlineData("a<b>c:d\"e|f?g*h.pdf", "a_b_c_d_e_f_g_h.pdf")]
    [InlineData(" .. .pdf", "pdf.pdf")]
    [InlineData("...", "document.pdf")]
    [InlineData("CON.pdf", "_CON.pdf")]
    [InlineData("nul", "_nul.pdf")]
    [InlineData(".pdf", "pdf.pdf")]
    public void Clean_AName_IsOneThatEverySystemTakes(string given, string expected) =>
        Assert.Equal(expected, FileNames.Clean(given, FileTypes.Pdf));

    [Fact]
    public void Clean_AnyName_HasTheExtensionOfItsTypeAndNothingThatHurts() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), ArbMap.Default.ArbFor<int>(), (given, number) =>
        {
            var type = FileTypes.All[(int)((uint)number % FileTypes.All.Count)];

            var name = FileNames.Clean((given ?? "") + (number % 3 == 0 ? new string('é', 300) : ""), type);

            Assert.True(name.Length is > 1 and <= FileNames.MaxLength);
            Assert.Contains(type.Extensions, e => name.EndsWith(e, StringComparison.Ordinal));
            Assert.DoesNotContain(name, c => char.IsControl(c) || c is '/' or '\\' or ':' or '"' or '<' or '>' or '|' or '?' or '*');
            Assert.Equal(name, FileNames.Clean(name, type));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static byte[] Spoilt(byte[] file, Random random)
    {
        var spoilt = file.ToArray();
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            spoilt[random.Next(spoilt.Length)] = (byte)random.Next(256);
        }

        return spoilt;
    }

    private static async Task<string> LookAsync(byte[] file, int piece)
    {
        var inspection = new ContentInspection();
        for (var at = 0; at < file.Length; at += piece)
        {
            inspection.Append(file.AsSpan(at, Math.Min(piece, file.Length - at)));
        }

        if (inspection.Finish() is [var problem, ..])
        {
            return problem;
        }

        if (!inspection.IsPackage)
        {
            return inspection.Type!.MediaType;
        }

        var (type, wrong) = await PackageInspection.LookAsync(new MemoryStream(file), TestContext.Current.CancellationToken);
        Assert.True(type is null != wrong is null);
        return type?.MediaType ?? wrong!;
    }
}
