using System.Text;
using System.Text.Unicode;
using Jafer.ServiceDefaults.Files;

namespace Jafer.Messaging.Domain;

/// <summary>
/// Finds of what type a file is from its bytes as they arrive, and what is wrong with it. Of a package (ZIP) the type is known only
/// once its directory, which stands at its end, was read: <see cref="PackageInspection"/>. Not a virus scanner.
/// </summary>
internal sealed class ContentInspection : IFileInspection
{
    private const int HeadLength = 16;
    private const string Unknown = "is of no type that an attachment may have";

    // Documents of other kinds that are text too: whoever opens them by a program of theirs would run or load what they hold.
    private static readonly string[] s_otherTexts = ["<!doctype", "<html", "<?xml", "<svg", "<script", "{\\rtf", "%!ps", "#!", "mime-version:"];

    private readonly List<byte> _head = [];
    private readonly PdfInspection _pdf = new();
    private readonly List<byte> _begin = [];
    private readonly byte[] _rest = new byte[4];
    private int _resting;
    private bool _isDecided;
    private bool _isText = true;

    /// <summary>What the bytes are; null for a package, and for what is no file that may be attached.</summary>
    public FileType? Type { get; private set; }

    /// <summary>Whether the bytes begin as a package.</summary>
    public bool IsPackage { get; private set; }

    /// <inheritdoc/>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (!_isDecided)
        {
            var count = Math.Min(HeadLength - _head.Count, bytes.Length);
            _head.AddRange(bytes[..count]);
            bytes = bytes[count..];
            if (_head.Count < HeadLength)
            {
                return;
            }

            Decide();
        }

        Go(bytes);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Finish()
    {
        if (!_isDecided)
        {
            Decide();
        }

        if (Type == FileTypes.Pdf)
        {
            return _pdf.Finish();
        }

        if (Type is not null || IsPackage)
        {
            return [];
        }

        if (!_isText || _resting > 0 || IsOtherText())
        {
            return [Unknown];
        }

        Type = FileTypes.Text;
        return [];
    }

    private void Decide()
    {
        _isDecided = true;
        ReadOnlySpan<byte> head = [.. _head];
        Type = head switch
        {
            _ when head.StartsWith("%PDF-"u8) => FileTypes.Pdf,
            _ when head.StartsWith<byte>([0xFF, 0xD8, 0xFF]) => FileTypes.Jpeg,
            _ when head.StartsWith<byte>([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]) => FileTypes.Png,
            _ when head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) => FileTypes.Tiff,
            _ when head.Length >= 12 && head[4..8].SequenceEqual("ftyp"u8) && IsHeic(Encoding.Latin1.GetString(head[8..12])) => FileTypes.Heic,
            _ => null,
        };
        IsPackage = Type is null && head.StartsWith("PK\u0003\u0004"u8);
        Go(head);
    }

    private void Go(ReadOnlySpan<byte> bytes)
    {
        if (Type == FileTypes.Pdf)
        {
            _pdf.Append(bytes);
        }
        else if (Type is null && !IsPackage && _isText)
        {
            _begin.AddRange(bytes[..Math.Min(bytes.Length, 512 - _begin.Count)]);
            ReadText(bytes);
        }
    }

    /// <summary>Whether it still is UTF-8 without control characters; a character that two pieces share is completed by the next.</summary>
    private void ReadText(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IndexOfAnyInRange((byte)0, (byte)8) >= 0 || bytes.IndexOfAnyInRange((byte)14, (byte)31) >= 0 || bytes.IndexOfAny((byte)11, (byte)127) >= 0)
        {
            _isText = false;
            return;
        }

        byte[] all = [.. _rest.AsSpan(0, _resting), .. bytes];
        var whole = all.Length;
        for (var back = 1; back <= Math.Min(3, all.Length); back++)
        {
            if ((all[^back] & 0xC0) != 0x80)
            {
                // The last character begins here: it is whole when as many bytes follow as its first says.
                var length = all[^back] switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
                whole = length > back ? all.Length - back : all.Length;
                break;
            }
        }

        _isText = Utf8.IsValid(all.AsSpan(0, whole));
        _resting = all.Length - whole;
        all.AsSpan(whole).CopyTo(_rest);
    }

    private bool IsOtherText()
    {
        var begin = Encoding.UTF8.GetString([.. _begin]).TrimStart('\uFEFF', ' ', '\t', '\r', '\n', '\f');
        return Array.Exists(s_otherTexts, t => begin.StartsWith(t, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsHeic(string brand) => brand is "heic" or "heix" or "heim" or "heis" or "mif1";
}
