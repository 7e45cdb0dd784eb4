namespace Jafer.ServiceDefaults.Files;

/// <summary>Looks at the bytes of a file as they arrive.</summary>
public interface IFileInspection
{
    /// <summary>Takes the next bytes.</summary>
    /// <param name="bytes">Any number of them.</param>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>What is wrong with the file, in English; empty when nothing is.</summary>
    IReadOnlyList<string> Finish();
}
