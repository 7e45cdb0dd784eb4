using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>
/// Opaque tokens (AIP-158): a cursor encrypted with AES-GCM and bound to the list, its other arguments and the organisation
/// that asked, so that a token of another search is refused. The key comes from configuration (PageTokens:Key, 32 bytes in
/// base64) and must be the same for all replicas.
/// </summary>
public sealed class PageTokens
{
    private readonly SealedBox _box;
    private readonly byte[] _key;

    /// <summary>Reads the key; without one, tokens are valid for this process only.</summary>
    public PageTokens(IConfiguration configuration, ILogger<PageTokens> logger)
    {
        if (configuration["PageTokens:Key"] is { Length: > 0 } text)
        {
            _box = SealedBox.FromKey(text, "PageTokens:Key");
            _key = Convert.FromBase64String(text);
        }
        else
        {
            logger.LogWarning("PageTokens:Key is not configured: page and resume tokens end with this process");
            _key = RandomNumberGenerator.GetBytes(SealedBox.KeyLength);
            _box = new SealedBox(_key);
        }
    }

    /// <summary>Makes a token.</summary>
    /// <param name="cursor">Where the next page begins.</param>
    /// <param name="binding">What the token is bound to: see <see cref="Binding"/>.</param>
    public string Protect<T>(T cursor, byte[] binding) => _box.Seal(JsonSerializer.SerializeToUtf8Bytes(cursor), binding);

    /// <summary>Reads a token; null when it is damaged or bound to something else.</summary>
    public T? TryUnprotect<T>(string text, byte[] binding)
        where T : class
    {
        try
        {
            return _box.TryOpen(text, binding) is { } plain ? JsonSerializer.Deserialize<T>(plain) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads the page token of a list request: null for the first page, PAGE_TOKEN_INVALID when it is not one of it.</summary>
    public T? Read<T>(string pageToken, byte[] binding)
        where T : class =>
        pageToken.Length == 0 ? null : TryUnprotect<T>(pageToken, binding) ?? throw DomainError.PageTokenInvalid();

    /// <summary>Reads the page token of a list request: null for the first page, a violation beside the others when it is not one of it.</summary>
    public T? Read<T>(FieldChecks check, string pageToken, byte[] binding)
        where T : class
    {
        if (pageToken.Length == 0)
        {
            return null;
        }

        var cursor = TryUnprotect<T>(pageToken, binding);
        if (cursor is null)
        {
            check.PageTokenInvalid();
        }

        return cursor;
    }

    /// <summary>A code of 24 characters that nobody finds without the key: for the same purpose and id always the same.</summary>
    /// <param name="purpose">What it opens.</param>
    /// <param name="id">Whose it is.</param>
    public string Code(string purpose, Guid id) => System.Buffers.Text.Base64Url.EncodeToString(
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, 18, id.ToByteArray(), Encoding.UTF8.GetBytes(purpose)));

    /// <summary>
    /// What a page token is bound to: the organisation, the request's type and all its arguments but page_token and page_size.
    /// </summary>
    public static byte[] Binding<T>(Guid organisationId, T request)
        where T : IMessage<T>, IDeepCloneable<T>
    {
        var arguments = request.Clone();
        foreach (var name in (ReadOnlySpan<string>)["page_token", "page_size"])
        {
            arguments.Descriptor.FindFieldByName(name)?.Accessor.Clear(arguments);
        }

        return Binding(organisationId, request.Descriptor.FullName, arguments.ToByteArray());
    }

    /// <summary>What a token of another kind is bound to.</summary>
    public static byte[] Binding(Guid organisationId, string purpose, ReadOnlySpan<byte> arguments)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(organisationId.ToByteArray());
        hash.AppendData(Encoding.UTF8.GetBytes(purpose));
        hash.AppendData([0]);
        hash.AppendData(arguments);
        return hash.GetHashAndReset();
    }
}
