using System.Text;
using Google.Protobuf.Reflection;

namespace Jafer.ContractTests;

public sealed class DescriptorTests
{
    public static TheoryData<string> Packages() => [.. Contracts.Files.Select(f => f.Package).Distinct()];

    [Theory, MemberData(nameof(Packages))]
    public void Package_Descriptors_AreTheCommittedOnes(string package)
    {
        var text = new StringBuilder();
        var files = Contracts.Files.Where(f => f.Package == package).ToList();
        foreach (var service in files.SelectMany(f => f.Services).OrderBy(s => s.FullName, StringComparer.Ordinal))
        {
            text.Append("service ").Append(service.FullName).Append('\n');
            foreach (var method in service.Methods.OrderBy(m => m.Name, StringComparer.Ordinal))
            {
                text.Append("  ").Append(method.Name).Append('(').Append(method.IsClientStreaming ? "stream " : "").Append(method.InputType.FullName).Append(") returns (")
                    .Append(method.IsServerStreaming ? "stream " : "").Append(method.OutputType.FullName).Append(")\n");
            }
        }

        foreach (var message in Contracts.Messages.Where(m => files.Contains(m.File)).OrderBy(m => m.FullName, StringComparer.Ordinal))
        {
            text.Append("message ").Append(message.FullName).Append('\n');
            foreach (var field in message.Fields.InFieldNumberOrder())
            {
                text.Append("  ").Append(field.FieldNumber).Append(' ').Append(field.Name).Append(": ").Append(Label(field)).Append(TypeName(field))
                    .Append(field.RealContainingOneof is { } oneof ? $" of {oneof.Name}" : "").Append(" json ").Append(field.JsonName).Append('\n');
            }
        }

        foreach (var type in Contracts.Enums.Where(e => files.Contains(e.File)).OrderBy(e => e.FullName, StringComparer.Ordinal))
        {
            text.Append("enum ").Append(type.FullName).Append('\n');
            foreach (var value in type.Values.OrderBy(v => v.Number))
            {
                text.Append("  ").Append(value.Number).Append(' ').Append(value.Name).Append('\n');
            }
        }

        Golden.Matches(package + ".txt", text.ToString());
    }

    [Fact]
    public void Golden_Packages_AllStillExist() =>
        Assert.Equal(Contracts.Files.Select(f => f.Package + ".txt").Distinct().Order(StringComparer.Ordinal), Golden.Names("*.txt").Order(StringComparer.Ordinal));

    private static string Label(FieldDescriptor field) => field.IsRepeated ? "repeated " : field is { HasPresence: true, FieldType: not FieldType.Message, RealContainingOneof: null } ? "optional " : "";

    private static string TypeName(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message => field.MessageType.FullName,
        FieldType.Enum => field.EnumType.FullName,
        var scalar => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(scalar.ToString()),
    };
}
