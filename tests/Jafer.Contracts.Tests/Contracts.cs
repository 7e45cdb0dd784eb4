using System.Reflection;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.ContractTests;

/// <summary>The files of the contracts, as they are compiled in.</summary>
internal static class Contracts
{
    public static IReadOnlyList<FileDescriptor> Files { get; } =
    [
        .. typeof(MesureService).Assembly.GetTypes()
            .Where(t => t.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(t => t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
            .OfType<FileDescriptor>()
            .OrderBy(f => f.Name, StringComparer.Ordinal),
    ];

    public static IEnumerable<MethodDescriptor> Methods => Files.SelectMany(f => f.Services).SelectMany(s => s.Methods);

    public static IEnumerable<MessageDescriptor> Messages => Files.SelectMany(f => f.MessageTypes).SelectMany(WithNested);

    public static IEnumerable<EnumDescriptor> Enums => Files.SelectMany(f => f.EnumTypes).Concat(Messages.SelectMany(m => m.EnumTypes));

    private static IEnumerable<MessageDescriptor> WithNested(MessageDescriptor message) =>
        message.NestedTypes.SelectMany(WithNested).Prepend(message);
}

internal static class Rule
{
    /// <summary>Fails with the names of all who break a rule.</summary>
    public static void BrokenByNobody(IEnumerable<string> names) => Assert.Empty(names);
}
