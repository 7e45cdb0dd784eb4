using System.Security.Cryptography;
using System.Text;

namespace Jafer.ServiceDefaults;

/// <summary>
/// Ids of things whose identity comes from a source outside Jafer (courts, imported espaces): equal on every installation,
/// so that an import finds again what it made and the development issuer knows the organisations without asking.
/// </summary>
public static class StableIds
{
    /// <summary>UUID of a court as an organisation.</summary>
    /// <param name="code">Code of the court, such as "tj69123".</param>
    public static Guid Court(string code) => For($"organisation:court:{code}");

    /// <summary>UUID of an imported gestionnaire as an organisation.</summary>
    /// <param name="source">Name of the source, such as "demo".</param>
    /// <param name="externalId">Identifier in that source.</param>
    public static Guid Gestionnaire(string source, string externalId) => For($"organisation:gestionnaire:{source}:{externalId}");

    /// <summary>UUID of an imported espace.</summary>
    /// <param name="source">Name of the source.</param>
    /// <param name="externalId">Identifier in that source.</param>
    public static Guid Espace(string source, string externalId) => For($"espace:{source}:{externalId}");

    /// <summary>UUID of a lieu of an imported espace.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="externalId">Identifier of the lieu in the source.</param>
    public static Guid Lieu(Guid espaceId, string externalId) => For($"lieu:{espaceId}:{externalId}");

    /// <summary>
    /// The UUID of a name: version 8 of RFC 9562, the first 16 bytes of SHA-256 of "jafer:" and the name, in network order.
    /// </summary>
    /// <param name="name">The name, such as "organisation:court:tj69123".</param>
    public static Guid For(string name)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes("jafer:" + name), hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
