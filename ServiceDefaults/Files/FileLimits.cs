namespace Jafer.ServiceDefaults.Files;

/// <summary>What holds for every file that Jafer takes.</summary>
public static class FileLimits
{
    /// <summary>Most bytes of a file: 10 MiB.</summary>
    public const int MaxBytes = 10 * 1024 * 1024;

    /// <summary>Most bytes of a chunk, as it is stored and as it is sent: 256 KiB.</summary>
    public const int ChunkBytes = 256 * 1024;

    /// <summary>Most bytes of a file in one request: 1 MiB.</summary>
    public const int MaxPiece = 1024 * 1024;

    /// <summary>Bytes of a SHA-256.</summary>
    public const int Sha256Bytes = 32;

    /// <summary>How long the bytes of a file may take: a transaction is open meanwhile.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);
}
