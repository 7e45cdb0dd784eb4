using System.Collections;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>
/// Finds in a message what the journal names: by the descriptor, wherever the ids stand, so that no handler has to remember. Of a
/// request every id of a thing that Jafer keeps; of an answer the mesures and files, whose parts go with them. The way to them is
/// worked out once for each type of message.
/// </summary>
internal static class ResourceNames
{
    private static readonly ConcurrentDictionary<(MessageDescriptor Type, bool Asked), Plan> s_plans = [];

    // Organisations and people are who acts, not what is acted on; lieux and children go with their espace and mesure.
    private static readonly HashSet<string> s_unnamed =
        ["request", "organisation", "gestionnaire", "juridiction", "operateur", "person", "event", "aggregate", "secret", "lieu", "child"];

    /// <summary>Whether the rpc of a request writes.</summary>
    public static bool IsWrite(MessageDescriptor request) => s_plans.GetOrAdd((request, true), MakePlan).IsWrite;

    /// <summary>Adds what a message names to a list, in its order, nothing twice.</summary>
    /// <param name="message">The message.</param>
    /// <param name="asked">True for a request, false for an answer.</param>
    /// <param name="names">The list.</param>
    public static void AddTo(NameList names, IMessage message, bool asked) => Walk(message, s_plans.GetOrAdd((message.Descriptor, asked), MakePlan), names);

    private static void Walk(IMessage message, Plan plan, NameList names)
    {
        foreach (var step in plan.Steps)
        {
            switch (step.Field.Accessor.GetValue(message))
            {
                case string id:
                    Name(step.Kind, id, names);
                    break;
                case IMessage part:
                    Walk(part, step.Inside!, names);
                    break;
                case IList several:
                    foreach (var one in several)
                    {
                        if (one is IMessage part)
                        {
                            Walk(part, step.Inside!, names);
                        }
                        else
                        {
                            Name(step.Kind, (string)one, names);
                        }
                    }

                    break;
            }
        }
    }

    // What is no id may be anything, a name too: it does not come into the journal.
    private static void Name(string? kind, string id, NameList names)
    {
        if (id.Length == 36 && Guid.TryParseExact(id, "D", out var uuid))
        {
            names.Add($"{kind}/{uuid}");
        }
    }

    private static Plan MakePlan((MessageDescriptor Type, bool Asked) key) => MakePlan(key.Type, key.Asked, []);

    private static Plan MakePlan(MessageDescriptor type, bool asked, Dictionary<MessageDescriptor, Plan> made)
    {
        if (made.TryGetValue(type, out var plan))
        {
            return plan;
        }

        made[type] = plan = new Plan { IsWrite = type.FindFieldByName("request_id") is not null };
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String && !field.IsMap && KindOf(field.Name, asked) is { } kind)
            {
                plan.Steps.Add(new Step(field, kind, null));
            }
            else if (field.FieldType == FieldType.Message && !field.IsMap && Reaches(field.MessageType, asked, []))
            {
                plan.Steps.Add(new Step(field, null, MakePlan(field.MessageType, asked, made)));
            }
        }

        return plan;
    }

    private static bool Reaches(MessageDescriptor type, bool asked, HashSet<MessageDescriptor> seen) => seen.Add(type)
        && type.Fields.InDeclarationOrder().Any(f => !f.IsMap
            && ((f.FieldType == FieldType.String && KindOf(f.Name, asked) is not null) || (f.FieldType == FieldType.Message && Reaches(f.MessageType, asked, seen))));

    private static string? KindOf(string field, bool asked)
    {
        if (!asked)
        {
            return field switch { "mesure_id" or "mesure_ids" => "mesures", "attachment_id" => "attachments", "document_id" => "decision-documents", _ => null };
        }

        var end = field.EndsWith("_id", StringComparison.Ordinal) ? 3 : field.EndsWith("_ids", StringComparison.Ordinal) ? 4 : 0;
        if (end == 0 || field.Contains("external", StringComparison.Ordinal))
        {
            return null;
        }

        var name = field[..^end];
        name = name[(name.LastIndexOf('_') + 1)..];
        return s_unnamed.Contains(name) ? null : name switch
        {
            "slot" => "interview-slots",
            "job" => "bulk-jobs",
            "document" => "decision-documents",
            _ when name[^1] == 'y' => $"{name[..^1]}ies",
            _ => $"{name}s",
        };
    }

    private sealed class Plan
    {
        public bool IsWrite { get; init; }

        public List<Step> Steps { get; } = [];
    }

    private sealed record Step(FieldDescriptor Field, string? Kind, Plan? Inside);
}

/// <summary>Names in the order in which they were found, each once, and not more than a line can hold.</summary>
internal sealed class NameList
{
    /// <summary>Names of one line: far more than the largest request that is accepted has, of which none may be missing.</summary>
    public const int Most = 10_000;

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    public IReadOnlyCollection<string> Names => _names;

    public void Add(string name)
    {
        if (_names.Count < Most && _seen.Add(name))
        {
            _names.Add(name);
        }
    }
}
