using PdfSharp.Drawing;
using PdfSharp.Fonts;

namespace Jafer.Mesures.Documents.Printing;

/// <summary>
/// The two faces that PDFs are set in, from the machine's own files: they are embedded, so that the reader needs none. Free
/// fonts with every French letter; the first pair found is taken.
/// </summary>
internal sealed class PdfFonts : IFontResolver
{
    private const string Family = "jafer";

    private static readonly string[] s_folders =
    [
        "/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/truetype/liberation", "/usr/share/fonts/truetype/liberation2", "/usr/share/fonts/dejavu-sans-fonts",
        "/usr/share/fonts/liberation-sans", "/usr/share/fonts/TTF", "/System/Library/Fonts/Supplemental", @"C:\Windows\Fonts",
    ];

    private static readonly (string Regular, string Bold)[] s_pairs =
        [("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"), ("Arial.ttf", "Arial Bold.ttf"), ("arial.ttf", "arialbd.ttf")];

    private static readonly Lazy<bool> s_available = new(Register);

    private readonly (string Regular, string Bold) _files;

    private PdfFonts((string Regular, string Bold) files) => _files = files;

    /// <summary>Whether the machine has such a pair.</summary>
    public static bool Available => s_available.Value;

    /// <summary>A font.</summary>
    /// <param name="size">Size in points.</param>
    /// <param name="bold">Whether it is bold.</param>
    public static XFont Of(double size, bool bold = false) =>
        new(Family, size, bold ? XFontStyleEx.Bold : XFontStyleEx.Regular, new XPdfFontOptions(PdfSharp.Pdf.PdfFontEncoding.Unicode));

    public FontResolverInfo? ResolveTypeface(string familyName, bool isBold, bool isItalic) =>
        familyName == Family ? new FontResolverInfo(isBold ? _files.Bold : _files.Regular) : null;

    public byte[]? GetFont(string faceName) => File.ReadAllBytes(faceName);

    private static bool Register()
    {
        var found = s_folders
            .SelectMany(_ => s_pairs, (folder, pair) => (Regular: Path.Combine(folder, pair.Regular), Bold: Path.Combine(folder, pair.Bold)))
            .Where(files => File.Exists(files.Regular) && File.Exists(files.Bold))
            .Take(1).ToList();
        if (found.Count == 0)
        {
            return false;
        }

        GlobalFontSettings.FontResolver = new PdfFonts(found[0]);
        return true;
    }
}
