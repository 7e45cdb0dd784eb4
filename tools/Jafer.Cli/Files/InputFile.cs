namespace Jafer.Cli.Files;

/// <summary>Files that a command reads.</summary>
internal static class InputFile
{
    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="UsageException">There is none, or it cannot be read.</exception>
    public static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"There is no file {path}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read.");
        }
    }

    /// <summary>What to say of a file that broke off.</summary>
    /// <param name="path">The file.</param>
    public static UsageException BrokenOff(string path) => new($"{path} cannot be read to its end: nothing was imported.");
}
