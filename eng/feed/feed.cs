#:property PublishAot=false
// Repacks the gRPC, protobuf, OpenTelemetry and IdentityModel assemblies of the Aspire CLI's bundle as NuGet
// packages in a local folder, for machines whose configured registry does not hold these versions.
// Usage: dotnet run eng/feed/feed.cs -- <path of aspire-managed> <output folder>
// Exit status: 0 made or already up to date, 1 the file is not a bundle that this program understands, 2 usage.

using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: feed.cs <path of aspire-managed> <output folder>");
    return 2;
}

var watch = Stopwatch.StartNew();
var file = new FileInfo(args[0]);
var folder = Directory.CreateDirectory(args[1]).FullName;
var stampPath = Path.Combine(folder, "feed.stamp");
// Raise the first number whenever this program would pack differently.
var stamp = $"2 {file.Length} {file.LastWriteTimeUtc.Ticks}";
if (File.Exists(stampPath) && File.ReadAllText(stampPath) == stamp)
{
    Console.WriteLine($"package feed is up to date ({Directory.GetFiles(folder, "*.nupkg").Length} packages)");
    return 0;
}

try
{
    File.Delete(stampPath);
    foreach (var old in Directory.GetFiles(folder, "*.nupkg"))
    {
        File.Delete(old);
    }

    var bundle = Bundle.Open(file.FullName);
    var wanted = Wanted(bundle.Packages);
    foreach (var package in wanted)
    {
        Pack(package, bundle, folder);
    }

    File.WriteAllText(stampPath, stamp);
    Console.WriteLine($"package feed made: {wanted.Count} packages in {watch.Elapsed.TotalSeconds:0.0} s");
    return 0;
}
catch (InvalidDataException e)
{
    Console.Error.WriteLine($"{file.FullName}: {e.Message}");
    return 1;
}

// The families that the solution needs, and whatever they depend on.
static List<Package> Wanted(IReadOnlyDictionary<string, Package> all)
{
    string[] prefixes = ["Grpc.", "Google.Protobuf", "OpenTelemetry", "Microsoft.IdentityModel.", "System.IdentityModel.Tokens.Jwt"];
    var found = new Dictionary<string, Package>(StringComparer.OrdinalIgnoreCase);
    var open = new Stack<Package>(all.Values.Where(p => prefixes.Any(x => p.Id.StartsWith(x, StringComparison.Ordinal))));
    if (open.Count == 0)
    {
        throw new InvalidDataException("the bundle holds none of the wanted packages");
    }

    while (open.TryPop(out var package))
    {
        if (!found.TryAdd(package.Id, package))
        {
            continue;
        }

        foreach (var dependency in package.Dependencies.Keys)
        {
            open.Push(all.TryGetValue(dependency, out var p)
                ? p
                : throw new InvalidDataException($"{package.Id} depends on {dependency}, which the bundle does not list"));
        }
    }

    return [.. found.Values.OrderBy(p => p.Id, StringComparer.Ordinal)];
}

static void Pack(Package package, Bundle bundle, string folder)
{
    XNamespace ns = "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd";
    var dependencies = package.Dependencies
        .Select(d => new XElement(ns + "dependency", new XAttribute("id", d.Key), new XAttribute("version", d.Value)));
    if (package.Id == "Grpc.AspNetCore")
    {
        // A package without assembly: it brings the code generator. The bundle, being a build's result, does not list it.
        dependencies = dependencies.Append(new XElement(ns + "dependency",
            new XAttribute("id", "Grpc.Tools"), new XAttribute("version", "2.85.0"), new XAttribute("include", "All")));
    }

    var metadata = new XElement(ns + "metadata",
        new XElement(ns + "id", package.Id),
        new XElement(ns + "version", package.Version),
        new XElement(ns + "authors", "see the original package"),
        new XElement(ns + "description", $"{package.Id} {package.Version} as built into the Aspire CLI, for local restore only."),
        new XElement(ns + "dependencies",
            new XElement(ns + "group", new XAttribute("targetFramework", "net10.0"), dependencies)));
    if (package.Id == "Grpc.AspNetCore.Server")
    {
        metadata.Add(new XElement(ns + "frameworkReferences",
            new XElement(ns + "group", new XAttribute("targetFramework", "net10.0"),
                new XElement(ns + "frameworkReference", new XAttribute("name", "Microsoft.AspNetCore.App")))));
    }

    var path = Path.Combine(folder, $"{package.Id}.{package.Version}.nupkg");
    using (var zip = ZipFile.Open(path + ".part", ZipArchiveMode.Create))
    {
        Add(zip, $"{package.Id}.nuspec", Encoding.UTF8.GetBytes(
            new XDocument(new XElement(ns + "package", metadata)).ToString()));
        foreach (var assembly in package.Assemblies)
        {
            Add(zip, $"lib/net10.0/{assembly}", bundle.Read(assembly));
        }

        if (package.Assemblies.Count == 0)
        {
            Add(zip, "lib/net10.0/_._", []);
        }
    }

    File.Move(path + ".part", path, overwrite: true);
}

