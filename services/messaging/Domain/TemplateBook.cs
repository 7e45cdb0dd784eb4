using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Messaging.Domain;

/// <summary>A text for a usual message.</summary>
/// <param name="Code">Code.</param>
/// <param name="Version">Version, from 1.</param>
/// <param name="AuthorKind">Side for which it is made.</param>
/// <param name="ThreadKind">Kind of thread for which it is made.</param>
/// <param name="MessageKind">Kind that the message usually has.</param>
/// <param name="Title">Title, French.</param>
/// <param name="Body">Text, French; what is to be filled in stands in braces.</param>
/// <param name="AnswerWithinDays">Working days until which an answer is usually asked for; 0 when none is.</param>
internal sealed record MessageTemplate(
    string Code, int Version, AuthorKind AuthorKind, ThreadKind ThreadKind, MessageKind MessageKind, string Title, string Body, int AnswerWithinDays = 0)
{
    /// <summary>What stands in braces, each once, in the order of the text.</summary>
    public IEnumerable<string> Placeholders => TemplateBook.Placeholder().Matches(Body).Select(m => m.Groups["name"].Value).Distinct();
}

/// <summary>The templates of Templates/messages.fr.json. A changed text is a further version; no version is ever taken away.</summary>
internal static partial class TemplateBook
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new Codes<AuthorKind>(), new Codes<ThreadKind>(), new Codes<MessageKind>() },
    };

    private static readonly Lazy<IReadOnlyList<MessageTemplate>> s_all = new(Read);

    /// <summary>All versions.</summary>
    public static IReadOnlyList<MessageTemplate> All => s_all.Value;

    /// <summary>The latest version of each template of a side, by code.</summary>
    /// <param name="side">The side.</param>
    public static IEnumerable<MessageTemplate> CurrentOf(AuthorKind side) => All
        .Where(t => t.AuthorKind == side)
        .GroupBy(t => t.Code)
        .Select(versions => versions.MaxBy(t => t.Version)!)
        .OrderBy(t => t.Code, StringComparer.Ordinal);

    [GeneratedRegex(@"\{(?<name>[a-z_]+)\}", RegexOptions.ExplicitCapture)]
    internal static partial Regex Placeholder();

    private static List<MessageTemplate> Read()
    {
        using var stream = typeof(TemplateBook).Assembly.GetManifestResourceStream("Jafer.Messaging.Templates.messages.fr.json")!;
        return JsonSerializer.Deserialize<List<MessageTemplate>>(stream, s_json)!;
    }

    private sealed class Codes<T> : JsonConverter<T>
        where T : struct, Enum
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ProtoConversions.FromCode<T>(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToCode());
    }
}
