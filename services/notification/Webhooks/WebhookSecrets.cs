using System.Security.Cryptography;
using System.Text;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Notifications.Webhooks;

/// <summary>
/// The secrets that sign posts. Signing needs them in clear, so they are kept sealed, each bound to its endpoint. The key comes
/// from configuration (Webhooks:Key, 32 bytes in base64), else it is derived from PageTokens:Key (docs/decisions/0026).
/// </summary>
internal sealed class WebhookSecrets
{
    private const int SecretLength = 32;

    private readonly SealedBox? _box;

    public WebhookSecrets(IConfiguration configuration, ILogger<WebhookSecrets> logger)
    {
        if (configuration["Webhooks:Key"] is { Length: > 0 } own)
        {
            _box = SealedBox.FromKey(own, "Webhooks:Key");
        }
        else if (configuration["PageTokens:Key"] is { Length: > 0 } other)
        {
            _box = new SealedBox(HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromBase64String(other), SealedBox.KeyLength, info: "jafer/notification/webhooks"u8.ToArray()));
        }
        else
        {
            logger.LogWarning("neither Webhooks:Key nor PageTokens:Key is configured: there are no webhooks");
        }
    }

    /// <summary>A new secret, sealed.</summary>
    /// <param name="endpointId">Its endpoint.</param>
    /// <exception cref="DomainError">STATE_FORBIDS: there is no key.</exception>
    public string New(Guid endpointId)
    {
        var box = _box ?? throw DomainError.StateForbids("NO_KEY", "CREATE_SECRET", "this installation has no key to keep secrets with");
        return box.Seal(Encoding.ASCII.GetBytes(WebhookMessage.SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretLength))), Binding(endpointId));
    }

    /// <summary>A secret in clear; null when it was sealed by another key.</summary>
    /// <param name="endpointId">Its endpoint.</param>
    /// <param name="kept">The secret as it is kept.</param>
    public string? TryOpen(Guid endpointId, string kept) => _box?.TryOpen(kept, Binding(endpointId)) is { } secret ? Encoding.ASCII.GetString(secret) : null;

    private static byte[] Binding(Guid endpointId) => endpointId.ToByteArray();
}