static void Add(ZipArchive zip, string name, byte[] content)
{
    var entry = zip.CreateEntry(name, CompressionLevel.Fastest);
    // A fixed time: the same bundle gives the same packages.
    entry.LastWriteTime = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    using var stream = entry.Open();
    stream.Write(content);
}

sealed record Package(string Id, string Version, IReadOnlyDictionary<string, string> Dependencies, IReadOnlyList<string> Assemblies);

// A .NET single-file bundle, format 6: the host's executable, the files one after the other, then the table of them.
sealed class Bundle
{
    // Published in the .NET host's documentation; the header's offset stands in the eight bytes before it.
    static readonly byte[] Signature = Convert.FromHexString("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae");

    readonly byte[] bytes;
    readonly Dictionary<string, (long Offset, long Size, long Compressed)> entries = new(StringComparer.Ordinal);

    Bundle(byte[] bytes) => this.bytes = bytes;

    public IReadOnlyDictionary<string, Package> Packages { get; private set; } = new Dictionary<string, Package>();

    public static Bundle Open(string path)
    {
        var bundle = new Bundle(File.ReadAllBytes(path));
        var at = bundle.bytes.AsSpan().IndexOf(Signature);
        if (at < 8)
        {
            throw new InvalidDataException("not a .NET single-file bundle");
        }

        bundle.ReadTable(BinaryPrimitives.ReadInt64LittleEndian(bundle.bytes.AsSpan(at - 8)));
        return bundle;
    }

    public byte[] Read(string name)
    {
        if (!entries.TryGetValue(name, out var entry))
        {
            throw new InvalidDataException($"the bundle does not hold {name}");
        }

        if (entry.Compressed == 0)
        {
            return bytes.AsSpan((int)entry.Offset, (int)entry.Size).ToArray();
        }

        using var packed = new MemoryStream(bytes, (int)entry.Offset, (int)entry.Compressed);
        using var deflate = new DeflateStream(packed, CompressionMode.Decompress);
        var content = new byte[entry.Size];
        deflate.ReadExactly(content);
        return content;
    }

    void ReadTable(long header)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes) { Position = header }, Encoding.UTF8);
        var major = reader.ReadUInt32();
        reader.ReadUInt32();
        if (major != 6)
        {
            throw new InvalidDataException($"bundle format {major} is unknown to this program (6 is known)");
        }

        var count = reader.ReadInt32();
        reader.ReadString();
        var (depsOffset, depsSize) = (reader.ReadInt64(), reader.ReadInt64());
        reader.ReadInt64();
        reader.ReadInt64();
        reader.ReadUInt64();
        for (var i = 0; i < count; i++)
        {
            var (offset, size, compressed) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
            reader.ReadByte();
            entries[reader.ReadString()] = (offset, size, compressed);
        }

        Packages = ReadPackages(bytes.AsMemory((int)depsOffset, (int)depsSize));
    }

    // The target with the runtime identifier is the one that was published; the other lists no files.
    static Dictionary<string, Package> ReadPackages(ReadOnlyMemory<byte> deps)
    {
        using var json = JsonDocument.Parse(deps);
        var libraries = json.RootElement.GetProperty("libraries");
        var target = json.RootElement.GetProperty("targets").EnumerateObject().First(t => t.Name.Contains('/')).Value;
        var packages = new Dictionary<string, Package>(StringComparer.OrdinalIgnoreCase);
        foreach (var item in target.EnumerateObject())
        {
            if (libraries.GetProperty(item.Name).GetProperty("type").GetString() != "package")
            {
                continue;
            }

            var dependencies = item.Value.TryGetProperty("dependencies", out var d)
                ? d.EnumerateObject().ToDictionary(x => x.Name, x => x.Value.GetString()!)
                : [];
            var assemblies = item.Value.TryGetProperty("runtime", out var r)
                ? r.EnumerateObject().Select(x => x.Name.Split('/')[^1]).ToList()
                : [];
            var name = item.Name.Split('/');
            packages[name[0]] = new Package(name[0], name[1], dependencies, assemblies);
        }

        return packages;
    }
}
