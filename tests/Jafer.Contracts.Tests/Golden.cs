namespace Jafer.ContractTests;

/// <summary>
/// Compares with a file of the folder Golden. A difference is a change of a contract: when it is meant, run the tests once
/// with JAFER_GOLDEN=write (and JAFER_ROOT, as ./jafer test sets it) and commit what changed.
/// </summary>
internal static class Golden
{
    private static readonly bool s_write = Environment.GetEnvironmentVariable("JAFER_GOLDEN") == "write";

    public static IEnumerable<string> Names(string pattern) =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Golden"), pattern).Select(f => Path.GetFileName(f));

    public static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", name));

    public static void Matches(string name, string text)
    {
        text = text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        if (s_write)
        {
            var root = Environment.GetEnvironmentVariable("JAFER_ROOT") ?? throw new InvalidOperationException("JAFER_ROOT is not set");
            File.WriteAllText(Path.Combine(root, "tests", "Jafer.Contracts.Tests", "Golden", name), text);
        }

        Assert.Equal(s_write ? text : Read(name).ReplaceLineEndings("\n"), text);
    }
}
