using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Jafer.ServiceDefaults.Secrets;

/// <summary>
/// Seals values under keys that stand outside the database (docs/decisions/0036): AES-256-GCM by a data key, which stands beside the
/// value, wrapped by a key of the ring (AES-KWP, RFC 5649). A sealed value is form 1, length and id of the key, wrapped data key, nonce,
/// tag and ciphertext, bound to its column. Form 0 is in clear: what no key was there for yet, and what is empty.
/// </summary>
public sealed class KeyRing
{
    /// <summary>Id of the key of development machines, which everybody knows.</summary>
    public const string DevelopmentId = "development";

    private const byte Clear = 0;
    private const byte Enveloped = 1;
    private const int KeyLength = 32;
    private const int WrappedLength = 40;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int MaxIdLength = 32;

    // Far from the 2^32 values after which random nonces of one key may meet.
    private const int ValuesOfADataKey = 1 << 16;
    private const int MaxOpenedDataKeys = 4096;

    private static readonly Lock s_installing = new();
    private static volatile KeyRing? s_process;

    private readonly Dictionary<string, byte[]> _keys;
    private readonly ConcurrentDictionary<Wrapped, (string Id, byte[] Key)> _opened = new();
    private readonly byte[] _header;
    private DataKey _current;

    /// <summary>A ring.</summary>
    /// <param name="currentId">Id of the key that seals.</param>
    /// <param name="keys">All keys, 32 bytes each, by id; an id is 1 to 32 letters, digits, "-" and "_".</param>
    public KeyRing(string currentId, IReadOnlyDictionary<string, byte[]> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var (id, key) in keys)
        {
            if (id.Length is 0 or > MaxIdLength || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            {
                throw new InvalidOperationException("the id of a key in Secrets:Keys must be 1 to 32 letters, digits, '-' or '_'");
            }

            if (key.Length != KeyLength)
            {
                throw new InvalidOperationException($"the key '{id}' in Secrets:Keys must be 32 bytes in base64");
            }
        }

        CurrentId = currentId;
        _keys = new Dictionary<string, byte[]>(keys, StringComparer.Ordinal);
        _header = [Enveloped, (byte)currentId.Length, .. Encoding.ASCII.GetBytes(currentId)];
        _current = NewDataKey();
    }

    /// <summary>
    /// The ring of this process, which the mapped columns use: EF's models and compiled queries are the process's too. Set when a service
    /// is built.
    /// </summary>
    public static KeyRing Process => s_process ?? throw new InvalidOperationException("no key ring is set: Secrets:Keys is read when a service is built");

    /// <summary>Id of the key that seals.</summary>
    public string CurrentId { get; }

    /// <summary>Beginning of everything that this ring seals: form and key id. What begins otherwise, and is longer than one byte, is to be sealed anew.</summary>
    public ReadOnlySpan<byte> Header => _header;

    /// <summary>Reads a ring. Without keys Development has its own; every other environment refuses to start.</summary>
    /// <param name="configuration">Secrets:Keys:N with Id and either Key (base64) or KeyFile (a file with the same); 0 seals, the others only open.</param>
    /// <param name="environment">Where this runs.</param>
    public static KeyRing Read(IConfiguration configuration, IHostEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        string? current = null;
        foreach (var entry in configuration.GetSection("Secrets:Keys").GetChildren().OrderBy(s => int.TryParse(s.Key, out var n) ? n : int.MaxValue))
        {
            var id = entry["Id"] ?? throw new InvalidOperationException($"{entry.Path}:Id is not configured");
            var text = entry["Key"] ?? (entry["KeyFile"] is { } file ? File.ReadAllText(file) : throw new InvalidOperationException($"neither {entry.Path}:Key nor {entry.Path}:KeyFile is configured"));
            var key = new byte[KeyLength];
            if (!Convert.TryFromBase64String(text.Trim(), key, out var length) || length != KeyLength)
            {
                throw new InvalidOperationException($"{entry.Path} must be 32 bytes in base64");
            }

            if (!keys.TryAdd(id, key))
            {
                throw new InvalidOperationException($"{entry.Path}:Id is the id of another key too");
            }

            current ??= id;
        }

        if (environment.IsDevelopment())
        {
            _ = keys.TryAdd(DevelopmentId, DevelopmentKey);
            current ??= DevelopmentId;
        }
        else if (keys.ContainsKey(DevelopmentId) || keys.Values.Any(k => k.AsSpan().SequenceEqual(DevelopmentKey)))
        {
            throw new InvalidOperationException("Secrets:Keys holds the key of development machines, which everybody knows");
        }

        return new KeyRing(current ?? throw new InvalidOperationException("Secrets:Keys is not configured: without a key nothing personal may be stored (docs/operators.md)"), keys);
    }

    /// <summary>
    /// Makes a ring that of the process. The same again changes nothing; another one, which only tests have, seals from now on, and
    /// what the former sealed is still opened.
    /// </summary>
    /// <param name="ring">The ring.</param>
    /// <returns>The same ring.</returns>
    public static KeyRing Install(KeyRing ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        lock (s_installing)
        {
            if (s_process is null)
            {
                s_process = ring;
            }
            else if (ring.CurrentId != s_process.CurrentId || ring._keys.Any(k => !s_process._keys.TryGetValue(k.Key, out var known) || !known.AsSpan().SequenceEqual(k.Value)))
            {
                var all = new Dictionary<string, byte[]>(s_process._keys, StringComparer.Ordinal);
                foreach (var (id, key) in ring._keys)
                {
                    if (all.TryGetValue(id, out var known) && !known.AsSpan().SequenceEqual(key))
                    {
                        throw new InvalidOperationException($"two services of one process have different keys under the id '{id}'");
                    }

                    all[id] = key;
                }

                s_process = new KeyRing(ring.CurrentId, all);
            }
        }

        return ring;
    }

