using System.Collections.Frozen;

namespace Jafer.Messaging.Domain;

/// <summary>How the bytes of a file say of what type it is.</summary>
internal enum FileShape
{
    /// <summary>A PDF.</summary>
    Pdf,

    /// <summary>A picture, told by its first bytes.</summary>
    Picture,

    /// <summary>Text in UTF-8.</summary>
    Text,

    /// <summary>A ZIP package of an office program.</summary>
    Package,
}

/// <summary>A type of file that an attachment may have.</summary>
/// <param name="MediaType">Its name by IANA.</param>
/// <param name="Shape">How it is told.</param>
/// <param name="Extensions">Extensions of its names, with the dot, in lower case; the first is the usual one.</param>
/// <param name="Mark">Of a package: media type of its main part (OOXML), or its own (ODF). Else empty.</param>
internal sealed record FileType(string MediaType, FileShape Shape, IReadOnlyList<string> Extensions, string Mark = "");

/// <summary>
/// What courts and associations send each other: documents and scans, photographs, letters and tables of the usual office programs.
/// Whatever runs, or hides what it holds, is not among them.
/// </summary>
internal static class FileTypes
{
    private const string Ooxml = "application/vnd.openxmlformats-officedocument.";

    /// <summary>A PDF.</summary>
    public static FileType Pdf { get; } = new("application/pdf", FileShape.Pdf, [".pdf"]);

    /// <summary>A photograph or scan.</summary>
    public static FileType Jpeg { get; } = new("image/jpeg", FileShape.Picture, [".jpg", ".jpeg"]);

    /// <summary>A picture of a screen.</summary>
    public static FileType Png { get; } = new("image/png", FileShape.Picture, [".png"]);

    /// <summary>A scan of several pages.</summary>
    public static FileType Tiff { get; } = new("image/tiff", FileShape.Picture, [".tif", ".tiff"]);

    /// <summary>A photograph of a telephone.</summary>
    public static FileType Heic { get; } = new("image/heic", FileShape.Picture, [".heic", ".heif"]);

    /// <summary>Text.</summary>
    public static FileType Text { get; } = new("text/plain", FileShape.Text, [".txt", ".csv"]);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<FileType> All { get; } =
    [
        Pdf, Jpeg, Png, Tiff, Heic, Text,
        new(Ooxml + "wordprocessingml.document", FileShape.Package, [".docx"], Ooxml + "wordprocessingml.document.main+xml"),
        new(Ooxml + "spreadsheetml.sheet", FileShape.Package, [".xlsx"], Ooxml + "spreadsheetml.sheet.main+xml"),
        new("application/vnd.oasis.opendocument.text", FileShape.Package, [".odt"], "application/vnd.oasis.opendocument.text"),
        new("application/vnd.oasis.opendocument.spreadsheet", FileShape.Package, [".ods"], "application/vnd.oasis.opendocument.spreadsheet"),
    ];

    /// <summary>Packages by what marks them.</summary>
    public static FrozenDictionary<string, FileType> Packages { get; } =
        All.Where(t => t.Shape == FileShape.Package).ToFrozenDictionary(t => t.Mark, StringComparer.Ordinal);
}
