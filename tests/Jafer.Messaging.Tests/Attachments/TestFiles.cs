using System.IO.Compression;
using System.Text;
using Jafer.Testing;

namespace Jafer.Messaging.Tests.Attachments;

/// <summary>Files as programs write them, with nothing in them that matters.</summary>
internal static class TestFiles
{
    public const string WordMain = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    public const string Macros = "application/vnd.ms-word.document.macroEnabled.main+xml";

    private const string Relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    /// <summary>What every scanner must find: the test file of EICAR, put together here so that this file is none.</summary>
    public static byte[] Eicar { get; } = Encoding.ASCII.GetBytes(@"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");

    public static byte[] Pdf(int length = 400, int seed = 1) => TestPdf.Make(streamLength: length, seed: seed);

    public static byte[] Jpeg() => [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, (byte)'J', (byte)'F', (byte)'I', (byte)'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0xFF, 0xD9];

    public static byte[] Png() => Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");

    public static byte[] Tiff(bool little = true) => little
        ? [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        : [(byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0];

    public static byte[] Heic() => [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8, 0, 0, 0, 8, .. "mdat"u8];

    public static byte[] Text(string text = "Séance du 3 décembre : la mère prévient que l’enfant sera accompagné.\r\n") => Encoding.UTF8.GetBytes(text);

    public static byte[] Docx(string main = WordMain, params (string Name, string Content)[] more) => Package(
    [
        ("[Content_Types].xml", $"""
            <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
            <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="{main}"/></Types>
            """),
        ("_rels/.rels", Relation("/officeDocument", "word/document.xml")),
        ("word/document.xml", "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body/></w:document>"),
        .. more,
    ]);

    public static byte[] Xlsx() => Docx("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml");

    public static byte[] Odf(string kind = "text", params (string Name, string Content)[] more) => Package(
    [
        ("mimetype", "application/vnd.oasis.opendocument." + kind),
        ("content.xml", "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\"/>"),
        .. more.Any(m => m.Name == "META-INF/manifest.xml") ? [] : new[] { ("META-INF/manifest.xml", "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>") },
        .. more,
    ]);

    public static string Relation(string type, string target, bool external = false) =>
        $"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{Relationships}{type}\" Target=\"{target}\"{(external ? " TargetMode=\"External\"" : "")}/></Relationships>";

    /// <summary>A ZIP; a part named "mimetype" stands in it unpacked.</summary>
    public static byte[] Package(params IEnumerable<(string Name, string Content)> parts)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in parts)
            {
                using var part = zip.CreateEntry(name, name == "mimetype" ? CompressionLevel.NoCompression : CompressionLevel.Optimal).Open();
                part.Write(Encoding.UTF8.GetBytes(content));
            }
        }

        return file.ToArray();
    }

    /// <summary>A document with a part that unpacks to as many bytes as asked for, all zero.</summary>
    public static byte[] Bomb(long unpacked, byte[]? sizesTold = null)
    {
        using var file = new MemoryStream();
        file.Write(Docx());
        file.Position = 0;
        using (var zip = new ZipArchive(file, ZipArchiveMode.Update, leaveOpen: true))
        {
            using var part = zip.CreateEntry("word/media/image1.bmp", CompressionLevel.SmallestSize).Open();
            var zeros = new byte[1 << 20];
            for (var left = unpacked; left > 0; left -= zeros.Length)
            {
                part.Write(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
            }
        }

        var bytes = file.ToArray();
        if (sizesTold is not null)
        {
            // The directory says that the part is small: offset 24 of its entry.
            var entry = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
            sizesTold.CopyTo(bytes, entry + 24);
        }

        return bytes;
    }
}
