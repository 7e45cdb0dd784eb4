using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.ContractTests;

/// <summary>What docs/ says of the contracts is all there and true; what it links to exists.</summary>
public sealed partial class DocumentTests
{
    private static readonly JsonSerializerOptions s_readable = new(EventTypes.Json) { WriteIndented = true };

    private static readonly string s_root = FindRoot();

    [GeneratedRegex(@"^### (?<name>\S+)\n(?<text>.*?)```json\n(?<json>.*?)\n```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex EventSection { get; }

    [GeneratedRegex(@"\]\((?<path>[^)#\s]*)(#(?<heading>[^)\s]*))?\)")]
    private static partial Regex Link { get; }

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [GeneratedRegex(@"^\| `(?<name>[A-Z_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex CodeInFirstColumn { get; }

    [GeneratedRegex(@"^\| (?<threat>[STRIDE]\d+)\b.*\| (?<tests>[^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Threat { get; }

    [GeneratedRegex(@"`((?<file>\w+)\.)?(?<test>\w+)`")]
    private static partial Regex NamedTest { get; }

    public static TheoryData<string> Pages() =>
        [.. Directory.EnumerateFiles(Path.Combine(s_root, "docs"), "*.md").Append(Path.Combine(s_root, "protos", "README.md"))
            .Select(f => Path.GetRelativePath(s_root, f)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Events_EveryType_HasItsSection() =>
        Assert.Equal(
            EventTypes.All.Select(EventTypes.NameOf).Order(StringComparer.Ordinal),
            EventSection.Matches(Read("docs/events.md")).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal));

    [Fact]
    public void Events_EveryExample_IsWhatTheTypeWrites()
    {
        foreach (Match section in EventSection.Matches(Read("docs/events.md")))
        {
            var type = EventTypes.TypeOf(section.Groups["name"].Value)!;
            var json = section.Groups["json"].Value;

            var written = JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type, EventTypes.Json)!, type, s_readable);

            Assert.Equal(json, written.ReplaceLineEndings("\n"));
            Assert.Contains($"`{type.Name}`", section.Groups["text"].Value, StringComparison.Ordinal);
            Rule.BrokenByNobody(type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Select(p => $"| `{JsonNamingPolicy.CamelCase.ConvertName(p.Name)}` |")
                .Where(row => !section.Groups["text"].Value.Contains(row, StringComparison.Ordinal)));
        }
    }

    /// <summary>A threat without a test that exists is a promise.</summary>
    [Fact]
    public void Security_EveryThreat_NamesTestsThatExist()
    {
        string[] sources =
        [
            .. Directory.EnumerateFiles(Path.Combine(s_root, "tests"), "*Tests.cs", SearchOption.AllDirectories),
            .. Directory.EnumerateFiles(Path.Combine(s_root, "eng"), "*.test.mjs"),
        ];
        var text = sources.ToLookup(f => Path.GetFileNameWithoutExtension(f), File.ReadAllText);
        var threats = Threat.Matches(Read("docs/security.md")).ToDictionary(m => m.Groups["threat"].Value, m => NamedTest.Matches(m.Groups["tests"].Value));

        Assert.Superset(new HashSet<char>("STRIDE"), threats.Keys.Select(t => t[0]).ToHashSet());
        Rule.BrokenByNobody(threats.Where(t => t.Value.Count == 0).Select(t => $"{t.Key} names no test"));
        Rule.BrokenByNobody(threats.SelectMany(t => t.Value.Where(named => !Exists(named)).Select(named => $"{t.Key} names {named.Value}, which is no test")));

        bool Exists(Match named) => named.Groups["file"].Success
            ? text[named.Groups["file"].Value].Any(t => t.Contains($" {named.Groups["test"].Value}(", StringComparison.Ordinal))
            : text.Where(f => f.Key.EndsWith(".test", StringComparison.Ordinal)).SelectMany(f => f).Any(t => t.Contains($"test('{named.Groups["test"].Value}'", StringComparison.Ordinal));
    }

    [Fact]
    public void Integrators_Errors_AreThoseOfTheContract() =>
        Assert.Equal(Codes<ErrorReason>(), CodeInFirstColumn.Matches(Read("docs/integrators.md")).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal));

    [Fact]
    public void Glossary_TermsOfArt_AreAllThere()
    {
        var glossary = Read("docs/glossary.md");

        Rule.BrokenByNobody(new[]
        {
            Codes<MesureState>(), Codes<Holder>(), Codes<Modalite>(), Codes<ModaliteState>(), Codes<AgrementState>(), Codes<ClosureReason>(), Codes<LegalBasis>(),
        }.SelectMany(c => c).Where(code => !glossary.Contains($"`{code}`", StringComparison.Ordinal)));
    }

    [Theory, MemberData(nameof(Pages))]
    public void Page_Links_LeadSomewhere(string page)
    {
        var text = Read(page);

        Rule.BrokenByNobody(Link.Matches(text)
            .Where(l => !l.Groups["path"].Value.Contains("://", StringComparison.Ordinal) && !Leads(page, l.Groups["path"].Value, l.Groups["heading"].Value))
            .Select(l => l.Value));
    }

    private static bool Leads(string page, string path, string heading)
    {
        var target = path.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, path);
        var full = Path.Combine(s_root, target);
        return heading.Length == 0
            ? File.Exists(full) || Directory.Exists(full)
            : File.Exists(full) && Heading.Matches(Read(target)).Any(h => Anchor(h.Groups["text"].Value) == heading);
    }

    // As the usual viewers make it: lower case, words joined by hyphens, nothing else.
    private static string Anchor(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    private static IEnumerable<string> Codes<T>()
        where T : struct, Enum
    {
        var names = typeof(T).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.GetCustomAttribute<OriginalNameAttribute>()!.Name).ToList();
        var prefix = names.Single(n => n.EndsWith("_UNSPECIFIED", StringComparison.Ordinal))[..^"UNSPECIFIED".Length];
        return names.Select(n => n[prefix.Length..]).Where(n => n != "UNSPECIFIED").Order(StringComparer.Ordinal);
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(s_root, page)).ReplaceLineEndings("\n");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Jafer.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Jafer.sln is above no folder of this test");
        }

        return folder.FullName;
    }
}
