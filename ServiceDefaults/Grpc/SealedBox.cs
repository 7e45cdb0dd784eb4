using System.Buffers.Text;
using System.Security.Cryptography;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>Seals bytes into a text by AES-GCM, bound to what is named with them.</summary>
/// <param name="key">Key of <see cref="KeyLength"/> bytes.</param>
public sealed class SealedBox(byte[] key)
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyLength = 32;

    private const int NonceLength = 12;
    private const int TagLength = 16;

    /// <summary>A box with a configured key.</summary>
    /// <param name="base64">The key in base64.</param>
    /// <param name="setting">Its setting, named when it is wrong.</param>
    public static SealedBox FromKey(string base64, string setting)
    {
        var key = Convert.FromBase64String(base64);
        return key.Length == KeyLength ? new SealedBox(key) : throw new InvalidOperationException($"{setting} must be 32 bytes in base64");
    }

    /// <summary>Seals bytes.</summary>
    /// <param name="plain">The bytes.</param>
    /// <param name="binding">What must be named again to open them.</param>
    public string Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> binding)
    {
        var sealedBytes = new byte[NonceLength + TagLength + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceLength);
        RandomNumberGenerator.Fill(nonce);

        // A cipher object must not be used by two threads at once; making one costs a microsecond.
        using var cipher = new AesGcm(key, TagLength);
        cipher.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceLength + TagLength), sealedBytes.AsSpan(NonceLength, TagLength), binding);
        return Base64Url.EncodeToString(sealedBytes);
    }

    /// <summary>Opens what was sealed; null when it is damaged, or was sealed by another key or bound to something else.</summary>
    /// <param name="text">The text.</param>
    /// <param name="binding">What it is bound to.</param>
    public byte[]? TryOpen(string text, ReadOnlySpan<byte> binding)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            var sealedBytes = Base64Url.DecodeFromChars(text);
            if (sealedBytes.Length <= NonceLength + TagLength)
            {
                return null;
            }

            var plain = new byte[sealedBytes.Length - NonceLength - TagLength];
            using var cipher = new AesGcm(key, TagLength);
            cipher.Decrypt(sealedBytes.AsSpan(0, NonceLength), sealedBytes.AsSpan(NonceLength + TagLength), sealedBytes.AsSpan(NonceLength, TagLength), plain, binding);
            return plain;
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }
}
