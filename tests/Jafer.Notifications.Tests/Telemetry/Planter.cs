using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Telemetry;

/// <summary>
/// Puts a marker into every text of a message, found by its descriptor: what a contract gets anew is planted as well. Each
/// marker has a number, by which a leak tells the field that it came from.
/// </summary>
internal sealed partial class Planter
{
    /// <summary>What no text of the product holds by itself.</summary>
    public const string Marker = "zqplante";

    private readonly List<string> _fields = [];

    /// <summary>Names the fields of the markers in a text.</summary>
    public string FieldsIn(string text) => string.Join(", ", _fields.Where((_, i) => text.Contains(Mark(i), StringComparison.OrdinalIgnoreCase)));

    /// <summary>The fields of all markers in a long text.</summary>
    public IEnumerable<string> FieldsShownBy(string text) => MarkPattern().Matches(text).Select(m => int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).Distinct()
        .Select(i => _fields[i]).Distinct();

    /// <summary>A marker of its own.</summary>
    /// <param name="field">Where it will stand.</param>
    public string Next(string field)
    {
        _fields.Add(field);
        return Mark(_fields.Count - 1);
    }

    /// <summary>A copy of a well-formed message with a marker in each of its texts, those of empty fields included.</summary>
    /// <param name="message">The message.</param>
    /// <param name="spared">Whether a field, by its path as refusals name it, keeps its value, with all that is in it.</param>
    public IMessage Planted(IMessage message, Func<string, bool> spared)
    {
        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
        Plant(copy, copy.Descriptor.Name, "", spared);
        return copy;
    }

    /// <summary>A message in which everything is set, each text a marker.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="known">Values of ids by the name of their field; a field that is not there gets a marker.</param>
    /// <param name="depth">Depth left for nested messages.</param>
    public IMessage Wild(MessageDescriptor type, IReadOnlyDictionary<string, string> known, int depth = 5)
    {
        var message = (IMessage)Activator.CreateInstance(type.ClrType)!;
        foreach (var field in type.Fields.InDeclarationOrder().Where(f => !f.IsMap))
        {
            object? value = field.FieldType switch
            {
                FieldType.String when known.TryGetValue(field.Name, out var id) => id,
                FieldType.String when known.Count > 0 && field.Name.EndsWith("_id", StringComparison.Ordinal) => TestMesure.NewId().ToString(),
                FieldType.String => Text(type.Name, field),
                FieldType.Bytes => ByteString.CopyFromUtf8(Text(type.Name, field)),
                FieldType.Int32 => 1,
                FieldType.Int64 => 1L,
                FieldType.Double => 1.0,
                FieldType.Bool => true,
                FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, 1),
                FieldType.Message when field.MessageType.FullName == "google.protobuf.Timestamp" => Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
                FieldType.Message when depth > 0 => Wild(field.MessageType, known, depth - 1),
                _ => null,
            };
            if (value is not null && field.IsRepeated)
            {
                ((IList)field.Accessor.GetValue(message)).Add(value);
            }
            else if (value is not null)
            {
                field.Accessor.SetValue(message, value);
            }
        }

        return message;
    }

    private void Plant(IMessage message, string owner, string path, Func<string, bool> spared)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(f => !f.IsMap))
        {
            var at = path + field.Name;
            if (spared(at))
            {
                continue;
            }

            var held = field.Accessor.GetValue(message);
            if (held is IList list)
            {
                if (field.FieldType == FieldType.String && list.Count == 0)
                {
                    list.Add(Text(owner, field));
                }

                for (var i = 0; i < list.Count; i++)
                {
                    var item = string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]");
                    if (spared(item))
                    {
                        continue;
                    }

                    if (list[i] is IMessage inner)
                    {
                        Plant(inner, inner.Descriptor.Name, item + ".", spared);
                    }
                    else if (field.FieldType == FieldType.String)
                    {
                        list[i] = Text(owner, field);
                    }
                }
            }
            else if (field.FieldType == FieldType.String)
            {
                field.Accessor.SetValue(message, Text(owner, field));
            }
            else if (held is IMessage inner)
            {
                Plant(inner, inner.Descriptor.Name, at + ".", spared);
            }
        }
    }

    private string Text(string owner, FieldDescriptor field)
    {
        var marker = Next($"{owner}.{field.Name}");
        return field.Name.Contains("email", StringComparison.Ordinal) ? marker + "@association.test" : field.Name == "file_name" ? marker + ".pdf" : marker;
    }

    [GeneratedRegex(Marker + "([0-9]+)q", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MarkPattern();

    private static string Mark(int number) => string.Create(CultureInfo.InvariantCulture, $"{Marker}{number}q");
}
