using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Messaging;
using MassTransit;

namespace Jafer.ContractTests;

public sealed class EventTests
{
    /// <summary>
    /// The texts that events may hold: codes, never what a person wrote. A new one is a decision; see the rule on personal
    /// data at <see cref="DomainEvent"/>.
    /// </summary>
    private static readonly Dictionary<string, string> s_texts = new()
    {
        ["Answer"] = "HAS_CAPACITY",
        ["Channel"] = "FEED",
        ["Code"] = "tj69123",
        ["CorrelationId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
        ["Deadline"] = "ACKNOWLEDGE",
        ["Departement"] = "69",
        ["Expectation"] = "ANSWER",
        ["EventType"] = "mesure.mesure-transmitted.v1",
        ["Group"] = "MODALITE",
        ["Hash"] = "2c601cf361e9a41fc1ed1fed59ab735c49dcdcf5ec4defb2bfff0d67dbe34285",
        ["Holder"] = "ESPACE",
        ["Key"] = "VISITE",
        ["Kind"] = "GESTIONNAIRE",
        ["MessageKind"] = "DIFFICULTE",
        ["Modalite"] = "VISITE",
        ["MustAct"] = "ESPACE",
        ["Outcome"] = "VISITEUR_ABSENT",
        ["PartyRole"] = "HOTE",
        ["PreviousOutcome"] = "HELD",
        ["Reason"] = "RETENTION",
        ["Role"] = "espace",
        ["Rung"] = "MUST_ACT",
        ["Scope"] = "CONTENT",
        ["Sha256"] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ["SourceSystem"] = "planning",
        ["State"] = "TRANSMISE",
        ["ThreadKind"] = "MESURE",
        ["TimeZone"] = "Europe/Paris",
    };

    private static readonly DateTimeOffset s_time = new(2026, 11, 21, 9, 30, 0, 123, TimeSpan.Zero);

    private static readonly NullabilityInfoContext s_nullability = new();

    private static readonly JsonSerializerOptions s_readable = new(EventTypes.Json) { WriteIndented = true };

    public static TheoryData<string> Names() => [.. EventTypes.All.Select(EventTypes.NameOf).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Names))]
    public void Event_Json_IsTheCommittedOneAndReadsBack(string name)
    {
        var type = EventTypes.TypeOf(name)!;
        var sample = Sample(type);

        var json = JsonSerializer.Serialize(sample, type, s_readable);

        Golden.Matches(name + ".json", json);
        var read = JsonSerializer.Deserialize(json, type, EventTypes.Json)!;
        Assert.Equal(json, JsonSerializer.Serialize(read, type, s_readable));
    }

    [Theory, MemberData(nameof(Names))]
    public void Event_UnknownFieldAndAbsentOnes_StillReads(string name)
    {
        var type = EventTypes.TypeOf(name)!;
        var json = JsonNode.Parse(JsonSerializer.Serialize(Sample(type), type, EventTypes.Json))!.AsObject();
        json["addedLater"] = new JsonObject { ["x"] = 1 };
        foreach (var optional in type.GetProperties().Where(IsOptional))
        {
            json.Remove(JsonNamingPolicy.CamelCase.ConvertName(optional.Name));
        }

        var read = JsonSerializer.Deserialize(json, type, EventTypes.Json)!;

        Assert.All(type.GetProperties().Where(IsOptional), p => Assert.Null(p.GetValue(read)));
        Assert.All(type.GetProperties().Where(p => !IsOptional(p)), p => Assert.NotNull(p.GetValue(read)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Event_Type_IsSealedAndNamedAlikeForBrokerAndEnvelope(string name)
    {
        var type = EventTypes.TypeOf(name)!;

        Assert.True(type.IsSealed);
        Assert.Equal(name, type.GetCustomAttribute<EntityNameAttribute>()!.EntityName);
        Assert.Equal("urn:message:" + name, MessageUrn.ForTypeString(type));
        Assert.Matches(@"^[a-z]+\.[a-z]+(-[a-z]+)*\.v[0-9]+$", name);
        Assert.Equal(
            type.Name,
            string.Concat(name.Split('.')[1].Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..])));

        // Nothing else becomes an exchange, neither a base record nor an interface of ours.
        for (var parent = type.BaseType!; parent != typeof(object); parent = parent.BaseType!)
        {
            Assert.NotNull(parent.GetCustomAttribute<ExcludeFromTopologyAttribute>(inherit: false));
            Assert.NotNull(parent.GetCustomAttribute<ExcludeFromImplementedTypesAttribute>(inherit: false));

            // The envelope names it, so it has a name of ours.
            Assert.DoesNotContain("Jafer", MessageUrn.ForTypeString(parent), StringComparison.Ordinal);
        }

        Assert.All(type.GetInterfaces(), i => Assert.StartsWith("System.", i.FullName, StringComparison.Ordinal));
    }

    [Fact]
    public void Golden_Events_AllStillExist() =>
        Assert.Equal(EventTypes.All.Select(t => EventTypes.NameOf(t) + ".json").Order(StringComparer.Ordinal), Golden.Names("*.json").Order(StringComparer.Ordinal));

    [Fact]
    public void TypeOf_UnknownName_IsNull() => Assert.Null(EventTypes.TypeOf("mesure.absent.v1"));

    private static object Sample(Type type)
    {
        var sample = (JsonNode)new JsonObject();
        foreach (var property in type.GetProperties())
        {
            sample[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = JsonSerializer.SerializeToNode(Value(property), EventTypes.Json);
        }

        return sample.Deserialize(type, EventTypes.Json)!;
    }

    private static object Value(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type switch
        {
            _ when type == typeof(Guid) => StableIds.For("golden:" + property.Name),
            _ when type == typeof(string) => Text(property.Name),
            _ when type == typeof(long) => 7L,
            _ when type == typeof(int) => 42,
            _ when type == typeof(bool) => true,
            _ when type == typeof(DateTimeOffset) => s_time,
            _ when type == typeof(DateOnly) => DateOnly.FromDateTime(s_time.UtcDateTime),
            _ when type == typeof(IReadOnlyList<string>) => new[] { Text(property.Name.TrimEnd('s').Replace("Open", "", StringComparison.Ordinal)) },
            _ when type == typeof(IReadOnlyList<Guid>) => new[] { StableIds.For("golden:" + property.Name) },
            _ when type == typeof(IReadOnlyList<ModaliteCapacity>) => new[] { new ModaliteCapacity("VISITE", 4) },
            _ when type == typeof(IReadOnlyList<ModaliteWait>) => new[] { new ModaliteWait("VISITE", 45) },
            _ when type == typeof(IReadOnlyList<LieuAgrement>) => new[] { new LieuAgrement(StableIds.For("golden:LieuId"), [new AgrementPeriod(new(2024, 1, 1), new(2028, 12, 31))]) },
            _ when type == typeof(IReadOnlyList<AgrementPeriod>) => new[] { new AgrementPeriod(new(2024, 1, 1), new(2028, 12, 31)), new AgrementPeriod(new(2029, 1, 1), null) },
            _ => throw new NotSupportedException($"no sample for {property.DeclaringType}.{property.Name} of type {type}"),
        };
    }

    private static string Text(string name) =>
        s_texts.TryGetValue(name, out var text) ? text : throw new NotSupportedException($"{name} is no text that events may hold so far");

    private static bool IsOptional(PropertyInfo property) => s_nullability.Create(property).WriteState == NullabilityState.Nullable;
}
