using System.Collections.Frozen;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Jafer.ServiceDefaults.Files;

/// <summary>
/// Looks at the bytes of a file as they arrive: whether it is a whole PDF that a greffe would hand on. A document is text or a
/// scan; a program in it, a file inside it or a form that sends data has no place there, and what is encrypted can be neither
/// looked into nor archived. Not a virus scanner: it reads names, not programs.
/// </summary>
public sealed class PdfInspection : IFileInspection
{
    private const int MaxWord = 32;
    private const int MaxObjects = 4 * 1024 * 1024;
    private const int MaxInflated = 64 * 1024 * 1024;

    /// <summary>Names of ISO 32000 that stand for what is refused. Looked for in every byte: a reader of PDF goes by offsets, so no part of a file is out of its reach.</summary>
    private static readonly FrozenDictionary<string, string> s_refused = new Dictionary<string, string>
    {
        ["Encrypt"] = "must not be encrypted or protected by a password",
        ["JavaScript"] = "must not carry a program (JavaScript)",
        ["Launch"] = "must not start a program (Launch)",
        ["EmbeddedFile"] = "must not hold attached files",
        ["EmbeddedFiles"] = "must not hold attached files",
        ["RichMedia"] = "must not hold media that run a program (RichMedia)",
        ["SubmitForm"] = "must not send data (SubmitForm)",
        ["ImportData"] = "must not take in data (ImportData)",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // Ways to pack an object stream that nobody uses for it, and that would hide what is in it.
    private static readonly FrozenSet<string> s_packings =
        new[] { "LZWDecode", "ASCII85Decode", "ASCIIHexDecode", "RunLengthDecode", "Crypt", "Predictor" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly SortedSet<string> _problems = new(StringComparer.Ordinal);
    private readonly bool _isNested;
    private readonly byte[] _head = new byte[7];
    private readonly byte[] _tail = new byte[1024];
    private readonly StringBuilder _word = new(MaxWord + 1);
    private readonly HashSet<string> _namesOfObject = new(StringComparer.Ordinal);
    private List<byte>? _objects;
    private long _length;
    private bool _inName;
    private bool _packedByFlateAlone;
    private int _flates;

    /// <summary>Begins with a new file.</summary>
    public PdfInspection()
        : this(isNested: false)
    {
    }

    private PdfInspection(bool isNested) => _isNested = isNested;

    /// <inheritdoc/>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (_length < _head.Length)
            {
                _head[_length] = value;
            }

            _tail[_length++ % _tail.Length] = value;
            Collect(value);
            Step(value);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Finish()
    {
        Step((byte)' ');
        var head = Encoding.Latin1.GetString(_head);
        if (!(head.StartsWith("%PDF-1.", StringComparison.Ordinal) || head.StartsWith("%PDF-2.", StringComparison.Ordinal)))
        {
            return ["must be a PDF: it does not begin as one"];
        }

        var tail = Encoding.Latin1.GetString(Tail());
        if (!tail.Contains("startxref", StringComparison.Ordinal) || !tail.Contains("%%EOF", StringComparison.Ordinal))
        {
            _problems.Add("must be a whole PDF: its end is missing");
        }

        return [.. _problems];
    }

    private static bool IsRegular(byte value) => value is > 32 and not ((byte)'/' or (byte)'(' or (byte)')' or (byte)'<' or (byte)'>' or (byte)'[' or (byte)']' or (byte)'{' or (byte)'}' or (byte)'%');

    private byte[] Tail()
    {
        var count = (int)Math.Min(_length, _tail.Length);
        return [.. Enumerable.Range(0, count).Select(i => _tail[(_length - count + i) % _tail.Length])];
    }

    private void Step(byte value)
    {
        if (IsRegular(value))
        {
            // What is longer than any word that counts is none of them.
            if (_word.Length <= MaxWord * 3)
            {
                _word.Append((char)value);
            }

            return;
        }

        if (_inName)
        {
            Name(Unescape(_word.ToString()));
        }
        else if (_word.Length > 0)
        {
            Keyword(_word.ToString());
        }

        _word.Clear();
        _inName = value == (byte)'/';
    }

    private void Name(string name)
    {
        if (s_refused.TryGetValue(name, out var problem))
        {
            _problems.Add(problem);
        }

        _flates += name == "FlateDecode" ? 1 : 0;
        if (name is "ObjStm" or "Filter" || s_packings.Contains(name))
        {
            _namesOfObject.Add(name);
        }
    }

    private void Keyword(string word)
    {
        if (word.EndsWith("obj", StringComparison.Ordinal))
        {
            _namesOfObject.Clear();
            _flates = 0;
        }
        else if (word == "stream" && !_isNested && _objects is null && _namesOfObject.Contains("ObjStm") && _namesOfObject.Contains("Filter"))
        {
            // Objects may be packed together: what is in there counts like what stands outside.
            _objects = [];
            _packedByFlateAlone = _flates == 1 && !_namesOfObject.Overlaps(s_packings);
        }
    }

    private void Collect(byte value)
    {
        if (_objects is null)
        {
            return;
        }

        // White space between the keyword and the first byte of the packed data.
        if (_objects.Count > 0 || value is not ((byte)'\r' or (byte)'\n'))
        {
            _objects.Add(value);
        }

        if (_objects.Count > MaxObjects)
        {
            Hidden();
            _objects = null;
        }
        else if (value == (byte)'m' && CollectionsMarshal.AsSpan(_objects).EndsWith("endstream"u8))
        {
            var packed = _objects.ToArray();
            _objects = null;
            Unpack(packed[..^"endstream".Length]);
        }
    }

    private void Unpack(byte[] packed)
    {
        if (!_packedByFlateAlone)
        {
            Hidden();
            return;
        }

        try
        {
            using var inflated = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
            var inner = new PdfInspection(isNested: true);
            var buffer = new byte[16 * 1024];
            var total = 0;
            for (int read; (read = inflated.Read(buffer)) > 0 && total <= MaxInflated; total += read)
            {
                inner.Append(buffer.AsSpan(0, read));
            }

            inner.Step((byte)' ');
            _problems.UnionWith(inner._problems);
            if (total > MaxInflated)
            {
                Hidden();
            }
        }
        catch (InvalidDataException)
        {
            Hidden();
        }
    }

    private void Hidden() => _problems.Add("must not hide objects in a way that cannot be looked into");

    // "/J#61vaScript" is the same name.
    private static string Unescape(string name)
    {
        if (!name.Contains('#', StringComparison.Ordinal))
        {
            return name;
        }

        var plain = new StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == '#' && i + 2 < name.Length && char.IsAsciiHexDigit(name[i + 1]) && char.IsAsciiHexDigit(name[i + 2]))
            {
                plain.Append((char)Convert.ToByte(name.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                plain.Append(name[i]);
            }
        }

        return plain.ToString();
    }
}