    /// <summary>The key that a value is sealed under; null for one in clear.</summary>
    /// <param name="value">The value as it is stored.</param>
    public static string? KeyIdOf(ReadOnlySpan<byte> value) =>
        value is [Enveloped, var length, ..] && value.Length > 2 + length ? Encoding.ASCII.GetString(value.Slice(2, length)) : null;

    /// <summary>Bytes as they stand in clear. For what is written without a key, such as by a migration.</summary>
    /// <param name="plain">The bytes.</param>
    public static byte[] InClear(ReadOnlySpan<byte> plain) => [Clear, .. plain];

    /// <summary>What bytes are bound to, so that no value can be moved to another column.</summary>
    /// <param name="column">The column, "table.column".</param>
    public static byte[] Binding(string column) => Encoding.UTF8.GetBytes(column);

    /// <summary>Whether the job has nothing to do with a value: it is empty, or sealed by the key that seals.</summary>
    /// <param name="value">The value as it is stored.</param>
    public bool IsCurrent(ReadOnlySpan<byte> value) => value.Length == 1 || value.StartsWith(_header);

    /// <summary>Seals bytes; none stay none, in one byte of clear.</summary>
    /// <param name="plain">The bytes.</param>
    /// <param name="binding">See <see cref="Binding"/>.</param>
    public byte[] Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> binding)
    {
        if (plain.IsEmpty)
        {
            return [Clear];
        }

        var key = _current;
        if (key.TookTooMany())
        {
            _current = key = NewDataKey();
        }

        var start = _header.Length;
        var value = new byte[start + WrappedLength + NonceLength + TagLength + plain.Length];
        _header.CopyTo(value, 0);
        key.Wrapped.CopyTo(value, start);
        var nonce = value.AsSpan(start + WrappedLength, NonceLength);
        RandomNumberGenerator.Fill(nonce);

        // A cipher object must not be used by two threads at once; making one costs a microsecond.
        using var cipher = new AesGcm(key.Key, TagLength);
        cipher.Encrypt(nonce, plain, value.AsSpan(start + WrappedLength + NonceLength + TagLength), value.AsSpan(start + WrappedLength + NonceLength, TagLength), binding);
        return value;
    }

    /// <summary>Opens a value, sealed or in clear.</summary>
    /// <param name="value">The value as it is stored.</param>
    /// <param name="binding">See <see cref="Binding"/>.</param>
    /// <exception cref="SealKeyMissingException">The key is not in the ring.</exception>
    /// <exception cref="SealBrokenException">The value is damaged, or belongs to another column.</exception>
    public byte[] Open(ReadOnlySpan<byte> value, ReadOnlySpan<byte> binding)
    {
        if (value is [Clear, ..])
        {
            return value[1..].ToArray();
        }

        if (value is not [Enveloped, var length, ..] || value.Length < 2 + length + WrappedLength + NonceLength + TagLength)
        {
            throw new SealBrokenException();
        }

        var wrapped = value.Slice(2 + length, WrappedLength);
        var key = OpenDataKey(value.Slice(2, length), wrapped);
        var rest = value[(2 + length + WrappedLength)..];
        var plain = new byte[rest.Length - NonceLength - TagLength];
        using var cipher = new AesGcm(key, TagLength);
        try
        {
            cipher.Decrypt(rest[..NonceLength], rest[(NonceLength + TagLength)..], rest.Slice(NonceLength, TagLength), plain, binding);
        }
        catch (CryptographicException)
        {
            throw new SealBrokenException();
        }

        return plain;
    }

    private static byte[] DevelopmentKey => SHA256.HashData("jafer development key: known to everybody"u8);

    private DataKey NewDataKey()
    {
        var key = RandomNumberGenerator.GetBytes(KeyLength);
        using var aes = Aes.Create();
        aes.Key = _keys.TryGetValue(CurrentId, out var current) ? current : throw new InvalidOperationException("the key that seals is not in the ring");
        return new DataKey(key, aes.EncryptKeyWrapPadded(key));
    }

    private byte[] OpenDataKey(ReadOnlySpan<byte> id, ReadOnlySpan<byte> wrapped)
    {
        var name = MemoryMarshal.Read<Wrapped>(wrapped);
        if (_opened.TryGetValue(name, out var known) && Ascii.Equals(id, known.Id))
        {
            return known.Key;
        }

        var keyId = Encoding.ASCII.GetString(id);
        var key = _keys.GetValueOrDefault(keyId) ?? throw new SealKeyMissingException();
        using var aes = Aes.Create();
        aes.Key = key;
        byte[] opened;
        try
        {
            opened = aes.DecryptKeyWrapPadded(wrapped);
        }
        catch (CryptographicException)
        {
            throw new SealBrokenException();
        }

        if (_opened.Count >= MaxOpenedDataKeys)
        {
            _opened.Clear();
        }

        _opened[name] = (keyId, opened);
        return opened;
    }

    private sealed class DataKey(byte[] key, byte[] wrapped)
    {
        private int _values;

        public byte[] Key => key;

        public byte[] Wrapped => wrapped;

        public bool TookTooMany() => Interlocked.Increment(ref _values) > ValuesOfADataKey;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly record struct Wrapped(ulong A, ulong B, ulong C, ulong D, ulong E);
}
