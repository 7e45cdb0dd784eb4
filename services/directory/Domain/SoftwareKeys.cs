using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Jafer.Directory.Domain;

/// <summary>Public keys that software may sign with (RFC 7517): what is kept of them, and what is wrong with others.</summary>
internal static class SoftwareKeys
{
    private const int MinRsaBytes = 256;
    private const int MaxRsaBytes = 512;
    private const int CurveBytes = 32;

    private static readonly string[] s_private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    /// <summary>Reads a key.</summary>
    /// <param name="jwk">The JSON Web Key.</param>
    /// <param name="key">The same with its public numbers alone.</param>
    /// <returns>What is wrong, in English; null for nothing.</returns>
    public static string? Read(string jwk, out string key)
    {
        key = "";
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(jwk, new JsonDocumentOptions { MaxDepth = 4 });
            root = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return "must be a JSON Web Key";
        }
        if (root.ValueKind != JsonValueKind.Object)
            return "must be a JSON Web Key";
        if (s_private.Any(name => root.TryGetProperty(name, out _)))
            return "has its private part: make a new key, this one is known now";
        return Text(root, "kty") switch
        {
            "RSA" => ReadRsa(root, out key),
            "EC" => ReadEc(root, out key),
            _ => "must be of the type RSA or EC",
        };
    }

    private static string? ReadRsa(JsonElement root, out string key)
    {
        key = "";
        if (Number(root, "n") is not { } modulus || Number(root, "e") is not { } exponent)
            return "must have the numbers n and e in base64url";
        if (modulus.Length is < MinRsaBytes or > MaxRsaBytes || modulus[0] < 0x80 || (modulus[^1] & 1) == 0)
            return "must have from 2048 to 4096 bits";

        // 65537 is what every library makes; smaller ones have had attacks, larger ones cost time at every call.
        if (exponent is not [1, 0, 1])
            return "must have the exponent 65537";
        key = JsonSerializer.Serialize(new { kty = "RSA", n = Base64Url.EncodeToString(modulus), e = "AQAB" });
        return null;
    }

    private static string? ReadEc(JsonElement root, out string key)
    {
        key = "";
        if (Text(root, "crv") != "P-256" || Number(root, "x") is not { Length: CurveBytes } x || Number(root, "y") is not { Length: CurveBytes } y)
            return "must be a point of the curve P-256, x and y in base64url";
        try
        {
            using var curve = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
        }
        catch (CryptographicException)
        {
            return "must be a point of the curve P-256, x and y in base64url";
        }
        key = JsonSerializer.Serialize(new { kty = "EC", crv = "P-256", x = Base64Url.EncodeToString(x), y = Base64Url.EncodeToString(y) });
        return null;
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Number(JsonElement root, string name)
    {
        if (Text(root, name) is not { Length: > 0 } text)
            return null;
        try
        {
            return Base64Url.DecodeFromChars(text) is { Length: > 0 } bytes ? bytes : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
