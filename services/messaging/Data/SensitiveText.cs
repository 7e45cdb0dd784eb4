using System.Text;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Jafer.Messaging.Data;

/// <summary>
/// Text that must not be readable from the database alone. The column is binary and its first byte tells the form of the rest,
/// so that encryption with a key ring comes as form 1 beside what stands there in form 0, UTF-8 in clear.
/// </summary>
internal sealed class SensitiveText() : ValueConverter<string, byte[]>(text => Seal(text), sealedText => Open(sealedText))
{
    private const byte Clear = 0;

    private static byte[] Seal(string text) => [Clear, .. Encoding.UTF8.GetBytes(text)];

    private static string Open(byte[] sealedText) => sealedText[0] == Clear
        ? Encoding.UTF8.GetString(sealedText.AsSpan(1))
        : throw new InvalidOperationException("a text is sealed in a form that this version does not know");
}

/// <summary>Bytes that must not be readable from the database alone, in the same forms as <see cref="SensitiveText"/>.</summary>
internal sealed class SensitiveBytes() : ValueConverter<byte[], byte[]>(bytes => Seal(bytes), sealedBytes => Open(sealedBytes))
{
    private const byte Clear = 0;

    private static byte[] Seal(byte[] bytes) => [Clear, .. bytes];

    private static byte[] Open(byte[] sealedBytes) => sealedBytes[0] == Clear
        ? sealedBytes[1..]
        : throw new InvalidOperationException("bytes are sealed in a form that this version does not know");
}
