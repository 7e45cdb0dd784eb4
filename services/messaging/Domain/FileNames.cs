using System.Globalization;
using System.Text;

namespace Jafer.Messaging.Domain;

/// <summary>Names of attachments, as every system can write them.</summary>
internal static class FileNames
{
    /// <summary>Most characters of a name as it is kept.</summary>
    public const int MaxLength = 150;

    private const string Nameless = "document";

    // What Windows takes for a device, whatever stands behind the first dot.
    private static readonly HashSet<string> s_devices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL",
        "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
        "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
    };

    /// <summary>
    /// The name without folders, without what cannot be seen (control characters and those that turn the direction of writing), with
    /// an underscore for what no file system takes, and with an extension of the type that the content has.
    /// </summary>
    /// <param name="given">The sender's name.</param>
    /// <param name="type">What the content is.</param>
    public static string Clean(string given, FileType type)
    {
        var name = new StringBuilder();
        foreach (var rune in given[(given.LastIndexOfAny(['/', '\\']) + 1)..].EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                continue;
            }

            name.Append(rune.Value is '<' or '>' or ':' or '"' or '|' or '?' or '*' ? "_" : rune.ToString());
        }

        var clean = name.ToString().Trim(' ', '.', '\u00a0');
        var extension = type.Extensions.FirstOrDefault(e => clean.EndsWith(e, StringComparison.OrdinalIgnoreCase) && clean.Length > e.Length);
        var stem = Cut(extension is null ? clean : clean[..^extension.Length]).TrimEnd(' ', '.', '\u00a0');
        if (stem.Length == 0)
        {
            stem = Nameless;
        }

        return (s_devices.Contains(stem.Split('.')[0].TrimEnd()) ? "_" : "") + stem + (extension ?? type.Extensions[0]);
    }

    // Not between the halves of a character.
    private static string Cut(string stem)
    {
        var most = MaxLength - 10;
        return stem.Length <= most ? stem : stem[..(char.IsHighSurrogate(stem[most - 1]) ? most - 1 : most)];
    }
}
