namespace Jafer.Directory.Domain;

/// <summary>SIRET numbers: 14 digits, the key of Luhn over all of them.</summary>
internal static class Siret
{
    private const string LaPoste = "356000000";

    /// <summary>
    /// True when the number has 14 digits and a right key. The establishments of La Poste (SIREN 356 000 000) are numbered
    /// otherwise: the plain sum of their digits is a multiple of 5 (INSEE, Sirene: only the head office follows Luhn).
    /// </summary>
    public static bool IsValid(string? siret)
    {
        if (siret is not { Length: 14 } || siret.AsSpan().ContainsAnyExceptInRange('0', '9') || !Luhn(siret.AsSpan(0, 9)))
            return false;
        return Luhn(siret) || (siret.StartsWith(LaPoste, StringComparison.Ordinal) && siret.Sum(c => c - '0') % 5 == 0);
    }

    private static bool Luhn(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)] - '0';
            if (i % 2 == 1)
                digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
            sum += digit;
        }
        return sum % 10 == 0;
    }
}
