using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Jafer.AppHost;

/// <summary>
/// The secrets of the services' own clients at the development issuer, derived as the issuer itself derives them: HMAC-SHA256
/// over the client id, keyed with the master secret that whoever comes first makes.
/// </summary>
internal sealed class IssuerSecrets(Place place)
{
    private readonly byte[] _master = Encoding.UTF8.GetBytes(ReadOrMake(place));

    /// <summary>The secret of a client, in base64url without padding.</summary>
    public string Of(string clientId) => Base64Url.EncodeToString(HMACSHA256.HashData(_master, Encoding.UTF8.GetBytes(clientId)));

    private static string ReadOrMake(Place place)
    {
        var folder = Environment.GetEnvironmentVariable("JAFER_IDENTITY_KEYS") ?? Path.Combine(place.State, "identity");
        var file = Path.Combine(folder, "master.secret");
        if (!File.Exists(file))
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(folder);
            else
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Place.WriteOnce(file, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) + "\n");
        }
        return File.ReadAllText(file).Trim();
    }
}
