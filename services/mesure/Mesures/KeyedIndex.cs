using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Jafer.Mesures.Domain;

namespace Jafer.Mesures.Mesures;

/// <summary>
/// Digests by which duplicates and sibling cases are found: HMAC-SHA256 over the owner and a normalised RG number, child or party,
/// cut to 128 bits. Who has the database but not the key reads nothing in them, and cannot try names either. The owner, the court or
/// without one the gestionnaire, stands in each: those of two never meet (docs/decisions/0019). The key comes from configuration
/// (Index:Key, 32 bytes in base64), and is another one than PageTokens:Key. In Development alone it may be left out: then it is derived
/// from PageTokens:Key, and without that nothing is indexed.
/// </summary>
internal sealed partial class KeyedIndex
{
    private const int KeyLength = 32;
    private const int DigestLength = 16;

    /// <summary>Letters U+00C0 to U+017F without accent, in capitals.</summary>
    private const string Plain =
        "AAAAAAÆCEEEEIIIIDNOOOOO.OUUUUYTßAAAAAAÆCEEEEIIIIDNOOOOO.OUUUUYTY" +
        "AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGGGGGGHHHHIIIIIIIIIIIIJJKKKLLLLLLL" +
        "LLLNNNNNNNNNOOOOOOŒŒRRRRRRSSSSSSSSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS";

    private readonly byte[]? _key;

    public KeyedIndex(IConfiguration configuration, IHostEnvironment environment, ILogger<KeyedIndex> logger)
    {
        if (configuration["Index:Key"] is { Length: > 0 } own)
        {
            _key = new byte[KeyLength];
            if (!Convert.TryFromBase64String(own, _key, out var length) || length != KeyLength)
            {
                throw new InvalidOperationException("Index:Key must be 32 bytes in base64");
            }

            var tokens = new byte[KeyLength];
            if (!environment.IsDevelopment() && Convert.TryFromBase64String(configuration["PageTokens:Key"] ?? "", tokens, out length) && CryptographicOperations.FixedTimeEquals(_key, tokens.AsSpan(0, length)))
            {
                throw new InvalidOperationException("Index:Key must be another key than PageTokens:Key: who seals page tokens could try names");
            }
        }
        else if (!environment.IsDevelopment())
        {
            throw new InvalidOperationException("Index:Key is required outside Development: 32 bytes in base64, another key than PageTokens:Key");
        }
        else if (configuration["PageTokens:Key"] is { Length: > 0 } other)
        {
            _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromBase64String(other), KeyLength, info: "jafer/mesure/index"u8.ToArray());
        }
        else
        {
            logger.LogWarning("neither Index:Key nor PageTokens:Key is configured: duplicates and sibling cases are not found");
        }
    }

    /// <summary>
    /// Tells the digests of one key from those of another, and of one way of writing from a later one; nothing of the key can be read
    /// in it. Null without a key.
    /// </summary>
    public string? Generation => Digest(Guid.Empty, "generation", "1");

    /// <summary>The digest of an RG number; null when there is none, no owner, or no key.</summary>
    public string? OfRgNumber(Guid? owner, string rgNumber) => Digest(owner, "rg", NormalRg(rgNumber));

    /// <summary>The digest of a child: both names and the date of birth, or null when one of them is missing.</summary>
    public string? OfChild(Guid? owner, Child child) => Digest(owner, "child", Whole(child));

    /// <summary>
    /// The digest of a child whoever owns the mesure: it finds families that come back and is of a kind of its own, so that it never
    /// meets another digest (docs/decisions/0025).
    /// </summary>
    public string? OfReturn(Child child) => Digest(Guid.Empty, "return", Whole(child));

    /// <summary>The digest of a party: both names, or null when one is missing. Two parents together tell a family.</summary>
    public string? OfParty(Guid? owner, Party party) => Digest(owner, "party", Whole(party.GivenName, party.FamilyName));

    /// <summary>Fills in the digests of children.</summary>
    public List<Child> Fill(Guid? owner, List<Child> children)
    {
        children.ForEach(c => (c.IdentityIndex, c.ReturnIndex) = (OfChild(owner, c), OfReturn(c)));
        return children;
    }

    /// <summary>Fills in the digests of parties.</summary>
    public List<Party> Fill(Guid? owner, List<Party> parties)
    {
        parties.ForEach(p => p.IdentityIndex = OfParty(owner, p));
        return parties;
    }

    /// <summary>A name without case, accents, spaces and signs: "Noël-Émile  d'Aÿ" and "NOEL EMILE DAY" are one.</summary>
    public static string NormalName(string name)
    {
        // The runtime folds no accents without ICU: the letters of European names stand in a table.
        var normal = new StringBuilder(name.Length);
        foreach (var letter in name.Where(char.IsLetterOrDigit))
        {
            var plain = letter is >= '\u00c0' and <= '\u017f' ? Plain[letter - '\u00c0'] : char.ToUpperInvariant(letter);
            _ = plain switch
            {
                'Æ' => normal.Append("AE"),
                'Œ' => normal.Append("OE"),
                'ß' => normal.Append("SS"),
                _ => normal.Append(plain),
            };
        }

        return normal.ToString();
    }

    /// <summary>An RG number as year and number: "RG n° 26/01234", "2026/1234" and "26-1234" are one. Null when empty.</summary>
    public static string? NormalRg(string rgNumber)
    {
        if (YearAndNumber().Match(rgNumber) is { Success: true } match)
        {
            return $"{match.Groups["year"].ValueSpan[^2..]}/{match.Groups["number"].ValueSpan.TrimStart('0')}";
        }

        var rest = NormalName(rgNumber);
        return rest.Length == 0 ? null : rest;
    }

    private static string? Whole(Child child) =>
        child.BirthDate is { } birth && Whole(child.GivenName, child.FamilyName) is { } name ? $"{name}|{birth:yyyy-MM-dd}" : null;

    private static string? Whole(string givenName, string familyName) =>
        (NormalName(givenName), NormalName(familyName)) is ({ Length: > 0 } given, { Length: > 0 } family) ? $"{given}|{family}" : null;

    private string? Digest(Guid? owner, string kind, string? value) => _key is null || owner is null || value is null
        ? null
        : Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{owner}|{kind}|{value}"))).AsSpan(0, DigestLength));

    [GeneratedRegex(@"\A\D*(?<year>(?:[12][0-9])?[0-9]{2})\s*[/\-. ]\s*(?<number>[0-9]{1,9})\s*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex YearAndNumber();
}
