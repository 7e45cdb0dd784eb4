namespace Jafer.Directory.Domain;

/// <summary>
/// INSEE codes in their order, four bytes each, and the position of each: what is known of 35,000 communes stands in arrays by
/// that position. A dictionary of texts would take ten times the memory to save a quarter of a microsecond.
/// </summary>
internal sealed class CommuneCodes
{
    private const int Digits = 36;

    private readonly uint[] _codes;

    /// <summary>Takes codes; each once, in their ordinal order.</summary>
    /// <exception cref="ArgumentException">They are not in order, or not of five digits or capitals.</exception>
    public CommuneCodes(IReadOnlyList<string> codes)
    {
        _codes = new uint[codes.Count];
        for (var i = 0; i < codes.Count; i++)
        {
            if (!TryPack(codes[i], out _codes[i]) || (i > 0 && _codes[i] <= _codes[i - 1]))
                throw new ArgumentException("INSEE codes must be of five digits or capitals, in order and each once.", nameof(codes));
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _codes.Length;

    /// <summary>Position of a code; negative when it is unknown.</summary>
    public int IndexOf(string? insee) => insee is not null && TryPack(insee, out var code) ? Array.BinarySearch(_codes, code) : -1;

    /// <summary>The code at a position.</summary>
    public string this[int index] => string.Create(5, _codes[index], static (text, code) =>
    {
        for (var i = 4; i >= 0; i--, code /= Digits)
            text[i] = (char)(code % Digits is < 10 and var digit ? '0' + digit : 'A' + code % Digits - 10);
    });

    private static bool TryPack(string insee, out uint code)
    {
        code = 0;
        if (insee.Length != 5)
            return false;
        foreach (var c in insee)
        {
            if (c is >= '0' and <= '9')
                code = code * Digits + (uint)(c - '0');
            else if (c is >= 'A' and <= 'Z')
                code = code * Digits + (uint)(c - 'A') + 10;
            else
                return false;
        }
        return true;
    }
}
