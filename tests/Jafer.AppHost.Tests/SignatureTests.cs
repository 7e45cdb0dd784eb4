namespace Jafer.AppHost.Tests;

/// <summary>The AppHost compiles on the genuine packages too: it calls nothing that these do not offer in the same form.</summary>
public sealed class SignatureTests
{
    [Fact]
    public void AppHost_AsCompiled_CallsOnlyGenuineSignatures()
    {
        var used = UsedMembers.Read(typeof(Program).Assembly.Location, "Aspire.Hosting");

        // Fewer would mean that nothing was read: the program adds servers, services, waits, checks and commands.
        Assert.True(used.Count > 60, $"only {used.Count} members were found");
        Assert.Empty(used.Except(Recorded()));
    }

    [Fact]
    public void RecordedSignatures_OfContainersApart_AreAllInUse()
    {
        var used = UsedMembers.Read(typeof(Program).Assembly.Location, "Aspire.Hosting");

        var idle = Recorded().Except(used).Where(s =>
            !s.Contains("PostgresBuilderExtensions", StringComparison.Ordinal) && !s.Contains("RabbitMQBuilderExtensions", StringComparison.Ordinal));

        Assert.Empty(idle);
    }

    private static HashSet<string> Recorded()
    {
        using var list = typeof(SignatureTests).Assembly.GetManifestResourceStream("genuine-signatures.txt")!;
        using var reader = new StreamReader(list);
        return [.. reader.ReadToEnd().Split('\n').Where(l => l.Length > 0 && l[0] != '#')];
    }
}
