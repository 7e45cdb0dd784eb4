using Google.Protobuf.Reflection;

namespace Jafer.ContractTests;

/// <summary>The rules of our protos that buf cannot see. Each test names all who break its rule.</summary>
public sealed class ProtoRulesTests
{
    private static readonly string[] s_reading = ["Get", "List", "Search", "Check", "Watch"];

    [Fact]
    public void Files_All_AreThere() => Assert.Equal(
        ["jafer.directory.v1", "jafer.journal.v1", "jafer.messaging.v1", "jafer.mesure.v1", "jafer.notification.v1", "jafer.operations.v1", "jafer.type.v1"],
        Contracts.Files.Select(f => f.Package).Distinct());

    [Fact]
    public void Imports_OfAnyFile_AreOursOrProtobufs() => Rule.BrokenByNobody(
        Contracts.Files.SelectMany(f => f.Dependencies, (f, d) => (f.Name, d.Package))
            .Where(i => i.Package != "google.protobuf" && !i.Package.StartsWith("jafer.", StringComparison.Ordinal))
            .Select(i => $"{i.Name} imports {i.Package}"));

    [Fact]
    public void Rpc_Any_TakesItsOwnRequestAndResponse()
    {
        Rule.BrokenByNobody(Contracts.Methods
            .Where(m => m.InputType.Name != m.Name + "Request" || m.OutputType.Name != m.Name + "Response" || m.InputType.File != m.File || m.OutputType.File != m.File)
            .Select(m => m.FullName));
        Rule.BrokenByNobody(Contracts.Messages
            .Where(m => m.Name.EndsWith("Request", StringComparison.Ordinal) || m.Name.EndsWith("Response", StringComparison.Ordinal))
            .Where(m => Contracts.Methods.Count(r => r.InputType == m || r.OutputType == m) != 1)
            .Select(m => m.FullName));
    }

    [Fact]
    public void RpcList_Any_IsPaged() => Rule.BrokenByNobody(Contracts.Methods
        .Where(m => Starts(m, "List", "Search"))
        .Where(m => !Has(m.InputType, "page_size", FieldType.Int32)
            || !((Has(m.InputType, "page_token", FieldType.String) && Has(m.OutputType, "next_page_token", FieldType.String))
                // A feed has no last page: its token is kept and resumed with.
                || (Has(m.InputType, "resume_token", FieldType.String) && Has(m.OutputType, "resume_token", FieldType.String))))
        .Select(m => m.FullName));

    [Fact]
    public void RpcWithPages_Any_IsAList() => Rule.BrokenByNobody(Contracts.Methods
        .Where(m => m.InputType.FindFieldByName("page_token") is not null && !Starts(m, "List", "Search"))
        .Select(m => m.FullName));

    [Fact]
    public void RpcMutating_Any_HasARequestId()
    {
        Rule.BrokenByNobody(Contracts.Methods
            .Where(m => Starts(m, s_reading) == Has(m.InputType, "request_id", FieldType.String))
            .Select(m => m.FullName));

        // On the request, never on the resource.
        Rule.BrokenByNobody(Contracts.Messages
            .Where(m => m.FindFieldByName("request_id") is not null && !m.Name.EndsWith("Request", StringComparison.Ordinal))
            .Select(m => m.FullName));
    }

    [Fact]
    public void Field_Instant_EndsInTime() => Rule.BrokenByNobody(Contracts.Messages.SelectMany(m => m.Fields.InDeclarationOrder())
        .Where(f => f.FieldType == FieldType.Message && f.MessageType.FullName == "google.protobuf.Timestamp"
            && !(f.Name.EndsWith(f.IsRepeated ? "_times" : "_time", StringComparison.Ordinal) || f.Name is "updated_since"))
        .Select(f => f.FullName));

    [Fact]
    public void Field_Date_EndsInDate() => Rule.BrokenByNobody(Contracts.Messages.SelectMany(m => m.Fields.InDeclarationOrder())
        .Where(f => f.FieldType == FieldType.Message && f.MessageType.FullName == "jafer.type.v1.Date"
            && !(f.Name.EndsWith("_date", StringComparison.Ordinal) || f.Name.EndsWith("_deadline", StringComparison.Ordinal) || f.Name is "date"))
        .Select(f => f.FullName));

    [Fact]
    public void Field_Id_IsText() => Rule.BrokenByNobody(Contracts.Messages.SelectMany(m => m.Fields.InDeclarationOrder())
        .Where(f => (f.Name.EndsWith("_id", StringComparison.Ordinal) || f.Name.EndsWith("_ids", StringComparison.Ordinal) || f.Name == "etag") && f.FieldType != FieldType.String)
        .Select(f => f.FullName));

    [Fact]
    public void Field_Repeated_IsPlural() => Rule.BrokenByNobody(Contracts.Messages.SelectMany(m => m.Fields.InDeclarationOrder())
        .Where(f => f.IsRepeated && !f.IsMap && !f.Name.EndsWith('s') && f.Name is not ("lieux" or "children"))
        .Select(f => f.FullName));

    [Fact]
    public void Enum_Any_BeginsUnspecifiedAndPrefixesItsValues() => Rule.BrokenByNobody(Contracts.Enums
        .SelectMany(e => e.Values, (e, v) => (e, v, Prefix: Snake(e.Name) + "_"))
        .Where(x => !x.v.Name.StartsWith(x.Prefix, StringComparison.Ordinal) || (x.v.Number == 0) != (x.v.Name == x.Prefix + "UNSPECIFIED"))
        .Select(x => x.v.FullName));

    private static bool Starts(MethodDescriptor method, params string[] verbs) =>
        verbs.Any(v => method.Name.StartsWith(v, StringComparison.Ordinal) && char.IsUpper(method.Name[v.Length]));

    private static bool Has(MessageDescriptor message, string field, FieldType type) =>
        message.FindFieldByName(field) is { } f && f.FieldType == type && !f.IsRepeated;

    private static string Snake(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseUpper.ConvertName(name);
}
