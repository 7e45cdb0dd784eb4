using System.Collections.Frozen;
using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>The gRPC services that this process serves, with the files that declare them and all that these import.</summary>
internal sealed class ServedFiles(EndpointDataSource endpoints)
{
    private readonly Lazy<(FrozenSet<string> Services, FrozenDictionary<string, FileDescriptor> Files, FrozenDictionary<string, FileDescriptor> Symbols)> _all =
        new(() => Read(endpoints));

    /// <summary>Full names of the services.</summary>
    public IReadOnlySet<string> Services => _all.Value.Services;

    /// <summary>The file of a path; null when it is none of them.</summary>
    public FileDescriptor? ByName(string path) => _all.Value.Files.GetValueOrDefault(path);

    /// <summary>The file that declares a symbol; null when none does.</summary>
    public FileDescriptor? BySymbol(string fullName) => _all.Value.Symbols.GetValueOrDefault(fullName);

    private static (FrozenSet<string> Services, FrozenDictionary<string, FileDescriptor> Files, FrozenDictionary<string, FileDescriptor> Symbols) Read(EndpointDataSource endpoints)
    {
        var services = endpoints.Endpoints
            .Select(e => e.Metadata.GetMetadata<GrpcMethodMetadata>()?.ServiceType)
            .OfType<Type>()
            .Distinct()
            .Select(DescriptorOf)
            .OfType<ServiceDescriptor>()
            .ToList();
        var files = new Dictionary<string, FileDescriptor>(StringComparer.Ordinal);
        foreach (var service in services)
        {
            Add(service.File, files);
        }

        var symbols = new Dictionary<string, FileDescriptor>(StringComparer.Ordinal);
        foreach (var file in files.Values)
        {
            foreach (var name in file.Services.SelectMany(s => s.Methods.Select(m => m.FullName).Prepend(s.FullName))
                .Concat(file.MessageTypes.SelectMany(Names))
                .Concat(file.EnumTypes.SelectMany(Names)))
            {
                symbols[name] = file;
            }
        }

        return (services.Select(s => s.FullName).ToFrozenSet(StringComparer.Ordinal), files.ToFrozenDictionary(StringComparer.Ordinal), symbols.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static void Add(FileDescriptor file, Dictionary<string, FileDescriptor> files)
    {
        if (files.TryAdd(file.Name, file))
        {
            foreach (var import in file.Dependencies)
            {
                Add(import, files);
            }
        }
    }

    private static IEnumerable<string> Names(MessageDescriptor message) =>
        message.Fields.InDeclarationOrder().Select(f => f.FullName)
            .Concat(message.Oneofs.Select(o => o.FullName))
            .Concat(message.NestedTypes.SelectMany(Names))
            .Concat(message.EnumTypes.SelectMany(Names))
            .Prepend(message.FullName);

    private static IEnumerable<string> Names(EnumDescriptor type) => type.Values.Select(v => v.FullName).Prepend(type.FullName);

    /// <summary>The generated base class names the static class that holds the descriptor.</summary>
    private static ServiceDescriptor? DescriptorOf(Type implementation)
    {
        for (var type = implementation; type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } bind)
            {
                return bind.BindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as ServiceDescriptor;
            }
        }

        return null;
    }
}
